"""Another system of the office that speaks to the JSON API."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from contact_service.domain.actors import Role
from contact_service.identity import tokens
from contact_service.identity.tokens import Scope
from tests.dispatch.conftest import Floor
from tests.identity.conftest import ADMINISTRATOR
from tests.web.test_doors import Door


class Api:
    """A holder of a token with one role and every scope that the test needs."""

    def __init__(self, floor: Floor, door: Door, role: Role) -> None:
        scopes = frozenset({
            Scope.PEOPLE_READ, Scope.PEOPLE_WRITE, Scope.FILES_READ, Scope.FILES_WRITE,
            Scope.CAMPAIGNS_READ, Scope.CAMPAIGNS_WRITE, Scope.REPORTS_READ, Scope.AUDIT_READ, Scope.CENTRE,
        })  # fmt: skip
        self.token = tokens.issue(floor.service, ADMINISTRATOR, role.value, role, scopes, 1)
        self._door = door

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        said = "" if body is None else json.dumps(body)
        status, answer = self._door.ask(method, path, said, sent | headers)
        return status, json.loads(answer) if answer[:1] in ("{", "[") else answer

    def fetch(self, path: str) -> tuple[int, bytes]:
        """A file as it comes."""
        where = urlsplit(self._door.stack.web_url)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def upload(
        self, path: str, file_name: str, content: bytes, key: str = "", **fields: str
    ) -> tuple[int, Any]:
        """A file in the field ``file``; ``key`` is an Idempotency-Key."""
        parts = [
            f'--x\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
            for field, value in fields.items()
        ]
        file = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{file_name}"\r\n\r\n'
        body = "".join([*parts, file]).encode() + content + b"\r\n--x--\r\n"
        where = urlsplit(self._door.stack.web_url)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        connection.request("POST", path, body, {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "multipart/form-data; boundary=x",
        } | ({"Idempotency-Key": key} if key else {}))  # fmt: skip
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
