"""The centre's load, counted from a call log whose sums are known."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, insert, select, text

from contact_service.clock import TOKYO
from contact_service.evaluation.chapters.summary import centre
from contact_service.evaluation.chapters.voice import Voice
from contact_service.evaluation.load import is_working_day, load_figures
from contact_service.store.tables.calls import call
from tests.evaluation.world import CALLS_FROM, CALLS_TO, QUIET, START, build

MONDAY = date(2026, 10, 5)
CHANGE = date(2026, 10, 14)  # the 12th is a holiday (スポーツの日)


def log(connection: Connection, *rows: tuple[str, datetime, int, int, str]) -> None:
    """Calls as (origin, start, talk, wrap, result)."""
    connection.execute(
        insert(call),
        [
            {
                "origin": origin,
                "direction": "inbound" if origin == "resident" else "outbound",
                "started_at": at,
                "talk_seconds": talk,
                "wrap_seconds": wrap,
                "wait_seconds": 30 if origin == "resident" else None,
                "result": result,
                "deduplication_key": str(n),
            }
            for n, (origin, at, talk, wrap, result) in enumerate(rows)
        ],
    )


def at(day: date, clock_time: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock_time), TOKYO)


def row_of(rows: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    (found,) = [r for r in rows if all(r[key] == value for key, value in wanted.items())]
    return found


@pytest.fixture(scope="module")
def figures(blank: Engine) -> dict[str, Any]:
    """Six working days before, with 4 inbound and 6 outbound calls; three after, with 8 and 2."""
    rows: list[tuple[str, datetime, int, int, str]] = []
    days = [MONDAY + timedelta(days=n) for n in range(12)]
    for day in filter(is_working_day, days):
        inbound, outbound = (4, 6) if day < CHANGE else (8, 2)
        rows += [("resident", at(day, "10:00") + timedelta(minutes=n), 240, 60, "talked")
                 for n in range(inbound)]  # fmt: skip
        rows += [("operator", at(day, "10:30") + timedelta(minutes=n), 120, 60, "talked")
                 for n in range(outbound)]  # fmt: skip
        rows.append(("resident", at(day, "10:20"), 0, 0, "abandoned"))
    rows.append(("operator", at(date(2026, 10, 11), "10:00"), 900, 0, "talked"))  # a Sunday
    rows.append(("operator", at(date(2026, 10, 19), "10:00"), 900, 0, "talked"))  # outside
    with blank.connect() as connection:
        log(connection, *rows)
        return load_figures(connection, MONDAY, CHANGE, date(2026, 10, 16))


def test_days_are_working_days(figures: dict[str, Any]) -> None:
    assert figures["working_days"] == {"before": 6, "after": 3}
    assert figures["working_days_without_records"] == 0
    assert not is_working_day(date(2026, 10, 12))
    assert not is_working_day(date(2026, 12, 29))
    assert is_working_day(date(2026, 12, 28))


def test_inbound_and_outbound_are_counted_apart(figures: dict[str, Any]) -> None:
    inbound = row_of(figures["totals"], origin="resident")
    outbound = row_of(figures["totals"], origin="operator")
    assert (inbound["calls"], inbound["abandoned"], inbound["talked"]) == (57, 9, 48)
    assert (outbound["calls"], outbound["handle_seconds"]) == (36 + 6 + 1, 42 * 180 + 900)
    assert inbound["agent_hours"] == pytest.approx(48 * 300 / 3600)
    assert inbound["average_wait_seconds"] == 30
    calls = row_of(figures["comparison"], measure="inbound_calls")
    assert (calls["before"], calls["after"]) == (5, 9)
    hours = row_of(figures["comparison"], measure="operator_agent_hours")
    assert hours["before"] == pytest.approx(6 * 180 / 3600)  # the Sunday is no working day
    assert hours["after"] == pytest.approx(2 * 180 / 3600)


def test_half_hours_and_erlangs(figures: dict[str, Any]) -> None:
    ten = row_of(figures["by_half_hour"], period="before", origin="resident", slot="10:00")
    # who hung up was offered, too, but took nobody's time
    assert (ten["open_days"], ten["calls"], ten["aht_seconds"]) == (6, 30, 300)
    assert ten["erlangs"] == pytest.approx(5 * 300 / 1800)
    peak = row_of(figures["staffing"], period="after")
    assert (peak["slot"], peak["offered_erlangs"]) == ("10:00", pytest.approx(1.5))
    # Erlang C: 3 operators answer 78.6 % within 20 s, 4 answer 93.7 %
    assert peak["agents"] == 4
    assert peak["service_level"] == pytest.approx(0.936863, abs=1e-5)


def test_a_half_hour_is_open_between_a_days_first_call_and_its_last(blank: Engine) -> None:
    """The machine calls at other hours than people, and does not open the centre for them."""
    tuesday = MONDAY + timedelta(days=1)
    with blank.connect() as connection:
        log(
            connection,
            ("resident", at(MONDAY, "10:00"), 60, 0, "talked"),
            ("resident", at(MONDAY, "11:05"), 60, 0, "complaint"),
            ("resident", at(tuesday, "10:05"), 0, 0, "abandoned"),
            ("operator", at(tuesday, "10:40"), 60, 0, "talked"),
            ("auto_call", at(MONDAY, "09:00"), 60, 0, "talked"),
            ("auto_call", at(MONDAY, "12:00"), 60, 0, "talked"),
            ("auto_call", at(tuesday, "18:00"), 60, 0, "talked"),
        )
        found = load_figures(connection, MONDAY, None, tuesday)
    open_days = {(row["origin"], row["slot"]): row["open_days"] for row in found["by_half_hour"]}
    assert open_days == {
        ("resident", "10:00"): 2, ("resident", "11:00"): 1, ("operator", "10:30"): 2,
        ("auto_call", "09:00"): 1,
        ("auto_call", "12:00"): 1, ("auto_call", "18:00"): 1,
    }  # fmt: skip
    inbound = row_of(found["totals"], origin="resident")
    # somebody who complains has been spoken with
    assert (inbound["calls"], inbound["talked"], inbound["abandoned"]) == (3, 2, 1)


def test_weekdays_and_weeks(figures: dict[str, Any]) -> None:
    monday = row_of(figures["by_weekday"], period="before", weekday=0, origin="resident")
    assert (monday["days"], monday["calls_per_day"]) == (1, 5)
    week = row_of(figures["by_week"], week="2026-10-05", origin="operator")
    assert week["calls"] == 5 * 6 + 1


def test_an_edge_that_few_days_reach_is_not_overstated(blank: Engine) -> None:
    days = [MONDAY + timedelta(days=n) for n in range(4)]
    with blank.connect() as connection:
        log(connection, ("resident", at(MONDAY, "08:40"), 300, 0, "talked"),
            *(("resident", at(day, "10:00"), 300, 0, "talked") for day in days))  # fmt: skip
        found = load_figures(connection, MONDAY, None, days[-1])
    edge = row_of(found["mean_day"], slot="08:30", origin="resident")
    assert (edge["days"], edge["calls_per_day"]) == (4, 0.25)
    assert edge["erlangs"] == pytest.approx(0.25 * 300 / 1800)


def test_a_stream_without_records_after_is_not_compared(blank: Engine) -> None:
    days = [day for n in range(12) if is_working_day(day := MONDAY + timedelta(days=n))]
    with blank.connect() as connection:
        log(connection,
            *(("resident", at(day, "10:00"), 60 + n, 0, "talked") for n, day in enumerate(days)),
            *(("operator", at(day, "11:00"), 60 + n, 0, "talked")
              for n, day in enumerate(days) if day <= CHANGE),
            *(("auto_call", at(day, "12:00"), 30, 0, "talked") for day in days[-2:]))  # fmt: skip
        found = load_figures(connection, MONDAY, CHANGE, days[-1], training=True)
    assert found["days_without_calls_after"] == {"operator": 2}
    for measure in ("operator_calls", "operator_agent_hours", "agent_hours", "auto_calls"):
        assert row_of(found["comparison"], measure=measure)["notes"] == []
    assert row_of(found["comparison"], measure="inbound_agent_hours")["notes"] != []
    assert row_of(found["comparison"], measure="auto_calls")["total_after"] == 2
    said = centre(found, Voice("en", {}, {}, ()))
    outbound = [line for line in said if line.startswith("Outbound by operators")]
    assert len(outbound) == 1
    assert "no call on 2 of 3 working days" in outbound[0]
    assert "6 calls before, 1 after" in outbound[0]
    assert "Inbound calls answered: 1.0 calls before and 1.0 calls after, per working day." in said
    assert said[-1] == "Training data: before is the imported call record, after is simulated."


@pytest.mark.parametrize("earlier", [1.0, 1.6])
def test_a_change_apart_from_weekdays_and_trend(blank: Engine, earlier: float) -> None:
    """Mondays are busy and calls grow; at the change they grow by half at once. Where they did
    so once before, the placebo dates say that such changes come of themselves."""
    start, change = date(2026, 4, 6), date(2026, 7, 6)
    days = [day for n in range(140) if is_working_day(day := start + timedelta(days=n))]
    rows = []
    for n, day in enumerate(days):
        level = 12 * (1.5 if day.weekday() == 0 else 1.0) * 1.004**n
        level *= (1.5 if day >= change else 1) * (earlier if day >= date(2026, 5, 25) else 1)
        rows += [("resident", at(day, "10:00") + timedelta(minutes=k), 60, 0, "talked")
                 for k in range(round(level + n % 3 - 1))]  # fmt: skip
    with blank.connect() as connection:
        log(connection, *rows)
        found = load_figures(connection, days[0], change, days[-1])
    calls = row_of(found["comparison"], measure="inbound_calls")
    said = [line for line in centre(found, Voice("en", {}, {}, ())) if "calls:" in line]
    if earlier == 1.0:
        assert calls["change"]["low"] < 1.5 < calls["change"]["high"]
        assert calls["change"]["low"] > 1.3
        assert calls["slope_per_week"]["estimate"] == pytest.approx(1, abs=0.01)
        assert len(calls["placebos"]) == 10
    else:
        assert calls["placebos_against"] > 0
        assert "do not rely on it" in said[0]


def test_a_day_is_tokyos(blank: Engine) -> None:
    """00:10 in Tokyo is still the day before in Greenwich."""
    with blank.connect() as connection:
        log(connection, ("resident", at(MONDAY, "00:10"), 60, 0, "talked"))
        found = load_figures(connection, MONDAY, None, MONDAY)
    assert [(row["day"], row["calls"]) for row in found["by_day"]] == [("2026-10-05", 1)]
    assert found["by_half_hour"][0]["slot"] == "00:00"


def test_days_without_records_are_said_not_averaged(blank: Engine) -> None:
    with blank.connect() as connection:
        log(connection, ("resident", at(MONDAY, "10:00"), 60, 0, "talked"))
        found = load_figures(connection, MONDAY, None, MONDAY + timedelta(days=4))
    assert found["working_days"] == {"before": 0, "after": 1}
    assert found["working_days_without_records"] == 4
    assert row_of(found["comparison"], measure="inbound_calls")["after"] == 1
    assert row_of(found["comparison"], measure="inbound_calls")["change"] is None


def test_only_transferred_auto_calls_take_an_operators_time(blank: Engine) -> None:
    with blank.connect() as connection:
        build(connection, QUIET)  # a centre without a log
        found = load_figures(connection, CALLS_FROM, START, CALLS_TO)
        transferred = connection.execute(
            text("""
            SELECT sum(c.talk_seconds + c.wrap_seconds) FROM call c
            JOIN attempt a ON a.id = c.attempt_id
            WHERE c.origin = 'auto_call' AND a.outcome = 'transferred'""")
        ).scalar_one()
    assert row_of(found["totals"], origin="auto_call")["agent_seconds"] == transferred > 0


@pytest.mark.parametrize(
    ("number", "later", "once"),
    [
        ("the same", timedelta(seconds=45), True),
        ("not shown", timedelta(seconds=45), True),
        ("another's", timedelta(seconds=45), False),
        ("the same", timedelta(minutes=59), True),  # carriers queue
        ("the same", timedelta(hours=2), False),
    ],
)
def test_a_transfer_that_the_centre_recorded_is_not_counted_twice(
    blank: Engine, number: str, later: timedelta, once: bool
) -> None:
    with blank.connect() as connection:
        build(connection, QUIET)
        one = connection.execute(
            select(call.c.phone_id, call.c.started_at)
            .where(call.c.origin == "auto_call", call.c.talk_seconds > 0)
            .where(text("attempt_id IN (SELECT id FROM attempt WHERE outcome = 'transferred')"))
            .limit(1)
        ).one()
        with connection.begin_nested() as first:
            before = load_figures(connection, CALLS_FROM, START, CALLS_TO)
            first.rollback()
        log(connection, ("resident", one.started_at + later, 300, 60, "talked"))
        other = connection.scalar(
            text("""SELECT min(id) FROM phone WHERE id NOT IN
                (SELECT phone_id FROM call WHERE phone_id IS NOT NULL)""")
        )
        connection.execute(
            text("UPDATE call SET phone_id = :phone WHERE deduplication_key = '0'"),
            {"phone": {"the same": one.phone_id, "another's": other}.get(number)},
        )
        after = load_figures(connection, CALLS_FROM, START, CALLS_TO)
    now = row_of(after["totals"], origin="auto_call")["agent_seconds"]
    assert (now < row_of(before["totals"], origin="auto_call")["agent_seconds"]) is once


def test_due_dates_are_those_of_one_claim_in_twenty(blank: Engine) -> None:
    """Of those that fell due from a fortnight before the period on."""
    spread = """UPDATE claim SET due_on = CASE
            WHEN n % 80 < 3 THEN DATE '2026-08-31'
            WHEN n % 80 < 9 THEN CAST(:first AS date) - 14
            ELSE DATE '2026-09-30' END
        FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM claim) numbered
        WHERE numbered.id = claim.id"""
    before = "UPDATE claim SET due_on = CAST(:first AS date) - 15 WHERE id % 3 = 0"
    with blank.connect() as connection:
        build(connection, QUIET)
        for change in (spread, before):
            connection.execute(text(change), {"first": CALLS_FROM})
        found = load_figures(connection, CALLS_FROM, None, CALLS_TO)
    assert found["due_days"] == [(CALLS_FROM - timedelta(days=14)).isoformat(), "2026-09-30"]
