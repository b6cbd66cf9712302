"""Files that staff hand in at a page: kept on disk, checked or imported by a worker.

A file lies in a folder of its own, readable by its owner alone, until it is in the ledger; the
rows that were rejected lie beside it until they have been mended, or for :data:`KEPT`.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import IO, Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

from contact_service.bootstrap import Service
from contact_service.domain.actors import EVERY_OFFICE, Actor, Role, require
from contact_service.intake import history
from contact_service.intake.faults import FileRefused
from contact_service.intake.fields import FileKind
from contact_service.intake.importing import Report, import_file
from contact_service.offices import kinds_of
from contact_service.settings import Settings
from contact_service.store import audit, jobs
from contact_service.store.jobs import CannotBeDone, Job, Progress

KIND = "import"
MOST_BYTES = 500_000_000
#: How long a file that was only checked, and rejected rows that nobody mended, are kept.
KEPT = timedelta(days=30)
#: A file is handed in within this time: a folder that is older and no job knows is nobody's.
HANDED_IN_WITHIN = timedelta(hours=1)
_BLOCK = 1 << 20
_SUFFIXES = (".csv", ".xlsx", ".txt", ".tsv", ".json", ".jsonl")


def folder_of(settings: Settings) -> Path:
    """Where uploads lie; made, for its owner alone."""
    folder = settings.state_dir / "uploads"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def hand_in(
    service: Service,
    actor: Actor,
    kind: FileKind,
    name: str,
    content: IO[bytes],
    *,
    training: bool = False,
    as_of: date | None = None,
    dry_run: bool = False,
    mends: int | None = None,
) -> UUID:
    """Keep a file and ask for its import, or with ``dry_run`` for a check; the job.

    ``mends`` is the file whose rejected rows this one brings back. Raises
    :class:`CannotBeDone` and :class:`~contact_service.domain.actors.NotAllowed`.
    """
    require(actor, Role.STAFF)
    if mends is not None and history.file_of(service, actor, mends) is None:
        raise CannotBeDone("直すファイルがありません / the file to be mended is not there")
    job_id, safe = uuid4(), _safe(name, kind)
    folder = folder_of(service.settings) / str(job_id)
    folder.mkdir(mode=0o700)
    path = folder / safe
    arguments = {
        "file_kind": kind.value, "name": path.name, "folder": str(job_id), "training": training,
        "as_of": as_of.isoformat() if as_of else None, "dry_run": dry_run, "mends": mends,
    }  # fmt: skip
    try:
        return _ask(service, actor, arguments, _keep(content, path), job_id)
    except BaseException:  # whatever it was, nobody would ever come for the file
        shutil.rmtree(folder, ignore_errors=True)
        raise


def import_checked(service: Service, actor: Actor, checked: UUID) -> UUID:
    """Import a file that was checked before; the job, which is the same when asked for twice.

    Raises :class:`CannotBeDone` and :class:`~contact_service.domain.actors.NotAllowed`.
    """
    require(actor, Role.STAFF)
    with service.engine.connect() as connection:
        job = _own(connection, actor, checked)
        known: UUID | None = connection.scalar(
            text("SELECT id FROM job WHERE kind = :kind AND arguments ->> 'checked' = :checked"),
            {"kind": KIND, "checked": str(checked)},
        )
    if job is None or not job.arguments["dry_run"]:
        raise CannotBeDone("確かめたファイルではありません / no file that was checked")
    if known is not None:
        return known
    arguments = {**job.arguments, "dry_run": False, "checked": str(checked)}
    return _ask(service, actor, arguments, job.total, uuid4())


def one(service: Service, actor: Actor, job_id: UUID) -> Job | None:
    """One file that was handed in, of the reader's office."""
    require(actor, *history.READERS, contractors=False)
    with service.engine.connect() as connection:
        return _own(connection, actor, job_id)


def latest(
    service: Service, actor: Actor, most: int, before: tuple[datetime, UUID] | None = None
) -> list[Job]:
    """What was handed in last, of the reader's office; after the one ``before``."""
    require(actor, *history.READERS, contractors=False)
    office = None if actor.office == EVERY_OFFICE else actor.office
    with service.engine.connect() as connection:
        return jobs.latest(connection, KIND, before, most, office)


def _own(connection: Connection, actor: Actor, job_id: UUID) -> Job | None:
    found = jobs.find(connection, job_id)
    if found is None or found.kind != KIND:
        return None
    return found if actor.office in (EVERY_OFFICE, found.actor.office) else None


def handler(service: Service) -> jobs.Handler:
    """What a worker does with a file."""

    def work(job: Job, progress: Progress) -> Mapping[str, Any]:
        said = job.arguments
        actor = replace(job.actor, kinds=kinds_of(job.actor.office, service.settings))
        path = folder_of(service.settings) / said["folder"] / said["name"]
        try:
            report = import_file(
                service, actor, said["file_kind"], path,
                training=said["training"], dry_run=said["dry_run"],
                as_of=date.fromisoformat(said["as_of"]) if said["as_of"] else None,
                on_progress=progress,
            )  # fmt: skip
        except FileRefused as refusal:
            raise CannotBeDone(str(refusal)) from None
        if not said["dry_run"]:
            _note(service, job, report.file_id)
        return _result(report)

    return work


