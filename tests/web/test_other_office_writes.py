"""Somebody of another office (所管課) sends every form and every request that writes, with
the identifiers of an office's people, files, campaigns and conversations: each is refused and no
table changes; to who sees every office the same is something that can be done.

A new route is a row of :data:`ASKED`, or says in :data:`NOBODYS` why it names nothing that is an
office's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import uuid4

import requests
from fastapi.routing import APIRoute

from contact_service.domain.actors import EVERY_OFFICE, Role
from contact_service.identity import tokens
from contact_service.identity.tokens import Scope
from contact_service.web.api_base import ApiRoute, Rule
from contact_service.web.api_docs import depends_on, routes_of
from contact_service.web.app import app
from contact_service.web.session import PageRule
from tests.dispatch.conftest import floor
from tests.identity.conftest import ADMINISTRATOR
from tests.web.browser import Browser
from tests.web.offices import NURSERY, Asking, asking
from tests.web.people import signed_in
from tests.web.test_doors import door, door_settings
from tests.web.world import TRIAL

__all__ = ["asking", "door", "door_settings", "floor"]

WHY = {"reason": "確認のため"}
SAID = {"kind": "absent", "why": "聞き直した"}

#: What is sent, by route; identifiers are filled in from the world.
ASKED: Mapping[str, Mapping[str, object]] = {
    "POST /api/people/{debtor_id}/open": {"reason": "check"},
    "POST /api/restrictions": {"kind": "collection_deferred", "code": "{code}", "claim_id": "#{claim}"},
    "POST /api/restrictions/{restriction_id}/lift": WHY,
    "POST /api/lifts/{lift_id}": {"lift": False},
    "POST /api/bulk-access/{asked_id}": {"grant": False},
    "POST /api/files/jobs/{job_id}/import": {},
    "POST /api/campaigns": {"text": TRIAL},
    "POST /api/campaigns/{key}/versions/{number}/preview": {},
    "POST /api/campaigns/{key}/versions/{number}/schedule": {"first_day": "2026-12-07"},
    "POST /api/campaigns/{key}/versions/{number}/test": {
        "message": "m", "language": "ja", "number": "09012345678", "again": "09012345678"},
    "POST /api/campaigns/{key}/versions/{number}/approve": WHY,
    "POST /api/campaigns/{key}/versions/{number}/send-back": WHY,
    "POST /api/campaigns/{key}/versions/{number}/withdraw": WHY,
    "POST /api/drafts": {"start": "version", "version": "{key}@2"},
    "PUT /api/drafts/{draft_id}": {"revision": 1, "text": TRIAL},
    "DELETE /api/drafts/{draft_id}": {},
    "POST /api/drafts/{draft_id}/submit": WHY,
    "POST /api/drafts/{draft_id}/preview": {},
    "POST /api/runs/{run_id}/start": WHY,
    "POST /api/runs/{run_id}/pause": WHY,
    "POST /api/runs/{run_id}/resume": WHY,
    "POST /api/runs/{run_id}/stop": WHY,
    "POST /api/unknown/{attempt_id}/ask": {},
    "POST /api/unknown": {"attempts": ["{unknown}"], "taken": True, "reason": "確かめた"},
    "POST /api/reports/{run_id}": {},
    "POST /api/reports/{run_id}/by": {},
    "POST /api/operator/dispositions": {
        "attempt_id": "{held}", "operator": "sato", "disposition": "absent",
        "started_at": "2026-11-23T10:00:00+09:00", "talk_seconds": 1, "wrap_seconds": 1},
    "POST /api/centre/results/{disposition_id}/correct": SAID,
    "POST /api/centre/results/{disposition_id}/mark": {"mark": "good", "remark": ""},
    "POST /api/centre/corrections/{correction_id}": {"lift": False},
    "POST /api/centre/work/{piece}": {"to": None},
    "POST /people/{debtor_id}/open": {"reason": "check"},
    "POST /people/{debtor_id}/restrictions": {"kind": "collection_deferred", "claim": "{claim}"},
    "POST /do-not-contact/{restriction_id}/lift": WHY,
    "POST /do-not-contact/lifts/{lift_id}": {"lift": "false"},
    "POST /bulk-access/{asked_id}": {"grant": "false"},
    "POST /files/jobs/{job_id}/import": {},
    "POST /unknown/{attempt_id}/ask": {},
    "POST /unknown": {"attempt": "{unknown}", "taken": "yes", "reason": "確かめた"},
    "POST /reports/{run_id}": {},
    "POST /reports/{run_id}/by": {"field": "kinds"},
    "POST /drafts/from": {"version": "{key}@2"},
    "POST /drafts/{draft_id}": {"step": "whom", "revision": "1", "text": TRIAL, "do": "save"},
    "POST /drafts/{draft_id}/discard": {},
    "POST /drafts/{draft_id}/preview": {},
    "POST /campaigns/{key}/versions/{number}/preview": {},
    "POST /campaigns/{key}/versions/{number}/submit-again": {},
    "POST /campaigns/{key}/versions/{number}/schedule": {"day": "2026-12-07"},
    "POST /campaigns/{key}/versions/{number}/test": {
        "what": "m/ja", "to": "09012345678", "again": "09012345678"},
    "POST /campaigns/{key}/versions/{number}/{decision}": WHY,
    "POST /runs/{run_id}/start": WHY,
    "POST /runs/{run_id}/{action}": {"reason": "確認", "back": "/"},
    "POST /centre/results/{disposition_id}/correct": SAID,
    "POST /centre/results/{disposition_id}/mark": {"mark": "good", "remark": ""},
    "POST /centre/corrections/{correction_id}": {"lift": "false"},
    "POST /centre/work/{piece}": {"to": ""},
    "POST /desk/{attempt_id}/call": {},
    "POST /desk/{attempt_id}/hung-up": {},
    "POST /desk/{attempt_id}/identified": {"person": "{at_the_desk}", "proof": "name_and_birth_date"},
    "POST /desk/{attempt_id}/result": {"kind": "absent"},
    "POST /desk/{attempt_id}/place": {"press": str(uuid4())},
    "POST /desk/{conversation_id}/who": {"code": "{code}"},
}  # fmt: skip
_EACH_OWN = "of whoever sends it"
_EVERYBODYS = "belongs to no office: the whole service's"
_CENTRE = "whoever calls or writes in is served by whoever is at a desk"
_TOLD_TO_ALL = "concerns the whole person: every office leaves them alone, and helps"
#: Routes that name nothing of an office, and why.
NOBODYS: Mapping[str, str] = {
    "POST /sign-in": _EACH_OWN,
    "POST /sign-out": _EACH_OWN,
    "POST /account/password": _EACH_OWN,
    "POST /account/second-factor": _EACH_OWN,
    "POST /account/second-factor/confirm": _EACH_OWN,
    "POST /account/sessions/{session_id}/end": _EACH_OWN,
    "POST /desk/state": _EACH_OWN,
    "POST /desk/here": _EACH_OWN,
    "POST /desk/telephone": _EACH_OWN,
    "POST /desk/next": "gives of the own office alone: tests/identity/test_offices.py",
    "POST /api/operator/next": "gives of the own office alone: tests/identity/test_offices.py",
    "POST /people": "finds of the own office alone: tests/identity/test_offices.py",
    "POST /api/people/search": "finds of the own office alone: tests/identity/test_offices.py",
    "POST /api/restrictions/search": "finds of the own office alone: tests/identity/test_offices.py",
    "POST /do-not-contact/search": "finds of the own office alone: tests/identity/test_offices.py",
    "POST /files": "tests/web/test_other_office.py",
    "POST /api/files": "tests/web/test_other_office.py",
    "POST /api/campaigns/check": "keeps nothing",
    "POST /bulk-access": "a wish: what was granted is asked for again where it is used",
    "POST /api/bulk-access": "a wish: what was granted is asked for again where it is used",
    "POST /centre/work/all": "moves the own office's alone: tests/web/test_supervisor.py",
    "POST /api/centre/work/all": "moves the own office's alone: tests/web/test_supervisor.py",
    "POST /centre/quality": "draws of the own office alone: tests/web/test_supervisor.py",
    "POST /api/centre/quality": "draws of the own office alone: tests/web/test_supervisor.py",
    "POST /do-not-contact": _TOLD_TO_ALL,
    "POST /desk/contact-again": _TOLD_TO_ALL,
    "POST /api/centre/contact-again": _TOLD_TO_ALL,
    "POST /centre/referrals/{referral_id}": _TOLD_TO_ALL,
    "POST /api/centre/referrals/{referral_id}": _TOLD_TO_ALL,
    "POST /desk/take/{inbound_id}": _CENTRE,
    "POST /desk/replies/{message_id}/take": _CENTRE,
    "POST /desk/replies/{message_id}/done": _CENTRE,
    "POST /api/calls": _CENTRE,
    "POST /library/{entry}/copy": "lessons are shown to every office",
    **dict.fromkeys(
        (
            "POST /calendar", "POST /api/calendar", "POST /users", "POST /users/{name}/reset",
            "POST /users/{name}/disable", "POST /users/{name}/enable",
            "POST /users/{name}/assign", "POST /users/{name}/sign-out", "POST /tokens",
            "POST /tokens/{token_id}/revoke", "POST /stop-all", "POST /lift", "POST /api/stops",
            "DELETE /api/stops/{scope}", "POST /providers/pause", "POST /providers/resume",
            "POST /recordings", "POST /recordings/speak",
            "POST /recordings/versions/{recording_id}/use", "POST /api/recordings",
            "POST /api/recordings/speak", "POST /api/recordings/versions/{recording_id}/use",
        ),
        _EVERYBODYS,
    ),
}  # fmt: skip
REFUSED = (403, 404, 409, 422)
#: Answered alike in this world: there is no carrier to be asked (tests/web/test_other_office.py),
#: nobody calls in (test_incoming_calls.py), the desk has no telephone (test_replies.py).
SAME_TO_ALL = {
    "POST /unknown/{attempt_id}/ask", "POST /api/unknown/{attempt_id}/ask",
    "POST /desk/{conversation_id}/who", "POST /desk/{attempt_id}/place",
}  # fmt: skip
#: Of several, those that are one's own are done: of another office's, none.
NONE_DONE = {"POST /unknown": 303, "POST /api/unknown": 200}


def writing() -> Iterator[tuple[str, str, APIRoute]]:
    """Every route that writes and is no carrier's: its name, method, and itself."""
    for route in routes_of(app):
        for method in sorted(route.methods or ()):
            if method != "GET" and not route.path.startswith("/webhooks/"):
                yield f"{method} {route.path}", method, route


