"""What a supervisor sees and decides, and what is going on, for other systems of the office."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, HTTPException, Query, Request
from pydantic import BaseModel, Field

from campaigns.vocabulary import Outcome
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
from contact_service.domain.actors import Actor, Role
from contact_service.domain.states import DispositionKind, QualityMark
from contact_service.evaluation.staffing.forecast import Forecast
from contact_service.identity.tokens import Scope
from contact_service.web.api_base import api_router, may
from contact_service.web.api_pages import ApiPage, Asked, PageAsked
from contact_service.web.carrier import service_of
from contact_service.web.centre import forecast_of_today
from contact_service.web.desk_forms import Said
from contact_service.web.staffing import COUNTING

router = api_router("/api", "supervisor")
SUPERVISES = Depends(may(Scope.CENTRE, Role.SUPERVISOR))
EARLIEST = datetime(1, 1, 2, tzinfo=TOKYO)
#: Pieces of work that one list holds at most.
MOST_WORK = 10_000


class Results(ApiPage[Shown]):
    """Some results, and how often each there is in all that fit."""

    counts: dict[DispositionKind | Outcome, int]
    total: int


class Operator(BaseModel):
    """Somebody who can be given work."""

    name: str


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


@router.get("/centre", summary="架電センターの今 / the centre at a glance")
def centre(request: Request, caller: Actor = SUPERVISES) -> Wallboard:
    """架電センターの今 / the centre at a glance"""
    service = service_of(request)
    return wallboard(service, caller, service.clock.now())


@router.get("/centre/forecast", summary="今日の見込み / what today is expected to be like")
def expected(request: Request, caller: Actor = SUPERVISES) -> Forecast | None:
    """今日の受電の見込みと実績（記録が足りない日、休みの日は null） / today's calls as they were to
    be expected, beside those that came; null without a record to learn from, and on days off"""
    service = service_of(request)
    found, counting = forecast_of_today(service, service.clock.now())
    if counting:  # for somebody else who asked
        raise HTTPException(503, COUNTING, {"Retry-After": "5"})
    return found


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
    first: Annotated[
        date | None,
        Query(description="この日から（省くと今日） / from this day on; left out: today"),
    ] = None,
    last: Annotated[date | None, Query(description="この日まで / up to this day, included")] = None,
    operator: Annotated[
        str | None, Query(max_length=40, description="話した人 / who spoke")
    ] = None,
    campaign: Annotated[
        str | None, Query(max_length=80, description="計画のキー / a campaign's key")
    ] = None,
    way: Annotated[Way | None, Query(description="どの手段で / how the contact came about")] = None,
    result: Annotated[
        DispositionKind | Outcome | None, Query(description="結果 / what came of it")
    ] = None,
    caller: Actor = SUPERVISES,
) -> Results:
    """結果（新しい順。日を言わなければ今日） / results, newest first; today's unless said"""
    service = service_of(request)
    today = service.clock.now().astimezone(TOKYO).date()
    days = first or last or today, last or first or today
    wanted = Wanted(*days, operator, campaign, way, result)
    after = asked.after(datetime, int, UUID | None)
    found = results(
        service, caller, wanted, {"limit": asked.take, "offset": 0},
        (after[0], after[1], after[2]) if after else None,
    )  # fmt: skip
    page = asked.page(
        found.shown,
        lambda row: row,
        lambda row: (row.at, row.disposition_id or 0, row.attempt_id),
    )
    return Results(items=page.items, next=page.next, counts=dict(found.counts), total=found.total)


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
def to_decide(request: Request, asked: Asked, caller: Actor = SUPERVISES) -> ApiPage[ToDecide]:
    """訂正で不要になった制限（古い順） / restrictions that a corrected result had made, oldest
    first"""
    after = asked.after(int)
    rows = lifting.to_decide(service_of(request), caller, after[0] if after else 0, asked.take)
    return asked.page(rows, lambda row: row, lambda row: (row.id,))


@router.post("/centre/corrections/{correction_id}", status_code=204, summary="決める / decide")
def decide(
    request: Request, correction_id: int, body: Decision, caller: Actor = SUPERVISES
) -> None:
    """解くか、残すか（訂正した人とは別の人） / lift or keep: somebody else than who corrected"""
    service = service_of(request)
    lifting.decide(service, caller, correction_id, body.lift, service.clock.now())


@router.get("/centre/quality", summary="抜き出した会話 / a sample")
def sample(
    request: Request,
    day: Annotated[date, Query(description="どの日の会話か / whose conversations")],
    asked: Asked,
    caller: Actor = SUPERVISES,
) -> ApiPage[Sampled]:
    """その日の抜き出した会話（オペレーターの順） / the sample of a day, by operator"""
    return _sampled(request, asked, day, caller)


@router.post("/centre/quality", summary="抜き出す / draw a sample")
def draw(
    request: Request, body: Draw, asked: Asked, caller: Actor = SUPERVISES
) -> ApiPage[Sampled]:
    """会話を抜き出す / draw a sample"""
    service = service_of(request)
    now = service.clock.now()
    quality.draw(service, caller, body.day, body.per_operator, body.seed, now)
    return _sampled(request, asked, body.day, caller)


def _sampled(request: Request, asked: PageAsked, day: date, caller: Actor) -> ApiPage[Sampled]:
    found = quality.sample(service_of(request), caller, day)
    return asked.listed(
        found, lambda one: (one.operator, one.at, one.disposition_id), str, datetime, int
    )


@router.get("/centre/work", summary="受け持ち / who has whom")
def work(request: Request, asked: Asked, caller: Actor = SUPERVISES) -> ApiPage[Piece]:
    """受け持ち（机にある方が先）とかけ直し（時刻の順） / who is with whom, open on a desk first,
    and who is to be called back, by time"""
    service = service_of(request)
    found = reassigning.work(service, caller, service.clock.now(), MOST_WORK)
    return asked.listed(
        found, lambda one: (not one.taken, one.due_at or EARLIEST, one.id), bool, datetime, UUID
    )


@router.get("/centre/operators", summary="渡せる人 / who can be given work")
def operators(request: Request, asked: Asked, caller: Actor = SUPERVISES) -> ApiPage[Operator]:
    """かけ直しや受け持ちを渡せる人（名前の順） / who can be given work, by name"""
    found = [Operator(name=name) for name in reassigning.operators(service_of(request), caller)]
    return asked.listed(found, lambda one: (one.name,), str)


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
    """本人の申出による連絡の再開を頼む。別の人が `/lifts` で確かめる / ask to take an opt-out back
    because the person asked for it; somebody else decides, by `/lifts`"""
    replies.contact_again(service_of(request), caller, body.number, body.asked_by, body.reason)
