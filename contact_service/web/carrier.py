"""What all webhooks share: nothing is believed before its signature is checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import HTTPException, Request, Response

from contact_service import logs
from contact_service.bootstrap import Service
from contact_service.receipts.group import GroupCommit
from contact_service.web.adapters import Adapters
from providers.base import Answer, ForgedReceipt, NotSupported, Provider, WebhookRequest

log = logs.log(__name__)
T = TypeVar("T")
URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
#: A form tells of one report and has some thirty fields. It is read, sorted and signed before
#: anybody knows who sent it, and meanwhile this process does nothing else. Batches are JSON.
MOST_FORM_BYTES = 64_000
MOST_FIELDS = 100


def service_of(request: Request) -> Service:
    """The service behind this application."""
    service: Service = request.app.state.service
    return service


def adapters_of(request: Request) -> Adapters:
    """The carriers' adapters in this process."""
    adapters: Adapters = request.app.state.providers
    return adapters


def reports_of(request: Request) -> GroupCommit:
    """Who writes reports in this process."""
    reports: GroupCommit = request.app.state.reports
    return reports


async def asked(request: Request, provider_name: str) -> tuple[Provider, WebhookRequest]:
    """The carrier and its request, of which nothing is believed yet; 404 for no such carrier, 503
    for one whose requests cannot be checked here, which may say it again, 413 and 400 for a form
    that no carrier sends."""
    provider = adapters_of(request).get(provider_name)
    if provider is None:
        raise HTTPException(503 if provider_name in adapters_of(request).configured else 404)
    # in this order: a form is read from the body that has been kept
    body = await request.body()
    form = await _form(request, body)
    return provider, WebhookRequest(_public_url(request), dict(request.headers), form, body)


async def _form(request: Request, body: bytes) -> dict[str, str]:
    """The request's form; 413 and 400 for one that is too large or has too many fields. The usual
    kind is read at once: the framework's parser is made for bodies that come in pieces, and costs
    several times as much."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind not in (URLENCODED, MULTIPART):
        return {}
    if len(body) > MOST_FORM_BYTES:
        raise HTTPException(413)
    if kind == MULTIPART:
        said = await request.form(max_files=0, max_fields=MOST_FIELDS)
        return {name: str(value) for name, value in said.items()}
    try:
        pairs = parse_qsl(
            body.decode("latin-1"), keep_blank_values=True, max_num_fields=MOST_FIELDS
        )
    except ValueError:
        raise HTTPException(400) from None
    return dict(pairs)


async def verified(request: Request, provider_name: str) -> tuple[Provider, WebhookRequest]:
    """The carrier and its request, once the signature fits; 404 and 403 otherwise."""
    provider, said = await asked(request, provider_name)
    believed(lambda: provider.verify(said))
    return provider, said


def believed(read: Callable[[], T]) -> T:
    """What ``read`` finds in a request; 403 when it is forged or no report at all."""
    try:
        return read()
    except ForgedReceipt:
        log.warning("webhook.forged")
        raise HTTPException(403) from None
    except NotSupported:
        raise HTTPException(404) from None  # this carrier has no such door


def _public_url(request: Request) -> str:
    """The address as the carrier knows it: the public one, whatever proxies lie between, and as
    it was asked for (the framework's own view of it is decoded, and takes as long as the rest)."""
    public = service_of(request).settings.public_url
    path, query = (request.scope[name].decode("latin-1") for name in ("raw_path", "query_string"))
    return f"{public}{path}?{query}" if query else f"{public}{path}"


def answered(answer: Answer) -> Response:
    """What the carrier wants to hear."""
    if answer.status == 204:
        return Response(status_code=204)
    return Response(answer.body, answer.status, media_type=answer.content_type)


def reference_of(text: str | None) -> UUID | None:
    """The attempt that a report names by our reference, if it names one."""
    try:
        return UUID(text or "")
    except ValueError:
        return None


def attempt_id_of(text: str) -> UUID:
    """An attempt's identifier from an address; 404 when it is none."""
    try:
        return UUID(text)
    except ValueError:
        raise HTTPException(404) from None
