"""What goes wrong: a table of faults, each with what it does and how it is undone.

A fault returns the attempts that were in somebody's hands when it struck; what became of them
is told at the end.
"""

from __future__ import annotations

import random
import resource
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from datetime import time as clock_time
from uuid import UUID

from contact_service.clock import TOKYO
from contact_service.dispatch.switches import lift_switch, set_switch
from contact_service.planning import runs
from tests.chaos import world as w
from tests.chaos.worker import POINTS, armed

Struck = list[UUID]
Fault = Callable[[w.World, random.Random], Struck]
OPENS, CLOSES = clock_time(9, 0), clock_time(17, 0)
#: How soon a stop must be felt.
STOP_SECONDS = 2.0
#: What the carrier's journal calls a text and an auto-call.
EVERY_KIND = frozenset({"message", "call"})
#: How long the carrier may keep a request before it takes it (``latency_ms`` of the weather).
SLOWEST_WEATHER_SECONDS = 0.3


class FeltTooLate(Exception):
    """Something reached the carrier although it had been stopped."""


def pause(seconds: float) -> None:
    """Let the others get on."""
    threading.Event().wait(seconds)


def in_hand(world: w.World, pid: int | None = None) -> Struck:
    """The attempts that are leased now, by one process or by anybody."""
    rows = world.rows(
        "SELECT id FROM attempt WHERE state = 'leased' "
        "AND (CAST(:pid AS text) IS NULL OR split_part(lease_owner, ':', 2) = :pid)",
        pid=None if pid is None else str(pid),
    )
    return [row.id for row in rows]


def _some_worker(world: w.World, rng: random.Random) -> tuple[str, int]:
    """A worker, if it can be had within some seconds one with work in hand."""
    began = time.monotonic()
    while time.monotonic() < began + 60:
        alive = {n: p.pid for n, p in world.stack.processes.items() if n.startswith("worker")}
        busy = {n: pid for n, pid in alive.items() if in_hand(world, pid)}
        if busy or (alive and time.monotonic() > began + 5):
            return rng.choice(sorted((busy or alive).items()))
        pause(0.05)
    raise TimeoutError("no worker is alive")


def worker_killed(world: w.World, rng: random.Random) -> Struck:
    name, pid = _some_worker(world, rng)
    struck = in_hand(world, pid)
    world.kill(name)
    return struck


def killed_at(point: str) -> Fault:
    """A worker dies at a named point of the protocol."""

    def strike(world: w.World, rng: random.Random) -> Struck:
        path = armed_in(world, point)
        path.touch()
        give_up = time.monotonic() + 15
        while path.exists() and time.monotonic() < give_up:
            pause(0.02)
        if path.exists():  # nobody came by: nothing is due just now
            path.unlink(missing_ok=True)
            raise NotStruck
        (claimed,) = path.parent.glob(f"{path.name}.*")
        pid = int(claimed.suffix[1:])
        claimed.unlink()
        pause(0.1)  # "request out" dies a moment later
        return in_hand(world, pid)

    return strike


class NotStruck(Exception):
    """The fault found nothing to strike."""


def armed_in(world: w.World, point: str):  # type: ignore[no-untyped-def]
    """The file that arms ``point`` in this world."""
    return world.state / armed(point).name


def worker_halted(world: w.World, rng: random.Random) -> Struck:
    _, pid = _some_worker(world, rng)
    struck = in_hand(world, pid)
    with suppress(ProcessLookupError):
        world.signal_servers([pid], signal.SIGSTOP)
        pause(rng.uniform(2.5, 4.0))
        world.signal_servers([pid], signal.SIGCONT)
    return struck


def worker_halted_beyond_its_lease(world: w.World, rng: random.Random) -> Struck:
    _, pid = _some_worker(world, rng)
    world.signal_servers([pid], signal.SIGSTOP)
    struck = in_hand(world, pid)
    pause(w.LEASE_SECONDS + 3)
    world.signal_servers([pid], signal.SIGCONT)
    return struck


def part_killed(name: str) -> Fault:
    """One of our other processes dies."""

    def strike(world: w.World, rng: random.Random) -> Struck:
        world.kill(name)
        return []

    return strike


def postgres_killed(world: w.World, rng: random.Random) -> Struck:
    struck = in_hand(world)
    world.signal_servers(world.postgres.pids, signal.SIGKILL)
    pause(rng.uniform(0.2, 1.5))
    world.postgres.again()
    return struck


def postgres_halted(world: w.World, rng: random.Random) -> Struck:
    struck, pids = in_hand(world), world.postgres.pids
    world.signal_servers(pids, signal.SIGSTOP)
    pause(rng.uniform(1.0, 3.0))
    world.signal_servers(pids, signal.SIGCONT)
    return struck


def redis_killed(world: w.World, rng: random.Random) -> Struck:
    struck = in_hand(world)
    world.signal_servers(world.valkey.pids, signal.SIGKILL)
    pause(rng.uniform(0.2, 1.5))
    world.valkey.again()
    return struck


def redis_emptied(world: w.World, rng: random.Random) -> Struck:
    struck = in_hand(world)
    w.forget_everything(world)
    return struck


def redis_halted(world: w.World, rng: random.Random) -> Struck:
    struck, pids = in_hand(world), world.valkey.pids
    world.signal_servers(pids, signal.SIGSTOP)
    pause(rng.uniform(1.0, 4.0))
    world.signal_servers(pids, signal.SIGCONT)
    return struck


