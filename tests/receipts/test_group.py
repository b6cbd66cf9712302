"""Reports written together: each answered after its commit, a bad one alone refused."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from campaigns.vocabulary import Channel, Outcome
from contact_service.receipts.events import Reported, Via
from contact_service.receipts.group import GroupCommit
from providers.base import Receipt
from tests.dispatch.conftest import Floor


def said(ref: str, status: str = "delivered") -> list[Reported]:
    receipt = Receipt(
        channel=Channel.SMS, provider_ref=ref, status=status, outcome=Outcome.DELIVERED,
        final=True, occurred_at=None,
    )  # fmt: skip
    return [Reported(receipt, uuid4(), Via.WEBHOOK)]


def test_what_came_together_is_written_together_and_on_disk_when_answered(floor: Floor) -> None:
    async def post() -> list[int]:
        group, seen = GroupCommit(floor.service), list[int]()

        async def one(number: int) -> None:
            await group.store("scripted", said(f"SM{number}"))
            question = "SELECT count(*) FROM event WHERE provider_ref = :ref"
            seen.append(int(str(floor.ledger.one(question, ref=f"SM{number}"))))

        await asyncio.gather(*(one(number) for number in range(120)))
        return seen

    assert asyncio.run(post()) == [1] * 120
    commits = "SELECT count(DISTINCT xmin::text) FROM event"
    assert int(str(floor.ledger.one(commits))) <= 3


def test_one_that_cannot_be_stored_is_refused_alone(floor: Floor) -> None:
    async def post() -> list[BaseException | None]:
        group = GroupCommit(floor.service)
        asks = [group.store("scripted", said(f"SM{n}")) for n in range(5)]
        (bad,) = said("SM-bad")
        object.__setattr__(bad.receipt, "status", "bad\0")  # what a receipt never has by itself
        asks.append(group.store("scripted", [bad]))
        return await asyncio.gather(*asks, return_exceptions=True)

    *good, bad = asyncio.run(post())
    assert good == [None] * 5
    assert isinstance(bad, DBAPIError)
    assert floor.ledger.one("SELECT count(*) FROM event") == 5


def test_without_a_database_nobody_is_told_that_it_is_stored(floor: Floor) -> None:
    floor.ledger.run("ALTER TABLE event RENAME TO event_away")

    async def post() -> None:
        await GroupCommit(floor.service).store("scripted", said("SM1"))

    with pytest.raises(DBAPIError):
        asyncio.run(post())
