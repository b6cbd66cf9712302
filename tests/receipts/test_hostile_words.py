"""A report full of what no column takes is kept, and stops nobody else's."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from campaigns.vocabulary import Channel, Outcome
from contact_service.receipts.events import Reported, Via, store_receipts
from providers.base import Receipt
from tests.dispatch.carrier import delivered
from tests.dispatch.conftest import Floor
from tests.ledger import mobile

NASTY = "a\x00\ud842\n" * 100


def test_one_nasty_report_among_honest_ones(floor: Floor) -> None:
    floor.ledger.person([mobile(0)])
    floor.start()
    floor.drain(Channel.SMS)
    [(ref, contact)] = floor.carrier.taken
    nasty = Receipt(
        Channel.SMS, NASTY, NASTY, Outcome.OTHER, final=False, raw={NASTY: NASTY},
        occurred_at=datetime(1, 1, 1, tzinfo=UTC), talk_seconds=10**20,
    )  # fmt: skip
    reports = [
        Reported(nasty, None, Via.POLL),
        Reported(delivered(ref), UUID(contact.reference), Via.POLL),
    ]
    engine, now = floor.service.engine, floor.clock.now()
    assert store_receipts(engine, "scripted", reports, now) == 2
    assert store_receipts(engine, "scripted", reports, now) == 0
    assert floor.ledger.rows(
        "SELECT state, outcome FROM attempt WHERE provider_ref IS NOT NULL"
    ) == [("finished", "delivered")]
