"""Real servers for the tests: one PostgreSQL and one Valkey a test process, and for every test a
fresh database (cloned from a migrated template) and an empty, numbered part of Valkey."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy import Engine

from contact_service.clock import TOKYO, FixedClock
from contact_service.embedded.servers import servers
from contact_service.settings import Settings
from contact_service.store.crypto import Vault, create_keys, load_vault
from contact_service.store.engine import connect
from contact_service.store.migrate import migrate

ROOT = Path(__file__).parent.parent
WARD = ROOT / "samples" / "ward"
NOW = datetime(2026, 10, 26, 10, 0, tzinfo=TOKYO)
_numbers = itertools.count(1)
#: The parts of Valkey that no test uses now. 0 is nobody's: what took an address that is no test's
#: own would be seen by others.
_queues = deque(range(1, 16))


@pytest.fixture(scope="session")
def running_servers() -> Iterator[Settings]:
    """Settings that name this process's own servers; the template database is migrated."""
    for name in [name for name in os.environ if name.startswith("CONTACT_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="contact-test-") as folder:
        Path(folder).chmod(0o755)  # the unprivileged PostgreSQL must reach its data
        base = Settings(state_dir=Path(folder), _env_file=None)  # type: ignore[call-arg]
        with servers(base) as found:
            create_keys(found.keys_path)
            engine = connect(found)
            migrate(engine)
            engine.dispose()
            _write_lightly(found)
            yield found


def _write_lightly(settings: Settings) -> None:
    """Let the server leave it to the system when it writes to disk.

    Every database that is dropped waits for a checkpoint, which on a busy disk takes a second or
    two. What is lost so is lost with the machine only, not with a server that is killed.
    """
    admin = str(settings.database_url).rpartition("/")[0] + "/postgres"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")


@contextmanager
def queue(running_servers: Settings) -> Iterator[Settings]:
    """Settings with a part of Valkey that holds nothing and is nobody else's.

    Rate limits, the health of carriers and the queues live there: what one test's workers leave,
    or write after its end, no other may see. The parts are used in turn, the oldest first.
    """
    number = _queues.popleft()
    url = running_servers.broker_url.rpartition("/")[0] + f"/{number}"
    try:
        with redis.Redis.from_url(url) as client:
            client.flushdb()
        yield running_servers.model_copy(update={"redis_url": url})
    finally:
        _queues.append(number)


@contextmanager
def database(running_servers: Settings) -> Iterator[Settings]:
    """Settings with a fresh database, dropped at the end."""
    template = str(running_servers.database_url)
    admin = template.rpartition("/")[0] + "/postgres"
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE contact STRATEGY file_copy")
    yield running_servers.model_copy(
        update={"database_url": template.rpartition("/")[0] + f"/{name}"}
    )
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def empty(running_servers: Settings) -> Iterator[Settings]:
    """Settings with a database and a part of Valkey that hold nothing."""
    with queue(running_servers) as aside, database(aside) as found:
        yield found


@pytest.fixture
def settings(running_servers: Settings) -> Iterator[Settings]:
    """Settings with a database and a queue of this test's own."""
    with empty(running_servers) as found:
        yield found


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """Connections to the test's database."""
    result = connect(settings)
    yield result
    result.dispose()


@pytest.fixture
def vault(running_servers: Settings) -> Vault:
    """The keys that the test's data is sealed with."""
    return load_vault(running_servers.keys_path)


@pytest.fixture
def clock() -> FixedClock:
    """Monday 26 October 2026, 10:00 in Tokyo: a working day, in office hours."""
    return FixedClock(NOW)
