"""A report as an Excel workbook: typed cells to count with, one sheet a section. Answers lead to
the sheet their figures stand on, and a sheet to the questions that counted them.

Texts are written as texts whatever they begin with, so that nothing is read as a formula or an
address. Long numbers stay numbers up to the fifteen digits that Excel keeps.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from contact_service.evaluation.document.model import (
    Answers,
    Block,
    Cards,
    Cell,
    Column,
    Document,
    Flow,
    Heading,
    Interval,
    Kind,
    Label,
    Picture,
    Section,
    Table,
    Words,
)
from contact_service.evaluation.wording import Lang, text

_SAFE: dict[str, Any] = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "in_memory": True,
    "nan_inf_to_errors": False,
}
_EXCEL_CELL = 32_767
_WIDEST = 48
_SHEET_NAME = 31
_LINKS_IN_A_ROW = 4
_A4 = 9
_PAGE_WIDTH = 120
_LINE_HEIGHT = 17


def workbook(document: Document, written_at: date) -> bytes:
    """The report as the bytes of an ``.xlsx`` file. ``written_at`` becomes its date."""
    held = io.BytesIO()
    with xlsxwriter.Workbook(held, _SAFE) as book:
        book.set_properties({"title": document.title, "subject": document.kicker,
                             "created": written_at})  # fmt: skip
        book.set_calc_mode("auto")
        style = _Style(book)
        taken: set[str] = set()
        names = {one.id: _sheet_name(one.title, taken) for one in document.sections}
        links = {f"#{section}": f"internal:'{name}'!A1" for section, name in names.items()}
        sheets = {section: book.add_worksheet(name) for section, name in names.items()}
        if document.sources:
            name = _sheet_name(text("annex", document.lang), taken)
            annex = _Sheet(book.add_worksheet(name), style, document.lang)
            for source, row in annex.sources(document).items():
                links[source] = f"internal:'{name}'!A{row + 1}"
        for section in document.sections:
            _Sheet(sheets[section.id], style, document.lang, links).section(document, section)
    return held.getvalue()


def _sheet_name(title: str, taken: set[str]) -> str:
    """Excel allows 31 characters, and some not at all. What is too long ends with a whole word."""
    name = re.sub(r"\s*:\s*", " – ", title)
    name = " ".join(re.sub(r"[\[\]*?/\\']", " ", name).split()).strip("– ") or "-"
    unique, n = _cut(name, _SHEET_NAME), 2
    while unique.casefold() in taken:
        unique, n = f"{_cut(name, _SHEET_NAME - 4)} {n}", n + 1
    taken.add(unique.casefold())
    return unique


def _cut(name: str, most: int) -> str:
    if len(name) <= most:
        return name
    words, _, _ = name[: most + 1].rpartition(" ")
    return words.rstrip("– ") or name[:most]


class _Style:
    """The workbook's formats, made once each."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[str, Format] = {}

    def get(self, **properties: Any) -> Format:
        key = repr(sorted(properties.items()))
        if key not in self._made:
            font = {"font_name": "Yu Gothic", "font_size": 10, "valign": "top"}
            self._made[key] = self._book.add_format({**font, **properties})
        return self._made[key]

    def number(self, column: Column, lang: Lang) -> Format:
        digits = "." + "0" * column.digits if column.digits else ""
        yen = '#,##0"円";[Red]-#,##0"円"' if lang == "ja" else '"¥"#,##0;[Red]-"¥"#,##0'
        forms = {
            Kind.YEN: yen,
            Kind.SHARE: "0.0%",
            Kind.POINTS: "+0.0%;-0.0%;0.0%",
            Kind.P_VALUE: '[<0.001]"< 0.001";0.000',
            Kind.SIGNED: f"+#,##0{digits};-#,##0{digits};0",
            Kind.DAY: "yyyy-mm-dd",
        }
        return self.get(num_format=forms.get(column.kind, f"#,##0{digits}"))


