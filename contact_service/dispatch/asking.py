"""What a carrier says about an attempt whose fate is unknown, for the person who decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from campaigns.vocabulary import Channel
from contact_service.bootstrap import Service
from contact_service.dispatch import contacts
from contact_service.dispatch.decide import DECIDERS
from contact_service.dispatch.lease import Lease
from contact_service.dispatch.providers import ProviderConfig
from contact_service.dispatch.reconcile import LOOK_BACK, ask
from contact_service.domain.actors import Actor, require
from contact_service.domain.life import CannotDo
from contact_service.planning.definitions import definitions_of, run_is_own
from contact_service.store import audit
from providers.base import Message, Provider, ProviderUnavailable


@dataclass(frozen=True, slots=True)
class Seen:
    """One contact to the same number that the carrier has."""

    provider_ref: str
    at: datetime
    status: str
    ours: bool | None
    """It carries our identifier or our text; ``None``: a call, which has no text to compare."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the carrier answered."""

    by_reference: bool
    """It was asked by our own identifier: what it does not find, it does not have."""
    seen: Sequence[Seen]


async def look(
    service: Service,
    actor: Actor,
    attempt_id: UUID,
    configs: Mapping[str, ProviderConfig],
    providers: Mapping[str, Provider],
) -> Said:
    """Ask the carrier about one attempt that waits for a person. Nothing is changed by it.

    Raises :class:`CannotDo` when nobody has to decide about it, or the carrier does not answer,
    and :class:`~contact_service.domain.actors.NotAllowed`.
    """
    require(actor, *DECIDERS)
    with service.engine.begin() as connection:
        row = connection.execute(
            text("""
            SELECT a.id, a.run_id, a.step, a.channel, a.provider, a.lease_number, a.leased_at,
                p.number, d.language
            FROM attempt a JOIN phone p ON p.id = a.phone_id
            JOIN target t ON t.id = a.target_id JOIN debtor d ON d.id = t.addressee_id
            WHERE a.id = :id AND a.state = 'unknown' AND a.needs_person
            """),
            {"id": attempt_id},
        ).one_or_none()
        own = row is not None and run_is_own(connection, actor, row.run_id)
        if row is None or not own or row.provider not in configs:
            raise CannotDo(
                "判断を待っている発信ではありません / nobody has to decide about this attempt"
            )
        if row.provider not in providers:
            raise CannotDo(
                "この事業者の設定か秘密がありません。「事業者」の画面の案内に従ってください / the "
                "carrier cannot be used here: see the page of providers"
            )
        definition = definitions_of(connection, {row.run_id})[row.run_id]
        audit.record(connection, service.clock.now(), actor, "attempt.look", str(attempt_id))
    channel, lease = Channel(row.channel), Lease(
        row.id, row.run_id, row.step, row.lease_number, row.number, row.language
    )  # fmt: skip
    try:
        composer = contacts.composer(service, configs[row.provider], channel)
        contact = composer.contact(lease, definition)
        listed, by_reference = await ask(
            providers[row.provider], channel, contact, row.leased_at - LOOK_BACK
        )
    except contacts.CANNOT_PREPARE:
        raise CannotDo(
            "この発信の内容を組み立てられません。事業者に直接問い合わせてください / what was sent "
            "cannot be put together: ask the carrier directly"
        ) from None
    except ProviderUnavailable:
        raise CannotDo(
            "事業者が答えません。時間をおいて、もう一度お試しください / the carrier does not "
            "answer: try again later"
        ) from None
    body = contact.body if isinstance(contact, Message) else None
    seen = [
        Seen(
            item.provider_ref, item.created_at, item.receipt.status,
            True if by_reference else (None if body is None else item.body == body),
        )
        for item in sorted(listed, key=lambda item: item.created_at)
    ]  # fmt: skip
    return Said(by_reference, seen)
