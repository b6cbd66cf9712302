"""Connections to PostgreSQL."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine

from contact_service.settings import Settings
from contact_service.store.crypto import load_vault

#: An advisory lock of the database: one at a time changes the ledger by a file or freezes a run
#: from it. Two imports could wait for one another's people.
LEDGER_LOCK = 0x696E74616B65


def connect(settings: Settings, *, pool_size: int = 4) -> Engine:
    """An engine for the configured server.

    Every session runs in Asia/Tokyo, so that ``::date`` and ``date_trunc`` mean an office's
    day. Connections know where the key is that proves the audit log's lines. Raises nothing until
    first used.
    """
    return create_engine(
        settings.sqlalchemy_url,
        pool_size=pool_size,
        max_overflow=4,
        pool_pre_ping=True,
        hide_parameters=True,  # an error's text would tell names and numbers
        execution_options={"keys_file": settings.keys_path},
        connect_args={"options": "-c timezone=Asia/Tokyo", "connect_timeout": 10},
    )


def audit_key(connection: Connection) -> bytes:
    """The key that proves lines of the audit log. Raises what ``load_vault`` raises."""
    return _audit_key(connection.get_execution_options()["keys_file"])


@lru_cache(maxsize=8)
def _audit_key(keys_file: Path) -> bytes:
    return load_vault(keys_file).audit_key
