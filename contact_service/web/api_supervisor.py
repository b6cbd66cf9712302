"""What a supervisor sees and decides, and what is going on, for other systems of the office."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Depends, HTTPException, Query, Request
from pydantic import BaseModel, Field

from contact_service.callcentre import (
    conversation,
    correcting,
    lifting,
    quality,
    reassigning,
    replies,
)
from contact_service.callcentre.call_backs import slots
from contact_service.callcentre.conversation import Read
from contact_service.callcentre.lifting import ToDecide
from contact_service.callcentre.quality import Sampled
from contact_service.callcentre.reassigning import Piece
from contact_service.callcentre.results import Shown, Wanted, Way, results
from contact_service.callcentre.wallboard import Wallboard, follow_up, wallboard
from contact_service.clock import TOKYO
from contact_service.dispatch.switches import switches
from contact_service.domain.actors import Actor, Role
from contact_service.domain.states import QualityMark
from contact_service.identity.tokens import Scope
from contact_service.planning import overview
from contact_service.planning.overview import Today
from contact_service.planning.preview import READERS
from contact_service.web.api_base import api_router, may
from contact_service.web.api_pages import ApiPage, Asked
from contact_service.web.carrier import service_of
from contact_service.web.desk_forms import Said

router = api_router("/api", "supervisor")
SUPERVISES = Depends(may(Scope.CENTRE, Role.SUPERVISOR))
SEES = Depends(may(Scope.CAMPAIGNS_READ, *READERS))


@dataclass(frozen=True, slots=True)
class Start:
    """What the first page says, as numbers."""

    runs: Sequence[UUID]
    """Under way, paused, or waiting for their day: each by ``/api/runs/{run_id}``."""
    today: Sequence[Today]
    stopped: Mapping[str, str]
    """What is stopped, and why."""
    unknown_outcomes: int


class Mark(BaseModel):
    """What is thought of a conversation."""

    mark: QualityMark
    remark: str = Field("", max_length=2000)


class Draw(BaseModel):
    """A sample to be drawn; the same seed draws the same one."""

    day: date
    per_operator: int = Field(ge=1, le=50)
    seed: str = Field(min_length=1, max_length=40)


class Decision(BaseModel):
    """Whether a restriction is lifted, or stays."""

    lift: bool


class Moved(BaseModel):
    """To whom; null: to anybody."""

    to: str | None = Field(None, max_length=40)


class MovedAll(Moved):
    """All calls back of one operator."""

    from_: str = Field(alias="from", max_length=40)


class ContactAgain(BaseModel):
    """Somebody who wanted no more contacts and now does; ``asked_by`` heard it."""

    number: str = Field(max_length=30)
    asked_by: str = Field(max_length=60)
    reason: str = Field(max_length=500)


class Count(BaseModel):
    """How many it was."""

    count: int


@router.get("/start", summary="今日 / what goes on now")
def start(request: Request, caller: Actor = SEES) -> Start:
    """今日 / what runs, what goes out today, what is stopped, what is undecided"""
    service = service_of(request)
    with service.engine.connect() as connection:
        return Start(
            overview.waiting_runs(connection, caller),
            overview.today(connection, caller, service.clock.now()),
            switches(connection),
            overview.undecided(connection, caller),
        )


@router.get("/centre", summary="架電センターの今 / the centre at a glance")
def centre(request: Request, caller: Actor = SUPERVISES) -> Wallboard:
    """架電センターの今 / the centre at a glance"""
    service = service_of(request)
    return wallboard(service, caller, service.clock.now())


@router.post("/centre/referrals/{referral_id}", status_code=204, summary="つないだ後 / followed up")
def followed_up(request: Request, referral_id: int, caller: Actor = SUPERVISES) -> None:
    """生活困窮の方のその後を確かめた / somebody in hardship was looked after"""
    service = service_of(request)
    if not follow_up(service, caller, referral_id, service.clock.now()):
        raise HTTPException(404, "この件はありません / there is no such referral")


@router.get("/centre/results", summary="結果 / results")
def all_results(
    request: Request,
    asked: Asked,
    first: date | None = None,
    last: date | None = None,
    operator: Annotated[str | None, Query(max_length=40)] = None,
    campaign: Annotated[str | None, Query(max_length=80)] = None,
    way: Way | None = None,
    caller: Actor = SUPERVISES,
) -> ApiPage[Shown]:
    """結果（新しい順。日を言わなければ今日） / results, newest first; today's unless said"""
    service = service_of(request)
    today = service.clock.now().astimezone(TOKYO).date()
    wanted = Wanted(first or last or today, last or first or today, operator, campaign, way)
    after = asked.after(int)
    begin = max(after[0], 0) if after else 0
    found = results(service, caller, wanted, {"limit": asked.take, "offset": begin})
    more = len(found.shown) > asked.limit
    return asked.ended(list(found.shown[: asked.limit]), (begin + asked.limit,) if more else None)


