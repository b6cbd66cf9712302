"""The commands of ``contact-service centre`` as they are typed, on a test's own service."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta

import pytest
import structlog
from sqlalchemy import Engine, insert
from typer.testing import CliRunner, Result

from contact_service import logs
from contact_service.bootstrap import Service
from contact_service.cli import common
from contact_service.cli.centre import app
from contact_service.clock import TOKYO
from contact_service.store.tables.calls import call

Run = Callable[..., Result]


def ask(*arguments: str) -> Result:
    """Run one command."""
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def run(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """The commands, on ``service``."""
    handlers = list(logging.getLogger().handlers)

    @contextmanager
    def ours() -> Iterator[Service]:
        logs.configure(level=logging.WARNING, stream=io.StringIO())
        yield service

    monkeypatch.setattr(common, "service", ours)
    monkeypatch.setenv("CONTACT_ACTOR", "kato")
    monkeypatch.setenv("COLUMNS", "200")
    yield ask
    logging.getLogger().handlers[:] = handlers
    structlog.reset_defaults()


def log(engine: Engine, rows: list[tuple[str, date, str, int, int, str]]) -> None:
    """Calls as (origin, day, start, how many, talk seconds, result), 60 seconds of wrap-up."""
    with engine.begin() as connection:
        connection.execute(
            insert(call),
            [
                {
                    "origin": origin,
                    "direction": "inbound" if origin == "resident" else "outbound",
                    "started_at": datetime.combine(day, time.fromisoformat(start), TOKYO)
                    + timedelta(seconds=n),
                    "talk_seconds": talk,
                    "wrap_seconds": 60 if talk else 0,
                    "result": result,
                    "deduplication_key": f"{line}/{n}",
                }
                for line, (origin, day, start, calls, talk, result) in enumerate(rows)
                for n in range(calls)
            ],
        )
