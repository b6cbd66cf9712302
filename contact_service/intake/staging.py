"""A temporary table between a file and the ledger.

Rows are copied in as they are read, so memory does not grow with the file; what concerns the
file as a whole (repeated rows, comparison with the ledger) is then one statement each.
Personal values are sealed before they are staged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from sqlalchemy import Connection, text

from contact_service.intake.faults import Reason
from contact_service.intake.parsing import Values
from contact_service.store.crypto import Writing


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the rows that reached the ledger, and numbers worth a remark."""

    accepted: int
    updated: int
    unchanged: int
    remarks: Mapping[str, int]


#: Fewer rows than these change no plan that matters.
MANY = 1000


@dataclass(frozen=True, slots=True)
class Import:
    """One file on its way into the ledger, inside its transaction."""

    connection: Connection
    vault: Writing
    file_id: int
    as_of: date
    training: bool
    fields: frozenset[str]  # that the file tells

    def run(self, sql: str, **parameters: Any) -> int:
        """Execute one statement; how many rows it touched."""
        return self.connection.execute(text(sql), parameters).rowcount

    def grow(self, table: str, sql: str, **parameters: Any) -> None:
        """Execute an INSERT into a table of the ledger that counts as empty when it is, or when a
        check has filled it and rolled back: the planner would read all of it for each row of the
        file, what has just been inserted included. So it may not, and is told afterwards how
        large the table has become."""
        known = self.connection.execute(
            text("SELECT reltuples FROM pg_class WHERE oid = CAST(:table AS regclass)"),
            {"table": table},
        ).scalar_one()
        if known < MANY:
            self.connection.exec_driver_sql("SET LOCAL enable_nestloop = off")
        added = self.run(sql, **parameters)
        if known < MANY:
            self.connection.exec_driver_sql("SET LOCAL enable_nestloop TO DEFAULT")
        if added > MANY and added > max(known, 0) / 10:
            self.connection.exec_driver_sql(f"ANALYZE {table}")

    def verdicts(self) -> Mapping[str, int]:
        """How many rows of ``judged`` have each verdict."""
        sql = "SELECT verdict, count(*) AS number FROM judged GROUP BY verdict"
        return {row.verdict: row.number for row in self.connection.execute(text(sql))}


#: Of what the digests of whole rows are indexes.
DIGEST = "intake.row"

Stage = Callable[[Values], tuple[object, ...]]
"""A row's values → what is staged of it, in the order of the importer's columns."""


@dataclass(frozen=True, slots=True)
class Importer:
    """How one kind of file becomes rows of the ledger."""

    columns: Mapping[str, str]  # staged column → SQL type
    key: tuple[str, ...]  # staged columns that say what a row is about
    stager: Callable[[Writing], Stage]
    merge: Callable[[Import], Counts]
    check: Callable[[Values], tuple[str, Reason] | None] = lambda _: None
    subject: str = "notice_number"  # the field that a contradiction is reported at


def driver(connection: Connection) -> psycopg.Connection[Any]:
    """The psycopg connection below: for COPY and server-side cursors."""
    found = connection.connection.driver_connection
    if not isinstance(found, psycopg.Connection):
        raise TypeError("intake needs psycopg 3")
    return found


def create(connection: Connection, importer: Importer) -> None:
    """Make the empty table ``staged``; it goes with the transaction."""
    columns = ", ".join(f"{name} {kind}" for name, kind in importer.columns.items())
    connection.execute(
        text(f"CREATE TEMPORARY TABLE staged (line integer, digest bytea, {columns}) "
             "ON COMMIT DROP")
    )  # fmt: skip


def copy_in(
    connection: Connection,
    table: str,
    columns: Mapping[str, str],
    rows: Sequence[tuple[object, ...]],
) -> None:
    """Append ``rows`` to ``table`` by binary COPY."""
    with driver(connection).cursor() as cursor:
        names = ", ".join(f'"{name}"' for name in columns)
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)".encode()) as copy:
            copy.set_types(list(columns.values()))
            for row in rows:
                copy.write_row(row)


def digest(vault: Writing, values: Values) -> bytes:
    """Equal for rows that say the same, however they write it. Keyed: a phone number cannot be
    tried out against it."""
    return vault.index(DIGEST, told(values))


def told(values: Values) -> str:
    """What a row says, however it writes it."""
    parts = [
        "/".join([number.e164 or str(number.fault) for number in value])
        if isinstance(value, tuple)
        else str(value)
        for value in values.values()
    ]
    return "\x1f".join(parts)


def set_repeated_aside(connection: Connection, importer: Importer) -> None:
    """Move rows about something that an earlier row is about to the table ``repeated``.

    ``same`` tells whether they say the same. The first row stands.
    """
    key = ", ".join(importer.key)
    connection.execute(
        text(f"""
        CREATE TEMPORARY TABLE repeated ON COMMIT DROP AS
        SELECT line, first_line, digest = first_digest AS same
        FROM (
            SELECT line, digest, first_value(line) OVER earlier AS first_line,
                   first_value(digest) OVER earlier AS first_digest,
                   row_number() OVER earlier AS number
            FROM staged WINDOW earlier AS (PARTITION BY {key} ORDER BY line)
        ) AS numbered
        WHERE number > 1
        """)
    )
    connection.execute(text("DELETE FROM staged USING repeated WHERE staged.line = repeated.line"))
    connection.execute(text("ANALYZE staged"))


def set_foreign_aside(connection: Connection, own_kinds: Sequence[str]) -> None:
    """Move rows that name the notice of a claim of another office's (所管課) to the table
    ``foreign_rows``."""
    connection.execute(
        text("""
        CREATE TEMPORARY TABLE foreign_rows ON COMMIT DROP AS
        SELECT s.line FROM staged s WHERE EXISTS (
            SELECT FROM debtor d JOIN claim c ON c.debtor_id = d.id
            WHERE d.code = s.debtor_code AND c.notice_number = s.notice_number
            AND c.kind <> ALL(:own))
        """),
        {"own": list(own_kinds)},
    )
    connection.execute(
        text("DELETE FROM staged USING foreign_rows WHERE staged.line = foreign_rows.line")
    )


def aside(connection: Connection, table: str) -> Iterator[tuple[int, int]]:
    """Lines that were set aside in ``table``, twice each, in the order of the file."""
    with driver(connection).cursor(name=table) as cursor:
        cursor.execute(f"SELECT line, line FROM {table} ORDER BY line".encode())
        yield from cursor


def conflicting(connection: Connection) -> Iterator[tuple[int, int]]:
    """Lines that contradict an earlier line, and that line, in the order of the file."""
    with driver(connection).cursor(name="conflicting") as cursor:
        cursor.execute("SELECT line, first_line FROM repeated WHERE NOT same ORDER BY line")
        yield from cursor


def count_same(connection: Connection) -> int:
    """How many rows repeat an earlier one."""
    found = connection.execute(text("SELECT count(*) FROM repeated WHERE same")).scalar_one()
    return int(found)
