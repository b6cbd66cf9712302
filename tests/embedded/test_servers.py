"""Embedded servers start, are shared, and leave nothing behind."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest
import redis

from contact_service.embedded.servers import servers
from contact_service.settings import Settings


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("CONTACT_DATABASE_URL", "CONTACT_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    return Settings(state_dir=tmp_path / "state", _env_file=None)  # type: ignore[call-arg]


def test_data_survive_a_restart_and_a_second_command_shares_the_servers(fresh: Settings) -> None:
    with servers(fresh) as first:
        assert os.environ["CONTACT_DATABASE_URL"] == first.database_url
        with psycopg.connect(str(first.database_url), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (n int)")
        with servers(fresh) as beside:
            assert beside.database_url == first.database_url
            assert redis.Redis.from_url(str(beside.redis_url)).ping()
    assert "CONTACT_DATABASE_URL" not in os.environ
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(str(first.database_url), connect_timeout=2)
    with (
        servers(fresh) as second,
        psycopg.connect(str(second.database_url)) as connection,
    ):
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_configured_servers_are_used_as_they_are(fresh: Settings) -> None:
    configured = fresh.model_copy(
        update={"database_url": "postgresql://a/b", "redis_url": "redis://c/0"}
    )
    with servers(configured) as found:
        assert found == configured
    assert not fresh.state_dir.exists()
