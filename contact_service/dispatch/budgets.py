"""What is counted over a day, a half-hour, or at once: parts, yen, calls, expected calls back.

The counts are rows of the database, locked, read and raised in the transaction that leases: a
lease and what it uses up are on disk together or not at all, whatever becomes of Redis or of the
worker. :func:`recount` gives back what was leased and then provably not taken, and opens a budget
that is new: until it has counted what went out before, nothing more does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.definition import Definition
from campaigns.messages import render
from campaigns.vocabulary import Channel
from contact_service.clock import TOKYO
from contact_service.dispatch.contacts import office
from contact_service.dispatch.lease import Lease
from contact_service.dispatch.pacing import Pacing
from contact_service.dispatch.providers import ProviderConfig
from contact_service.settings import Settings
from providers.base import Call, Contact, Message, Provider

#: A call of which nothing more is heard is over after this long.
LONGEST_CALL_MINUTES = 15
ALL_TIME = "all"


class NoPrice(Exception):
    """A budget in yen is stated, and nothing says what a contact costs."""


@dataclass(frozen=True, slots=True)
class Budget:
    """At most ``limit`` units of ``scope`` in ``period``; a contact of a step takes ``cost``."""

    scope: str
    period: str
    limit: float
    cost: Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Prices:
    """What contacts of one campaign take, on one carrier and channel."""

    provider: Provider
    definition: Definition
    channel: Channel
    settings: Settings

    def parts(self, step: str) -> int:
        """The parts that the carrier will bill for a step's text."""
        contact = self._contact(step)
        return self.provider.parts(contact.body) if isinstance(contact, Message) else 0

    def yen(self, step: str) -> float:
        """The price of a step's contact. Raises :class:`NoPrice`."""
        price = self.provider.price(self._contact(step))
        if price is None:
            raise NoPrice(
                f"{self.provider.name}: 円の予算がありますが単価の設定がありません / a budget in "
                "yen, but the carrier's entry names no price"
            )
        return float(price)

    def _contact(self, step: str) -> Contact:
        if self.channel is Channel.AUTO_CALL:
            return Call("", "", "")
        message = self.definition.messages[str(self.definition.step(step).message)]
        return Message("", "", render(self.definition.words(message), office(self.settings)))


def half_hour(now: datetime) -> str:
    """The half-hour of ``now``, as budgets name it."""
    local = now.astimezone(TOKYO)
    return f"{local:%Y-%m-%dT%H}:{'30' if local.minute >= 30 else '00'}"


def day(now: datetime) -> str:
    """The day of ``now`` in Tokyo."""
    return f"{now.astimezone(TOKYO):%Y-%m-%d}"


def budgets_of(
    config: ProviderConfig, pacing: Pacing, prices: Prices, now: datetime
) -> list[Budget]:
    """All that limits one campaign on one lane."""
    found: list[Budget] = []
    limits, campaign = config.limits, pacing.campaign(prices.definition.campaign)
    today, name = day(now), prices.definition.campaign
    if prices.channel is Channel.SMS and limits.parts_per_day is not None:
        found.append(Budget(f"parts:{config.name}", today, limits.parts_per_day, prices.parts))
    if limits.yen_per_day is not None:
        found.append(Budget(f"yen:{config.name}", today, limits.yen_per_day, prices.yen))
    if campaign.yen_per_day is not None:
        found.append(Budget(f"campaign-yen:{name}", today, campaign.yen_per_day, prices.yen))
    if campaign.yen is not None:
        found.append(Budget(f"campaign-yen-in-all:{name}", ALL_TIME, campaign.yen, prices.yen))
    call_backs = prices.definition.call_backs
    rate, now_on = call_backs.expected_rate.get(prices.channel, 0.0), half_hour(now)
    for scope, limit in (
        ("call-backs", pacing.centre.calls_per_half_hour),
        (f"call-backs:{name}", call_backs.per_half_hour),
    ):
        if limit is not None and rate > 0:
            found.append(Budget(scope, now_on, limit, lambda _: rate))
    return found


class Purse:
    """The budgets of one lease transaction, locked until it commits."""

    def __init__(
        self, connection: Connection, config: ProviderConfig, budgets: Mapping[UUID, list[Budget]]
    ) -> None:
        self._connection = connection
        self._budgets = budgets
        keys = sorted({(b.scope, b.period) for found in budgets.values() for b in found})
        if config.limits.concurrent_calls is not None:
            keys.append((f"calls:{config.name}", ""))
            keys.sort()
        self._spent = _lock(connection, keys)
        self._used: dict[tuple[str, str], float] = dict.fromkeys(self._spent, 0.0)
        self._calls_left = math.inf

    def limit_calls(self, config: ProviderConfig, now: datetime) -> None:
        """Heed how many calls may be under way at once."""
        if config.limits.concurrent_calls is None:
            return
        under_way = self._connection.scalar(_CALLS, {
            "provider": config.name, "now": now, "minutes": LONGEST_CALL_MINUTES,
        })  # fmt: skip
        self._calls_left = max(0, config.limits.concurrent_calls - int(under_way or 0))

    def room(self, run_id: UUID, steps: Sequence[str]) -> float:
        """How many contacts of a run may be leased, should each be the dearest of ``steps``."""
        room = self._calls_left
        for budget in self._budgets[run_id]:
            key = (budget.scope, budget.period)
            cost = max((budget.cost(step) for step in steps), default=0.0)
            if cost > 0:
                left = max(0.0, budget.limit - self._spent[key] - self._used[key])
                room = min(room, math.floor(left / cost + 1e-9))
        return room

    def use(self, run_id: UUID, leases: Sequence[Lease]) -> None:
        """Count what was leased."""
        self._calls_left -= len(leases)
        for budget in self._budgets[run_id]:
            key = (budget.scope, budget.period)
            self._used[key] += sum(budget.cost(item.step) for item in leases)

    def close(self) -> None:
        """Write down what was used; the caller commits."""
        used = {key: amount for key, amount in self._used.items() if amount}
        if used:
            self._connection.execute(
                text("""
                UPDATE spent s SET amount = s.amount + v.amount
                FROM unnest(CAST(:scopes AS text[]), CAST(:periods AS text[]),
                    CAST(:amounts AS float8[])) AS v(scope, period, amount)
                WHERE s.scope = v.scope AND s.period = v.period
                """),
                {
                    "scopes": [scope for scope, _ in used],
                    "periods": [period for _, period in used],
                    "amounts": list(used.values()),
                },
            )


