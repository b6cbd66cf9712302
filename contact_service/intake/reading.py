"""Files as rows of text: CSV in any encoding a layout names, and .xlsx.

A CSV is read twice, both times as a stream: once for its digest and to learn which encodings
can decode all of it, once for its rows. An .xlsx is a compressed archive, read by
:mod:`contact_service.intake.workbook`; it is measured first.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, cast

from contact_service.intake import call_records, workbook
from contact_service.intake.call_records import BEGINNING, Form, form_of
from contact_service.intake.faults import FileRefused
from contact_service.intake.layout import Layout

BLOCK = 1 << 20
BOM_ENCODING = "utf-8-sig"
RECORDS = "call-records"  # the layout that other forms of records are read by
_ZIP = b"PK\x03\x04"
_GZIP = b"\x1f\x8b"  # how logs are kept when they are rotated
#: A file that unpacks to more than this, or to more than so many times its size, is no office's.
MOST_UNPACKED_BYTES = 2 << 30
MOST_UNPACKED_RATIO = 200
#: A line is held in memory as a whole; a listing in JSON, which may be one line, is not.
MOST_LINE_BYTES = 4 << 20
_DOS_END_OF_FILE = "\x1a"  # some exports still end with it


@dataclass(frozen=True, slots=True)
class Survey:
    """What one pass over the bytes tells. ``undecodable``: encoding → first bad line."""

    sha256: str
    size_bytes: int
    is_excel: bool
    has_bom: bool
    undecodable: dict[str, int]

    def encoding_for(self, layout: Layout) -> str:
        """The first of the layout's encodings that decodes the whole file.

        Raises :class:`FileRefused` when none does.
        """
        if self.has_bom or self.is_excel:
            return BOM_ENCODING
        for encoding in layout.encodings:
            if encoding not in self.undecodable:
                return encoding
        tried = ", ".join(f"{e}: {self.undecodable[e]}行目" for e in layout.encodings)
        tried_en = ", ".join(f"{e} fails on line {self.undecodable[e]}" for e in layout.encodings)
        raise FileRefused(
            f"文字コードが違います（読めない行 {tried}）。"
            "CSV（UTF-8 か Shift_JIS）で保存し直してください",
            f"wrong encoding ({tried_en}); save it as CSV in UTF-8 or Shift_JIS",
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its physical line (or sheet row) from 1, its cells as text, and how many bytes
    of the file have been read so far."""

    line: int
    cells: list[str]
    bytes_read: int


@dataclass(frozen=True, slots=True)
class Table:
    """An open file: the lines before its headings, the headings, and the rows to come."""

    preamble: list[str]
    headings: list[str]
    rows: Iterator[Row]


def survey(path: Path, encodings: set[str]) -> Survey:
    """Read the whole file once. Raises :class:`FileRefused` for what is neither text nor .xlsx."""
    digest = hashlib.sha256()
    size, lines, unended = 0, 1, 0
    decoders = {name: codecs.getincrementaldecoder(name)("strict") for name in encodings}
    undecodable: dict[str, int] = {}
    is_excel = has_bom = by_lines = False
    with _opened(path) as file:
        while block := file.read(BLOCK):
            if not size:
                is_excel = block.startswith(_ZIP)
                by_lines = not is_excel and form_of(block[:BEGINNING]) is not Form.TWILIO_JSON
                has_bom = block.startswith(codecs.BOM_UTF8)
                if has_bom:
                    decoders = {BOM_ENCODING: codecs.getincrementaldecoder(BOM_ENCODING)("strict")}
            digest.update(block)
            size += len(block)
            if size > MOST_UNPACKED_BYTES and is_gzip(path):
                raise _too_large(path, size)
            if not is_excel:
                _require_text(path, block)
                _decode(decoders, undecodable, block, lines, final=False)
                lines += block.count(b"\n")
                ended = max(block.rfind(b"\n"), block.rfind(b"\r"))
                unended = len(block) - ended - 1 + (unended if ended < 0 else 0)
                if by_lines and unended > MOST_LINE_BYTES:
                    raise _endless(path, lines)
    _decode({} if is_excel else decoders, undecodable, b"", lines, final=True)
    if size == 0:
        raise FileRefused(f"{path.name} は空のファイルです", f"{path.name} is empty")
    if path.suffix.lower() == ".xlsx" and not is_excel:
        raise FileRefused(
            f"{path.name} はExcelブック（.xlsx）ではありません。Excelで保存し直してください",
            f"{path.name} is no Excel workbook; save it again in Excel",
        )
    if is_excel:
        _require_unpackable(path)
    if BOM_ENCODING in undecodable:
        line = undecodable[BOM_ENCODING]
        raise FileRefused(
            f"{path.name} の{line}行目: UTF-8として読めません。CSV（UTF-8）で保存し直してください",
            f"{path.name}, line {line}: not UTF-8; save it again as CSV in UTF-8",
        )
    return Survey(digest.hexdigest(), size, is_excel, has_bom, undecodable)


def _decode(
    decoders: dict[str, codecs.IncrementalDecoder],
    undecodable: dict[str, int],
    block: bytes,
    lines: int,
    *,
    final: bool,
) -> None:
    for name in list(decoders):
        try:
            decoders[name].decode(block, final)
        except UnicodeDecodeError as error:
            # The error's object begins with what the decoder held back from the last block.
            undecodable[name] = lines + error.object[: error.start].count(b"\n")
            del decoders[name]


