"""The life of a campaign: a closed machine of states and the actions that lead between them.

A *version* of a definition is drafted, submitted and approved; it never changes. A *run* of an
approved version is scheduled, runs, is paused, and ends completed or cancelled. An approval is for
one run: for another, the version is submitted and approved again. ::

    draft → submitted ⇄ approved ──→ scheduled → running ⇄ paused
      ↑ returned ↓                       └→ cancelled ←┴───┤
      └──────────┘                                         └→ completed

Everything that may happen is a row of :data:`MOVES`; what is not there cannot happen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from contact_service.domain.actors import Role
from contact_service.domain.states import RunState, VersionState

State = VersionState | RunState


class Action(StrEnum):
    """What somebody, or the service itself, does with a version or a run."""

    DRAFT = "draft"
    SUBMIT = "submit"
    SEND_BACK = "send_back"  # 差戻し
    APPROVE = "approve"
    WITHDRAW = "withdraw"  # 取下げ
    SCHEDULE = "schedule"
    START = "start"
    REFUSE = "refuse"  # what went stale is not started
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    COMPLETE = "complete"


class CannotDo(Exception):
    """What was asked does not fit the state that things are in."""


@dataclass(frozen=True, slots=True)
class Move:
    """From which states an action leads where, and who may do it (empty: the service alone).

    ``None`` among ``before`` stands for what is not there yet."""

    ja: str
    before: tuple[State | None, ...]
    after: State
    roles: tuple[Role, ...] = ()


_ANYBODY_HERE = (Role.STAFF, Role.APPROVER, Role.SUPERVISOR)
_PLANNERS = (Role.STAFF, Role.APPROVER)
_NOT_OVER = (RunState.SCHEDULED, RunState.RUNNING, RunState.PAUSED)

MOVES: Mapping[Action, Move] = {
    Action.DRAFT: Move("下書き", (None, VersionState.WITHDRAWN), VersionState.DRAFT, (Role.STAFF,)),
    Action.SUBMIT: Move(
        "提出",
        (VersionState.DRAFT, VersionState.APPROVED),
        VersionState.SUBMITTED,
        (Role.STAFF,),
    ),
    Action.SEND_BACK: Move("差戻し", (VersionState.SUBMITTED,), VersionState.DRAFT, _PLANNERS),
    Action.APPROVE: Move(
        "承認", (VersionState.SUBMITTED,), VersionState.APPROVED, (Role.APPROVER,)
    ),
    Action.WITHDRAW: Move(
        "取下げ",
        (VersionState.DRAFT, VersionState.SUBMITTED, VersionState.APPROVED),
        VersionState.WITHDRAWN,
        _PLANNERS,
    ),
    Action.SCHEDULE: Move("日程登録", (None,), RunState.SCHEDULED, _PLANNERS),
    Action.START: Move("開始", (RunState.SCHEDULED,), RunState.RUNNING, (Role.APPROVER,)),
    Action.REFUSE: Move("開始見送り", (RunState.SCHEDULED,), RunState.CANCELLED),
    Action.PAUSE: Move("一時停止", (RunState.RUNNING,), RunState.PAUSED, _ANYBODY_HERE),
    Action.RESUME: Move("再開", (RunState.PAUSED,), RunState.RUNNING, _PLANNERS),
    Action.STOP: Move("中止", _NOT_OVER, RunState.CANCELLED, _ANYBODY_HERE),
    Action.COMPLETE: Move("完了", (RunState.RUNNING,), RunState.COMPLETED),
}

STATE_JA: Mapping[State, str] = {
    VersionState.DRAFT: "下書き",
    VersionState.SUBMITTED: "承認待ち",
    VersionState.APPROVED: "承認済",
    VersionState.WITHDRAWN: "取下げ",
    RunState.SCHEDULED: "開始待ち",
    RunState.RUNNING: "実施中",
    RunState.PAUSED: "一時停止",
    RunState.COMPLETED: "完了",
    RunState.CANCELLED: "中止",
}


def leads_to(action: Action, state: State | None) -> State:
    """Where ``action`` leads from ``state``. Raises :class:`CannotDo`."""
    move = MOVES[action]
    if state not in move.before:
        now = "まだない状態" if state is None else f"「{STATE_JA[state]}」"
        raise CannotDo(
            f"現在{now}のため、{move.ja}はできません / it is {state or 'not there'}: "
            f"{action} is not possible"
        )
    return move.after
