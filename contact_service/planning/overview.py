"""Campaigns at a glance: the newest version of each, its run, and how far that is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from contact_service.clock import TOKYO
from contact_service.domain.actors import Actor, Role, allowed
from contact_service.domain.states import RunState, VersionState
from contact_service.planning import drafts, versions
from contact_service.planning.definitions import of_own_kinds, own_kinds

#: The rate of a run is counted over this long.
LATELY = timedelta(minutes=10)
#: Rows that were rejected longer ago wait for nobody.
REJECTED_LATELY = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Overview:
    """One campaign."""

    version_id: int
    """Its newest version."""
    key: str
    title: str
    number: int
    """Of its newest version."""
    state: VersionState
    created_by: str
    run_id: UUID | None
    """The run that is under way, or else the newest."""
    run_state: RunState | None
    first_day: date | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a run is, in attempts."""

    total: int = 0
    done: int = 0
    handed_over: int = 0
    """Given to a carrier or an operator."""
    needs_person: int = 0
    lately: int = 0
    """Handed over in the last ten minutes."""
    cost_yen: int = 0
    """What carriers have charged so far, as far as they have said."""

    @property
    def per_minute(self) -> float:
        """Contacts a minute, lately."""
        return self.lately / (LATELY.total_seconds() / 60)


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run of a campaign."""

    run_id: UUID
    number: int
    """Of the version that it is a run of."""
    state: RunState
    first_day: date
    planned_by: str
    targets: int
    training: bool


def campaigns(
    connection: Connection, actor: Actor, limit: int, offset: int = 0, before: int | None = None
) -> list[Overview]:
    """Campaigns of the reader's office, the one with the newest version first: those whose newest
    is older than the version ``before``."""
    rows = connection.execute(
        text(f"""
        WITH newest AS (
            SELECT key, max(id) AS id FROM campaign_version v GROUP BY key
            HAVING bool_and({of_own_kinds()})
                AND (CAST(:before AS bigint) IS NULL OR max(id) < :before)
            ORDER BY 2 DESC LIMIT :limit OFFSET :offset
        )
        SELECT v.id, v.key, v.definition ->> 'title', v.version, v.state, v.created_by,
            r.id, r.state, r.as_of
        FROM newest JOIN campaign_version v ON v.id = newest.id
        LEFT JOIN LATERAL (
            SELECT run.id, run.state, run.as_of FROM run
            JOIN campaign_version w ON w.id = run.campaign_version_id
            WHERE w.key = v.key
            ORDER BY run.state IN ('running', 'paused') DESC, run.planned_at DESC, run.id LIMIT 1
        ) r ON true
        ORDER BY v.id DESC
        """),
        {"limit": limit, "offset": offset, "before": before} | own_kinds(actor),
    )
    return [
        Overview(
            row[0], row[1], row[2], row[3], VersionState(row[4]), row[5], row[6],
            RunState(row[7]) if row[7] else None, row[8],
        )
        for row in rows
    ]  # fmt: skip


def runs_of(connection: Connection, key: str) -> list[RunLine]:
    """All runs of a campaign, the newest first."""
    rows = connection.execute(
        text("""
        SELECT r.id, v.version, r.state, r.as_of, r.planned_by,
            (SELECT count(*) FROM target t WHERE t.run_id = r.id), r.training
        FROM run r JOIN campaign_version v ON v.id = r.campaign_version_id
        WHERE v.key = :key ORDER BY r.as_of DESC, r.planned_at DESC LIMIT 100
        """),
        {"key": key},
    )
    return [RunLine(row[0], row[1], RunState(row[2]), *row[3:]) for row in rows]


class Head(NamedTuple):
    """What one run is a run of."""

    campaign: str
    title: str
    version: int
    first_day: date
    training: bool


def head_of(connection: Connection, run_id: UUID) -> Head:
    """What a run is a run of."""
    row = connection.execute(
        text("""
        SELECT v.key, v.definition ->> 'title', v.version, r.as_of, r.training
        FROM run r JOIN campaign_version v ON v.id = r.campaign_version_id WHERE r.id = :id
        """),
        {"id": run_id},
    ).one()
    return Head(*row)


def lines(connection: Connection, run_ids: Collection[UUID]) -> list[tuple[UUID, str, str, date]]:
    """Runs in a line each, nothing counted: identifier, title, state, first day."""
    rows = connection.execute(
        text("""
        SELECT r.id, v.definition ->> 'title', r.state, r.as_of
        FROM run r JOIN campaign_version v ON v.id = r.campaign_version_id
        WHERE r.id = ANY(:ids) ORDER BY r.as_of DESC, r.id
        """),
        {"ids": list(run_ids)},
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def counts(connection: Connection, run_ids: Collection[UUID], now: datetime) -> dict[UUID, Counts]:
    """How far each run is, counted in one statement."""
    rows = connection.execute(
        text("""
        SELECT run_id, count(*), count(*) FILTER (WHERE state IN ('finished', 'skipped')),
            count(submitted_at), count(*) FILTER (WHERE needs_person),
            count(*) FILTER (WHERE submitted_at > :since), coalesce(sum(price_yen), 0)::bigint
        FROM attempt WHERE run_id = ANY(:ids) GROUP BY run_id
        """),
        {"ids": list(run_ids), "since": now - LATELY},
    )
    found = {row[0]: Counts(*row[1:]) for row in rows}
    return {run_id: found.get(run_id, Counts()) for run_id in run_ids}


def large(connection: Connection) -> bool:
    """Whether attempts are too many to be counted while somebody waits (by the server's own
    estimate)."""
    estimate = connection.scalar(
        text("SELECT reltuples FROM pg_class WHERE oid = 'attempt'::regclass")
    )
    return int(estimate or 0) > 200_000


@dataclass(frozen=True, slots=True)
class Today:
    """One run's contacts of a day, by channel."""

    run_id: UUID
    title: str
    channel: str
    ahead: int
    """Still to go out today, by the calendar."""
    handed_over: int
    """Given to a carrier or an operator today."""


