"""Reports as files: counted by a worker, kept, and read at once.

A report of a million people takes minutes to count. It is made once for a run and a language, in
every format; what it says is as of the moment at which it was made, until it is made anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, require
from contact_service.evaluation.facts import NoSuchRun
from contact_service.evaluation.forms import READERS, Format
from contact_service.offices import kinds_of
from contact_service.planning.definitions import of_own_kinds, own_kinds, run_is_own
from contact_service.store import audit, jobs
from contact_service.store.jobs import CannotBeDone, Job, JobState, Progress

KIND = "report"
KIND_BY = "by_field"
MOST = 50


@dataclass(frozen=True, slots=True)
class Reportable:
    """A run, and its latest report in one language."""

    run_id: UUID
    title: str
    version: str
    """As commands call it: ``three-arm-trial@2``."""
    state: str
    """RunState."""
    training: bool
    starts_on: date
    planned_at: datetime
    targets: int
    job: Job | None
    """That makes, or made, the report."""


def reportable(
    service: Service,
    actor: Actor,
    lang: str,
    before: tuple[datetime, UUID] | None = None,
    most: int = MOST,
) -> tuple[Sequence[Reportable], tuple[datetime, UUID] | None]:
    """Runs that have targets, the latest first, after the one planned at ``before``; and where the
    next page begins.

    Raises :class:`~contact_service.domain.actors.NotAllowed`.
    """
    require(actor, *READERS)
    with service.engine.connect() as connection:
        rows = connection.execute(
            text(f"""
            SELECT r.id, v.definition ->> 'title' AS title, v.key || '@' || v.version AS version,
                r.state, r.training, r.starts_at::date AS starts_on, r.planned_at,
                r.assessed_debtors,
                (SELECT j.id FROM job j WHERE j.kind = :kind
                    AND j.arguments ->> 'run' = r.id::text AND j.arguments ->> 'lang' = :lang
                    ORDER BY j.asked_at DESC LIMIT 1) AS job
            FROM run r JOIN campaign_version v ON v.id = r.campaign_version_id
            WHERE EXISTS (SELECT 1 FROM target t WHERE t.run_id = r.id)
            AND {of_own_kinds()}
            AND (CAST(:before AS timestamptz) IS NULL OR r.planned_at < :before
                OR (r.planned_at = :before AND r.id > :last))
            ORDER BY r.planned_at DESC, r.id LIMIT :most
            """),
            {
                "kind": KIND,
                "lang": lang,
                "most": most + 1,
                "before": before[0] if before else None,
                "last": before[1] if before else None,
            }
            | own_kinds(actor),
        ).all()
        found = [
            Reportable(
                row.id, row.title, row.version, row.state, row.training, row.starts_on,
                row.planned_at, row.assessed_debtors,
                jobs.find(connection, row.job) if row.job else None,
            )
            for row in rows[:most]
        ]  # fmt: skip
    return found, (found[-1].planned_at, found[-1].run_id) if len(rows) > most else None


def ask_for_report(service: Service, actor: Actor, run_id: UUID, lang: str) -> UUID:
    """Have the report of a run made in ``lang``; the job, which is the one under way if there is
    one. Raises :class:`NoSuchRun`, :class:`~contact_service.domain.actors.NotAllowed`."""
    return _ask(service, actor, KIND, run_id, lang)


def ask_by_field(service: Service, actor: Actor, run_id: UUID, field: str) -> UUID:
    """Have payment broken down by a field of selections; the job, likewise."""
    return _ask(service, actor, KIND_BY, run_id, field)


def _ask(service: Service, actor: Actor, kind: str, run_id: UUID, what: str) -> UUID:
    require(actor, *READERS)
    name = _SAID[kind]
    with service.engine.begin() as connection:
        # two people who press at once get one report
        connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtext(:run))"), {"run": str(run_id)}
        )
        if connection.scalar(
            text("SELECT 1 FROM target WHERE run_id = :id LIMIT 1"), {"id": run_id}
        ) is None or not run_is_own(connection, actor, run_id):  # fmt: skip
            raise NoSuchRun(f"実施 {run_id} はありません / there is no run {run_id}")
        under_way: UUID | None = connection.scalar(
            text("""
            SELECT id FROM job WHERE kind = :kind AND state IN ('waiting', 'running')
            AND arguments ->> 'run' = :run AND arguments ->> :name = :what
            """),
            {"kind": kind, "run": str(run_id), "name": name, "what": what},
        )
        if under_way is not None:
            return under_way
        arguments = {"run": str(run_id), name: what}
        return jobs.ask(connection, actor, kind, arguments, service.clock.now())


#: What a job of each kind is told, beside the run.
_SAID = {KIND: "lang", KIND_BY: "field"}


def handler(service: Service) -> jobs.Handler:
    """What a worker does about a report."""

    def work(job: Job, _: Progress) -> Mapping[str, Any]:
        # here, not above: the statistics take seconds to load, and few processes make a report
        from contact_service.evaluation.report import write_run_report

        run_id = UUID(job.arguments["run"])
        try:
            write_run_report(
                service, _asker(service, job), run_id, _folder(service, job.id),
                job.arguments["lang"],
                list(Format),
            )  # fmt: skip
        except NoSuchRun as error:
            raise CannotBeDone(str(error)) from None
        return {}

    return work


def _asker(service: Service, job: Job) -> Actor:
    """Who asked, with what their office keeps now."""
    return replace(job.actor, kinds=kinds_of(job.actor.office, service.settings))


def by_field_handler(service: Service) -> jobs.Handler:
    """What a worker does about a breakdown."""

    def work(job: Job, _: Progress) -> Mapping[str, Any]:
        from contact_service.evaluation.by_field import NoSuchField, by_field

        run_id = UUID(job.arguments["run"])
        try:
            figures = by_field(service, _asker(service, job), run_id, job.arguments["field"])
        except (NoSuchRun, NoSuchField) as error:
            raise CannotBeDone(str(error)) from None
        return {key: figures[key] for key in ("field", "completeness", "read", "rows")}

    return work


def breakdown(service: Service, actor: Actor, job_id: UUID) -> Job | None:
    """A breakdown that was asked for; that it is read is recorded once it is there."""
    require(actor, *READERS)
    with service.engine.begin() as connection:
        job = _own(connection, actor, job_id)
        if job is None or job.kind != KIND_BY:
            return None
        if job.result is not None:
            audit.record(
                connection, service.clock.now(), actor, "report.read_by_field",
                job.arguments["run"], field=job.arguments["field"],
            )  # fmt: skip
    return job


def report_file(service: Service, actor: Actor, job_id: UUID, form: Format) -> Path | None:
    """A report that was made, as a file; that it is read is recorded. ``None``: there is none.

    Raises :class:`~contact_service.domain.actors.NotAllowed`.
    """
    require(actor, *READERS)
    with service.engine.begin() as connection:
        job = _own(connection, actor, job_id)
        if job is None or job.kind != KIND or job.state is not JobState.DONE:
            return None
        path = _folder(service, job_id) / f"report.{form}"
        if not path.is_file():
            return None
        audit.record(
            connection, service.clock.now(), actor, "report.read", job.arguments["run"],
            format=form.value,
        )  # fmt: skip
    return path


def must_be_own(service: Service, actor: Actor, run_id: UUID) -> None:
    """Raise :class:`NoSuchRun` unless the run is there and of the reader's office."""
    with service.engine.connect() as connection:
        if not run_is_own(connection, actor, run_id):
            raise NoSuchRun(f"実施 {run_id} はありません / there is no run {run_id}")


def _own(connection: Connection, actor: Actor, job_id: UUID) -> Job | None:
    """A piece of work about a run of the reader's office."""
    job = jobs.find(connection, job_id)
    if job is None or job.kind not in _SAID:
        return None
    return job if run_is_own(connection, actor, UUID(job.arguments["run"])) else None


def _folder(service: Service, job_id: UUID) -> Path:
    return service.settings.state_dir / "reports" / str(job_id)
