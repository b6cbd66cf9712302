"""People: found by number, name or code, masked until opened with a reason; their timeline; and
leaving them alone."""

from __future__ import annotations

from datetime import date, datetime

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from contact_service.domain.actors import NotAllowed
from contact_service.domain.references import NoReference
from contact_service.domain.restrictions import BY_KIND, RULES, Reach, RestrictionKind
from contact_service.identity.sessions import Session
from contact_service.people.opening import (
    OPEN_FOR,
    OPEN_REASON_EN,
    OPEN_REASON_JA,
    NoPerson,
    NotOpened,
    OpenReason,
    open_person,
)
from contact_service.people.person import person
from contact_service.people.restricting import CannotRestrict, Wanted, restrict
from contact_service.people.search import SEARCHERS, Found, masked, search
from contact_service.people.timeline import Place, timeline
from contact_service.web.carrier import service_of
from contact_service.web.desk import dialled_as
from contact_service.web.locale import language_of, translatable
from contact_service.web.rendering import page
from contact_service.web.session import may, own_form

router = APIRouter(include_in_schema=False, prefix="/people")
looks_people_up = may(*SEARCHERS, contractors=False)
FORMS = [Depends(own_form)]

#: How far a reason reaches, as whoever chooses one must know it.
REACH_WORDS = {
    Reach.DEBTOR: translatable("この方への連絡をすべて止める"),
    Reach.HOUSEHOLD: translatable("この方と、世帯・電話を共にする方への連絡をすべて止める"),
    Reach.CLAIM: translatable("債権についての連絡を止める"),
    Reach.PHONE: translatable("この番号への連絡を止める"),
}
ORIGIN_WORDS = {
    "file": translatable("ファイル"),
    "files": translatable("いくつかの課のファイル"),
    "resident": translatable("本人の申出"),
    "operator": translatable("オペレーター"),
    "carrier": translatable("事業者の報告"),
    "staff": translatable("画面での登録"),
}
NUMBER_WORDS = {
    "mobile": translatable("携帯"),
    "fixed": translatable("固定"),
    "ip": translatable("IP電話"),
    "other": translatable("その他"),
}
FILE_WORDS = {
    "claims": translatable("滞納一覧"),
    "payments": translatable("収納データ"),
    "restrictions": translatable("交渉制限"),
    "calls": translatable("通話記録"),
}
CLASS_WORDS = {
    "compulsory_public": translatable("強制徴収公債権"),
    "other_public": translatable("非強制徴収公債権"),
    "private": translatable("私債権"),
}
CALL_WORDS = {
    "talked": translatable("通話"),
    "absent": translatable("不在"),
    "busy": translatable("話中"),
    "voicemail": translatable("留守電"),
    "wrong_number": translatable("番号違い"),
    "complaint": translatable("苦情"),
    "abandoned": translatable("放棄"),
    "other": translatable("その他"),
}
#: An attempt that has no outcome yet.
STATE_WORDS = {
    "planned": translatable("予定"),
    "leased": translatable("送信中"),
    "accepted": translatable("事業者が受付・結果待ち"),
    "unknown": translatable("届いたか不明"),
    "skipped": translatable("見送り"),
    "finished": translatable("済"),
}


def reaches() -> list[tuple[str, list[RestrictionKind]]]:
    """The kinds of restriction, by how far they reach."""
    return [
        (words, [rule.kind for rule in RULES if rule.reach is reach])
        for reach, words in REACH_WORDS.items()
    ]


@router.get("")
def ask(request: Request, session: Session = Depends(looks_people_up)) -> Response:
    """Whom to look for."""
    return _results(request, "", None)


@router.post("", dependencies=FORMS)
def find(
    request: Request,
    session: Session = Depends(looks_people_up),
    wanted: str = Form("", max_length=200),
    after: int = Form(0, ge=0),
) -> Response:
    """Who it may be. By a form, so that no name and no number stands in an address."""
    if not wanted.strip():
        return _results(request, "", None, wrong=True)
    try:
        found = search(service_of(request), session.account.actor, wanted, after)
    except NotAllowed as error:
        return _results(request, wanted, None, wrong=str(error))
    return _results(request, wanted, found)


