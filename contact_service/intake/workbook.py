"""The first sheet of an .xlsx, read by a process of its own.

The library lays a sheet out as a full rectangle: of five kilobytes with a value in its first cell
and one in its last it wants half a terabyte, and what it does not get ends its process. That
process is not the worker's: it has a bound of memory, none of our secrets, and leaves no core file
with personal data in it.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Generator
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

#: Enough for the tallest sheet there is (1,048,576 rows) in some thirty columns.
MOST_MEMORY_BYTES = 3 << 30
_ROWS_A_LINE = 500
_NO_WORKBOOK = 4
#: What the other process needs of our environment; the rest may be secret.
_PASSED_ON = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")


class NoWorkbook(Exception):
    """The file cannot be read as a workbook."""


class TooLarge(Exception):
    """The sheet wants more memory than there is for it."""


def rows(path: Path) -> Generator[tuple[int, int, list[str]], None, None]:
    """Each row that holds anything: its number from 1, how many rows there are, its cells as text.

    Raises :class:`NoWorkbook` and :class:`TooLarge`, perhaps after some rows.
    """
    command = [sys.executable, "-P", "-m", __name__, str(path), str(MOST_MEMORY_BYTES)]
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as child:
        assert child.stdout is not None
        try:
            for said in child.stdout:
                yield from json.loads(said)
            ended = child.wait()
        finally:
            child.kill()  # whoever wants no more rows; one that has ended is left alone
    if ended == _NO_WORKBOOK:
        raise NoWorkbook
    if ended:
        raise TooLarge


def _tell(path: str) -> None:
    """Write the rows, some of them a line."""
    with CalamineWorkbook.from_path(path) as book:
        sheet = book.get_sheet_by_index(0)
        height = max(1, sheet.total_height)
        found = (
            (number, height, texts)
            for number, cells in enumerate(sheet.iter_rows(), start=1)
            if any(texts := [_text(cell) for cell in cells])
        )
        while some := list(islice(found, _ROWS_A_LINE)):
            sys.stdout.write(json.dumps(some) + "\n")


def _text(cell: Any) -> str:
    """What a person would have typed into the cell."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.strftime("%Y/%m/%d %H:%M:%S")
    if isinstance(cell, date):
        return cell.strftime("%Y/%m/%d")
    return str(cell)


def _limit(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, int(sys.argv[2]))
    try:
        _tell(sys.argv[1])
    except CalamineError:
        sys.exit(_NO_WORKBOOK)
