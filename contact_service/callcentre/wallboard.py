"""The centre at a glance: who works, who waits, what today has been like, what is to come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from contact_service.bootstrap import Service
from contact_service.callcentre.presence import CLOSED_AFTER_SECONDS
from contact_service.clock import TOKYO
from contact_service.dispatch.budgets import half_hour
from contact_service.dispatch.pacing import pacing
from contact_service.domain.actors import Actor, Role, require
from contact_service.domain.states import AttemptState, OperatorState
from contact_service.planning.definitions import definitions_of
from contact_service.planning.expectation import call_backs
from contact_service.store import audit

#: A caller who is answered within so many seconds was answered in time.
IN_TIME_SECONDS = 20
#: So many half-hours ahead are told.
AHEAD = 4


@dataclass(frozen=True, slots=True)
class AtWork:
    """One operator whose desk is open."""

    operator: str
    state: OperatorState
    started_at: datetime
    done_today: int
    """Results recorded today."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """Today's incoming calls, those on the line included."""

    offered: int
    answered: int
    abandoned: int
    in_time: int | None
    """Answered within :data:`IN_TIME_SECONDS`; ``None``: the waits are not reported."""
    undecided: int = 0
    """On the line, and not for longer than that yet."""

    @property
    def level(self) -> float | None:
        """The share of all calls offered that were answered in time, without those undecided."""
        decided = self.offered - self.undecided
        return None if self.in_time is None or not decided else self.in_time / decided


@dataclass(frozen=True, slots=True)
class OpenReferral:
    """Somebody in hardship who was led to help, and nobody has looked after it yet; or of whom
    nobody knows whether the SMS came, since somebody did."""

    id: int
    codes: Sequence[str]
    """Person codes (宛名番号) of whoever the call was about."""
    referred_at: datetime
    desk: str
    operator: str
    text_state: AttemptState | None
    """Where the SMS with the support desks is; ``None``: none was wanted. ``UNKNOWN`` is never
    sent again: somebody must ask whether it came."""
    text_reason: str | None


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the office says that the centre can take, and how much of it is used: campaigns wait
    where it is full. ``None``: not stated."""

    calls_per_half_hour: float | None
    expected_now: float
    """Calls back that contacts of this half-hour are expected to cause, as counted against it."""
    most_waiting: int | None
    """People on the operators' lists; above it campaigns pause."""


@dataclass(frozen=True, slots=True)
class Wallboard:
    """All of it."""

    at_work: Sequence[AtWork]
    on_the_line: int
    """Callers who wait for an operator."""
    longest_since: datetime | None
    """Since when the first of them waits."""
    waiting: int
    """People on the lists."""
    oldest_due: datetime | None
    """Since when the first of those who wait has been due."""
    call_backs_due: int
    call_backs_late: int
    """Half an hour or more past their time."""
    inbound: Inbound
    capacity: Capacity
    expected: Sequence[tuple[datetime, float]]
    """Calls that running campaigns are expected to cause, by half-hour from this one on."""
    referrals: Sequence[OpenReferral]

    def count(self, state: OperatorState) -> int:
        """How many operators are in a state."""
        return sum(one.state is state for one in self.at_work)


def wallboard(service: Service, actor: Actor, now: datetime) -> Wallboard:
    """The centre as it stands."""
    require(actor, Role.SUPERVISOR)
    with service.engine.connect() as connection:
        lists = connection.execute(_LISTS, {"now": now}).one()
        callers = connection.execute(_CALLERS, {"now": now}).one()
        calls = connection.execute(
            _INBOUND, {"day": _day_begins(now), "now": now, "in_time": IN_TIME_SECONDS}
        ).one()
        return Wallboard(
            at_work=_at_work(connection, now),
            on_the_line=callers.on_the_line,
            longest_since=callers.longest,
            waiting=lists.waiting,
            oldest_due=lists.oldest,
            call_backs_due=lists.due + callers.due,
            call_backs_late=lists.late + callers.late,
            capacity=_capacity(connection, service, now),
            inbound=Inbound(
                calls.offered,
                calls.answered,
                calls.abandoned,
                calls.in_time if calls.with_wait else None,
                calls.undecided,
            ),
            expected=_expected(connection, now),
            referrals=_referrals(connection),
        )


