"""Driving the clock: as far as nothing is left to do, then on to the next half-hour.

The simulated weeks take as long as the work in them. The clock stands still while workers,
webhooks and the simulated carrier do what is due, so that what happens does not depend on how
fast the machine is.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import Any

from sqlalchemy import text

from contact_service.bootstrap import Service
from contact_service.clock import TOKYO, FileClock
from contact_service.dispatch.lease import open_now
from contact_service.domain.actors import SYSTEM
from contact_service.domain.windows import is_holiday
from contact_service.intake.importing import import_file
from contact_service.planning.definitions import definitions_running

MORNING = time_of_day(7, 30)
OPENS, CLOSES = time_of_day(8, 30), time_of_day(20, 30)
HALF_HOUR = timedelta(minutes=30)
PATIENCE_SECONDS = 60.0


class Stuck(Exception):
    """Work that was due did not get done."""


def stops(first: date, last: date, end: date) -> list[datetime]:
    """The instants at which the clock stops: every morning from ``first`` to ``end``, and the
    half-hours of working days up to ``last``."""
    return list(_stops(first, last, end))


def _stops(first: date, last: date, end: date) -> Iterator[datetime]:
    day = first
    while day <= end:
        yield datetime.combine(day, MORNING, TOKYO)
        if day <= last and day.weekday() < 5 and not is_holiday(day):
            at = datetime.combine(day, OPENS, TOKYO)
            while at.time() <= CLOSES:
                yield at
                at += HALF_HOUR
        day += timedelta(days=1)


def drive(
    service: Service,
    clock: FileClock,
    outbox: Path,
    instants: Iterable[datetime],
    on_progress: Callable[[datetime], None],
) -> None:
    """Move the clock from one of ``instants`` to the next, importing what the office is handed
    each morning. Raises :class:`Stuck`."""
    imported: set[Path] = set()
    for at in instants:
        clock.set(at)
        _until_quiet(service)
        if at.time() == MORNING:
            for path in sorted(set(outbox.glob("*.csv")) - imported):
                import_file(service, SYSTEM, "payments", path, training=True)
                imported.add(path)
        on_progress(at)


def _until_quiet(service: Service) -> None:
    """Return when neither the carrier nor the service has anything left to do right now."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    pause = 0.01
    while not (_carrier_idle(service) and not _service_busy(service) and _carrier_idle(service)):
        if time.monotonic() > give_up:
            raise Stuck(
                f"{service.clock.now():%Y-%m-%d %H:%M}: 処理が進みません。"
                f"{service.settings.state_dir}/logs を見てください / nothing moves; see the logs"
            )
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


def ask_carrier(service: Service, path: str) -> dict[str, Any]:
    """What the simulated carrier says of itself. Raises ``OSError``."""
    address = f"{service.settings.carrier_url}/simulation/{path}"
    with urllib.request.urlopen(address, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def _carrier_idle(service: Service) -> bool:
    return bool(ask_carrier(service, "state?wait=5")["idle"])


def _service_busy(service: Service) -> bool:
    """Whether something is due, under way, or to be settled."""
    now = service.clock.now()
    with service.engine.connect() as connection:
        open_runs = open_now(definitions_running(connection), now)
        return bool(
            connection.scalar(
                text("""
                SELECT EXISTS (SELECT 1 FROM attempt WHERE channel <> 'operator' AND (
                    state = 'leased' OR (state = 'unknown' AND NOT needs_person)
                    OR (state = 'planned' AND due_at <= :now AND run_id = ANY(:runs))))
                """),
                {"now": now, "runs": open_runs},
            )
        )
