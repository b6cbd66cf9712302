"""What every command shares: the service, who acts, and how results are printed."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

import typer

from contact_service import logs
from contact_service.bootstrap import Service, running
from contact_service.cli import rules
from contact_service.domain.actors import Actor, NotAllowed, Role, require
from contact_service.identity import accounts
from contact_service.identity.accounts import Account
from contact_service.settings import settings

#: The account that the person at the shell has, once the service is there.
_account: ContextVar[Account | None] = ContextVar("account", default=None)


@contextmanager
def service() -> Iterator[Service]:
    """The service for one command. Embedded servers run as long as the command does.

    Raises ``NotAllowed`` for somebody whose account's role the command is not for.
    """
    logs.configure(settings().log_format, level=30)
    with running(settings()) as found:
        before = _account.set(_permitted(found))
        try:
            yield found
        finally:
            _account.reset(before)


def actor(role: Role) -> Actor:
    """The person at the shell: as their account has it, or in ``role`` where they have none.

    ``CONTACT_ACTOR`` names them where several share one operating-system account.
    """
    account, origin = _account.get(), f"shell:{getpass.getuser()}"
    if account is not None:
        return replace(account.actor, origin=origin)
    return Actor(_name(), role, origin=origin)


def _name() -> str:
    return os.environ.get("CONTACT_ACTOR") or getpass.getuser()


def _permitted(found: Service) -> Account | None:
    """The account of the person at the shell, who may use the command; ``None`` without one."""
    account = accounts.find(found, _name())
    if account is None:
        return None
    if account.disabled_at is not None:
        raise NotAllowed(f"利用者{account.name}は停止されています / {account.name} is disabled")
    under = rules.in_force.get()
    if under is not None:
        require(Actor(account.name, account.role), *under[1])
    return account


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def fail(message: str, code: int = 1) -> typer.Exit:
    """Print an error for a person and give the exit to raise."""
    typer.echo(message, err=True)
    return typer.Exit(code)
