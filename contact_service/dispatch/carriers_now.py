"""How the carriers are: health, rates, what of their budgets is used up, what is stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import redis
from sqlalchemy import text

from campaigns.vocabulary import Channel
from contact_service.bootstrap import Service
from contact_service.dispatch import unusable
from contact_service.dispatch.budgets import day
from contact_service.dispatch.limits import Health, health
from contact_service.dispatch.providers import ProviderConfig
from contact_service.domain.actors import Actor, Role, require

READERS = (Role.STAFF, Role.APPROVER, Role.OPERATOR, Role.SUPERVISOR, Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class Stopped:
    """A switch that is set."""

    scope: str
    reason: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class LaneNow:
    """One channel of a carrier."""

    channel: Channel
    per_second: float
    health: Health | None
    """``None``: Redis cannot be asked, and nothing goes out."""


@dataclass(frozen=True, slots=True)
class CarrierNow:
    """One carrier account."""

    name: str
    adapter: str
    live: bool
    webhook: bool
    lanes: Sequence[LaneNow]
    waiting: int
    """Contacts that it has taken and not yet reported the end of."""
    unknown: int
    undecided: int
    """Those of ``unknown`` that wait for a person."""
    parts: float
    """Of messages, today."""
    parts_limit: int | None
    yen: float
    """Today."""
    yen_limit: float | None
    stopped: Stopped | None
    unusable: Mapping[str, str]
    """On which hosts workers cannot use it, and why: a missing secret, a wrong option."""
    unusable_here: str | None
    """Why the web application cannot check its reports, if so; till then they are refused."""


def stopped(service: Service) -> Mapping[str, Stopped]:
    """Every switch that is set, by scope."""
    with service.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT scope, reason, set_at, set_by FROM stop_switch ORDER BY set_at")
        )
        return {row.scope: Stopped(*row) for row in rows}


def carriers(
    service: Service,
    actor: Actor,
    configs: Sequence[ProviderConfig],
    client: redis.Redis,
    unusable_here: Mapping[str, str],
) -> Sequence[CarrierNow]:
    """The carriers as they are now; ``unusable_here`` are those that this process has no adapter
    of, and why. Raises :class:`~contact_service.domain.actors.NotAllowed`."""
    require(actor, *READERS, contractors=False)
    switches = stopped(service)
    today = day(service.clock.now())
    with service.engine.connect() as connection:
        counted = {
            row.provider: row
            for row in connection.execute(
                text("""
                SELECT name AS provider,
                    (SELECT count(*) FROM attempt WHERE state = 'accepted' AND provider = name)
                        AS waiting,
                    (SELECT count(*) FROM attempt WHERE state = 'unknown' AND provider = name)
                        AS unknown,
                    (SELECT count(*) FROM attempt WHERE state = 'unknown' AND provider = name
                        AND needs_person) AS undecided
                FROM unnest(CAST(:names AS text[])) AS name
                """),
                {"names": [config.name for config in configs]},
            )
        }
        spent = {
            row.scope: float(row.amount)
            for row in connection.execute(
                text("SELECT scope, amount FROM spent WHERE period = :today"), {"today": today}
            )
        }
    return [
        CarrierNow(
            name=config.name,
            adapter=config.adapter,
            live=config.live,
            webhook=config.webhook,
            lanes=[
                LaneNow(channel, rate, _health(client, config, channel))
                for channel, rate in config.per_second.items()
            ],
            waiting=counted[config.name].waiting,
            unknown=counted[config.name].unknown,
            undecided=counted[config.name].undecided,
            parts=spent.get(f"parts:{config.name}", 0.0),
            parts_limit=config.limits.parts_per_day,
            yen=spent.get(f"yen:{config.name}", 0.0),
            yen_limit=config.limits.yen_per_day,
            stopped=switches.get(f"provider:{config.name}"),
            unusable=_unusable(client, config.name),
            unusable_here=unusable_here.get(config.name),
        )
        for config in configs
    ]


def _unusable(client: redis.Redis, name: str) -> Mapping[str, str]:
    try:
        return unusable.where(client, name)
    except redis.RedisError:
        return {}


def _health(client: redis.Redis, config: ProviderConfig, channel: Channel) -> Health | None:
    try:
        return health(client, config.name, channel, config.limits)
    except redis.RedisError:
        return None
