"""Rejected rows: in the database, sealed, and in a file that can be mended and imported again.

The rejects file is a CSV like the input (its encoding, delimiter, preamble and headings) with
five columns before the row itself: line, column, value and reasons. The reader ignores these
columns. Where a row has several faults they stand in one cell, separated by `` | ``. What a
spreadsheet would take for a formula has an apostrophe before it, which the parser takes away.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection

from contact_service.domain.spreadsheets import guarded
from contact_service.intake.faults import Fault, FileRefused
from contact_service.intake.layout import LEADING, Layout
from contact_service.intake.reading import Row, Table
from contact_service.intake.staging import copy_in
from contact_service.store.crypto import Vault

SHOWN = 10
_COLUMNS = {
    "source_file_id": "int8",
    "line": "int4",
    "column": "text",
    "reason": "text",
    "value": "bytea",
}


class Rejects:
    """Collects the rejected rows of one import.

    The file appears under its name only when :meth:`keep` is called; leaving the ``with``
    block without it removes what was written. Without a rejected row there is no file.
    """

    def __init__(
        self, target: Path, table: Table, layout: Layout, encoding: str, vault: Vault, file_id: int
    ) -> None:
        self.rows = 0
        self.shown: list[Fault] = []
        self._target = target
        self._draft = target.with_name(f"{target.name}.{os.getpid()}.new")
        self._layout = layout
        self._encoding = encoding
        self._preamble = table.preamble
        # The headings of a rejects file that is imported again do not pile up.
        self._own = len(LEADING) if table.headings[: len(LEADING)] == LEADING else 0
        self._headings = table.headings[self._own :]
        self._vault = vault
        self._file_id = file_id
        self._stream: IO[str] | None = None
        self._unsaved: list[tuple[object, ...]] = []

    def __enter__(self) -> Rejects:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()
            with suppress(FileNotFoundError):  # kept under its name
                self._draft.unlink()

    def add(self, row: Row, faults: Sequence[Fault]) -> None:
        """Reject ``row`` for ``faults``."""
        self.rows += 1
        self.shown.extend(faults[: SHOWN - len(self.shown)])
        for fault in faults:
            sealed = self._vault.seal("rejected_row.value", fault.value)
            self._unsaved.append(
                (self._file_id, fault.line, fault.column, fault.reason.value, sealed)
            )
        cells = row.cells[self._own :]
        cells += [""] * (len(self._headings) - len(cells))
        self._write(
            [
                str(row.line),
                " | ".join(fault.column for fault in faults),
                guarded(" | ".join(fault.value for fault in faults)),
                " | ".join(fault.ja for fault in faults),
                " | ".join(fault.en for fault in faults),
                *map(guarded, cells),
            ]
        )

    def save(self, connection: Connection) -> None:
        """Move what was collected since the last call into ``rejected_row``."""
        if self._unsaved:
            copy_in(connection, "rejected_row", _COLUMNS, self._unsaved)
            self._unsaved.clear()

    def keep(self) -> Path | None:
        """Give the file its name, in place of one from an earlier import; ``None``: no file."""
        if self._stream is None:
            return None
        self._stream.close()
        self._draft.replace(self._target)
        return self._target

    def _write(self, cells: list[str]) -> None:
        if self._stream is None:
            self._stream = self._open()
            for line in self._preamble:
                self._stream.write(f"{guarded(line)}\r\n")
            self._writer: Any = csv.writer(self._stream, delimiter=self._layout.delimiter)
            self._writer.writerow([*LEADING, *map(guarded, self._headings)])
        self._writer.writerow(cells)

    def _open(self) -> IO[str]:
        try:
            # It holds personal data: for its owner alone.
            handle = os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise FileRefused(
                f"エラー行の一覧 {self._target} に書けません: {error.strerror}。"
                "--rejects で別の場所を指定してください",
                f"cannot write the rejects file {self._target}: {error.strerror}; "
                "name another place with --rejects",
            ) from None
        return os.fdopen(handle, "w", encoding=self._encoding, newline="")


def target_for(path: Path, chosen: Path | None, state_dir: Path) -> Path:
    """Where the rejects of ``path`` go: the place chosen, or beside it, or, when that cannot be
    written, into ``state_dir/rejects``. Raises :class:`FileRefused` for the file itself."""
    # queue_log.1 and queue_log.2 are two logs, not one in two forms
    stem = path.name if path.suffix[1:].isdigit() else path.stem
    name = f"{stem}.rejects.csv"
    target = chosen or path.with_name(name)
    if chosen is None and not os.access(path.parent, os.W_OK):
        folder = state_dir / "rejects"
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / name
    if target.resolve() == path.resolve():
        raise FileRefused(
            "エラー行の一覧を取込元のファイルに上書きすることはできません",
            "the rejects file cannot replace the file that is imported",
        )
    return target
