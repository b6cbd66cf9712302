"""The media process's durable journal of calls: what was placed, and what became of it.

A row is on disk before the first packet of its call leaves. So absence from the journal proves
"not placed", and what a crash interrupted is found again, as ``lost``, at the next start.
Numbers are kept as keyed digests only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

#: The call was provably never placed: its attempt may be handed over again.
NOT_PLACED = "not-placed"
LOST = "lost"
#: How long a finished call stays in the journal, in days.
KEPT_DAYS = 60

_SCHEMA = """
CREATE TABLE IF NOT EXISTS call (
    ref TEXT PRIMARY KEY,
    reference TEXT NOT NULL,
    number_key TEXT NOT NULL,
    created_at TEXT NOT NULL,
    status TEXT NOT NULL,
    final INTEGER NOT NULL DEFAULT 0,
    changed_at TEXT NOT NULL,
    code INTEGER,
    cause INTEGER,
    answered_by TEXT,
    talk_seconds INTEGER
);
CREATE TABLE IF NOT EXISTS incoming (
    ref TEXT PRIMARY KEY,
    began_at TEXT NOT NULL,
    seen_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS call_of_reference ON call (reference);
CREATE INDEX IF NOT EXISTS call_to_number ON call (number_key, created_at);
CREATE INDEX IF NOT EXISTS call_open ON call (final) WHERE final = 0;
"""
_COLUMNS = (
    "ref, reference, number_key, created_at, status, final, changed_at, code, cause,"
    " answered_by, talk_seconds"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One call, as the journal has it."""

    ref: str
    reference: str
    number_key: str
    created_at: datetime
    status: str
    final: bool
    changed_at: datetime
    code: int | None = None
    cause: int | None = None
    answered_by: str | None = None
    talk_seconds: int | None = None


class Journal:
    """One SQLite file; each change is flushed to disk before the method returns."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        path.chmod(0o600)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(_SCHEMA)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._database:
            self._database.execute("BEGIN IMMEDIATE")
            yield self._database

    def begin(self, ref: str, reference: str, number_key: str, now: datetime) -> Entry | None:
        """Write down that a call is about to be placed.

        Returns the call that was placed for the same reference before, if there is one: then
        nothing is written, and nothing may be placed.
        """
        with self._writing() as database:
            row = database.execute(
                f"SELECT {_COLUMNS} FROM call WHERE reference = ? AND status <> ?",
                (reference, NOT_PLACED),
            ).fetchone()
            if row is not None:
                return _entry(row)
            at = _text(now)
            database.execute(
                "INSERT INTO call (ref, reference, number_key, created_at, status, changed_at)"
                " VALUES (?, ?, ?, ?, 'placing', ?)",
                (ref, reference, number_key, at, at),
            )
        return None

    def change(
        self,
        ref: str,
        status: str,
        now: datetime,
        *,
        final: bool = False,
        code: int | None = None,
        cause: int | None = None,
        answered_by: str | None = None,
        talk_seconds: int | None = None,
    ) -> None:
        """What became of a call. A final word is the last."""
        with self._writing() as database:
            database.execute(
                "UPDATE call SET status = ?, final = ?, changed_at = ?, code = coalesce(?, code),"
                " cause = coalesce(?, cause), answered_by = coalesce(?, answered_by),"
                " talk_seconds = coalesce(?, talk_seconds) WHERE ref = ? AND final = 0",
                (status, final, _text(now), code, cause, answered_by, talk_seconds, ref),
            )

    def find(self, ref: str) -> Entry | None:
        """One call."""
        return self._one("ref = ?", ref)

    def find_reference(self, reference: str) -> Entry | None:
        """The call that was placed for a reference, if one may have been."""
        return self._one("reference = ? AND status <> ?", reference, NOT_PLACED)

    def _one(self, where: str, *values: str) -> Entry | None:
        with self._lock:
            row = self._database.execute(
                f"SELECT {_COLUMNS} FROM call WHERE {where}", values
            ).fetchone()
        return _entry(row) if row is not None else None

    def to_number(self, number_key: str, since: datetime, after: str, most: int) -> Sequence[Entry]:
        """Calls to a number from ``since`` on that may have been placed, by ``ref``; those
        behind ``after``, at most ``most``."""
        with self._lock:
            rows = self._database.execute(
                f"SELECT {_COLUMNS} FROM call WHERE number_key = ? AND created_at >= ?"
                " AND status <> ? AND ref > ? ORDER BY ref LIMIT ?",
                (number_key, _text(since), NOT_PLACED, after, most),
            ).fetchall()
        return [_entry(row) for row in rows]

    def incoming_began(self, ref: str, now: datetime) -> None:
        """A call came in: from now on the service is owed the word that it is over."""
        with self._writing() as database:
            database.execute(
                "INSERT INTO incoming (ref, began_at, seen_at) VALUES (?, ?, ?)",
                (ref, _text(now), _text(now)),
            )

    def incoming_seen(self, refs: Sequence[str], now: datetime) -> None:
        """These calls are still there."""
        with self._writing() as database:
            database.executemany(
                "UPDATE incoming SET seen_at = ? WHERE ref = ?",
                [(_text(now), ref) for ref in refs],
            )

    def incoming_told(self, ref: str) -> None:
        """The service knows that a call is over."""
        with self._writing() as database:
            database.execute("DELETE FROM incoming WHERE ref = ?", (ref,))

    def incoming_untold(self) -> Sequence[tuple[str, datetime, datetime]]:
        """Calls of which the service does not know that they are over: when each began, and was
        there last."""
        with self._lock:
            rows = self._database.execute(
                "SELECT ref, began_at, seen_at FROM incoming ORDER BY began_at"
            ).fetchall()
        return [
            (str(ref), datetime.fromisoformat(began), datetime.fromisoformat(seen))
            for ref, began, seen in rows
        ]

    def end_interrupted(self, now: datetime) -> int:
        """At start: calls that were under way when the process ended are lost. Returns how
        many. Old finished ones are forgotten."""
        with self._writing() as database:
            lost = database.execute(
                "UPDATE call SET status = ?, final = 1, changed_at = ? WHERE final = 0",
                (LOST, _text(now)),
            ).rowcount
            database.execute(
                "DELETE FROM call WHERE final = 1 AND julianday(?) - julianday(created_at) > ?",
                (_text(now), KEPT_DAYS),
            )
        return lost

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.close()


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def _entry(row: tuple[object, ...]) -> Entry:
    ref, reference, key, created, status, final, changed, code, cause, by, talk = row
    return Entry(
        str(ref), str(reference), str(key), datetime.fromisoformat(str(created)), str(status),
        bool(final), datetime.fromisoformat(str(changed)),
        code if isinstance(code, int) else None, cause if isinstance(cause, int) else None,
        str(by) if by is not None else None, talk if isinstance(talk, int) else None,
    )  # fmt: skip
