"""The carrier's REST API: paths, form fields and answers as Twilio's of 2010-04-01."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from contact_service.clock import Clock
from contact_service.simulation.carrier import store
from contact_service.simulation.carrier.calls import Calls
from contact_service.simulation.carrier.errors import Refusal
from contact_service.simulation.carrier.messages import Messages
from contact_service.simulation.carrier.records import API_VERSION, rfc2822

_RETRY_AFTER = {"Retry-After": "1"}
Endpoint = Callable[[Request], Awaitable[Response]]


class Api:
    """Endpoints over messages and calls."""

    def __init__(
        self, account: str, token: str, clock: Clock, messages: Messages, calls: Calls
    ) -> None:
        self._account = account
        credentials = base64.b64encode(f"{account}:{token}".encode()).decode()
        self._authorization = f"Basic {credentials}".encode()
        self._clock = clock
        self._started = clock.now()
        self._messages = messages
        self._calls = calls

    def routes(self) -> Mount:
        """Everything under the API's version."""
        root = "/Accounts/{account}"
        table: tuple[tuple[str, Endpoint, list[str]], ...] = (
            (f"{root}/Messages.json", self._create_message, ["POST"]),
            (f"{root}/Messages.json", self._list_messages, ["GET"]),
            (f"{root}/Messages/{{sid}}.json", self._message, ["GET"]),
            (f"{root}/Calls.json", self._create_call, ["POST"]),
            (f"{root}/Calls.json", self._list_calls, ["GET"]),
            (f"{root}/Calls/{{sid}}.json", self._call, ["GET"]),
            (f"{root}/Calls/{{sid}}.json", self._update_call, ["POST"]),
            ("/Accounts/{account}.json", self._show_account, ["GET"]),
        )
        routes = [Route(path, self._guard(call), methods=verbs) for path, call, verbs in table]
        return Mount(f"/{API_VERSION}", routes=routes)

    def _guard(self, endpoint: Endpoint) -> Endpoint:
        async def guarded(request: Request) -> Response:
            try:
                self._authenticate(request)
                return await endpoint(request)
            except Refusal as refusal:
                return refused(refusal)

        return guarded

    def _authenticate(self, request: Request) -> None:
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, self._authorization):
            raise Refusal(20003)
        if request.path_params["account"] != self._account:
            raise Refusal(20404)

    async def _create_message(self, request: Request) -> Response:
        record = self._messages.create(dict(await _form(request)), self._clock.now())
        return JSONResponse(record.resource(), 201)

    async def _create_call(self, request: Request) -> Response:
        fields = await _form(request)
        asked = " ".join(value for name, value in fields if name == "StatusCallbackEvent")
        call = self._calls.create(dict(fields), frozenset(asked.split()), self._clock.now())
        return JSONResponse(call.resource(), 201)

    async def _message(self, request: Request) -> Response:
        record = self._messages.records.get(request.path_params["sid"])
        if record is None:
            raise Refusal(20404)
        return JSONResponse(record.resource())

    async def _call(self, request: Request) -> Response:
        call = self._calls.records.get(request.path_params["sid"])
        if call is None:
            raise Refusal(20404)
        return JSONResponse(call.resource())

    async def _update_call(self, request: Request) -> Response:
        call = self._calls.records.get(request.path_params["sid"])
        if call is None:
            raise Refusal(20404)
        status = dict(await _form(request)).get("Status")
        if status not in ("canceled", "completed"):
            raise Refusal(21220)
        self._calls.update(call, status, self._clock.now())
        return JSONResponse(call.resource())

    async def _list_messages(self, request: Request) -> Response:
        return _listing(request, self._messages.records, "messages", "DateSent")

    async def _list_calls(self, request: Request) -> Response:
        return _listing(request, self._calls.records, "calls", "StartTime")

    async def _show_account(self, request: Request) -> Response:
        uri = f"/{API_VERSION}/Accounts/{self._account}"
        return JSONResponse(
            {
                "sid": self._account,
                "owner_account_sid": self._account,
                "friendly_name": "simulated",
                "status": "active",
                "type": "Full",
                "auth_token": None,
                "date_created": rfc2822(self._started),
                "date_updated": rfc2822(self._started),
                "subresource_uris": {
                    "messages": f"{uri}/Messages.json",
                    "calls": f"{uri}/Calls.json",
                },
                "uri": f"{uri}.json",
            }
        )


def refused(refusal: Refusal) -> JSONResponse:
    """The answer to a refused request."""
    headers = _RETRY_AFTER if refusal.status == 429 else None
    return JSONResponse(refusal.body(), refusal.status, headers)


def _listing(
    request: Request, records: store.Records[store.AnyItem], key: str, date_field: str
) -> Response:
    query = dict(request.query_params)
    try:
        found = store.page(records, query, request.url.path, date_field)
    except ValueError:
        raise Refusal(20001) from None
    return JSONResponse(found.body(key))


async def _form(request: Request) -> list[tuple[str, str]]:
    return parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True)
