"""Campaigns: the list, one campaign, one version; approving and scheduling."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import (
    APIRouter,
    BackgroundTasks,
    Depends,
    Form,
    HTTPException,
    Path,
    Query,
    Request,
    Response,
)
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from campaigns.explain import explain
from campaigns.messages import office_values
from campaigns.phrases import Lang
from campaigns.vocabulary import Language
from contact_service.dispatch import own_texts
from contact_service.domain.actors import Actor, NotAllowed, Role
from contact_service.domain.dates import ImpossibleDate, NotADate, parse_date
from contact_service.domain.life import MOVES, Action, CannotDo
from contact_service.domain.states import AttemptState, RunState, VersionState
from contact_service.identity.sessions import Session
from contact_service.planning import drafts, overview, runs, versions
from contact_service.planning.definitions import definition_of_version
from contact_service.planning.preview import first_open_day
from contact_service.planning.transitions import transitions
from contact_service.web import run_now
from contact_service.web.carrier import service_of
from contact_service.web.locale import language_of, translatable
from contact_service.web.paging import LAST, limits, paged
from contact_service.web.rendering import page
from contact_service.web.session import may, own_form

router = APIRouter(include_in_schema=False, prefix="/campaigns")
FORMS = [Depends(own_form)]
reads = may(Role.STAFF, Role.APPROVER, Role.SUPERVISOR, Role.EVALUATOR)
plans = may(Role.STAFF, Role.APPROVER)
writes = may(Role.STAFF)

Key = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Number = Annotated[int, Path(ge=1, le=1_000_000)]

STATE_WORDS = {
    VersionState.DRAFT: translatable("差戻し・下書き"),
    VersionState.SUBMITTED: translatable("承認待ち"),
    VersionState.APPROVED: translatable("承認済"),
    VersionState.WITHDRAWN: translatable("取下げ"),
    RunState.SCHEDULED: translatable("開始待ち"),
    RunState.RUNNING: translatable("実施中"),
    RunState.PAUSED: translatable("一時停止"),
    RunState.COMPLETED: translatable("完了"),
    RunState.CANCELLED: translatable("中止"),
}
ACTION_WORDS = {
    Action.DRAFT: translatable("下書き"),
    Action.SUBMIT: translatable("提出"),
    Action.SEND_BACK: translatable("差戻し"),
    Action.APPROVE: translatable("承認"),
    Action.WITHDRAW: translatable("取下げ"),
    Action.SCHEDULE: translatable("日程登録"),
    Action.START: translatable("開始"),
    Action.REFUSE: translatable("開始見送り"),
    Action.PAUSE: translatable("一時停止"),
    Action.RESUME: translatable("再開"),
    Action.STOP: translatable("中止"),
    Action.COMPLETE: translatable("完了"),
}
#: What became of a text to one's own telephone.
TEST_WORDS = {
    AttemptState.PLANNED: translatable("送信を待っています"),
    AttemptState.LEASED: translatable("事業者に渡しています"),
    AttemptState.ACCEPTED: translatable("事業者に渡しました"),
    AttemptState.FINISHED: translatable("事業者が受け付けませんでした"),
    AttemptState.UNKNOWN: translatable("渡ったか不明です。もう一度は送りません"),
    AttemptState.SKIPPED: translatable("見送りました"),
}
UNDER_WAY = frozenset({RunState.RUNNING, RunState.PAUSED})


NOT_THERE = (
    "この計画はありません。一覧から選び直してください / there is no such campaign: choose one"
)
NO_DAY = "開始日は 2026-10-26 の形で書いてください / write the first day as 2026-10-26"


class Decision(StrEnum):
    """What may be decided about a version, as addresses have it."""

    APPROVE = "approve"
    SEND_BACK = "send-back"
    WITHDRAW = "withdraw"


@router.get("")
def show_list(
    request: Request,
    background: BackgroundTasks,
    session: Session = Depends(reads),
    page_number: int = Query(1, alias="page", ge=1, le=LAST),
) -> Response:
    """All campaigns, what is being written, and what waits for a second person."""
    service, actor = service_of(request), session.account.actor
    with service.engine.connect() as connection:
        found = paged(overview.campaigns(connection, actor, **limits(page_number)), page_number)
        under_way = [
            each.run_id for each in found.rows if each.run_id and each.run_state in UNDER_WAY
        ]
        large = overview.large(connection)
        counted: Mapping[UUID, overview.Counts | None] = (
            {} if large else overview.counts(connection, under_way, service.clock.now())
        )
        written, waiting = drafts.drafts(connection, actor), versions.waiting(connection, actor)
    if large:
        counted = {run: run_now.progress(service, background, run).counts for run in under_way}
    answer = page(
        request, "campaigns.html", found=found, counted=counted, drafts=written, waiting=waiting,
        state_words=STATE_WORDS, may_write=allowed(session, Role.STAFF),
    )  # fmt: skip
    answer.background = background
    return answer


@router.get("/{key}")
def show(request: Request, key: Key, session: Session = Depends(reads)) -> Response:
    """One campaign: its versions, its runs, and who did what with it."""
    with service_of(request).engine.connect() as connection:
        found = versions.versions_of(connection, session.account.actor, key)
        if not found:
            raise HTTPException(404, NOT_THERE)
        known = overview.runs_of(connection, key)
        kept = transitions(connection, key)
        purpose = definition_of_version(connection, found[0].id).purpose
    return page(
        request, "campaign.html", versions=found, runs=known, kept=kept[::-1][:100],
        purpose=purpose, state_words=STATE_WORDS, action_words=ACTION_WORDS,
        may_write=allowed(session, Role.STAFF),
    )  # fmt: skip


@router.get("/{key}/versions/{number}")
def show_version(
    request: Request, key: Key, number: Number, session: Session = Depends(reads)
) -> Response:
    """One version: what it does, what is different in it, and what may be done with it."""
    return version_page(request, session, key, number)


def version_page(
    request: Request, session: Session, key: str, number: int, wrong: str = "", day: str = ""
) -> Response:
    """The same, with what was wrong with something that was tried there."""
    service = service_of(request)
    office = office_values(service.settings.office_name, service.settings.office_phone)
    lang: Lang = "ja" if language_of(request) == "ja" else "en"
    with service.engine.connect() as connection:
        version = find_version(connection, session.account.actor, key, number)
        shown = versions.for_approval(connection, version, lang, office)
        definition = definition_of_version(connection, version.id)
        text = versions.text_of(connection, version.id)
        kept = [
            each for each in transitions(connection, key)
            if each.version == number and each.run_id is None
        ]  # fmt: skip
        tests = own_texts.latest(connection, session.account.actor)
        mine = _had_a_hand(connection, session.account.actor, version.id)
        used = versions.approval_used(connection, version.id)
    usual = first_open_day(definition, service.clock.now().date())
    role = session.account.role
    return page(
        request, "version.html", 422 if wrong else 200, wrong=wrong, version=version, shown=shown,
        explained=explain(definition, lang, office), text=text, kept=kept[::-1], mine=mine,
        offered={
            action for action in versions.DECISIONS
            if version.state in MOVES[action].before and allowed(session, *MOVES[action].roles)
        },
        used=used, may_submit_again=used and version.state is VersionState.APPROVED
        and allowed(session, *MOVES[Action.SUBMIT].roles),
        may_schedule=version.state is VersionState.APPROVED and not used
        and allowed(session, *MOVES[Action.SCHEDULE].roles),
        messages=own_texts.messages_of(definition) if allowed(session, *own_texts.ASKERS) else {},
        tests=tests, test_words=TEST_WORDS,
        may_write=allowed(session, Role.STAFF), role=role, state_words=STATE_WORDS,
        action_words=ACTION_WORDS, day=day or usual.isoformat(),
    )  # fmt: skip


@router.post("/{key}/versions/{number}/schedule", dependencies=FORMS)
def schedule(
    request: Request,
    key: Key,
    number: Number,
    session: Session = Depends(plans),
    day: str = Form("", max_length=20),
) -> Response:
    """Onto the calendar."""
    service = service_of(request)
    try:
        first = parse_date(day)
        with service.engine.connect() as connection:
            version = find_version(connection, session.account.actor, key, number)
        planned = runs.schedule(
            service.engine, session.account.actor, version.id, first, service.clock.now()
        )
    except (NotADate, ImpossibleDate):
        return version_page(request, session, key, number, wrong=NO_DAY, day=day)
    except (CannotDo, NotAllowed) as error:
        return version_page(request, session, key, number, wrong=str(error), day=day)
    return RedirectResponse(f"/runs/{planned.run_id}", 303)


@router.post("/{key}/versions/{number}/submit-again", dependencies=FORMS)
def submit_again(
    request: Request, key: Key, number: Number, session: Session = Depends(writes)
) -> Response:
    """For another run, another approval."""
    service, actor = service_of(request), session.account.actor
    try:
        with service.engine.connect() as connection:
            version = find_version(connection, actor, key, number)
        versions.submit_again(service.engine, actor, version.id, service.clock.now())
    except (CannotDo, NotAllowed) as error:
        return version_page(request, session, key, number, wrong=str(error))
    return RedirectResponse(f"/campaigns/{key}/versions/{number}", 303)


@router.post("/{key}/versions/{number}/test", dependencies=FORMS)
def test_send(
    request: Request,
    key: Key,
    number: Number,
    session: Session = Depends(plans),
    what: str = Form("", max_length=100),
    to: str = Form("", max_length=30),
    again: str = Form("", max_length=30),
) -> Response:
    """A message to one's own telephone, to see how it arrives."""
    service = service_of(request)
    message, _, language = what.partition("/")
    try:
        with service.engine.connect() as connection:
            version = find_version(connection, session.account.actor, key, number)
        own_texts.ask(
            service, session.account.actor, version.id, message,
            Language(language) if language in list(Language) else Language.JA, to, again,
            service.clock.now(),
        )  # fmt: skip
    except (CannotDo, NotAllowed) as error:
        return version_page(request, session, key, number, wrong=str(error))
    return RedirectResponse(f"/campaigns/{key}/versions/{number}#test", 303)


