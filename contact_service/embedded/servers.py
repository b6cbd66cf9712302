"""Which servers a command uses: the configured ones, running embedded ones, or new ones.

Whoever starts embedded servers holds a lock on the state folder and writes their addresses
there. A command run beside it finds the lock taken and uses the same servers; a lock that is
free means that any server still running was left behind.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contact_service.embedded.postgres import EmbeddedPostgres
from contact_service.embedded.valkey import EmbeddedValkey
from contact_service.settings import Settings


@contextmanager
def servers(settings: Settings) -> Iterator[Settings]:
    """Settings with both addresses filled in; embedded servers run inside the block.

    The addresses also go to the environment, so that child processes use the same servers.
    Raises ``CannotStart``.
    """
    if settings.database_url and settings.redis_url:
        yield settings
        return
    state = settings.state_dir.resolve()
    state.mkdir(parents=True, exist_ok=True)
    addresses = state / "servers.json"
    with (state / "servers.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with _announced(json.loads(addresses.read_text())) as found:
                yield settings.model_copy(update=found)
            return
        postgres, valkey = EmbeddedPostgres(state / "postgres"), EmbeddedValkey(state)
        try:
            started = {
                "database_url": settings.database_url or postgres.start(),
                "redis_url": settings.redis_url or valkey.start(),
            }
            addresses.write_text(json.dumps(started))
            with _announced(started) as found:
                yield settings.model_copy(update=found)
        finally:
            addresses.unlink(missing_ok=True)
            valkey.stop()
            postgres.stop()


@contextmanager
def _announced(found: dict[str, str]) -> Iterator[dict[str, str]]:
    """Put the addresses into the environment, where child processes look."""
    names = {f"CONTACT_{name.upper()}": value for name, value in found.items()}
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        yield found
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def state_path(settings: Settings, name: str) -> Path:
    """A file of ours in the state folder."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    return settings.state_dir / name