def follow_up(service: Service, actor: Actor, referral_id: int, now: datetime) -> bool:
    """A supervisor has looked after somebody who was led to help; whether it was still open.

    An SMS of which nobody knew whether it came is settled with it: it was asked for. One that
    turns out so afterwards brings the person back onto the board.
    """
    require(actor, Role.SUPERVISOR)
    with service.engine.begin() as connection:
        done = connection.execute(
            text("""
            UPDATE referral SET followed_up_at = :now, followed_up_by = :by
            WHERE id = :id AND followed_up_at IS NULL
            """),
            {"now": now, "by": actor.name, "id": referral_id},
        ).rowcount
        asked = connection.execute(
            text("""
            UPDATE support_text SET state = 'finished', reason = 'followed_up'
            WHERE state = 'unknown' AND disposition_id =
                (SELECT disposition_id FROM referral WHERE id = :id)
            """),
            {"id": referral_id},
        ).rowcount
        if done or asked:
            audit.record(connection, now, actor, "referral.followed_up", str(referral_id))
        return bool(done or asked)


_LISTS = text("""
SELECT count(*) FILTER (WHERE NOT a.requested) AS waiting,
    min(a.due_at) AS oldest,
    count(*) FILTER (WHERE a.requested) AS due,
    count(*) FILTER (WHERE a.requested
        AND a.due_at <= CAST(:now AS timestamptz) - interval '30 minutes') AS late
FROM attempt a JOIN run r ON r.id = a.run_id AND r.state = 'running'
WHERE a.channel = 'operator' AND a.state = 'planned' AND a.due_at <= :now AND a.expires_at > :now
""")

_CALLERS = text("""
SELECT count(*) FILTER (WHERE state = 'waiting' AND ended_at IS NULL) AS on_the_line,
    min(came_at) FILTER (WHERE state = 'waiting' AND ended_at IS NULL) AS longest,
    count(*) FILTER (WHERE state = 'call_back' AND due_at <= :now) AS due,
    count(*) FILTER (WHERE state = 'call_back'
        AND due_at <= CAST(:now AS timestamptz) - interval '30 minutes') AS late
FROM inbound_call WHERE state <> 'closed'
""")

#: Calls of the log, and those that are not over yet: a call is offered when it comes, not when it
#: ends.
_INBOUND = text("""
WITH offered AS (
    SELECT result = 'abandoned' AS abandoned, result <> 'abandoned' AS answered,
        wait_seconds AS wait, false AS undecided
    FROM call WHERE direction = 'inbound' AND started_at >= :day AND started_at <= :now
    UNION ALL
    SELECT false, i.taken_at IS NOT NULL, extract(epoch FROM i.taken_at - i.came_at),
        i.taken_at IS NULL
            AND i.came_at > CAST(:now AS timestamptz) - make_interval(secs => :in_time)
    FROM inbound_call i
    WHERE i.came_at >= :day AND i.came_at <= :now AND i.ended_at IS NULL
    AND i.attempt_id IS NULL AND i.due_at IS NULL
    AND (i.state = 'waiting' OR i.taken_at IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM call c
        WHERE c.deduplication_key = 'inbound:' || left(i.provider || ':' || i.provider_ref, 70))
)
SELECT count(*) AS offered,
    count(*) FILTER (WHERE answered) AS answered,
    count(*) FILTER (WHERE abandoned) AS abandoned,
    count(wait) > 0 AS with_wait,
    count(*) FILTER (WHERE answered AND wait <= :in_time) AS in_time,
    count(*) FILTER (WHERE undecided) AS undecided
FROM offered
""")


def _day_begins(now: datetime) -> datetime:
    return now.astimezone(TOKYO).replace(hour=0, minute=0, second=0, microsecond=0)


def _capacity(connection: Connection, service: Service, now: datetime) -> Capacity:
    stated = pacing(service.settings.pacing_file).centre
    used = connection.scalar(
        text("SELECT amount FROM spent WHERE scope = 'call-backs' AND period = :period"),
        {"period": half_hour(now)},
    )
    return Capacity(stated.calls_per_half_hour, float(used or 0), stated.most_waiting)


