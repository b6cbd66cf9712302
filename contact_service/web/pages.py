"""Console pages. For now one: what runs, in counts, without anybody's name or number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import Connection

from contact_service.dispatch.switches import switches
from contact_service.domain.actors import Actor, Role, allowed
from contact_service.domain.life import MOVES, Action
from contact_service.domain.states import RunState
from contact_service.identity.sessions import Session
from contact_service.planning import overview
from contact_service.planning.preview import READERS
from contact_service.planning.progress import run_progress
from contact_service.web.carrier import service_of
from contact_service.web.locale import translatable
from contact_service.web.rendering import page
from contact_service.web.session import signed_in

router = APIRouter(include_in_schema=False)

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
    actor, role, service = session.account.actor, session.account.role, service_of(request)
    now = service.clock.now()
    with service.engine.connect() as connection:
        shown = overview.waiting_runs(connection, actor)
        uncounted = overview.large(connection)
        runs = [] if uncounted else run_progress(connection, shown)
        stopped = switches(connection)
        today = overview.today(connection, actor, now)
        needs = _needs(connection, actor, now, stopped)
        listed = overview.lines(connection, shown)
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
        listed=listed if uncounted else [],
        today=today,
        needs=needs,
        reads=allowed(role, READERS),
        stopped=stopped,
        state_words=STATE_WORDS,
    )


#: What may wait for somebody: words, and where to go.
NEEDS = {
    "approvals": (translatable("あなたの承認を待つ計画"), "/campaigns"),
    "drafts": (translatable("あなたの書きかけ"), "/campaigns"),
    "unknown_outcomes": (translatable("届いたか不明の連絡"), "/unknown"),
    "rejected_rows": (translatable("取り込めなかった行（この31日）"), "/files"),
    "stopped_providers": (translatable("止まっている事業者"), "/providers"),
}


def _needs(
    connection: Connection, actor: Actor, now: datetime, stopped: Mapping[str, str]
) -> list[tuple[str, int, str]]:
    """What waits for whoever looks: words, how many, and where to go."""
    found = asdict(overview.needs(connection, actor, now, stopped))
    return [
        (words, found[name], where)
        for name, (words, where) in NEEDS.items()
        if found[name] is not None
    ]
