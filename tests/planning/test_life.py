"""The life of a campaign: submitted, approved by somebody else, scheduled, started, ended."""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine

from campaigns.parse import parse
from campaigns.ready_made import library
from contact_service.clock import TOKYO
from contact_service.domain.actors import SYSTEM, Actor, NotAllowed, Role
from contact_service.domain.life import MOVES, Action, CannotDo, leads_to
from contact_service.domain.states import RunState, VersionState
from contact_service.planning import runs, versions
from contact_service.planning.starting import start_due
from contact_service.planning.transitions import move_run, transitions
from contact_service.planning.versions import Version
from contact_service.store.crypto import Vault
from tests.ledger import Ledger, mobile

STAFF = Actor("sato", Role.STAFF)
APPROVER = Actor("suzuki", Role.APPROVER)
TEXT = library()["three-arm-trial"].read_text(encoding="utf-8")
MONDAY = date(2026, 10, 26)


def at(hour: int, minute: int = 0, day: date = MONDAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=TOKYO)


EVE = at(12, day=date(2026, 10, 25))


@pytest.fixture
def ledger(engine: Engine, vault: Vault) -> Ledger:
    found = Ledger(engine, vault)
    for n in range(8):
        found.person([mobile(n)])
    return found


def submit(ledger: Ledger, text: str = TEXT, actor: Actor = STAFF) -> Version:
    return versions.submit(ledger.engine, actor, parse(text, "x"), text, EVE)


def approved(ledger: Ledger, text: str = TEXT) -> Version:
    return versions.approve(ledger.engine, APPROVER, submit(ledger, text).id, EVE)


def scheduled(ledger: Ledger, day: date = MONDAY, text: str = TEXT) -> UUID:
    return runs.schedule(ledger.engine, STAFF, approved(ledger, text).id, day, EVE).run_id


def state(ledger: Ledger, run_id: UUID) -> object:
    return ledger.one("SELECT state FROM run WHERE id = :r", r=run_id)


def why(ledger: Ledger, run_id: UUID) -> str:
    return str(ledger.one(
        "SELECT reason FROM campaign_transition WHERE run_id = :r ORDER BY id DESC LIMIT 1",
        r=run_id))  # fmt: skip


def test_the_table_is_closed() -> None:
    """Every action from every state leads where the issue says, or raises."""
    leads = {}
    for action, before in itertools.product(Action, [None, *VersionState, *RunState]):
        try:
            leads[action, before] = leads_to(action, before)
        except CannotDo:
            continue
    assert len(leads) == sum(len(move.before) for move in MOVES.values())
    over = {RunState.COMPLETED, RunState.CANCELLED}
    assert not [action for action, before in leads if before in over], "nothing leads back"
    way: list[Action] = [Action.DRAFT, Action.SUBMIT, Action.APPROVE]
    at_state: object = None
    for action in way:
        at_state = leads[action, at_state]  # type: ignore[index]
    assert at_state == "approved"
    at_state = None
    for action in (Action.SCHEDULE, Action.START, Action.PAUSE, Action.RESUME, Action.COMPLETE):
        at_state = leads[action, at_state]  # type: ignore[index]
    assert at_state == "completed"


def test_every_move_is_stored_with_who_when_and_why(ledger: Ledger) -> None:
    version = submit(ledger)
    versions.send_back(ledger.engine, APPROVER, version.id, EVE, "文面を直してください")
    submit(ledger)
    versions.approve(ledger.engine, APPROVER, version.id, EVE)
    run_id = runs.schedule(ledger.engine, STAFF, version.id, MONDAY, EVE).run_id
    runs.start(ledger.engine, APPROVER, run_id, at(9), [])
    runs.pause(ledger.engine, STAFF, run_id, at(10), "回線の点検")
    runs.stop(ledger.engine, STAFF, run_id, at(11), "中止の指示")
    with ledger.engine.connect() as connection:
        kept = transitions(connection, version.key)
    assert [(each.action.value, each.actor) for each in kept] == [
        ("draft", "sato"), ("submit", "sato"), ("send_back", "suzuki"), ("submit", "sato"),
        ("approve", "suzuki"), ("schedule", "sato"), ("start", "suzuki"), ("pause", "sato"),
        ("stop", "sato"),
    ]  # fmt: skip
    assert kept[2].reason == "文面を直してください"
    assert (kept[7].at, kept[7].reason) == (at(10), "回線の点検")
    assert ledger.one("SELECT count(*) FROM audit_log WHERE action = 'run.pause'") == 1
    assert state(ledger, run_id) == "cancelled"
    with pytest.raises(CannotDo, match="中止"):
        runs.resume(ledger.engine, STAFF, run_id, at(12))


