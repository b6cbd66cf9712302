"""Texts to people in hardship: once, with consent, by the carrier, though all chasing has ended."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from contact_service.callcentre.dispositions import Conversation, Incomplete, record_disposition
from contact_service.callcentre.list import next_person
from contact_service.dispatch.support_texts import send
from contact_service.domain.actors import Actor, Role
from contact_service.domain.states import DispositionKind
from providers.base import Accepted, Cause, Message, Outcome, Refused, Result, Throttled, Unknown
from tests.dispatch.conftest import Floor, floor
from tests.ledger import mobile

__all__ = ["floor"]
SATO = Actor("sato", Role.OPERATOR)


def hardship(floor: Floor, number: str = mobile(1), *, agreed: bool = True) -> UUID:
    """Somebody on the telephone says that they cannot pay."""
    floor.ledger.person([number])
    floor.start()
    floor.clock.at += timedelta(days=14, hours=1)
    person = next_person(floor.service, SATO, floor.clock.now())
    assert person is not None
    said = Conversation(
        person.attempt_id, DispositionKind.HARDSHIP, floor.clock.now(), 60, 0,
        support_desk="法テラス", text_support=agreed,
    )  # fmt: skip
    for _ in range(2):  # pressed twice
        record_disposition(floor.service, SATO, said, floor.clock.now())
    return person.attempt_id


def sent(floor: Floor, monkeypatch: pytest.MonkeyPatch, answer: Result) -> list[Message]:
    """What the carrier is handed by two rounds of the beat."""
    handed: list[Message] = []

    async def submit(contact: Message) -> Result:
        handed.append(contact)
        return answer

    monkeypatch.setattr(floor.carrier, "submit", submit)
    for _ in range(2):
        asyncio.run(send(floor.service, floor.config, floor.carrier))
    return handed


def state(floor: Floor) -> object:
    return floor.ledger.rows("SELECT state, provider_ref, number IS NULL, reason FROM support_text")


def test_the_support_desks_are_sent_once_and_name_no_debt(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    hardship(floor)
    (message,) = sent(floor, monkeypatch, Accepted("SM1"))
    assert message.to == mobile(1)
    assert "法テラス、" in message.body and "ぷらっとホーム世田谷" in message.body
    assert not any(word in message.body for word in ("円", "滞納", "未納", "納付が", "世田谷太郎"))
    assert state(floor) == [("accepted", "SM1", True, None)]
    # and nothing else goes to them any more
    assert floor.ledger.one("SELECT count(*) FROM restriction WHERE kind = 'hardship'") == 1
    assert next_person(floor.service, SATO, floor.clock.now()) is None
    assert floor.ledger.one("SELECT count(*) FROM audit_log WHERE action = 'support.texted'") == 1


def test_without_consent_nothing_is_sent(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    hardship(floor, agreed=False)
    assert sent(floor, monkeypatch, Accepted("SM1")) == []
    assert floor.ledger.one("SELECT count(*) FROM referral") == 1


def test_a_number_without_sms_is_refused_in_words_and_nothing_is_recorded(floor: Floor) -> None:
    with pytest.raises(Incomplete, match="SMSを送れません"):
        hardship(floor, "+81354321111")
    assert floor.ledger.one("SELECT count(*) FROM disposition") == 0


@pytest.mark.parametrize(
    ("answer", "becomes", "times"),
    [
        (Unknown("no answer"), ("unknown", None, True, "no_answer"), 1),
        (Refused(Cause.NEVER_THIS_NUMBER, Outcome.INVALID_NUMBER),
         ("finished", None, True, "never_this_number"), 1),
        (Throttled(timedelta(0)), ("planned", None, False, "throttled"), 1),
    ],
)  # fmt: skip
def test_what_is_uncertain_is_never_sent_again(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, answer: Result, becomes: object, times: int
) -> None:
    hardship(floor)
    assert len(sent(floor, monkeypatch, answer)) == times
    assert state(floor) == [becomes]
    floor.clock.at += timedelta(minutes=1)
    again = sent(floor, monkeypatch, Accepted("SM2"))
    assert len(again) == (1 if isinstance(answer, Throttled) else 0)


def test_stopping_everything_stops_it_and_a_live_carrier_gets_no_training_data(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    hardship(floor)
    live = floor.config.model_copy(update={"live": True})
    assert asyncio.run(send(floor.service, live, floor.carrier)) == 0
    floor.ledger.run("INSERT INTO stop_switch (scope, reason, set_at, set_by) "
                     "VALUES ('all', 'test', now(), 'test')")  # fmt: skip
    assert sent(floor, monkeypatch, Accepted("SM1")) == []
    # a worker died between lease and answer: nobody knows, so it is not sent again
    floor.ledger.run("DELETE FROM stop_switch")
    floor.ledger.run(
        "UPDATE support_text SET state = 'leased', lease_until = now() - interval '1 minute'"
    )
    assert sent(floor, monkeypatch, Accepted("SM1")) == []
    assert state(floor) == [("unknown", None, True, "lease_expired")]
