"""Counts of a centre's whole call log: at once where that is quick, else worked out beside.

On a ledger of a million claims they take tens of seconds. Whoever asks first has them counted,
behind the answer; whoever asks the same within :data:`FRESH` is shown what was counted.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from fastapi import BackgroundTasks
from sqlalchemy import text

from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor
from contact_service.planning import computed
from contact_service.planning.computed import Computed, Figures
from contact_service.store import audit

FRESH = timedelta(minutes=30)
#: More calls or contacts than these are not counted while somebody waits.
MANY = 100_000


def counted(
    service: Service,
    actor: Actor,
    background: BackgroundTasks | None,
    about: tuple[Any, ...],
    count: Callable[[], Figures],
    *refusals: type[Exception],
) -> Computed:
    """What ``count`` says of ``about``: now, or, where it takes long, once it is there
    (``done``). Without a ``background`` the caller waits for it. What is shown again is in the
    audit log again."""
    now = service.clock.now()
    if not many(service):
        return Computed(now, True, count(), "")
    key = computed.key_of("centre", actor.office, *about)
    found = computed.known(service.engine, key)
    old = found is None or (found.done and now - found.asked_at > FRESH)
    if old and computed.begin(service.engine, "centre", key, now):
        if background is None:
            computed.work_out(service.engine, key, count, *refusals)
            found = computed.known(service.engine, key)
        else:
            background.add_task(computed.work_out, service.engine, key, count, *refusals)
            return found or Computed(now, False, None, "")
    elif found is not None and found.figures is not None:
        with service.engine.begin() as connection:
            days = f"{found.figures['from']}/{found.figures['to']}"
            audit.record(connection, now, actor, f"centre.{about[0]}", days)
    return found or Computed(now, False, None, "")


def many(service: Service) -> bool:
    """Whether there are too many to count them while somebody waits; the server estimates it."""
    with service.engine.connect() as connection:
        estimate = connection.scalar(
            text("SELECT max(reltuples) FROM pg_class WHERE oid IN ("
                 "'call'::regclass, 'attempt'::regclass)")
        )  # fmt: skip
    return int(estimate or 0) > MANY
