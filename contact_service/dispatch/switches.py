"""Stopping: everything, one carrier, or one channel. Takes effect with the next lease."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from difflib import get_close_matches

from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.dialects.postgresql import insert

from campaigns.vocabulary import Channel
from contact_service.domain.actors import SYSTEM, Actor, Role, require
from contact_service.store import audit
from contact_service.store.tables.campaigns import stop_switch

EVERYTHING = "all"


class UnknownScope(Exception):
    """A scope that stops nothing: no such carrier or channel."""


def check_scope(scope: str, providers: Iterable[str]) -> None:
    """Raise :class:`UnknownScope` unless ``scope`` stops something, given the names of the
    configured ``providers``. A misspelt stop must not look like a stop."""
    valid = [EVERYTHING]
    valid += [f"provider:{name}" for name in providers]
    valid += [f"channel:{channel.value}" for channel in Channel]
    if scope in valid:
        return
    bare = {known.rpartition(":")[2]: known for known in valid}
    near = get_close_matches(scope, valid, 1) or [
        bare[name] for name in get_close_matches(scope, bare, 1)
    ]
    ja, en = (f"もしかして: {near[0]}。", f"did you mean {near[0]}? ") if near else ("", "")
    listed = ", ".join(valid)
    raise UnknownScope(
        f"--scope {scope}: そのような範囲はありません。何も停止していません。{ja}指定できる値: "
        f"{listed} / no such scope, nothing was stopped; {en}valid: {listed}"
    )


def set_switch(engine: Engine, actor: Actor, scope: str, reason: str, now: datetime) -> None:
    """Stop ``scope`` (``all``, ``provider:NAME``, ``channel:NAME``). Anybody who works here
    may stop; it is starting again that takes a right."""
    require(actor, Role.STAFF, Role.APPROVER, Role.OPERATOR, Role.SUPERVISOR)
    with engine.begin() as connection:
        _set(connection, actor, scope, reason, now)


def lift_switch(engine: Engine, actor: Actor, scope: str, now: datetime) -> bool:
    """Let ``scope`` go on. Returns whether it was stopped."""
    require(actor, Role.APPROVER, Role.SUPERVISOR)
    with engine.begin() as connection:
        lifted = connection.execute(delete(stop_switch).where(stop_switch.c.scope == scope))
        if lifted.rowcount:
            audit.record(connection, now, actor, "switch.lift", scope)
        return bool(lifted.rowcount)


def pause_provider(engine: Engine, provider: str, reason: str, now: datetime) -> None:
    """The service itself stops a carrier that refuses our credentials."""
    with engine.begin() as connection:
        _set(connection, SYSTEM, f"provider:{provider}", reason, now)


def switches(connection: Connection) -> dict[str, str]:
    """What is stopped, and why."""
    rows = connection.execute(select(stop_switch.c.scope, stop_switch.c.reason))
    return {row.scope: row.reason for row in rows}


def _set(connection: Connection, actor: Actor, scope: str, reason: str, now: datetime) -> None:
    made = connection.execute(
        insert(stop_switch)
        .values(scope=scope, reason=reason, set_at=now, set_by=actor.name)
        .on_conflict_do_nothing()
    )
    if made.rowcount:
        audit.record(connection, now, actor, "switch.set", scope, reason=reason)
