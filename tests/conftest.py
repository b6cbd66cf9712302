"""Real servers for the tests: one PostgreSQL and one Valkey a test process, and for every test a
fresh database (cloned from a migrated template) and an empty, numbered part of Valkey."""

from __future__ import annotations

import itertools
import logging
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
import redis
from hypothesis import HealthCheck
from hypothesis import settings as examples
from sqlalchemy import Engine

from contact_service import logs
from contact_service.clock import TOKYO, FixedClock
from contact_service.embedded.servers import servers
from contact_service.settings import Settings
from contact_service.settings import settings as chosen_settings
from contact_service.store.crypto import Vault, create_keys, load_vault
from contact_service.store.engine import connect
from contact_service.store.migrate import migrate

ROOT = Path(__file__).parent.parent
WARD = ROOT / "samples" / "ward"
NOW = datetime(2026, 10, 26, 10, 0, tzinfo=TOKYO)
_numbers = itertools.count(1)
TEMPLATE = "untouched"
# Examples are the same on every machine and in every run, however slow it is: a test fails for what
# was changed. Others are searched for by `make fuzz`, and everywhere by --hypothesis-profile=search.
_any = examples(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
examples.register_profile("search", _any, derandomize=False, print_blob=True)
examples.register_profile("steady", _any, derandomize="FUZZ_EXAMPLES" not in os.environ)
examples.load_profile("steady")
#: The parts of Valkey that no test uses now. 0 is nobody's: what took an address that is no test's
#: own would be seen by others.
_queues = deque(range(1, 16))


def _forget_the_environment() -> None:
    for name in [name for name in os.environ if name.startswith("CONTACT_")]:
        del os.environ[name]


def _log_as_the_service_does() -> None:
    """Through the standard library, as every process of the service; to pytest's handlers. Without
    that what is logged would be printed, until the first test that starts such a process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure()
    root.handlers[:] = handlers
    root.setLevel(level)


_forget_the_environment()  # that of whoever runs the tests
_log_as_the_service_does()


@pytest.fixture(autouse=True)
def _left_as_found() -> Iterator[None]:
    """What a process has once, and a test may have set, is the same for the next."""
    root = logging.getLogger()
    handlers, level, environment = root.handlers[:], root.level, dict(os.environ)
    chosen_settings.cache_clear()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    os.environ.clear()
    os.environ.update(environment)
    chosen_settings.cache_clear()


@pytest.fixture(scope="session")
def running_servers() -> Iterator[Settings]:
    """Settings that name this process's own servers; the template database is migrated."""
    with tempfile.TemporaryDirectory(prefix="contact-test-", dir=_memory()) as folder:
        Path(folder).chmod(0o755)  # the unprivileged PostgreSQL must reach its data
        base = Settings(state_dir=Path(folder), _env_file=None)  # type: ignore[call-arg]
        with servers(base) as found:
            create_keys(found.keys_path)
            engine = connect(found)
            migrate(engine)
            engine.dispose()
            _prepare(found)
            _forget_the_environment()  # what runs without a test's own settings finds nothing
            yield found


def _memory() -> Path | None:
    """A file system in memory, where it has room for the servers of all who test side by side.

    Each test has a database of its own: a thousand files, copied in 40 ms there and in 600 on a
    disk that is busy with the other tests.
    """
    memory, workers = Path("/dev/shm"), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    try:
        room = shutil.disk_usage(memory).free
    except OSError:
        return None
    return memory if os.access(memory, os.W_OK) and room > (2 + workers) * 2**30 else None


def _prepare(settings: Settings) -> None:
    """Put the template where nothing can change it, and let the system decide when it writes to
    disk.

    Every database that is dropped waits for a checkpoint, which on a busy disk takes a second or
    two. What is lost so is lost with the machine only, not with a server that is killed.
    """
    admin = str(settings.database_url).rpartition("/")[0] + "/postgres"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("ALTER SYSTEM SET max_wal_size = '256MB'")  # it may lie in memory
        connection.execute("SELECT pg_reload_conf()")
        connection.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE contact STRATEGY file_copy")
        connection.execute(f"ALTER DATABASE {TEMPLATE} ALLOW_CONNECTIONS false")


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
    server = str(running_servers.database_url).rpartition("/")[0]
    admin = server + "/postgres"
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    yield running_servers.model_copy(update={"database_url": f"{server}/{name}"})
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
