"""Another key for the blind indexes, while the service works.

A new index key is laid over the old ones: an index of the next generation is the HMAC of the
index before it, so nothing has to be opened. The way there keeps one number one row:

1. the key is put into the keys file; every process that looks something up looks for both;
2. the database says that it is in force, in a moment when nobody is writing an index
   (:func:`put_in_force` waits for the lock that every writer shares, :func:`writing`). Whoever
   writes from then on writes the new index only, and looks whether the old one is there;
3. what is there is made anew in small portions.

All rows are thus of the generation in force or of the one before it, and the next key comes only
when nothing is left of the latter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Table,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import OperationalError

from contact_service.domain.actors import Actor
from contact_service.store import audit
from contact_service.store.crypto import Vault, Writing, laid_over
from contact_service.store.tables import metadata
from contact_service.store.tables.admin import index_generation

PORTION = 1000
#: Whoever writes an index shares it; whoever puts another key in force has it alone.
_INDEX_LOCK = 0x696E646578
#: So long everybody who comes after waits with the command, each time it tries.
_PATIENCE = text("SET LOCAL lock_timeout = '500ms'")
_TRIES = 1200
#: An index that is none any more (its person is nameless): it begins with this.
NOBODYS = 0xFF  # (retention.anonymise)
#: Calls of files without an identifier are told apart by an index of what the file says of them.
CALL_KEY = "file:"


@dataclass(frozen=True)
class _Place:
    """A column of indexes, and how they are written in it."""

    table: Table
    name: str
    prefix: str | None = None
    """Of hexadecimal text; ``None``: bytes."""

    @property
    def column(self) -> ColumnElement[Any]:
        return self.table.c[self.name]

    def older_than(self, generation: int) -> ColumnElement[bool]:
        """Whether a row's index is of another generation."""
        if self.prefix is None:
            first = func.get_byte(self.column, 0)
            long = func.octet_length(self.column)
            return and_(
                self.column.is_not(None),
                or_(long == 32, and_(long == 33, first.not_in((generation, NOBODYS)))),
            )
        start = len(self.prefix)
        return and_(
            self.column.startswith(self.prefix),
            or_(
                func.length(self.column) == start + 64,
                func.substr(self.column, start + 1, 2) != f"{generation:02x}",
            ),
        )

    def anew(self, key: bytes, generation: int, index: Any) -> Any:
        if self.prefix is None:
            return laid_over(key, generation, bytes(index))
        told = bytes.fromhex(index.removeprefix(self.prefix))
        return self.prefix + laid_over(key, generation, told).hex()


_PLACES = (
    _Place(metadata.tables["phone"], "number_index"),
    _Place(metadata.tables["debtor"], "name_index"),
    _Place(metadata.tables["debtor"], "written_index"),
    _Place(metadata.tables["call"], "deduplication_key", CALL_KEY),
)


def in_force(connection: Connection) -> int:
    """Of which generation indexes are written."""
    return connection.scalar(select(func.max(index_generation.c.generation))) or 0


def writing(connection: Connection, vault: Vault) -> Writing:
    """What makes the indexes that this transaction writes. No other key comes into force before
    its end. Raises :class:`~contact_service.store.crypto.IndexKeyMissing`."""
    connection.execute(text("SELECT pg_advisory_xact_lock_shared(:n)"), {"n": _INDEX_LOCK})
    return vault.writing(in_force(connection))


def alone(connection: Connection, tries: int = 20) -> bool:
    """Let nobody write an index until this transaction ends, so that none can be linked to while
    it goes. ``False``: somebody did all the time, a file is being imported."""
    for _ in range(tries):
        try:
            with connection.begin_nested():
                connection.execute(_PATIENCE)
                connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _INDEX_LOCK})
                connection.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
                return True
        except OperationalError as error:
            if not _gave_up(error):
                raise
    return False


def _gave_up(error: OperationalError) -> bool:
    return getattr(error.orig, "sqlstate", None) == "55P03"  # lock_not_available


def left(connection: Connection) -> int:
    """How many indexes are not of the generation in force yet."""
    generation = in_force(connection)
    if generation == 0:
        return 0
    return sum(
        connection.scalar(
            select(func.count()).select_from(place.table).where(place.older_than(generation))
        )
        or 0
        for place in _PLACES
    )


class StillWritten(Exception):
    """Somebody writes indexes all the time: a file is being imported."""


def put_in_force(engine: Engine, generation: int, actor: Actor, at: datetime) -> None:
    """Let indexes of this generation be written from now on. Raises :class:`StillWritten`."""
    for _ in range(_TRIES):
        try:
            with engine.begin() as connection:
                connection.execute(_PATIENCE)
                connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _INDEX_LOCK})
                if in_force(connection) >= generation:
                    return
                connection.execute(insert(index_generation).values(generation=generation, since=at))
                audit.record(
                    connection, at, actor, "keys.index_rotated", f"index_key:{generation}",
                    before=generation - 1, after=generation,
                )  # fmt: skip
                return
        except OperationalError as error:
            if not _gave_up(error):
                raise
    raise StillWritten


def make_anew(
    engine: Engine, vault: Vault, on_progress: Callable[[int], None] = lambda n: None
) -> int:
    """Bring every index to the generation in force; returns how many. Goes on until none is left,
    also of what a transaction held on to meanwhile."""
    total = 0
    while True:
        for place in _PLACES:
            total += _round(engine, vault, place, on_progress)
        with engine.connect() as connection:
            if not left(connection):
                return total


def _round(engine: Engine, vault: Vault, place: _Place, on_progress: Callable[[int], None]) -> int:
    """Once through a table; rows that somebody else holds are left for the next round."""
    last = done = 0
    key_column = place.table.c.id
    while True:
        with engine.begin() as connection:
            generation = in_force(connection)
            if generation == 0:
                return 0
            key = vault.writing(generation).index_layers[-1]
            rows = connection.execute(
                select(key_column, place.column)
                .where(place.older_than(generation), key_column > last)
                .order_by(key_column)
                .limit(PORTION)
                .with_for_update(skip_locked=True)
            ).all()
            if not rows:
                return done
            connection.execute(
                update(place.table)
                .where(key_column == bindparam("row"))
                .values({place.column: bindparam("anew")}),
                [{"row": row[0], "anew": place.anew(key, generation, row[1])} for row in rows],
            )
        last = rows[-1][0]
        done += len(rows)
        on_progress(len(rows))
