"""The centre's load broken down, counted from a call log whose sums are known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from contact_service.bootstrap import Service
from contact_service.clock import TOKYO
from contact_service.domain.actors import Actor, NotAllowed, Role
from contact_service.evaluation.staffing.broken_down import (
    SPANS,
    By,
    broken_down,
    load_broken_down,
)
from contact_service.evaluation.staffing.load_page import load_document
from contact_service.evaluation.wording import Lang
from tests.evaluation.centre_command import Run, log, run
from tests.evaluation.world import CALLS_FROM, CALLS_TO, START, World, build

__all__ = ["run"]

MONDAY = date(2026, 10, 5)
LATER = datetime(2026, 12, 1, tzinfo=TOKYO)
#: One household that gets a message and an auto-call.
ONE = World(arms={"sms_call": (1, 0)}, excluded={}, calls_per_half_hour=-9, seed="one")


def at(day: date, clock_time: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock_time), TOKYO)


def row_of(rows: list[dict[str, Any]], key: str | None) -> dict[str, Any]:
    (found,) = [row for row in rows if row["key"] == key]
    return found


@pytest.fixture(scope="module")
def small(blank: Engine) -> Iterator[Connection]:
    """One transaction in which a test writes what it needs; it is rolled back."""
    with blank.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def known_load(shared: Service) -> dict[str, Any]:
    """The load of the world's calls."""
    with shared.engine.connect() as connection:
        return broken_down(connection, CALLS_FROM, CALLS_TO, LATER)


def call(connection: Connection, origin: str, started: datetime, **also: Any) -> None:
    values = {"wait": None, "talk": 0, "wrap": 0, "result": "talked", "ext": None, "phone": None}
    values |= also
    connection.execute(
        text(
            "INSERT INTO call (origin, direction, started_at, wait_seconds, talk_seconds, "
            "wrap_seconds, result, extension, phone_id, deduplication_key) VALUES (:origin, "
            ":direction, :started, :wait, :talk, :wrap, :result, :ext, :phone, :key)"
        ),
        {
            **values,
            "origin": origin,
            "direction": "inbound" if origin == "resident" else "outbound",
            "started": started,
            "key": f"{origin}{started}{values['ext']}{values['phone']}",
        },
    )


def test_every_break_down_adds_up_to_the_whole(known_load: dict[str, Any]) -> None:
    total = known_load["total"]
    assert total["inbound"]["offered"] > 3000
    for by in (By.HALF_HOUR, By.WEEKDAY, By.DAY, By.WEEK, By.CAMPAIGN):
        rows = known_load[f"by_{by}"]
        for way, columns in (
            ("inbound", ("offered", "answered", "abandoned")),
            ("outbound", ("dialled", "right_party_reached", "talk_seconds", "after_call_seconds",
                          "agent_hours")),
        ):  # fmt: skip
            for column in columns:
                found = sum(row[way][column] for row in rows)
                assert found == pytest.approx(total[way][column]), (by, column)


def test_a_campaign_has_its_calls_out_and_those_that_came_back(
    known_load: dict[str, Any], shared: Service
) -> None:
    with shared.engine.connect() as connection:
        dialled, sms, after = connection.execute(
            text(
                "SELECT (SELECT count(*) FROM call WHERE origin = 'operator' "
                "AND attempt_id IS NOT NULL), (SELECT count(*) FROM attempt WHERE channel = 'sms' "
                "AND state IN ('finished', 'unknown')), (SELECT count(*) FROM call c WHERE "
                "origin = 'resident' AND EXISTS (SELECT FROM attempt a WHERE a.phone_id = "
                "c.phone_id AND a.state IN ('finished', 'unknown') AND (a.channel <> 'operator' "
                "OR EXISTS (SELECT FROM call o WHERE o.attempt_id = a.id)) AND a.submitted_at "
                "BETWEEN c.started_at - interval '72 hours' AND c.started_at))"
            )
        ).one()
    (ours,) = [row for row in known_load["by_campaign"] if row["key"]]
    assert ours["campaign"] == "秋の催告効果検証"
    assert ours["outbound"]["dialled"] == dialled
    assert ours["sent"]["sms"][-1]["contacts"] == sms
    assert ours["inbound"]["offered"] == after
    assert sum(spans[-1]["calls"] for spans in ours["sent"].values()) == after


def test_kinds_of_claim_are_those_of_the_contact(known_load: dict[str, Any]) -> None:
    rows = known_load["by_kind"]
    kinds = {"resident_tax", "health_insurance", "care_insurance", None}
    assert {row["key"] for row in rows} == kinds
    # of the world's people, each owes one kind: here they do add up
    total = known_load["total"]["inbound"]["offered"]
    assert sum(row["inbound"]["offered"] for row in rows) == total
    assert rows[-1]["key"] is None


