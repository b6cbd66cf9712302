"""What every command shares: the service, who acts, and how results are printed."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from contact_service import logs
from contact_service.bootstrap import Service, running
from contact_service.domain.actors import Actor, Role
from contact_service.settings import settings


@contextmanager
def service() -> Iterator[Service]:
    """The service for one command. Embedded servers run as long as the command does."""
    logs.configure(settings().log_format, level=30)
    with running(settings()) as found:
        yield found


def actor(role: Role) -> Actor:
    """The person at the shell, acting in ``role``.

    ``CONTACT_ACTOR`` names them where several share one operating-system account.
    """
    return Actor(os.environ.get("CONTACT_ACTOR") or getpass.getuser(), role)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def fail(message: str, code: int = 1) -> typer.Exit:
    """Print an error for a person and give the exit to raise."""
    typer.echo(message, err=True)
    return typer.Exit(code)
