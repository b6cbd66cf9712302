"""A wrong file is refused as a whole, in words, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from contact_service.intake import importing
from contact_service.intake.faults import FileRefused
from tests.conftest import WARD
from tests.intake.conftest import CLAIM, Import, Query, write_csv

HEADINGS = ",".join(CLAIM)
ROW = ",".join(cell if "," not in cell else f'"{cell}"' for cell in CLAIM.values())


def _without(column: str) -> bytes:
    kept = {name: cell for name, cell in CLAIM.items() if name != column}
    return f"{','.join(kept)}\n".encode("cp932")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", ["空のファイル", "empty"]),
        ("a.csv", b"\n\n", ["見出しの行がありません", "no row of headings"]),
        ("a.csv", b"%PDF-1.7\n\x00\x01\x02", ["CSVでもExcel", "neither CSV nor .xlsx"]),
        ("a.csv", HEADINGS.encode("utf-16"), ["CSVでもExcel"]),
        ("a.csv", _without("未納額"), ["必要な列がありません", "未納額", "missing"]),
        ("a.csv", b"name,amount\nfoo,1\n", ["宛名番号", "未納額", "--layout"]),
        ("a.csv", HEADINGS.encode("euc-jp"), ["文字コード", "wrong encoding"]),
        ("a.csv", f"{HEADINGS}\n{ROW}\n".encode() + b"\xff\xff\n", ["文字コード", "3行目", "line 3"]),
        ("a.csv", f"{HEADINGS}\n{ROW}\n".encode("utf-8-sig") + b"\x83\n", ["3行目", "not UTF-8"]),
        ("a.csv", f'{HEADINGS}\n"{ROW}\n'.encode("cp932"), ["2行目", "引用符", "quotation mark"]),
        ("a.xlsx", f"{HEADINGS}\n{ROW}\n".encode("cp932"), ["Excelブック", "no Excel workbook"]),
        ("a.xlsx", b"PK\x03\x04 not a zip", ["Excelで保存し直して", "cannot be read"]),
        (
            "a.csv",
            (WARD / "収納データ.csv").read_bytes(),
            ["滞納一覧ではなく収納データ", "intake payments", "looks like a payments file"],
        ),
    ],
)  # fmt: skip
def test_a_wrong_file_changes_nothing(
    take: Import, query: Query, tmp_path: Path, ledger_hash: Callable[[], list[str]],
    name: str, content: bytes, words: list[str],
) -> None:  # fmt: skip
    path = tmp_path / name
    path.write_bytes(content)
    before = ledger_hash()
    with pytest.raises(FileRefused) as refused:
        take("claims", path)
    for word in words:
        assert word in str(refused.value)
    assert " / " in str(refused.value)  # both languages
    assert "山﨑" not in str(refused.value)
    assert ledger_hash() == before
    assert query("SELECT count(*) FROM source_file") == [(0,)]
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]  # no half-written rejects


def test_good_rows_before_an_open_quotation_mark_do_not_stay(
    take: Import, query: Query, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "ROWS_AT_ONCE", 1)  # rows and rejects are on their way already
    path = write_csv(tmp_path / "a.csv", [CLAIM, {**CLAIM, "期別": "4", "未納額": "未定"}])
    with path.open("ab") as file:
        file.write(f'"{ROW}\n'.encode("cp932"))
    with pytest.raises(FileRefused, match="4行目"):
        take("claims", path)
    assert query("SELECT count(*) FROM claim") == [(0,)]
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_a_missing_file(take: Import, tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="開けません"):
        take("claims", tmp_path / "none.csv")


def test_the_rejects_cannot_replace_the_file(take: Import, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [CLAIM])
    with pytest.raises(FileRefused, match="上書き"):
        take("claims", path, rejects=path)


def test_headings_alone_are_an_empty_but_right_file(take: Import, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEADINGS + "\n", encoding="cp932")
    assert take("claims", path).counts.rows == 0