def rejects_of(service: Service, actor: Actor, job_id: UUID) -> Path | None:
    """The file of rejected rows of one import, to be mended; that it was handed out is recorded.
    ``None``: there is none, or no longer."""
    require(actor, Role.STAFF)
    with service.engine.begin() as connection:
        job = _own(connection, actor, job_id)
        if job is None or job.result is None or not job.result["rejects"]:
            return None
        folder = folder_of(service.settings) / str(job.arguments["folder"])
        path = folder / str(job.result["rejects"])
        if not path.is_file():
            return None
        audit.record(
            connection, service.clock.now(), actor, "intake.rejects", f"job:{job_id}",
            rows=job.result["counts"]["rejected"],
        )  # fmt: skip
    return path


def _ask(
    service: Service, actor: Actor, arguments: Mapping[str, Any], size: int, job_id: UUID
) -> UUID:
    with service.engine.begin() as connection:
        return jobs.ask(
            connection, actor, KIND, arguments, service.clock.now(), total=size, job_id=job_id
        )


def _result(report: Report) -> dict[str, Any]:
    return {
        "file_id": None if report.dry_run else report.file_id,
        "counts": asdict(report.counts),
        "layout": report.layout,
        "as_of": report.as_of.isoformat() if report.as_of else None,
        "remarks": dict(report.remarks),
        "rejects": report.rejects.name if report.rejects else None,
        # without the values: they may be personal, and are in the file of rejected rows
        "faults": [
            {"line": fault.line, "column": fault.column, "ja": fault.ja, "en": fault.en}
            for fault in report.first_faults
        ],
    }


def _note(service: Service, job: Job, file_id: int) -> None:
    """Write beside the file which job brought it, and which file it mends."""
    with service.engine.begin() as connection:
        connection.execute(
            text("""
            UPDATE source_file SET details = details || jsonb_build_object(
                'job', CAST(:job AS text), 'mends', CAST(:mends AS bigint)) WHERE id = :id
            """),
            {"id": file_id, "job": str(job.id), "mends": job.arguments["mends"]},
        )


def _keep(content: IO[bytes], path: Path) -> int:
    size = 0
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as kept:
        while block := content.read(_BLOCK):
            size += len(block)
            if size > MOST_BYTES:
                raise CannotBeDone(
                    f"ファイルが大きすぎます（{MOST_BYTES // 1_000_000:,} MB まで）。"
                    "いくつかに分けてください / the file is larger than "
                    f"{MOST_BYTES // 1_000_000:,} MB: split it"
                )
            kept.write(block)
    if not size:
        raise CannotBeDone("ファイルが空です。選び直してください / the file is empty")
    return size


def _safe(name: str, kind: FileKind) -> str:
    """The name that a browser told, without any way to another folder. Telephone systems name
    their logs as they like (``queue_log``, ``queue_log.1.gz``): these are told by what they hold.
    """
    plain = re.sub(r"[\x00-\x1f\x7f/\\]", "_", name.replace("\\", "/").rpartition("/")[2]).strip(
        ". "
    )
    if kind is FileKind.CALLS:
        return _short(plain[::-1])[::-1].lstrip(". ") or "calls"  # the end says what it is
    if not plain.lower().endswith(_SUFFIXES):
        raise CannotBeDone(
            f"CSV か Excel（.xlsx）のファイルを選んでください（{', '.join(_SUFFIXES)}） / "
            "choose a CSV or .xlsx file"
        )
    stem, dot, suffix = plain.rpartition(".")
    return f"{_short(stem)}{dot}{suffix}"


def _short(name: str) -> str:
    """As much of a name as a file system takes with what is added to it: 255 bytes in all, of
    which a Japanese letter is three."""
    return name.encode("utf-8", "replace")[:200].decode("utf-8", "ignore")


def tidy(service: Service) -> None:
    """Remove files that are in the ledger, whatever was handed in too long ago, and what whoever
    was killed while handing it in has left behind."""
    folder = folder_of(service.settings)
    _remove_unknown(service, folder)
    with service.engine.connect() as connection:
        rows = connection.execute(
            text("""
            SELECT arguments ->> 'folder' AS folder, arguments ->> 'name' AS name,
                finished_at < :before AS old, (arguments ->> 'dry_run')::bool AS dry_run
            FROM job WHERE kind = :kind AND state IN ('done', 'refused')
            """),
            {"kind": KIND, "before": service.clock.now() - KEPT},
        ).all()
    for row in rows:
        if row.old:
            shutil.rmtree(folder / row.folder, ignore_errors=True)
        elif not row.dry_run:
            (folder / row.folder / row.name).unlink(missing_ok=True)


def _remove_unknown(service: Service, folder: Path) -> None:
    """Folders that no job knows; by real time, as files have it."""
    with service.engine.connect() as connection:
        now = connection.scalar(text("SELECT clock_timestamp()"))
        before = (now - HANDED_IN_WITHIN).timestamp()
        old = {path.name: path for path in folder.iterdir() if _made_before(path, before)}
        known = connection.scalars(
            text("""
            SELECT arguments ->> 'folder' FROM job WHERE kind = :kind
            AND arguments ->> 'folder' = ANY(:names)
            """),
            {"kind": KIND, "names": list(old)},
        ).all()
    for name in old.keys() - set(known):
        shutil.rmtree(old[name], ignore_errors=True)


def _made_before(path: Path, before: float) -> bool:
    """Whether it is a folder of a file, and so old; what else lies there is not ours to remove."""
    try:
        return str(UUID(path.name)) == path.name and path.stat().st_mtime < before
    except (ValueError, FileNotFoundError):
        return False
