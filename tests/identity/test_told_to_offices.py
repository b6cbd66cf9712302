"""What somebody said or wrote to one office (所管課) is not another's to read, review or count."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from contact_service.callcentre import desk, incoming, quality, taking
from contact_service.callcentre.conversation import read
from contact_service.callcentre.correcting import MayNot
from contact_service.callcentre.dispositions import Conversation, PromisedPayment
from contact_service.callcentre.history import history_of, written_from
from contact_service.callcentre.inbound_results import record_inbound
from contact_service.callcentre.replies import open_replies, take_reply, unread
from contact_service.callcentre.results import Wanted, results, who_and_what
from contact_service.clock import TOKYO
from contact_service.domain.actors import Actor, Role
from contact_service.domain.references import NoReference
from contact_service.domain.states import DispositionKind, IdentityProof, QualityMark
from contact_service.identity import accounts
from contact_service.offices import kinds_of
from contact_service.people.opening import OpenReason, open_person
from contact_service.people.person import person
from contact_service.people.timeline import EntryKind, timeline
from contact_service.receipts.messages import store_messages
from providers.base import InboundMessage
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import ADMINISTRATOR, _quick_hashes
from tests.identity.offices import HEALTH, NURSERY, debtor, of
from tests.ledger import definition, mobile

__all__ = ["_quick_hashes", "debtor", "floor"]


def test_what_a_caller_told_one_offices_operator_is_not_anothers_to_read(
    floor: Floor, debtor: int
) -> None:
    """A call names no claim: what was agreed may be of any, and is told to those who agreed it."""
    service, now = floor.service, floor.clock.now()
    floor.ledger.run("UPDATE restriction SET lifted_at = now()")
    for name, office in (("kubo", "*"), ("hara", NURSERY), ("goto", HEALTH)):
        accounts.add(service, ADMINISTRATOR, name, name, Role.OPERATOR, office)
        who = Actor(name, Role.OPERATOR, office, kinds=kinds_of(office, service.settings))
        incoming.arrived(service, "line", name, mobile(1), now)
        taken = taking.take(service, who, None, now)
        assert taken is not None
        said = Conversation(taken.id, DispositionKind.REFUSED, now, 60, 20, note=f"{name}に話した")
        record_inbound(service, who, said, now)
    sees = {"*": {"kubo", "hara", "goto"}, NURSERY: {"kubo", "hara"}, HEALTH: {"kubo", "goto"}}
    for office, names in sees.items():
        staff = of(floor, office, Role.STAFF)
        with service.engine.connect() as connection:
            told = history_of(connection, service, staff, [debtor], uuid4())
        assert {event.note for event in told} == {f"{name}に話した" for name in names}
        open_person(service, staff, debtor, OpenReason.CHECK)
        entries = timeline(service, staff, debtor).entries
        assert {one.by for one in entries if one.kind is EntryKind.CONVERSATION} == names
        # nor another's to review, sample, or mark
        lead, day = of(floor, office, Role.SUPERVISOR), now.astimezone(TOKYO).date()
        found = results(service, lead, Wanted(day, day), {"limit": 50, "offset": 0})
        assert {one.operator for one in found.shown} == names == set(who_and_what(service, lead)[0])
        assert found.total == len(names)
        for one, (id_,) in zip(
            ("kubo", "hara", "goto"),
            floor.ledger.rows("SELECT id FROM disposition ORDER BY id"),
            strict=True,
        ):
            number = int(str(id_))
            if one in names:
                told = read(service, lead, number, now)
                assert (told.note, len(told.codes)) == (f"{one}に話した", 1)
                quality.review(service, lead, number, QualityMark.GOOD, "", now)
                continue
            with pytest.raises(MayNot, match="another office"):
                read(service, lead, number, now)
            with pytest.raises(MayNot, match="another office"):
                quality.review(service, lead, number, QualityMark.GOOD, "", now)
        assert {one.operator for one in quality.sample(service, lead, day)} == names
    # whoever moves to another office leaves what they wrote down behind
    floor.ledger.run("UPDATE user_account SET office = :o WHERE name = 'hara'", o=HEALTH)
    lead = of(floor, HEALTH, Role.SUPERVISOR)
    assert set(who_and_what(service, lead)[0]) == sees[HEALTH]


def test_a_promise_made_to_one_office_is_not_about_what_another_wants(
    floor: Floor, debtor: int
) -> None:
    service = floor.service
    floor.ledger.run("UPDATE restriction SET lifted_at = now()")
    nursery = {"select": {"kinds": ["nursery_fee"]}}
    floor.start(definition(arms=[{"name": "contact"}], **nursery))
    now = floor.clock.now()
    for name, office, kinds in (
        ("goto", HEALTH, []), ("hara", NURSERY, ["nursery_fee"]), ("kubo", "*", ["nursery_fee"])
    ):  # fmt: skip
        accounts.add(service, ADMINISTRATOR, name, name, Role.OPERATOR, office)
        who = Actor(name, Role.OPERATOR, office, kinds=kinds_of(office, service.settings))
        incoming.arrived(service, "line", name, mobile(1), now)
        taken = taking.take(service, who, None, now)
        assert taken is not None
        desk.identified(service, who, taken.id, debtor, IdentityProof.NAME_AND_BIRTH_DATE, now)
        promise = PromisedPayment(now.astimezone(TOKYO).date() + timedelta(days=7), 1_000)
        said = Conversation(taken.id, DispositionKind.PROMISED, now, 60, 20, promise=promise)
        record_inbound(service, who, said, now)
        about = floor.ledger.rows(
            """
            SELECT DISTINCT c.kind FROM disposition d JOIN promise p ON p.disposition_id = d.id
            JOIN target_claim tc ON tc.target_id = p.target_id JOIN claim c ON c.id = tc.claim_id
            WHERE d.recorded_by = :name""",
            name=name,
        )
        assert about == [(kind,) for kind in kinds]


def test_what_is_written_back_is_of_the_office_whose_message_it_answers(
    floor: Floor, debtor: int
) -> None:
    service = floor.service
    floor.ledger.run("UPDATE restriction SET lifted_at = now()")
    before = InboundMessage("m0", mobile(1), "0354321111", "まだ誰にも答えない")
    store_messages(service, "main", [before], floor.clock.now())
    health = {"select": {"kinds": ["health_insurance"]}}
    floor.start(definition(arms=[{"name": "contact"}], **health))
    floor.ledger.run(
        "UPDATE attempt SET state = 'accepted', submitted_at = :at WHERE channel = 'sms'",
        at=floor.clock.now() + timedelta(minutes=1),
    )
    later = floor.clock.now() + timedelta(hours=1)
    store_messages(
        service, "main", [InboundMessage("m1", mobile(1), "0354321111", "分割にしたい")], later
    )
    phone = int(str(floor.ledger.one("SELECT DISTINCT phone_id FROM inbound_message")))
    ids = [
        int(str(id_)) for (id_,) in floor.ledger.rows("SELECT id FROM inbound_message ORDER BY id")
    ]
    for office, seen in {"*": 2, HEALTH: 2, NURSERY: 1}.items():
        operator, staff = of(floor, office, Role.OPERATOR), of(floor, office, Role.STAFF)
        assert [one.id for one in open_replies(service, operator)] == ids[:seen]
        with service.engine.connect() as connection:
            assert unread(connection, operator) == seen
            assert len(written_from(connection, service, operator, phone)) == seen
        open_person(service, staff, debtor, OpenReason.CHECK)
        entries = timeline(service, staff, debtor).entries
        assert sum(one.kind is EntryKind.MESSAGE for one in entries) == seen
    assert not take_reply(service, of(floor, NURSERY, Role.OPERATOR), ids[1], later)
    assert take_reply(service, of(floor, HEALTH, Role.OPERATOR), ids[1], later)


def test_why_somebody_looked_is_told_to_their_own_office(floor: Floor, debtor: int) -> None:
    service = floor.service
    open_person(service, of(floor, HEALTH, Role.STAFF), debtor, OpenReason.OTHER, "受付12")
    for office, note in {"*": "受付12", HEALTH: "受付12", NURSERY: None}.items():
        staff = Actor("abe", Role.STAFF, office, kinds=kinds_of(office, service.settings))
        open_person(service, staff, debtor, OpenReason.CHECK)
        looked = [e for e in timeline(service, staff, debtor).entries
                  if e.kind is EntryKind.LOOKED_AT and e.by == "mori"]  # fmt: skip
        assert [entry.reason for entry in looked] == [note]


def test_a_person_code_is_no_number_of_a_file(floor: Floor, debtor: int) -> None:
    """A short one reads like it; the line would lead to who has become nameless."""
    floor.ledger.run("UPDATE debtor SET code = '4711' WHERE id = :id", id=debtor)
    staff = of(floor, HEALTH, Role.STAFF)
    with pytest.raises(NoReference):
        open_person(floor.service, staff, debtor, OpenReason.OTHER, "受付4711")


def test_a_file_that_was_not_brought_for_the_office_is_not_named(floor: Floor, debtor: int) -> None:
    """As on the page of files: neither its name, nor who brought it, nor the line."""
    service, name = floor.service, "滞納一覧_20260930.csv"
    floor.ledger.run("UPDATE source_file SET name = :n, imported_by = 'kanri'", n=name)
    floor.ledger.run("UPDATE claim SET source_line = 7")
    for brought_for, office, told in (
        ("*", NURSERY, False), (HEALTH, NURSERY, False), (NURSERY, NURSERY, True), ("*", "*", True),
    ):  # fmt: skip
        floor.ledger.run("UPDATE source_file SET office = :o", o=brought_for)
        staff = of(floor, office, Role.STAFF)
        open_person(service, staff, debtor, OpenReason.CHECK)
        named = {(one.file, one.line) for one in person(service, staff, debtor).claims}
        assert named == ({(name, 7)} if told else {(None, None)})
        entries = timeline(service, staff, debtor).entries
        files = [(one.result, one.by) for one in entries if one.kind is EntryKind.FILE]
        assert files == ([(name, "kanri")] if told else [])
