"""The console's menu: one table. A page is put into it by one row, and its rule stands beside its
address (``session.may``); the menu shows what somebody may open, it does not decide it."""

from __future__ import annotations

from dataclasses import dataclass

from contact_service.domain.actors import Role, allowed
from contact_service.web.locale import translatable

PLANNERS = frozenset({Role.STAFF, Role.APPROVER})
LOOKING = frozenset({Role.STAFF, Role.APPROVER, Role.OPERATOR, Role.SUPERVISOR})
DECIDING = frozenset({Role.STAFF, Role.APPROVER, Role.SUPERVISOR})
REPORTED = DECIDING | {Role.EVALUATOR, Role.AUDITOR}
EVERYBODY: frozenset[Role] = frozenset()


PLANNING = translatable("計画")
TELEPHONE = translatable("電話")
LEDGER = translatable("納付者と台帳")
LOOKING_BACK = translatable("記録と設定")


@dataclass(frozen=True, slots=True)
class Entry:
    """One page of the menu."""

    path: str
    """Its address; pages below it belong to it."""
    words: str
    """What it is called, for the catalogue."""
    group: str
    """What it stands with: entries of one group stay together where the menu breaks."""
    roles: frozenset[Role]
    """Who sees it, beside the administrator, who sees all; empty: everybody who is signed in."""
    contractors: bool = True
    """Whether a contractor's operator sees what operators see."""
    also: tuple[str, ...] = ()
    """Other addresses whose pages belong to it."""


#: In the order in which they are shown.
MENU: tuple[Entry, ...] = (
    Entry("/", translatable("今日"), PLANNING, EVERYBODY),
    Entry(
        "/campaigns",
        translatable("催告計画"),
        PLANNING,
        PLANNERS | {Role.SUPERVISOR, Role.EVALUATOR},
        also=("/drafts", "/runs"),
    ),
    Entry(
        "/calendar",
        translatable("年間予定"),
        PLANNING,
        PLANNERS | {Role.SUPERVISOR, Role.EVALUATOR},
    ),
    Entry("/recordings", translatable("音声"), PLANNING, PLANNERS),
    Entry(
        "/desk", translatable("電話デスク"), TELEPHONE, frozenset({Role.OPERATOR, Role.SUPERVISOR})
    ),
    Entry("/centre", translatable("センターの状況"), TELEPHONE, frozenset({Role.SUPERVISOR})),
    Entry("/centre/results", translatable("結果の点検"), TELEPHONE, frozenset({Role.SUPERVISOR})),
    Entry("/centre/quality", translatable("会話の点検"), TELEPHONE, frozenset({Role.SUPERVISOR})),
    Entry("/centre/work", translatable("担当を替える"), TELEPHONE, frozenset({Role.SUPERVISOR})),
    Entry(
        "/centre/load", translatable("センターの負荷"), TELEPHONE, REPORTED, also=("/centre/shift",)
    ),
    Entry("/files", translatable("ファイル"), LEDGER, LOOKING | {Role.AUDITOR}, contractors=False),
    Entry("/people", translatable("納付者"), LEDGER, LOOKING, contractors=False),
    Entry(
        "/do-not-contact",
        translatable("連絡しない"),
        LEDGER,
        LOOKING | {Role.AUDITOR},
        contractors=False,
    ),
    Entry(
        "/bulk-access",
        translatable("まとめての閲覧・出力"),
        LEDGER,
        LOOKING | {Role.AUDITOR},
        contractors=False,
    ),
    Entry("/unknown", translatable("届いたか不明"), LEDGER, DECIDING),
    Entry(
        "/providers",
        translatable("事業者"),
        LOOKING_BACK,
        LOOKING | {Role.AUDITOR},
        contractors=False,
    ),
    Entry("/reports", translatable("報告書"), LOOKING_BACK, REPORTED),
    Entry("/library", translatable("事例"), LOOKING_BACK, REPORTED),
    Entry("/audit", translatable("監査記録"), LOOKING_BACK, frozenset({Role.AUDITOR})),
    Entry("/users", translatable("利用者"), LOOKING_BACK, frozenset({Role.ADMINISTRATOR})),
    Entry("/tokens", translatable("トークン"), LOOKING_BACK, frozenset({Role.ADMINISTRATOR})),
    Entry("/api-docs", translatable("APIの説明"), LOOKING_BACK, frozenset({Role.AUDITOR})),
)


def menu(role: Role | None, here: str) -> list[tuple[Entry, str]]:
    """What somebody in ``role`` sees, each with its ``aria-current``: ``page`` for the page that
    is open (``here``), ``true`` for the one that it lies below most closely, else nothing."""
    if role is None:
        return []
    return [
        (entry, _current(entry, here))
        for entry in MENU
        if not entry.roles or allowed(role, entry.roles, contractors=entry.contractors)
    ]


def _current(entry: Entry, here: str) -> str:
    if entry.path == here:
        return "page"
    below = [f"{path}/" for path in (entry.path, *entry.also) if path != "/"]
    closer = (other.path for other in MENU if other.path.startswith(f"{entry.path}/"))
    if any(f"{here}/".startswith(f"{path}/") for path in closer):
        return ""
    return "true" if here.startswith(tuple(below)) else ""
