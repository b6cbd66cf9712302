"""What concerns many people at once takes two persons: one asks, another grants, for a day.

Bulk export is a file with names of people that is no first hand-over of a campaign's step (for
that, two persons have approved the campaign): letters written again. Unmasking in bulk is opening
more than :data:`MOST_OPENED` people within :data:`GRANTED_FOR`. The second person is of the asker's
office (所管課), or of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, NotAllowed, Role, require, require_another
from contact_service.domain.life import CannotDo
from contact_service.logs import mask_numbers
from contact_service.store import audit

#: So many people one person opens within :data:`GRANTED_FOR`; for more they ask.
MOST_OPENED = 50
#: So long what was granted may be done; also the period in which opened people are counted.
GRANTED_FOR = timedelta(days=1)
DECIDERS = (Role.APPROVER, Role.SUPERVISOR)
ASKERS = (Role.STAFF, Role.APPROVER, Role.OPERATOR, Role.SUPERVISOR)
READERS = (*ASKERS, Role.AUDITOR)

#: Of the reader's office, or they see all.
_OWN = "CAST(:office AS text) IN (office, '*')"


class BulkKind(StrEnum):
    """What is asked for."""

    LETTERS_AGAIN = "letters_again"  # a file of letters once more: RUN/STEP/BATCH
    OPEN_MANY = "open_many"  # more people than MOST_OPENED; no subject


BULK_KIND_JA: Mapping[BulkKind, str] = {
    BulkKind.LETTERS_AGAIN: "催告書ファイルの再出力",
    BulkKind.OPEN_MANY: f"{MOST_OPENED}人を超える納付者の開示",
}
BULK_KIND_EN: Mapping[BulkKind, str] = {
    BulkKind.LETTERS_AGAIN: "a file of letters once more",
    BulkKind.OPEN_MANY: f"opening more than {MOST_OPENED} people",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish, decided or not."""

    id: int
    kind: BulkKind
    subject: str
    reason: str
    asked_at: datetime
    asked_by: str
    decided_at: datetime | None
    decided_by: str | None
    granted: bool | None


def ask(service: Service, actor: Actor, kind: BulkKind, subject: str, reason: str) -> int:
    """Ask a second person; the wish's number. Nothing may be done yet.

    Raises ``NotAllowed``, and ``CannotDo`` without a reason or a subject where one is needed, or
    when it was asked for already.
    """
    require(actor, *ASKERS, contractors=False)
    subject = "" if kind is BulkKind.OPEN_MANY else subject.strip()
    if not reason.strip():
        raise CannotDo("理由を書いてください。確認する人の判断に要ります / say why it is needed")
    if kind is BulkKind.LETTERS_AGAIN and subject.count("/") != 2:
        raise CannotDo("実施番号/段階/引渡し番号 の形で書いてください / write it as RUN/STEP/BATCH")
    now = service.clock.now()
    try:
        with service.engine.begin() as connection:
            made: int = connection.execute(
                text("""
                INSERT INTO bulk_access (kind, subject, reason, asked_at, asked_by, office)
                VALUES (:kind, :subject, :reason, :now, :by, :office) RETURNING id
                """),
                {
                    "kind": kind.value, "subject": subject, "now": now, "by": actor.name,
                    "reason": mask_numbers(reason.strip()), "office": actor.office,
                },
            ).scalar_one()  # fmt: skip
            audit.record(
                connection, now, actor, "bulk.ask", f"bulk:{made}", kind=kind.value, what=subject
            )
    except IntegrityError:
        raise CannotDo(
            "もう依頼しています。確認を待ってください / you have asked already"
        ) from None
    return made


def decide(service: Service, actor: Actor, asked_id: int, *, grant: bool) -> None:
    """Grant what somebody else asked for, for a day from now, or refuse it.

    Raises ``NotAllowed``, also for whoever asked, and ``CannotDo`` when it is decided or another
    office's.
    """
    require(actor, *DECIDERS)
    now = service.clock.now()
    with service.engine.begin() as connection:
        asked_by = connection.scalar(
            text(f"""
            SELECT asked_by FROM bulk_access
            WHERE id = :id AND decided_at IS NULL AND {_OWN} FOR UPDATE
            """),
            {"id": asked_id, "office": actor.office},
        )
        if asked_by is None:
            raise CannotDo("もう決まっています / this is decided already")
        require_another(actor, asked_by)
        connection.execute(
            text("""
            UPDATE bulk_access SET decided_at = :now, decided_by = :by, granted = :grant
            WHERE id = :id
            """),
            {"id": asked_id, "now": now, "by": actor.name, "grant": grant},
        )
        audit.record(
            connection, now, actor, "bulk.grant" if grant else "bulk.refuse", f"bulk:{asked_id}"
        )


def require_granted(
    connection: Connection, actor: Actor, kind: BulkKind, subject: str, now: datetime
) -> None:
    """Raise ``NotAllowed`` unless another person has granted it to ``actor`` within a day."""
    granted = connection.scalar(
        text("""
        SELECT 1 FROM bulk_access
        WHERE kind = :kind AND subject = :subject AND asked_by = :by AND granted
        AND decided_at > :since LIMIT 1
        """),
        {"kind": kind.value, "subject": subject, "by": actor.name, "since": now - GRANTED_FOR},
    )
    if granted is None:
        what = f" {subject}" if subject else ""
        raise NotAllowed(
            f"{BULK_KIND_JA[kind]}には、ほかの人の確認が要ります。「まとめての閲覧・出力」で依頼して"
            f"ください（{kind.value}{what}） / {BULK_KIND_EN[kind]} takes a second person"
        )


def require_few_or_granted(
    connection: Connection,
    actor: Actor,
    action: str,
    subject: str,
    now: datetime,
    most: int = MOST_OPENED,
) -> None:
    """Raise ``NotAllowed`` when ``actor`` has opened (the audit log's ``action``) ``most`` others,
    as one person may, and nobody has granted more. One of their openings at a time."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('open:' || :by, 0))"),
        {"by": actor.name},
    )
    others = connection.scalar(
        text("""
        SELECT count(DISTINCT subject) FROM audit_log
        WHERE actor = :by AND action = :action AND at > :since AND subject <> :subject
        """),
        {"by": actor.name, "action": action, "since": now - GRANTED_FOR, "subject": subject},
    )
    if (others or 0) >= most:
        require_granted(connection, actor, BulkKind.OPEN_MANY, "", now)


def asked(
    service: Service, actor: Actor, *, after: tuple[bool, int] | None = None, most: int = 100
) -> Sequence[Asked]:
    """What the office asked for, undecided first, then the newest: behind ``after``, which says
    whether a wish was decided, and its number. Raises ``NotAllowed``."""
    require(actor, *READERS, contractors=False)
    with service.engine.connect() as connection:
        rows = connection.execute(
            text(f"""
            SELECT id, kind, subject, reason, asked_at, asked_by, decided_at, decided_by, granted
            FROM bulk_access
            WHERE {_OWN} AND (CAST(:last AS bigint) IS NULL
                OR (decided_at IS NOT NULL, -id) > (CAST(:decided AS boolean), -:last))
            ORDER BY decided_at IS NOT NULL, id DESC LIMIT :most
            """),
            {
                "most": most, "decided": after[0] if after else None,
                "last": after[1] if after else None, "office": actor.office,
            },
        )  # fmt: skip
        return [Asked(**dict(row._mapping) | {"kind": BulkKind(row.kind)}) for row in rows]