class _Sheet:
    """One sheet, written from the top down. ``links`` says where a question, or ``#`` and a
    section's id, is to be found in the workbook."""

    def __init__(
        self, sheet: Worksheet, style: _Style, lang: Lang, links: Mapping[str, str] | None = None
    ) -> None:
        self._sheet, self._style, self._lang = sheet, style, lang
        self._links = links or {}
        self._row = 0
        self._widths: dict[int, int] = {}
        self._prose: list[tuple[int, str, Format]] = []

    def section(self, document: Document, section: Section) -> None:
        for line in document.banners:
            self._line(line, bold=True, bg_color="#ffd43d")
        self._line(f"{document.title} – {document.kicker}", font_color="#626264")
        self._line(section.title, bold=True, font_size=14)
        if section.counted_by:
            self._line(f"{text('counted_by', self._lang)}:", font_color="#626264")
            self._links_to(section.counted_by)
        for block in section.blocks:
            self._block(block)
        if section.rows:
            self._line(f"{text('rows_by', self._lang)}: {section.rows}", font_color="#626264")
        self._finish()

    def sources(self, document: Document) -> dict[str, int]:
        """The questions, and the row (from 0) at which each begins."""
        begins = {}
        self._line(text("annex", self._lang), bold=True, font_size=14)
        self._line(text("annex_lead", self._lang))
        for name, source in document.sources.items():
            begins[name] = self._row
            self._line(name, bold=True)
            for line in source["sql"].splitlines():
                self._line(line, font_name="Consolas", font_size=9)
            for key, value in source["parameters"].items():
                self._line(f":{key} = {value}", font_color="#626264", font_size=9)
        self._finish()
        return begins

    def _block(self, block: Block) -> None:
        if isinstance(block, Table):
            self._table(block)
        elif isinstance(block, Heading):
            self._line(block.text, bold=True)
        elif isinstance(block, Words):
            for line in block.lines:
                self._sentence(line)
        elif isinstance(block, Cards):
            for card in block.cards:
                self._cells([card.label.text, card.figure, " ".join(card.small)])
        elif isinstance(block, Answers):
            for question, lines, section in block.answers:
                self._link(0, f"#{section}", question, bold=True)
                self._row += 1
                for line in lines:
                    self._sentence(line)
        elif isinstance(block, Flow):
            for box in (block.assessed, block.excluded, block.randomised,
                        *(box for lane in block.lanes for box in lane)):  # fmt: skip
                self._cells([box.heading, *box.lines])
        elif isinstance(block, Picture):
            return  # its numbers stand in the tables beside it

    def _table(self, table: Table) -> None:
        self._row += 1
        if table.title:
            self._line(table.title, bold=True)
        if table.lead:
            self._sentence(table.lead, font_color="#626264")
        split = _split(table, self._lang)
        places = [place for _, place in split]
        columns = [column for column, _ in split]
        head = self._style.get(bold=True, bottom=1, text_wrap=True, bg_color="#f0f0f4")
        for place, column in enumerate(columns):
            self._sheet.write_string(self._row, place, column.label, head)
            self._widen(place, column.label)
        self._row += 1
        for row in table.rows:
            for place, cell in enumerate(_spread(row, places)):
                self._cell(place, cell, columns[place])
            self._row += 1
        self._row += 1

    def _cell(self, place: int, cell: Cell, column: Column) -> None:
        if cell is None:
            self._sheet.write_blank(self._row, place, None, self._style.get())
        elif column.kind is Kind.DAY and not isinstance(cell, Label | Interval):
            day = cell if isinstance(cell, date) else date.fromisoformat(str(cell))
            self._sheet.write_datetime(
                self._row, place, day, self._style.number(column, self._lang)
            )
            self._widen(place, "2026-01-01")
        elif isinstance(cell, int | float) and column.kind is not Kind.TEXT:
            self._sheet.write_number(self._row, place, cell, self._style.number(column, self._lang))
            self._widen(place, f"{cell:,.0f}.00")
        else:
            said = cell.text if isinstance(cell, Label) else str(cell)
            self._sheet.write_string(self._row, place, said[:_EXCEL_CELL], self._style.get())
            self._widen(place, said)

    def _cells(self, texts: Iterable[str]) -> None:
        for place, said in enumerate(texts):
            self._sheet.write_string(self._row, place, said, self._style.get())
            self._widen(place, said)
        self._row += 1

    def _sentence(self, said: str, **properties: Any) -> None:
        """A line that goes on below where the sheet is not wide enough for it."""
        style = self._style.get(text_wrap=True, **properties)
        self._prose.append((self._row, said[:_EXCEL_CELL], style))
        self._line(said, **properties)

    def _line(self, said: str, **properties: Any) -> None:
        self._sheet.write_string(self._row, 0, said[:_EXCEL_CELL], self._style.get(**properties))
        self._row += 1

    def _links_to(self, names: Sequence[str]) -> None:
        """So many links, some beside one another."""
        for first in range(0, len(names), _LINKS_IN_A_ROW):
            for place, name in enumerate(names[first : first + _LINKS_IN_A_ROW]):
                self._link(place, name, name)
                self._widen(place, name)
            self._row += 1

    def _link(self, place: int, to: str, said: str, **properties: Any) -> None:
        if to in self._links:
            look = self._style.get(font_color="#0017c1", underline=1, **properties)
            self._sheet.write_url(self._row, place, self._links[to], look, said[:_EXCEL_CELL])
        else:
            style = self._style.get(**properties)
            self._sheet.write_string(self._row, place, said[:_EXCEL_CELL], style)

    def _widen(self, place: int, said: str) -> None:
        self._widths[place] = min(_WIDEST, max(self._widths.get(place, 8), _width(said) + 2))

    def _finish(self) -> None:
        for place, width in self._widths.items():
            self._sheet.set_column(place, place, width)
        self._wrap()
        self._sheet.set_paper(_A4)
        self._sheet.set_landscape()
        self._sheet.fit_to_pages(1, 0)  # one page wide, as long as it is

    def _wrap(self) -> None:
        """Long sentences run over the columns of a page's width, on as many lines as they need.
        Widths are known when all else is written."""
        last, room = 0, self._widths.get(0, 8)
        while room < _PAGE_WIDTH:
            last += 1
            room += self._widths.get(last, 8)
        for row, said, style in self._prose:
            lines = -(-_width(said) // (room - 4))
            if lines > 1 and last:
                self._sheet.merge_range(row, 0, row, last, said, style)
                self._sheet.set_row(row, _LINE_HEIGHT * lines)


def _width(said: str) -> int:
    """In halves of a Japanese character."""
    return sum(2 if ord(char) > 0x2E7F else 1 for char in said)


def _split(table: Table, lang: Lang) -> list[tuple[Column, int]]:
    """Columns as a sheet has them, with their place in the table: an interval takes two."""
    found: list[tuple[Column, int]] = []
    for place, column in enumerate(table.columns):
        if any(isinstance(row[place], Interval) for row in table.rows):
            found += [
                (column._replace(label=f"{column.label} {text(end, lang)}"), place)
                for end in ("low_end", "high_end")
            ]
        else:
            found.append((column, place))
    return found


def _spread(row: Sequence[Cell], places: list[int]) -> list[Cell]:
    cells: list[Cell] = []
    for place in dict.fromkeys(places):
        cell = row[place]
        if places.count(place) == 2:
            cells += list(cell) if isinstance(cell, Interval) else [cell, cell]
        else:
            cells.append(cell)
    return cells
