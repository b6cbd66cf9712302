"""What the language says about when and for whom, as planning and leasing do it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from campaigns.vocabulary import Channel
from contact_service.clock import TOKYO
from contact_service.dispatch.settle import settle
from contact_service.planning.schedule import DoesNotFit
from tests.dispatch.conftest import Floor
from tests.ledger import Owed, definition, mobile

ARMS = [{"name": "contact"}]
SMS = {"name": "sms-1", "channel": "sms", "message": "m"}
CALL = {"name": "call-1", "channel": "auto_call", "script": "s"}
HOUR = timedelta(hours=1)


def spec(*steps: dict[str, Any], **changes: Any) -> Any:
    return definition(arms=ARMS, steps=steps, **changes)


def due(floor: Floor, step: str = "sms-1") -> list[datetime]:
    rows = floor.ledger.rows("SELECT due_at FROM attempt WHERE step = :s ORDER BY 1", s=step)
    return [row[0].astimezone(TOKYO) for row in rows]  # type: ignore[union-attr]


def finish(floor: Floor, outcome: str, step: str = "sms-1") -> list[UUID]:
    """What was leased or planned of a step ends with an outcome now."""
    now = floor.clock.now()
    with floor.ledger.engine.begin() as connection:
        ids = [
            row.id
            for row in connection.execute(
                text("""
                UPDATE attempt SET state = 'finished', submitted_at = :now, outcome = :o,
                    outcome_at = :now, provider = 'scripted'
                WHERE step = :s AND state IN ('planned', 'leased', 'accepted') RETURNING id
                """),
                {"now": now, "o": outcome, "s": step},
            )
        ]
        settle(connection, ids, finished=ids)
    return ids


def test_a_step_begins_on_each_persons_own_day_never_before_the_run(floor: Floor) -> None:
    for n, day in enumerate((date(2026, 10, 20), date(2026, 10, 1))):
        floor.ledger.person([mobile(n)], [Owed(due_on=day), Owed(due_on=date(2026, 9, 1))])
    floor.start(spec(SMS | {"start": {"from": "due", "after_days": 8}}))
    # 20 October + 8 days; the other day has long passed when the run starts
    assert [at.date() for at in due(floor)] == [date(2026, 10, 26), date(2026, 10, 28)]


def test_working_days_pass_over_weekends_holidays_and_black_outs(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    hours = definition().hours.model_dump(mode="json") | {"closed_on": ["2026-11-02"]}
    start = {"after_days": 3, "after_working_days": 2, "at": "09:00"}  # from Thursday 29th
    floor.start(spec(SMS | {"start": start}, hours=hours))
    # Friday 30th, then not Monday 2nd (black-out) nor Tuesday 3rd (文化の日): Wednesday 4th
    assert due(floor) == [datetime(2026, 11, 4, 9, 0, tzinfo=TOKYO)]


def test_who_has_no_demand_is_not_in_a_step_counted_from_it(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    told = floor.ledger.person([mobile(2)])
    floor.ledger.run("UPDATE claim SET demand_sent_on = '2026-10-20' WHERE debtor_id = :d", d=told)
    floor.start(spec(SMS | {"start": {"from": "demand", "after_days": 7}}))
    assert [at.date() for at in due(floor)] == [date(2026, 10, 27)]


def test_call_backs_throttle_over_steps_and_runs(floor: Floor) -> None:
    for n in range(30):
        floor.ledger.person([mobile(n)])
    cap = {"per_half_hour": 1, "expected_rate": {"sms": 0.1, "auto_call": 0.1}}
    steps = [SMS | {"start": {"at": "09:00"}}, CALL | {"start": {"at": "09:00"}}]
    floor.start(spec(*steps, call_backs=cap))
    slots = floor.ledger.rows("SELECT due_at, count(*) FROM attempt GROUP BY 1 ORDER BY 1")
    assert [n for _, n in slots] == [10] * 6, "ten contacts at 0.1 are one call-back"
    for n in range(30, 40):
        floor.ledger.person([mobile(n)])
    floor.start(spec(SMS | {"start": {"at": "09:00"}}, call_backs=cap, campaign="other"))
    slots = floor.ledger.rows("SELECT due_at, count(*) FROM attempt GROUP BY 1 ORDER BY 1")
    assert [n for _, n in slots] == [10] * 7, "another run's half-hours are taken"
    for n in range(50, 90):
        floor.ledger.person([mobile(n)])
    one_day = SMS | {"start": {"at": "15:00"}, "expires_after_days": 1}
    small = cap | {"per_half_hour": 1, "expected_rate": {"sms": 1.0}}
    with pytest.raises(DoesNotFit, match="call_backs"):
        floor.start(spec(one_day, call_backs=small, campaign="third"))


def test_the_best_hour_of_a_number_is_learnt_from_its_own_calls(floor: Floor) -> None:
    known = floor.ledger.person([mobile(1)])
    floor.ledger.person([mobile(2)])
    for hour, result, times in ((10, "absent", 5), (15, "talked", 3), (9, "talked", 0)):
        for n in range(times):
            floor.ledger.run(
                "INSERT INTO call (origin, direction, started_at, talk_seconds, wrap_seconds,"
                " result, phone_id, deduplication_key) SELECT 'operator', 'outbound',"
                " timestamptz '2026-09-01 00:10+09' + make_interval(hours => :h, days => :n), 0,"
                " 0, :r, phone_id, :h || '-' || :n FROM debtor_phone WHERE debtor_id = :d",
                h=hour, n=n, r=result, d=known,
            )  # fmt: skip
    floor.start(spec(CALL | {"best_hour": True}))
    own = floor.ledger.rows(
        "SELECT a.due_at FROM attempt a JOIN target t ON t.id = a.target_id "
        "WHERE t.addressee_id = :d", d=known)  # fmt: skip
    assert [row[0].astimezone(TOKYO).hour for row in own] == [15]  # type: ignore[union-attr]
    assert sorted(at.hour for at in due(floor, "call-1")) == [9, 15]


@pytest.mark.parametrize(
    ("conditions", "outcome", "contacted"),
    [
        ({"only": ["undelivered"]}, "undelivered", True),
        ({"only": ["undelivered"]}, "delivered", False),
        ({"only_after": {"sms-1": ["delivered"]}}, "delivered", True),
        ({"only_after": {"sms-1": ["delivered"]}}, "undelivered", False),
        ({"unless_after": {"sms-1": ["delivered"]}}, "delivered", False),
        ({"unless_after": {"sms-1": ["delivered"]}}, "undelivered", True),
        ({"payment": {"paid": False}}, "delivered", True),
        ({"payment": {"paid": True, "since": "sms-1"}}, "delivered", False),
    ],
)
def test_conditions_on_earlier_steps_and_payment(
    floor: Floor, conditions: dict[str, Any], outcome: str, contacted: bool
) -> None:  # fmt: skip
    floor.ledger.person([mobile(1)])
    floor.start(spec(SMS, CALL | {"start": {"after_days": 1}} | conditions))
    finish(floor, outcome)
    floor.clock.at += timedelta(days=1)
    floor.drain(Channel.AUTO_CALL)
    assert floor.reasons("auto_call") == ({} if contacted else {"condition": 1})


def test_part_payment_since_is_seen(floor: Floor) -> None:
    person = floor.ledger.person([mobile(1)])
    step = CALL | {"start": {"after_days": 1}, "payment": {"paid": False, "since": "sms-1"}}
    floor.start(spec(SMS, step))
    finish(floor, "delivered")
    pays(floor, person, date(2026, 10, 26))
    floor.clock.at += timedelta(days=1)
    floor.drain(Channel.AUTO_CALL)
    assert floor.reasons("auto_call") == {"condition": 1}


def pays(floor: Floor, person: int, day: date) -> None:
    floor.ledger.run(
        "INSERT INTO payment (claim_id, debtor_code, kind, notice_number, instalment, paid_on,"
        " amount_yen, method, source_file_id, source_line) SELECT c.id, d.code, c.kind,"
        " c.notice_number, c.instalment, :on, 100, 'counter', c.source_file_id, 1"
        " FROM claim c JOIN debtor d ON d.id = c.debtor_id WHERE d.id = :d",
        d=person, on=day,
    )  # fmt: skip


@pytest.mark.parametrize(("days", "contacted"), [(2, False), (1, True)])
def test_quiet_days_after_a_payment_are_judged_at_leasing(
    floor: Floor, days: int, contacted: bool
) -> None:  # fmt: skip
    person = floor.ledger.person([mobile(1)])
    floor.start(spec(SMS, quiet={"after_payment_days": days}))
    pays(floor, person, date(2026, 10, 24))
    floor.drain()
    assert floor.reasons() == ({} if contacted else {"quiet": 1})


@pytest.mark.parametrize("result", ["talked", "absent"])
def test_quiet_days_after_a_conversation_at_any_number_of_theirs(
    floor: Floor, result: str
) -> None:  # fmt: skip
    floor.ledger.person([mobile(1), mobile(2)])
    floor.start(spec(SMS, quiet={"after_conversation_days": 7}))
    floor.ledger.run(
        "INSERT INTO call (origin, direction, started_at, talk_seconds, wrap_seconds, result,"
        " phone_id, deduplication_key) SELECT 'resident', 'inbound', '2026-10-23 15:00+09', 60, 0,"
        " :r, phone_id, 'x' FROM debtor_phone WHERE rank = 2", r=result,
    )  # fmt: skip
    floor.drain()
    assert floor.reasons() == ({"quiet": 1} if result == "talked" else {})


def test_caps_are_a_persons_whatever_number_was_used(floor: Floor) -> None:
    caps = {"per_7_days": 1, "per_30_days": 5}
    person = floor.ledger.person([mobile(1)])
    floor.start(spec(SMS, caps=caps))
    floor.drain()
    floor.ledger.run("UPDATE run SET state = 'completed'")
    # a newer file gives another number, and another campaign comes
    floor.ledger.run("DELETE FROM debtor_phone")
    floor.ledger.run(
        "INSERT INTO phone (number, number_index, kind) VALUES (:n, :i, 'mobile')",
        n=floor.ledger.vault.seal("phone.number", mobile(2)), i=b"2",
    )  # fmt: skip
    floor.ledger.run("INSERT INTO debtor_phone SELECT :d, max(id), 1 FROM phone", d=person)
    floor.start(spec(SMS, caps=caps, campaign="other"))
    floor.drain()
    assert floor.reasons() == {"contact_cap": 1}


def test_a_lifted_exclusion_is_honoured_by_name_only(floor: Floor) -> None:
    lifted = {"exclusion": "public_assistance", "reason": "返還金は生活保護受給中の人が対象です"}
    kept = floor.ledger.person([mobile(1)])
    floor.ledger.restrict("public_assistance", debtor_id=kept)
    silent = floor.ledger.person([mobile(2)])
    floor.ledger.restrict("no_calls", debtor_id=silent)
    run_id = floor.start(spec(SMS, lift=[lifted]))
    assert floor.ledger.rows("SELECT addressee_id FROM target") == [(kept,)]
    floor.drain()
    assert floor.reasons() == {}, "nor does leasing stop what the approver has seen"
    assert floor.ledger.one("SELECT lifted FROM run WHERE id = :r", r=run_id) == [
        "public_assistance"]  # fmt: skip
    floor.ledger.run("UPDATE run SET state = 'completed'")
    another = floor.ledger.person([mobile(3)])
    floor.start(spec(SMS, campaign="other"))
    assert floor.ledger.rows(
        "SELECT addressee_id FROM target t JOIN run r ON r.id = t.run_id WHERE r.state = 'running'"
    ) == [(another,)]


@pytest.mark.parametrize(
    ("part", "comes"),
    [("evening", None), ("morning", (26, 11)), ("another", (26, 12)), ("afternoon", (26, 12))],
)
def test_a_retry_comes_in_its_part_of_the_day(
    floor: Floor, part: str, comes: tuple[int, int] | None
) -> None:  # fmt: skip
    floor.ledger.person([mobile(1)])
    retry = {"on": "no_answer", "after": "1 h", "most": 1, "part_of_day": part}
    floor.start(spec(CALL | {"retries": [retry]}))
    finish(floor, "no_answer", "call-1")
    tries = due(floor, "call-1")
    assert [(at.day, at.hour) for at in tries[1:]] == ([comes] if comes else [])


def test_the_fallback_follows_when_no_retry_is_left_and_is_the_last(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    floor.ledger.person(["+81312345678"])  # no SMS
    retry = {"on": "no_answer", "after": "1 h", "most": 1}
    fallback = {"on": ["no_answer"], "channel": "sms", "after": "2 h", "message": "m"}
    floor.start(spec(CALL | {"retries": [retry], "fallback": fallback}))
    finish(floor, "no_answer", "call-1")
    finish(floor, "no_answer", "call-1")
    rows = floor.ledger.rows(
        "SELECT channel, try_number, count(*) FROM attempt GROUP BY 1, 2 ORDER BY 2, 1"
    )
    assert rows == [("auto_call", 1, 2), ("auto_call", 2, 2), ("sms", 3, 1)]
    floor.clock.at += 3 * HOUR
    floor.drain()
    assert [contact.body for _, contact in floor.carrier.taken] == [
        "世田谷区役所です。お電話ください。03-5432-1111"]  # fmt: skip
    finish(floor, "undelivered", "call-1")
    assert floor.ledger.one("SELECT max(try_number) FROM attempt") == 3


def test_most_tries_ends_it(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    retries = [{"on": "busy", "after": "5 min", "most": 3}]
    floor.start(spec(CALL | {"retries": retries, "most_tries": 2}))
    for _ in range(4):
        finish(floor, "busy", "call-1")
    assert floor.ledger.one("SELECT max(try_number) FROM attempt") == 2


def test_a_message_comes_in_the_addressees_language(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    person = floor.ledger.person([mobile(2)])
    floor.ledger.run("UPDATE debtor SET language = 'en' WHERE id = :d", d=person)
    text = {"ja": "{office}です。{centre_phone}", "en": "This is {office}: {centre_phone}"}
    floor.start(spec(SMS, messages={"m": text}))
    floor.drain()
    assert sorted(contact.body[:4] for _, contact in floor.carrier.taken) == ["This", "世田谷区"]
