"""Console pages. For now one: what runs, in counts, without anybody's name or number."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from contact_service.dispatch.switches import switches
from contact_service.domain.actors import Role
from contact_service.domain.life import MOVES, Action
from contact_service.domain.states import RunState
from contact_service.identity.sessions import Session
from contact_service.planning.progress import run_progress
from contact_service.web.carrier import service_of
from contact_service.web.locale import translatable
from contact_service.web.rendering import page
from contact_service.web.session import signed_in

router = APIRouter(include_in_schema=False)

CHANNEL_WORDS = {
    "sms": "SMS",
    "auto_call": translatable("オートコール"),
    "operator": translatable("オペレーター架電"),
    "letter": translatable("催告書"),
}
STATE_WORDS = {
    "scheduled": translatable("開始待ち"),
    "running": translatable("実施中"),
    "paused": translatable("一時停止"),
    "cancelled": translatable("中止"),
    "completed": translatable("完了"),
}
ACTION_WORDS = {
    Action.PAUSE: translatable("一時停止する"),
    Action.RESUME: translatable("再開する"),
    Action.STOP: translatable("中止する（元に戻せません）"),
}
WORKS_HERE = frozenset({
    Role.STAFF, Role.APPROVER, Role.OPERATOR, Role.SUPERVISOR, Role.ADMINISTRATOR,
})  # fmt: skip
LETS_GO_ON = frozenset({Role.APPROVER, Role.SUPERVISOR, Role.ADMINISTRATOR})


def offered(state: RunState, role: Role) -> list[Action]:
    """What somebody may do with a run in this state, in the order of the buttons."""
    return [
        action
        for action in ACTION_WORDS
        if state in MOVES[action].before
        and (role is Role.ADMINISTRATOR or role in MOVES[action].roles)
    ]


@router.get("/")
def start(request: Request, session: Session = Depends(signed_in)) -> Response:
    """What runs now."""
    return start_page(request, session)


def start_page(request: Request, session: Session, wrong: str = "") -> Response:
    """The same, with what was wrong with something that was tried there."""
    role = session.account.role
    with service_of(request).engine.connect() as connection:
        runs = run_progress(connection)
        stopped = switches(connection)
    return page(
        request,
        "start.html",
        422 if wrong else 200,
        wrong=wrong,
        may_stop=role in WORKS_HERE,
        may_lift=role in LETS_GO_ON,
        actions={run.run_id: offered(RunState(run.state), role) for run in runs},
        action_words=ACTION_WORDS,
        runs=runs,
        stopped=stopped,
        channel_words=CHANNEL_WORDS,
        state_words=STATE_WORDS,
    )