def _lock(
    connection: Connection, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], float]:
    if not keys:
        return {}
    given = {"scopes": [scope for scope, _ in keys], "periods": [period for _, period in keys]}
    connection.execute(
        text("""
        INSERT INTO spent (scope, period, amount)
        -- of a budget that is new nobody knows what was used before: it is full until recounted
        SELECT v.scope, v.period, CASE WHEN EXISTS (SELECT 1 FROM spent s WHERE s.scope = v.scope)
            THEN 0 ELSE 'Infinity'::float8 END
        FROM unnest(CAST(:scopes AS text[]), CAST(:periods AS text[])) AS v(scope, period)
        ORDER BY 1, 2
        ON CONFLICT DO NOTHING
        """),
        given,
    )
    rows = connection.execute(
        text("""
        SELECT s.scope, s.period, s.amount FROM spent s
        WHERE (s.scope, s.period) IN (SELECT * FROM unnest(CAST(:scopes AS text[]),
            CAST(:periods AS text[])))
        ORDER BY s.scope, s.period FOR UPDATE
        """),
        given,
    )
    return {(row.scope, row.period): float(row.amount) for row in rows}


_CALLS = text("""
SELECT count(*) FROM attempt
WHERE channel = 'auto_call' AND provider = :provider
AND (state = 'leased' OR (state IN ('accepted', 'unknown')
    AND leased_at > CAST(:now AS timestamptz) - make_interval(mins => :minutes)))
""")

#: What was handed over, or may have been, on a day: by campaign, carrier and step.
_TAKEN = text("""
SELECT v.key AS campaign, a.provider, a.step, a.channel, count(*) AS contacts,
    a.run_id, a.leased_at >= :day_starts AS today, a.leased_at >= :half_hour_starts AS just_now
FROM attempt a JOIN run r ON r.id = a.run_id
JOIN campaign_version v ON v.id = r.campaign_version_id
WHERE a.provider IS NOT NULL AND a.leased_at IS NOT NULL
AND (a.state IN ('leased', 'accepted', 'unknown')
    OR (a.state = 'finished' AND (a.provider_ref IS NOT NULL OR a.submitted_at IS NOT NULL)))
GROUP BY 1, 2, 3, 4, 6, 7, 8
""")


def recount(
    connection: Connection,
    now: datetime,
    configs: Mapping[str, tuple[ProviderConfig, Provider]],
    pacing: Pacing,
    definitions: Callable[[Collection[UUID]], Mapping[UUID, Definition]],
    settings: Settings,
) -> None:
    """Count all present periods anew from the attempts themselves.

    Nobody leases meanwhile, so nothing is missed; the rows are locked as a lease locks them.
    """
    present = [
        (row.scope, row.period)
        for row in connection.execute(
            text("SELECT scope, period FROM spent WHERE period = ANY(:periods)"),
            {"periods": [day(now), half_hour(now), ALL_TIME]},
        )
    ]
    if not present:
        return
    spent = dict.fromkeys(_lock(connection, sorted(present)), 0.0)
    local = now.astimezone(TOKYO)
    rows = connection.execute(
        _TAKEN,
        {
            "day_starts": local.replace(hour=0, minute=0, second=0, microsecond=0),
            "half_hour_starts": local.replace(
                minute=30 if local.minute >= 30 else 0, second=0, microsecond=0
            ),
        },
    ).all()
    known = definitions({row.run_id for row in rows})
    for row in rows:
        if row.provider not in configs:
            continue
        config, provider = configs[row.provider]
        prices = Prices(provider, known[row.run_id], Channel(row.channel), settings)
        for budget in budgets_of(config, pacing, prices, now):
            in_period = {day(now): row.today, half_hour(now): row.just_now, ALL_TIME: True}
            key = (budget.scope, budget.period)
            if key in spent and in_period[budget.period]:
                spent[key] += budget.cost(row.step) * row.contacts
    connection.execute(
        text("UPDATE spent SET amount = :amount WHERE scope = :scope AND period = :period"),
        [{"scope": scope, "period": period, "amount": a} for (scope, period), a in spent.items()],
    )
