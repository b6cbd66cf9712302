"""Starting a server binary so that it never outlives us and never runs as root."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
UNPRIVILEGED = "nobody"
LOG_BYTES = 2_000_000
"""A log that has grown beyond this is set aside once; the one before it is dropped."""


class CannotStart(Exception):
    """A server did not come up; the text says what it printed, or what to do."""


def free_port() -> int:
    """A TCP port on loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listening(host: str, port: int, seconds: float = 1.0) -> bool:
    """Whether anything accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=seconds):
            return True
    except OSError:
        return False


def unprivileged_user() -> str | None:
    """The user to drop to, or ``None`` when we are not root."""
    return UNPRIVILEGED if os.geteuid() == 0 else None


def _die_with_parent(with_signal: int) -> Callable[[], None] | None:
    """Ask Linux to signal the child when the thread that starts it ends, however it ends."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def in_child() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, with_signal)
        if os.getppid() != parent:  # it died before we could ask
            os.kill(os.getpid(), with_signal)

    return in_child


def spawn(
    command: Sequence[object],
    log_file: Path,
    *,
    user: str | None = None,
    env: dict[str, str] | None = None,
    with_parent: int = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start ``command`` in a session of its own, its output appended to ``log_file``.

    The session keeps the terminal's Ctrl-C from it: whoever started it decides the order in
    which things end. The log can be read by its owner alone. Raises ``OSError``.
    """
    cap(log_file)
    descriptor = os.open(log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "ab") as out:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=env,
            cwd="/" if user else None,
            start_new_session=True,
            user=user,
            group=pwd.getpwnam(user).pw_gid if user else None,
            extra_groups=[] if user else None,
            preexec_fn=_die_with_parent(with_parent),
        )


def stop(process: subprocess.Popen[bytes], with_signal: int, seconds: float = 10) -> None:
    """Ask a process to end; after ``seconds`` make it."""
    if process.poll() is not None:
        return
    process.send_signal(with_signal)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def cap(log_file: Path) -> None:
    """Set a log beyond :data:`LOG_BYTES` aside as ``….1``.

    It is emptied in place, because the process that appends to it holds it open.
    """
    try:
        if log_file.stat().st_size <= LOG_BYTES:
            return
    except FileNotFoundError:
        return
    aside = log_file.with_name(f"{log_file.name}.1")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as kept, log_file.open("rb") as full:
        kept.write(full.read(LOG_BYTES * 2))
    os.truncate(log_file, 0)


def tail(log_file: Path, lines: int = 12) -> str:
    """The last lines of a log, for an error message."""
    try:
        return "\n".join(log_file.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""
