"""Who may use which command: every command has a line here, and a test fails for one that has
none.

The shell belongs to whoever may run programs and read the keys on this machine. Somebody there
whose name is that of an account acts as that account does, with its role and its office;
somebody without an account is believed to be whom the command needs, and the audit log has the
account of the operating system beside the name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import wraps
from typing import Any

import typer

from contact_service.domain.actors import Role

STAFF, APPROVER, OPERATOR = Role.STAFF, Role.APPROVER, Role.OPERATOR
SUPERVISOR, EVALUATOR, AUDITOR = Role.SUPERVISOR, Role.EVALUATOR, Role.AUDITOR
_PLANNING = (STAFF, APPROVER)
_READING = (STAFF, APPROVER, SUPERVISOR, EVALUATOR, AUDITOR)
#: The administrator may use every command.
_ALONE: tuple[Role, ...] = ()

RULES: dict[str, tuple[Role, ...]] = {
    # of whoever runs the machine
    "doctor": _ALONE,
    "up": _ALONE,
    "trunk": _ALONE,
    "demo": _ALONE,
    "migrate": _ALONE,
    "certificate": _ALONE,
    "user add": _ALONE,
    "user reset": _ALONE,
    "user assign": _ALONE,
    "user sign-out": _ALONE,
    "user disable": _ALONE,
    "user enable": _ALONE,
    "user list": (AUDITOR,),
    "person export": (APPROVER,),
    "person hold": (APPROVER,),
    "person release": (APPROVER,),
    "bulk-access ask": (STAFF, APPROVER, OPERATOR, SUPERVISOR),
    "bulk-access list": (STAFF, APPROVER, OPERATOR, SUPERVISOR, AUDITOR),
    "bulk-access decide": (APPROVER, SUPERVISOR),
    "retention run": _ALONE,
    "keys list": _ALONE,
    "keys rotate": _ALONE,
    "keys resume": _ALONE,
    "keys retire": _ALONE,
    "keys rotate-index": _ALONE,
    "audit verify": (AUDITOR,),
    "audit export": (AUDITOR,),
    "token issue": _ALONE,
    "token list": (AUDITOR,),
    "token revoke": _ALONE,
    "stop-all": (STAFF, APPROVER, OPERATOR, SUPERVISOR),
    "resume-all": (APPROVER, SUPERVISOR),
    "intake claims": (STAFF,),
    "intake payments": (STAFF,),
    "intake restrictions": (STAFF,),
    "intake calls": (STAFF, SUPERVISOR),
    "intake unmatched": (STAFF, SUPERVISOR),
    "campaign check": _READING,
    "campaign explain": _READING,
    "campaign diff": _READING,
    "campaign list": _READING,
    "campaign fields": _READING,
    "campaign schema": _READING,
    "campaign submit": (STAFF,),
    "campaign approve": (APPROVER,),
    "campaign send-back": _PLANNING,
    "campaign withdraw": _PLANNING,
    "campaign schedule": (STAFF,),
    "campaign start": (APPROVER,),
    "campaign pause": (STAFF, APPROVER, SUPERVISOR),
    "campaign resume": (APPROVER, SUPERVISOR),
    "campaign stop": (STAFF, APPROVER, SUPERVISOR),
    "campaign history": _READING,
    "campaign preview": _READING,
    "campaign calendar": _READING,
    "campaign status": (STAFF, APPROVER, OPERATOR, SUPERVISOR, EVALUATOR, AUDITOR),
    "campaign unknown": (STAFF, APPROVER, SUPERVISOR),
    "campaign settle": (STAFF, APPROVER, SUPERVISOR),
    "campaign letters": _PLANNING,
    "report trial": _READING,
    "report run": _READING,
    "report rows": (EVALUATOR, AUDITOR),
    "report collection": _READING,
    "report by": _READING,
    "report load": _READING,
    "library add": (STAFF, APPROVER, EVALUATOR),
    "library list": _READING,
    "library search": _READING,
    "library show": _READING,
    "library copy": _READING,
    "trial estimate": _READING,
    "trial replay": _READING,
    "trial power proportions": _READING,
    "trial power means": _READING,
    "trial power time": _READING,
    "centre load": _READING,
    "centre forecast": (STAFF, SUPERVISOR, EVALUATOR),
    "centre staffing": _READING,
    "centre shift": _READING,
    "audio check": _READING,
    "audio convert": _READING,
    "audio speak": _READING,
}

#: The rule of the command that is being run; ``None`` when a part of the shell is used alone.
in_force: ContextVar[tuple[str, tuple[Role, ...]] | None] = ContextVar("rule", default=None)


def rule(app: typer.Typer) -> None:
    """Put every command of ``app`` under its rule. One that has none is the administrator's."""
    for path, info in commands(app):
        if info.callback is not None:
            info.callback = _ruled(path, info.callback)


def commands(app: typer.Typer, above: str = "") -> Iterator[tuple[str, Any]]:
    """All commands of ``app`` with the words that they are called by."""
    for info in app.registered_commands:
        name = info.name or (info.callback.__name__ if info.callback else "")
        yield f"{above}{name.replace('_', '-')}", info
    for group in app.registered_groups:
        if group.typer_instance is not None:
            yield from commands(
                group.typer_instance, f"{above}{group.name} " if group.name else above
            )


def _ruled(path: str, command: Callable[..., Any]) -> Callable[..., Any]:
    roles = RULES.get(path, _ALONE)

    @wraps(command)
    def run(*arguments: Any, **named: Any) -> Any:
        before = in_force.set((path, roles))
        try:
            return command(*arguments, **named)
        finally:
            in_force.reset(before)

    return run
