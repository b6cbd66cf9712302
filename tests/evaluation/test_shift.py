"""``contact-service centre shift``: a small call log, and a trial whose answer is known."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, NotAllowed, Role
from contact_service.evaluation import erlang
from contact_service.evaluation.staffing.performance import Standard, agents_needed, rostered
from contact_service.evaluation.staffing.replacement import NoSuchArm
from contact_service.evaluation.staffing.shift import Plan, shift_figures
from contact_service.evaluation.staffing.shift_page import in_short, shift_document
from tests.evaluation.centre_command import Run, log, run
from tests.evaluation.world import CALLS_FROM, CALLS_TO, RUN

__all__ = ["run"]

MONDAY = date(2026, 10, 5)


@pytest.fixture
def centre(engine: Engine) -> None:
    """Two days, Monday and Tuesday; on Tuesday the centre stays open for an evening half-hour.

    9:00: 30 inbound of 240 s handled a day, 12 dialled of 300 s; 9:30: 10 inbound, all given up;
    19:00, Tuesday: 6 dialled of 300 s. Auto-calls and a Sunday besides, which do not count.
    """
    tuesday = MONDAY + timedelta(days=1)
    rows: list[tuple[str, date, str, int, int, str]] = []
    for day in (MONDAY, tuesday):
        rows += [
            ("resident", day, "09:00", 30, 180, "talked"),
            ("operator", day, "09:05", 12, 240, "talked"),
            ("resident", day, "09:40", 10, 0, "abandoned"),
            ("auto_call", day, "08:10", 50, 30, "talked"),
        ]
    rows.append(("operator", tuesday, "19:00", 6, 240, "talked"))
    rows.append(("operator", MONDAY - timedelta(days=1), "10:00", 40, 600, "talked"))
    log(engine, rows)


def shift(run: Run, *arguments: str) -> dict[str, Any]:
    result = run("shift", *arguments, "--json")
    assert result.exit_code == 0, result.output
    figures: dict[str, Any] = json.loads(result.stdout)
    return figures


@pytest.mark.usefixtures("centre")
def test_shift_counts_the_present_day(run: Run) -> None:
    figures = shift(run)
    assert figures["working_days"] == 2
    present = figures["present"]
    assert [row["slot"] for row in present["by_half_hour"]] == ["09:00", "09:30", "19:00"]
    morning, given_up, evening = present["by_half_hour"]
    assert (morning["inbound_calls"], morning["inbound_aht_seconds"]) == (30, 240)
    assert morning["inbound_erlangs"] == pytest.approx(30 * 240 / 1800)
    assert (morning["outbound_calls"], morning["outbound_agent_hours"]) == (12, 1)
    assert (given_up["inbound_calls"], given_up["inbound_aht_seconds"]) == (
        10,
        240,
    )  # the log's mean
    assert (evening["open_days"], evening["outbound_calls"]) == (1, 6)
    assert present["inbound_calls_per_day"] == 40
    assert present["outbound_calls_per_day"] == 15  # half of the evening's 6 on an average day
    assert present["outbound_agent_hours_per_day"] == pytest.approx(1.25)


@pytest.mark.usefixtures("centre")
def test_shift_cuts_outbound_and_staffs_what_is_left(run: Run) -> None:
    figures = shift(run, "--shrinkage", "30%")
    assert [row["outbound_cut"] for row in figures["scenarios"]] == [0, 0.25, 0.5, 0.75, 1]
    hours = [row["outbound_agent_hours_per_day"] for row in figures["scenarios"]]
    assert hours == pytest.approx([1.25, 0.9375, 0.625, 0.3125, 0])
    answering = erlang.operators_needed(4, 240, 0.8, 20)
    given_up = erlang.operators_needed(10 * 240 / 1800, 240, 0.8, 20)
    for row, dialling, evening in zip(
        figures["scenarios"], [2, 2, 1, 1, 0], [1, 1, 1, 1, 0], strict=True
    ):
        slots = row["by_half_hour"]
        assert [slot["inbound_operators"] for slot in slots] == [answering, given_up, 0]
        assert [slot["outbound_operators"] for slot in slots] == [dialling, 0, evening]
        assert row["inbound_calls_per_day"] == 40
        assert row["peak_operators"] == answering + dialling
        assert row["peak_rostered"] == rostered(answering + dialling, 0.3)
        assert row["operator_hours_per_day"] == (answering + dialling + given_up + evening / 2) / 2
        assert row["pooled_operator_hours_per_day"] == pytest.approx(
            (answering + given_up) / 2 + row["outbound_agent_hours_per_day"]
        )
        assert all(slot["service_level"] >= 0.8 for slot in slots)


@pytest.mark.usefixtures("centre")
def test_a_change_of_inbound_is_stated_as_an_assumption(run: Run) -> None:
    figures = shift(run, "--inbound-change", "＋50%", "--patience", "90s")
    assert figures["assumptions"]["inbound_change"] == 0.5
    assert figures["assumptions"]["model"] == "erlang_a"
    assert {row["inbound_calls_per_day"] for row in figures["scenarios"]} == {60}
    assert figures["present"]["inbound_calls_per_day"] == 40
    more = figures["scenarios"][0]["by_half_hour"][0]["inbound_operators"]
    assert more == agents_needed(6, 240, Standard(patience_seconds=90))
    shown = run("shift", "--inbound-change", "-10%").stdout
    assert "ほかの受電の変化（仮定）: −10.0%" in shown
    assert "what messages and auto-calls would add to inbound calls is not in it" in shown
    (first,) = [line for line in shown.split("in + out")[1].splitlines() if "09:00" in line]
    less = agents_needed(3.6, 240, Standard())
    assert first.replace(" ", "") == f"│09:00│{less}+2│{less}+2│{less}+1│{less}+1│{less}+0│"


@pytest.mark.usefixtures("centre")
def test_shift_by_days(run: Run) -> None:
    figures = shift(run, "--from", "2026-10-05", "--to", "2026-10-05")
    assert (figures["working_days"], figures["present"]["outbound_calls_per_day"]) == (1, 12)
    sunday = run("shift", "--from", "2026-10-04", "--to", "2026-10-04")
    assert (sunday.exit_code, sunday.stdout) == (1, "")
    assert "no call on a working day" in sunday.stderr
    assert run("shift", "--from", "2026-10-06", "--to", "2026-10-05").exit_code == 2


def test_shift_without_calls_or_answers(run: Run, engine: Engine) -> None:
    empty = run("shift")
    assert empty.exit_code == 1
    assert "intake calls" in empty.stderr
    log(engine, [("resident", MONDAY, "09:00", 3, 0, "abandoned")])
    assert "handle time is not known" in run("shift").stderr


@pytest.mark.usefixtures("centre")
def test_shift_is_recorded_and_only_for_readers(service: Service, engine: Engine) -> None:
    shift_figures(service, Actor("abe", Role.EVALUATOR), None, None, Standard())
    with engine.connect() as connection:
        logged = connection.execute(text("SELECT actor, action, subject FROM audit_log")).all()
    assert logged == [("abe", "centre.shift", "2026-10-04/2026-10-06")]
    with pytest.raises(NotAllowed):
        shift_figures(service, Actor("ito", Role.OPERATOR), None, None, Standard())


# -- a trial takes the place --


@pytest.fixture(scope="module")
def replaced(shared: Service) -> dict[str, Any]:
    """The shift with what the world's trial found."""
    who = Actor("abe", Role.EVALUATOR)
    return shift_figures(shared, who, CALLS_FROM, CALLS_TO, Standard(), Plan(RUN, "sms_call", 2.0))


