"""Whoever says a restriction adds to it: none is ended, or told to strangers, by saying it again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from contact_service.callcentre import incoming, taking
from contact_service.callcentre.dispositions import Conversation
from contact_service.callcentre.inbound_results import record_inbound
from contact_service.clock import TOKYO
from contact_service.domain.actors import Role
from contact_service.domain.life import CannotDo
from contact_service.domain.restrictions import RestrictionKind
from contact_service.domain.states import DispositionKind
from contact_service.people.restricting import (
    CannotRestrict,
    Wanted,
    ask_to_lift,
    decide_lift,
    restrict,
    restrictions,
)
from contact_service.receipts.messages import store_messages
from providers.base import InboundMessage
from tests.dispatch.conftest import Floor
from tests.identity.offices import HEALTH, NURSERY, of
from tests.ledger import Owed, mobile

ENDS = "SELECT ends_on FROM restriction WHERE lifted_at IS NULL ORDER BY id"


def code_of(floor: Floor, person: int) -> str:
    return str(floor.ledger.one("SELECT code FROM debtor WHERE id = :id", id=person))


def call_in(floor: Floor, number: str, kind: DispositionKind, office: str = HEALTH) -> None:
    """Somebody calls and tells an operator of an office."""
    now, operator = floor.clock.now(), of(floor, office, Role.OPERATOR)
    incoming.arrived(floor.service, "line", f"{office}{now}", number, now)
    taken = taking.take(floor.service, operator, None, now)
    assert taken is not None
    record_inbound(floor.service, operator, Conversation(taken.id, kind, now, 60, 20), now)


def written_to(floor: Floor) -> list[str]:
    """Who gets a text of those who are left to write to."""
    floor.drain()
    return [contact.to for _, contact in floor.carrier.taken]


@pytest.mark.parametrize("word", ["hardship", "opted_out"])
def test_nobody_ends_alone_by_a_last_day_what_somebody_else_has_said(
    floor: Floor, word: str
) -> None:
    person = floor.ledger.person([mobile(1)])
    floor.ledger.person([mobile(2)])
    floor.start()
    today = floor.clock.now().astimezone(TOKYO).date()
    again = {"code": code_of(floor, person)}
    if word == "hardship":
        call_in(floor, mobile(1), DispositionKind.HARDSHIP)
    else:
        stop = InboundMessage("m1", mobile(1), "0354321111", "STOP")
        store_messages(floor.service, "main", [stop], floor.clock.now())
        again = {"number": mobile(1)}
    for role in (Role.STAFF, Role.OPERATOR):
        with pytest.raises(CannotRestrict, match="two persons decide"):
            alone = of(floor, NURSERY, role)
            restrict(floor.service, alone, Wanted(RestrictionKind(word), **again, ends_on=today))
    assert floor.ledger.rows(ENDS) == [(None,)]
    floor.clock.at += timedelta(days=1)
    assert written_to(floor) == [mobile(2)]


def test_the_longer_of_two_last_days_holds_and_what_was_lifted_begins_anew(floor: Floor) -> None:
    staff = of(floor, HEALTH, Role.STAFF)
    approver = replace(of(floor, HEALTH, Role.APPROVER), name="kato")
    code = code_of(floor, floor.ledger.person([mobile(1)]))
    today = floor.clock.now().astimezone(TOKYO).date()

    def say(days: int | None, note: str = "") -> int:
        ends = None if days is None else today + timedelta(days=days)
        wanted = Wanted(RestrictionKind.HARDSHIP, code, ends_on=ends, note=note)
        return restrict(floor.service, staff, wanted)

    first = say(3, "窓口で")
    assert say(9, "電話でも") == say(9, "窓口で") == first
    with pytest.raises(CannotRestrict):
        say(2)
    assert floor.ledger.rows("SELECT ends_on - starts_on, note FROM restriction") == [
        (9, "窓口で / 電話でも")
    ]
    assert say(None) == first
    assert floor.ledger.rows(ENDS) == [(None,)]
    wish = ask_to_lift(floor.service, staff, first, "誤り")
    decide_lift(floor.service, approver, wish, lift=True)
    assert say(2) == first  # two persons have ended it: this is another one
    assert floor.ledger.rows(ENDS) == [(today + timedelta(days=2),)]


def test_claims_are_restricted_by_an_office_that_keeps_some_of_the_persons(
    floor: Floor, debtor: int
) -> None:
    floor.ledger.run("DELETE FROM restriction")
    nursery, everybody = of(floor, NURSERY, Role.STAFF), of(floor, "*", Role.STAFF)
    stranger, known = code_of(floor, debtor + 1), code_of(floor, debtor)
    said = []
    for code in (stranger, "99999999"):  # known elsewhere, or nowhere: the answer is the same
        with pytest.raises(CannotRestrict) as refused:
            restrict(floor.service, nursery, Wanted(RestrictionKind.COLLECTION_DEFERRED, code))
        said.append(str(refused.value))
    assert said[0] == said[1] and "none of your office's" in said[0]
    assert floor.ledger.one("SELECT count(*) FROM restriction") == 0
    restrict(floor.service, nursery, Wanted(RestrictionKind.COLLECTION_DEFERRED, known))
    restrict(floor.service, everybody, Wanted(RestrictionKind.COLLECTION_DEFERRED, stranger))
    restrict(floor.service, nursery, Wanted(RestrictionKind.HARDSHIP, stranger))
    with pytest.raises(CannotDo, match="nobody would be contacted"):
        floor.start()
    with pytest.raises(CannotRestrict, match="concerns a person"):  # protects nobody
        restrict(floor.service, nursery, Wanted(RestrictionKind.HARDSHIP, number=mobile(9)))


def test_whether_a_code_is_in_arrears_elsewhere_is_not_told(floor: Floor, debtor: int) -> None:
    nursery, everybody = of(floor, NURSERY, Role.STAFF), of(floor, "*", Role.STAFF)
    floor.ledger.run("DELETE FROM restriction")
    name = floor.service.vault.indexes("name", "世田谷太郎")[0]
    floor.ledger.run("UPDATE debtor SET name_index = :index", index=name)
    own, stranger = code_of(floor, debtor), code_of(floor, debtor + 1)
    for code in (own, stranger, "99999999"):
        restrict(floor.service, nursery, Wanted(RestrictionKind.NO_CALLS, code))

    def listed(who: object, wanted: str = "") -> list[tuple[str | None, int | None]]:
        found = restrictions(floor.service, who, wanted=wanted)[0]  # type: ignore[arg-type]
        return [(item.code, item.debtor_id) for item in found]

    assert listed(nursery) == [("99999999", None), (stranger, None), (own, debtor)]
    assert listed(everybody) == [("99999999", None), (stranger, debtor + 1), (own, debtor)]
    noted = (
        "SELECT details ->> 'debtor' FROM audit_log WHERE action = 'restriction.add' ORDER BY id"
    )
    assert floor.ledger.rows(noted) == [(str(debtor),), (None,), (None,)]
    # nor whose code it is
    assert listed(nursery, "世田谷太郎") == [(own, debtor)]
    assert listed(everybody, "世田谷太郎") == [(stranger, debtor + 1), (own, debtor)]
    assert listed(nursery, stranger) == [(stranger, None)]


def test_each_instalment_of_a_notice_is_restricted_that_was_named(floor: Floor) -> None:
    person = floor.ledger.person([mobile(1)], [Owed(1000), Owed(2000)])
    floor.ledger.run("UPDATE claim SET notice_number = 'N1'")
    floor.ledger.person([mobile(2)])
    floor.start()
    claims = [
        int(str(id_)) for (id_,) in floor.ledger.rows("SELECT id FROM claim ORDER BY id LIMIT 2")
    ]
    staff = of(floor, HEALTH, Role.STAFF)
    wanted = [
        Wanted(RestrictionKind.EXECUTION_SUSPENDED, code_of(floor, person), claim_id=claim)
        for claim in (*claims, claims[0])
    ]
    made = [restrict(floor.service, staff, one) for one in wanted]
    assert made[0] == made[2] != made[1]
    assert floor.ledger.rows("SELECT id, claim_id FROM restriction ORDER BY id") == [
        (made[0], claims[0]),
        (made[1], claims[1]),
    ]
    assert written_to(floor) == [mobile(2)], "of the other nothing is left to ask for"
