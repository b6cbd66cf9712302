"""Another core system's export is another layout, not other code."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from contact_service.intake.faults import FileRefused
from contact_service.intake.fields import FileKind
from contact_service.intake.layout import load, named, shipped
from tests.intake.conftest import CLAIM, Import, Query, write_csv

ANOTHER = """
name: another-system
title: 未納明細（他システム）
kind: claims
encodings: [utf-8]
delimiter: ";"
preamble_lines: 3
total_row_markers: [総件数]
columns:
  debtor_code: {headings: [住民ID]}
  name: {headings: [住民氏名]}
  phone_1: {headings: [連絡先]}
  kind:
    headings: [種目]
    values: {学校給食: school_lunch, 奨学: student_loan}
  legal_class: {headings: [法区分], values: {私: private}}
  assessed_year: {headings: [年度]}
  instalment: {headings: [納期], values: {一括: "0"}}
  notice_number: {headings: [整理番号]}
  due_on: {headings: [期限], formats: ["%d.%m.%Y"]}
  assessed_yen: {headings: [請求額（千円）], unit_yen: 1000}
  outstanding_yen: {headings: [残高（千円）], unit_yen: 1000}
"""

EXPORT = """未納明細一覧

出力日;令和8年9月30日
残高（千円）;請求額（千円）;住民ＩＤ;住民氏名;連絡先;種目;法区分;年度;納期;整理番号;期限;担当
5;12;0001234;田中 優;090-1234-5678;学校給食;私;令和8年度;第3期;A-001;31.08.2026;佐藤
7;7;0001235;金 優;;奨学;私;R7;一括;A-002;R8.2.28;佐藤
3;x;0001236;金 優;;奨学;私;R7;一括;A-003;30.02.2026;佐藤
総件数;3件;;;;;;;;;;
"""


@pytest.fixture
def another(tmp_path: Path) -> Path:
    path = tmp_path / "another.yaml"
    path.write_text(ANOTHER, encoding="utf-8")
    return path


def test_another_layout_is_a_file(
    take: Import, query: Query, tmp_path: Path, another: Path
) -> None:
    path = tmp_path / "export_20260930.csv"
    path.write_text(EXPORT, encoding="utf-8")
    report = take("claims", path, layout=str(another))
    assert (report.layout, report.counts.accepted, report.counts.skipped) == (
        "another-system",
        2,
        1,
    )
    assert query("""SELECT code, kind, legal_class, assessed_year, attributed_year, instalment,
                    notice_number, due_on, assessed_yen, collected_yen, outstanding_yen
                    FROM claim JOIN debtor d ON d.id = debtor_id ORDER BY code""") == [
        ("0001234", "school_lunch", "private", 2026, 2026, 3, "A-001", date(2026, 8, 31),
         12000, 7000, 5000),
        ("0001235", "student_loan", "private", 2025, 2025, 0, "A-002", date(2026, 2, 28),
         7000, 0, 7000),
    ]  # fmt: skip
    assert [(f.line, f.column, f.value, f.reason) for f in report.first_faults] == [
        (7, "期限", "30.02.2026", "bad_date"),
        (7, "請求額（千円）", "x", "bad_amount"),
    ]
    assert report.rejects is not None
    mended = report.rejects.read_text(encoding="utf-8").replace(";x;", ";4;")
    assert mended.startswith("未納明細一覧\n\n出力日;令和8年9月30日\n行;列;値;理由;reason;残高")
    head, _, row = mended.rpartition("30.02.2026")  # the last: the row itself, not its fault
    report.rejects.write_text(f"{head}28.02.2026{row}", encoding="utf-8")
    assert take("claims", report.rejects, layout=another).counts.accepted == 1


def test_the_right_layout_is_found_by_the_headings(take: Import, tmp_path: Path) -> None:
    renamed = {"宛名番号": "住民コード", "未納額": "滞　納額", "納期限": "納付期限"}
    row = {renamed.get(name, name): cell for name, cell in CLAIM.items()}
    assert take("claims", write_csv(tmp_path / "a.csv", [row], "utf-8-sig")).counts.accepted == 1


def test_every_kind_has_a_layout_of_its_own() -> None:
    assert {layout.kind for layout in shipped()} == set(FileKind)
    assert named("ward-claims").kind is FileKind.CLAIMS


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("  due_on:", "  due_date:", ["unknown field due_date", "due_on"]),
        ("kind: claims", "kind: debts", ["kind"]),
        ("encodings: [utf-8]", "encodings: [sjis-2]", ["unknown encoding sjis-2"]),
        ("school_lunch", "lunch", ["lunch", "known words"]),
        ("  debtor_code: {headings: [住民ID]}\n", "", ["without a column", "debtor_code"]),
        ("preamble_lines: 3", "preamble_lines: many", ["preamble_lines"]),
        ("preamble_lines: 3", "preamble: 3", ["preamble"]),
        ("{headings: [住民氏名]}", "{headings: []}", ["columns.name.headings"]),
        ("{headings: [住民氏名]}", '{headings: [氏名], formats: ["%d"]}', ["formats are for dates"]),
        ("{headings: [住民氏名]}", "{headings: [氏名], unit_yen: 9}", ["unit_yen is for amounts"]),
        ('delimiter: ";"', "delimiter: [", ["行目", "YAML"]),
    ],
)  # fmt: skip
def test_a_faulty_layout_says_what_is_wrong(
    another: Path, old: str, new: str, words: list[str]
) -> None:
    assert old in ANOTHER
    another.write_text(ANOTHER.replace(old, new), encoding="utf-8")
    with pytest.raises(FileRefused) as refused:
        load(another)
    for word in ["another.yaml", *words]:
        assert word in str(refused.value)


def test_a_layout_that_is_not_there_or_not_for_this(take: Import, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [CLAIM])
    with pytest.raises(FileRefused, match="ward-claims, ward-payments"):
        take("claims", path, layout="ward-claim")
    with pytest.raises(FileRefused, match="layout ward-payments is for payments"):
        take("claims", path, layout="ward-payments")
    with pytest.raises(FileRefused, match="cannot read the layout"):
        take("claims", path, layout=tmp_path / "none.yaml")


def test_a_wrong_file_in_an_encoding_that_only_the_layout_knows(
    take: Import, tmp_path: Path, another: Path
) -> None:
    another.write_text(ANOTHER.replace("[utf-8]", "[euc-jp]"), encoding="utf-8")
    path = tmp_path / "a.csv"
    path.write_text("\n\n\n見出し;列\n", encoding="euc-jp")
    with pytest.raises(FileRefused, match="住民ID"):
        take("claims", path, layout=another)
