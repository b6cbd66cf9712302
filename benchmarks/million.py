"""A million attempts through two workers: how leasing and memory behave on the way."""

from __future__ import annotations

import re
import time
import urllib.request
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from benchmarks.dispatch import IN_FLIGHT, WORKERS, send_all
from benchmarks.office import CARRIER, Office, wait
from benchmarks.result import Samples
from campaigns.vocabulary import Channel
from contact_service.dispatch.lease import lease
from contact_service.planning.definitions import definitions_running

FEW = 10_000
#: Shares of the whole after which leasing is measured.
MARKS = (0.1, 0.5, 0.9)
LEASES = 21
_VACUUMING = "SELECT 1 FROM pg_stat_activity WHERE backend_type = 'autovacuum worker' LIMIT 1"


def measure(office: Office, attempts: int, only: set[str]) -> Samples:
    """Peak memory of a worker (MB) over few and over ``attempts`` attempts, and the time of a
    lease of 500 (ms) at each of :data:`MARKS`."""
    found = Samples()
    with office.stub() as carrier:
        if "memory_growth" in only:
            with office.workers(carrier, IN_FLIGHT, WORKERS) as workers:
                send_all(office, office.due(FEW))
                found.add("peak_mb_few", max(map(_peak_mb, workers)))
        run = office.due(attempts)
        with office.workers(carrier, IN_FLIGHT, WORKERS) as workers:
            office.begin(run)
            for mark in MARKS:
                _until(carrier, int(attempts * mark * 0.98))  # the rest must not go out
                _lease_times(office, run, f"lease_ms_{mark:.0%}", found)
            if "memory_growth" in only:
                send_all(office, run)
                found.add("peak_mb_many", max(map(_peak_mb, workers)))
    return found


def _until(carrier: str, accepted: int) -> None:
    def enough() -> bool:
        with urllib.request.urlopen(carrier, timeout=10) as answer:
            return int(answer.read()) >= accepted

    while not enough():
        time.sleep(0.1)


def _lease_times(office: Office, run: UUID, name: str, found: Samples) -> None:
    """Lease and take it back, while the workers hold still and the database does no housework:
    a table of a million rows is vacuumed for seconds, on one of the two cores, at any mark."""
    office.sql("UPDATE run SET state = 'paused' WHERE id = :id", id=run)
    with office.service.engine.connect() as connection:
        wait(
            lambda: not connection.scalar(text("SELECT 1 FROM attempt WHERE state = 'leased'")),
            60,
        )
        connection.rollback()
        connection.execute(text("CHECKPOINT"))
        wait(lambda: not connection.scalar(text(_VACUUMING)), 300)
        connection.rollback()
        for number in range(LEASES + 2):
            connection.execute(
                text("UPDATE run SET state = 'running' WHERE id = :id"), {"id": run}
            )  # nobody else sees that
            began = time.perf_counter()
            leases, looked_at = lease(
                connection, definitions_running(connection), Channel.SMS, CARRIER, "benchmark",
                office.clock.now(), 500, 90, carrier="simulated",
            )  # fmt: skip
            taken = 1000 * (time.perf_counter() - began)
            connection.rollback()
            assert looked_at == 500 and leases, (looked_at, len(leases))
            if number >= 2:  # the first ones fill caches
                found.add(name, taken)
    office.begin(run)


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak is not None
    return int(peak[1]) / 1024
