"""Bringing a database to the schema that this version of the service expects."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

#: Only one process migrates; the others wait for it (an arbitrary, fixed number).
MIGRATION_LOCK = 7215_2024


def config() -> Config:
    """Alembic's configuration; there is no ini file."""
    result = Config()
    result.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return result


def migrate(engine: Engine) -> str:
    """Upgrade to the newest revision, in one transaction, and return its name."""
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": MIGRATION_LOCK})
        setup = config()
        setup.attributes["connection"] = connection
        command.upgrade(setup, "head")
        return current_revision(connection) or ""


def current_revision(connection: Connection) -> str | None:
    """The revision a database is at; ``None`` for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str:
    """The revision that this version of the service expects."""
    head = ScriptDirectory.from_config(config()).get_current_head()
    if head is None:
        raise RuntimeError("the service has no migrations")
    return head
