"""The service's Celery application in a worker that dies where it is told to.

The harness puts a file ``arm-POINT`` into the state folder; the first worker that reaches that
point of the protocol renames it (so that one dies, not all) and kills itself with SIGKILL.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

from tests.chaos import mutants

mutants.before_import()

from campaigns.vocabulary import Channel  # noqa: E402
from contact_service import worker  # noqa: E402
from contact_service.dispatch.drain import Lane  # noqa: E402
from contact_service.settings import settings  # noqa: E402

app = worker.app

#: Points of the protocol, as ``dispatch.drain`` names them; ``request out`` is a moment after
#: ``sending``, while the carrier has the request and we have no answer.
POINTS = ("leased", "committed", "sending", "request out", "answered", "recording")
OUT_SECONDS = 0.03

_folder = Path(settings().state_dir)


def armed(point: str) -> Path:
    """The file that arms a point."""
    return _folder / f"arm-{point.replace(' ', '-')}"


def _claim(point: str) -> bool:
    path = armed(point)
    try:
        path.rename(path.with_name(f"{path.name}.{os.getpid()}"))
    except FileNotFoundError:
        return False
    return True


def die() -> None:
    """As a crash would have it: no goodbye to anybody."""
    os.kill(os.getpid(), signal.SIGKILL)


def reached(point: str) -> None:
    """Die here if told to."""
    if _claim(point):
        die()
    if point == "sending" and _claim("request out"):
        threading.Timer(OUT_SECONDS, die).start()


_lane = worker.Dispatcher.lane


def _lane_that_dies(
    self: worker.Dispatcher, name: str, channel: Channel, *, urgent: bool = False
) -> Lane:
    lane = _lane(self, name, channel, urgent=urgent)
    lane.reached = reached
    return lane


worker.Dispatcher.lane = _lane_that_dies  # type: ignore[method-assign]
mutants.after_import()