def test_what_takes_the_place_causes_the_calls_that_the_trial_found(
    replaced: dict[str, Any], known: dict[str, Any], shared: Service
) -> None:
    instead = replaced["replacement"]
    with shared.engine.connect() as connection:
        sent = connection.execute(
            text(
                "SELECT count(*) FILTER (WHERE channel = 'sms'), count(*) FROM attempt a "
                "JOIN target t ON t.id = a.target_id WHERE t.arm = 'sms_call' "
                "AND a.channel <> 'operator' AND (a.provider_ref IS NOT NULL OR a.state = 'unknown')"
            )
        ).one()
    (compared,) = [c for c in known["analysis"]["comparisons"] if c["arm"] == "sms_call"]
    per_1000 = compared["load_per_1000"]["inbound_calls"]
    assert instead["households"] == 75
    assert instead["mix"]["sms"] == sent[0] / sent[1]
    for ours, theirs in (("calls_per_contact", "estimate"), ("low", "low"), ("high", "high")):
        assert instead[ours] == pytest.approx(per_1000[theirs] * 75 / 1000 / sent[1])
    dialled = replaced["present"]["outbound_calls_per_day"]
    incoming = replaced["present"]["inbound_calls_per_day"]
    for row in replaced["scenarios"]:
        contacts = row["outbound_cut"] * dialled * 2
        assert sum(row["contacts_per_day"].values()) == pytest.approx(contacts)
        for one, rate in ((row, "calls_per_contact"), (row["low"], "low"), (row["high"], "high")):
            assert one["caused_calls_per_day"] == pytest.approx(contacts * instead[rate])
            assert one["inbound_calls_per_day"] == pytest.approx(
                incoming + contacts * instead[rate]
            )
        assert row["low"]["operator_hours_per_day"] <= row["high"]["operator_hours_per_day"]


def test_the_arm_with_most_automatic_contacts_is_taken(shared: Service) -> None:
    who = Actor("abe", Role.EVALUATOR)
    found = shift_figures(shared, who, CALLS_FROM, CALLS_TO, Standard(), Plan(RUN))
    assert found["replacement"]["arm"] == "sms_call"
    with pytest.raises(NoSuchArm, match="choose of: sms, sms_call"):
        shift_figures(shared, who, CALLS_FROM, CALLS_TO, Standard(), Plan(RUN, "letters"))


@pytest.mark.parametrize(("lang", "range_word"), [("ja", "95％区間"), ("en", "95% interval")])
def test_the_page_says_the_answer_with_its_uncertainty(
    replaced: dict[str, Any], lang: Any, range_word: str
) -> None:
    said = in_short(replaced, lang)
    whole = replaced["scenarios"][-1]
    ends = [f"{abs(whole[e]['caused_calls_per_day']):.1f}" for e in ("low", "high")]
    (sentence,) = [line for line in said if "100%" in line]
    assert range_word in sentence
    assert all(end in sentence for end in ends)
    document = shift_document(replaced, lang)
    assert [section.id for section in document.sections] == [
        "summary", "load", "half-hours", "basis",
    ]  # fmt: skip
    assert document.banners  # the world is training data


@pytest.mark.usefixtures("centre")
@pytest.mark.parametrize(("name", "begins"), [("page.html", b"<!DOCTYPE"), ("page.pdf", b"%PDF")])
def test_the_page_is_a_file_to_take_along(
    run: Run, tmp_path: Path, name: str, begins: bytes
) -> None:
    path = tmp_path / "made" / name
    assert str(path) in run("shift", "--output", str(path)).stdout
    assert path.read_bytes().startswith(begins)


@pytest.mark.usefixtures("centre")
def test_a_page_is_written_as_its_name_ends(run: Run, tmp_path: Path) -> None:
    wrong = run("shift", "--output", str(tmp_path / "page.docx"))
    assert (wrong.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert ".html .pdf .xlsx .json" in wrong.stderr
