"""Every operation of the OpenAPI document, as schemathesis makes requests from it: nothing falls
over, nobody without a right is answered, and an office never sees another's people."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from contact_service.domain.actors import Role
from contact_service.identity import tokens
from contact_service.identity.tokens import Scope
from contact_service.web.api_docs import description
from contact_service.web.app import app
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import ADMINISTRATOR
from tests.web.offices import NURSERY, Asking, asking
from tests.web.test_doors import Door, door, door_settings
from tests.web.test_other_office import secrets_of, shared

__all__ = ["asking", "door", "door_settings", "floor"]

#: What hangs is found; the first figures of a process load libraries, and a machine may be busy.
LONGEST_SECONDS = 120
#: Requests an operation.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "80")) // 40
some = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def operations() -> Iterator[Any]:
    schema = schemathesis.openapi.from_dict(description(app))
    for found in schema.get_all_operations():
        yield found.ok()


@pytest.fixture
def callers(floor: Floor) -> dict[str, str]:
    """Tokens, by who holds them: with every right, of another office in several roles, nobody."""

    def issue(role: Role, office: str) -> str:
        return tokens.issue(floor.service, ADMINISTRATOR, "fuzz", role, frozenset(Scope), 1, office)

    return {
        "all": issue(Role.STAFF, "*"),
        "other supervisor": issue(Role.SUPERVISOR, NURSERY),
        "other approver": issue(Role.APPROVER, NURSERY),
        "nobody": "contact_no-such-token",
    }


def test_every_operation(asking: Asking, callers: dict[str, str]) -> None:
    wrong: list[tuple[object, ...]] = []
    answers = 0
    known = {**asking.places, "attempt_id": asking.places["unknown"]}
    with requests.Session() as session:
        asks = Asks(asking.door, session, callers, known, secrets_of(asking.floor), wrong)
        for operation in operations():
            answers += asked(operation, asks)
    assert wrong == []
    assert answers >= 65 * EXAMPLES * len(callers) / 2


@dataclass
class Asks:
    """What one operation is asked with, and what was wrong with its answers."""

    door: Door
    session: requests.Session
    callers: dict[str, str]
    known: dict[str, str]
    secret: list[str]
    wrong: list[tuple[object, ...]]


def asked(operation: Any, asking: Asks) -> int:
    """Ask an operation as everybody, some times; how many answers there were."""
    name, answers = f"{operation.method} {operation.path}", 0

    @some
    @given(operation.as_strategy(), st.booleans())
    def ask(case: Any, real: bool) -> None:
        nonlocal answers
        if real:  # an address that there is
            case.path_parameters = {
                place: asking.known.get(place, value)
                for place, value in (case.path_parameters or {}).items()
            }
        for who, token in asking.callers.items():
            answer = case.call(
                base_url=asking.door.stack.web_url,
                session=asking.session,
                headers={"Authorization": f"Bearer {token}"},
                timeout=LONGEST_SECONDS,
            )
            answers += 1
            if answer.status_code >= 500:
                asking.wrong.append((name, who, answer.status_code, case.as_curl_command()))
            if (who == "nobody") != (answer.status_code == 401):
                asking.wrong.append((name, who, answer.status_code))
            told = answer.content.decode("utf-8", "replace")
            marks = [mark for mark in asking.secret if mark in told]
            if (
                who.startswith("other")
                and marks
                and not shared(urlsplit(answer.request.url or "").path)
            ):
                at = told.index(marks[0])
                asking.wrong.append(
                    (name, who, "another office's", marks, told[max(0, at - 150) : at + 50])
                )

    ask()
    return answers
