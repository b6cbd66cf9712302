"""Every write of the API, sent twice with one ``Idempotency-Key``, is done once: the second answer
is the first one's, and no row of the database is another than before."""

from __future__ import annotations

import http.client
import json
import re
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from contact_service.dispatch.providers import configured
from contact_service.domain.actors import Role
from contact_service.identity import accounts
from contact_service.web.adapters import Adapters
from contact_service.web.api_base import WRITES, ApiRoute
from contact_service.web.api_docs import routes_of
from contact_service.web.app import app
from providers.base import Provider
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import ADMINISTRATOR, _quick_hashes
from tests.intake.conftest import CLAIM, write_csv
from tests.ledger import mobile
from tests.providers.audio.test_prompts import encoded, sine
from tests.system.ward import until
from tests.web.api import Api
from tests.web.test_doors import Door, door, door_settings
from tests.web.test_files import work as import_work
from tests.web.world import TRIAL, world

__all__ = ["_quick_hashes", "door", "door_settings", "floor"]

#: What is no work of a request: keys themselves, when a token was used last, figures worked out
#: beside.
BESIDE = {"idempotency_key", "api_token", "computed"}
AT = "2026-11-23T10:00:00+09:00"
WRITING = {
    f"{method} {route.path}"
    for route in routes_of(app)
    if isinstance(route, ApiRoute)
    for method in set(route.methods or ()) & WRITES
}


@dataclass
class Twice:
    """Sends every request twice."""

    floor: Floor
    door: Door
    sent: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.keys = count()
        self.tables = [
            str(name)
            for (name,) in self.floor.ledger.rows(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
            )
            if name not in BESIDE
        ]
        self.tokens = {
            role: Api(self.floor, self.door, role).token
            for role in (Role.STAFF, Role.APPROVER, Role.OPERATOR, Role.SUPERVISOR, Role.EVALUATOR)
        }

    def __call__(
        self, role: Role, method: str, path: str, body: Any = None, *, asks: bool = False
    ) -> Any:
        """What the request answers; ``asks``: it changes nothing the first time either. What goes
        on behind the answer is waited for."""
        key = f"key-{next(self.keys)}"
        before = self.all_rows()
        first = self.send(role, method, path, body, key)
        assert 200 <= first[0] < 300 and not first[2], (method, path, first)
        until(lambda: self.floor.ledger.one("SELECT count(*) FROM computed WHERE NOT done") == 0)
        after = self.all_rows()
        assert asks or before != after, f"{method} {path} did nothing"
        again = self.send(role, method, path, body, key)
        assert again == (*first[:2], True), (method, path, again)
        assert self.all_rows() == after, f"{method} {path} was done twice"
        self.sent |= {
            one for one in WRITING
            if re.fullmatch(re.sub(r"{\w+}", "[^/]+", one), f"{method} {path.partition('?')[0]}")
        }  # fmt: skip
        return json.loads(first[1]) if first[1] else None

    def all_rows(self) -> dict[str, object]:
        """A digest of each table."""
        every = " UNION ALL ".join(
            f"SELECT '{name}', md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} t"
            for name in self.tables
        )
        return {str(name): digest for name, digest in self.floor.ledger.rows(every)}

    def send(
        self, role: Role, method: str, path: str, body: Any, key: str
    ) -> tuple[int, bytes, bool]:
        """Status, body, and whether it is an earlier answer."""
        where = urlsplit(self.door.stack.web_url)
        line = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        headers = {"Authorization": f"Bearer {self.tokens[role]}", "Idempotency-Key": key}
        if isinstance(body, bytes):
            headers["Content-Type"] = "multipart/form-data; boundary=x"
        elif body is not None:
            headers["Content-Type"], body = "application/json", json.dumps(body)
        line.request(method, path, body, headers)
        answer = line.getresponse()
        return answer.status, answer.read(), answer.getheader("Idempotency-Replayed") == "true"


def form(name: str, content: bytes, /, **fields: str) -> bytes:
    """A file and some fields."""
    parts = (
        "".join(
            f'--x\r\nContent-Disposition: form-data; name="{one}"\r\n\r\n{value}\r\n'
            for one, value in fields.items()
        )
        + f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    )
    return parts.encode() + content + b"\r\n--x--\r\n"


