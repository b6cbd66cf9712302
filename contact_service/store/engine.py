"""Connections to PostgreSQL."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine

from contact_service.settings import Settings

#: An advisory lock of the database: one at a time changes the ledger by a file or freezes a run
#: from it. Two imports could wait for one another's people.
LEDGER_LOCK = 0x696E74616B65


def connect(settings: Settings, *, pool_size: int = 4) -> Engine:
    """An engine for the configured server.

    Every session runs in Asia/Tokyo, so that ``::date`` and ``date_trunc`` mean an office's
    day. Raises nothing until first used.
    """
    return create_engine(
        settings.sqlalchemy_url,
        pool_size=pool_size,
        max_overflow=4,
        pool_pre_ping=True,
        hide_parameters=True,  # an error's text would tell names and numbers
        connect_args={"options": "-c timezone=Asia/Tokyo", "connect_timeout": 10},
    )
