"""The one clock of the service.

Rules never ask for the time themselves; doors hold a :class:`Clock` and pass instants in.
What the *service* does (due times, windows, dates) goes by this clock. What the *machine*
does (leases, time-outs, rate limits) goes by real time: a simulated week must not make a
worker's lease expire.

``file:PATH`` names a JSON file ``{"at": ISO instant, "since": real seconds, "rate": n}``:
the clock shows ``at`` + (real now − ``since``) × ``rate``. A rate of 0 stands still until the
file's owner moves it. Writers replace the file atomically, so all processes agree.
"""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from contact_service.domain.dates import TOKYO as TOKYO


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present instant, in Asia/Tokyo."""
        ...


class SystemClock:
    """Real time."""

    def now(self) -> datetime:
        return datetime.now(TOKYO)


class FixedClock:
    """Stands where it is put; for tests."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at.astimezone(TOKYO)


class FileClock:
    """A clock that another process drives through a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def now(self) -> datetime:
        state = json.loads(self.path.read_text())
        elapsed = (time.time() - state["since"]) * state["rate"]
        return (datetime.fromisoformat(state["at"]) + timedelta(seconds=elapsed)).astimezone(TOKYO)

    def set(self, at: datetime, rate: float = 0.0) -> None:
        """Move the clock to ``at``; from there it runs ``rate`` times as fast as real time."""
        state = {"at": at.astimezone(UTC).isoformat(), "since": time.time(), "rate": rate}
        draft = self.path.with_suffix(f".{os.getpid()}.new")
        draft.write_text(json.dumps(state))
        draft.replace(self.path)


def clock_from(spec: str) -> Clock:
    """The clock that ``CONTACT_CLOCK`` names. Raises ``ValueError`` for an unknown form."""
    if spec == "system":
        return SystemClock()
    if spec.startswith("file:"):
        return FileClock(Path(spec.removeprefix("file:")))
    raise ValueError(f"CONTACT_CLOCK: unknown clock {spec!r}; use system or file:PATH")
