"""Connections to PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, text

from contact_service.settings import Settings
from contact_service.store.crypto import load_vault

#: An advisory lock of the database: one at a time changes the ledger by a file or freezes a run
#: from it. Two imports could wait for one another's people.
LEDGER_LOCK = 0x696E74616B65
#: What PostgreSQL adds to an error: the values of a row or key, and where in a file they stood.
_ROWS = re.compile(r"\n(?:DETAIL|CONTEXT):.*", re.DOTALL)
_QUOTED = re.compile(r'"[^"]*"')


def connect(settings: Settings, *, pool_size: int = 4) -> Engine:
    """An engine for the configured server.

    Every session runs in Asia/Tokyo, so that ``::date`` and ``date_trunc`` mean an office's
    day. Connections know where the key is that proves the audit log's lines. Raises nothing until
    first used.
    """
    engine = create_engine(
        settings.sqlalchemy_url,
        pool_size=pool_size,
        max_overflow=4,
        pool_pre_ping=True,
        hide_parameters=True,  # an error's text would tell names and numbers
        execution_options={"keys_file": settings.keys_path},
        connect_args={
            "options": "-c timezone=Asia/Tokyo",
            "connect_timeout": 10,
            # the driver prepares what comes a second time: after a rollback it forgets all of it,
            # and workers' statements take longer to plan than to run
            "prepare_threshold": 1,
        },
    )
    event.listen(engine, "handle_error", _without_values)
    return engine


def _without_values(context: ExceptionContext) -> None:
    """The server tells the row that it refuses, and the line of a file: an error's text goes into
    logs and to a shell, where nobody's data may be."""
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None and error.args and isinstance(error.args[0], str):
            said = _ROWS.sub("", error.args[0])
            if str(getattr(context.original_exception, "sqlstate", "")).startswith("22"):
                said = _QUOTED.sub('"…"', said)  # a value that is no number, no date
            error.args = (said, *error.args[1:])


@contextmanager
def one_plan(connection: Connection) -> Iterator[None]:
    """Inside, a prepared statement is planned once for all it may be given. For statements of
    which no value tells the planner anything, and whose planning takes longer than their work."""
    connection.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
    yield  # an error ends the transaction, and the setting with it
    connection.execute(text("SET LOCAL plan_cache_mode = auto"))


def audit_key(connection: Connection) -> bytes:
    """The key that proves lines of the audit log. Raises what ``load_vault`` raises."""
    return _audit_key(connection.get_execution_options()["keys_file"])


@lru_cache(maxsize=8)
def _audit_key(keys_file: Path) -> bytes:
    return load_vault(keys_file).audit_key
