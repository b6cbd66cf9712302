"""People, and leaving them alone, for other systems of the office."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import BaseModel, Field, NonNegativeInt

from contact_service.domain.actors import Actor
from contact_service.domain.restrictions import RestrictionKind
from contact_service.identity.tokens import Scope
from contact_service.people import restricting
from contact_service.people.opening import OpenReason, open_person
from contact_service.people.person import Person, person
from contact_service.people.restricting import DECIDERS, Listed, Wanted
from contact_service.people.search import SEARCHERS, Summary, search
from contact_service.people.timeline import Entry, Place, timeline
from contact_service.web.api_base import api_router, may
from contact_service.web.api_pages import ApiPage, Asked
from contact_service.web.carrier import service_of

router = api_router("/api", "people")
READS = Depends(may(Scope.PEOPLE_READ, *SEARCHERS, contractors=False))
WRITES = Depends(may(Scope.PEOPLE_WRITE, *SEARCHERS, contractors=False))
LISTS = Depends(may(Scope.PEOPLE_READ, *restricting.READERS, contractors=False))
DECIDES = Depends(may(Scope.PEOPLE_WRITE, *DECIDERS))


Kind = Annotated[RestrictionKind | None, Query(description="この区分だけ / of this kind alone")]


class Searched(BaseModel):
    """Whom to look for: in the body, so that no name and no number stands in an address."""

    wanted: str = Field(max_length=200, description="a person code, a whole number or whole name")


class Opened(BaseModel):
    """Why somebody is opened; recorded."""

    reason: OpenReason
    note: str = Field(
        "", max_length=100,
        description="the number of a file alone, like 受付12, 決裁123 or R8-45; nothing else",
    )  # fmt: skip


class NewRestriction(BaseModel):
    """Whom to leave alone from now on."""

    kind: RestrictionKind
    code: str | None = Field(None, max_length=32, description="person code (宛名番号)")
    number: str | None = Field(None, max_length=40, description="a telephone number")
    claim_id: int | None = None
    ends_on: date | None = Field(None, description="the last day; null: until it is lifted")
    note: str = Field("", max_length=200)


class Reason(BaseModel):
    """Why."""

    reason: str = Field(min_length=1, max_length=200)


class Decision(BaseModel):
    """What the second person says."""

    lift: bool


class Made(BaseModel):
    """The number of what was made."""

    id: int


@router.post("/people/search", summary="納付者を探す / find people, masked")
def find(request: Request, body: Searched, asked: Asked, caller: Actor = READS) -> ApiPage[Summary]:
    """納付者を探す / find people, masked"""
    after = asked.after(int)
    found = search(service_of(request), caller, body.wanted, after[0] if after else 0, asked.limit)
    return asked.ended(list(found.people), (found.more,) if found.more else None)


@router.post("/people/{debtor_id}/open", status_code=204, summary="理由を記録して開く / open one")
def open_(request: Request, debtor_id: int, body: Opened, caller: Actor = READS) -> None:
    """理由を記録して開く / open one, with a reason that is written down"""
    open_person(service_of(request), caller, debtor_id, body.reason, body.note)


@router.get("/people/{debtor_id}", summary="開いた納付者 / a person who was opened")
def show(request: Request, debtor_id: int, caller: Actor = READS) -> Person:
    """開いた納付者 / a person who was opened"""
    return person(service_of(request), caller, debtor_id)


@router.get("/people/{debtor_id}/timeline", summary="これまでのすべて / everything so far")
def history(
    request: Request, debtor_id: int, asked: Asked, caller: Actor = READS
) -> ApiPage[Entry]:
    """これまでのすべて（新しい順） / everything so far, newest first"""
    after = asked.after(datetime, NonNegativeInt)
    begin = Place(after[0], after[1]) if after else None
    found = timeline(service_of(request), caller, debtor_id, begin, asked.limit)
    more = found.more
    return asked.ended(list(found.entries), (more.at, more.seen) if more else None)


@router.get("/restrictions", summary="連絡しない方・番号 / do not contact")
def listed(
    request: Request, asked: Asked, kind: Kind = None, caller: Actor = LISTS
) -> ApiPage[Listed]:
    """連絡しない方・番号（新しい順） / do not contact, newest first"""
    before = asked.after(int)
    rows, more = restricting.restrictions(
        service_of(request), caller, kind=kind, before=before[0] if before else None,
        most=asked.limit,
    )  # fmt: skip
    return asked.ended(list(rows), (more,) if more else None)


@router.post(
    "/restrictions/search", summary="一人・一つの番号の制限を探す / of one person or number"
)
def find_restrictions(
    request: Request, body: Searched, asked: Asked, caller: Actor = LISTS
) -> ApiPage[Listed]:
    """一人・一つの番号の制限（新しい順）。番号も氏名もアドレスには書かない / the restrictions of
    one person or number, newest first; neither stands in an address"""
    before = asked.after(int)
    rows, more = restricting.restrictions(
        service_of(request), caller, wanted=body.wanted, before=before[0] if before else None,
        most=asked.limit,
    )  # fmt: skip
    return asked.ended(list(rows), (more,) if more else None)


@router.get("/lifts", summary="解除の確認待ち / wishes to lift, undecided")
def lifts(request: Request, asked: Asked, caller: Actor = LISTS) -> ApiPage[Listed]:
    """解除の確認を待つ制限（古い順） / restrictions that somebody asked to lift, the oldest wish
    first"""
    after = asked.after(int)
    rows = restricting.to_decide(service_of(request), caller, after[0] if after else 0, asked.take)
    return asked.page(rows, lambda row: row, lambda row: (row.lift_id,))


@router.post("/restrictions", status_code=201, summary="いまから連絡しない / leave somebody alone")
def restrict(request: Request, body: NewRestriction, caller: Actor = WRITES) -> Made:
    """いまから連絡しない / leave somebody alone from now on"""
    return Made(id=restricting.restrict(service_of(request), caller, Wanted(**dict(body))))


@router.post("/restrictions/{restriction_id}/lift", status_code=201, summary="解除の依頼 / ask")
def ask_to_lift(
    request: Request, restriction_id: int, body: Reason, caller: Actor = WRITES
) -> Made:
    """解除の依頼 / ask a second person to lift it"""
    service = service_of(request)
    return Made(id=restricting.ask_to_lift(service, caller, restriction_id, body.reason))


@router.post("/lifts/{lift_id}", status_code=204, summary="解除の確認 / decide about lifting")
def decide(request: Request, lift_id: int, body: Decision, caller: Actor = DECIDES) -> None:
    """解除の確認（依頼した人とは別の人） / decide about lifting: somebody else than who asked"""
    restricting.decide_lift(service_of(request), caller, lift_id, lift=body.lift)
