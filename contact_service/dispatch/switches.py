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
        f"--scope {scope}: そのような範囲はありません。何も変えていません。{ja}指定できる値: "
        f"{listed} / no such scope, nothing was changed; {en}valid: {listed}"
    )


def set_switch(
    engine: Engine,
    actor: Actor,
    scope: str,
    reason: str,
    now: datetime,
    providers: Iterable[str],
) -> None:
    """Stop ``scope`` (``all``, ``provider:NAME``, ``channel:NAME``). Anybody who works here
    may stop; it is starting again that takes a right.

    Raises :class:`UnknownScope` for what stops nothing, given the names of the configured
    ``providers``, and ``NotAllowed``.
    """
    require(actor, Role.STAFF, Role.APPROVER, Role.OPERATOR, Role.SUPERVISOR)
    check_scope(scope, providers)
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


def pause_provider(connection: Connection, provider: str, reason: str, now: datetime) -> bool:
    """The service itself stops a carrier: it refuses our credentials, or fails too often.
    Returns whether it was not stopped already."""
    return _set(connection, SYSTEM, f"provider:{provider}", reason, now)


def pause_channel(connection: Connection, channel: Channel, reason: str, now: datetime) -> bool:
    """The service itself stops a channel. Returns whether it was not stopped already."""
    return _set(connection, SYSTEM, f"channel:{channel.value}", reason, now)


def lift_own(connection: Connection, scope: str, reason: str, now: datetime) -> bool:
    """Let go on what the service itself has stopped for a ``reason`` (its beginning) that has
    passed; what a person stopped stays stopped. Returns whether it did."""
    lifted = connection.execute(
        delete(stop_switch).where(
            stop_switch.c.scope == scope,
            stop_switch.c.set_by == SYSTEM.name,
            stop_switch.c.reason.startswith(reason, autoescape=True),
        )
    )
    if lifted.rowcount:
        audit.record(connection, now, SYSTEM, "switch.lift", scope)
    return bool(lifted.rowcount)


def switches(connection: Connection) -> dict[str, str]:
    """What is stopped, and why."""
    rows = connection.execute(select(stop_switch.c.scope, stop_switch.c.reason))
    return {row.scope: row.reason for row in rows}


def _set(connection: Connection, actor: Actor, scope: str, reason: str, now: datetime) -> bool:
    made = connection.execute(
        insert(stop_switch)
        .values(scope=scope, reason=reason, set_at=now, set_by=actor.name)
        .on_conflict_do_nothing()
        .returning(stop_switch.c.scope)
    ).all()
    if made:
        audit.record(connection, now, actor, "switch.set", scope, reason=reason)
    return bool(made)
