"""The audit log: who did what to which record, by filters. It holds no name and no number."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from fastapi import APIRouter, Depends, Query, Request, Response

from contact_service.clock import TOKYO
from contact_service.domain.actors import Role
from contact_service.identity.sessions import Session
from contact_service.store import audit
from contact_service.web.audit_words import ACTIONS, WORDS
from contact_service.web.carrier import service_of
from contact_service.web.locale import translatable
from contact_service.web.rendering import page
from contact_service.web.session import may

router = APIRouter(include_in_schema=False, prefix="/audit")
reads = may(Role.AUDITOR)
MOST = 50

#: Much of a kind at once: by the beginning of the action's name.
GROUPS = {
    "attempt.": translatable("不明な結果の判断"),
    "call.": translatable("電話"),
    "draft.": translatable("下書き"),
    "intake.": translatable("ファイル"),
    "library.": translatable("事例"),
    "person.": translatable("納付者の検索・閲覧"),
    "report.": translatable("報告書"),
    "restriction.": translatable("連絡の制限"),
    "run.": translatable("実施"),
    "session.": translatable("サインイン"),
    "switch.": translatable("停止・再開"),
    "token.": translatable("APIのトークン"),
    "user.": translatable("利用者の管理"),
    "version.": translatable("計画の承認"),
}


@router.get("")
def show(
    request: Request,
    session: Session = Depends(reads),
    who: str = Query("", max_length=60),
    action: str = Query("", max_length=60),
    subject: str = Query("", max_length=80),
    since: str = Query("", max_length=10),
    until: str = Query("", max_length=10),
    before: int | None = Query(None, ge=1),
) -> Response:
    """The lines that fit, the latest first."""
    wrong = ""
    wanted = audit.Filter(who.strip(), action.strip(), subject.strip())
    try:
        wanted = audit.Filter(
            who.strip(), action.strip(), subject.strip(), _day(since), _day(until, 1)
        )
    except ValueError:
        wrong = "日付を 2026-10-26 の形で入れてください / write the day like 2026-10-26"
    with service_of(request).engine.connect() as connection:
        rows = audit.entries(connection, session.account.actor, MOST + 1, before, wanted)
    return page(
        request,
        "audit_log.html",
        422 if wrong else 200,
        rows=rows[:MOST],
        more=rows[MOST - 1].id if len(rows) > MOST else None,
        before=before,
        wrong=wrong,
        query={
            "who": who, "action": action, "subject": subject, "since": since, "until": until,
        },
        groups=GROUPS,
        actions=ACTIONS,
        action_words=WORDS,
    )  # fmt: skip


def _day(said: str, later: int = 0) -> datetime | None:
    """The beginning of a day in Tokyo, ``later`` days on; ``None``: nothing said."""
    if not said:
        return None
    return datetime.combine(date.fromisoformat(said) + timedelta(days=later), time(), tzinfo=TOKYO)