@router.get("/centre/results/{disposition_id}", summary="一つの会話 / one conversation")
def one(request: Request, disposition_id: int, caller: Actor = SUPERVISES) -> Read:
    """一つの会話（読んだことは記録される） / one conversation; that it was read is recorded"""
    service = service_of(request)
    try:
        return conversation.read(service, caller, disposition_id, service.clock.now())
    except correcting.MayNot as error:
        raise HTTPException(404, str(error)) from None


@router.post("/centre/results/{disposition_id}/correct", summary="結果の訂正 / correct a result")
def correct(request: Request, disposition_id: int, body: Said, caller: Actor = SUPERVISES) -> Read:
    """結果の訂正（元の結果は残る） / another result, and why; the old one is kept"""
    service = service_of(request)
    now = service.clock.now()
    read = conversation.read(service, caller, disposition_id, now)
    becomes = body.conversation(
        read.conversation_id, now, slots(service, read.conversation_id, now)
    )
    correcting.correct(service, caller, disposition_id, becomes, body.why, now)
    return conversation.read(service, caller, disposition_id, now)


@router.post("/centre/results/{disposition_id}/mark", status_code=204, summary="評価 / judge")
def mark(request: Request, disposition_id: int, body: Mark, caller: Actor = SUPERVISES) -> None:
    """会話の評価 / what is thought of a conversation"""
    service = service_of(request)
    now = service.clock.now()
    quality.review(service, caller, disposition_id, body.mark, body.remark, now)


@router.get("/centre/corrections", summary="解くか決めるもの / restrictions to decide about")
def to_decide(request: Request, caller: Actor = SUPERVISES) -> Sequence[ToDecide]:
    """訂正で不要になった制限 / restrictions that a corrected result had made"""
    return lifting.to_decide(service_of(request), caller)


@router.post("/centre/corrections/{correction_id}", status_code=204, summary="決める / decide")
def decide(
    request: Request, correction_id: int, body: Decision, caller: Actor = SUPERVISES
) -> None:
    """解くか、残すか（訂正した人とは別の人） / lift or keep: somebody else than who corrected"""
    service = service_of(request)
    lifting.decide(service, caller, correction_id, body.lift, service.clock.now())


@router.get("/centre/quality", summary="抜き出した会話 / a sample")
def sample(request: Request, day: date, caller: Actor = SUPERVISES) -> Sequence[Sampled]:
    """その日の抜き出した会話 / the sample of a day"""
    return quality.sample(service_of(request), caller, day)


@router.post("/centre/quality", summary="抜き出す / draw a sample")
def draw(request: Request, body: Draw, caller: Actor = SUPERVISES) -> Sequence[Sampled]:
    """会話を抜き出す / draw a sample"""
    service = service_of(request)
    now = service.clock.now()
    quality.draw(service, caller, body.day, body.per_operator, body.seed, now)
    return quality.sample(service, caller, body.day)


@router.get("/centre/work", summary="受け持ち / who has whom")
def work(request: Request, caller: Actor = SUPERVISES) -> Sequence[Piece]:
    """受け持ちとかけ直し / who is with whom, and who is to be called back by whom"""
    service = service_of(request)
    return reassigning.work(service, caller, service.clock.now())


@router.post("/centre/work/all", summary="すべて渡す / all calls back of one operator")
def all_of(request: Request, body: MovedAll, caller: Actor = SUPERVISES) -> Count:
    """一人のかけ直しをすべて渡す / all calls back of one operator go to another, or to anybody"""
    service = service_of(request)
    now = service.clock.now()
    return Count(count=reassigning.reassign_all(service, caller, body.from_, body.to, now))


@router.post("/centre/work/{piece}", status_code=204, summary="渡す / give one to somebody")
def give(request: Request, piece: UUID, body: Moved, caller: Actor = SUPERVISES) -> None:
    """かけ直しか一人を渡す / one call back, or one person on a desk"""
    service = service_of(request)
    reassigning.reassign(service, caller, piece, body.to, service.clock.now())


@router.post("/centre/contact-again", status_code=204, summary="連絡の再開 / contact again")
def contact_again(request: Request, body: ContactAgain, caller: Actor = SUPERVISES) -> None:
    """本人の申出で連絡を再開する / take an opt-out back because the person asked for it"""
    service = service_of(request)
    replies.contact_again(
        service, caller, body.number, body.asked_by, body.reason, service.clock.now()
    )