def test_every_route_that_writes_says_what_of_an_office_it_names() -> None:
    named = {name for name, _, _ in writing()}
    assert named - set(ASKED) - set(NOBODYS) == set(), "add it to ASKED, or to NOBODYS and why"
    assert (set(ASKED) | set(NOBODYS)) - named == set()
    assert not set(ASKED) & set(NOBODYS)


def roles_of(route: APIRoute) -> list[Role]:
    asked = [rule.roles for rule in depends_on(route) if isinstance(rule, Rule | PageRule)]
    return sorted(frozenset.intersection(*asked) - {Role.SYSTEM})


def place_of(name: str, asking: Asking) -> str:
    """The address; what is an attempt at a desk is another one than elsewhere."""
    places = dict(asking.places)
    if name.endswith("/import"):
        places["job_id"] = places["checked"]
    places["attempt_id"] = places["held" if "/desk/" in name else "unknown"]
    return name.partition(" ")[2].format_map(places)


class Callers:
    """Sessions and tokens of an office, by role."""

    def __init__(self, asking: Asking, office: str) -> None:
        self._asking, self._office = asking, office
        self._browsers: dict[Role, Browser] = {}
        self._tokens: dict[Role, str] = {}

    def send(self, name: str, method: str, route: APIRoute, role: Role) -> tuple[int, str]:
        """One request as somebody of the office."""
        asking = self._asking
        body = asking.filled(ASKED[name])
        address = place_of(name, asking)
        if isinstance(route, ApiRoute):
            if role not in self._tokens:
                self._tokens[role] = tokens.issue(
                    asking.floor.service, ADMINISTRATOR, "x", role, frozenset(Scope), 1,
                    self._office,
                )  # fmt: skip
            if name.endswith("/by"):
                address += "?field=kinds"
            answer = requests.request(
                method, asking.door.stack.web_url + address, json=body, timeout=60,
                headers={"Authorization": f"Bearer {self._tokens[role]}"},
            )  # fmt: skip
            return answer.status_code, answer.text
        if role not in self._browsers:
            who = f"{'all' if self._office == EVERY_OFFICE else 'other'}-{role.replace('_', '-')}"
            self._browsers[role] = signed_in(
                asking.floor, asking.door, who, role, self._office
            ).open("/account")
        mine = self._office == EVERY_OFFICE and route.path.startswith("/desk/")
        browser = asking.operator if mine else self._browsers[role]
        assert isinstance(body, dict)
        browser.send_once(address, body)
        return browser.status, browser.answer


