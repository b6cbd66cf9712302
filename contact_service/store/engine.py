"""Connections to PostgreSQL."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, create_engine

from contact_service.settings import Settings
from contact_service.store.crypto import load_vault

#: An advisory lock of the database: one at a time changes the ledger by a file or freezes a run
#: from it. Two imports could wait for one another's people.
LEDGER_LOCK = 0x696E74616B65


def connect(settings: Settings, *, pool_size: int = 4) -> Engine:
    """An engine for the configured server.

    Every session runs in Asia/Tokyo, so that ``::date`` and ``date_trunc`` mean an office's
    day. Connections know the key that proves the audit log's lines, if there are keys. Raises
    nothing until first used.
    """
    keys = settings.keys_path
    return create_engine(
        settings.sqlalchemy_url,
        pool_size=pool_size,
        max_overflow=4,
        pool_pre_ping=True,
        hide_parameters=True,  # an error's text would tell names and numbers
        execution_options={"audit_key": load_vault(keys).audit_key if keys.exists() else None},
        connect_args={"options": "-c timezone=Asia/Tokyo", "connect_timeout": 10},
    )


def audit_key(connection: Connection) -> bytes:
    """The key that proves lines of the audit log. Raises ``RuntimeError`` where there is none."""
    key: bytes | None = connection.get_execution_options().get("audit_key")
    if key is None:
        raise RuntimeError("no keys file: nothing can be written to the audit log")
    return key
