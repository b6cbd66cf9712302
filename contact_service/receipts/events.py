"""Carriers' reports into append-only events, and what follows from them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from campaigns.vocabulary import Channel, Outcome
from contact_service.dispatch.settle import RESTRICTS, protect_numbers, settle
from providers.base import OUTCOME_RANK, Receipt

_STORE = text("""
INSERT INTO event (provider, received_at, provider_ref, attempt_id, channel, status, outcome, rank,
    final, occurred_at, via, talk_seconds, raw, deduplication_key)
SELECT :provider, CAST(:received_at AS timestamptz), r.ref, r.attempt_id, r.channel, r.status,
    r.outcome, r.rank, r.final, r.occurred_at, r.via, r.talk_seconds, r.raw, r.key
FROM ROWS FROM (
    jsonb_to_recordset(CAST(:reports AS jsonb)) AS (ref text, attempt_id uuid, channel text,
        status text, outcome text, rank int, final bool, occurred_at timestamptz, via text,
        talk_seconds int, raw jsonb, key text)
) WITH ORDINALITY AS r(ref, attempt_id, channel, status, outcome, rank, final, occurred_at, via,
    talk_seconds, raw, key, place)
-- in one order for everybody: two processes may be told the same things at once
ORDER BY r.key COLLATE "C", r.place
ON CONFLICT (provider, deduplication_key) DO NOTHING
""")


#: The attempts that reports name, by our identifier or by the carrier's, locked. What was handed to
#: one carrier is no other's to speak of, whatever identifier it names; what is not handed over at
#: the moment may have been before.
_CONCERNED = text("""
WITH named AS MATERIALIZED (
    SELECT CAST(r ->> 0 AS uuid) AS id, r ->> 1 AS ref
    FROM jsonb_array_elements(CAST(:named AS jsonb)) r
)
SELECT id FROM attempt WHERE id = ANY(ARRAY(
    SELECT id FROM attempt WHERE id = ANY(ARRAY(SELECT id FROM named))
    AND (provider = :provider OR provider IS NULL AND lease_number > 0)
    UNION
    SELECT id FROM attempt WHERE provider = :provider
    AND provider_ref = ANY(ARRAY(SELECT ref FROM named))
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
    try:
        with engine.begin() as connection:
            stored = _write(connection, provider, reports, now)
            _heed(connection, provider, reports)
    except DBAPIError:
        # what was said is kept, whatever keeps us from heeding it
        with engine.begin() as connection:
            stored = _write(connection, provider, reports, now)
        with engine.begin() as connection:
            _heed(connection, provider, reports)
    return stored


def _write(
    connection: Connection, provider: str, reports: Sequence[Reported], now: datetime
) -> int:
    # one value for any number of them: an array a column cost the driver several times as much
    told = json.dumps([_row(report, now) for report in reports])
    values = {"provider": provider, "received_at": now, "reports": told}
    return connection.execute(_STORE, values).rowcount


def _heed(connection: Connection, provider: str, reports: Sequence[Reported]) -> None:
    named = [(_text(report.attempt_id), report.receipt.provider_ref) for report in reports]
    ids = connection.scalars(_CONCERNED, {"provider": provider, "named": json.dumps(named)}).all()
    settle(connection, ids, locked=True)
    if any(report.receipt.outcome in RESTRICTS for report in reports):
        protect_numbers(connection, ids)


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


def _row(report: Reported, now: datetime) -> dict[str, object]:
    receipt = report.receipt
    return {
        "ref": receipt.provider_ref,
        "attempt_id": _text(report.attempt_id),
        "channel": receipt.channel,
        "status": receipt.status[:60],
        "outcome": receipt.outcome,
        "rank": OUTCOME_RANK[receipt.outcome] if receipt.outcome else 0,
        "final": receipt.final,
        "occurred_at": (receipt.occurred_at or now).isoformat(),
        "via": report.via,
        "talk_seconds": receipt.talk_seconds,
        "raw": dict(receipt.raw),
        "key": receipt.deduplication_key,
    }


def _text(attempt_id: UUID | None) -> str | None:
    return None if attempt_id is None else str(attempt_id)
