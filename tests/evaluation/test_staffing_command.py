"""``contact-service centre staffing``, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.evaluation.centre_command import ask

EXAMPLE = ("staffing", "--calls", "100", "--interval", "30m", "--aht", "180", "--level", "0.8",
           "--within", "20s", "--shrinkage", "0.3")  # fmt: skip


def test_staffing_prints_the_worked_example() -> None:
    figures = json.loads(ask(*EXAMPLE, "--json").stdout)
    assert figures == {
        "agents": 14,
        "rostered": 20,
        "service_level": pytest.approx(0.888350, abs=5e-7),
        "asa_seconds": pytest.approx(7.8359, abs=5e-5),
        "occupancy": pytest.approx(0.714286, abs=5e-7),
        "probability_of_waiting": pytest.approx(0.1741319, abs=5e-8),
        "abandonment": 0,
    }
    shown = ask(*EXAMPLE).stdout
    for value in ("14", "20", "88.84%", "7.84", "71.43%", "17.41%", "Erlang C"):
        assert value in shown


def test_staffing_with_patience_needs_fewer() -> None:
    figures = json.loads(ask(*EXAMPLE, "--patience", "120s", "--json").stdout)
    assert figures["agents"] == 12
    assert figures["abandonment"] == pytest.approx(0.061597, abs=5e-7)
    assert "Erlang A" in ask(*EXAMPLE, "--patience", "2分").stdout


def test_a_queue_without_end_is_said_in_words() -> None:
    result = ask(*EXAMPLE, "--agents", "10", "--json")
    assert result.exit_code == 0
    figures = json.loads(result.stdout)
    assert (figures["agents"], figures["asa_seconds"], figures["service_level"]) == (10, None, 0)
    assert "待ち行列が伸び続けます" in result.stderr
    assert "take 11 or more" in result.stderr
    with_patience = ask(*EXAMPLE, "--agents", "10", "--patience", "120s", "--json")
    assert with_patience.stderr == ""
    assert json.loads(with_patience.stdout)["asa_seconds"] > 0


@pytest.mark.parametrize(
    "arguments",
    [("--aht", "3x"), ("--aht", "0s"), ("--aht", "25h"), ("--level", "100%"), ("--level", "0"),
     ("--shrinkage", "1"), ("--calls", "-1"), ("--calls", "nan"), ("--calls", "inf"),
     ("--agents", "0"), ("--patience", "soon"), ("--calls", "1e9")],
)  # fmt: skip
def test_staffing_refuses_what_makes_no_sense(arguments: tuple[str, ...]) -> None:
    result = ask(*EXAMPLE, *arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("written", "seconds"), [("3分", "180"), ("３ｍ", "180s"), ("0.5h", "30m")]
)
def test_lengths_of_time_may_be_written_in_japanese(written: str, seconds: str) -> None:
    assert (
        ask(*EXAMPLE, "--aht", written, "--json").stdout
        == ask(*EXAMPLE, "--aht", seconds, "--json").stdout
    )


def test_staffing_is_a_page_with_its_neighbours(tmp_path: Path) -> None:
    page = tmp_path / "staffing.html"
    assert ask(*EXAMPLE, "--output", str(page)).exit_code == 0
    shown = page.read_text(encoding="utf-8")
    assert "<svg" in shown
    # 13 operators answer 79.6 % in time: one fewer is not enough
    assert "79.6%" in shown and "88.8%" in shown
