"""Connections to PostgreSQL."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine

from contact_service.settings import Settings


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
        connect_args={"options": "-c timezone=Asia/Tokyo", "connect_timeout": 10},
    )