def test_calls_are_counted_from_the_last_contact(small: Connection) -> None:
    """A message at 10:00 and an auto-call the day after: calls at 10:30, 11:30, 12:00 the next
    day (of the auto-call then), and one four days later that nothing caused."""
    with small.begin_nested() as rolled:
        build(small, ONE)
        phone, sms = small.execute(
            text("SELECT phone_id, submitted_at FROM attempt WHERE channel = 'sms'")
        ).one()
        small.execute(text("DELETE FROM call"))
        small.execute(text("DELETE FROM attempt WHERE channel = 'operator'"))
        small.execute(
            text("UPDATE attempt SET submitted_at = :at WHERE channel = 'auto_call'"),
            {"at": sms + timedelta(hours=24)},
        )
        for hours in (0.5, 1.5, 26, 120):
            call(small, "resident", sms + timedelta(hours=hours), phone=phone, talk=60)
        found = broken_down(small, START, START + timedelta(days=10), LATER)
        early = broken_down_again(small, START, START + timedelta(days=1))
        rolled.rollback()
    within = {
        channel: [(span["within_hours"], span["contacts"], span["calls"]) for span in spans]
        for channel, spans in found["total"]["sent"].items()
    }
    assert within == {
        "sms": [(1, 1, 1), (24, 1, 2), (72, 1, 2)],
        "auto_call": [(1, 1, 0), (24, 1, 1), (72, 1, 1)],
    }
    curve = {
        (row["channel"], row["hour"]): row["per_100_contacts"] for row in found["call_back_curve"]
    }
    assert [curve["sms", hour] for hour in (0, 1, 2, 72)] == [0, 100, 200, 200]
    assert [curve["auto_call", hour] for hour in (1, 2, 3)] == [0, 100, 100]
    unknown = row_of(found["by_campaign"], None)
    assert unknown["inbound"]["offered"] == 1  # the one of four days later
    # by the end of the second day 72 hours are over for nobody
    assert [span["within_hours"] for span in early["total"]["sent"]["sms"]] == [1, 24]
    assert early["call_back_curve"] == []


def broken_down_again(connection: Connection, start: date, end: date) -> dict[str, Any]:
    """Once more in the same transaction."""
    for table in ("contact", "call", "kind", "slot"):
        connection.execute(text(f"DROP TABLE report_centre_{table}"))
    return broken_down(connection, start, end, LATER)


def test_occupancy_by_the_log_and_by_the_desk(small: Connection) -> None:
    """Extension 201 answers from 9:00 to 9:50: 10 and 20 minutes busy of 50. The next day the desk
    has its own record: free for an hour, then on a break."""
    tuesday = MONDAY + timedelta(days=1)
    with small.begin_nested() as rolled:
        call(small, "resident", at(MONDAY, "09:00"), wait=0, talk=540, wrap=60, ext="201")
        call(small, "operator", at(MONDAY, "09:20"), talk=1500, wrap=300, ext="201")
        call(small, "resident", at(tuesday, "09:10"), wait=30, talk=600, wrap=300, ext="sato")
        small.execute(
            text(
                "INSERT INTO operator_period (operator, state, started_at, ended_at, seen_at) "
                "VALUES ('sato', 'free', :nine, :nine, :nine), ('sato', 'talking', :nine, :ten, "
                ":ten), ('sato', 'on_break', :ten, :noon, :noon)"
            ),
            {
                "nine": at(tuesday, "09:00"),
                "ten": at(tuesday, "10:00"),
                "noon": at(tuesday, "12:00"),
            },
        )
        found = broken_down(small, MONDAY, tuesday, LATER)
        rolled.rollback()
    by_log, by_desk = found["by_day"]
    assert by_log["staffed_hours"] == pytest.approx(50 / 60)
    assert by_log["occupancy"] == pytest.approx(40 / 50)
    assert by_desk["staffed_hours"] == 1
    assert by_desk["occupancy"] == pytest.approx(15 / 60)
    first, second = found["by_half_hour"]
    # the call out of 9:20 lasts 20 minutes into the next half-hour
    assert first["occupancy"] == pytest.approx((10 + 10 + 15) / 60)
    assert (second["key"], second["inbound"]["offered"]) == ("09:30", 0)
    assert second["occupancy"] == pytest.approx(20 / (20 + 30))
    assert first["inbound"]["offered_erlangs"] == pytest.approx(2 * 750 / 3600)
    # said, so that nobody takes no call and busy operators for a fault
    assert second["busy_hours"] == second["carried_over_hours"] == pytest.approx(20 / 60)
    assert second["carried_over_only"] and not first["carried_over_only"]
    assert first["busy_hours"] == pytest.approx(35 / 60) and first["carried_over_hours"] == 0
    pages: list[tuple[Lang, str]] = [
        ("ja", "09:30（続きの通話のみ）"),
        ("en", "09:30 (calls carried over"),
    ]
    for lang, said in pages:
        assert said in str(load_document(found, lang)), lang


