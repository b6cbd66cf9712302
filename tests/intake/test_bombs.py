"""Small files that would fill a worker's memory, or keep it busy for ever, are refused in words;
the process that reads them lives on."""

from __future__ import annotations

import gzip
import io
import json
import resource
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter

from contact_service.intake import twilio, workbook
from contact_service.intake.detection import detect
from contact_service.intake.faults import FileRefused
from contact_service.intake.fields import FileKind
from contact_service.intake.reading import opened
from tests.intake.conftest import CLAIM

HEADINGS = ",".join(CLAIM)


def rows_of(path: Path, kind: FileKind = FileKind.CLAIMS) -> int:
    """How many rows an import would find."""
    layout, found = detect(path, kind, None)
    with opened(path, layout, found) as table:
        return sum(1 for _ in table.rows)


def book(path: Path, *more: tuple[int, int, str]) -> Path:
    """A workbook with headings, one claim and ``more`` cells."""
    with xlsxwriter.Workbook(str(path)) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, list(CLAIM))
        sheet.write_row(1, 0, list(CLAIM.values()))
        for row, column, text in more:
            sheet.write_string(row, column, text)
    return path


def forge_sizes(path: Path, most: int) -> None:
    """Let the archive say that each of its files unpacks to ``most`` bytes at most."""
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = -1
        while (at := content.find(mark, at + 1)) >= 0:
            (said,) = struct.unpack_from("<I", content, at + offset)
            struct.pack_into("<I", content, at + offset, min(said, most))
    path.write_bytes(content)


def test_a_value_in_the_last_cell_of_all_is_not_laid_out_to_there(tmp_path: Path) -> None:
    """Half a terabyte, which used to end the worker; a far cell that fits is read."""
    path = book(tmp_path / "a.xlsx", (1_048_575, 16_383, "x"))
    assert path.stat().st_size < 10_000
    with pytest.raises(FileRefused, match="離れたセル.*far from the table"):
        rows_of(path)
    assert rows_of(book(tmp_path / "b.xlsx", (900, 30, "x"))) == 2


def test_a_workbook_has_no_more_memory_than_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor have we less for having read it: another process holds it."""
    monkeypatch.setattr(workbook, "MOST_MEMORY_BYTES", 1 << 28)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FileRefused, match="too large to be read"):
        rows_of(book(tmp_path / "a.xlsx", (20_000, 1_000, "x")))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


def test_who_wants_no_more_rows_leaves_no_process_behind(tmp_path: Path) -> None:
    layout, found = detect(book(tmp_path / "a.xlsx"), FileKind.CLAIMS, None)
    with opened(tmp_path / "a.xlsx", layout, found) as table:
        assert next(table.rows).line == 2
    children = Path("/proc/self/task").glob("*/children")
    left = [pid for listed in children for pid in listed.read_text().split()]
    assert not any(b"intake.workbook" in Path(f"/proc/{p}/cmdline").read_bytes() for p in left)


def test_the_process_that_reads_a_workbook_knows_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it does not need of our environment it does not get."""
    monkeypatch.setenv("CONTACT_TEST_SECRET", "marked")
    monkeypatch.setattr(workbook.sys, "executable", str(spy(tmp_path)))
    with pytest.raises(FileRefused):
        rows_of(book(tmp_path / "a.xlsx"))
    seen = (tmp_path / "environment").read_text()
    assert "PATH=" in seen and "marked" not in seen


def spy(folder: Path) -> Path:
    """An interpreter that only writes down what it was given."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\nenv >{folder}/environment\nexit 1\n")
    path.chmod(0o700)
    return path


def test_an_archive_that_lies_about_its_size_is_not_unpacked(tmp_path: Path) -> None:
    cells = [(row, column, "x" * 30) for row in range(2, 400) for column in range(20)]
    path = book(tmp_path / "a.xlsx", *cells)
    assert rows_of(path) == 399
    forge_sizes(path, 1_000)
    with pytest.raises(FileRefused, match="Excelで保存し直して"):
        rows_of(path)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_a_line_without_end_is_refused_before_it_is_held(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(pack(f"{HEADINGS}\n".encode() + b"x" * 6_000_000))
    with pytest.raises(FileRefused, match="2行目が長すぎます.*line 2: longer than 4 MB"):
        rows_of(path)
    # as many bytes in lines, whatever ends them, and a listing in one line are nothing unusual
    for end in ("\n", "\r", "\r\n"):
        lines = [HEADINGS, *["x" * 1_000] * 6_000, ""]
        path.write_bytes(pack(end.join(lines).encode()))
        assert rows_of(path) == 6_000
    call = {"sid": "CA1", "status": "completed", "direction": "inbound", "from": "+819012345678",
            "start_time": "Mon, 02 Nov 2026 01:00:00 +0000", "duration": "5"}  # fmt: skip
    listing = tmp_path / "calls.json"
    calls = {"calls": [call | {"note": "x" * 9_000}] * 500}
    for separators in ((", ", ": "), (",", ":")):
        listing.write_bytes(pack(json.dumps(calls, separators=separators).encode()))
        assert rows_of(listing, FileKind.CALLS) == 500


@pytest.mark.parametrize(
    "call",
    ['{"sid": "' + "x" * 3_000_000, '{"sid": ' * 100_000, '{"sid": ' + "9" * 5_000 + "}"],
    ids=["without an end", "without a bottom", "a number of 5000 digits"],
)
def test_a_listing_that_is_no_listing_is_refused_soon(tmp_path: Path, call: str) -> None:
    path = tmp_path / "calls.json"
    path.write_text(f'{{"calls": [{call}')
    with pytest.raises(FileRefused, match="twilio-json として読めません"):
        rows_of(path, FileKind.CALLS)


def test_a_call_that_does_not_end_is_not_read_to_the_end_of_the_file() -> None:
    """Read anew with each block, half a gigabyte would take hours."""
    text = io.StringIO('[{"sid": "' + "x" * 3_000_000)
    with pytest.raises(twilio.NotAList):
        list(twilio.objects(text))
    assert text.tell() < 2_000_000