def _require_unpackable(path: Path) -> None:
    """Refuse an archive that would fill the memory. A whole sheet of Excel's unpacks to a gigabyte,
    and to some thirty times its size."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
    except zipfile.BadZipFile:
        raise _no_workbook(path) from None
    if unpacked > min(MOST_UNPACKED_BYTES, MOST_UNPACKED_RATIO * path.stat().st_size):
        raise _too_large(path, unpacked)


def _too_large(path: Path, unpacked: int) -> FileRefused:
    return FileRefused(
        f"{path.name} は展開すると大きすぎます（{unpacked:,} バイト）。CSVで保存し直すか、"
        "いくつかに分けてください",
        f"{path.name} unpacks to {unpacked:,} bytes, too many; save it as CSV or split it",
    )


def _endless(path: Path, line: int) -> FileRefused:
    return FileRefused(
        f"{path.name} の{line}行目が長すぎます（{MOST_LINE_BYTES >> 20} MB を超えています）。"
        "CSVで書き出し直してください",
        f"{path.name}, line {line}: longer than {MOST_LINE_BYTES >> 20} MB; export it again as CSV",
    )


def is_gzip(path: Path) -> bool:
    """Whether the file's bytes are packed by gzip, as rotated logs are."""
    with path.open("rb") as file:
        return file.read(2) == _GZIP


def _require_text(path: Path, block: bytes) -> None:
    if b"\0" in block:
        raise FileRefused(
            f"{path.name} はCSVでもExcelブック（.xlsx）でもありません。"
            "CSV（UTF-8 か Shift_JIS）で保存し直してください",
            f"{path.name} is neither CSV nor .xlsx; save it as CSV in UTF-8 or Shift_JIS",
        )


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked if they are packed."""
    try:
        opening = gzip.open if is_gzip(path) else open
        file = cast("IO[bytes]", opening(path, "rb"))
    except OSError as error:
        raise FileRefused(
            f"{path} を開けません: {error.strerror}", f"cannot open {path}: {error.strerror}"
        ) from None
    with file:
        try:
            yield file
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise FileRefused(
                f"{path.name} を展開できません（gzipとして壊れています）。コピーし直してください",
                f"{path.name} cannot be unpacked: as gzip it is broken; copy it again",
            ) from None


@contextmanager
def opened(path: Path, layout: Layout, found: Survey) -> Iterator[Table]:
    """The file as a table by ``layout``. Raises :class:`FileRefused`; so may reading its rows."""
    if found.is_excel:
        with closing(_excel_rows(path, found.size_bytes)) as rows:
            yield _excel_table(path, layout, rows)
        return
    with _opened(path) as file:
        form = form_of(file.read(BEGINNING))
        file.seek(0)
        text = io.TextIOWrapper(file, found.encoding_for(layout), newline="")
        if layout.name == RECORDS and form is not Form.TABLE:
            calls = call_records.rows(path, form, text)
            found_calls = (Row(line, cells, file.tell()) for line, cells in calls)
            yield Table([], list(call_records.HEADINGS), found_calls)
            return
        if form is Form.TWILIO_JSON:  # no table, and perhaps all of it one line
            yield Table([], [], iter(()))
            return
        preamble = [line.rstrip("\r\n") for line in islice(text, layout.preamble_lines)]
        lines = _csv_rows(path, layout, text, file.tell)
        headings = next(lines, None)
        if headings is None:
            raise _no_headings(path)
        yield Table(preamble, headings.cells, lines)


def _excel_table(path: Path, layout: Layout, rows: Iterator[Row]) -> Table:
    preamble = [""] * layout.preamble_lines
    for row in rows:
        if row.line > layout.preamble_lines:
            return Table(preamble, row.cells, rows)
        preamble[row.line - 1] = " ".join(cell for cell in row.cells if cell)
    raise _no_headings(path)


def _no_headings(path: Path) -> FileRefused:
    return FileRefused(
        f"{path.name} に見出しの行がありません", f"{path.name} has no row of headings"
    )


def _csv_rows(
    path: Path, layout: Layout, text: io.TextIOWrapper, position: Callable[[], int]
) -> Iterator[Row]:
    reader = csv.reader(text, delimiter=layout.delimiter, strict=True)
    while True:
        line = layout.preamble_lines + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise FileRefused(
                f"{path.name} の{line}行目: CSVとして読めません。"
                "引用符の閉じ忘れを確かめてください",
                f"{path.name}, line {line}: not CSV; look for a quotation mark left open",
            ) from None
        if any(cells) and cells != [_DOS_END_OF_FILE]:
            yield Row(line, cells, position())


def _excel_rows(path: Path, size_bytes: int) -> Generator[Row, None, None]:
    try:
        with closing(workbook.rows(path)) as found:
            for line, height, texts in found:
                yield Row(line, texts, min(size_bytes, size_bytes * line // height))
    except workbook.NoWorkbook:
        raise _no_workbook(path) from None
    except workbook.TooLarge:
        raise FileRefused(
            f"{path.name} の表は大きすぎて読めません。表から離れたセルに値がないかを確かめるか、"
            "CSVで保存し直してください",
            f"the sheet of {path.name} is too large to be read; look for values far from the "
            "table, or save it as CSV",
        ) from None


def _no_workbook(path: Path) -> FileRefused:
    return FileRefused(
        f"{path.name} はExcelブックとして読めません。Excelで保存し直してください",
        f"{path.name} cannot be read as an Excel workbook; save it again in Excel",
    )