def test_who_waits_into_the_next_half_hour_keeps_nobody_busy_while_waiting(
    small: Connection,
) -> None:
    with small.begin_nested() as rolled:
        call(small, "resident", at(MONDAY, "09:29"), wait=120, talk=240, wrap=60, ext="201")
        found = broken_down(small, MONDAY, MONDAY, LATER)
        rolled.rollback()
    first, second = found["by_half_hour"]
    assert (first["busy_hours"], first["carried_over_only"]) == (0, False)
    assert second["carried_over_hours"] == pytest.approx(300 / 3600)
    assert second["busy_hours"] == pytest.approx(300 / 3600) and second["carried_over_only"]


def test_a_wrong_number_is_not_the_right_party(small: Connection) -> None:
    with small.begin_nested() as rolled:
        for n, result in enumerate(("talked", "complaint", "wrong_number", "absent")):
            call(small, "operator", at(MONDAY, f"09:0{n}"), talk=60, wrap=30, result=result)
        found = broken_down(small, MONDAY, MONDAY, LATER)["total"]["outbound"]
        rolled.rollback()
    assert (found["dialled"], found["right_party_reached"]) == (4, 2)
    assert (found["talk_seconds"], found["after_call_seconds"]) == (240, 120)
    assert found["agent_hours"] == pytest.approx(0.1)


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_the_page_shows_every_break_down(known_load: dict[str, Any], lang: Lang) -> None:
    document = load_document(known_load, lang)
    assert [section.id for section in document.sections] == [
        "whole", "half-hour", "weekday", "day", "week", "campaign", "kind", "how",
    ]  # fmt: skip
    assert len(SPANS) == 3


def test_the_command_says_it_in_figures_and_writes_the_page(
    run: Run, engine: Engine, tmp_path: Path
) -> None:
    log(engine, [("resident", MONDAY, "09:00", 3, 180, "talked"),
                 ("operator", MONDAY, "09:40", 2, 120, "talked")])  # fmt: skip
    page = tmp_path / "load.html"
    result = run("load", "--json", "--output", str(page))
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert figures["total"]["inbound"]["offered"] == 3
    assert "<svg" in page.read_text(encoding="utf-8")
    shown = run("load", "--by", "weekday").stdout
    assert "計 total" in shown and "月│" in shown
    assert run("load", "--from", "2026-10-06", "--to", "2026-10-05").exit_code == 2
    later = run("load", "--from", "2030-01-01", "--json")
    assert (later.exit_code, later.stdout) == (1, "") and "2026-10-05" in later.stderr


def test_an_empty_log_is_said_and_operators_may_not_read(run: Run, service: Service) -> None:
    assert "intake calls" in run("load").stderr
    with pytest.raises(NotAllowed):
        load_broken_down(service, Actor("ito", Role.OPERATOR), None, None)


moments = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 6 * 24 * 60)), max_size=12, unique=True
)


@settings(deadline=None, max_examples=40)
@given(moments, moments)
def test_each_call_is_matched_to_the_last_contact_with_its_number(
    small: Connection, contacts: list[tuple[int, int]], calls: list[tuple[int, int]]
) -> None:
    """Against the plainest way to say it: numbers 0 to 2, minutes since Monday."""
    start = at(MONDAY, "00:00")
    with small.begin_nested() as rolled:
        phones = small.scalars(
            text(
                "INSERT INTO phone (number, number_index, kind) SELECT 'x', "
                "decode(md5('m' || n), 'hex'), 'mobile' FROM generate_series(0, 2) n RETURNING id"
            )
        ).all()
        for origin, rows in (("operator", contacts), ("resident", calls)):
            for n, minute in rows:
                call(small, origin, start + timedelta(minutes=minute), phone=phones[n])
        # so long that 72 hours are over since every contact
        found = broken_down(small, MONDAY, MONDAY + timedelta(days=12), LATER)["total"]
        rolled.rollback()
    waits = [
        minute - max(before)
        for n, minute in calls
        if (before := [m for k, m in contacts if k == n and 0 <= minute - m <= 72 * 60])
    ]
    told = {
        span["within_hours"]: span["calls"] for span in found.get("sent", {}).get("operator", [])
    }
    for hours in SPANS:
        assert told.get(hours, 0) == sum(wait <= hours * 60 for wait in waits)
