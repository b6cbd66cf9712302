"""Whoever only looks changes nothing: no page and no answer to a GET alters a table, beside what is
written down about their looking. So no address that somebody is led to does anything."""

from __future__ import annotations

import requests

from contact_service.domain.actors import Role
from contact_service.identity import tokens
from contact_service.identity.tokens import Scope
from contact_service.web.api_base import ApiRoute, Rule
from contact_service.web.api_docs import depends_on, routes_of
from contact_service.web.app import app
from tests.dispatch.conftest import floor
from tests.identity.conftest import ADMINISTRATOR, _quick_hashes
from tests.web.offices import Asking, asking
from tests.web.test_doors import door, door_settings
from tests.web.test_rules import OPEN, SIGNED, filled, session

__all__ = ["_quick_hashes", "asking", "door", "door_settings", "floor"]

#: Figures that are worked out beside, for whoever asks for them first.
FIGURES = {"computed"}


def test_no_address_that_is_opened_changes_anything(asking: Asking) -> None:
    places = {**asking.places, "attempt_id": asking.places["held"]}
    cookie = {"Cookie": session(asking.floor.service, Role.ADMINISTRATOR)["cookie"]}
    held: dict[Role, dict[str, str]] = {}
    before, wrong, looked = asking.digest(), [], 0
    with requests.Session() as browser:
        for route in routes_of(app):
            if "GET" not in (route.methods or ()) or route.path.startswith(SIGNED):
                continue
            if route.path in OPEN:
                continue
            known = all(place.name in places for place in route.dependant.path_params)
            headers = cookie | {"Accept": "text/html"}
            if isinstance(route, ApiRoute):
                rule = next((r for r in depends_on(route) if isinstance(r, Rule)), None)
                role = min(rule.roles) if rule else Role.STAFF
                if role not in held:
                    token = tokens.issue(
                        asking.floor.service, ADMINISTRATOR, "x", role, frozenset(Scope), 1
                    )
                    held[role] = {"Authorization": f"Bearer {token}"}
                headers = held[role]
            path = route.path.format_map(places) if known else filled(route)
            answer = browser.get(
                asking.door.stack.web_url + path, headers=headers, timeout=60, stream=True
            )
            looked += answer.status_code == 200
            answer.close()
            after = asking.digest()
            if changed := {name for name in after if after[name] != before[name]} - FIGURES:
                wrong.append((path, answer.status_code, changed))
            before = after
    assert not wrong, "\n".join(map(str, wrong))
    assert looked >= 60, looked
