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


class CannotStart(Exception):
    """A server did not come up; the text says what it printed."""


def free_port() -> int:
    """A TCP port on loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def unprivileged_user() -> str | None:
    """The user to drop to, or ``None`` when we are not root."""
    return UNPRIVILEGED if os.geteuid() == 0 else None


def reachable(path: Path, user: str) -> bool:
    """Whether ``user`` may pass through every folder on the way to ``path``."""
    uid = pwd.getpwnam(user).pw_uid
    for folder in [path, *path.parents]:
        if not folder.exists():
            continue
        state = folder.stat()
        if folder.is_dir() and not (state.st_mode & 0o001 or state.st_uid == uid):
            return False
    return True


def _die_with_parent(with_signal: int) -> Callable[[], None] | None:
    """Ask Linux to signal the child when we die, however we die."""
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
    """Start ``command`` in a session of its own, its output appended to ``log_file``."""
    with log_file.open("ab") as out:
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


def tail(log_file: Path, lines: int = 12) -> str:
    """The last lines of a log, for an error message."""
    try:
        return "\n".join(log_file.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""
