"""The JSON API of the telephone system: whom to call, what came of it, who called."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Depends, HTTPException, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contact_service.bootstrap import Service
from contact_service.callcentre.calls import InboundCall, log_inbound
from contact_service.callcentre.dispositions import (
    CallBack,
    Conversation,
    Incomplete,
    NotYours,
    PromisedPayment,
    record_disposition,
)
from contact_service.callcentre.list import next_person
from contact_service.domain.actors import EVERY_OFFICE, Actor, Role
from contact_service.domain.states import CallResult, DispositionKind
from contact_service.identity import accounts
from contact_service.identity.tokens import Scope
from contact_service.web.api_base import api_router, may
from contact_service.web.carrier import service_of

router = api_router("/api", "centre")
#: The telephone system speaks for all its operators, and says for which.
telephone_system = may(Scope.CENTRE, Role.OPERATOR, Role.SUPERVISOR)

Seconds = Annotated[int, Field(ge=0, le=86_400)]
Operator = Annotated[str, Field(min_length=1, max_length=40)]
E164 = Annotated[str, Field(pattern=r"^\+[1-9]\d{6,14}$")]


class Body(BaseModel):
    """Base of all bodies: what is not known is refused."""

    model_config = ConfigDict(extra="forbid")


class AskNext(Body):
    """An operator who is free."""

    operator: Operator


class Person(Body):
    """Whom to call, and under which attempt to report."""

    attempt_id: UUID
    phone: str


class PromiseBody(Body):
    """納付約束: what will be paid, and by which day."""

    on: date
    amount_yen: int = Field(gt=0)
    method: str | None = Field(
        default=None, max_length=20, description="how: a payment method's word; null: not said",
        examples=["convenience_store"],
    )  # fmt: skip
    instalments: int | None = Field(
        default=None, ge=2, le=120, description="into how many parts; null: at once"
    )


class CallBackBody(Body):
    """かけ直し: a half-hour at which somebody wants to be called again."""

    at: AwareDatetime
    only_me: bool = Field(default=False, description="whether the same operator is to call")


class DispositionBody(Body):
    """A finished call of an operator."""

    attempt_id: UUID
    operator: Operator
    disposition: DispositionKind
    started_at: AwareDatetime
    talk_seconds: Seconds
    wrap_seconds: Seconds
    promise: PromiseBody | None = None
    note: str | None = Field(default=None, max_length=2000)
    sub_reason: str | None = Field(
        default=None, max_length=100, description="one of the office's words for this result",
        examples=["amount"],
    )  # fmt: skip
    call_back: CallBackBody | None = None
    support_desk: str | None = Field(
        default=None, max_length=100,
        description="where somebody in hardship is led; null: the office's first desk",
    )  # fmt: skip
    text_support: bool = Field(
        default=False, description="whether they agreed to be sent the support desks by SMS"
    )
    answers: list[Annotated[str, Field(max_length=200)]] = Field(
        default=[], max_length=50,
        description="which of the guided questions somebody in hardship said yes to",
    )  # fmt: skip


class CallBody(Body):
    """A finished inbound call."""

    key: str = Field(min_length=1, max_length=70)
    started_at: AwareDatetime
    from_: E164 | None = Field(alias="from")
    wait_seconds: Seconds
    talk_seconds: Seconds
    wrap_seconds: Seconds
    result: CallResult
    extension: str | None = Field(default=None, max_length=12)


@router.post(
    "/operator/next",
    response_model=Person,
    responses={204: {"description": "nobody is due"}},
    summary="次の方 / whom to call next",
)
def next_for(
    request: Request, asked: AskNext, caller: Actor = Depends(telephone_system)
) -> Person | Response:
    """オペレーターに次の方を渡す。いなければ204 / give an operator the next person; 204 when nobody
    is due"""
    service = service_of(request)
    found = next_person(service, _operator(service, caller, asked.operator), service.clock.now())
    if found is None:
        return Response(status_code=204)
    return Person(attempt_id=found.attempt_id, phone=found.phone)


@router.post("/operator/dispositions", status_code=204, summary="折衝結果 / what came of a call")
def dispose(
    request: Request, said: DispositionBody, caller: Actor = Depends(telephone_system)
) -> Response:
    """折衝結果を記録する（同じ内容は一度だけ） / record what an operator concluded; said again, it
    changes nothing"""
    service = service_of(request)
    promise = PromisedPayment(**dict(said.promise)) if said.promise else None
    conversation = Conversation(
        attempt_id=said.attempt_id,
        kind=said.disposition,
        started_at=said.started_at,
        talk_seconds=said.talk_seconds,
        wrap_seconds=said.wrap_seconds,
        promise=promise,
        note=said.note,
        sub_reason=said.sub_reason,
        call_back=CallBack(**dict(said.call_back)) if said.call_back else None,
        support_desk=said.support_desk,
        text_support=said.text_support,
        answers=said.answers,
    )
    actor = _operator(service, caller, said.operator)
    try:
        record_disposition(service, actor, conversation, service.clock.now())
    except NotYours as error:
        raise HTTPException(409, str(error)) from None
    except Incomplete as error:
        raise HTTPException(422, str(error)) from None
    return Response(status_code=204)


@router.post("/calls", summary="受電の記録 / incoming calls")
def log_calls(
    request: Request,
    calls: Annotated[list[CallBody], Field(max_length=1000)],
    caller: Actor = Depends(telephone_system),
) -> dict[str, int]:
    """受電を通話記録に加える（知っているkeyは何も変えない） / add incoming calls to the call log; a
    key that is known changes nothing"""
    service = service_of(request)
    added = log_inbound(
        service,
        _operator(service, caller, "telephone-system"),
        [
            InboundCall(
                key=item.key,
                started_at=item.started_at,
                phone=item.from_,
                wait_seconds=item.wait_seconds,
                talk_seconds=item.talk_seconds,
                wrap_seconds=item.wrap_seconds,
                result=item.result,
                extension=item.extension,
            )
            for item in calls
        ],
        service.clock.now(),
    )
    return {"added": added}


def _operator(service: Service, caller: Actor, name: str) -> Actor:
    """The operator for whom the telephone system speaks; by which token is recorded too.

    An office's telephone system speaks for nobody whose account is another office's: it would be
    told whom they have open. A name without an account is believed.
    """
    account = accounts.find(service, name)
    offices = (EVERY_OFFICE, caller.office)
    if account and caller.office != EVERY_OFFICE and account.office not in offices:
        raise HTTPException(
            403,
            "ほかの課のオペレーターについては使えません / this token is not for another office's "
            "operators",
        )
    origin = f"{caller.name} {caller.origin}"
    return Actor(name, caller.role, caller.office, origin, caller.kinds)