def test_nothing_of_another_office_can_be_written(asking: Asking) -> None:
    other, everybody = Callers(asking, NURSERY), Callers(asking, EVERY_OFFICE)
    wrong: list[tuple[object, ...]] = []
    refusals: dict[str, int] = {}
    before = kept = asking.keep()
    asked = [each for each in writing() if each[0] in ASKED]
    for name, method, route in asked:
        roles = roles_of(route)
        if isinstance(route, ApiRoute):
            roles = [role for role in roles if role is not Role.ADMINISTRATOR]
        for role in roles:
            status, said = other.send(name, method, route, role)
            refusals[name] = status
            if status not in REFUSED and NONE_DONE.get(name) != status:
                wrong.append((name, role.value, status, said[:300]))
        after = asking.digest()
        if changed := {table for table in after if after[table] != before[table]}:
            wrong.append((name, "changed", sorted(changed)))
        before = after
    assert not wrong, "\n".join(map(str, wrong))
    # the same is something that can be done: to who sees every office it is there
    for name, method, route in asked:
        if name not in SAME_TO_ALL:
            asking.bring_back(kept)
            role = next(role for role in roles_of(route) if role is not Role.ADMINISTRATOR)
            status, said = everybody.send(name, method, route, role)
            if status in (403, 404) or status == refusals[name] in REFUSED:
                wrong.append((name, role.value, status, said[-300:]))
    assert not wrong, "\n".join(map(str, wrong))