def test_a_move_that_is_not_in_the_table_changes_nothing(ledger: Ledger) -> None:
    run_id = scheduled(ledger)
    before = ledger.one("SELECT count(*) FROM campaign_transition")
    for action in (Action.PAUSE, Action.RESUME, Action.COMPLETE):
        with pytest.raises(CannotDo, match="開始待ち"), ledger.engine.begin() as connection:
            move_run(connection, SYSTEM, action, run_id, EVE)
    assert state(ledger, run_id) == "scheduled"
    assert ledger.one("SELECT count(*) FROM campaign_transition") == before


def test_approval_takes_a_second_person(ledger: Ledger) -> None:
    version = submit(ledger)
    with pytest.raises(NotAllowed):
        versions.approve(ledger.engine, STAFF, version.id, EVE)
    with pytest.raises(NotAllowed, match="別の人"):
        versions.approve(ledger.engine, Actor("sato", Role.APPROVER), version.id, EVE)
    # nor whoever handed a returned version in again
    versions.send_back(ledger.engine, APPROVER, version.id, EVE, "直してください")
    submit(ledger, actor=Actor("suzuki", Role.STAFF))
    with pytest.raises(NotAllowed, match="別の人"):
        versions.approve(ledger.engine, APPROVER, version.id, EVE)
    other = versions.approve(ledger.engine, Actor("ito", Role.APPROVER), version.id, EVE)
    assert (other.state, other.approved_by) == (VersionState.APPROVED, "ito")


def test_nothing_is_scheduled_before_it_is_approved(ledger: Ledger) -> None:
    version = submit(ledger)
    with pytest.raises(CannotDo, match="承認されていません"):
        runs.schedule(ledger.engine, STAFF, version.id, MONDAY, EVE)


def test_a_definition_in_use_is_never_edited_but_gets_a_new_version(ledger: Ledger) -> None:
    run_id = scheduled(ledger)
    assert submit(ledger).number == 1, "the same text is the same version"
    changed = TEXT.replace("per_7_days: 3", "per_7_days: 2")
    assert changed != TEXT
    second = submit(ledger, changed)
    assert (second.number, second.state) == (2, VersionState.SUBMITTED)
    with ledger.engine.connect() as connection:
        shown = versions.for_approval(connection, second)
        assert versions.find(connection, SYSTEM, second.key, VersionState.APPROVED).number == 1
    assert shown.previous is not None
    assert shown.difference is not None
    assert shown.previous.number == 1
    assert [change.path for change in shown.difference.changes] == ["caps.per_7_days"]
    assert any("2回" in line for section in shown.difference.sections for line in section.lines)
    assert ledger.one("SELECT text FROM campaign_version WHERE version = 1") == TEXT
    assert ledger.one(
        "SELECT version FROM campaign_version v JOIN run r ON r.campaign_version_id = v.id "
        "WHERE r.id = :r", r=run_id) == 1  # fmt: skip
    # a third overtakes the second, which waits no longer
    submit(ledger, changed + "\n# more\n")
    assert ledger.rows("SELECT version, state FROM campaign_version ORDER BY 1") == [
        (1, "approved"), (2, "withdrawn"), (3, "submitted")]  # fmt: skip


def test_a_closed_day_is_not_scheduled_and_the_next_open_one_is_named(ledger: Ledger) -> None:
    version = approved(ledger)
    with pytest.raises(CannotDo, match="2026-11-04"):
        runs.schedule(ledger.engine, STAFF, version.id, date(2026, 11, 3), EVE)
    with pytest.raises(CannotDo, match="過去"):
        runs.schedule(ledger.engine, STAFF, version.id, date(2026, 10, 23), EVE)


def test_a_scheduled_run_starts_by_itself_on_its_day_in_its_hours(ledger: Ledger) -> None:
    run_id = scheduled(ledger)
    newcomer = ledger.person([mobile(50)])
    assert ledger.one("SELECT count(*) FROM target") == 0, "taken at the start, not before"
    for early in (EVE, at(0), at(8, 59)):
        assert start_due(ledger.engine, early, []) == []
    assert start_due(ledger.engine, at(9), []) == [run_id]
    assert start_due(ledger.engine, at(9), []) == []
    assert state(ledger, run_id) == "running"
    assert ledger.one("SELECT count(*) FROM target WHERE addressee_id = :d", d=newcomer) == 1
    assert ledger.one("SELECT frozen_at FROM run") == at(9)


