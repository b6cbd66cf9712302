"""Rejected rows: named, kept sealed, mended and imported again."""

from __future__ import annotations

import csv
import io
import stat
from pathlib import Path

import pytest

from contact_service.intake.faults import REASON_TEXT, Reason
from contact_service.intake.importing import Counts
from contact_service.intake.layout import LEADING
from contact_service.intake.rejects import target_for
from contact_service.store.crypto import Vault
from tests.intake.conftest import CLAIM, Import, Query, write_csv

BAD = {**CLAIM, "宛名番号": "", "未納額": "未定", "通知書番号": "26010000002"}


def read(path: Path, encoding: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode(encoding), newline="")))


@pytest.mark.parametrize("encoding", ["cp932", "utf-8", "utf-8-sig"])
def test_mended_rows_are_taken(take: Import, query: Query, tmp_path: Path, encoding: str) -> None:
    path = write_csv(tmp_path / "滞納一覧_20260930.csv", [CLAIM, BAD], encoding)
    report = take("claims", path)
    assert report.rejects == tmp_path / "滞納一覧_20260930.rejects.csv"
    assert report.counts == Counts(2, 1, 0, 0, 1, 0)
    assert report.rejects is not None
    headings, row = read(report.rejects, encoding)
    assert headings == [*LEADING, *CLAIM]
    assert row[:3] == ["3", "宛名番号 | 未納額", " | 未定"]
    assert row[3] == " | ".join(REASON_TEXT[r][0] for r in (Reason.BLANK, Reason.BAD_AMOUNT))
    assert row[4] == " | ".join(REASON_TEXT[r][1] for r in (Reason.BLANK, Reason.BAD_AMOUNT))
    assert row[5:] == list(BAD.values())

    still_bad = {**dict(zip(headings, row, strict=True)), "宛名番号": "10000002"}
    again = take("claims", write_csv(report.rejects, [still_bad], encoding))
    assert again.counts == Counts(1, 0, 0, 0, 1, 0)
    assert again.rejects is not None
    headings, row = read(again.rejects, encoding)
    assert headings == [*LEADING, *CLAIM]  # the old leading columns do not pile up
    assert row[:3] == ["2", "未納額", "未定"]

    mended = {**dict(zip(headings, row, strict=True)), "未納額": "7,000円"}
    assert take("claims", write_csv(again.rejects, [mended], encoding)).counts.accepted == 1
    assert query("SELECT outstanding_yen, filed_as_of::text FROM claim ORDER BY id") == [
        (10000, "2026-09-30"),
        (7000, "2026-09-30"),
    ]


def test_a_rejected_row_opened_in_a_spreadsheet_runs_nothing(
    take: Import, query: Query, vault: Vault, tmp_path: Path
) -> None:
    """Words are guarded, and are themselves again when mended; numbers stay as they are."""
    name, note = '=HYPERLINK("x")', "@SUM(1)|cmd"
    bad = {**CLAIM, "氏名": name, "電話番号１": "+81 90-1234-5678", "未納額": "-5",
           "調定額": "=1+1", note: "-2+3"}  # fmt: skip
    report = take("claims", write_csv(tmp_path / "a_20260930.csv", [bad]))
    assert report.rejects is not None
    headings, row = read(report.rejects, "cp932")
    found = dict(zip(headings, row, strict=True))
    assert headings[-1] == f"'{note}"
    assert [found[column] for column in ("氏名", "電話番号１", "未納額", "調定額")] == [
        f"'{name}", "+81 90-1234-5678", "-5", "'=1+1",
    ]  # fmt: skip
    assert found["値"] == "'=1+1 | -5"
    again = take("claims", write_csv(report.rejects, [found]))
    assert again.rejects is not None
    assert read(again.rejects, "cp932")[1][2:] == row[2:]  # guarded once
    mended = found | {"未納額": "500", "調定額": "500"}
    assert take("claims", write_csv(again.rejects, [mended])).counts.accepted == 1
    ((sealed,),) = query("SELECT name FROM debtor")
    assert vault.open("debtor.name", sealed) == name


def test_every_reason_has_both_languages_and_fits_every_encoding() -> None:
    assert set(REASON_TEXT) == set(Reason)
    for ja, en in REASON_TEXT.values():
        assert ja.encode("cp932").decode("cp932") == ja
        assert en.isascii() or "令和8" in en or "第3期" in en


def test_values_are_sealed_and_the_file_is_for_its_owner(
    take: Import, query: Query, vault: Vault, tmp_path: Path
) -> None:
    bad = {**CLAIM, "生年月日": "昭和40年2月31日"}
    report = take("claims", write_csv(tmp_path / "a.csv", [bad]))
    ((line, column, reason, value),) = query(
        'SELECT line, "column", reason, value FROM rejected_row'
    )
    assert (line, column, reason) == (2, "生年月日", "impossible_date")
    assert vault.open("rejected_row.value", value) == "昭和40年2月31日"
    assert "昭和" not in repr(report.first_faults)
    assert report.rejects is not None
    assert stat.S_IMODE(report.rejects.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("宛名番号", "12/34", "bad_code"),
        ("宛名番号", "1" * 33, "bad_code"),
        ("科目", "水道料", "unknown_word"),
        ("債権区分", "", "blank"),
        ("調定年度", "昨年", "bad_year"),
        ("期別", "第三期", "bad_ordinal"),
        ("納期限", "未定", "bad_date"),
        ("調定額", "-5,000", "negative_amount"),
        ("未納額", "△5,000", "negative_amount"),
        ("未納額", "1,00", "bad_amount"),
        ("未納額", "9" * 30, "bad_amount"),
        ("備考", "続き", None),
    ],
)
def test_reasons(take: Import, tmp_path: Path, column: str, cell: str, reason: str | None) -> None:
    report = take("claims", write_csv(tmp_path / "a.csv", [{**CLAIM, column: cell}]))
    expected = [] if reason is None else [(2, column, cell, reason)]
    assert [(f.line, f.column, f.value, f.reason) for f in report.first_faults] == expected
    assert report.counts.rejected == len(expected)
    assert (report.rejects is None) is (reason is None)


def test_ragged_rows_and_physical_lines(take: Import, tmp_path: Path) -> None:
    good = ",".join(f'"{cell}"' for cell in CLAIM.values())
    lines = [
        ",".join(CLAIM),
        good.replace('26010000001"', '26010000009"').removesuffix('""') + '"二行に\nわたる"',
        "",
        good.rsplit(",", 2)[0],  # line 5
        good + ",余り",
        good + ",,",
        ",,,",
        "\x1a",
    ]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines), encoding="cp932")
    report = take("claims", path)
    assert report.counts == Counts(4, 2, 0, 0, 2, 0)
    assert [(f.line, f.column, f.value, f.reason) for f in report.first_faults] == [
        (5, "督促発送日", "", "truncated"),
        (6, "備考", "余り", "extra_cells"),
    ]


def test_rejects_go_where_they_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, state = tmp_path / "a.csv", tmp_path / "state"
    assert target_for(path, None, state) == tmp_path / "a.rejects.csv"
    monkeypatch.setattr("os.access", lambda *_: False)
    assert target_for(path, tmp_path / "b.csv", state) == tmp_path / "b.csv"
    assert target_for(path, None, state) == state / "rejects" / "a.rejects.csv"
    assert (state / "rejects").is_dir()
