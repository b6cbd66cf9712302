"""From a draft to a run that is stopped, and recordings, by the JSON API alone."""

from __future__ import annotations

import io
import math
import struct
import wave
from typing import Any

from contact_service.domain.actors import Role
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import _quick_hashes
from tests.ledger import Owed, mobile
from tests.system.ward import until
from tests.web.api import Api
from tests.web.test_doors import Door, door, door_settings

__all__ = ["_quick_hashes", "door", "door_settings", "floor"]

READY = "reminder-before-demand"


def figures(api: Api, path: str) -> dict[str, Any]:
    """What is worked out beside, once it is there."""
    until(lambda: api.ask("GET", path)[1]["done"])
    found: dict[str, Any] = api.ask("GET", path)[1]
    assert found["wrong"] is None, found
    figures: dict[str, Any] = found["figures"]
    return figures


def test_a_campaign_from_a_draft_to_its_end(floor: Floor, door: Door) -> None:
    for n in range(3):
        floor.ledger.person([mobile(n)], [Owed(yen=9_000, kind="resident_tax")])
    staff, approver = Api(floor, door, Role.STAFF), Api(floor, door, Role.APPROVER)
    status, begun = staff.ask("POST", "/api/drafts", {"start": "ready_made", "name": READY})
    assert (status, begun["valid"]) == (201, True)
    draft = f"/api/drafts/{begun['draft']['id']}"
    text = begun["draft"]["text"].replace("{min: 7, max: 13}", "{min: 1}")
    change = {"revision": begun["draft"]["revision"], "text": text}
    assert staff.ask("PUT", draft, change | {"text": "title: 1\n"})[1]["valid"] is False
    assert staff.ask("GET", f"{draft}/preview")[0] == 409
    assert staff.ask("PUT", draft, change)[0] == 409
    change["revision"] += 1
    assert staff.ask("PUT", draft, change)[1]["valid"] is True
    assert figures(staff, f"{draft}/preview?day=2026-11-09")["cost_yen"] > 0
    assert approver.ask("GET", draft)[0] == 403
    assert [one["title"] for one in staff.ask("GET", "/api/drafts")[1]["items"]] != []
    status, version = staff.ask("POST", f"{draft}/submit", {"reason": "はじめて"})
    assert (status, version["state"], staff.ask("GET", draft)[0]) == (201, "submitted", 404)

    at = f"/api/campaigns/{READY}/versions/1"
    assert staff.ask("POST", f"{at}/approve", {})[0] == 403
    assert approver.ask("POST", f"{at}/send-back", {})[0] == 409  # no reason
    assert approver.ask("POST", f"{at}/approve", {})[1]["state"] == "approved"
    whole = staff.ask("GET", f"{at}?lang=en")[1]
    assert whole["text"] == text and whole["explained"][0]["lines"]
    day = {"first_day": "2026-11-09"}
    status, planned = staff.ask("POST", f"{at}/schedule", day, **{"Idempotency-Key": "s"})
    again = staff.ask("POST", f"{at}/schedule", day, **{"Idempotency-Key": "s"})
    assert (status, planned["new"], again) == (201, True, (201, planned))
    assert figures(staff, f"{at}/preview?day=2026-11-09")["arms"]
    listed = staff.ask("GET", "/api/campaigns")[1]["items"]
    assert [(one["key"], one["run_state"]) for one in listed] == [(READY, "scheduled")]
    assert figures(staff, "/api/calendar?year=2026")["runs"][0]["campaign"] == READY

    run = f"/api/runs/{planned['run_id']}"
    assert staff.ask("POST", f"{run}/start", {})[0] == 403
    assert approver.ask("POST", f"{run}/start", {})[0] == 202
    until(lambda: approver.ask("GET", run)[1]["state"] == "running")
    assert approver.ask("GET", run)[1]["counts"]["total"] > 0
    assert approver.ask("POST", f"{run}/start", {})[0] == 409
    reason = {"reason": "文面の確認"}
    assert staff.ask("POST", f"{run}/pause", {})[0] == 422
    for move, state in (("pause", "paused"), ("resume", "running"), ("stop", "cancelled")):
        assert staff.ask("POST", f"{run}/{move}", reason)[1]["state"] == state
    history = staff.ask("GET", f"/api/campaigns/{READY}")[1]["history"]
    assert [one["action"] for one in history][:4] == ["stop", "resume", "pause", "start"]
    auditor = Api(floor, door, Role.AUDITOR)
    lines = auditor.ask("GET", "/api/audit?action=run.&limit=2")[1]
    assert [one["action"] for one in lines["items"]] == ["run.stop", "run.resume"]
    assert auditor.ask("GET", "/api/audit?action=run.&actor=token:approver")[1]["items"]
    assert auditor.ask("GET", "/api/audit?until=2026-01-01T00:00:00%2B09:00")[1]["items"] == []


