"""Another key for what is sealed, while the service works.

A new key seals from the moment it is in the keys file (every process looks about once a second).
What older keys sealed is opened and sealed anew in small portions, each in a transaction of its
own; rows that somebody else is changing are left for the next round. When nothing is sealed with
a key any more it may be taken out of the file (``store.retiring``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Table,
    and_,
    bindparam,
    func,
    literal,
    select,
    tuple_,
    update,
)

from contact_service.store.crypto import CannotOpen, Vault
from contact_service.store.tables import metadata

PORTION = 1000
#: So long rows are left alone that somebody else is changing.
WAIT_SECONDS = 0.2


@dataclass(frozen=True)
class Place:
    """A column of sealed values."""

    table: Table
    column: Column[Any]

    @property
    def name(self) -> str:
        """What is bound to its values when they are sealed."""
        return f"{self.table.name}.{self.column.name}"


PLACES: tuple[Place, ...] = tuple(
    Place(table, column)
    for table in metadata.sorted_tables
    for column in table.columns
    if column.info.get("sealed")
)


def sealed_with(connection: Connection) -> dict[int, int]:
    """How many values each key has sealed, by key id."""
    found: dict[int, int] = {}
    for place in PLACES:
        key = func.get_byte(place.column, 0)
        asked = select(key, func.count()).where(place.column.is_not(None)).group_by(key)
        for key_id, count in connection.execute(asked):
            found[key_id] = found.get(key_id, 0) + count
    return found


@dataclass(frozen=True)
class Done:
    """What a rotation has come to."""

    anew: int
    unopened: dict[str, int]
    """Values that no key in the file opens, by place: left as they are."""


def seal_anew(
    engine: Engine, vault: Vault, key_id: int, on_progress: Callable[[int], None] = lambda n: None
) -> Done:
    """Seal everything with the key ``key_id``, which must be the one that seals. Goes on until
    nothing is left, also of what came meanwhile, but for what cannot be opened: one such value
    must not keep all others with an older key."""
    total = 0
    while True:
        unopened: dict[str, int] = {}
        done = 0
        for place in PLACES:
            anew, failed = _round(engine, vault, key_id, place, on_progress)
            done += anew
            if failed:
                unopened[place.name] = failed
        total += done
        with engine.connect() as connection:
            older = sum(n for key, n in sealed_with(connection).items() if key != key_id)
        if older <= sum(unopened.values()):
            return Done(total, unopened)
        if not done:  # all that is left is in somebody's hands
            time.sleep(WAIT_SECONDS)


def _round(
    engine: Engine, vault: Vault, key_id: int, place: Place, on_progress: Callable[[int], None]
) -> tuple[int, int]:
    """Once through a table, in the order of its key: how many were sealed anew, and how many
    could not be opened."""
    keys = list(place.table.primary_key.columns)
    last: tuple[Any, ...] | None = None
    done = failed = 0
    while True:
        asked = (
            select(*keys, place.column)
            .where(and_(place.column.is_not(None), func.get_byte(place.column, 0) != key_id))
            .order_by(*keys)
            .limit(PORTION)
            .with_for_update(skip_locked=True)
        )
        if last is not None:
            after = (literal(value, key.type) for value, key in zip(last, keys, strict=True))
            asked = asked.where(tuple_(*keys) > tuple_(*after))
        with engine.begin() as connection:
            rows = connection.execute(asked).all()
            if not rows:
                return done, failed
            values = [anew for row in rows if (anew := _anew(vault, place, keys, row))]
            if values:
                connection.execute(
                    update(place.table)
                    .where(*(key == bindparam(f"key_{key.name}") for key in keys))
                    .values({place.column: bindparam("sealed_anew")}),
                    values,
                )
        last = tuple(rows[-1][: len(keys)])
        done += len(values)
        failed += len(rows) - len(values)
        on_progress(len(values))


def _anew(vault: Vault, place: Place, keys: list[Column[Any]], row: Any) -> dict[str, Any] | None:
    """A row's value sealed anew; ``None``: it does not open."""
    try:
        plain = vault.open(place.name, bytes(row[-1]))
    except CannotOpen:
        return None
    named = {f"key_{key.name}": value for key, value in zip(keys, row, strict=False)}
    return named | {"sealed_anew": vault.seal(place.name, plain)}
