"""Starting what is due: scheduled runs go out on their first day, in their hours, or are refused.

What went stale between approval and its day is not started but cancelled, with the reason in
words: staff look, and schedule it again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Connection, Engine, Row, text

from campaigns.faults import DefinitionErrors
from campaigns.parse import parse
from contact_service import logs
from contact_service.clock import TOKYO
from contact_service.domain.actors import SYSTEM
from contact_service.domain.life import Action, CannotDo
from contact_service.domain.states import VersionState
from contact_service.domain.windows import is_open
from contact_service.planning.definitions import definition_of_version
from contact_service.planning.runs import start_in
from contact_service.planning.schedule import DoesNotFit
from contact_service.planning.transitions import move_run

Found: TypeAlias = Row[Any]

log = logs.log(__name__)

#: Core systems hand over claims monthly: after two months without a file, who owes what is
#: guesswork.
LEDGER_MOST_DAYS = 62


def start_due(
    engine: Engine,
    now: datetime,
    live_providers: Collection[str],
    call_backs: float | None = None,
) -> list[UUID]:
    """Start every approved run whose day has come and whose hours are open; refuse what went
    stale. ``call_backs`` as in ``freezing.freeze``. Returns what was started."""
    with engine.connect() as connection:
        due = connection.scalars(
            text("""
            SELECT id FROM run WHERE state = 'scheduled' AND starts_at <= :now
            ORDER BY starts_at, planned_at, id
            """),
            {"now": now},
        ).all()
    return [run_id for run_id in due if _start(engine, run_id, now, live_providers, call_backs)]


def _start(
    engine: Engine,
    run_id: UUID,
    now: datetime,
    live_providers: Collection[str],
    call_backs: float | None,
) -> bool:
    try:
        with engine.begin() as connection:
            found = _locked(connection, run_id)
            if found is None:
                return False  # another process has it
            if reason := _stale(connection, found, now):
                _refuse(connection, run_id, now, reason)
                return False
            definition = definition_of_version(connection, found.version_id)
            if found.version_state != VersionState.APPROVED or not is_open(definition.hours, now):
                return False
            start_in(connection, SYSTEM, run_id, now, live_providers, call_backs=call_backs)
    except (CannotDo, DoesNotFit) as error:  # and nothing is left behind
        with engine.begin() as connection:
            if _locked(connection, run_id) is not None:
                _refuse(connection, run_id, now, str(error))
        return False
    log.info("run.started", run=str(run_id))
    return True


def _locked(connection: Connection, run_id: UUID) -> Found | None:
    return connection.execute(
        text("""
        SELECT r.id, r.as_of, v.id AS version_id, v.key, v.version, v.text, v.approved_at,
            v.state AS version_state
        FROM run r JOIN campaign_version v ON v.id = r.campaign_version_id
        WHERE r.id = :id AND r.state = 'scheduled' FOR UPDATE OF r SKIP LOCKED
        """),
        {"id": run_id},
    ).one_or_none()


def _refuse(connection: Connection, run_id: UUID, now: datetime, reason: str) -> None:
    move_run(connection, SYSTEM, Action.REFUSE, run_id, now, reason)
    log.warning("run.refused", run=str(run_id), reason=reason)


def _stale(connection: Connection, found: Found, now: datetime) -> str | None:
    for rule in _RULES:
        if reason := rule(connection, found, now.astimezone(TOKYO).date()):
            return reason
    return None


def _day_is_over(connection: Connection, found: Found, today: date) -> str | None:
    if today > found.as_of:
        return (
            f"開始日 {found.as_of} に開始できませんでした。新しい日程に入れ直してください / "
            f"it could not start on {found.as_of}: schedule it for another day"
        )
    return None


def _withdrawn(connection: Connection, found: Found, today: date) -> str | None:
    if found.version_state == VersionState.WITHDRAWN:
        return "版が取り下げられています / the version was withdrawn"
    return None


def _overtaken(connection: Connection, found: Found, today: date) -> str | None:
    newer = connection.scalar(
        text("""
        SELECT max(version) FROM campaign_version
        WHERE key = :key AND state = 'approved' AND version > :version
        """),
        {"key": found.key, "version": found.version},
    )
    if newer:
        return (
            f"その後に版{newer}が承認されています。版{newer}で日程に入れ直してください / version "
            f"{newer} was approved meanwhile: schedule that one"
        )
    return None


def _no_longer_valid(connection: Connection, found: Found, today: date) -> str | None:
    try:
        parse(found.text, f"{found.key}@{found.version}")
    except DefinitionErrors as error:
        fault = error.faults[0]
        return (
            f"定義が今の検査に通りません（{len(error.faults)}件、先頭: {fault.message_ja}） / the "
            f"definition no longer passes the check: {fault.message_en}"
        )
    return None


def _ledger_is_old(connection: Connection, found: Found, today: date) -> str | None:
    newest = connection.scalar(text("SELECT max(filed_as_of) FROM claim WHERE outstanding_yen > 0"))
    if newest is not None and today - newest > timedelta(days=LEDGER_MOST_DAYS):
        return (
            f"滞納データが古すぎます（基準日 {newest}）。新しいファイルを取り込んでから日程に"
            f"入れ直してください / the claims are of {newest}: import a newer file first"
        )
    return None


#: What can have gone stale; the first that has is the reason.
_RULES: tuple[
    Callable[[Connection, Found, date], str | None], ...
] = (_day_is_over, _withdrawn, _overtaken, _no_longer_valid, _ledger_is_old)  # fmt: skip
