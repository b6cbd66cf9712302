"""A message to one's own telephone: sent once by the usual way, counted nowhere, to no resident."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from campaigns.vocabulary import Language
from contact_service.clock import FixedClock
from contact_service.dispatch import own_texts
from contact_service.dispatch.support_texts import send
from contact_service.domain.actors import Role
from contact_service.domain.life import CannotDo
from contact_service.planning import versions
from tests.dispatch.conftest import STAFF, Floor, floor
from tests.ledger import definition, mobile
from tests.web.people import signed_in
from tests.web.test_doors import Door, door, door_settings

__all__ = ["door", "door_settings", "floor"]

AT = "/campaigns/test/versions/1"
MINE = "090-8765-4321"


def test_a_message_comes_to_whoever_plans_it_and_to_no_resident(floor: Floor, door: Door) -> None:
    floor.ledger.person([mobile(1)])
    spec = definition(arms=[{"name": "contact"}])
    versions.submit(floor.service.engine, STAFF, spec, spec.model_dump_json(), floor.clock.now())
    staff = signed_in(floor, door, "tanaka", Role.STAFF).open(AT)
    said = {"what": "m/ja", "to": MINE, "again": MINE}
    for wrong, words in (
        ({"again": "090-8765-4320"}, "二つの番号が違います"),
        ({"to": mobile(1), "again": mobile(1)}, "この番号には送れません"),
        ({"to": "03-5432-1111", "again": "03-5432-1111"}, "携帯電話の番号"),
        ({"what": "x/ja"}, "文面を選び直して"),
    ):
        staff.open(AT).send(f"{AT}/test", **(said | wrong))
        assert (staff.status, words in staff.page) == (422, True), words
    assert floor.ledger.one("SELECT count(*) FROM support_text") == 0
    staff.open(AT).send(f"{AT}/test", **said)
    assert staff.status == 200 and "送信を待っています" in staff.page
    # the page's clock is two weeks ahead
    worker = replace(floor.service, clock=FixedClock(floor.clock.now() + timedelta(days=15)))
    for _ in range(2):
        asyncio.run(send(worker, floor.config, floor.carrier))
    assert [(one.to, "お電話ください" in str(one)) for _, one in floor.carrier.taken] == [
        ("+819087654321", True)
    ]
    assert "事業者に渡しました" in staff.open(AT).page
    assert floor.ledger.rows("SELECT state, number FROM support_text") == [("accepted", None)]
    assert floor.ledger.one("SELECT count(*) FROM attempt") == 0
    audited = "SELECT actor, details::text FROM audit_log WHERE action = 'test_message.ask'"
    ((who, details),) = floor.ledger.rows(audited)
    assert who == "tanaka" and "8765" not in str(details) and '"m"' in str(details)
    for _ in range(own_texts.MOST):
        staff.open(AT).send(f"{AT}/test", **said)
    assert staff.status == 422 and "1時間に5通まで" in staff.page
    # the one that was refused is among them
    assert floor.ledger.one("SELECT count(*) FROM support_text") == own_texts.MOST - 1
    evaluator = signed_in(floor, door, "eva", Role.EVALUATOR).open(AT)
    assert "自分の電話に試しに送る" not in evaluator.page
    assert evaluator.send(f"{AT}/test", **said).status == 403


def test_who_is_in_the_ledger_is_not_found_out_by_trying(floor: Floor) -> None:
    """Each guess is one of the five of an hour, and stays on record; an office is told no more of
    another's people than of its own."""
    for n in range(9):
        floor.ledger.person([mobile(n)])
    spec = definition(arms=[{"name": "contact"}])
    service, now = floor.service, floor.clock.now()
    version = versions.submit(service.engine, STAFF, spec, spec.model_dump_json(), now)
    told = []
    for n in range(9):
        with pytest.raises(CannotDo) as refused:
            own_texts.ask(service, STAFF, version.id, "m", Language.JA, mobile(n), mobile(n), now)
        told.append("5通まで" in str(refused.value))
    assert told == [False] * own_texts.MOST + [True] * 4
    tries = "SELECT count(*) FROM audit_log WHERE action = 'test_message.refused'"
    assert floor.ledger.one(tries) == own_texts.MOST
    with pytest.raises(CannotDo, match="5 tests"):
        own_texts.ask(service, STAFF, version.id, "m", Language.JA, MINE, MINE, now)
