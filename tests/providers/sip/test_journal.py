"""The journal: on disk before a call is placed, once for a reference, honest after a crash."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from providers.sip.journal import LOST, NOT_PLACED, Journal

NOW = datetime(2026, 10, 26, 1, 0, tzinfo=UTC)


def test_one_reference_is_placed_once_unless_it_provably_was_not(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "calls.sqlite")
    assert journal.begin("TR1", "attempt", "number", NOW) is None
    second = journal.begin("TR2", "attempt", "number", NOW)
    assert second is not None
    assert second.ref == "TR1"
    journal.change("TR1", NOT_PLACED, NOW, final=True, code=503)
    assert journal.find_reference("attempt") is None
    assert journal.begin("TR3", "attempt", "number", NOW) is None
    assert [one.ref for one in journal.to_number("number", NOW, "", 10)] == ["TR3"]


def test_a_final_word_is_the_last(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "calls.sqlite")
    journal.begin("TR1", "attempt", "number", NOW)
    journal.change("TR1", "ended", NOW, final=True, code=486, cause=17)
    journal.change("TR1", "answered", NOW)
    found = journal.find("TR1")
    assert found is not None
    assert (found.status, found.final, found.code, found.cause) == ("ended", True, 486, 17)


def test_what_a_crash_interrupted_is_lost_and_never_placed_again(tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite"
    before = Journal(path)
    before.begin("TR1", "attempt", "number", NOW)
    before.begin("TR2", "done", "number", NOW)
    before.change("TR2", "completed", NOW, final=True)
    del before  # no farewell
    after = Journal(path)
    assert after.end_interrupted(NOW + timedelta(seconds=5)) == 1
    lost = after.find_reference("attempt")
    assert lost is not None
    assert (lost.status, lost.final) == (LOST, True)
    assert after.begin("TR9", "attempt", "number", NOW) is not None
    assert after.find_reference("done").status == "completed"  # type: ignore[union-attr]


def test_pages_and_instants(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "calls.sqlite")
    for number in range(5):
        at = NOW + timedelta(milliseconds=number)
        journal.begin(f"TR{number}", f"attempt-{number}", "number", at)
    first = journal.to_number("number", NOW + timedelta(milliseconds=1), "", 3)
    assert [one.ref for one in first] == ["TR1", "TR2", "TR3"]
    rest = journal.to_number("number", NOW, "TR3", 3)
    assert [one.ref for one in rest] == ["TR4"]
    assert journal.to_number("another", NOW, "", 3) == []


def test_no_number_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite"
    journal = Journal(path)
    journal.begin("TR1", "attempt", "a keyed digest", NOW)
    journal.close()
    assert path.stat().st_mode & 0o077 == 0
