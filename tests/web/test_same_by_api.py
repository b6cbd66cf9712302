"""Everything that the console shows or does, another system can see or do by the JSON API; a page
that has no route beside it fails here."""

from __future__ import annotations

from contact_service.domain.actors import Role
from contact_service.web.api_base import ApiRoute
from contact_service.web.api_docs import routes_of
from contact_service.web.app import app
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import _quick_hashes
from tests.ledger import mobile
from tests.web.api import Api
from tests.web.test_desk import operator
from tests.web.test_doors import Door, door, door_settings
from tests.web.test_rules import SIGNED
from tests.web.test_supervisor import only_result, record

__all__ = ["_quick_hashes", "door", "door_settings", "floor"]

#: What is for people at a browser alone, and why.
ONLY_PEOPLE = {
    "/sign-in": "a token is its holder's sign-in",
    "/sign-out": "a token is revoked",
    "/account": "passwords, second factors and sessions are a person's",
    "/users": "accounts are made by administrators who are there: no token has their role",
    "/tokens": "tokens are made by administrators who are there: no token has their role",
    "/language": "an answer has both languages, or lang=",
    "/healthz": "for the machine that watches the service; open to it as it is",
    "/desk/here": "the browser's own sign of life",
    "/desk/state": "a telephone system knows its operators' states",
    "/desk/telephone": "a telephone system knows its operators' telephones",
    "/desk/calls": "a telephone system knows who is on the line",
    "/desk/take": "a telephone system puts calls through",
    "/desk/{attempt_id}/call": "a telephone system dials",
    "/desk/{attempt_id}/place": "a telephone system dials",
    "/desk/{attempt_id}/hung-up": "comes with the result",
    "/desk/{attempt_id}/identified": "an identity is checked by whoever speaks",
    "/desk/{conversation_id}/who": "an identity is checked by whoever speaks",
    "/desk/replies": "what residents write is read by one person, who has it on the desk",
}
#: Pages and forms, and the route of the API that shows or does the same.
SAME = {
    "GET /": "GET /api/start",
    "GET /api-docs": "GET /api/openapi.json",
    "GET /audit": "GET /api/audit",
    "GET /bulk-access": "GET /api/bulk-access",
    "POST /bulk-access": "POST /api/bulk-access",
    "POST /bulk-access/{asked_id}": "POST /api/bulk-access/{asked_id}",
    "GET /calendar": "GET /api/calendar",
    "POST /calendar": "POST /api/calendar",
    "GET /campaigns": "GET /api/campaigns",
    "GET /campaigns/{key}": "GET /api/campaigns/{key}",
    "GET /campaigns/{key}/versions/{number}": "GET /api/campaigns/{key}/versions/{number}",
    "GET /campaigns/{key}/versions/{number}/preview":
        "GET /api/campaigns/{key}/versions/{number}/preview",
    "POST /campaigns/{key}/versions/{number}/preview":
        "POST /api/campaigns/{key}/versions/{number}/preview",
    "POST /campaigns/{key}/versions/{number}/schedule":
        "POST /api/campaigns/{key}/versions/{number}/schedule",
    "POST /campaigns/{key}/versions/{number}/submit-again": "POST /api/campaigns",
    "POST /campaigns/{key}/versions/{number}/test":
        "POST /api/campaigns/{key}/versions/{number}/test",
    "POST /campaigns/{key}/versions/{number}/{decision}":
        "POST /api/campaigns/{key}/versions/{number}/approve",
    "GET /centre": "GET /api/centre",
    "POST /centre/corrections/{correction_id}": "POST /api/centre/corrections/{correction_id}",
    "GET /centre/load": "GET /api/centre/load",
    "GET /centre/shift": "GET /api/centre/shift",
    "GET /centre/{what}/page.{form}": "GET /api/centre/{what}/page.{form}",
    "GET /centre/quality": "GET /api/centre/quality",
    "POST /centre/quality": "POST /api/centre/quality",
    "POST /centre/referrals/{referral_id}": "POST /api/centre/referrals/{referral_id}",
    "GET /centre/results": "GET /api/centre/results",
    "GET /centre/results/{disposition_id}": "GET /api/centre/results/{disposition_id}",
    "POST /centre/results/{disposition_id}/correct":
        "POST /api/centre/results/{disposition_id}/correct",
    "POST /centre/results/{disposition_id}/mark":
        "POST /api/centre/results/{disposition_id}/mark",
    "GET /centre/work": "GET /api/centre/work",
    "POST /centre/work/all": "POST /api/centre/work/all",
    "POST /centre/work/{piece}": "POST /api/centre/work/{piece}",
    "GET /desk": "POST /api/operator/next",
    "POST /desk/next": "POST /api/operator/next",
    "POST /desk/{attempt_id}/result": "POST /api/operator/dispositions",
    "GET /desk/contact-again": "POST /api/centre/contact-again",
    "POST /desk/contact-again": "POST /api/centre/contact-again",
    "GET /do-not-contact": "GET /api/restrictions",
    "POST /do-not-contact": "POST /api/restrictions",
    "POST /do-not-contact/search": "POST /api/restrictions/search",
    "POST /do-not-contact/lifts/{lift_id}": "POST /api/lifts/{lift_id}",
    "POST /do-not-contact/{restriction_id}/lift": "POST /api/restrictions/{restriction_id}/lift",
    "POST /drafts/from": "POST /api/drafts",
    "GET /drafts/new": "GET /api/drafts/ready-made",
    "GET /drafts/{draft_id}": "GET /api/drafts/{draft_id}",
    "POST /drafts/{draft_id}": "PUT /api/drafts/{draft_id}",
    "POST /drafts/{draft_id}/discard": "DELETE /api/drafts/{draft_id}",
    "GET /drafts/{draft_id}/preview": "GET /api/drafts/{draft_id}/preview",
    "POST /drafts/{draft_id}/preview": "POST /api/drafts/{draft_id}/preview",
    "GET /files": "GET /api/files",
    "POST /files": "POST /api/files",
    "GET /files/jobs/{job_id}": "GET /api/files/jobs/{job_id}",
    "POST /files/jobs/{job_id}/import": "POST /api/files/jobs/{job_id}/import",
    "GET /files/jobs/{job_id}/rejects": "GET /api/files/jobs/{job_id}/rejects",
    "GET /files/{file_id}": "GET /api/files/{file_id}/rejected",
    "GET /library": "GET /api/library",
    "GET /library/{entry}": "GET /api/library/{entry}",
    "POST /library/{entry}/copy": "POST /api/drafts",
    "POST /lift": "DELETE /api/stops/{scope}",
    "GET /people": "POST /api/people/search",
    "POST /people": "POST /api/people/search",
    "GET /people/{debtor_id}": "GET /api/people/{debtor_id}/timeline",
    "POST /people/{debtor_id}/open": "POST /api/people/{debtor_id}/open",
    "POST /people/{debtor_id}/restrictions": "POST /api/restrictions",
    "GET /providers": "GET /api/providers",
    "POST /providers/pause": "POST /api/stops",
    "POST /providers/resume": "DELETE /api/stops/{scope}",
    "GET /recordings": "GET /api/recordings",
    "POST /recordings": "POST /api/recordings",
    "POST /recordings/speak": "POST /api/recordings/speak",
    "GET /recordings/versions/{recording_id}.wav":
        "GET /api/recordings/versions/{recording_id}.wav",
    "GET /recordings/{name}": "GET /api/recordings/in-use/{name}",
    "POST /recordings/versions/{recording_id}/use":
        "POST /api/recordings/versions/{recording_id}/use",
    "GET /reports": "GET /api/reports",
    "GET /reports/files/{job_id}/report.{form}": "GET /api/reports/files/{job_id}/report.{form}",
    "POST /reports/{run_id}": "POST /api/reports/{run_id}",
    "GET /reports/{run_id}/by": "GET /api/reports",
    "POST /reports/{run_id}/by": "POST /api/reports/{run_id}/by",
    "GET /reports/{run_id}/by/{job_id}": "GET /api/reports/by/{job_id}",
    "GET /runs/{run_id}": "GET /api/runs/{run_id}",
    "GET /runs/{run_id}/progress": "GET /api/runs/{run_id}",
    "POST /runs/{run_id}/start": "POST /api/runs/{run_id}/start",
    "POST /runs/{run_id}/{action}": "POST /api/runs/{run_id}/pause",
    "POST /stop-all": "POST /api/stops",
    "GET /unknown": "GET /api/unknown",
    "POST /unknown": "POST /api/unknown",
    "POST /unknown/{attempt_id}/ask": "POST /api/unknown/{attempt_id}/ask",
}  # fmt: skip


