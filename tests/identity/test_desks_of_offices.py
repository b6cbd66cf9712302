"""Whom an operator has open is of the offices (所管課) whose claims it is about: nobody of another
gets them handed over, keeps them after moving, or is told their number by a telephone system."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests

from contact_service.callcentre import desk, reassigning
from contact_service.callcentre.case import NoCase, case_of
from contact_service.callcentre.correcting import MayNot
from contact_service.callcentre.dispositions import NotYours
from contact_service.callcentre.list import NextPerson, next_person
from contact_service.domain.actors import Actor, Role
from contact_service.domain.states import OperatorState
from contact_service.identity import accounts, tokens
from contact_service.identity.tokens import Scope
from contact_service.offices import kinds_of
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import ADMINISTRATOR, _quick_hashes
from tests.identity.offices import HEALTH, NURSERY
from tests.ledger import Owed, definition, mobile
from tests.web.offices import Asking, asking
from tests.web.test_doors import door, door_settings

__all__ = ["_quick_hashes", "asking", "door", "door_settings", "floor"]

LATER = timedelta(days=14)
SHOWN = "SELECT actor, office FROM audit_log WHERE action = 'person.shown' ORDER BY id"


def somebody(floor: Floor, name: str, role: Role, office: str) -> Actor:
    accounts.add(floor.service, ADMINISTRATOR, name, name, role, office)
    return as_of(floor, name, role, office)


def as_of(floor: Floor, name: str, role: Role, office: str, origin: str = "") -> Actor:
    return Actor(name, role, office, origin, kinds_of(office, floor.service.settings))


def open_with(floor: Floor, goto: Actor) -> NextPerson:
    """Somebody who owes health insurance, and is open on goto's desk."""
    floor.ledger.person([mobile(3)], [Owed(11_000), Owed(22_000, "nursery_fee", "other_public")])
    select = {"kinds": ["health_insurance"]}
    floor.start(definition(arms=[{"name": "contact"}], select=select))
    shown = desk.take_next(floor.service, goto, floor.clock.now() + LATER)
    assert shown is not None
    return shown


def test_who_is_open_goes_to_nobody_of_an_office_that_is_not_told_of_them(floor: Floor) -> None:
    service, now = floor.service, floor.clock.now() + LATER
    goto = somebody(floor, "goto", Role.OPERATOR, HEALTH)
    ito = somebody(floor, "ito", Role.OPERATOR, HEALTH)
    kubo = somebody(floor, "kubo", Role.CONTRACTOR, NURSERY)
    ueda = somebody(floor, "ueda", Role.OPERATOR, "*")
    shown = open_with(floor, goto)
    for who in (ito, kubo, ueda):
        desk.choose(service, who, OperatorState.FREE, now)
    offered = {HEALTH: ["goto", "ito", "ueda"], "*": ["goto", "ito", "kubo", "ueda"]}
    for office, names in offered.items():
        lead = as_of(floor, "lead", Role.SUPERVISOR, office)
        assert reassigning.operators(service, lead) == names
        (piece,) = reassigning.work(service, lead, now)
        assert piece.may_take == ["goto", "ito", "ueda"]  # whoever offers them: not kubo
        with pytest.raises(MayNot):
            reassigning.reassign(service, lead, shown.attempt_id, "kubo", now)
    lead = as_of(floor, "lead", Role.SUPERVISOR, HEALTH)
    reassigning.reassign(service, lead, shown.attempt_id, "ito", now)
    assert case_of(service, ito, shown.attempt_id, now).people
    reassigning.reassign(service, lead, shown.attempt_id, "ueda", now)
    # that they have seen who it is stands where it stands of whoever asked for the next person
    assert floor.ledger.rows(SHOWN) == [("goto", HEALTH), ("ito", HEALTH), ("ueda", "*")]


