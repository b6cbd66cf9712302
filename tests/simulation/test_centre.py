"""The centre: queueing as theory says, hours, outbound work, and records that never get lost."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from twilio.rest import Client

from contact_service.clock import TOKYO, FixedClock
from contact_service.domain.states import CallResult, DispositionKind
from contact_service.simulation.app import Situation, simulation
from contact_service.simulation.centre import service as service_line
from contact_service.simulation.centre.floor import Caller, Floor, Handled, Release
from contact_service.simulation.centre.hours import Duty
from contact_service.simulation.centre.profile import DAYS, INBOUND_BY_HALF_HOUR
from contact_service.simulation.draws import Draws
from contact_service.simulation.server import server_for
from contact_service.simulation.timeline import Timeline
from tests.conftest import WARD
from tests.simulation.support import ACCOUNT, OURS, START, Elsewhere, serving
from tests.simulation.test_residents import population

MORNING = START.replace(hour=8, minute=0)
FOREVER = timedelta(days=3650)


@dataclass
class Always:
    """A roster that never changes."""

    operators: int

    def on_duty(self, at: datetime) -> int:
        return self.operators

    def next_change(self, at: datetime) -> datetime:
        return at + FOREVER


def queue(
    operators: int,
    callers: int,
    gap: float,
    talk: Callable[[Draws, int], float],
    patience: float | None = None,
) -> list[Handled]:
    """Poisson arrivals, served first come first served."""
    draws, handled = Draws("queue"), list[Handled]()
    timeline = Timeline(FixedClock(START))
    floor = Floor(timeline, Always(operators), operators, 0.0)
    at = START
    for n in range(callers):
        at += timedelta(seconds=draws.exponential(gap, "gap", n))
        caller = Caller(
            at,
            timedelta(seconds=talk(draws, n)),
            timedelta(0),
            FOREVER
            if patience is None
            else timedelta(seconds=draws.exponential(patience, "patience", n)),
            None,
            handled.append,
        )
        timeline.at(at, lambda _, who=caller: floor.arrive(who))  # type: ignore[misc]
    while timeline.work_off(at + timedelta(days=2)):
        pass
    assert len(handled) == callers
    return handled


def mean_wait(handled: list[Handled]) -> float:
    waits = [h.answered_at - h.caller.arrived_at for h in handled if h.answered_at]
    return sum(waits, timedelta(0)).total_seconds() / len(waits)


def test_waiting_for_six_operators_is_as_erlang_says() -> None:
    """M/M/n: C = N·B/(N − A(1−B)), mean wait C·AHT/(N − A)."""
    n, aht, gap = 6, 240.0, 50.0
    handled = queue(n, 40_000, gap, lambda d, k: d.exponential(aht, "talk", k))
    load = aht / gap
    blocked = 1.0
    for k in range(1, n + 1):
        blocked = load * blocked / (k + load * blocked)
    waiting = n * blocked / (n - load * (1 - blocked))
    assert abs(mean_wait(handled) / (waiting * aht / (n - load)) - 1) < 0.1
    waited = sum(h.answered_at > h.caller.arrived_at for h in handled if h.answered_at)
    assert abs(waited / len(handled) - waiting) < 0.02


def test_waiting_for_one_operator_with_lognormal_talks() -> None:
    """M/G/1, Pollaczek–Khinchine: λE[S²] / 2(1 − ρ)."""
    mean, sigma, gap = 150.0, 0.588, 250.0
    handled = queue(1, 40_000, gap, lambda d, k: d.lognormal(mean, sigma, "talk", k))
    second_moment = mean**2 * math.exp(sigma**2)
    expected = second_moment / gap / (2 * (1 - mean / gap))
    assert abs(mean_wait(handled) / expected - 1) < 0.1


def test_impatient_callers_leave_and_rarer_when_there_are_more_operators() -> None:
    """With patience as long as talks and one operator, M/M/1+M: the queue is M/M/∞-like in
    its departures, so P(busy) = 1 − e^(−λ/μ) and the share served is μ·P(busy)/λ."""
    handled = queue(1, 30_000, 150.0, lambda d, k: d.exponential(150.0, "talk", k), 150.0)
    served = sum(h.extension is not None for h in handled) / len(handled)
    assert abs(served - (1 - math.exp(-1))) < 0.015
    more = queue(2, 30_000, 150.0, lambda d, k: d.exponential(150.0, "talk", k), 150.0)
    assert sum(h.extension is not None for h in more) / len(more) > served + 0.15


def test_outbound_work_leaves_operators_for_those_who_call() -> None:
    timeline = Timeline(FixedClock(START))
    taken: list[tuple[str, Release]] = []

    class List:
        def offers(self, at: datetime) -> bool:
            return True

        def take(self, extension: str, at: datetime, release: Release, look_again: Release) -> None:
            taken.append((extension, release))

    floor = Floor(timeline, Always(6), 6, 0.6, List())
    floor.begin(START)
    timeline.work_off(START)
    assert [extension for extension, _ in taken] == ["201", "202", "203"]
    handled: list[Handled] = []
    callers = [
        Caller(START, timedelta(seconds=60), timedelta(0), FOREVER, None, handled.append)
        for _ in range(4)
    ]
    for caller in callers:
        floor.arrive(caller)
    assert floor.waiting == 1
    taken[0][1](START + timedelta(seconds=5))  # 201 is free, and serves before calling out
    assert (floor.waiting, len(taken)) == (0, 3)


def test_hours() -> None:
    duty = Duty(6, 0.34)
    day = datetime(2026, 10, 26, tzinfo=TOKYO)
    table = {(8, 29): 0, (8, 30): 6, (17, 14): 6, (17, 15): 2, (19, 59): 2, (20, 0): 0}
    for (hour, minute), operators in table.items():
        assert duty.on_duty(day.replace(hour=hour, minute=minute)) == operators
    assert duty.on_duty(datetime(2026, 11, 3, 10, tzinfo=TOKYO)) == 0  # 文化の日
    assert duty.on_duty(datetime(2026, 12, 29, 10, tzinfo=TOKYO)) == 0
    assert duty.on_duty(datetime(2026, 10, 31, 10, tzinfo=TOKYO)) == 0  # a Saturday
    friday_night = datetime(2026, 10, 30, 21, tzinfo=TOKYO)
    assert str(duty.next_opening(friday_night)) == "2026-11-02"
    assert duty.next_change(friday_night) == datetime(2026, 10, 31, 8, 30, tzinfo=TOKYO)


def test_the_profile_is_the_september_files() -> None:
    path = WARD / "電話催告センター通話記録_202609.csv"
    counted: Counter[tuple[int, int]] = Counter()
    days = set()
    for line in path.read_text("cp932").splitlines()[1:]:
        at, direction = line.split(",")[:2]
        instant = datetime.strptime(at, "%Y/%m/%d %H:%M:%S")  # noqa: DTZ007
        days.add(instant.date())
        if direction == "受電":
            counted[instant.hour, instant.minute // 30 * 30] += 1
    assert {(t.hour, t.minute): n for t, n in INBOUND_BY_HALF_HOUR.items()} == counted
    assert len(days) == DAYS


@dataclass
class Desk:
    """The service as the centre uses it."""

    people: list[str] = field(default_factory=list)
    asked: list[datetime] = field(default_factory=list)
    dispositions: list[dict[str, Any]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    pressed: Counter[str] = field(default_factory=Counter)
    dialled: list[dict[str, str]] = field(default_factory=list)
    away: int = 0
    """Answer this many records with 503."""
    clock: FixedClock = field(default_factory=lambda: FixedClock(MORNING))
    url: str = ""
    carrier: str = ""
    """Where the simulation listens."""

    async def next(self, request: Request) -> Response:
        self.tokens.add(request.headers["authorization"])
        operator = (await request.json())["operator"]
        assert operator in {"201", "202", "203", "204", "205", "206"}
        self.asked.append(self.clock.at)
        if not self.people:
            return Response(status_code=204)
        return JSONResponse({"attempt_id": len(self.people), "phone": self.people.pop()})

    async def dispose(self, request: Request) -> Response:
        if self.away > 0:
            self.away -= 1
            return Response(status_code=503)
        self.dispositions.append(await request.json())
        return JSONResponse({})

    async def speak(self, request: Request) -> Response:
        """TwiML: a question, once more a question, then the centre."""
        form = dict(parse_qsl((await request.body()).decode()))
        if "DialCallStatus" in form:
            self.dialled.append(form)
            return Response("<Response/>", media_type="text/xml")
        self.pressed[form["CallSid"]] += form.get("Digits") == "1"
        if self.pressed[form["CallSid"]] == 2:
            body = f'<Dial action="/voice">{OURS}</Dial>'
        else:
            body = '<Gather numDigits="1" action="/voice"><Say>区役所です。</Say></Gather>'
        return Response(f"<Response>{body}</Response>", media_type="text/xml")

    async def log(self, request: Request) -> Response:
        if self.away > 0:
            self.away -= 1
            return Response(status_code=503)
        self.calls.extend(await request.json())
        return JSONResponse({})


@asynccontextmanager
async def office(desk: Desk, folder: Path, operators: int = 6) -> AsyncIterator[Callable[..., Any]]:
    """The whole simulation beside a service; yields what moves the clock on."""
    web = Starlette(
        routes=[
            Route("/api/operator/next", desk.next, methods=["POST"]),
            Route("/api/operator/dispositions", desk.dispose, methods=["POST"]),
            Route("/api/calls", desk.log, methods=["POST"]),
            Route("/voice", desk.speak, methods=["POST"]),
        ]
    )
    async with serving(server_for(web, "127.0.0.1", 0)) as desk.url:
        situation = Situation(
            clock=desk.clock,
            population=population(300),
            folder=folder,
            seed="office",
            account=ACCOUNT,
            service_url=desk.url,
            api_token="letmein",
            centre_number=OURS,
            operators=operators,
        )
        app, timeline = simulation(situation)
        async with serving(server_for(app, "127.0.0.1", 0)) as desk.carrier:

            async def pass_time(**duration: float) -> None:
                desk.clock.at += timedelta(**duration)
                assert await timeline.settle(20)

            yield pass_time


def test_a_day_at_the_centre(tmp_path: Path) -> None:
    desk = Desk(people=[f"+8190{10_000_000 + n}" for n in range(60)])

    async def story() -> None:
        async with office(desk, tmp_path) as pass_time:
            await pass_time(hours=13)

    asyncio.run(story())
    assert desk.tokens == {"Bearer letmein"}
    assert {d["attempt_id"] for d in desk.dispositions} == set(range(1, 61))
    kinds = {d["disposition"] for d in desk.dispositions}
    assert kinds <= set(DispositionKind) and "promised" in kinds and "absent" in kinds
    for d in desk.dispositions:
        assert (d["promise"] is not None) == (d["disposition"] == "promised")
        assert d["talk_seconds"] > 0 or d["disposition"] not in ("promised", "refused")
    # One person at a time for each operator, and never outside the centre's hours.
    spans: dict[str, list[tuple[datetime, float]]] = {}
    for d in desk.dispositions:
        started = datetime.fromisoformat(d["started_at"]).astimezone(TOKYO)
        assert (8, 30) <= (started.hour, started.minute) < (20, 0)
        lasting = d["talk_seconds"] + d["wrap_seconds"]
        spans.setdefault(d["operator"], []).append((started, lasting))
    assert {"201", "202", "203"} <= set(spans) <= {"201", "202", "203", "204", "205", "206"}
    assert set(desk.calls[0]) == {
        *("key", "started_at", "from", "wait_seconds", "talk_seconds", "wrap_seconds"),
        *("result", "extension"),
    }
    for call in desk.calls:
        started = datetime.fromisoformat(call["started_at"]).astimezone(TOKYO)
        assert call["result"] in (CallResult.TALKED, CallResult.ABANDONED)
        assert (call["extension"] is None) == (call["result"] == "abandoned")
        if call["extension"]:
            answered = started + timedelta(seconds=call["wait_seconds"])
            lasting = call["talk_seconds"] + call["wrap_seconds"]
            spans.setdefault(call["extension"], []).append((answered, lasting))
    for work in spans.values():
        work.sort()
        for (start, seconds), (following, _) in itertools.pairwise(work):
            assert start + timedelta(seconds=seconds - 3) <= following  # whole seconds
    assert 45 < len(desk.calls) < 110
    assert len({call["key"] for call in desk.calls}) == len(desk.calls)


def test_auto_calls_are_put_through_to_the_operators(tmp_path: Path) -> None:
    desk = Desk()

    async def story() -> None:
        async with office(desk, tmp_path) as pass_time:
            await pass_time(hours=4)
            before = len(desk.calls)
            client = Client(ACCOUNT.sid, ACCOUNT.token, http_client=Elsewhere(desk.carrier))
            for number in population(300).phones:
                await asyncio.to_thread(
                    client.calls.create, to=number, from_=OURS, url=desk.url + "/voice"
                )
            await pass_time(hours=1)
            put_through = {d["To"] for d in desk.dialled if d["DialCallStatus"] == "completed"}
            inbound = {call["from"] for call in desk.calls[before:]}
            # About 300 × 0.36 picked up × 0.6 confirmed × 0.15 went on.
            assert 3 <= len(put_through) <= 20
            assert put_through <= inbound

    asyncio.run(story())


def test_an_empty_list_is_asked_for_every_ten_minutes(tmp_path: Path) -> None:
    desk = Desk()

    async def story() -> None:
        async with office(desk, tmp_path) as pass_time:
            await pass_time(hours=1.5)

    asyncio.run(story())
    # 08:30 to 09:30: at most three operators at once, then a pause of ten minutes each time.
    assert 6 <= len(desk.asked) <= 3 * 7


def test_records_wait_for_a_service_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_line, "PAUSES", (0.01,) * 8)
    desk = Desk(people=["+819010000001"], away=5)

    async def story() -> None:
        async with office(desk, tmp_path) as pass_time:
            await pass_time(hours=2)

    asyncio.run(story())
    assert len(desk.dispositions) == 1 and desk.away == 0
    assert not (tmp_path / "undelivered.jsonl").exists()


def test_what_cannot_be_handed_over_is_kept_and_handed_over_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_line, "PAUSES", (0.001,))
    desk = Desk(people=["+819010000001"], away=10**6)

    async def story() -> None:
        async with office(desk, tmp_path) as pass_time:
            await pass_time(hours=2)

    asyncio.run(story())
    assert desk.dispositions == [] and desk.calls == []
    kept = (tmp_path / "undelivered.jsonl").read_text("utf-8").splitlines()
    paths = Counter(json.loads(line)["path"] for line in kept)
    assert paths["/api/operator/dispositions"] == 1 and paths["/api/calls"] > 0
    desk.away = 0
    desk.clock.at = MORNING.replace(hour=21)
    asyncio.run(story())
    assert (len(desk.dispositions), len(desk.calls)) == (1, paths["/api/calls"])
    assert not (tmp_path / "undelivered.jsonl").exists()


def test_the_same_day_twice_is_the_same_day(tmp_path: Path) -> None:
    def a_day(folder: Path) -> list[dict[str, Any]]:
        desk = Desk()

        async def story() -> None:
            async with office(desk, folder) as pass_time:
                await pass_time(hours=13)

        asyncio.run(story())
        return sorted(desk.calls, key=lambda call: call["started_at"])

    assert a_day(tmp_path / "a") == a_day(tmp_path / "b")