def test_everything_the_console_does_is_a_route_of_the_api() -> None:
    doors: dict[bool, set[str]] = {True: set(), False: set()}
    for route in routes_of(app):
        if not route.path.startswith(SIGNED):
            doors[isinstance(route, ApiRoute)] |= {
                f"{method} {route.path}" for method in route.methods or ()
            }
    console, api = doors[False], doors[True]
    people = {
        one for one in console
        for path in ONLY_PEOPLE
        if (one.partition(" ")[2] + "/").startswith(path + "/")
    }  # fmt: skip
    assert console - SAME.keys() - people == set(), "no route of the API does the same: add one"
    assert SAME.keys() - console == set(), "no such page any more"
    assert set(SAME.values()) - api == set(), "no such route of the API"
    assert not people & SAME.keys()


def test_a_supervisors_work_by_the_api_alone(floor: Floor, door: Door) -> None:
    for n in range(3):
        floor.ledger.person([mobile(n)])
    run = floor.start()
    desk = operator(floor, door)
    for _ in range(2):
        record(desk, kind="absent")
    desk.send("/desk/next")
    mori = Api(floor, door, Role.SUPERVISOR)
    board = mori.ask("GET", "/api/centre")[1]
    assert [(one["operator"], one["done_today"]) for one in board["at_work"]] == [("sato", 2)]
    first = mori.ask("GET", "/api/centre/results?limit=1")[1]
    second = mori.ask("GET", f"/api/centre/results?limit=1&cursor={first['next']}")[1]
    assert first["items"] != second["items"] and second["next"] is None
    assert mori.ask("GET", "/api/centre/results?first=2020-01-01&last=2020-01-02")[1]["items"] == []
    result = f"/api/centre/results/{only_result(floor)}"
    assert mori.ask("GET", result)[1]["result"] == "absent"
    assert mori.ask("POST", f"{result}/correct", {"kind": "callback"})[0] == 409  # no reason
    right = {"kind": "refused", "why": "別の方だった"}
    assert mori.ask("POST", f"{result}/correct", right) == (200, mori.ask("GET", result)[1])
    assert mori.ask("GET", result)[1]["result"] == "refused"
    assert mori.ask("POST", f"{result}/mark", {"mark": "good"})[0] == 204
    assert mori.ask("GET", result)[1]["mark"] == "good"
    today = first["items"][0]["at"][:10]
    sample = {"day": today, "per_operator": 1, "seed": "a"}
    drawn = mori.ask("POST", "/api/centre/quality", sample)[1]
    assert drawn == mori.ask("GET", f"/api/centre/quality?day={today}")[1] and drawn["items"]
    pieces = mori.ask("GET", "/api/centre/work")[1]["items"]
    assert [piece["with_"] for piece in pieces] == ["sato"]
    to = {"to": "nobody"}
    assert mori.ask("POST", f"/api/centre/work/{pieces[0]['id']}", to)[0] == 409
    assert mori.ask("POST", f"/api/centre/work/{pieces[0]['id']}", {})[0] in (204, 409)
    assert mori.ask("POST", "/api/centre/work/all", {"from": "sato"})[0] == 200
    asked = {"number": "090-0000-0000", "asked_by": "sato", "reason": "本人"}
    assert mori.ask("POST", "/api/centre/contact-again", asked)[0] == 409  # nobody opted out
    assert mori.ask("GET", "/api/centre/corrections")[0] == 200
    assert mori.ask("POST", "/api/centre/corrections/9", {"lift": True})[0] == 409
    assert mori.ask("POST", "/api/centre/referrals/9", {})[0] == 404
    staff = Api(floor, door, Role.STAFF)
    ready = staff.ask("GET", "/api/drafts/ready-made?limit=200")[1]["items"]
    assert "three-arm-trial" in [one["name"] for one in ready]
    assert staff.fetch("/api/recordings/in-use/notice-greeting.wav")[1][:4] == b"RIFF"
    assert staff.fetch("/api/recordings/in-use/nothing.wav")[0] == 404
    start = staff.ask("GET", "/api/start")[1]
    assert [one["run_id"] for one in start["runs"]] == [str(run)] and start["today"]
    assert Api(floor, door, Role.OPERATOR).ask("GET", "/api/centre")[0] == 403
