"""Rows of text → rows of values, or what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contact_service.domain.spreadsheets import unguarded
from contact_service.intake.faults import BadValue, Fault, Reason
from contact_service.intake.fields import FIELDS, Field, plain
from contact_service.intake.layout import LEADING, Layout
from contact_service.intake.reading import Row
from contact_service.intake.values import Read, Value, reader

Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class _Place:
    """One field in one file."""

    field: Field
    index: int
    heading: str
    read: Read


class RowParser:
    """Reads the rows of one file by its layout and its own headings."""

    def __init__(self, layout: Layout, headings: Sequence[str]) -> None:
        where = layout.places(headings)
        # a file of rejected rows, mended: what was guarded in it is as it was
        self._guarded = list(headings[: len(LEADING)]) == LEADING
        self._headings = list(headings)
        self._markers = frozenset(plain(marker) for marker in layout.total_row_markers)
        self._places = [
            _Place(field, where[field.name], headings[where[field.name]], reader(field, column))
            for field in FIELDS[layout.kind]
            if field.name in where and (column := layout.columns[field.name])
        ]
        self._blank: dict[str, Value] = {field.name: None for field in FIELDS[layout.kind]}
        self._last = max(place.index for place in self._places)
        self._of = {place.field.name: place for place in self._places}

    @property
    def fields(self) -> frozenset[str]:
        """The fields that this file tells."""
        return frozenset(self._of)

    def is_total(self, row: Row) -> bool:
        """Whether the row is a total: its first filled cell says so."""
        first = next(cell for cell in row.cells if cell)
        return len(first) <= 20 and plain(first) in self._markers

    def parse(self, row: Row) -> Values | list[Fault]:
        """The row's values, or everything that is wrong with it.

        A field whose column the file lacks is ``None``.
        """
        cells = row.cells
        if len(cells) <= self._last:
            return [self._cut_short(row)]
        if len(cells) > len(self._headings) and any(cells[len(self._headings) :]):
            extra = next(cell for cell in cells[len(self._headings) :] if cell)
            return [Fault(row.line, self._headings[-1], extra, Reason.EXTRA_CELLS)]
        values = dict(self._blank)
        faults: list[Fault] = []
        for place in self._places:
            cell = unguarded(cells[place.index]) if self._guarded else cells[place.index]
            if not cell and not place.field.required:
                continue
            try:
                value = place.read(cell)
            except BadValue as bad:
                faults.append(Fault(row.line, place.heading, cell, bad.reason))
                continue
            if value is None and place.field.required:
                faults.append(Fault(row.line, place.heading, cell, Reason.BLANK))
            values[place.field.name] = value
        return faults or values

    def fault(self, row: Row, field: str, reason: Reason, detail: str = "") -> Fault:
        """A fault of one field that only the row as a whole shows."""
        place = self._of[field]
        return Fault(row.line, place.heading, row.cells[place.index], reason, detail)

    def _cut_short(self, row: Row) -> Fault:
        missing = self._headings[len(row.cells)]
        counted = f"{len(row.cells)}/{len(self._headings)}"
        return Fault(row.line, missing, "", Reason.TRUNCATED, counted)