def today(connection: Connection, actor: Actor, now: datetime) -> list[Today]:
    """Today's contacts of the office's runs that are under way: done, and still to come."""
    start = now.astimezone(TOKYO).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = connection.execute(
        text(f"""
        SELECT r.id, v.definition ->> 'title', c.channel, c.ahead, c.handed_over
        FROM run r JOIN campaign_version v ON v.id = r.campaign_version_id
        JOIN LATERAL (
            SELECT channel, sum(ahead)::bigint AS ahead, sum(handed_over)::bigint AS handed_over
            FROM ( -- each from an index of its own
                SELECT a.channel, count(*) AS ahead, 0 AS handed_over FROM attempt a
                WHERE a.run_id = r.id AND a.state = 'planned' AND a.due_at < :end GROUP BY 1
                UNION ALL
                SELECT a.channel, 0, count(*) FROM attempt a
                WHERE a.run_id = r.id AND a.submitted_at >= :start GROUP BY 1
            ) counted GROUP BY channel
        ) c ON true
        WHERE r.state IN ('running', 'paused') AND {of_own_kinds()}
        ORDER BY r.as_of, r.id, c.channel
        """),
        {"start": start, "end": start + timedelta(days=1)} | own_kinds(actor),
    )
    return [Today(*row) for row in rows]


def waiting_runs(connection: Connection, actor: Actor) -> list[UUID]:
    """The office's runs that wait for their day, run, or are paused, and the last that ended."""
    own = f"JOIN campaign_version v ON v.id = r.campaign_version_id AND {of_own_kinds()}"
    return list(
        connection.scalars(
            text(f"""
            (SELECT r.id FROM run r {own} WHERE r.state IN ('scheduled', 'running', 'paused')
                ORDER BY r.as_of, r.id LIMIT 50)
            UNION ALL
            (SELECT r.id FROM run r {own} WHERE r.state IN ('completed', 'cancelled')
                ORDER BY r.planned_at DESC, r.id LIMIT 3)
            """),
            own_kinds(actor),
        )
    )


@dataclass(frozen=True, slots=True)
class Needs:
    """What waits for whoever looks; ``None``: none of their business."""

    approvals: int | None = None
    """Versions that somebody else has handed in."""
    drafts: int | None = None
    """Their own."""
    unknown_outcomes: int | None = None
    rejected_rows: int | None = None
    """Of files of the last 31 days."""
    stopped_providers: int | None = None


def needs(connection: Connection, actor: Actor, now: datetime, stopped: Collection[str]) -> Needs:
    """What waits for somebody; ``stopped`` are the switches that are set."""
    looks = allowed(actor.role, [Role.STAFF, Role.APPROVER, Role.SUPERVISOR])
    return Needs(
        approvals=sum(one.created_by != actor.name for one in versions.waiting(connection, actor))
        if allowed(actor.role, [Role.APPROVER])
        else None,
        drafts=drafts.own(connection, actor) if allowed(actor.role, [Role.STAFF]) else None,
        unknown_outcomes=undecided(connection, actor) if looks else None,
        rejected_rows=rejected_rows(connection, actor, now - REJECTED_LATELY)[0] if looks else None,
        stopped_providers=sum(scope.startswith("provider:") for scope in stopped)
        if looks
        else None,
    )


def rejected_rows(connection: Connection, actor: Actor, since: datetime) -> tuple[int, int]:
    """Rows that the office's files lately brought and that were not taken; in how many files."""
    row = connection.execute(
        text("""
        SELECT coalesce(sum(rejected), 0)::bigint, count(*) FROM source_file
        WHERE imported_at >= :since AND rejected > 0
            AND (CAST(:office AS text) = '*' OR office = :office)
        """),
        {"since": since, "office": actor.office},
    ).one()
    return int(row[0]), int(row[1])


def undecided(connection: Connection, actor: Actor) -> int:
    """The office's contacts of which only a person can say whether they went out."""
    found = connection.scalar(
        text(f"""
        SELECT count(*) FROM attempt a JOIN run r ON r.id = a.run_id
        JOIN campaign_version v ON v.id = r.campaign_version_id
        WHERE a.state = 'unknown' AND a.needs_person AND {of_own_kinds()}
        """),
        own_kinds(actor),
    )
    return int(found or 0)
