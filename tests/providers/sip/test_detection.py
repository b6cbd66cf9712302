"""Person or machine: what the thresholds make of greetings, and that doubt stays doubt."""

from __future__ import annotations

import pytest

from providers.sip.detection import AnsweredBy, Detector

LOUD, QUIET = -20.0, -70.0


def verdict(*parts: tuple[float, float]) -> tuple[AnsweredBy | None, float]:
    """What is made of ``(seconds, loudness)``, and when."""
    detector = Detector()
    at = 0.0
    for seconds, level in parts:
        for _ in range(round(seconds / 0.02)):
            at += 0.02
            if detector.feed_loudness(level) is not None:
                return detector.verdict, at
    return None, at


@pytest.mark.parametrize(
    ("parts", "who"),
    [
        ([(0.4, QUIET), (0.5, LOUD), (3, QUIET)], AnsweredBy.HUMAN),  # はい
        ([(0.2, QUIET), (0.4, LOUD), (0.3, QUIET), (0.6, LOUD), (3, QUIET)], AnsweredBy.HUMAN),
        ([(0.5, QUIET), (6.0, LOUD)], AnsweredBy.MACHINE),
        ([(0.5, QUIET), (1.0, LOUD), (0.3, QUIET), (3.0, LOUD)], AnsweredBy.MACHINE),
        ([(6.0, QUIET)], AnsweredBy.UNKNOWN),  # nobody says anything
        ([(6.0, -50.0)], AnsweredBy.UNKNOWN),  # a room's hum is no greeting
    ],
)
def test_greetings(parts: list[tuple[float, float]], who: AnsweredBy) -> None:
    found, at = verdict(*parts)
    assert found is who
    assert at <= 5.0


def test_a_person_waits_less_than_a_second() -> None:
    found, at = verdict((0.3, QUIET), (0.5, LOUD), (3, QUIET))
    assert found is AnsweredBy.HUMAN
    assert at == pytest.approx(0.3 + 0.5 + 0.8, abs=0.03)


def test_a_machine_is_waited_for() -> None:
    detector = Detector()
    for level, seconds in ((LOUD, 6.0), (QUIET, 1.0)):
        for _ in range(round(seconds / 0.02)):
            detector.feed_loudness(level)
    assert detector.verdict is AnsweredBy.MACHINE
    assert not detector.finished
    for _ in range(12):
        detector.feed_loudness(QUIET)
    assert detector.finished
