"""Carriers' reports into append-only events, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection, Engine, text
from sqlalchemy.dialects.postgresql import insert

from campaigns.vocabulary import Channel, Outcome
from contact_service.dispatch.settle import RESTRICTS, protect_numbers, settle
from contact_service.store.tables.contacts import event
from providers.base import OUTCOME_RANK, Receipt


class Via(StrEnum):
    """How a report reached us."""

    WEBHOOK = "webhook"
    POLL = "poll"
    KEYPAD = "keypad"
    CONNECTION = "connection"
    REPLY = "reply"


@dataclass(frozen=True, slots=True)
class Reported:
    """One report, with what we know of where it belongs."""

    receipt: Receipt
    attempt_id: UUID | None
    via: Via


def store_receipts(
    engine: Engine, provider: str, reports: Sequence[Reported], now: datetime
) -> int:
    """Write reports, then settle their attempts: when this returns all of it is on disk. A
    report that came before changes nothing. Returns how many were new.

    Reports of attempts that are not recorded yet are kept; they count as soon as they match.
    """
    if not reports:
        return 0  # a carrier's trial of the address, for instance
    with engine.begin() as connection:
        stored = connection.execute(
            insert(event)
            .on_conflict_do_nothing(index_elements=["provider", "deduplication_key"])
            .returning(event.c.id),
            # in one order for everybody: two processes may be told the same things at once
            sorted(
                (_row(provider, report, now) for report in reports),
                key=lambda row: str(row["deduplication_key"]),
            ),
        ).all()
    # on disk from here on, whatever becomes of what follows; settling again does no harm
    with engine.begin() as connection:
        refs = [report.receipt.provider_ref for report in reports]
        ids = {report.attempt_id for report in reports if report.attempt_id is not None}
        ids |= _attempts_of(connection, provider, refs)
        settle(connection, ids)
        if any(report.receipt.outcome in RESTRICTS for report in reports):
            protect_numbers(connection, ids)
        return len(stored)


def key_pressed(
    engine: Engine,
    provider: str,
    provider_ref: str,
    attempt_id: UUID,
    node: str,
    outcome: Outcome,
    now: datetime,
) -> None:
    """Write what a key press in an auto-call meant: the caller reached ``node``."""
    receipt = Receipt(
        channel=Channel.AUTO_CALL,
        provider_ref=provider_ref,
        status=f"node:{node}",
        outcome=outcome,
        final=False,
        occurred_at=now,
    )
    store_receipts(engine, provider, [Reported(receipt, attempt_id, Via.KEYPAD)], now)


def _row(provider: str, report: Reported, now: datetime) -> dict[str, object]:
    receipt = report.receipt
    return {
        "provider": provider,
        "provider_ref": receipt.provider_ref,
        "attempt_id": report.attempt_id,
        "channel": receipt.channel.value,
        "status": receipt.status[:60],
        "outcome": receipt.outcome.value if receipt.outcome else None,
        "rank": OUTCOME_RANK[receipt.outcome] if receipt.outcome else 0,
        "final": receipt.final,
        "occurred_at": receipt.occurred_at or now,
        "received_at": now,
        "via": report.via.value,
        "talk_seconds": receipt.talk_seconds,
        "raw": dict(receipt.raw),
        "deduplication_key": receipt.deduplication_key,
    }


def _attempts_of(connection: Connection, provider: str, refs: Sequence[str]) -> set[UUID]:
    rows = connection.execute(
        text(
            "SELECT id FROM attempt WHERE provider = :provider "
            "AND provider_ref = ANY((SELECT CAST(:refs AS text[]))::text[])"
        ),
        {"provider": provider, "refs": list(refs)},
    )
    return {row.id for row in rows}
