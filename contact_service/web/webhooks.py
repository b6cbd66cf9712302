"""Carriers' reports: answered only after they are on disk."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.routing import Route

from campaigns.messages import render
from contact_service.callcentre.replies import call_who_asked
from contact_service.dispatch.contacts import office
from contact_service.receipts.events import Reported, Via
from contact_service.receipts.messages import CONFIRMATION, store_messages
from contact_service.web.carrier import (
    answered,
    asked,
    attempt_id_of,
    believed,
    reference_of,
    reports_of,
    service_of,
    verified,
)

router = APIRouter(include_in_schema=False)


async def receipt(request: Request) -> Response:
    """Reports, about the attempt that the signed address names; a carrier that always uses one
    address names our reference in the report itself, or its own identifier alone."""
    provider_name, attempt = (
        request.path_params["provider_name"],
        request.path_params.get("attempt"),
    )
    reference = None if attempt is None else str(attempt_id_of(attempt))
    provider, said = await asked(request, provider_name)
    parsed = believed(lambda: provider.parse_receipts(said, reference))
    # what the report itself names counts, where the signature does not cover the address
    await reports_of(request).store(
        provider_name,
        [Reported(receipt, reference_of(receipt.reference), Via.WEBHOOK) for receipt in parsed],
    )
    return answered(provider.receipt_answer)


#: Reports come by the thousand. A plain route costs about half the CPU time of one whose
#: arguments the framework works out; put first, it is found first.
RECEIPTS = tuple(
    Route(path, receipt, methods=["POST"], include_in_schema=False)
    for path in (
        "/webhooks/{provider_name}/receipts/{attempt}",
        "/webhooks/{provider_name}/receipts",
    )
)


@router.post("/webhooks/{provider_name}/messages")
async def message(request: Request, provider_name: str) -> Response:
    """Somebody writes to us. Who asks to be left alone is left alone from this moment, and told
    so; who wants to be called is called back; what is not understood is kept for the operators."""
    provider, said = await verified(request, provider_name)
    read = believed(lambda: provider.read_message(said))
    service = service_of(request)
    (opted_out,) = await run_in_threadpool(
        store_messages, service, provider_name, [read], service.clock.now()
    )
    await run_in_threadpool(call_who_asked, service, service.clock.now())
    # a carrier that took it for an opt-out itself has answered, and would not deliver ours
    confirm = opted_out and not read.opted_out
    text = render(CONFIRMATION, office(service.settings)) if confirm else None
    return answered(provider.reply(text))
