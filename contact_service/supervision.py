"""Keeping a set of processes alive: start in order, watch, restart, stop in reverse order."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from contact_service.embedded.process import CannotStart, cap, spawn, tail

LOOK_SECONDS = 0.1
CAP_SECONDS = 10.0
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
STEADY_SECONDS = 60.0
"""Who ran this long before ending is restarted as if it had never ended before."""
HOPELESS = 3
"""Who ends this often before ever being ready is not waited for."""


@dataclass(frozen=True, slots=True)
class Part:
    """One process.

    Parts start in order of ``stage`` and stop in the reverse order, those of one stage
    together. ``address`` answers with 200, or ``phrase`` appears in the log, once it is ready;
    with neither it is ready as soon as it runs.
    """

    name: str
    command: tuple[str, ...]
    stage: int
    address: str | None = None
    phrase: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0


class _Child:
    """A part and the process that plays it at the moment."""

    def __init__(
        self, part: Part, log: Path, environment: dict[str, str], longest_wait: float
    ) -> None:
        self.part = part
        self.log = log
        self._longest_wait = longest_wait
        self.process: subprocess.Popen[bytes] | None = None
        self.due = 0.0
        self.ends = 0
        self._environment = environment
        self._wait = FIRST_WAIT
        self._since = 0.0
        self._ready = False
        self._log_from = 0

    def start(self) -> None:
        self._ready = False
        cap(self.log)
        self._log_from = self.log.stat().st_size if self.log.exists() else 0
        self.process = spawn(self.part.command, self.log, env=self._environment)
        self._since = time.monotonic()

    def ended(self) -> int | None:
        """The exit code of a process that ended just now; a restart is due after a while."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        self.process = None
        if time.monotonic() - self._since > STEADY_SECONDS:
            self._wait, self.ends = FIRST_WAIT, 0
        self.put_off()
        return code

    def put_off(self) -> None:
        """Let the next start wait, each time twice as long."""
        self.due = time.monotonic() + self._wait
        self._wait = min(self._wait * 2, self._longest_wait)
        self.ends += 1

    def ready(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            return False
        if not self._ready:
            if self.part.address is not None:
                self._ready = _answers(self.part.address)
            elif self.part.phrase is not None:
                self._ready = self.part.phrase.encode() in self._printed()
            else:
                self._ready = True
        return self._ready

    def signal(self, number: int) -> None:
        """Signal the process and, to end it at once, all that it started."""
        if self.process is None or self.process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(self.process.pid, number)
            else:
                self.process.send_signal(number)

    def _printed(self) -> bytes:
        with suppress(FileNotFoundError), self.log.open("rb") as log:
            log.seek(self._log_from)
            return log.read()
        return b""


class Supervisor:
    """Runs parts until :meth:`stop`; none outlives this process, however it ends.

    ``report`` is told, in words, of each part that ends by itself. A part that keeps ending
    waits longer each time, ``longest_wait`` seconds at most.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        logs: Path,
        environment: Mapping[str, str],
        report: Callable[[str], None],
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        self._children = {
            part.name: _Child(part, logs / f"{part.name}.log", dict(environment), longest_wait)
            for part in sorted(parts, key=lambda part: part.stage)
        }
        self._logs = logs
        self._report = report
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._over = threading.Event()
        # Linux ends a child when the thread that started it ends: one thread starts them all
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    @property
    def processes(self) -> dict[str, subprocess.Popen[bytes]]:
        """The processes that run at this moment, by the names of their parts."""
        with self._lock:
            running = {name: child.process for name, child in self._children.items()}
        return {name: process for name, process in running.items() if process is not None}

    def start(self) -> None:
        """Begin to run the parts; :meth:`wait_ready` says when they do. Raises ``OSError``."""
        self._logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._watcher.start()

    def wait_ready(self, timeout: float) -> None:
        """Return when every part is ready.

        Raises :class:`CannotStart`, with the end of its log, for one that keeps ending or is
        not ready after ``timeout`` seconds.
        """
        give_up = time.monotonic() + timeout
        waiting = list(self._children.values())
        while waiting:
            with self._lock:
                waiting = [child for child in waiting if not child.ready()]
                hopeless = [child for child in waiting if child.ends >= HOPELESS]
            if hopeless or (waiting and time.monotonic() > give_up):
                child = (hopeless or waiting)[0]
                raise CannotStart(
                    f"{child.part.name} が起動しません / does not start ({child.log}):\n"
                    f"{tail(child.log)}"
                )
            time.sleep(LOOK_SECONDS / 2)

    def wait(self) -> None:
        """Return when somebody calls :meth:`stop`."""
        while not self._stopping.wait(1.0):
            pass

    def kill(self, name: str) -> None:
        """End one part at once with SIGKILL, as a crash would; it is restarted.

        Raises ``KeyError`` for an unknown name.
        """
        with self._lock:
            self._children[name].signal(signal.SIGKILL)

    def stop(self) -> None:
        """End all parts, last started first. Interrupted meanwhile, end them at once."""
        with self._lock:
            self._stopping.set()
        try:
            for stage in sorted({c.part.stage for c in self._children.values()}, reverse=True):
                self._stop_stage([c for c in self._children.values() if c.part.stage == stage])
        finally:
            for child in self._children.values():
                child.signal(signal.SIGKILL)
            self._over.set()
            if self._watcher.is_alive():
                self._watcher.join()

    def _stop_stage(self, children: list[_Child]) -> None:
        for child in children:
            child.signal(child.part.stop_signal)
        give_up = time.monotonic() + max(child.part.stop_seconds for child in children)
        for child in children:
            if child.process is None:
                continue
            try:
                child.process.wait(max(0.0, give_up - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.signal(signal.SIGKILL)
                child.process.wait()

    def _watch(self) -> None:
        cap_at = time.monotonic() + CAP_SECONDS
        while not self._over.wait(LOOK_SECONDS):
            if self._stopping.is_set():
                continue
            with self._lock:
                for child in self._children.values():
                    self._tend(child)
            if time.monotonic() > cap_at:
                for child in self._children.values():
                    with suppress(OSError):  # a full disk; the parts go on
                        cap(child.log)
                cap_at = time.monotonic() + CAP_SECONDS

    def _tend(self, child: _Child) -> None:
        if self._stopping.is_set():
            return
        code = child.ended()
        if code is not None:
            seconds = child.due - time.monotonic()
            self._report(
                f"{child.part.name} が予期せず終了しました（{code}）。{seconds:.1f} 秒後に"
                f"再起動します / {child.part.name} ended unexpectedly ({code}); again in "
                f"{seconds:.1f} s ({child.log})"
            )
        if child.process is None and time.monotonic() >= child.due:
            try:
                child.start()
            except OSError as error:  # a full disk, no memory: it may pass
                child.put_off()
                self._report(f"{child.part.name}: {error}")


def _answers(address: str) -> bool:
    """Whether an address answers with 200; a proxy in the environment is passed by."""
    try:
        with build_opener(ProxyHandler({})).open(address, timeout=2) as response:
            return bool(response.status == 200)
    except (URLError, OSError, ValueError):
        return False
