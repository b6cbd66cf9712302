"""An office (所管課) sees its own kinds of claim, what concerns the whole person is told to all, and
a contractor's operator has the desk and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from campaigns.vocabulary import ClaimKind
from contact_service.callcentre import taking
from contact_service.callcentre.case import case_of
from contact_service.callcentre.dispositions import NotYours
from contact_service.callcentre.list import next_person
from contact_service.domain.actors import Actor, NotAllowed, Role, allowed
from contact_service.domain.life import CannotDo
from contact_service.evaluation.collection import collection
from contact_service.evaluation.report import run_report
from contact_service.evaluation.rows_counted import Figure, rows_counted
from contact_service.identity import accounts, sessions, tokens
from contact_service.identity.tokens import Scope
from contact_service.offices import kinds_of
from contact_service.people import restricting
from contact_service.people.opening import NoPerson, OpenReason, open_person
from contact_service.people.person import person
from contact_service.people.search import search
from contact_service.people.timeline import timeline
from contact_service.planning import drafts, recordings, runs, versions
from contact_service.planning.preview import preview
from contact_service.retention.subject_access import subject_access
from tests.dispatch.conftest import FIRST_DAY, Floor, floor
from tests.identity.conftest import ADMINISTRATOR, _quick_hashes
from tests.identity.offices import HEALTH, NURSERY, debtor, of
from tests.ledger import Owed, definition, mobile

__all__ = ["_quick_hashes", "debtor", "floor"]


def test_an_office_keeps_the_kinds_that_the_settings_give_it(floor: Floor) -> None:
    settings = floor.service.settings
    assert kinds_of(NURSERY, settings) == {ClaimKind.NURSERY_FEE}
    assert Actor("x", Role.STAFF).own_kinds == list(ClaimKind)
    assert kinds_of("そんな課", settings) == set()
    own = settings.model_copy(update={"claim_offices": {ClaimKind.NURSERY_FEE: "子育て課"}})
    assert kinds_of("子育て課", own) == {ClaimKind.NURSERY_FEE}
    assert kinds_of(NURSERY, own) == set()
    assert not Actor("x", Role.STAFF, NURSERY).sees(ClaimKind.NURSERY_FEE)  # nobody looked it up


def test_every_door_looks_the_office_up(floor: Floor) -> None:
    service = floor.service
    accounts.add(service, ADMINISTRATOR, "mori", "森", Role.STAFF, NURSERY)
    found = accounts.find(service, "mori")
    assert found and found.actor.own_kinds == ["nursery_fee"]
    with service.engine.begin() as connection:
        cookie = sessions.open_session(connection, found.id, "", "")
    session = sessions.resume(service, cookie, "10.0.0.1")
    assert session and session.account.actor.own_kinds == ["nursery_fee"]
    assert session.account.actor.origin == "10.0.0.1"
    held = tokens.issue(
        service, ADMINISTRATOR, "x", Role.STAFF, frozenset({Scope.PEOPLE_READ}), 1, NURSERY
    )
    holder = tokens.holder(service, held)
    assert holder and holder.actor().own_kinds == ["nursery_fee"]


def test_people_are_known_to_an_office_by_what_they_owe_it(floor: Floor, debtor: int) -> None:
    staff, everybody = of(floor, NURSERY, Role.STAFF), Actor("abe", Role.STAFF)
    service = floor.service
    (found,) = search(service, staff, mobile(1)).people
    assert found.id == debtor
    assert search(service, staff, mobile(2)).people == []
    assert len(search(service, everybody, mobile(2)).people) == 1
    with pytest.raises(NoPerson):
        open_person(service, staff, debtor + 1, OpenReason.CHECK)
    open_person(service, staff, debtor, OpenReason.CHECK)
    shown = person(service, staff, debtor)
    assert [claim.kind for claim in shown.claims] == ["nursery_fee"]
    # hardship is told to every office, whichever claim it was written down with
    assert [item.kind for item in shown.restrictions] == ["hardship"]
    told = {entry.what for entry in timeline(service, staff, debtor).entries}
    assert {"nursery_fee", "hardship"} <= told
    assert not {"health_insurance", "collection_deferred"} & told
    assert {item.kind for item in restricting.restrictions(service, staff)[0]} == {"hardship"}
    assert {item.kind for item in restricting.restrictions(service, everybody)[0]} == {
        "hardship", "collection_deferred",
    }  # fmt: skip


def test_an_office_acts_on_campaigns_of_its_own_claims(floor: Floor, debtor: int) -> None:
    engine, now = floor.service.engine, floor.clock.now()
    spec = definition(arms=[{"name": "contact"}], select={"kinds": ["health_insurance"]})
    text_of = spec.model_dump_json()
    own, other = of(floor, HEALTH, Role.STAFF), of(floor, NURSERY, Role.STAFF)
    with pytest.raises(NotAllowed, match="国民健康保険料"):
        versions.submit(engine, other, spec, text_of, now)
    with pytest.raises(NotAllowed):
        preview(engine, other, spec, text_of, FIRST_DAY, now, {})
    every = definition(arms=[{"name": "contact"}], select={})
    with pytest.raises(NotAllowed):
        versions.submit(engine, own, every, every.model_dump_json(), now)
    run_id = runs.plan(engine, own, spec, text_of, FIRST_DAY, now).run_id
    approver = of(floor, NURSERY, Role.APPROVER)
    with pytest.raises(NotAllowed):
        runs.start(engine, approver, run_id, now, [])
    runs.start(engine, Actor("abe", Role.APPROVER), run_id, now, [])
    for role, ask in (
        (Role.EVALUATOR, lambda who: run_report(floor.service, who, run_id, "ja")),
        (Role.AUDITOR, lambda who: list(rows_counted(floor.service, who, run_id, Figure.CLAIMS))),
    ):  # fmt: skip
        with pytest.raises(NotAllowed):
            ask(of(floor, NURSERY, role))
        assert ask(of(floor, HEALTH, role))
    evaluator = of(floor, NURSERY, Role.EVALUATOR)
    kinds = {row["kind"] for row in collection(floor.service, evaluator)["rows"]}
    assert kinds == {"nursery_fee"}
    assert next_person(floor.service, of(floor, NURSERY, Role.OPERATOR), now) is None
    for act in (runs.pause, runs.stop):
        with pytest.raises(NotAllowed):
            act(engine, other, run_id, now, "another office's")
    runs.pause(engine, own, run_id, now, "one's own")


def test_an_operator_of_an_office_hears_of_its_claims_alone(floor: Floor) -> None:
    floor.ledger.person([mobile(3)], [Owed(11_000), Owed(22_000, "nursery_fee", "other_public")])
    spec = definition(arms=[{"name": "contact"}], select={"kinds": ["health_insurance"]})
    floor.start(spec)
    now = floor.clock.now() + timedelta(days=14)
    operator = of(floor, HEALTH, Role.OPERATOR)
    shown = next_person(floor.service, operator, now)
    assert shown is not None
    case = case_of(floor.service, operator, shown.attempt_id, now)
    assert [claim.kind for claim in case.people[0].claims] == ["health_insurance"]


def test_no_office_takes_the_name_of_anothers_campaign(floor: Floor, debtor: int) -> None:
    engine, now = floor.service.engine, floor.clock.now()
    own, other = of(floor, HEALTH, Role.STAFF), of(floor, NURSERY, Role.STAFF)
    theirs = definition(arms=[{"name": "contact"}], select={"kinds": ["health_insurance"]})
    versions.submit(engine, own, theirs, theirs.model_dump_json(), now)
    ours = definition(arms=[{"name": "contact"}], select={"kinds": ["nursery_fee"]})
    with pytest.raises(NotAllowed, match="another office has a campaign"):
        versions.submit(engine, other, ours, ours.model_dump_json(), now)
    with engine.connect() as connection:
        assert len(versions.versions_of(connection, own, theirs.campaign)) == 1
    another = ours.model_copy(update={"campaign": "ours"})
    versions.submit(engine, other, another, another.model_dump_json(), now)


def test_what_another_offices_campaign_plays_is_its_own_to_change(floor: Floor) -> None:
    service, now = floor.service, floor.clock.now()
    theirs = definition(
        arms=[{"name": "contact"}], select={"kinds": ["health_insurance"]},
        scripts={"s": {"start": "hello", "nodes": {
            "hello": {"say": "お電話ください。", "audio": "hello.wav"}}}},
    )  # fmt: skip
    versions.submit(
        service.engine, of(floor, HEALTH, Role.STAFF), theirs, theirs.model_dump_json(), now
    )
    for name in ("hello.wav", "other.wav"):
        floor.ledger.run(
            "INSERT INTO recording (name, version, wav, seconds, faults, made_at, made_by) "
            "VALUES (:name, 1, 'x', 1, '{}', :now, 'somebody')", name=name, now=now,
        )  # fmt: skip
    hello, other = (
        int(str(n)) for (n,) in floor.ledger.rows("SELECT id FROM recording ORDER BY 1")
    )
    nursery = of(floor, NURSERY, Role.APPROVER)
    with pytest.raises(NotAllowed, match="hello.wav"):
        recordings.use(service, nursery, hello, now)
    recordings.use(service, nursery, other, now)
    recordings.use(service, of(floor, HEALTH, Role.APPROVER), hello, now)
    assert recordings.files(service.settings).count("hello.wav") == 1
    with pytest.raises(NotAllowed):
        recordings.use(service, of(floor, HEALTH, Role.STAFF), hello, now)


def test_a_draft_is_its_offices(floor: Floor) -> None:
    own, other = of(floor, HEALTH, Role.STAFF), of(floor, NURSERY, Role.STAFF)
    now = floor.clock.now()
    with floor.service.engine.begin() as connection:
        made = drafts.begin(connection, own, "x", "x", now)
        assert drafts.draft(connection, other, made) is None
        assert drafts.drafts(connection, other) == []
        with pytest.raises(CannotDo):
            drafts.save(connection, other, made, 1, "y", "y", now)
        drafts.discard(connection, other, made, now)
        for who in (own, Actor("abe", Role.STAFF)):
            found = drafts.draft(connection, who, made)
            assert found and found.text == "x" and len(drafts.drafts(connection, who)) == 1
        drafts.save(connection, own, made, 1, "y", "y", now)
        drafts.discard(connection, own, made, now)
        assert drafts.drafts(connection, own) == []


def test_an_operator_finds_callers_among_the_own_offices_people_and_while_in_a_call(
    floor: Floor, debtor: int
) -> None:
    now, call = floor.clock.now(), uuid4()
    codes = [
        str(floor.ledger.one("SELECT code FROM debtor WHERE id = :id", id=n))
        for n in (debtor, debtor + 1)
    ]
    operator = of(floor, NURSERY, Role.OPERATOR)

    def found(who: Actor, code: str) -> list[str]:
        return [one.code for one in taking.find_people(floor.service, who, call, code, now)]

    with pytest.raises(NotYours):  # the ledger is no telephone book
        found(operator, codes[0])
    floor.ledger.run(
        "INSERT INTO inbound_call (id, provider, provider_ref, state, came_at, asked, taken_by, "
        "taken_at) VALUES (:id, 'x', 'x', 'taken', :now, false, 'mori', :now)", id=call, now=now,
    )  # fmt: skip
    assert [found(operator, code) for code in codes] == [[codes[0]], []]
    everybody = Actor("mori", Role.OPERATOR)
    assert [found(everybody, code) for code in codes] == [[codes[0]], [codes[1]]]
    with pytest.raises(NotYours):
        taking.it_is(floor.service, operator, call, codes[1], now)
    taking.it_is(floor.service, operator, call, codes[0], now)
    assert floor.ledger.one("SELECT debtor_id FROM inbound_call") == debtor


def test_one_call_opens_no_telephone_book_and_whose_name_was_seen_is_written_down(
    floor: Floor, debtor: int
) -> None:
    now, calls = floor.clock.now(), (uuid4(), uuid4())
    contractor = Actor("kubo", Role.CONTRACTOR)
    codes = [str(code) for (code,) in floor.ledger.rows("SELECT code FROM debtor ORDER BY id")]
    for call in calls:
        floor.ledger.run("UPDATE inbound_call SET state = 'closed'")
        floor.ledger.run(
            "INSERT INTO inbound_call (id, provider, provider_ref, state, came_at, asked, "
            "taken_by, taken_at) VALUES (:id, 'x', :ref, 'taken', :now, false, 'kubo', :now)",
            id=call, ref=str(call), now=now,
        )  # fmt: skip
        found = [
            one.code
            for n in range(taking.LOOKED_UP - 1)
            for one in taking.find_people(floor.service, contractor, call, codes[n % 2], now)
        ]
        assert set(found) == set(codes)
        taking.it_is(floor.service, contractor, call, codes[0], now)
        for ask in (
            lambda call=call: taking.find_people(floor.service, contractor, call, codes[0], now),
            lambda call=call: taking.it_is(floor.service, contractor, call, codes[1], now),
        ):
            with pytest.raises(NotYours, match="監督者"):
                ask()
    assert floor.ledger.rows("SELECT DISTINCT debtor_id FROM inbound_call") == [(debtor,)]
    told = subject_access(floor.service, Actor("abe", Role.APPROVER), codes[1])["looked_at"]
    assert {(one["actor"], one["action"]) for one in told} >= {("kubo", "person.found")}


def test_a_code_that_nobody_has_counts_and_stays_on_record(floor: Floor, debtor: int) -> None:
    now, call = floor.clock.now(), uuid4()
    floor.ledger.run(
        "INSERT INTO inbound_call (id, provider, provider_ref, state, came_at, asked, taken_by, "
        "taken_at) VALUES (:id, 'x', 'x', 'taken', :now, false, 'kubo', :now)", id=call, now=now,
    )  # fmt: skip
    contractor = Actor("kubo", Role.CONTRACTOR)
    for n in range(taking.LOOKED_UP):
        with pytest.raises(NotYours, match="nobody has that code"):
            taking.it_is(floor.service, contractor, call, f"9{n}", now)
    code = str(floor.ledger.one("SELECT code FROM debtor WHERE id = :id", id=debtor))
    with pytest.raises(NotYours, match="supervisor"):
        taking.it_is(floor.service, contractor, call, code, now)
    told = "SELECT count(*) FROM audit_log WHERE action = 'people.searched' AND actor = 'kubo'"
    assert floor.ledger.one(told) == taking.LOOKED_UP


def test_a_contractor_has_the_desk_and_nothing_else(floor: Floor, debtor: int) -> None:
    contractor = Actor("kubo", Role.CONTRACTOR)
    assert allowed(Role.CONTRACTOR, [Role.OPERATOR])
    assert not allowed(Role.CONTRACTOR, [Role.SUPERVISOR, Role.STAFF])
    next_person(floor.service, contractor, floor.clock.now())
    refused: list[Callable[[], object]] = [
        lambda: search(floor.service, contractor, mobile(1)),
        lambda: open_person(floor.service, contractor, debtor, OpenReason.CHECK),
        lambda: restricting.restrictions(floor.service, contractor),
        lambda: collection(floor.service, contractor),
    ]
    for ask in refused:
        with pytest.raises(NotAllowed):
            ask()
