"""Which files came, and which of their rows were rejected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, Role, require
from contact_service.intake.faults import REASON_TEXT, Reason
from contact_service.store import audit

READERS = (Role.STAFF, Role.APPROVER, Role.OPERATOR, Role.SUPERVISOR, Role.AUDITOR)
MOST = 50


@dataclass(frozen=True, slots=True)
class File:
    """One imported file."""

    id: int
    kind: str
    """FileKind."""
    name: str
    layout: str
    training: bool
    rows: int
    accepted: int
    updated: int
    unchanged: int
    rejected: int
    skipped: int
    details: Mapping[str, Any]
    """as_of, encoding, the remarks of its import; ``job`` and ``mends`` if it came by a page."""
    imported_at: datetime
    imported_by: str
    mended_by: int | None
    """The file that brought its rejected rows back."""


@dataclass(frozen=True, slots=True)
class RejectedCell:
    """What is wrong with one cell."""

    id: int
    line: int
    column: str
    value: str | None
    """As the file has it; ``None`` for those who may not see it."""
    ja: str
    en: str


@dataclass(frozen=True, slots=True)
class FaultCount:
    """In how many cells of one column the same is wrong."""

    column: str
    ja: str
    en: str
    cells: int


_FILES = """
SELECT f.id, f.kind, f.name, f.layout, f.training, f.rows, f.accepted, f.updated, f.unchanged,
    f.rejected, f.skipped, f.details, f.imported_at, f.imported_by,
    CASE WHEN f.rejected > 0 THEN (SELECT m.id FROM source_file m
        WHERE m.id > f.id AND (m.details ->> 'mends')::bigint = f.id
        ORDER BY m.id DESC LIMIT 1) END AS mended_by
FROM source_file f
WHERE (CAST(:office AS text) = '*' OR f.office = :office)
"""


def of_office(actor: Actor) -> dict[str, str]:
    """A file is its office's (所管課): it may hold people whom others do not know."""
    return {"office": actor.office}


def files(
    service: Service, actor: Actor, before: int | None = None, most: int = MOST
) -> tuple[list[File], int | None]:
    """The files that were imported last, before the file ``before``; and where the next page
    begins. Raises :class:`~contact_service.domain.actors.NotAllowed`."""
    require(actor, *READERS, contractors=False)
    sql = f"{_FILES} AND (CAST(:before AS bigint) IS NULL OR f.id < :before)"
    with service.engine.connect() as connection:
        rows = connection.execute(
            text(f"{sql} ORDER BY f.id DESC LIMIT :most"),
            {"before": before, "most": most + 1} | of_office(actor),
        ).all()
    found = [_file(row) for row in rows[:most]]
    return found, found[-1].id if len(rows) > most else None


def file_of(service: Service, actor: Actor, file_id: int) -> File | None:
    """One file. Raises :class:`~contact_service.domain.actors.NotAllowed`."""
    require(actor, *READERS, contractors=False)
    with service.engine.connect() as connection:
        row = connection.execute(
            text(f"{_FILES} AND f.id = :id"), {"id": file_id} | of_office(actor)
        ).one_or_none()
    return _file(row) if row else None


def rejected(
    service: Service, actor: Actor, file_id: int, after: int = 0, most: int = MOST
) -> tuple[Sequence[RejectedCell], int | None]:
    """The cells of a file for which rows were rejected, after the cell ``after``; and where the
    next page begins. Values are shown to whoever may import, and that they were is recorded.

    Raises :class:`~contact_service.domain.actors.NotAllowed`.
    """
    require(actor, *READERS, contractors=False)
    shown = actor.role in (Role.STAFF, Role.ADMINISTRATOR, Role.SYSTEM)
    with service.engine.begin() as connection:
        rows = connection.execute(
            text("""
            SELECT r.id, r.line, r."column", r.reason, r.value
            FROM rejected_row r JOIN source_file f ON f.id = r.source_file_id
            WHERE r.source_file_id = :file AND r.id > :after
                AND (CAST(:office AS text) = '*' OR f.office = :office)
            ORDER BY r.id LIMIT :most
            """),
            {"file": file_id, "after": after, "most": most + 1} | of_office(actor),
        ).all()
        if rows and shown:
            audit.record(
                connection, service.clock.now(), actor, "intake.show_rejected",
                f"source_file:{file_id}", cells=min(len(rows), most),
            )  # fmt: skip
    open_ = service.vault.open
    cells = []
    for row in rows[:most]:
        ja, en = REASON_TEXT[Reason(row.reason)]
        value = open_("rejected_row.value", row.value) if shown and row.value else None
        cells.append(RejectedCell(row.id, row.line, row.column or "", value, ja, en))
    return cells, cells[-1].id if len(rows) > most else None


def faults(service: Service, actor: Actor, file_id: int) -> Sequence[FaultCount]:
    """What is wrong with a file, the most frequent first: whoever mends ten thousand rows mends a
    few kinds of fault. Raises :class:`~contact_service.domain.actors.NotAllowed`."""
    require(actor, *READERS, contractors=False)
    with service.engine.connect() as connection:
        rows = connection.execute(
            text("""
            SELECT coalesce(r."column", '') AS "column", r.reason, count(*) AS cells
            FROM rejected_row r JOIN source_file f ON f.id = r.source_file_id
            WHERE r.source_file_id = :file AND (CAST(:office AS text) = '*' OR f.office = :office)
            GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
            """),
            {"file": file_id} | of_office(actor),
        ).all()
    return [FaultCount(row.column, *REASON_TEXT[Reason(row.reason)], row.cells) for row in rows]


def _file(row: Row[Any]) -> File:
    return File(**row._mapping)
