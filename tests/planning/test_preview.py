"""Preview and calendar: what would be done and where it clashes, with nothing left behind."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from campaigns.carriers import Carrier
from campaigns.definition import Definition
from campaigns.lifted import lifted_section
from contact_service.clock import TOKYO
from contact_service.domain.actors import Actor, Role
from contact_service.evaluation.campaign_calendar import calendar_picture
from contact_service.planning import runs, versions
from contact_service.planning.calendar import campaign_calendar
from contact_service.planning.preview import Figures, preview
from providers.parts import RULES, TYPICAL
from tests.dispatch.conftest import Floor
from tests.ledger import Owed, definition, mobile

STAFF = Actor("p", Role.STAFF)
MONDAY = date(2026, 10, 26)
OFFICE = {"office": "世田谷区役所", "centre_phone": "03-5432-1111"}
EVERYTHING = ("run", "campaign_version", "campaign_transition", "target", "target_claim",
              "attempt", "exclusion", "run_step", "audit_log")  # fmt: skip


def shown(floor: Floor, spec: Definition, **given: Any) -> Figures:
    engine, now = floor.ledger.engine, floor.clock.now()
    return preview(engine, STAFF, spec, spec.model_dump_json(), MONDAY, now, OFFICE, **given)


def people(floor: Floor) -> None:
    for n in range(20):
        floor.ledger.person([mobile(n)], [Owed(kind="resident_tax" if n % 2 else "nursery_fee")])
    silent = floor.ledger.person([mobile(90)])
    floor.ledger.restrict("no_calls", debtor_id=silent)


def test_a_preview_tells_all_and_leaves_nothing_behind(floor: Floor) -> None:
    people(floor)
    before = {name: floor.ledger.rows(f"SELECT * FROM {name}") for name in EVERYTHING}
    text = {"ja": "{office}です。{centre_phone}", "en": "This is {office}: {centre_phone}"}
    floor.ledger.run("UPDATE debtor SET language = 'en'")
    spec = definition(messages={"m": text}, costs={"sms_part_yen": 10})
    figures = shown(floor, spec)
    assert figures == shown(floor, spec), "the same again"
    assert {name: floor.ledger.rows(f"SELECT * FROM {name}") for name in EVERYTHING} == before
    assert figures["excluded"] == {"restricted": 1}
    assert figures["restricted_by"] == {"no_calls": 1}
    assert {arm["arm"]: arm["targets"] for arm in figures["arms"]} == {"holdout": 10, "contact": 10}
    assert sum(row["claims"] for row in figures["kinds"]) == 20
    sms = figures["steps"][0]
    assert (sms["contacts"], sms["parts"], sms["cost_yen"]) == (10, 10, 100)
    assert [(each["language"], each["text"]) for each in sms["samples"]] == [
        ("en", "This is 世田谷区役所: 03-5432-1111")]  # fmt: skip
    assert [(row["day"], row["contacts"]) for row in figures["calendar"]] == [
        (MONDAY, 10), (MONDAY + timedelta(days=7), 10), (MONDAY + timedelta(days=14), 10)]  # fmt: skip
    # 10 SMS at 0.1 and 10 calls at 0.05, none lost in closed hours
    assert round(sum(row["calls"] for row in figures["call_backs"]), 2) == 1.5


def test_parts_and_costs_are_each_carriers_own_and_the_dearest_counts(floor: Floor) -> None:
    people(floor)
    spec = definition(
        arms=[{"name": "contact"}], costs={"sms_part_yen": 10},
        messages={"m": "a" * 100},
    )  # fmt: skip
    carriers = [Carrier("usual", TYPICAL), Carrier("abroad", RULES["gsm"], part_yen=25)]
    (sample,) = shown(floor, spec, carriers=carriers)["steps"][0]["samples"]
    assert sample["carriers"] == [
        {"carrier": "usual", "parts": 2, "cost_yen": 20.0},
        {"carrier": "abroad", "parts": 1, "cost_yen": 25.0},
    ]
    assert shown(floor, spec, carriers=carriers)["steps"][0]["cost_yen"] == 20 * 25


def test_the_offices_allowance_of_call_backs_holds_whatever_the_definition_states(
    floor: Floor,
) -> None:
    people(floor)
    arms = [{"name": "contact"}]
    rates = {"expected_rate": {"sms": 0.5}}

    def slots(spec: Definition, **given: Any) -> list[int]:
        first = shown(floor, spec, **given)["steps"][0]
        return [first["contacts"], int((first["last"] - first["first"]) / timedelta(minutes=30))]

    spec = definition(arms=arms, call_backs=rates)
    assert slots(spec) == [20, 0]
    assert slots(spec, call_backs=2.0) == [20, 4]  # four contacts a half-hour
    for most, takes in ((5, [20, 4]), (1, [20, 9])):  # a definition may ask for less, never more
        own = definition(arms=arms, call_backs={**rates, "per_half_hour": most})
        assert slots(own, call_backs=2.0) == takes
    engine, now = floor.ledger.engine, floor.clock.now()
    source = spec.model_dump_json()
    run_id = runs.plan(engine, STAFF, spec, source, MONDAY, now, call_backs=2.0).run_id
    assert floor.ledger.one(
        "SELECT count(DISTINCT due_at) FROM attempt WHERE run_id = :r AND step = 'sms-1'", r=run_id
    ) == 5  # fmt: skip


def test_an_approver_sees_every_lifted_exclusion_new_or_not(floor: Floor) -> None:
    engine, now = floor.ledger.engine, floor.clock.now()
    lift = [{"exclusion": "public_assistance", "reason": "生活福祉課と協議し合意しました"}]
    told = []
    for title in ("一", "二"):
        spec = definition(title=title, lift=lift)
        version = versions.submit(engine, STAFF, spec, spec.model_dump_json(), now)
        with engine.connect() as connection:
            section = versions.for_approval(connection, version).lifted
        assert section is not None
        told += section.lines
        versions.approve(engine, Actor("a", Role.APPROVER), version.id, now)
    assert told == [
        "生活保護受給の人にも連絡します。理由: 生活福祉課と協議し合意しました",
        "  生活保護受給の人にも連絡します。理由: 生活福祉課と協議し合意しました",
    ]
    without = lifted_section(definition(), before=definition(lift=lift))
    assert without is not None and without.lines[0].startswith("− 生活保護受給")
    assert lifted_section(definition()) is None


def test_what_is_previewed_is_what_is_planned(floor: Floor) -> None:
    people(floor)
    figures = shown(floor, definition())
    floor.start(definition())
    planned = floor.ledger.rows("SELECT arm, count(*) FROM target GROUP BY 1 ORDER BY 1")
    assert sorted((arm["arm"], arm["targets"]) for arm in figures["arms"]) == planned


def test_the_calendar_shows_people_in_two_runs_and_calls_above_the_staff(floor: Floor) -> None:
    people(floor)
    spec = definition(call_backs={"expected_rate": {"sms": 1.0}})
    floor.start(spec)
    other = definition(campaign="other", title="別の計画", select={"kinds": ["nursery_fee"]})
    engine, now = floor.ledger.engine, floor.clock.now()
    version = versions.submit(engine, STAFF, other, other.model_dump_json(), now)
    versions.approve(engine, Actor("a", Role.APPROVER), version.id, now)
    runs.schedule(engine, STAFF, version.id, date(2026, 11, 2), now)
    with engine.begin() as connection:
        figures = campaign_calendar(connection, STAFF, date(2026, 4, 1), date(2027, 3, 31), 1)
    assert [(run["campaign"], run["frozen"], run["people"]) for run in figures["runs"]] == [
        ("test", True, 20), ("other", False, 10)]  # fmt: skip
    [clash] = figures["same_people"]
    assert (clash["campaigns"], clash["people"], clash["first_day"]) == (
        ["test", "other"], 10, date(2026, 11, 2))  # fmt: skip
    # ten SMS at 9:00, each answered by a call: one operator takes 5.1 in a half-hour
    assert figures["centre"]["calls_per_half_hour"] == 5.1
    assert figures["centre"]["above"] == []
    with engine.begin() as connection:
        floor.ledger.run("UPDATE attempt SET due_at = :at WHERE channel = 'sms'",
                         at=datetime(2026, 10, 26, 16, 30, tzinfo=TOKYO))  # fmt: skip
        figures = campaign_calendar(connection, STAFF, date(2026, 4, 1), date(2027, 3, 31), 1)
    assert [row["slot"] for row in figures["centre"]["above"]] == [
        datetime(2026, 10, 27, 9, 0, tzinfo=TOKYO)
    ], "those who would call at night call at nine"
    drawn = calendar_picture(figures)
    assert drawn.startswith("<svg")
    assert "別の計画" in drawn
