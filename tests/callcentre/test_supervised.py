"""What a supervisor of one office sees, what the wallboard counts, and how lists are drawn."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from contact_service.callcentre import presence, quality, reassigning
from contact_service.callcentre.conversation import read
from contact_service.callcentre.correcting import MayNot
from contact_service.callcentre.lifting import to_decide
from contact_service.callcentre.list import next_person
from contact_service.callcentre.results import Wanted, results
from contact_service.callcentre.wallboard import follow_up, wallboard
from contact_service.clock import TOKYO
from contact_service.domain.actors import Actor, Role
from contact_service.domain.states import OperatorState, QualityMark
from contact_service.offices import kinds_of
from tests.dispatch.conftest import Floor, floor
from tests.ledger import Owed, definition, mobile

__all__ = ["floor"]

ALL = Actor("mori", Role.SUPERVISOR)
NURSERY = "保育担当課"
LIMITS = {"limit": 50, "offset": 0}


def of_the_nursery(floor: Floor) -> Actor:
    return Actor("kato", Role.SUPERVISOR, NURSERY, kinds=kinds_of(NURSERY, floor.service.settings))


def spoken(floor: Floor, debtor: int | None, key: str, kind: str = "refused") -> int:
    """A conversation with somebody who called, or with nobody who is known; its number."""
    floor.ledger.run(
        "WITH i AS (INSERT INTO inbound_call (id, provider, provider_ref, state, came_at, asked, "
        "debtor_id) VALUES (md5(:key)::uuid, 'simulated', :key, 'closed', :now, false, :debtor) "
        "RETURNING id) INSERT INTO disposition (inbound_call_id, kind, recorded_at, recorded_by) "
        "SELECT id, :kind, :now, 'sato' FROM i",
        key=key, now=floor.clock.now(), debtor=debtor, kind=kind,
    )  # fmt: skip
    return int(str(floor.ledger.one("SELECT max(id) FROM disposition")))


def test_an_office_sees_the_conversations_about_its_own_claims(floor: Floor) -> None:
    tax = floor.ledger.person([mobile(1)], [Owed(9_000)])
    nursery = floor.ledger.person([mobile(2)], [Owed(8_000, "nursery_fee", "other_public")])
    of_tax, of_nursery, of_nobody = (
        spoken(floor, debtor, key) for debtor, key in ((tax, "a"), (nursery, "b"), (None, "c"))
    )
    service, day = floor.service, floor.clock.now().astimezone(TOKYO).date()
    kato, wanted = of_the_nursery(floor), Wanted(day, day)
    seen = {one.disposition_id for one in results(service, kato, wanted, LIMITS).shown}
    assert seen == {of_nursery, of_nobody}
    assert results(service, kato, wanted, LIMITS).counts[0][1] == 2
    assert results(service, ALL, wanted, LIMITS).total == 3
    now = floor.clock.now()
    assert read(service, kato, of_nursery, now).disposition_id == of_nursery
    for refused in (
        lambda: read(service, kato, of_tax, now),
        lambda: quality.review(service, kato, of_tax, QualityMark.GOOD, "", now),
    ):
        with pytest.raises(MayNot, match="another office"):
            refused()
    assert quality.draw(service, kato, day, 9, "seed", now) == 2
    assert quality.draw(service, ALL, day, 9, "seed", now) == 1
    drawn = {one.disposition_id for one in quality.sample(service, kato, day)}
    assert drawn == {of_nursery, of_nobody}
    assert len(quality.sample(service, ALL, day)) == 3


def test_of_another_offices_debtor_an_own_operators_call_tells_no_code_and_no_campaign(
    floor: Floor,
) -> None:
    """An operator of the nursery office answered somebody who owes health insurance alone."""
    tax = floor.ledger.person([mobile(1)], [Owed(9_000)])
    health = {"select": {"kinds": ["health_insurance"]}}
    floor.start(definition(arms=[{"name": "contact"}], **health))
    now = floor.clock.now()
    floor.ledger.run("UPDATE attempt SET state = 'accepted', submitted_at = :now", now=now)
    said = spoken(floor, None, "a")
    floor.ledger.run("UPDATE disposition SET office = :office", office=NURSERY)
    floor.ledger.run(
        "UPDATE inbound_call SET came_at = :at, phone_id = (SELECT phone_id FROM debtor_phone)",
        at=now + timedelta(hours=1),
    )
    code = floor.ledger.one("SELECT code FROM debtor WHERE id = :tax", tax=tax)
    day = now.astimezone(TOKYO).date()
    for who, told in ((ALL, ([code], "試験")), (of_the_nursery(floor), ([], None))):
        (shown,) = results(floor.service, who, Wanted(day, day), LIMITS).shown
        assert (list(shown.codes), shown.campaign) == told
        opened = read(floor.service, who, said, now)
        assert (list(opened.codes), opened.campaign) == told


def test_of_two_who_share_a_number_an_office_is_told_its_own(floor: Floor) -> None:
    """Open on a desk, to be called back, and protected by a result that was corrected."""
    tax = floor.ledger.person([mobile(1)], [Owed(9_000)])
    own = floor.ledger.person([mobile(1)], [Owed(8_000, "nursery_fee", "other_public")])
    floor.start(definition(arms=[{"name": "contact"}]))
    service, now = floor.service, floor.clock.now() + timedelta(days=14)
    assert next_person(service, Actor("sato", Role.OPERATOR), now) is not None
    floor.ledger.run(
        "INSERT INTO inbound_call (id, provider, provider_ref, state, came_at, asked, due_at, "
        "phone_id) SELECT md5('c')::uuid, 'desk', 'c', 'call_back', :now, true, :now, id FROM phone",
        now=now,
    )
    said = spoken(floor, None, "a")
    floor.ledger.run(
        "WITH r AS (INSERT INTO restriction (kind, phone_id, starts_on, origin) "
        "SELECT 'opted_out', id, DATE '2026-10-26', 'operator' FROM phone RETURNING id) "
        "INSERT INTO result_correction (disposition_id, was, became, corrected_at, corrected_by, "
        "why, restrictions) SELECT :said, '{\"kind\": \"refused\"}', 'absent', :now, 'x', :why, "
        "array_agg(id) FROM r",
        said=said, now=now, why=service.vault.seal("result_correction.why", "取り違え"),
    )  # fmt: skip
    codes = [
        str(floor.ledger.one("SELECT code FROM debtor WHERE id = :id", id=debtor))
        for debtor in (tax, own)
    ]
    for who, told in ((ALL, codes), (of_the_nursery(floor), codes[1:])):
        shown = [list(piece.codes) for piece in reassigning.work(service, who, now)]
        shown += [list(each.codes) for each in to_decide(service, who)]
        assert shown == [told] * 3


def test_an_office_gives_its_own_work_to_others(floor: Floor) -> None:
    for n, owed in enumerate((Owed(9_000), Owed(8_000, "nursery_fee", "other_public"))):
        debtor = floor.ledger.person([mobile(n)], [owed])
        floor.ledger.run(
            "INSERT INTO inbound_call (id, provider, provider_ref, state, came_at, asked, due_at, "
            "debtor_id, reserved_for) VALUES (md5(:key)::uuid, 'desk', :key, 'call_back', :now, "
            "true, :now, :debtor, 'sato')",
            key=str(n), now=floor.clock.now(), debtor=debtor,
        )  # fmt: skip
    service, now, kato = floor.service, floor.clock.now(), of_the_nursery(floor)
    (own,) = reassigning.work(service, kato, now)
    assert len(reassigning.work(service, ALL, now)) == 2
    (other,) = {piece.id for piece in reassigning.work(service, ALL, now)} - {own.id}
    with pytest.raises(MayNot):
        reassigning.reassign(service, kato, other, None, now)
    assert reassigning.reassign_all(service, kato, "sato", None, now) == 1
    assert floor.ledger.rows("SELECT reserved_for FROM inbound_call ORDER BY id::text = :own",
                             own=str(own.id)) == [("sato",), (None,)]  # fmt: skip


def test_a_text_that_is_lost_after_the_follow_up_brings_the_person_back(floor: Floor) -> None:
    said = spoken(floor, floor.ledger.person([mobile(1)]), "a", "hardship")
    floor.ledger.run(
        "INSERT INTO referral (disposition_id, desk, referred_at) VALUES (:d, '法テラス', :now)",
        d=said, now=floor.clock.now(),
    )  # fmt: skip
    referral = floor.ledger.one("SELECT id FROM referral")
    floor.ledger.run(
        "INSERT INTO support_text (id, disposition_id, training, body, state, due_at) "
        "VALUES (md5('t')::uuid, :d, true, 'x', 'accepted', :now)", d=said, now=floor.clock.now(),
    )  # fmt: skip
    service, now = floor.service, floor.clock.now()
    assert [one.id for one in wallboard(service, ALL, now).referrals] == [referral]
    assert follow_up(service, ALL, int(str(referral)), now)
    assert wallboard(service, ALL, now).referrals == []
    floor.ledger.run("UPDATE support_text SET state = 'unknown'")
    assert [one.id for one in wallboard(service, ALL, now).referrals] == [referral]
    assert follow_up(service, ALL, int(str(referral)), now)
    assert wallboard(service, ALL, now).referrals == []
    assert not follow_up(service, ALL, int(str(referral)), now)
    assert floor.ledger.rows("SELECT state, reason FROM support_text") == [
        ("finished", "followed_up")
    ]


def caller(floor: Floor, key: str, state: str, came: datetime, due: datetime | None) -> None:
    floor.ledger.run(
        "INSERT INTO inbound_call (id, provider, provider_ref, state, came_at, asked, due_at) "
        "VALUES (md5(:key)::uuid, 'simulated', :key, :state, :came, false, :due)",
        key=key, state=state, came=came, due=due,
    )  # fmt: skip


def test_the_wallboard_counts_who_works_and_who_waits(floor: Floor) -> None:
    for n in range(4):
        floor.ledger.person([mobile(n)])
    floor.start()
    service, now = floor.service, floor.clock.now()
    floor.ledger.run("UPDATE attempt SET due_at = :at WHERE channel = 'operator'",
                     at=now - timedelta(minutes=20))  # fmt: skip
    states = ("free", "talking", "talking", "wrapping_up", "on_break")
    with service.engine.begin() as connection:
        for n, state in enumerate(states):
            presence.change(connection, f"op{n}", OperatorState(state), now)
    caller(floor, "first", "waiting", now - timedelta(seconds=90), None)
    caller(floor, "second", "waiting", now - timedelta(seconds=10), None)
    caller(floor, "due", "call_back", now, now - timedelta(minutes=5))
    caller(floor, "late", "call_back", now, now - timedelta(minutes=45))
    caller(floor, "later", "call_back", now, now + timedelta(minutes=45))
    board = wallboard(service, ALL, now)
    assert Counter(one.state.value for one in board.at_work) == Counter(states)
    assert [board.count(state) for state in OperatorState] == [1, 2, 1, 1, 0]
    assert (board.on_the_line, board.longest_since) == (2, now - timedelta(seconds=90))
    assert (board.waiting, board.oldest_due) == (4, now - timedelta(minutes=20))
    assert (board.call_backs_due, board.call_backs_late) == (2, 1)
    assert len(board.expected) == 4 and sum(calls for _, calls in board.expected) > 0


def test_lists_are_drawn_by_the_weight_of_their_campaigns(floor: Floor) -> None:
    """Two lists of 40, weights 3 and 1: of 40 drawn, 30 of the first to be expected; the limits
    hold 999 of 1000 seeds."""
    random.seed(2026)
    pace = floor.service.settings.state_dir / "weights.yaml"
    pace.write_text("campaigns: {heavy: {weight: 3}}\n", encoding="utf-8")
    settings = floor.service.settings.model_copy(update={"pacing_file": pace})
    runs: dict[UUID, str] = {}
    kinds = {"heavy": "health_insurance", "light": "nursery_fee"}
    for place, (key, kind) in enumerate(kinds.items()):
        for n in range(40):
            floor.ledger.person([mobile(100 * place + n)], [Owed(1_000, kind)])
        spec = definition(campaign=key, arms=[{"name": "contact"}], select={"kinds": [kind]})
        runs[floor.start(spec)] = key
    floor.ledger.run("UPDATE attempt SET due_at = :at WHERE channel = 'operator'",
                     at=floor.clock.now() - timedelta(minutes=1))  # fmt: skip
    service = type(floor.service)(settings, floor.service.engine, floor.service.vault, floor.clock)
    drawn: Counter[str] = Counter()
    with service.engine.connect() as connection:
        for n in range(40):
            got = next_person(service, Actor(f"op{n}", Role.OPERATOR), floor.clock.now())
            assert got is not None
            drawn[
                runs[
                    connection.execute(
                        text("SELECT run_id FROM attempt WHERE id = :id"), {"id": got.attempt_id}
                    ).scalar_one()
                ]
            ] += 1
    assert 20 <= drawn["heavy"] <= 38, drawn