@router.post("/{key}/versions/{number}/{decision}", dependencies=FORMS)
def decide(
    request: Request,
    key: Key,
    number: Number,
    decision: Decision,
    session: Session = Depends(plans),
    reason: str = Form("", max_length=200),
) -> Response:
    """The second person says yes, or wants something else first; or nobody wants it any more."""
    service = service_of(request)
    do = versions.DECISIONS[Action[decision.name]]
    try:
        with service.engine.connect() as connection:
            version = find_version(connection, session.account.actor, key, number)
        do(service.engine, session.account.actor, version.id, service.clock.now(), reason.strip())
    except (CannotDo, NotAllowed) as error:
        return version_page(request, session, key, number, wrong=str(error))
    return RedirectResponse(f"/campaigns/{key}/versions/{number}", 303)


def find_version(connection: Connection, actor: Actor, key: str, number: int) -> versions.Version:
    try:
        return versions.find(connection, actor, f"{key}@{number}")
    except CannotDo:
        raise HTTPException(404, NOT_THERE) from None


def allowed(session: Session, *roles: Role) -> bool:
    return session.account.role in (*roles, Role.ADMINISTRATOR)


def _had_a_hand(connection: Connection, actor: Actor, version_id: int) -> bool:
    """Whether somebody else has to approve."""
    try:
        versions.must_be_another(connection, Actor(actor.name, Role.APPROVER), version_id)
    except NotAllowed:
        return True
    return False