def test_a_definition_is_checked_submitted_and_taken_back(floor: Floor, door: Door) -> None:
    staff = Api(floor, door, Role.STAFF)
    text = staff.ask("POST", "/api/drafts", {"start": "ready_made", "name": READY})[1]["draft"][
        "text"
    ]
    faulty = text.replace("channel: sms", "channel: smss")
    found = staff.ask("POST", "/api/campaigns/check", {"text": faulty})[1]
    assert (found["valid"], found["explained"]) == (False, [])
    assert {"line", "column", "message_ja", "suggestion"} <= set(found["faults"][0])
    assert staff.ask("POST", "/api/campaigns/check", {"text": text})[1]["explained"]
    assert staff.ask("POST", "/api/campaigns", {"text": faulty})[0] == 422
    for n in range(3):
        other = text.replace(f"campaign: {READY}", f"campaign: other-{n}")
        assert staff.ask("POST", "/api/campaigns", {"text": other})[0] == 201
    first = staff.ask("GET", "/api/campaigns?limit=2")[1]
    second = staff.ask("GET", f"/api/campaigns?limit=2&cursor={first['next']}")[1]
    keys = [one["key"] for page in (first, second) for one in page["items"]]
    assert (keys, second["next"]) == (["other-2", "other-1", "other-0"], None)
    gone = staff.ask("POST", "/api/campaigns/other-1/versions/1/withdraw", {"reason": "取りやめ"})
    assert gone[1]["state"] == "withdrawn"
    assert staff.ask("GET", "/api/campaigns/nowhere")[0] == 404
    assert staff.ask("GET", "/api/runs/00000000-0000-0000-0000-000000000000")[0] == 404
    begun = staff.ask("POST", "/api/drafts", {"start": "version", "version": "other-0@1"})[1]
    assert staff.ask("DELETE", f"/api/drafts/{begun['draft']['id']}")[0] == 204
    assert staff.ask("POST", "/api/drafts", {"start": "nothing"})[0] == 422


def tone(seconds: float = 1.0) -> bytes:
    """A recording with something to hear."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(
            b"".join(
                struct.pack("<h", int(9_000 * math.sin(n / 16_000 * 440 * math.tau)))
                for n in range(int(16_000 * seconds))
            )
        )
    return made.getvalue()


def test_recordings_are_handed_in_once_heard_and_put_to_use(floor: Floor, door: Door) -> None:
    staff = Api(floor, door, Role.STAFF)
    said = {"name": "greeting.wav", "key": "once"}
    status, made = staff.upload("/api/recordings", "a.wav", tone(), **said)
    assert (status, made["name"], made["version"]) == (201, "greeting.wav", 1)
    assert staff.upload("/api/recordings", "a.wav", tone(), **said) == (status, made)
    assert staff.upload("/api/recordings", "a.wav", tone(2), **said)[0] == 422
    assert staff.upload("/api/recordings", "a.wav", b"no sound", name="greeting.wav")[0] == 422
    assert staff.upload("/api/recordings", "a.wav", tone(), name="../greeting.wav")[0] == 422
    spoken = {"name": "greeting.wav", "words": "お知らせです。"}
    assert staff.ask("POST", "/api/recordings/speak", spoken)[1]["version"] == 2
    listed = staff.ask("GET", "/api/recordings?limit=1")[1]
    assert listed["items"][0]["spoken"] == "お知らせです。"
    rest = staff.ask("GET", f"/api/recordings?cursor={listed['next']}")[1]
    assert [one["version"] for one in rest["items"]] == [1]
    played = door.stack.settings.own_audio / "greeting.wav"
    assert not played.exists()
    use, approver = f"/api/recordings/versions/{made['id']}/use", Api(floor, door, Role.APPROVER)
    assert staff.ask("POST", use)[0] == 403
    # whose name is another's by now: made by one, put to use by another
    floor.ledger.run("UPDATE recording SET made_by = 'token:' || (SELECT label FROM api_token "
                     "WHERE role = 'approver') WHERE version = 1")  # fmt: skip
    assert approver.ask("POST", use)[0] == 403 and not played.exists()
    floor.ledger.run("UPDATE recording SET made_by = 'tanaka'")
    assert approver.ask("POST", use)[0] == 204
    heard = staff.fetch(f"/api/recordings/versions/{made['id']}.wav")
    assert heard == (200, played.read_bytes()) and heard[1][:4] == b"RIFF"
    assert approver.ask("POST", "/api/recordings/versions/99/use")[0] == 409
    assert staff.ask("GET", "/api/recordings/versions/99.wav")[0] == 404
