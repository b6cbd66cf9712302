"""The migrations amount to the tables, and what is append-only is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from contact_service.domain.actors import SYSTEM
from contact_service.domain.identity import derived_id
from contact_service.store import audit
from contact_service.store.crypto import CannotOpen, Vault
from contact_service.store.migrate import current_revision, migrate, newest_revision
from contact_service.store.tables import metadata


def test_migrations_amount_to_the_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert current_revision(connection) == newest_revision()


def test_tables_are_cleared_as_they_say(engine: Engine) -> None:
    """Settings of storage, which the comparison above does not see."""
    with engine.connect() as connection:
        set_ = connection.execute(
            text("""
            SELECT c.relname, o.option_name, CAST(o.option_value AS float) FROM pg_class c
            CROSS JOIN LATERAL pg_options_to_table(c.reloptions) o
            WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
            """)
        )
        found = {(row[0], row[1]): row[2] for row in set_}
    assert found == {
        (name, option): float(value)
        for name, table in metadata.tables.items()
        for option, value in (table.dialect_options["postgresql"]["with"] or {}).items()
    }
    assert found


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    assert migrate(engine) == migrate(engine) == newest_revision()


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log"])
def test_the_audit_log_cannot_be_changed(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        audit.record(connection, datetime.now(UTC), SYSTEM, "test", "nothing")
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text(statement))


def test_a_sealed_value_opens_only_in_its_place(vault: Vault) -> None:
    sealed = vault.seal("debtor.name", "加藤誠")
    assert "加藤".encode() not in sealed
    assert vault.open("debtor.name", sealed) == "加藤誠"
    assert vault.seal("debtor.name", "加藤誠") != sealed
    with pytest.raises(CannotOpen):
        vault.open("debtor.name_kana", sealed)
    with pytest.raises(CannotOpen):
        vault.open("debtor.name", sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_equal_values_have_equal_indexes_within_a_kind(vault: Vault) -> None:
    assert vault.indexes("phone", "+819012345678")[0] == vault.indexes("phone", "+819012345678")[0]
    assert vault.indexes("phone", "+819012345678")[0] != vault.indexes("name", "+819012345678")[0]


def test_the_database_derives_the_same_identifiers(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT derived_id('run:滞納:1')")) == derived_id(
            "run", "滞納", 1
        )
