"""A file into the ledger: read, check, stage, merge, in one transaction."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import partial
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection, insert, select, update

from campaigns.vocabulary import ClaimKind
from contact_service.bootstrap import Service
from contact_service.domain.actors import EVERY_OFFICE, Actor, Role, require
from contact_service.domain.dates import parse_date
from contact_service.intake import calls, claims, payments, restrictions, staging
from contact_service.intake.detection import detect
from contact_service.intake.faults import Fault, FileRefused, Reason
from contact_service.intake.fields import FileKind
from contact_service.intake.layout import Layout
from contact_service.intake.parsing import RowParser, Values
from contact_service.intake.reading import Row, Survey, Table, opened
from contact_service.intake.rejects import Rejects, target_for
from contact_service.intake.staging import Import, Importer
from contact_service.logs import log
from contact_service.store import audit
from contact_service.store.engine import LEDGER_LOCK
from contact_service.store.indexing import writing
from contact_service.store.tables.ledger import claim, source_file

IMPORTERS: Mapping[FileKind, Importer] = {
    FileKind.CLAIMS: claims.IMPORTER,
    FileKind.PAYMENTS: payments.IMPORTER,
    FileKind.RESTRICTIONS: restrictions.IMPORTER,
    FileKind.CALLS: calls.IMPORTER,
}
#: Files whose rows each name a kind of claim.
_ABOUT_CLAIMS = (claims.IMPORTER, payments.IMPORTER)
ROWS_AT_ONCE = 2000
_DAY_IN_NAME = re.compile(r"(?<!\d)(\d{8})(?!\d)")


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the data rows; ``rows`` is the sum of the others."""

    rows: int
    accepted: int  # new in the ledger
    updated: int
    unchanged: int
    rejected: int
    skipped: int  # total rows and repetitions of an earlier row


@dataclass(frozen=True, slots=True)
class Report:
    """What an import did, or with ``dry_run`` would have done."""

    file_id: int
    """Of ``source_file``; of a dry run it means nothing afterwards."""
    counts: Counts
    layout: str
    as_of: date | None  # the day that a claims file describes
    dry_run: bool
    rejects: Path | None  # where the rejected rows are
    first_faults: list[Fault]
    remarks: Mapping[str, int]


def import_file(
    service: Service,
    actor: Actor,
    kind: str,
    path: Path,
    *,
    layout: str | Path | None = None,
    dry_run: bool = False,
    training: bool = False,
    as_of: date | None = None,
    rejects: Path | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Report:
    """Import ``path`` as a file of ``kind``, a word of :class:`FileKind`.

    ``as_of``: the day that the file describes; by default the eight digits in its name, else
    the day on which the same bytes were first imported, else today; a claims file whose day is
    not known is refused once there are claims. ``training`` marks people
    as sample data, who are never contacted over a live carrier. ``dry_run`` does everything,
    writes the rejects file and undoes the rest. ``on_progress`` is told how many bytes have
    been read. Raises :class:`~contact_service.intake.faults.FileRefused`, with nothing changed,
    and :class:`~contact_service.domain.actors.NotAllowed`.
    """
    require(actor, Role.STAFF)
    file_kind = FileKind(kind)
    chosen, found = detect(path, file_kind, layout)
    target = target_for(path, rejects, service.settings.state_dir)
    now = service.clock.now()
    with service.engine.connect() as connection, connection.begin() as transaction:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (LEDGER_LOCK,))
        connection.exec_driver_sql("SET LOCAL work_mem = '64MB'")
        vault = writing(connection, service.vault)
        day = as_of or _day_described(connection, file_kind, path, found, now)
        file_id = _begin_record(connection, path, chosen, found, training, now, actor)
        with opened(path, chosen, found) as table, _rejects(
            target, table, chosen, found, service, file_id
        ) as rejected:  # fmt: skip
            parser = RowParser(chosen, table.headings)
            file = Import(connection, vault, file_id, day, training, parser.fields)
            importer = IMPORTERS[file_kind]
            staging.create(connection, importer)
            rows, totals = _stage(file, importer, actor, table, parser, rejected, on_progress)
            staging.set_repeated_aside(connection, importer)
            aside = partial(staging.aside, connection)
            again = partial(_reject_again, file, path, chosen, found, rejected)
            again(importer.subject, Reason.CONFLICTING_ROW, staging.conflicting(connection))
            if actor.office != EVERY_OFFICE and file_kind is FileKind.RESTRICTIONS:
                staging.set_foreign_aside(connection, actor.own_kinds)
                again("notice_number", Reason.OTHER_OFFICE, aside("foreign_rows"))
            if file_kind is FileKind.RESTRICTIONS:
                restrictions.set_shorter_aside(file)
                again("ends_on", Reason.ENDED_BY_FILE, aside("shorter_rows"))
            repeated = staging.count_same(connection)
            merged = importer.merge(file)
            counts = Counts(
                rows,
                merged.accepted,
                merged.updated,
                merged.unchanged,
                rejected.rows,
                totals + repeated,
            )
            remarks = {name: count for name, count in merged.remarks.items() if count}
            _finish_record(connection, file_id, counts, found.encoding_for(chosen), day, remarks)
            audit.record(
                connection,
                now,
                actor,
                "intake.import",
                f"source_file:{file_id}",
                kind=kind,
                layout=chosen.name,
                **asdict(counts),
            )
            if dry_run:
                transaction.rollback()
            else:
                transaction.commit()
            kept = rejected.keep()
    log(__name__).info("imported", kind=kind, layout=chosen.name, dry_run=dry_run, **asdict(counts))
    described = day if file_kind is FileKind.CLAIMS else None
    return Report(file_id, counts, chosen.name, described, dry_run, kept, rejected.shown, remarks)


