"""Which servers a command uses: the configured ones, running embedded ones, or new ones.

Whoever starts embedded servers owns a lock on the state folder and writes their addresses
there. A command run beside it finds the lock taken and uses the same servers, holding a lock
of its own that says so: the owner waits a while for its guests before it stops them. An
owner's lock that is free means that any server still running was left behind.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from contact_service.embedded.home import Home, write_privately
from contact_service.embedded.postgres import EmbeddedPostgres
from contact_service.embedded.process import CannotStart, listening
from contact_service.embedded.valkey import EmbeddedValkey
from contact_service.settings import Settings

JOIN_SECONDS = 60.0
"""How long a second command waits for the first one's servers."""
GUEST_SECONDS = 30.0
"""How long the owner waits for its guests to finish."""


@contextmanager
def servers(settings: Settings) -> Iterator[Settings]:
    """Settings with both addresses filled in; embedded servers run inside the block.

    The addresses also go to the environment, so that child processes use the same servers.
    Raises :class:`CannotStart`.
    """
    if settings.database_url and settings.redis_url:
        yield settings
        return
    state = settings.state_dir.resolve()
    with _lock_file(state, "servers.lock") as lock, _lock_file(state, "servers.guests") as guests:
        addresses = state / "servers.json"
        found = _join(lock, guests, addresses)
        if found is not None:
            with _announced(found):
                yield settings.model_copy(update=found)
            return
        postgres, valkey = EmbeddedPostgres(state / "postgres"), EmbeddedValkey(state / "valkey")
        try:
            started = _start(settings, postgres, valkey)
            write_privately(addresses, json.dumps(started))
            with _announced(started):
                yield settings.model_copy(update=started)
        finally:
            try:
                addresses.unlink(missing_ok=True)
                _see_out(guests)
            finally:
                valkey.stop()
                postgres.stop()


def remove_state(state_dir: Path) -> None:
    """Remove what the embedded servers keep, wherever it lies. They must not run.

    Raises :class:`CannotStart` when they do.
    """
    state = state_dir.resolve()
    if not state.exists():
        return
    with _lock_file(state, "servers.lock") as lock:
        if not _taken(lock):
            raise CannotStart(
                f"{state} は使用中です。先に止めてください（Ctrl-C） / "
                "is in use: stop it first (Ctrl-C)"
            )
        for name in ("postgres", "valkey"):
            Home(state / name).remove()


def _start(
    settings: Settings, postgres: EmbeddedPostgres, valkey: EmbeddedValkey
) -> dict[str, str]:
    try:
        return {
            "database_url": settings.database_url or postgres.start(),
            "redis_url": settings.redis_url or valkey.start(),
        }
    except OSError as error:
        raise _cannot_write(settings.state_dir, error) from error


def _join(lock: IO[str], guests: IO[str], addresses: Path) -> dict[str, str] | None:
    """The addresses of servers that somebody else runs, or ``None`` when we are the owner."""
    give_up = time.monotonic() + JOIN_SECONDS
    while time.monotonic() < give_up:
        if _taken(lock):
            addresses.unlink(missing_ok=True)  # of an owner that was killed
            return None
        # first a guest, then a look: the owner withdraws the addresses before it counts guests
        fcntl.flock(guests, fcntl.LOCK_SH)
        if found := _answering(addresses):
            return found
        fcntl.flock(guests, fcntl.LOCK_UN)
        time.sleep(0.05)
    raise CannotStart(
        f"{addresses.parent} を使う別のコマンドがサーバーを起動中のままです / "
        f"another command holds {addresses.parent} but its servers did not come up: stop it, or "
        "wait and try again"
    )


def _see_out(guests: IO[str]) -> None:
    """Wait for guests to leave; after :data:`GUEST_SECONDS` they lose their connections."""
    give_up = time.monotonic() + GUEST_SECONDS
    while not _taken(guests) and time.monotonic() < give_up:
        time.sleep(0.05)


def _answering(addresses: Path) -> dict[str, str] | None:
    """Addresses that were announced and are listened on: a killed owner leaves stale ones."""
    try:
        found: dict[str, str] = json.loads(addresses.read_text())
    except (FileNotFoundError, ValueError):
        return None
    parts = [urlsplit(url) for url in found.values()]
    if all(listening(part.hostname or "", part.port or 0) for part in parts):
        return found
    return None


def _taken(lock: IO[str]) -> bool:
    """Take a lock if nobody holds it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_file(state: Path, name: str) -> IO[str]:
    try:
        state.mkdir(parents=True, exist_ok=True)
        return (state / name).open("w")
    except OSError as error:
        raise _cannot_write(state, error) from error


def _cannot_write(state: Path, error: OSError) -> CannotStart:
    return CannotStart(
        f"{error.filename or state} を使えません。書き込める場所を CONTACT_STATE_DIR に"
        f"指定してください / cannot be used ({error.strerror}): set CONTACT_STATE_DIR to a folder "
        "that you may write to, on a disk with space"
    )


@contextmanager
def _announced(found: dict[str, str]) -> Iterator[None]:
    """Put the addresses into the environment, where child processes look."""
    names = {f"CONTACT_{name.upper()}": value for name, value in found.items()}
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        yield
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