@router.get("/{debtor_id}")
def show(
    request: Request,
    debtor_id: int,
    session: Session = Depends(looks_people_up),
    before: datetime | None = Query(None),
    seen: int = Query(0, ge=0, le=10_000),
) -> Response:
    """One person: masked, or opened."""
    return _person(request, session, debtor_id, begin=Place(before, seen) if before else None)


@router.post("/{debtor_id}/open", dependencies=FORMS)
def open_(
    request: Request,
    debtor_id: int,
    session: Session = Depends(looks_people_up),
    reason: OpenReason | None = Form(None),
    note: str = Form("", max_length=100),
) -> Response:
    """See who it is, for a reason that is written down."""
    if reason is None:
        return _person(
            request, session, debtor_id,
            wrong="開く理由を選んでください。監査記録に残ります / choose why you open this person",
        )  # fmt: skip
    try:
        open_person(service_of(request), session.account.actor, debtor_id, reason, note)
    except NoReference as error:
        return _person(request, session, debtor_id, wrong=str(error))
    except NoPerson as error:
        return _gone(request, str(error))
    return RedirectResponse(f"/people/{debtor_id}", 303)


@router.post("/{debtor_id}/restrictions", dependencies=FORMS)
def leave_alone(
    request: Request,
    debtor_id: int,
    session: Session = Depends(looks_people_up),
    kind: RestrictionKind | None = Form(None),
    number: int = Form(0),
    claim: int = Form(0),
    ends_on: str = Form("", max_length=10),
    note: str = Form("", max_length=200),
) -> Response:
    """Leave this person, one of their numbers, or one of their claims alone from now on."""
    service, actor = service_of(request), session.account.actor
    if kind is None:
        return _person(
            request, session, debtor_id,
            wrong="何の制限かを選んでください / choose what kind of restriction it is",
        )  # fmt: skip
    try:
        them = person(service, actor, debtor_id)
        reach = BY_KIND[kind].reach
        chosen = number if reach is Reach.PHONE else None
        e164 = next((item.e164 for item in them.numbers if item.id == chosen), None)
        of = claim if claim and reach is Reach.CLAIM else None
        restrict(service, actor, Wanted(kind, them.code, e164, of, day_of(ends_on), note))
    except (CannotRestrict, NotOpened, NotAllowed) as error:
        return _person(request, session, debtor_id, wrong=str(error))
    except NoPerson as error:
        return _gone(request, str(error))
    return RedirectResponse(f"/people/{debtor_id}?done=restricted", 303)


def day_of(said: str) -> date | None:
    """The day in a form's field; ``None``: empty. Raises :class:`CannotRestrict`."""
    try:
        return date.fromisoformat(said) if said else None
    except ValueError:
        raise CannotRestrict(
            "日付を 2027-03-31 の形で入れてください / write the day like 2027-03-31"
        ) from None


def _results(
    request: Request, wanted: str, found: Found | None, wrong: bool | str = False
) -> Response:
    """``wrong``: why it was not looked for; ``True``: nothing was given."""
    status = 422 if wrong else 200
    return page(request, "people.html", status, wanted=wanted, found=found, wrong=wrong, gone="")


def _person(
    request: Request,
    session: Session,
    debtor_id: int,
    begin: Place | None = None,
    wrong: str = "",
) -> Response:
    service, actor = service_of(request), session.account.actor
    status = 422 if wrong else 200
    reasons = OPEN_REASON_JA if language_of(request) == "ja" else OPEN_REASON_EN
    try:
        them = person(service, actor, debtor_id)
    except NoPerson as error:
        return _gone(request, str(error))
    except NotOpened:
        return page(
            request, "person_masked.html", status, person=masked(service, actor, debtor_id),
            reasons=reasons, wrong=wrong, minutes=OPEN_FOR.seconds // 60,
        )  # fmt: skip
    return page(
        request,
        "person.html",
        status,
        person=them,
        timeline=timeline(service, actor, debtor_id, begin),
        before=begin,
        reasons=reasons,
        reaches=reaches(),
        wrong=wrong,
        done=request.query_params.get("done", ""),
        origin_words=ORIGIN_WORDS,
        number_words=NUMBER_WORDS,
        file_words=FILE_WORDS,
        class_words=CLASS_WORDS,
        call_words=CALL_WORDS,
        attempt_words=STATE_WORDS,
        dialled_as=dialled_as,
    )


def _gone(request: Request, reason: str) -> Response:
    return page(request, "people.html", 404, wanted="", found=None, wrong=False, gone=reason)
