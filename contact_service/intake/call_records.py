"""Records that telephone systems and carriers write, as tables of the ``call-records`` layout.

Each form is told by the file's beginning and becomes rows with the headings of that layout, one
per call; rejects, staging and matching are then the same as for every file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path

from contact_service.intake import asterisk, twilio
from contact_service.intake.faults import FileRefused

HEADINGS = (
    "call_id", "started_at", "direction", "number", "extension", "result", "talk_seconds",
    "wait_seconds",
)  # fmt: skip
Record = tuple[int, Mapping[str, str] | None]
Numbered = tuple[int, list[str]]
#: So many bytes of a file's beginning are looked at.
BEGINNING = 1 << 16


class Form(StrEnum):
    """How the rows of a file are written."""

    TABLE = "table"  # headings, then one row each
    QUEUE_LOG = "asterisk-queue-log"
    QUEUE_TABLE = "asterisk-queue-log-csv"
    CDR = "asterisk-cdr"
    TWILIO_JSON = "twilio-json"
    TWILIO_CSV = "twilio-csv"


def form_of(beginning: bytes) -> Form:
    """The form that the first line of a file's beginning shows; a table when it shows none of the
    others."""
    lines = beginning.decode("utf-8-sig", errors="replace").splitlines()
    first = lines[0].strip() if lines else ""
    cells = first.split("|")
    if len(cells) >= len(asterisk.QUEUE_LOG) and cells[0].isdecimal() and cells[4].isupper():
        return Form.QUEUE_LOG
    if first.startswith(("{", "[")):
        return Form.TWILIO_JSON
    row = next(csv.reader([first]), [])
    if set(asterisk.QUEUE_LOG) <= set(row):
        return Form.QUEUE_TABLE
    if len(row) >= asterisk.CDR_CELLS and row[14] in asterisk.DISPOSITIONS:
        return Form.CDR
    if {"sid", "from", "to", "status", "direction"} <= {twilio.plain_name(cell) for cell in row}:
        return Form.TWILIO_CSV
    return Form.TABLE


def rows(path: Path, form: Form, text: io.TextIOWrapper) -> Iterator[tuple[int, list[str]]]:
    """Line and cells of every call, in the order of :data:`HEADINGS`; a line that is cut off has
    no cells but its first. Raises :class:`FileRefused` where the file is not of its form."""
    try:
        for line, record in _READERS[form](text):
            yield line, ["?"] if record is None else [record[name] for name in HEADINGS]
    except (csv.Error, twilio.NotAList) as error:
        at = f"{error.args[0]}行目: " if isinstance(error, twilio.NotAList) else ""
        raise FileRefused(
            f"{path.name} {at}{form} として読めません。元のシステムから書き出し直してください",
            f"{path.name} cannot be read as {form}; export it again",
        ) from None


def _csv(text: Iterable[str]) -> Iterator[Numbered]:
    reader = csv.reader(text, strict=True)
    line = 1
    for cells in reader:
        if any(cells):
            yield line, cells
        line = reader.line_num + 1


def _queue_log(text: io.TextIOWrapper) -> Iterator[Record]:
    lines = ((n, line.rstrip("\r\n").split("|")) for n, line in enumerate(text, start=1))
    return asterisk.queue_calls((n, cells) for n, cells in lines if any(cells))


def _queue_table(text: io.TextIOWrapper) -> Iterator[Record]:
    lines = _csv(text)
    headings = next(lines)[1]
    names = [*asterisk.QUEUE_LOG, *(f"data{n}" for n in range(1, 6))]
    places = [headings.index(name) for name in names if name in headings]
    whole = len(headings)
    ordered = ((n, [c[at] for at in places] if len(c) >= whole else []) for n, c in lines)
    return asterisk.queue_calls(ordered)


def _cdr(text: io.TextIOWrapper) -> Iterator[Record]:
    return asterisk.cdr_calls(_csv(text))


def _twilio_json(text: io.TextIOWrapper) -> Iterator[Record]:
    return _ended(twilio.objects(text))


def _twilio_csv(text: io.TextIOWrapper) -> Iterator[Record]:
    lines = _csv(text)
    names = [twilio.plain_name(heading) for heading in next(lines)[1]]
    for line, cells in lines:
        if len(cells) < len(names):
            yield line, None
        else:
            yield from _ended([(line, dict(zip(names, cells, strict=False)))])


def _ended(calls: Iterable[tuple[int, twilio.Call]]) -> Iterator[Record]:
    for line, call in calls:
        if (record := twilio.record(call)) is not None:
            yield line, record


_READERS: Mapping[Form, Callable[[io.TextIOWrapper], Iterator[Record]]] = {
    Form.QUEUE_LOG: _queue_log,
    Form.QUEUE_TABLE: _queue_table,
    Form.CDR: _cdr,
    Form.TWILIO_JSON: _twilio_json,
    Form.TWILIO_CSV: _twilio_csv,
}
