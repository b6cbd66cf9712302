"""Whoever asks to be left alone names no last day, whatever staff have entered before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from campaigns.vocabulary import Outcome
from contact_service.callcentre import incoming, taking
from contact_service.callcentre.calls import no_more_calls
from contact_service.callcentre.dispositions import Conversation, record_disposition
from contact_service.callcentre.inbound_results import record_inbound
from contact_service.callcentre.list import next_person
from contact_service.callcentre.replies import reply_done, take_reply
from contact_service.clock import TOKYO
from contact_service.domain.actors import Actor, Role
from contact_service.domain.restrictions import RestrictionKind
from contact_service.domain.states import DispositionKind, ReplyKind
from contact_service.people.restricting import Wanted, restrict
from contact_service.receipts.events import Reported, Via, key_pressed, store_receipts
from contact_service.receipts.messages import store_messages
from providers.base import InboundMessage
from tests.dispatch.carrier import report
from tests.dispatch.conftest import Floor
from tests.ledger import mobile

OPERATOR, STAFF = Actor("sato", Role.OPERATOR), Actor("mori", Role.STAFF)


def writes(floor: Floor, body: str = "STOP") -> None:
    message = InboundMessage("m1", mobile(1), "0354321111", body)
    store_messages(floor.service, "main", [message], floor.clock.now())


def is_understood(floor: Floor) -> None:
    """What nobody could read by rule an operator takes for a wish to be left alone."""
    now = floor.clock.now()
    writes(floor, "まあその、そういうことで")
    message = int(str(floor.ledger.one("SELECT max(id) FROM inbound_message")))
    assert take_reply(floor.service, OPERATOR, message, now)
    assert reply_done(floor.service, OPERATOR, message, ReplyKind.STOP, now)


def calls(floor: Floor) -> None:
    now = floor.clock.now()
    incoming.arrived(floor.service, "line", "c1", mobile(1), now)
    taken = taking.take(floor.service, OPERATOR, None, now)
    assert taken is not None
    said = Conversation(taken.id, DispositionKind.OPTED_OUT, now, 60, 20)
    record_inbound(floor.service, OPERATOR, said, now)


def tells_who_is_called(floor: Floor) -> None:
    assert no_more_calls(floor.service, OPERATOR, mobile(1), floor.clock.now())


def is_called(floor: Floor) -> None:
    now = floor.clock.now()
    floor.ledger.run(
        "UPDATE attempt SET due_at = :now WHERE channel = 'operator' AND phone_id = "
        "(SELECT min(phone_id) FROM debtor_phone)",
        now=now,
    )
    shown = next_person(floor.service, OPERATOR, now)
    assert shown is not None
    said = Conversation(shown.attempt_id, DispositionKind.OPTED_OUT, now, 60, 20)
    record_disposition(floor.service, OPERATOR, said, now)


def _auto_call(floor: Floor) -> tuple[UUID, str]:
    """The carrier has taken an auto-call to them."""
    attempt_id = floor.ledger.one("""
        SELECT a.id FROM attempt a JOIN target t ON t.id = a.target_id
        JOIN debtor_phone dp ON dp.debtor_id = t.addressee_id
        WHERE a.channel = 'auto_call' ORDER BY dp.debtor_id LIMIT 1""")
    floor.ledger.run(
        "UPDATE attempt SET state = 'accepted', provider = 'scripted', provider_ref = 'a1', "
        "leased_at = :now, submitted_at = :now WHERE id = :id",
        now=floor.clock.now(), id=attempt_id,
    )  # fmt: skip
    assert isinstance(attempt_id, UUID)
    return attempt_id, "a1"


def presses_nine(floor: Floor) -> None:
    attempt_id, ref = _auto_call(floor)
    key_pressed(
        floor.service.engine, "scripted", ref, attempt_id, "stop", Outcome.OPTED_OUT,
        floor.clock.now(),
    )  # fmt: skip


def the_carrier_says(floor: Floor) -> None:
    _, ref = _auto_call(floor)
    told = Reported(report(ref, Outcome.OPTED_OUT, final=True), None, Via.WEBHOOK)
    store_receipts(floor.service.engine, "scripted", [told], floor.clock.now())


WAYS = [
    writes, is_understood, calls, tells_who_is_called, is_called, presses_nine, the_carrier_says
]  # fmt: skip


@pytest.mark.parametrize(
    ("says", "later"),
    # who is left alone today is not called today
    [(way, days) for way in WAYS for days in (0, 1) if days or way is not is_called],
)
def test_an_opt_out_with_a_last_day_does_not_swallow_a_real_one(
    floor: Floor, says: Callable[[Floor], None], later: int
) -> None:
    for n in (1, 2):
        floor.ledger.person([mobile(n)])
    floor.start()
    today = floor.clock.now().astimezone(TOKYO).date()
    wanted = Wanted(RestrictionKind.OPTED_OUT, number=mobile(1), ends_on=today)
    restrict(floor.service, STAFF, wanted)
    floor.clock.at += timedelta(days=later)
    says(floor)
    assert floor.ledger.rows(
        "SELECT kind FROM restriction WHERE lifted_at IS NULL AND ends_on IS NULL"
    ) == [("opted_out",)]
    floor.clock.at += timedelta(days=1 - later)
    floor.drain()
    assert [contact.to for _, contact in floor.carrier.taken] == [mobile(2)]


@pytest.mark.parametrize(
    "kind", [DispositionKind.HARDSHIP, DispositionKind.DECEASED, DispositionKind.LAWYER_ENGAGED]
)
def test_what_is_heard_of_a_person_on_the_day_that_staff_entered_it_has_no_end(
    floor: Floor, kind: DispositionKind
) -> None:
    person = floor.ledger.person([mobile(1)])
    code = floor.ledger.one("SELECT code FROM debtor WHERE id = :id", id=person)
    now = floor.clock.now()
    today = now.astimezone(TOKYO).date()
    wanted = Wanted(RestrictionKind(kind.value), code=str(code), ends_on=today)
    restrict(floor.service, STAFF, wanted)
    incoming.arrived(floor.service, "line", "c1", mobile(1), now)
    taken = taking.take(floor.service, OPERATOR, None, now)
    assert taken is not None
    record_inbound(floor.service, OPERATOR, Conversation(taken.id, kind, now, 60, 20), now)
    assert floor.ledger.rows("SELECT kind, ends_on, origin FROM restriction") == [
        (kind.value, None, "staff")
    ]


def test_saying_it_twice_is_one_restriction(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    writes(floor)
    floor.clock.at += timedelta(days=2)
    message = InboundMessage("m2", mobile(1), "0354321111", "停止")
    store_messages(floor.service, "main", [message], floor.clock.now())
    assert not no_more_calls(floor.service, OPERATOR, mobile(1), floor.clock.now())
    calls(floor)
    assert floor.ledger.one("SELECT count(*) FROM restriction") == 1
