"""People, files and records by the JSON API: the same service functions, with tokens."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from contact_service.domain.actors import Role
from contact_service.evaluation import report_files
from contact_service.settings import Settings
from tests.dispatch.conftest import Floor, floor
from tests.evaluation.world import RUN
from tests.identity.conftest import _quick_hashes
from tests.intake.conftest import CLAIM, write_csv
from tests.ledger import mobile
from tests.web.api import Api
from tests.web.test_doors import Door, door, door_settings
from tests.web.test_files import work as import_work
from tests.web.test_records import a_finished_trial, work

__all__ = ["_quick_hashes", "door", "door_settings", "floor"]

FILE = "a_20260930.csv"


def test_people_are_found_opened_and_left_alone(floor: Floor, door: Door) -> None:
    person = floor.ledger.person([mobile(1)])
    staff = Api(floor, door, Role.STAFF)
    status, found = staff.ask("POST", "/api/people/search", {"wanted": mobile(1)})
    assert (status, [one["id"] for one in found["items"]], found["next"]) == (200, [person], None)
    assert mobile(1) not in json.dumps(found)
    status, said = staff.ask("GET", f"/api/people/{person}")
    assert (status, said["status"]) == (409, 409) and "open the person" in said["detail"]
    assert staff.ask("POST", f"/api/people/{person}/open", {"reason": "check"})[0] == 204
    status, whole = staff.ask("GET", f"/api/people/{person}")
    assert status == 200 and whole["numbers"][0]["e164"] == mobile(1)
    assert staff.ask("GET", f"/api/people/{person}/timeline")[1]["items"][-1]["kind"] == "due"
    assert staff.ask("POST", "/api/people/999/open", {"reason": "check"})[0] == 404
    wanted = {"kind": "opted_out", "number": "090-1000-0009"}
    made = staff.ask("POST", "/api/restrictions", wanted, **{"Idempotency-Key": "k"})
    again = staff.ask("POST", "/api/restrictions", wanted, **{"Idempotency-Key": "k"})
    assert made == again and made[0] == 201
    assert staff.ask("POST", "/api/restrictions", {"kind": "hardship"})[0] == 409
    assert staff.ask("GET", "/api/restrictions?kind=opted_out")[1]["items"][0]["id"] == 1
    status, lift = staff.ask("POST", "/api/restrictions/1/lift", {"reason": "申出"})
    assert status == 201
    assert staff.ask("POST", f"/api/lifts/{lift['id']}", {"lift": True})[0] == 403
    approver = Api(floor, door, Role.APPROVER)
    assert approver.ask("POST", f"/api/lifts/{lift['id']}", {"lift": True})[0] == 204
    assert Api(floor, door, Role.EVALUATOR).ask("GET", f"/api/people/{person}")[0] == 403
    pages: list[int] = []
    for n in range(5):
        staff.ask("POST", "/api/restrictions", {"kind": "no_calls", "code": f"{n}"})
    cursor: str | None = ""
    while cursor is not None:
        query = f"/api/restrictions?limit=2&cursor={quote(cursor)}" if cursor else (
            "/api/restrictions?limit=2"
        )  # fmt: skip
        page = staff.ask("GET", query)[1]
        pages += [one["id"] for one in page["items"]]
        cursor = page["next"]
    assert len(pages) == 5 and pages == sorted(pages, reverse=True)


def test_a_file_is_handed_in_and_followed(
    floor: Floor, door: Door, door_settings: Settings, tmp_path: Any
) -> None:
    staff = Api(floor, door, Role.STAFF)
    bad = {**CLAIM, "未納額": "未定", "通知書番号": "26010000002"}
    content = write_csv(tmp_path / "a.csv", [CLAIM, bad]).read_bytes()
    status, job = staff.upload(
        "/api/files", FILE, content, kind="claims", training="true", dry_run="false"
    )
    assert (status, job["state"]) == (202, "waiting")
    checked = staff.upload("/api/files", FILE, content, kind="claims")[1]["id"]
    assert import_work(floor, door_settings)
    done = staff.ask("GET", f"/api/files/jobs/{job['id']}")[1]
    assert (done["state"], done["result"]["counts"]["accepted"]) == ("done", 1)
    file = done["result"]["file_id"]
    floor.ledger.run("DELETE FROM claim")
    assert import_work(floor, door_settings)  # what does not say is only checked
    assert staff.ask("GET", f"/api/files/jobs/{checked}")[1]["result"]["file_id"] is None
    assert floor.ledger.one("SELECT count(*) FROM claim") == 0
    assert staff.ask("GET", f"/api/files/{file}")[1]["rejected"] == 1
    cells = staff.ask("GET", f"/api/files/{file}/rejected")[1]["items"]
    assert [(cell["column"], cell["value"]) for cell in cells] == [("未納額", "未定")]
    assert staff.ask("GET", "/api/files")[1]["items"][0]["id"] == file
    status, mend = staff.fetch(f"/api/files/jobs/{job['id']}/rejects")
    assert status == 200 and b"26010000002" in mend and b"26010000001" not in mend
    operator = Api(floor, door, Role.OPERATOR)
    assert operator.upload("/api/files", FILE, content, kind="claims")[0] == 403
    assert operator.ask("GET", f"/api/files/{file}/rejected")[1]["items"][0]["value"] is None


def test_records_are_read_and_stops_are_set(
    floor: Floor, door: Door, door_settings: Settings
) -> None:
    staff = Api(floor, door, Role.STAFF)
    assert staff.ask("GET", "/api/unknown")[1] == {"items": [], "next": None}
    a_finished_trial(floor)
    evaluator = Api(floor, door, Role.EVALUATOR)
    status, made = evaluator.ask("POST", f"/api/reports/{RUN}?lang=en")
    assert (status, made["kind"]) == (202, report_files.KIND) and work(floor, door_settings)
    listed = evaluator.ask("GET", "/api/reports?lang=en")[1]["items"]
    assert [one["report"]["state"] for one in listed] == ["done"]
    assert evaluator.ask("GET", f"/api/reports/files/{made['id']}/report.json")[1]["run"]
    assert evaluator.ask("POST", f"/api/reports/{RUN}/by?field=wealth")[0] == 422
    made = evaluator.ask("POST", f"/api/reports/{RUN}/by?field=kinds")[1]
    assert work(floor, door_settings)
    assert evaluator.ask("GET", f"/api/reports/by/{made['id']}")[1]["result"]["rows"]
    assert evaluator.ask("GET", "/api/library") == (200, {"items": [], "next": None})
    assert evaluator.ask("GET", "/api/library/1")[0] == 404
    assert evaluator.ask("GET", f"/api/reports/files/{RUN}/report.pdf")[0] == 404
    nobody = {"attempts": [RUN.hex], "taken": True, "reason": "x"}
    assert staff.ask("POST", "/api/unknown", nobody)[1] == {"settled": 0}
    assert [one["name"] for one in staff.ask("GET", "/api/providers")[1]["items"]] == ["simulated"]
    stop = {"scope": "channel:sms", "reason": "誤り"}
    assert staff.ask("POST", "/api/stops", stop)[0] == 204
    (set_,) = staff.ask("GET", "/api/stops")[1]["items"]
    assert (set_["scope"], set_["reason"], set_["by"]) == ("channel:sms", "誤り", "token:staff")
    assert staff.ask("POST", "/api/stops", stop | {"scope": "channel:smss"})[0] == 409
    assert staff.ask("DELETE", "/api/stops/channel:sms")[0] == 403
    approver = Api(floor, door, Role.APPROVER)
    assert approver.ask("DELETE", "/api/stops/channel:sms")[0] == 204
    assert approver.ask("DELETE", "/api/stops/channel:sms")[0] == 404
    assert evaluator.ask("GET", "/api/providers")[0] == 403