STALE = {
    "the day is over": (lambda ledger: None, at(9, day=date(2026, 10, 27)), "開始できませんでした"),
    "a newer version": (
        lambda ledger: approved(ledger, TEXT + "\n# newer\n"), at(9), "版2が承認されています"),
    "withdrawn": (
        lambda ledger: ledger.run("UPDATE campaign_version SET state = 'withdrawn'"),
        at(9), "取り下げ"),
    "no longer valid": (
        lambda ledger: ledger.run("UPDATE campaign_version SET text = 'campaign: x'"),
        at(9), "今の検査に通りません"),
    "an old ledger": (
        lambda ledger: ledger.run("UPDATE claim SET filed_as_of = '2026-08-01'"),
        at(9), "滞納データが古すぎます"),
    "nobody left": (
        lambda ledger: ledger.run("UPDATE claim SET outstanding_yen = 0"),
        at(9), "対象になる人がいません"),
}  # fmt: skip


@pytest.mark.parametrize("name", STALE)
def test_what_went_stale_is_cancelled_with_the_reason_in_words(ledger: Ledger, name: str) -> None:
    change, when, words = STALE[name]
    run_id = scheduled(ledger)
    change(ledger)
    assert start_due(ledger.engine, when, []) == []
    assert state(ledger, run_id) == "cancelled"
    assert words in why(ledger, run_id)
    for table in ("target", "attempt", "exclusion", "run_step"):
        assert ledger.one(f"SELECT count(*) FROM {table}") == 0, "nothing is left behind"


def test_training_data_never_start_by_themselves_on_a_live_carrier(ledger: Ledger) -> None:
    run_id = scheduled(ledger)
    assert start_due(ledger.engine, at(9), ["main"]) == []
    assert "訓練データ" in why(ledger, run_id)


def test_a_run_stopped_before_it_began_can_be_scheduled_again_one_that_began_cannot(
    ledger: Ledger,
) -> None:
    first = scheduled(ledger)
    runs.stop(ledger.engine, STAFF, first, EVE, "日程の間違い")
    version = submit(ledger)
    second = runs.schedule(ledger.engine, STAFF, version.id, MONDAY, EVE).run_id
    assert second != first
    assert start_due(ledger.engine, at(9), []) == [second]
    runs.stop(ledger.engine, STAFF, second, at(10))
    again = runs.schedule(ledger.engine, STAFF, version.id, MONDAY, at(11))
    assert again == runs.Planned(second, new=False)


TUESDAY = MONDAY + timedelta(days=1)


def test_an_approval_is_for_one_run(ledger: Ledger) -> None:
    """Two persons for each launch: nobody sends again alone what another approved once."""
    engine, version = ledger.engine, approved(ledger)
    with pytest.raises(CannotDo, match="has not been used"):
        versions.submit_again(engine, STAFF, version.id, EVE)
    first = runs.schedule(engine, STAFF, version.id, MONDAY, EVE).run_id
    with pytest.raises(CannotDo, match="on the calendar for 2026-10-26"):
        runs.schedule(engine, STAFF, version.id, TUESDAY, EVE)
    assert start_due(engine, at(9), []) == [first]
    runs.stop(engine, STAFF, first, at(10))
    for again in (MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)):
        with pytest.raises(CannotDo, match="an approval is for one run"):
            runs.schedule(engine, STAFF, version.id, again, at(11))
    # handed in again, by its text or by its number, it waits for somebody else
    assert submit(ledger).state is VersionState.SUBMITTED
    with pytest.raises(CannotDo, match="is submitted"):
        runs.schedule(engine, STAFF, version.id, TUESDAY, at(11))
    with pytest.raises(NotAllowed, match="somebody else"):
        versions.approve(engine, Actor("sato", Role.APPROVER), version.id, at(12))
    assert versions.approve(engine, APPROVER, version.id, at(12)).state is VersionState.APPROVED
    second = runs.schedule(engine, STAFF, version.id, TUESDAY, at(13)).run_id
    assert start_due(engine, at(9) + timedelta(days=1), []) == [second]
    runs.stop(engine, STAFF, second, at(10) + timedelta(days=1))
    assert versions.submit_again(engine, STAFF, version.id, at(11)).state is VersionState.SUBMITTED


def test_of_two_runs_that_were_seen_before_approval_it_is_for_the_one_that_starts(
    ledger: Ledger,
) -> None:
    engine, version = ledger.engine, submit(ledger)
    with engine.begin() as connection:
        first, second = (
            runs.put_on_calendar(connection, STAFF, version, day, EVE).run_id
            for day in (MONDAY, TUESDAY)
        )
    runs.start(engine, APPROVER, first, at(9), [])
    runs.stop(engine, STAFF, first, at(10))
    with pytest.raises(CannotDo, match="an approval is for one run"):
        runs.start(engine, APPROVER, second, at(11), [])
    assert start_due(engine, at(9) + timedelta(days=1), []) == []
    assert (state(ledger, second), "もう使われました" in why(ledger, second)) == ("cancelled", True)
