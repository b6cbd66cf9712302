"""Opening a person: whoever wants to see who it is says why, and it is written down."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, text

from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, require
from contact_service.domain.references import NoReference, reference
from contact_service.identity.bulk_access import require_few_or_granted
from contact_service.people.search import OWED_TO_THEM, SEARCHERS, office_of
from contact_service.store import audit

#: So long somebody sees a person whom they have opened; after that they say why once more.
OPEN_FOR = timedelta(minutes=30)
OPENED = "person.open"


class OpenReason(StrEnum):
    """Why a person is opened."""

    THEY_ASK = "they_ask"  # 本人・家族からの問合せ
    COMPLAINT = "complaint"
    RESTRICTION = "restriction"  # a restriction is to be entered or checked
    CHECK = "check"  # why they were, or were not, contacted
    CORRECTION = "correction"  # what the ledger says may be wrong
    OTHER = "other"


OPEN_REASON_JA: Mapping[OpenReason, str] = {
    OpenReason.THEY_ASK: "本人などからの問合せ",
    OpenReason.COMPLAINT: "苦情への対応",
    OpenReason.RESTRICTION: "交渉制限の登録・確認",
    OpenReason.CHECK: "催告の対象・結果の確認",
    OpenReason.CORRECTION: "台帳の誤りの確認",
    OpenReason.OTHER: "その他",
}
OPEN_REASON_EN: Mapping[OpenReason, str] = {
    OpenReason.THEY_ASK: "they asked",
    OpenReason.COMPLAINT: "a complaint",
    OpenReason.RESTRICTION: "to enter or check a restriction",
    OpenReason.CHECK: "to check contacts or results",
    OpenReason.CORRECTION: "the ledger may be wrong",
    OpenReason.OTHER: "other",
}


class NoPerson(Exception):
    """There is no such person in the ledger."""


class NotOpened(Exception):
    """Somebody wants to see, or change, a person whom they have not opened."""

    def __init__(self) -> None:
        super().__init__(
            "先に、理由を選んでこの方を開いてください / open the person first, with a reason"
        )


def open_person(
    service: Service, actor: Actor, debtor_id: int, reason: OpenReason, note: str = ""
) -> None:
    """Let ``actor`` see the person for :data:`OPEN_FOR`, and write down why.

    ``note`` is the number of a file, and nothing else: the line outlives the person.
    Raises :class:`NoPerson`, :class:`~contact_service.domain.references.NoReference`,
    :class:`~contact_service.domain.actors.NotAllowed`, the latter also for more people in a day
    than one person may open alone.
    """
    require(actor, *SEARCHERS, contractors=False)
    file_number = reference(note)
    with service.engine.begin() as connection:
        known = connection.scalar(
            text(f"SELECT d.code FROM debtor d WHERE d.id = :id AND {OWED_TO_THEM}"),
            {"id": debtor_id, **office_of(actor)},
        )
        if known is None:
            raise no_person(debtor_id)
        if known in file_number:  # a short person code reads like a number of a file
            raise NoReference
        now = service.clock.now()
        require_few_or_granted(connection, actor, OPENED, subject_of(debtor_id), now)
        said = {"note": file_number} if file_number else {}
        audit.record(
            connection, now, actor, OPENED, subject_of(debtor_id),
            reason=reason.value, **said,
        )  # fmt: skip


def opened_until(
    connection: Connection, actor: Actor, debtor_id: int, now: datetime
) -> datetime | None:
    """Until when ``actor`` sees the person; ``None``: not opened, or too long ago."""
    at: datetime | None = connection.scalar(
        text("""
        SELECT at FROM audit_log WHERE subject = :subject AND action = :action AND actor = :actor
        AND at > :since ORDER BY id DESC LIMIT 1
        """),
        {
            "subject": subject_of(debtor_id),
            "action": OPENED,
            "actor": actor.name,
            "since": now - OPEN_FOR,
        },
    )
    return at + OPEN_FOR if at else None


def subject_of(debtor_id: int) -> str:
    """How the audit log names a person."""
    return f"debtor:{debtor_id}"


def no_person(debtor_id: int) -> NoPerson:
    """What is said of a person who is not there."""
    return NoPerson(
        f"台帳に {debtor_id} 番の方はいません。探し直してください / there is no person "
        f"{debtor_id}; search again"
    )