def test_every_write_that_is_sent_twice_is_done_once(floor: Floor, door: Door) -> None:
    places = world(floor, door)
    for name in ("op-201", "op-202"):
        accounts.add(floor.service, ADMINISTRATOR, name, name, Role.OPERATOR)
    twice = Twice(floor, door)
    outcomes(floor, twice)
    the_centre(floor, twice)
    people(floor, twice, places)
    campaigns(floor, twice, places)
    runs(twice, places)
    files_and_recordings(floor, door, twice)
    reports(twice, places)
    assert WRITING - twice.sent == set(), "send it twice here"


def the_centre(floor: Floor, twice: Twice) -> None:
    held = twice(Role.OPERATOR, "POST", "/api/operator/next", {"operator": "op-201"})["attempt_id"]
    twice(Role.OPERATOR, "POST", "/api/operator/dispositions", {
        "attempt_id": held, "operator": "op-201", "disposition": "hardship", "started_at": AT,
        "talk_seconds": 60, "wrap_seconds": 5,
    })  # fmt: skip
    twice(Role.OPERATOR, "POST", "/api/calls", [{
        "key": "k", "started_at": AT, "from": None, "wait_seconds": 5, "talk_seconds": 6,
        "wrap_seconds": 7, "result": "talked",
    }])  # fmt: skip
    referral = floor.ledger.one("SELECT max(id) FROM referral")
    twice(Role.SUPERVISOR, "POST", f"/api/centre/referrals/{referral}")
    result = f"/api/centre/results/{floor.ledger.one('SELECT max(id) FROM disposition')}"
    twice(Role.SUPERVISOR, "POST", f"{result}/mark", {"mark": "good"})
    wrong = {"kind": "refused", "why": "別の方だった"}
    twice(Role.SUPERVISOR, "POST", f"{result}/correct", wrong)
    floor.ledger.run("UPDATE result_correction SET corrected_by = 'somebody'")
    correction = floor.ledger.one("SELECT max(id) FROM result_correction")
    twice(Role.SUPERVISOR, "POST", f"/api/centre/corrections/{correction}", {"lift": True})
    sample = {"day": AT[:10], "per_operator": 5, "seed": "s"}
    twice(Role.SUPERVISOR, "POST", "/api/centre/quality", sample)
    piece = twice(Role.OPERATOR, "POST", "/api/operator/next", {"operator": "op-201"})["attempt_id"]
    twice(Role.SUPERVISOR, "POST", f"/api/centre/work/{piece}", {"to": None})
    floor.ledger.run(
        "UPDATE attempt SET requested = true, reserved_for = 'op-201' WHERE id = CAST(:id AS uuid)",
        id=piece,
    )
    all_of = {"from": "op-201", "to": "op-202"}
    assert twice(Role.SUPERVISOR, "POST", "/api/centre/work/all", all_of) == {"count": 1}


def people(floor: Floor, twice: Twice, places: dict[str, str]) -> None:
    staff, approver = Role.STAFF, Role.APPROVER
    person = f"/api/people/{places['person']}"
    code = str(floor.ledger.one(f"SELECT code FROM debtor WHERE id = {places['person']}"))
    twice(staff, "POST", "/api/people/search", {"wanted": code}, asks=True)
    twice(staff, "POST", f"{person}/open", {"reason": "check"})
    told = {"kind": "opted_out", "number": mobile(9)}
    twice(staff, "POST", "/api/restrictions", told)
    twice(staff, "POST", "/api/restrictions/search", {"wanted": mobile(9)}, asks=True)
    again = {"number": mobile(9), "asked_by": "op-201", "reason": "本人"}
    twice(Role.SUPERVISOR, "POST", "/api/centre/contact-again", again)
    made = twice(staff, "POST", "/api/restrictions", told | {"number": mobile(10)})["id"]
    lift = twice(staff, "POST", f"/api/restrictions/{made}/lift", {"reason": "誤り"})["id"]
    twice(approver, "POST", f"/api/lifts/{lift}", {"lift": True})
    wish = twice(staff, "POST", "/api/bulk-access", {"kind": "open_many", "reason": "調査"})["id"]
    twice(approver, "POST", f"/api/bulk-access/{wish}", {"grant": True})


