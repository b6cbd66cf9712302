"""Stopping and going on from the start page: by whoever may, with a reason, at once."""

from __future__ import annotations

from campaigns.vocabulary import Channel
from contact_service.domain.actors import Role
from tests.dispatch.conftest import Floor, floor
from tests.ledger import mobile
from tests.web.people import signed_in
from tests.web.test_doors import Door, door, door_settings

__all__ = ["door", "door_settings", "floor"]


def test_anybody_who_works_here_stops_everything_and_few_let_it_go_on(
    floor: Floor, door: Door
) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    operator = signed_in(floor, door, "sato", Role.OPERATOR).open("/")
    assert operator.send("/stop-all", reason=" ").status == 422
    assert "理由を書いてください" in operator.page
    operator.send("/stop-all", reason="苦情が続いている")
    assert "すべての発信（苦情が続いている）" in operator.page
    assert floor.drain().leased == 0  # what a worker would send next
    assert operator.send("/lift", scope="all").status == 403
    supervisor = signed_in(floor, door, "mori", Role.SUPERVISOR).open("/")
    supervisor.send("/lift", scope="all")
    assert "苦情が続いている" not in supervisor.page
    assert floor.drain().leased == 1
    # from a run's own page, too, and back to it
    run = f"/runs/{floor.ledger.one('SELECT id FROM run')}"
    supervisor.open(run).send("/stop-all", reason="", back=run)
    assert supervisor.status == 422 and "SMS 1" not in supervisor.page
    assert "理由を書いてください" in supervisor.page and "済んだ連絡" in supervisor.page
    supervisor.send("/stop-all", reason="誤送信", back=run)
    assert supervisor.path == run and "停止中：すべての発信（誤送信）" in supervisor.page
    assert floor.drain().leased == 0
    for role in (Role.EVALUATOR, Role.AUDITOR):
        other = signed_in(floor, door, role.value, role).open("/")
        assert "すべての発信を止める" not in other.page
        assert other.send("/stop-all", reason="x").status == 403


def test_a_run_is_paused_resumed_and_ended(floor: Floor, door: Door) -> None:
    for n in range(3):
        floor.ledger.person([mobile(n)])
    run = floor.start()
    staff = signed_in(floor, door, "kato", Role.STAFF).open("/")
    staff.send(f"/runs/{run}/pause", reason="文面の確認")
    assert "一時停止" in staff.page and floor.drain().leased == 0
    staff.send(f"/runs/{run}/pause", reason="もう一度")
    assert staff.status == 422  # it is paused already
    staff.open("/").send(f"/runs/{run}/resume")
    assert floor.drain().leased == 3
    staff.open("/").send(f"/runs/{run}/stop", reason="年度末")
    assert floor.states(Channel.OPERATOR) == {"skipped": 3}
    assert floor.ledger.rows(
        "SELECT action, reason FROM campaign_transition WHERE action IN ('pause', 'stop') ORDER BY at"
    ) == [("pause", "文面の確認"), ("stop", "年度末")]
    staff.open("/")
    assert f"/runs/{run}/" not in staff.page  # nothing more can be done with it
    assert staff.send(f"/runs/{run}/start", reason="x").status == 422


def test_what_a_role_may_not_do_is_neither_offered_nor_done(floor: Floor, door: Door) -> None:
    floor.ledger.person([mobile(1)])
    run = floor.start()
    operator = signed_in(floor, door, "sato", Role.OPERATOR).open("/")
    assert f"/runs/{run}/" not in operator.page
    assert operator.send(f"/runs/{run}/stop", reason="x").status == 422
    assert floor.ledger.one("SELECT state FROM run") == "running"