def _rejects(
    target: Path, table: Table, layout: Layout, found: Survey, service: Service, file_id: int
) -> Rejects:
    return Rejects(target, table, layout, found.encoding_for(layout), service.vault, file_id)


def _day_described(
    connection: Connection, kind: FileKind, path: Path, found: Survey, now: datetime
) -> date:
    for digits in _DAY_IN_NAME.findall(path.stem):
        try:
            return parse_date(digits)
        except ValueError:
            continue
    before = connection.execute(
        select(source_file.c.details["as_of"].astext)
        .where(source_file.c.sha256 == found.sha256)
        .order_by(source_file.c.id)
        .limit(1)
    ).scalar_one_or_none()
    if before:
        return date.fromisoformat(before)
    if kind is FileKind.CLAIMS and connection.scalar(select(claim.c.id).limit(1)):
        # taken for today's, an old file would bring paid debts back to life
        raise FileRefused(
            f"{path.name} がいつ時点の一覧かわかりません。ファイル名に日付（8桁、例 20260930）を"
            "入れるか、基準日（--as-of YYYY-MM-DD）を指定してください",
            f"it is not known which day {path.name} describes: put the date (8 digits) into its "
            "name, or give that day (--as-of YYYY-MM-DD)",
        )
    return now.date()


def _begin_record(
    connection: Connection,
    path: Path,
    layout: Layout,
    found: Survey,
    training: bool,
    now: datetime,
    actor: Actor,
) -> int:
    file_id: int = connection.execute(
        insert(source_file)
        .values(
            kind=layout.kind.value,
            layout=layout.name,
            name=path.name,
            sha256=found.sha256,
            size_bytes=found.size_bytes,
            training=training,
            imported_at=now,
            imported_by=actor.name,
            office=actor.office,
            **asdict(Counts(0, 0, 0, 0, 0, 0)),
        )
        .returning(source_file.c.id)
    ).scalar_one()
    return file_id


def _finish_record(
    connection: Connection,
    file_id: int,
    counts: Counts,
    encoding: str,
    as_of: date,
    remarks: Mapping[str, int],
) -> None:
    details = {"as_of": as_of.isoformat(), "encoding": encoding, **remarks}
    connection.execute(
        update(source_file)
        .where(source_file.c.id == file_id)
        .values(details=details, **asdict(counts))
    )


def _stage(
    file: Import,
    importer: Importer,
    actor: Actor,
    table: Table,
    parser: RowParser,
    rejected: Rejects,
    on_progress: Callable[[int], None] | None,
) -> tuple[int, int]:
    """Move the file's good rows into ``staged``; how many rows it has, and how many totals."""
    columns = {"line": "int4", "digest": "bytea", **importer.columns}
    stage = importer.stager(file.vault)
    by_office = actor.office != EVERY_OFFICE and importer in _ABOUT_CLAIMS
    rows = totals = 0
    for chunk in _chunks(table.rows):
        staged: list[tuple[object, ...]] = []
        for row in chunk:
            if parser.is_total(row):
                totals += 1
                continue
            parsed = parser.parse(row)
            if isinstance(parsed, list):
                rejected.add(row, parsed)
            elif wrong := importer.check(parsed) or (
                _of_another_office(actor, parsed) if by_office else None
            ):
                rejected.add(row, [parser.fault(row, *wrong)])
            else:
                digest = staging.digest(file.vault, parsed)
                staged.append((row.line, digest, *stage(parsed)))
        staging.copy_in(file.connection, "staged", columns, staged)
        rejected.save(file.connection)
        rows += len(chunk)
        if on_progress:
            on_progress(chunk[-1].bytes_read)
    return rows, totals


def _of_another_office(actor: Actor, parsed: Values) -> tuple[str, Reason] | None:
    """An office (所管課) brings claims of its own kinds."""
    return None if actor.sees(ClaimKind(str(parsed["kind"]))) else ("kind", Reason.OTHER_OFFICE)


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, ROWS_AT_ONCE)):
        yield chunk


def _reject_again(
    file: Import,
    path: Path,
    layout: Layout,
    found: Survey,
    rejected: Rejects,
    subject: str,
    reason: Reason,
    lines: Iterator[tuple[int, int]],
) -> None:
    """Reject rows of which only the staged file or the ledger tells what is wrong: ``lines``, each
    with the line that it goes back to.

    Rows that contradict an earlier row: which of them is right is for staff to say. The rejects
    file holds the later ones. Imported again as it is, it overrules the first.
    """
    conflict = next(lines, None)
    if conflict is None:
        return
    with opened(path, layout, found) as table:
        parser = RowParser(layout, table.headings)
        for row in table.rows:
            if conflict is None:
                break
            if row.line != conflict[0]:
                continue
            there = conflict[1] != row.line
            earlier = f"{conflict[1]}行目 / line {conflict[1]}" if there else ""
            rejected.add(row, [parser.fault(row, subject, reason, earlier)])
            if rejected.rows % ROWS_AT_ONCE == 0:
                rejected.save(file.connection)
            conflict = next(lines, None)
    rejected.save(file.connection)
