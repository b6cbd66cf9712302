"""Another key for what is sealed, while the service works.

A new key seals from the moment it is in the keys file (every process looks about once a second).
What older keys sealed is opened and sealed anew in small portions, each in a transaction of its
own; rows that somebody else is changing are left for the next round. A key may be taken out of
the file when nothing is sealed with it any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
    text,
    tuple_,
    update,
)

from contact_service.store.crypto import Vault
from contact_service.store.tables import metadata

PORTION = 1000
#: So long rows are left alone that somebody else is changing.
WAIT_SECONDS = 0.2
#: Every process has seen a new key by then, also if the clocks of two hosts differ a little.
KNOWN_AFTER = timedelta(seconds=5)


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


def may_hold_older(connection: Connection, vault: Vault) -> bool:
    """Whether somebody may still write what an older key sealed: a file that was being imported
    when the key came, say. What they hold cannot be counted before they end."""
    if vault.path is None:
        return False
    known = datetime.fromtimestamp(vault.path.stat().st_mtime, UTC) + KNOWN_AFTER
    asked = text("""
        SELECT EXISTS (SELECT FROM pg_stat_activity
            WHERE datname = current_database() AND backend_type = 'client backend'
            AND pid <> pg_backend_pid() AND xact_start < :known)
        """)
    return bool(connection.scalar(asked, {"known": known}))


def seal_anew(
    engine: Engine, vault: Vault, key_id: int, on_progress: Callable[[int], None] = lambda n: None
) -> int:
    """Seal everything with the key ``key_id``, which must be the one that seals; returns how many
    values were sealed anew. Goes on until nothing is left, also of what came meanwhile."""
    total = 0
    while True:
        done = sum(_round(engine, vault, key_id, place, on_progress) for place in PLACES)
        total += done
        with engine.connect() as connection:
            if not set(sealed_with(connection)) - {key_id}:
                return total
        if not done:  # all that is left is in somebody's hands
            time.sleep(WAIT_SECONDS)


def _round(
    engine: Engine, vault: Vault, key_id: int, place: Place, on_progress: Callable[[int], None]
) -> int:
    """Once through a table, in the order of its key."""
    keys = list(place.table.primary_key.columns)
    last: tuple[Any, ...] | None = None
    done = 0
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
                return done
            values = [_anew(vault, place, keys, row) for row in rows]
            connection.execute(
                update(place.table)
                .where(*(key == bindparam(f"key_{key.name}") for key in keys))
                .values({place.column: bindparam("sealed_anew")}),
                values,
            )
        last = tuple(rows[-1][: len(keys)])
        done += len(rows)
        on_progress(len(rows))


def _anew(vault: Vault, place: Place, keys: list[Column[Any]], row: Any) -> dict[str, Any]:
    plain = vault.open(place.name, bytes(row[-1]))
    named = {f"key_{key.name}": value for key, value in zip(keys, row, strict=False)}
    return named | {"sealed_anew": vault.seal(place.name, plain)}
