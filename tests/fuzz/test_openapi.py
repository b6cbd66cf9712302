"""Every operation of the OpenAPI document, as schemathesis makes requests from it: nothing falls
over, nobody without a right is answered, and an office never sees another's people."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

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
from tests.ledger import Owed, mobile
from tests.web.test_doors import Door, door, door_settings

__all__ = ["door", "door_settings", "floor"]

#: Requests an operation.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "80")) // 40
some = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
#: Who asks: with every right, of another office in several roles, and nobody.
NURSERY = "保育担当課"
SECRET_NUMBER = mobile(1)


def operations() -> Iterator[Any]:
    schema = schemathesis.openapi.from_dict(description(app))
    for found in schema.get_all_operations():
        yield found.ok()


@pytest.fixture
def callers(floor: Floor) -> dict[str, str]:
    """Tokens, by who holds them."""

    def issue(role: Role, office: str) -> str:
        return tokens.issue(floor.service, ADMINISTRATOR, "fuzz", role, frozenset(Scope), 1, office)

    return {
        "all": issue(Role.STAFF, "*"),
        "other supervisor": issue(Role.SUPERVISOR, NURSERY),
        "other approver": issue(Role.APPROVER, NURSERY),
        "nobody": "contact_no-such-token",
    }


def test_every_operation(floor: Floor, door: Door, callers: dict[str, str]) -> None:
    health = floor.ledger.person([SECRET_NUMBER])
    floor.ledger.person([mobile(2)], [Owed(22_000, "nursery_fee", "other_public")])
    run = floor.start()
    code = str(floor.ledger.one(f"SELECT code FROM debtor WHERE id = {health}"))
    secret = [code, SECRET_NUMBER, "0" + SECRET_NUMBER[3:], SECRET_NUMBER[3:]]
    attempt = floor.ledger.one("SELECT id FROM attempt LIMIT 1")
    known = {
        "debtor_id": health, "run_id": str(run), "attempt_id": str(attempt), "job_id": 1,
        "file_id": floor.ledger.file_id, "number": 1, "draft_id": 1, "restriction_id": 1,
        "key": "test",
    }  # fmt: skip
    wrong: list[tuple[object, ...]] = []
    answers = 0
    with requests.Session() as session:
        for operation in operations():
            answers += asked(operation, Asking(door, session, callers, known, secret, wrong))
    assert wrong == []
    assert answers >= 65 * EXAMPLES * len(callers) / 2


@dataclass
class Asking:
    """What one operation is asked with, and what was wrong with its answers."""

    door: Door
    session: requests.Session
    callers: dict[str, str]
    known: dict[str, object]
    secret: list[str]
    wrong: list[tuple[object, ...]]


def asked(operation: Any, asking: Asking) -> int:
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
                timeout=30,
            )
            answers += 1
            if answer.status_code >= 500:
                asking.wrong.append((name, who, answer.status_code, case.as_curl_command()))
            if (who == "nobody") != (answer.status_code == 401):
                asking.wrong.append((name, who, answer.status_code))
            if who.startswith("other") and any(
                mark.encode() in answer.content for mark in asking.secret
            ):
                asking.wrong.append((name, who, "another office's", answer.content[:300]))

    ask()
    return answers