def log_disk_full(world: w.World, rng: random.Random) -> Struck:
    """No process of ours can write another byte to a file.

    The limit on the size of files does to any user's process what a full disk does: the write
    fails. It is lowered on the running processes below what their logs have already.
    """
    struck = in_hand(world)
    limited = []
    for name, process in world.stack.processes.items():
        if name == "carrier":
            continue  # its journal is what we count by
        with suppress(ProcessLookupError):
            _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, hard))
            limited.append((process.pid, hard))
    pause(rng.uniform(2.0, 3.5))
    for pid, hard in limited:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
    return struck


def in_hours(at: datetime) -> bool:
    """The harness's own idea of the campaign's hours: working days, nine to five."""
    local = at.astimezone(TOKYO)
    holiday = (local.month, local.day) in {(11, 3), (11, 23)}
    return local.weekday() < 5 and not holiday and OPENS <= local.time() < CLOSES


def next_opening(at: datetime) -> datetime:
    """The next working morning."""
    day = at.astimezone(TOKYO).replace(hour=9, minute=0, second=5, microsecond=0)
    while day <= at or not in_hours(day):
        day += timedelta(days=1)
    return day


def clock_forward(world: w.World, rng: random.Random) -> Struck:
    struck, now = in_hand(world), world.clock.now()
    later = now + timedelta(minutes=rng.uniform(5, 40))
    world.jump(later if in_hours(later) else next_opening(now))
    return struck


def clock_back(world: w.World, rng: random.Random) -> Struck:
    struck, now = in_hand(world), world.clock.now()
    earlier = now - timedelta(minutes=rng.uniform(1, 40))
    world.jump(earlier if in_hours(earlier) else now)
    return struck


def clock_beyond_closing(world: w.World, rng: random.Random) -> Struck:
    """Closing time comes while everybody is at work; then it is the day before again."""
    struck, before = in_hand(world), world.clock.now()
    world.jump(before.astimezone(TOKYO).replace(hour=16, minute=59, second=59, microsecond=0))
    pause(rng.uniform(3.0, 4.5))
    world.jump(before)
    return struck


def _felt(world: w.World, kinds: frozenset[str] = EVERY_KIND) -> None:
    """Raise :class:`FeltTooLate` unless the carrier gets nothing of ``kinds`` from two seconds on.

    What had come to the carrier's door by then counts as taken by then, however busy it is: it
    has answered a question of ours since, and no weather makes it wait longer than a moment.
    """

    def taken() -> set[str]:
        return {e["sid"] for e in world.journal("accepted") if e["kind"] in kinds}

    pause(STOP_SECONDS)
    world.carrier("faults")
    pause(SLOWEST_WEATHER_SECONDS)
    before = taken()
    pause(1.5)
    if late := taken() - before:
        raise FeltTooLate(f"{len(late)} contacts reached the carrier after a stop: {sorted(late)}")


def run_paused(world: w.World, rng: random.Random) -> Struck:
    engine = world.service.engine
    struck = in_hand(world)
    w.insist(lambda: runs.pause(engine, w.STAFF, world.run_id, world.clock.now()))
    try:
        _felt(world)
    finally:
        w.insist(lambda: runs.resume(engine, w.STAFF, world.run_id, world.clock.now()))
    return struck


def stopped(scope: str, kinds: frozenset[str] = EVERY_KIND) -> Fault:
    """A stop switch is set for some seconds; it must stop contacts of ``kinds``."""

    def strike(world: w.World, rng: random.Random) -> Struck:
        engine = world.service.engine
        struck = in_hand(world)
        w.insist(
            lambda: set_switch(engine, w.STAFF, scope, "chaos", world.clock.now(), [w.CARRIER])
        )
        try:
            # a channel's stop lets the other channel go on
            _felt(world, kinds)
        finally:
            w.insist(lambda: lift_switch(engine, w.APPROVER, scope, world.clock.now()))
        return struck

    return strike


#: What can happen to processes, servers, clock and staff.
FAULTS: dict[str, Fault] = {
    "worker killed": worker_killed,
    **{f"worker killed: {point}": killed_at(point) for point in POINTS},
    "worker halted": worker_halted,
    "beat killed": part_killed("beat"),
    "web killed": part_killed("web"),
    "PostgreSQL killed": postgres_killed,
    "PostgreSQL halted": postgres_halted,
    "Redis killed": redis_killed,
    "Redis emptied": redis_emptied,
    "Redis halted": redis_halted,
    "log disk full": log_disk_full,
    "clock forward": clock_forward,
    "clock back": clock_back,
    "clock beyond closing": clock_beyond_closing,
    "run paused": run_paused,
    "all stopped": stopped("all"),
}
#: What takes longer than a short run has.
SLOW_FAULTS: dict[str, Fault] = {
    "worker halted beyond its lease": worker_halted_beyond_its_lease,
    "channel stopped": stopped("channel:sms", frozenset({"message"})),
    "provider stopped": stopped(f"provider:{w.CARRIER}"),
}

#: How the carrier misbehaves, one after another; some of the callbacks' faults always.
WEATHER: tuple[dict[str, float], ...] = (
    {"latency_ms": 40},
    {"rate_429": 0.6},
    {"error_500_after_accepting": 0.15},
    {"hang_after_accepting": 0.1},
    {"reset_after_accepting": 0.15},
    {"reset_before": 0.15},
    {"error_500_before": 0.15},
    {"drop_callbacks": 0.5},
    {"double_callbacks": 0.5, "reorder_callbacks": 0.5},
    {"late_callbacks": 0.5, "late_seconds": 900},
    {"latency_ms": 250},
)
ALWAYS: dict[str, float] = {"drop_callbacks": 0.03, "double_callbacks": 0.05, "latency_ms": 20}
