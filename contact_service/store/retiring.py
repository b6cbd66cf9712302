"""Taking a key out of the keys file, when nothing is sealed with it and nothing can be any more.

A process that has not looked at the file yet seals with the key before; what it has sealed waits
for a connection, then for its transaction's end. None of that can be counted, so it is waited for:
:data:`KNOWN_AFTER` from the file's last change, then until every transaction that began before
that is through.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from contact_service.store import crypto
from contact_service.store.rotation import sealed_with

#: What was sealed with the key before has begun its transaction by then: a process looks at the
#: file once a second and may wait half a minute for a connection (the pool's usual limit); the
#: clocks of two hosts may differ a little.
KNOWN_AFTER = timedelta(seconds=60)
#: Who seals with the key all the same, from a copy of the file that was left as it was on another
#: host, is seen if they write within this time.
LOOK_AGAIN_SECONDS = 5.0


class NotYet(Exception):
    """A key is needed, or may be. The text is for whoever asked: Japanese / English."""


def retire(
    engine: Engine, path: Path, key_id: int, wait: Callable[[float], None] = time.sleep
) -> None:
    """Take a key out of the keys file, if nothing is sealed with it now and a moment later.

    Raises :class:`NotYet`, ``KeyError`` when there is no such key, ``ValueError`` for the one
    that seals.
    """
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    _unused(engine, changed, key_id)
    wait(LOOK_AGAIN_SECONDS)
    _unused(engine, changed, key_id)
    key = crypto.remove_key(path, key_id)
    try:
        with engine.connect() as connection:
            _none_sealed(connection, key_id)
    except BaseException:  # while this is unknown, the key stays
        crypto.put_back(path, key_id, key)
        raise


def _unused(engine: Engine, changed: datetime, key_id: int) -> None:
    known = changed + KNOWN_AFTER
    with engine.connect() as connection:
        early, held = connection.execute(
            text("""
            SELECT clock_timestamp() < :known, EXISTS (SELECT FROM pg_stat_activity
                WHERE datname = current_database() AND backend_type = 'client backend'
                AND pid <> pg_backend_pid() AND xact_start < :known)
            """),
            {"known": known},
        ).one()
        if early:
            seconds = int(KNOWN_AFTER.total_seconds())
            raise NotYet(
                f"鍵ファイルが変わってから{seconds}秒は、前の鍵で封じたものがまだ書かれることがあり"
                "ます。少し待って keys resume と keys retire を / for "
                f"{seconds} seconds after the keys file has changed, what the key before sealed "
                "may still be written: wait, then `keys resume`, `keys retire`"
            )
        if held:
            raise NotYet(
                "新しい鍵より前に始まった処理（取り込みなど）が続いています。終わってから "
                "keys resume と keys retire を / something that began before the newest key is "
                "still under way, an import say: when it is through, `keys resume`, `keys retire`"
            )
        _none_sealed(connection, key_id)


def _none_sealed(connection: Connection, key_id: int) -> None:
    if left := sealed_with(connection).get(key_id, 0):
        raise NotYet(
            f"鍵 {key_id} で封じた値が {left:,} 件残っています。先に keys resume を / "
            f"{left:,} values are sealed with key {key_id} still: first `keys resume`"
        )
