"""Longer work: asked for at a door, done by a worker in the asker's name, one piece at a time.

The row is the truth. A worker that dies in the middle leaves it ``running`` without holding the
lock; the next one starts it again, :data:`MOST_TRIES` times at most. What a piece of work writes
must therefore be one transaction, or the same when it is done twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, insert, select, text, tuple_, update

from contact_service.domain.actors import Actor, Role
from contact_service.store.tables.jobs import job

MOST_TRIES = 3
#: One piece of work at a time: the other workers stay free for contacts (an arbitrary number).
_LOCK = 7215_2027


class JobState(StrEnum):
    """How far a piece of work is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"  # nothing was changed; ``message`` says why


class CannotBeDone(Exception):
    """A piece of work is refused. The text is for whoever asked: Japanese / English."""


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work."""

    id: UUID
    kind: str
    state: JobState
    arguments: Mapping[str, Any]
    actor: Actor
    asked_at: datetime
    finished_at: datetime | None
    done: int
    total: int
    """``done`` of so many; 0: not known."""
    message: str | None
    result: Mapping[str, Any] | None

    @property
    def open(self) -> bool:
        """Whether it waits or runs."""
        return self.state in (JobState.WAITING, JobState.RUNNING)


Progress = Callable[[int], None]
Handler = Callable[[Job, Progress], Mapping[str, Any]]
"""Does a piece of work and returns its result. Raises :class:`CannotBeDone`."""


def ask(
    connection: Connection,
    actor: Actor,
    kind: str,
    arguments: Mapping[str, Any],
    now: datetime,
    *,
    total: int = 0,
    job_id: UUID | None = None,
) -> UUID:
    """Ask for a piece of work, in the caller's transaction; its identifier."""
    made = job_id or uuid4()
    connection.execute(
        insert(job).values(
            id=made, kind=kind, state=JobState.WAITING, arguments=dict(arguments),
            actor=actor.name, role=actor.role, office=actor.office, asked_at=now, total=total,
        )
    )  # fmt: skip
    return made


def find(connection: Connection, job_id: UUID) -> Job | None:
    """One piece of work."""
    row = connection.execute(select(job).where(job.c.id == job_id)).one_or_none()
    return _job(row) if row else None


def latest(
    connection: Connection,
    kind: str,
    before: tuple[datetime, UUID] | None = None,
    most: int = 50,
    office: str | None = None,
) -> list[Job]:
    """The pieces of work of one kind that were asked for last, after the one ``before`` in this
    order; with ``office`` those of its people alone."""
    order = (job.c.asked_at.desc(), job.c.id.desc())
    query = select(job).where(job.c.kind == kind).order_by(*order).limit(most)
    if before is not None:
        query = query.where(tuple_(job.c.asked_at, job.c.id) < tuple_(*before))
    if office is not None:
        query = query.where(job.c.office == office)
    return [_job(row) for row in connection.execute(query)]


def run_next(engine: Engine, handlers: Mapping[str, Handler], now: Callable[[], datetime]) -> bool:
    """Do what was asked for first, unless another worker is at work. Whether there was any."""
    with engine.connect() as holder:
        if not holder.scalar(text("SELECT pg_try_advisory_lock(:n)"), {"n": _LOCK}):
            return False
        holder.commit()
        try:
            found = _take(engine, now())
            if found is None:
                return False
            if found.tries > MOST_TRIES:
                _finish(
                    engine, found.id, JobState.REFUSED, now(),
                    message=f"途中で{MOST_TRIES}回止まりました。台帳は変わっていません。"
                    f"管理者に連絡してください / it broke off {MOST_TRIES} times and changed "
                    "nothing; tell the administrator",
                )  # fmt: skip
                return True
            _do(engine, handlers, _job(found), now)
            return True
        finally:
            holder.execute(text("SELECT pg_advisory_unlock(:n)"), {"n": _LOCK})
            holder.commit()


def _do(
    engine: Engine, handlers: Mapping[str, Handler], found: Job, now: Callable[[], datetime]
) -> None:
    def progress(done: int) -> None:
        with engine.begin() as connection:
            connection.execute(update(job).where(job.c.id == found.id).values(done=done))

    try:
        result = handlers[found.kind](found, progress)
    except CannotBeDone as refusal:
        _finish(engine, found.id, JobState.REFUSED, now(), message=str(refusal))
    else:
        _finish(engine, found.id, JobState.DONE, now(), result=dict(result))


def _take(engine: Engine, now: datetime) -> Any:
    with engine.begin() as connection:
        return connection.execute(
            text("""
            UPDATE job SET state = 'running', tries = tries + 1,
                started_at = coalesce(started_at, :now), done = 0
            WHERE id = (SELECT id FROM job WHERE state IN ('waiting', 'running')
                ORDER BY asked_at LIMIT 1)
            RETURNING *
            """),
            {"now": now},
        ).one_or_none()


def _finish(engine: Engine, job_id: UUID, state: JobState, at: datetime, **said: Any) -> None:
    with engine.begin() as connection:
        connection.execute(
            update(job).where(job.c.id == job_id).values(state=state, finished_at=at, **said)
        )


def _job(row: Any) -> Job:
    return Job(
        id=row.id,
        kind=row.kind,
        state=JobState(row.state),
        arguments=row.arguments,
        actor=Actor(row.actor, Role(row.role), row.office),
        asked_at=row.asked_at,
        finished_at=row.finished_at,
        done=row.done,
        total=row.total,
        message=row.message,
        result=row.result,
    )