def campaigns(floor: Floor, twice: Twice, places: dict[str, str]) -> None:
    staff, approver = Role.STAFF, Role.APPROVER
    text = {"text": TRIAL.replace("campaign: three-arm-trial", "campaign: once")}
    twice(staff, "POST", "/api/campaigns/check", text, asks=True)
    twice(staff, "POST", "/api/campaigns", text)
    twice(approver, "POST", "/api/campaigns/once/versions/1/send-back", {"reason": "文面"})
    begun = twice(staff, "POST", "/api/drafts", {"start": "ready_made", "name": "three-arm-trial"})
    draft = begun["draft"]
    changed = {"revision": draft["revision"], "text": draft["text"] + "# mended\n"}
    twice(staff, "PUT", f"/api/drafts/{draft['id']}", changed)
    twice(staff, "POST", f"/api/drafts/{draft['id']}/preview", asks=True)
    twice(staff, "POST", f"/api/drafts/{draft['id']}/submit", {"reason": ""})
    version = "/api/campaigns/three-arm-trial/versions/1"
    twice(staff, "POST", f"{version}/preview", asks=True)
    twice(approver, "POST", f"{version}/approve", {})
    own = {"message": "please-call", "number": "080-4321-1111", "again": "080-4321-1111"}
    twice(staff, "POST", f"{version}/test", own)
    twice(staff, "POST", f"{version}/schedule", {"first_day": "2026-11-30"})
    waiting = f"/api/campaigns/{places['campaign']}/versions/{places['version']}"
    twice(staff, "POST", f"{waiting}/withdraw", {"reason": "やめる"})
    twice(staff, "DELETE", f"/api/drafts/{places['draft']}")
    twice(staff, "POST", "/api/calendar?year=2026", asks=True)


def runs(twice: Twice, places: dict[str, str]) -> None:
    run, yes = f"/api/runs/{places['run']}", {"reason": "確認"}
    twice(Role.STAFF, "POST", f"{run}/pause", yes)
    twice(Role.APPROVER, "POST", f"{run}/resume", yes)
    twice(Role.STAFF, "POST", f"{run}/stop", yes)
    next_ = twice.floor.ledger.one("SELECT id FROM run WHERE state = 'scheduled'")
    twice(Role.APPROVER, "POST", f"/api/runs/{next_}/start", {"reason": ""})
    twice(Role.STAFF, "POST", "/api/stops", {"scope": "channel:sms", "reason": "誤り"})
    twice(Role.APPROVER, "DELETE", "/api/stops/channel:sms")


def files_and_recordings(floor: Floor, door: Door, twice: Twice) -> None:
    staff, settings = Role.STAFF, door.stack.settings
    csv = write_csv(settings.state_dir / "once.csv", [CLAIM]).read_bytes()
    checked = form("滞納_20260930.csv", csv, kind="claims", dry_run="true", training="true")
    job = twice(staff, "POST", "/api/files", checked)["id"]
    assert import_work(floor, settings)
    twice(staff, "POST", f"/api/files/jobs/{job}/import")
    assert import_work(floor, settings) and not import_work(floor, settings)
    sound = form("greeting.m4a", encoded(sine(2.0), "mp4"), name="notice-once.wav")
    made = twice(staff, "POST", "/api/recordings", sound)["id"]
    spoken = {"name": "notice-once.wav", "words": "世田谷区役所です。"}
    twice(staff, "POST", "/api/recordings/speak", spoken)
    twice(Role.APPROVER, "POST", f"/api/recordings/versions/{made}/use")


class Scripted(Adapters):
    """Every carrier is the test's own."""

    def __init__(self, floor: Floor) -> None:
        self._carrier = floor.carrier
        super().__init__(configured(floor.service.settings))

    def __getitem__(self, name: str) -> Provider:
        return self._carrier


def outcomes(floor: Floor, twice: Twice) -> None:
    floor.ledger.run("UPDATE attempt SET provider = 'simulated' WHERE needs_person")
    app.state.providers = Scripted(floor)  # the simulated one is not running here
    attempt = str(floor.ledger.one("SELECT id FROM attempt WHERE needs_person ORDER BY id LIMIT 1"))
    twice(Role.STAFF, "POST", f"/api/unknown/{attempt}/ask", asks=True)
    settled = {"attempts": [attempt], "taken": True, "reason": "事業者に確認"}
    assert twice(Role.STAFF, "POST", "/api/unknown", settled) == {"settled": 1}
    state = floor.ledger.one("SELECT state FROM attempt WHERE id = CAST(:id AS uuid)", id=attempt)
    assert state == "finished"  # the carrier has it: nothing goes out again


def reports(twice: Twice, places: dict[str, str]) -> None:
    twice(Role.EVALUATOR, "POST", f"/api/reports/{places['run']}?lang=en")
    twice(Role.EVALUATOR, "POST", f"/api/reports/{places['run']}/by?field=kinds")
