"""One run: faults for some minutes, then peace, then the count."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.error import URLError
from uuid import UUID

from sqlalchemy import text

from tests.chaos import faults as f
from tests.chaos import verdict as v
from tests.chaos import world as w

#: However short the run: a stop is felt while all is well, and a worker dies with work in hand.
STOPS_FIRST = ("all stopped", "run paused", "worker killed: recording")
#: Part of the time of faults in which all could be sent, were there none.
BUSY = 0.6
#: How long what is open may take to come to its end, beside twice the time of faults.
MOST_SETTLE_SECONDS = 240.0


@dataclass
class Run:
    """What happened."""

    seed: int
    injected: Counter[str] = field(default_factory=Counter)
    struck: dict[str, set[UUID]] = field(default_factory=dict)
    marks: list[v.Mark] = field(default_factory=list)
    late_stops: list[str] = field(default_factory=list)
    carrier: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    fates: dict[UUID, str] = field(default_factory=dict)
    unknowns: Counter[str] = field(default_factory=Counter)


def chaos(
    attempts: int,
    seconds: float,
    seed: int,
    workers: int,
    say: Callable[[str], None],
    settle_seconds: float | None = None,
    first: Sequence[str] = STOPS_FIRST,
) -> tuple[v.Verdict, Run]:
    """Run it. ``seconds`` is how long things go wrong; settling comes on top."""
    people = max(10, int(attempts / w.STEPS_A_PERSON) + 1)
    rate = max(20.0, attempts / (seconds * BUSY))
    run = Run(seed)
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="contact-chaos-") as folder,
        w.world(Path(folder), people, rate, workers) as world,
    ):
        say(f"{world.states()} at {rate:.0f}/s, {workers} workers, seed {seed}")
        _trouble(world, run, seconds, say, first)
        say(f"peace after {time.monotonic() - started:.0f} s: {world.states()}")
        _settle(world, say, settle_seconds or MOST_SETTLE_SECONDS + 2 * seconds)
        run.carrier = Counter(world.carrier("faults")["injected"])
        verdict = v.judge(
            world, run.marks, run.injected.total() + run.carrier.total(), run.late_stops
        )
        run.fates = _fates(world)
        run.unknowns = _unknowns(world)
        say(f"judged after {time.monotonic() - started:.0f} s")
    run.seconds = time.monotonic() - started
    return verdict, run


def _trouble(
    world: w.World, run: Run, seconds: float, say: Callable[[str], None], first: Sequence[str]
) -> None:
    over = threading.Event()
    threads = [
        threading.Thread(target=_weather, args=(world, random.Random(f"{run.seed}/weather"), over)),
        threading.Thread(target=_arrivals, args=(world, run, over)),
    ]
    for thread in threads:
        thread.start()
    try:
        _processes(world, run, seconds, say, first)
    finally:
        over.set()
        for thread in threads:
            thread.join()
        say("no more faults")


def _processes(
    world: w.World, run: Run, seconds: float, say: Callable[[str], None], first: Sequence[str]
) -> None:
    rng = random.Random(f"{run.seed}/processes")
    known = f.FAULTS | (f.SLOW_FAULTS if seconds > 150 else {})
    began, second_day = time.monotonic(), False
    order: list[str] = []
    while (elapsed := time.monotonic() - began) < seconds:
        if elapsed > seconds * 0.45 and not second_day:
            world.jump(f.next_opening(world.clock.now()))  # the second wave falls due
            second_day = True
        if not order:
            order = sorted(known)
            rng.shuffle(order)
            if not run.injected:
                order += reversed(first)
        name = order.pop()
        try:
            struck = known[name](world, rng)
        except f.NotStruck:
            continue
        except f.FeltTooLate as late:
            run.late_stops.append(f"{name}: {late}")
            struck = []
        say(f"{elapsed:6.1f} s  {name}: {len(struck)} in hand")
        run.injected[name] += 1
        run.struck.setdefault(name, set()).update(struck)
        f.pause(rng.uniform(0.1, 0.8))
        if elapsed > w.LEASE_SECONDS * 4:
            continue  # long runs wait until leases run out by themselves
        world.expire_leases_of_the_dead()


def _weather(world: w.World, rng: random.Random, over: threading.Event) -> None:
    order: list[dict[str, float]] = []
    while not over.is_set():
        if not order:
            order = list(f.WEATHER)
            rng.shuffle(order)
        with suppress(URLError, TimeoutError):
            world.carrier("faults", {**f.ALWAYS, **order.pop()})
        over.wait(rng.uniform(1.0, 2.5))
    world.carrier("faults", {})


def _arrivals(world: w.World, run: Run, over: threading.Event) -> None:
    """Payments and restrictions come in all the time."""
    rng = random.Random(f"{run.seed}/arrivals")
    while not over.wait(rng.uniform(0.2, 0.5)):
        rows = world.rows(
            "SELECT t.addressee_id, t.phone_id FROM attempt a JOIN target t ON t.id = a.target_id "
            "WHERE a.state = 'planned' AND a.id > :at ORDER BY a.id LIMIT 2",
            at=UUID(int=rng.getrandbits(128)),
        )
        for row in rows:
            what = rng.choice(("payment", "deceased", "collection_deferred", "opted_out"))
            w.insist(lambda row=row, what=what: _arrive(world, what, row))  # type: ignore[misc]
            # committed for certain: from now on it counts
            (now,) = world.rows("SELECT clock_timestamp() AS at")
            run.marks.append(v.Mark(row.addressee_id, what, now.at))


def _arrive(world: w.World, what: str, row) -> None:  # type: ignore[no-untyped-def]
    with world.service.engine.begin() as connection:
        if what == "payment":
            connection.execute(
                text("UPDATE claim SET outstanding_yen = 0 WHERE debtor_id = :id"),
                {"id": row.addressee_id},
            )
            return
        connection.execute(
            text(
                "INSERT INTO restriction (kind, debtor_id, debtor_code, phone_id, starts_on, "
                "origin) VALUES (:kind, :debtor, :code, :phone, '2020-01-01', 'file') "
                "ON CONFLICT DO NOTHING"
            ),
            {
                "kind": what,
                "debtor": None if what == "opted_out" else row.addressee_id,
                "code": None if what == "opted_out" else str(row.addressee_id),
                "phone": row.phone_id if what == "opted_out" else None,
            },
        )


def _settle(world: w.World, say: Callable[[str], None], seconds: float) -> None:
    """Peace: everything is up again, time goes by, and all that is open comes to its end."""
    give_up = time.monotonic() + seconds
    said = time.monotonic()
    # what was sent before the clock went back is asked about when that time comes again, and a
    # call holds its line until then
    latest = max((moment for jump in world.jumps for moment in jump), default=world.clock.now())
    if latest > world.clock.now() and f.in_hours(latest):
        world.jump(latest)
    while time.monotonic() < give_up:
        world.expire_leases_of_the_dead()
        # what would take half a minute: the pause between two questions about one attempt
        world.rows("UPDATE attempt SET checked_at = NULL WHERE state IN ('accepted', 'unknown')")
        states = world.rows(
            "SELECT count(*) FILTER (WHERE due AND channel = 'sms') AS messages_due, "
            "count(*) FILTER (WHERE due AND channel = 'auto_call') AS calls_due, "
            "count(*) FILTER (WHERE state IN ('planned', 'leased', 'accepted') "
            "OR (state = 'unknown' AND NOT needs_person)) AS left FROM attempt, "
            "LATERAL (SELECT state = 'planned' AND due_at <= :now AS due) judged",
            now=world.clock.now(),
        )[0]
        if not states.left:
            return
        if time.monotonic() - said > 10:
            say(f"settling: {world.states()}")
            said = time.monotonic()
        f.pause(1.0)
        if states.messages_due < 50:  # nothing to do at this hour: let time pass
            # calls hold their lines for minutes, and so do those that wait for a line
            later = world.clock.now() + timedelta(minutes=2 if states.calls_due else 31)
            world.jump(later if f.in_hours(later) else f.next_opening(world.clock.now()))


def _fates(world: w.World) -> dict[UUID, str]:
    rows = world.rows(
        "SELECT id, CASE WHEN needs_person THEN 'on the staff''s list' "
        "WHEN state = 'finished' AND provider_ref IS NOT NULL THEN 'contacted once' "
        "ELSE state END AS fate FROM attempt"
    )
    return {row.id: row.fate for row in rows}


def _unknowns(world: w.World) -> Counter[str]:
    rows = world.rows(
        "SELECT coalesce(reason, '-') AS r, count(*) AS n FROM chaos_unknown GROUP BY 1"
    )
    return Counter({row.r: row.n for row in rows})