def _at_work(connection: Connection, now: datetime) -> list[AtWork]:
    rows = connection.execute(
        text("""
        SELECT o.operator, o.state, o.started_at,
            (SELECT count(*) FROM disposition d
                WHERE d.recorded_by = o.operator AND d.recorded_at >= :day) AS done
        FROM operator_period o
        WHERE o.ended_at IS NULL AND (
            o.seen_at > clock_timestamp() - make_interval(secs => :seconds)
            OR EXISTS (SELECT 1 FROM attempt a WHERE a.state = 'leased'
                AND a.channel = 'operator' AND a.lease_owner = o.operator
                AND a.lease_until > clock_timestamp()))
        ORDER BY o.operator
        """),
        {"day": _day_begins(now), "seconds": CLOSED_AFTER_SECONDS},
    )
    return [
        AtWork(row.operator, OperatorState(row.state), row.started_at, row.done) for row in rows
    ]


def _expected(connection: Connection, now: datetime) -> list[tuple[datetime, float]]:
    """Contacts that went out lately or will soon, spread as people call back."""
    rows = connection.execute(
        text("""
        SELECT a.run_id, a.channel,
            to_timestamp(floor(extract(epoch FROM a.at) / 1800) * 1800) AS slot,
            count(*) AS attempts
        FROM (
            -- each part from an index of its own
            SELECT run_id, channel, submitted_at AS at FROM attempt
            WHERE submitted_at > CAST(:now AS timestamptz) - interval '8 hours'
            AND submitted_at <= :now
            UNION ALL
            SELECT run_id, channel, due_at FROM attempt
            WHERE state = 'planned' AND due_at <= CAST(:now AS timestamptz) + interval '2 hours'
            AND channel IN ('sms', 'auto_call')
        ) a JOIN run r ON r.id = a.run_id AND r.state = 'running'
        WHERE a.channel IN ('sms', 'auto_call')
        GROUP BY 1, 2, 3
        """),
        {"now": now},
    ).all()
    definitions = definitions_of(connection, {row.run_id for row in rows})
    this = now.astimezone(TOKYO).replace(
        minute=30 if now.astimezone(TOKYO).minute >= 30 else 0, second=0, microsecond=0
    )
    ahead = [this + timedelta(minutes=30 * n) for n in range(AHEAD)]
    total: defaultdict[datetime, float] = defaultdict(float)
    for run_id, definition in definitions.items():
        contacts: defaultdict[datetime, float] = defaultdict(float)
        for row in rows:
            if row.run_id == run_id:
                rate = definition.call_backs.expected_rate.get(row.channel, 0.0)
                contacts[max(row.slot, this - timedelta(hours=8))] += row.attempts * rate
        for slot, calls in call_backs(contacts, definition.hours).items():
            total[slot] += calls
    return [(slot, total.get(slot, 0.0)) for slot in ahead]


def _referrals(connection: Connection) -> list[OpenReferral]:
    rows = connection.execute(
        text("""
        SELECT f.id, f.referred_at, f.desk, d.recorded_by, s.state AS text_state,
            s.reason AS text_reason, ARRAY(
            SELECT DISTINCT p.code FROM target_claim tc JOIN claim c ON c.id = tc.claim_id
            JOIN debtor p ON p.id = c.debtor_id WHERE tc.target_id = f.target_id
                AND d.attempt_id IS NOT NULL
            UNION
            SELECT p.code FROM inbound_call i JOIN debtor p ON p.id = i.debtor_id
            WHERE i.id = d.inbound_call_id) AS codes
        FROM referral f JOIN disposition d ON d.id = f.disposition_id
        LEFT JOIN support_text s ON s.disposition_id = d.id
        WHERE f.followed_up_at IS NULL OR s.state = 'unknown'
        ORDER BY f.referred_at LIMIT 100
        """)
    )
    return [
        OpenReferral(
            row.id,
            row.codes,
            row.referred_at,
            row.desk,
            row.recorded_by,
            AttemptState(row.text_state) if row.text_state else None,
            row.text_reason,
        )
        for row in rows
    ]
