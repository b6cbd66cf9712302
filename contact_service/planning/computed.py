"""Figures that take longer than a page may take: asked for, worked out beside, read when there.

What is asked is a key; who asks first works it out, everybody sees it. Whoever works holds a lock
of the database's: when they die, it is gone, and the question may be asked again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Engine, text

Figures = dict[str, Any]

#: Space of the locks' names (an arbitrary, fixed number).
_LOCKS = 7215
#: Whether somebody is at it: has only just asked, or holds the lock.
_ALIVE = f"""(computed.begun_at > clock_timestamp() - interval '10 seconds' OR EXISTS (
    SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = {_LOCKS}
    AND l.objid::bigint = (hashtext(computed.key)::bigint & 4294967295) AND l.granted
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())))"""
_FAILED = "計算できませんでした。管理者に連絡してください / it failed: tell the administrator"


@dataclass(frozen=True, slots=True)
class Computed:
    """What is known of something that was asked."""

    asked_at: datetime
    done: bool
    figures: Figures | None
    """While they are worked out anew, the earlier ones."""
    wrong: str
    """Why there are no figures, as ``日本語 / English``."""


def key_of(kind: str, *about: object) -> str:
    """The key of a question: the same words, the same key."""
    return sha256(json.dumps([kind, *map(str, about)]).encode()).hexdigest()


def known(engine: Engine, key: str) -> Computed | None:
    """What is known, or being worked out; ``None`` when nobody asked, or whoever asked died."""
    with engine.connect() as connection:
        row = connection.execute(
            text(f"""
            SELECT asked_at, done, figures, wrong FROM computed
            WHERE key = :key AND (done OR {_ALIVE})
            """),
            {"key": key},
        ).one_or_none()
    if row is None:
        return None
    figures = None if row.figures is None else _restored(row.figures)
    return Computed(row.asked_at, row.done, figures, row.wrong or "")


def begin(engine: Engine, kind: str, key: str, now: datetime) -> bool:
    """Ask, or ask anew; whether the caller is the one to work it out."""
    with engine.begin() as connection:
        connection.execute(  # nobody looks at figures of last month
            text("DELETE FROM computed WHERE begun_at < clock_timestamp() - interval '30 days'")
        )
        mine = connection.execute(
            text(f"""
            INSERT INTO computed (key, kind, asked_at, begun_at)
            VALUES (:key, :kind, :now, clock_timestamp())
            ON CONFLICT (key) DO UPDATE SET asked_at = excluded.asked_at,
                begun_at = excluded.begun_at, done = false, wrong = NULL
            WHERE computed.done OR NOT {_ALIVE}
            RETURNING key
            """),
            {"key": key, "kind": kind, "now": now},
        ).all()
    return bool(mine)


def work_out(
    engine: Engine, key: str, work: Callable[[], Figures], *refusals: type[Exception]
) -> None:
    """Do it, and keep what came of it. ``refusals`` are answers in words; whatever else goes wrong
    is kept as a fault of ours, and raised."""
    found, wrong = None, _FAILED
    lock = {"space": _LOCKS, "key": key}
    with engine.connect() as held:
        held.execute(text("SELECT pg_advisory_lock(:space, hashtext(:key))"), lock)
        held.commit()
        try:
            found, wrong = work(), ""
        except refusals as error:
            wrong = str(error)
        finally:
            _keep(engine, key, found, wrong)
            held.execute(text("SELECT pg_advisory_unlock(:space, hashtext(:key))"), lock)


def _keep(engine: Engine, key: str, found: Figures | None, wrong: str) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("""
            UPDATE computed SET done = true, figures = CAST(:figures AS jsonb), wrong = :wrong
            WHERE key = :key
            """),
            {
                "key": key,
                "figures": None if found is None else json.dumps(found, default=_plain),
                "wrong": wrong,
            },
        )


def _plain(value: object) -> object:
    """Dates and instants marked, so that they come back as what they were."""
    if isinstance(value, datetime):
        return {"$instant": value.isoformat()}
    if isinstance(value, date):
        return {"$day": value.isoformat()}
    return str(value)


def _restored(value: Any) -> Any:
    if isinstance(value, list):
        return [_restored(each) for each in value]
    if isinstance(value, dict):
        if "$instant" in value:
            return datetime.fromisoformat(value["$instant"])
        if "$day" in value:
            return date.fromisoformat(value["$day"])
        return {name: _restored(each) for name, each in value.items()}
    return value
