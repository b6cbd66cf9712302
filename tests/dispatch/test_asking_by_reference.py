"""Settling what is unknown at carriers that are asked by our identifier, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from providers.base import Channel, Listed, NotSupported
from tests.dispatch.carrier import delivered
from tests.dispatch.conftest import Floor
from tests.ledger import mobile


def lost_answer(floor: Floor) -> str:
    """One message whose answer was lost; its identifier."""
    floor.ledger.person([mobile(1)])
    floor.start()
    return str(floor.ledger.one("SELECT id FROM attempt WHERE channel = 'sms'"))


def test_a_carrier_that_cannot_be_asked_leaves_it_to_a_person(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = lost_answer(floor)
    floor.ledger.run(
        "UPDATE attempt SET state = 'unknown', provider = :p, lease_number = 1, "
        "leased_at = :now, lease_until = clock_timestamp() - interval '1 hour' WHERE id = :id",
        p=floor.config.name, now=floor.clock.now(), id=attempt,
    )  # fmt: skip

    async def never(*_: object) -> Sequence[Listed]:
        raise NotSupported("list_sent")

    monkeypatch.setattr(floor.carrier, "list_sent", never)
    monkeypatch.setattr(
        floor.carrier,
        "capabilities",
        replace(floor.carrier.capabilities, listing_complete_after=None),
    )
    assert floor.settle_unknown().for_a_person == 1


@pytest.mark.parametrize("taken", [True, False])
def test_our_own_identifier_settles_it(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    attempt = lost_answer(floor)
    now = floor.clock.now()
    floor.ledger.run(
        "UPDATE attempt SET state = 'unknown', provider = :p, lease_number = 1, "
        "leased_at = :now, lease_until = clock_timestamp() - interval '1 hour' WHERE id = :id",
        p=floor.config.name, now=now, id=attempt,
    )  # fmt: skip
    asked: list[str] = []

    async def look_up(channel: Channel, reference: str) -> Listed | None:
        asked.append(reference)
        at: datetime = now + timedelta(seconds=1)
        rewritten = Listed("r1", mobile(1), "another text", at, delivered("r1"))
        return rewritten if taken else None

    monkeypatch.setattr(floor.carrier, "look_up_reference", look_up, raising=False)
    monkeypatch.setattr(
        floor.carrier,
        "capabilities",
        replace(
            floor.carrier.capabilities,
            look_up_by_reference=True,
            listing_complete_after=timedelta(0),
        ),
    )
    result = floor.settle_unknown()
    assert asked == [attempt]
    assert (result.accepted, result.planned_again) == ((1, 0) if taken else (0, 1))
