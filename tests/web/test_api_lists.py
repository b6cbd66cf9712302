"""Lists of the API end to end, a page at a time: every row once, in an order that what is added
meanwhile does not disturb, also where many rows share an instant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from contact_service.domain.actors import Role
from contact_service.settings import Settings
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import _quick_hashes
from tests.ledger import Owed, mobile
from tests.web.api import Api
from tests.web.test_desk import operator
from tests.web.test_doors import Door, door, door_settings
from tests.web.test_files import BAD, csv, work
from tests.web.test_supervisor import record

__all__ = ["_quick_hashes", "door", "door_settings", "floor"]


def walked(
    api: Api, path: str, body: Any = None, meanwhile: Callable[[], object] = lambda: None
) -> list[Any]:
    """A list, two rows a page."""
    found, cursor = list[Any](), None
    for _ in range(50):
        query = f"{'&' if '?' in path else '?'}limit=2" + (
            f"&cursor={quote(cursor)}" if cursor else ""
        )
        status, page = api.ask("GET" if body is None else "POST", path + query, body)
        assert status == 200, page
        assert len(page["items"]) == 2 or page["next"] is None
        found += page["items"]
        meanwhile()
        if not (cursor := page["next"]):
            return found
    raise AssertionError(f"{path} has no end")


def test_results_that_come_in_meanwhile_move_nothing(floor: Floor, door: Door) -> None:
    for n in range(9):
        floor.ledger.person([mobile(n)])
    floor.start()
    desk = operator(floor, door)
    for _ in range(5):
        record(desk, kind="absent")
    floor.ledger.run(
        "UPDATE disposition SET recorded_at = (SELECT max(recorded_at) FROM disposition)"
    )
    mori = Api(floor, door, Role.SUPERVISOR)
    seen = walked(mori, "/api/centre/results", meanwhile=lambda: record(desk, kind="refused"))
    ids = [one["disposition_id"] for one in seen]
    assert ids == sorted(ids, reverse=True) == [5, 4, 3, 2, 1]
    whole = mori.ask("GET", "/api/centre/results?result=refused&limit=1")[1]
    assert (whole["total"], whole["counts"], len(whole["items"])) == (3, {"refused": 3}, 1)
    assert mori.ask("GET", "/api/centre/forecast") == (200, "null")
    names = walked(mori, "/api/centre/operators")
    assert [one["name"] for one in names] == ["sato"]


def test_carriers_reports_of_one_instant_are_each_told_once(floor: Floor, door: Door) -> None:
    for n in range(5):
        floor.ledger.person([mobile(n)])
    floor.start()
    floor.ledger.run(
        "UPDATE attempt SET state = 'finished', outcome = 'delivered', provider = 'simulated', "
        "submitted_at = due_at, outcome_at = '2026-11-09T10:00+09' WHERE channel = 'sms'"
    )
    mori = Api(floor, door, Role.SUPERVISOR)
    seen = walked(mori, "/api/centre/results?way=sms&first=2026-11-09&last=2026-11-09")
    attempts = [one["attempt_id"] for one in seen]
    assert len(attempts) == len(set(attempts)) == 5


def test_a_timeline_with_many_things_on_one_day(floor: Floor, door: Door) -> None:
    person = floor.ledger.person([mobile(1)], [Owed(1_000 + n) for n in range(5)])
    staff = Api(floor, door, Role.STAFF)
    at = f"/api/people/{person}/open"
    told = staff.ask("POST", at, {"reason": "check", "note": "花子さんから"})
    assert told[0] == 422 and "書類の番号だけ" in str(told) and "花子" not in str(told)
    assert staff.ask("POST", at, {"reason": "check", "note": "R8-45"})[0] == 204
    path = f"/api/people/{person}/timeline"
    whole = staff.ask("GET", f"{path}?limit=200")[1]["items"]
    assert [one["kind"] for one in whole].count("due") == 5
    assert walked(staff, path) == whole


def test_who_is_left_alone_is_found_by_number_and_wishes_are_listed(
    floor: Floor, door: Door
) -> None:
    staff = Api(floor, door, Role.STAFF)
    for n in range(3):
        told = {"kind": "opted_out", "number": f"090-1111-222{n}"}
        made = staff.ask("POST", "/api/restrictions", told)[1]["id"]
        assert staff.ask("POST", f"/api/restrictions/{made}/lift", {"reason": "誤り"})[0] == 201
    found = walked(staff, "/api/restrictions/search", {"wanted": "090-1111-2221"})
    assert [one["id"] for one in found] == [2]
    wishes = walked(Api(floor, door, Role.APPROVER), "/api/lifts")
    assert [one["lift_id"] for one in wishes] == [1, 2, 3]
    assert {one["lift_reason"] for one in wishes} == {"誤り"}


def test_files_with_their_rejected_cells_and_restrictions_of_one_kind(
    floor: Floor, door: Door, door_settings: Settings, tmp_path: Path
) -> None:
    staff = Api(floor, door, Role.STAFF)
    for day in (28, 29, 30):
        bad = [{**BAD, "通知書番号": str(n), "宛名番号": f"1000000{n}"} for n in range(5)]
        content, name = csv(tmp_path, *bad), f"滞納_202609{day}.csv"
        staff.upload("/api/files", name, content, kind="claims", dry_run="false")
        assert work(floor, door_settings)
    files = [one["id"] for one in walked(staff, "/api/files")]
    assert len(files) == 4 and files == sorted(files, reverse=True)  # the ledger's own first
    cells = walked(staff, f"/api/files/{files[0]}/rejected")
    assert [one["line"] for one in cells] == [2, 3, 4, 5, 6]
    for n in range(3):
        for kind in ("hardship", "no_calls"):
            staff.ask("POST", "/api/restrictions", {"kind": kind, "code": f"{n}"})
    listed = walked(staff, "/api/restrictions?kind=hardship")
    assert [one["kind"] for one in listed] == ["hardship"] * 3


def test_what_was_handed_in_written_and_asked_for_in_bulk(floor: Floor, door: Door) -> None:
    staff = Api(floor, door, Role.STAFF)
    jobs, drafts, wishes = [], [], []
    for n in range(3):
        name = f"滞納_2026093{n}.csv"
        jobs.append(staff.upload("/api/files", name, b"a\r\n", kind="claims")[1]["id"])
        text = {"start": "text", "text": f"campaign: c{n}\n"}
        drafts.append(staff.ask("POST", "/api/drafts", text)[1]["draft"]["id"])
        someone = Api(floor, door, Role.STAFF)
        wish = {"kind": "open_many", "reason": f"調査{n}"}
        wishes.append(someone.ask("POST", "/api/bulk-access", wish)[1].get("id"))
        floor.ledger.run("UPDATE bulk_access SET asked_by = 'x' || id")  # one wish a person
    floor.ledger.run("UPDATE job SET asked_at = (SELECT max(asked_at) FROM job)")
    assert sorted(one["id"] for one in walked(staff, "/api/files/jobs")) == sorted(jobs)
    assert [one["id"] for one in walked(staff, "/api/drafts")] == drafts[::-1]
    approver = Api(floor, door, Role.APPROVER)
    assert approver.ask("POST", f"/api/bulk-access/{wishes[2]}", {"grant": True})[0] == 204
    undecided_first = [wishes[1], wishes[0], wishes[2]]
    assert [one["id"] for one in walked(staff, "/api/bulk-access")] == undecided_first
    assert walked(staff, "/api/bulk-access/letters") == []
    samples = [one["name"] for one in walked(staff, "/api/drafts/ready-made")]
    assert samples == sorted(set(samples)) and "three-arm-trial" in samples
    assert "notice-greeting.wav" in [one["name"] for one in walked(staff, "/api/recordings/in-use")]


def test_what_waits_for_whoever_asks(floor: Floor, door: Door) -> None:
    staff, approver = Api(floor, door, Role.STAFF), Api(floor, door, Role.APPROVER)
    begin = {"start": "ready_made", "name": "reminder-before-demand"}
    for _ in range(2):
        staff.ask("POST", "/api/drafts", begin)
    staff.ask("POST", "/api/drafts/1/submit", {"reason": ""})
    staff.ask("POST", "/api/stops", {"scope": "provider:simulated", "reason": "点検"})
    (version,) = walked(approver, "/api/approvals")
    assert (version["key"], version["created_by"]) == ("reminder-before-demand", "token:staff")
    needs = {role: Api(floor, door, role).ask("GET", "/api/start")[1]["needs"] for role in (
        Role.STAFF, Role.APPROVER, Role.EVALUATOR)}  # fmt: skip
    assert needs[Role.STAFF] == {
        "approvals": None, "drafts": 1, "unknown_outcomes": 0, "rejected_rows": 0,
        "stopped_providers": 1,
    }  # fmt: skip
    assert (needs[Role.APPROVER]["approvals"], needs[Role.APPROVER]["drafts"]) == (1, None)
    assert set(needs[Role.EVALUATOR].values()) == {None}
    own = "UPDATE campaign_version SET created_by = 'token:approver'"
    floor.ledger.run(own)  # whoever wrote a version does not approve it
    assert approver.ask("GET", "/api/start")[1]["needs"]["approvals"] == 0
    floor.ledger.run("UPDATE campaign_version SET created_by = 'token:staff'")
    approver.ask("POST", "/api/campaigns/reminder-before-demand/versions/1/approve", {})
    assert walked(approver, "/api/approvals") == []
