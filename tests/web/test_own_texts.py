"""A message to one's own telephone: sent once by the usual way, counted nowhere, to no resident."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from contact_service.clock import FixedClock
from contact_service.dispatch import own_texts
from contact_service.dispatch.support_texts import send
from contact_service.domain.actors import Role
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
        ({"to": mobile(1), "again": mobile(1)}, "台帳にあります"),
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
    assert floor.ledger.one("SELECT count(*) FROM support_text") == own_texts.MOST
    evaluator = signed_in(floor, door, "eva", Role.EVALUATOR).open(AT)
    assert "自分の電話に試しに送る" not in evaluator.page
    assert evaluator.send(f"{AT}/test", **said).status == 403
