"""Carriers' reports into append-only events, and what follows from them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Engine, text

from campaigns.vocabulary import Channel, Outcome
from contact_service.dispatch.settle import RESTRICTS, protect_numbers, settle
from providers.base import OUTCOME_RANK, Receipt

_STORE = text("""
INSERT INTO event (provider, received_at, provider_ref, attempt_id, channel, status, outcome, rank,
    final, occurred_at, via, talk_seconds, raw, deduplication_key)
SELECT :provider, CAST(:received_at AS timestamptz), r.ref, r.attempt_id, r.channel, r.status,
    r.outcome, r.rank, r.final, r.occurred_at, r.via, r.talk_seconds, r.raw, r.key
FROM ROWS FROM (
    unnest(CAST(:refs AS text[]), CAST(:attempt_ids AS uuid[]), CAST(:channels AS text[]),
        CAST(:statuses AS text[]), CAST(:outcomes AS text[]), CAST(:ranks AS int[]),
        CAST(:finals AS bool[]), CAST(:occurred_ats AS timestamptz[]), CAST(:vias AS text[]),
        CAST(:talk_seconds AS int[]), CAST(:keys AS text[])),
    -- full of quotes, each of which an array of texts would have to escape
    jsonb_array_elements(CAST(:raws AS jsonb))
) WITH ORDINALITY AS r(ref, attempt_id, channel, status, outcome, rank, final, occurred_at, via,
    talk_seconds, key, raw, place)
-- in one order for everybody: two processes may be told the same things at once
ORDER BY r.key COLLATE "C", r.place
ON CONFLICT (provider, deduplication_key) DO NOTHING
""")


#: The attempts that reports name, by our identifier or by the carrier's, locked.
_CONCERNED = text("""
SELECT id FROM attempt WHERE id = ANY(ARRAY(
    SELECT unnest(CAST(:ids AS uuid[]))
    UNION
    SELECT id FROM attempt WHERE provider = :provider
    AND provider_ref = ANY((SELECT CAST(:refs AS text[]))::text[])
))
ORDER BY id FOR UPDATE
""")


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
    # one statement, which is its own transaction: no BEGIN, no COMMIT to wait for
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        stored = connection.execute(_STORE, _columns(provider, reports, now)).rowcount
        connection.commit()
        # on disk from here on, whatever becomes of what follows; settling again does no harm
        connection.execution_options(isolation_level="READ COMMITTED")
        with connection.begin():
            ids = connection.scalars(_CONCERNED, {
                "provider": provider,
                "ids": [each.attempt_id for each in reports if each.attempt_id is not None],
                "refs": [report.receipt.provider_ref for report in reports],
            }).all()  # fmt: skip
            settle(connection, ids, locked=True)
            if any(report.receipt.outcome in RESTRICTS for report in reports):
                protect_numbers(connection, ids)
    return stored


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


def _columns(provider: str, reports: Sequence[Reported], now: datetime) -> dict[str, object]:
    """Column by column, as one statement takes any number of reports."""
    told = [report.receipt for report in reports]
    return {
        "provider": provider,
        "received_at": now,
        "refs": [receipt.provider_ref for receipt in told],
        "attempt_ids": [report.attempt_id for report in reports],
        "channels": [receipt.channel.value for receipt in told],
        "statuses": [receipt.status[:60] for receipt in told],
        "outcomes": [receipt.outcome.value if receipt.outcome else None for receipt in told],
        "ranks": [OUTCOME_RANK[receipt.outcome] if receipt.outcome else 0 for receipt in told],
        "finals": [receipt.final for receipt in told],
        "occurred_ats": [receipt.occurred_at or now for receipt in told],
        "vias": [report.via.value for report in reports],
        "talk_seconds": [receipt.talk_seconds for receipt in told],
        "keys": [receipt.deduplication_key for receipt in told],
        "raws": json.dumps([dict(receipt.raw) for receipt in told]),
    }