def test_calls_back_of_an_office_stay_with_it_and_of_nobody_known_go_to_anybody(
    floor: Floor,
) -> None:
    service, now = floor.service, floor.clock.now()
    for name, office in (("goto", HEALTH), ("hara", NURSERY)):
        somebody(floor, name, Role.OPERATOR, office)
    owing = [floor.ledger.person([mobile(n)], [owed]) for n, owed in enumerate(
        (Owed(9_000), Owed(8_000, "nursery_fee", "other_public")))]  # fmt: skip
    for key, debtor in (("health", owing[0]), ("nursery", owing[1]), ("nobody", None)):
        floor.ledger.run(
            "INSERT INTO inbound_call (id, provider, provider_ref, state, came_at, asked, due_at, "
            "debtor_id, reserved_for) VALUES (md5(:key)::uuid, 'desk', :key, 'call_back', :now, "
            "true, :now, :debtor, 'goto')",
            key=key, now=now, debtor=debtor,
        )  # fmt: skip
    chief = as_of(floor, "chief", Role.SUPERVISOR, "*")
    taken_by = {tuple(piece.may_take) for piece in reassigning.work(service, chief, now)}
    assert taken_by == {("goto",), ("hara",), ("goto", "hara")}
    assert reassigning.reassign_all(service, chief, "goto", "hara", now) == 2
    told = "SELECT provider_ref FROM inbound_call WHERE reserved_for = 'hara' ORDER BY 1"
    assert floor.ledger.rows(told) == [("nobody",), ("nursery",)]
    with pytest.raises(MayNot, match="no such operator"):
        lead = as_of(floor, "lead", Role.SUPERVISOR, HEALTH)
        reassigning.reassign_all(service, lead, "goto", "hara", now)


def test_who_moves_to_another_office_leaves_whoever_is_open_behind(floor: Floor) -> None:
    service, now = floor.service, floor.clock.now() + LATER
    goto = somebody(floor, "goto", Role.OPERATOR, HEALTH)
    shown = open_with(floor, goto)
    assert case_of(service, goto, shown.attempt_id, now).phone == mobile(3)
    moved = as_of(floor, "goto", Role.OPERATOR, NURSERY)
    with pytest.raises(NoCase):
        case_of(service, moved, shown.attempt_id, now)
    assert desk.desk_of(service, moved, now).conversation_id is None
    with pytest.raises(NotYours):
        desk.may_call(service, moved, shown.attempt_id)
    assert next_person(service, moved, now) is None
    assert next_person(service, goto, now) == shown


def test_asking_again_for_who_is_open_is_recorded_once_for_each_that_asks(floor: Floor) -> None:
    service, now = floor.service, floor.clock.now() + LATER
    goto = somebody(floor, "goto", Role.OPERATOR, HEALTH)
    shown = open_with(floor, goto)
    system = as_of(floor, "goto", Role.OPERATOR, HEALTH, "token:phones 10.0.0.9")
    for who in (goto, system, system, goto):
        assert next_person(service, who, now) == shown
    origins = "SELECT origin FROM audit_log WHERE action = 'person.shown' ORDER BY id"
    assert floor.ledger.rows(origins) == [("",), ("token:phones 10.0.0.9",)]


def test_an_offices_telephone_system_speaks_for_no_operator_of_another(asking: Asking) -> None:
    service, ledger = asking.floor.service, asking.floor.ledger
    ledger.run("UPDATE user_account SET office = :o WHERE name = 'sato'", o=HEALTH)
    lines = ledger.one("SELECT count(*) FROM audit_log WHERE action = 'person.shown'")

    def ask(office: str, operator: str) -> requests.Response:
        held = tokens.issue(
            service, ADMINISTRATOR, f"{office}-{operator}", Role.OPERATOR,
            frozenset({Scope.CENTRE}), 1, office,
        )  # fmt: skip
        return requests.post(
            f"{asking.door.stack.web_url}/api/operator/next", json={"operator": operator},
            headers={"Authorization": f"Bearer {held}"}, timeout=60,
        )  # fmt: skip

    refused = ask(NURSERY, "sato")
    assert refused.status_code == 403 and "+81" not in refused.text
    # who has no account is believed, and has nobody open whose claims are another office's
    ledger.run("UPDATE attempt SET lease_owner = 'nobody-known' WHERE lease_owner = 'sato'")
    assert ask(NURSERY, "nobody-known").status_code == 204
    assert ledger.one("SELECT count(*) FROM audit_log WHERE action = 'person.shown'") == lines
    ledger.run("UPDATE attempt SET lease_owner = 'sato' WHERE lease_owner = 'nobody-known'")
    for office in (HEALTH, "*"):
        told = ask(office, "sato")
        assert (told.status_code, told.json()["attempt_id"]) == (200, asking.places["held"])
