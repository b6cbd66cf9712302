"""Dispatch against the rival pipeline, against the bare client, and with a slow carrier."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from uuid import UUID

from kombu import Connection

from benchmarks import classic
from benchmarks.office import CARRIER, LEFT_ALONE_PERCENT, Office, wait
from benchmarks.result import Samples
from contact_service.dispatch.providers import ProviderConfig

WORKERS = 2
#: Requests that one worker, or one process of the bare client, has out at once.
IN_FLIGHT = 200
#: The same where the carrier is slow: what a carrier's configuration has by default. With more,
#: the two cores are the limit, and not what may be in flight.
SLOW_IN_FLIGHT = ProviderConfig.model_fields["in_flight"].default
LATENCY_MS = 100
#: How much a round is: two to five seconds each.
MESSAGES, SLOW_MESSAGES, CLASSIC_MESSAGES = 16_000, 10_000, 1_500


def measure(office: Office, rounds: int, only: set[str], size: float) -> Samples:
    """Messages a second of each, ``rounds`` times in turn; ``size`` makes rounds smaller."""
    found = Samples()
    fast = bool(only & {"dispatch_vs_classic", "dispatch_vs_bare_client"})
    with office.stub() as carrier:
        for _ in range(rounds if fast else 0):
            if "dispatch_vs_classic" in only:
                found.add("classic", _classic(office, carrier, int(CLASSIC_MESSAGES * size)))
            if "dispatch_vs_bare_client" in only:
                found.add("bare_client", _bare(office, carrier, int(MESSAGES * size)))
            found.add("dispatch", _service(office, carrier, int(MESSAGES * size)))
    with office.stub(LATENCY_MS) as carrier:
        for _ in range(rounds if "dispatch_at_latency" in only else 0):
            rate = _service(office, carrier, int(SLOW_MESSAGES * size), SLOW_IN_FLIGHT)
            found.add("dispatch_at_latency", rate)
    return found


def _service(office: Office, carrier: str, messages: int, in_flight: int = IN_FLIGHT) -> float:
    """From the moment the run may start until the last acceptance is on disk."""
    warm, run = office.due(500), office.due(messages)
    with office.workers(carrier, in_flight, WORKERS):
        send_all(office, warm)
        seconds = send_all(office, run)
    states = office.states(run)
    left_alone = messages * LEFT_ALONE_PERCENT // 100
    assert states == {"accepted": messages - left_alone, "skipped": left_alone}, states
    return (messages - left_alone) / seconds


def send_all(office: Office, run: UUID) -> float:
    """Begin a run and wait until all of it is recorded; the seconds that took."""
    from contact_service.worker import drain  # reads the settings when it is imported

    began = time.perf_counter()
    office.begin(run)
    # Celery remembers the first office's Redis; each measurement has an office of its own
    with Connection(office.service.settings.broker_url) as broker:
        for _ in range(WORKERS):  # the beat's next tick would wake them too, up to a second later
            drain.apply_async((CARRIER, "sms"), queue="dispatch", connection=broker)
    with office.service.engine.connect().execution_options(
        isolation_level="AUTOCOMMIT"
    ) as connection:
        open_ones = office.open_ones(connection)
        wait(lambda: not open_ones(), 600)
    seconds = time.perf_counter() - began
    office.end(run)
    return seconds


def _bare(office: Office, carrier: str, messages: int) -> float:
    with ExitStack() as stack:
        command = ("-m", "benchmarks.bare_client", carrier, messages // WORKERS, IN_FLIGHT)
        clients = [stack.enter_context(_waiting(*command)) for _ in range(WORKERS)]
        for client in clients:
            _go(client)
        slowest = max(float(client.stdout.readline()) for client in clients if client.stdout)
    return messages / slowest


def _classic(office: Office, carrier: str, messages: int) -> float:
    name = f"classic-{time.monotonic_ns()}"
    command = ("-m", "celery", *classic.WORKER, "--hostname", f"{name}@%h")
    with (
        office.process(name, *command, env={"BENCH_CARRIER": carrier}),
        _waiting("-m", "benchmarks.classic") as scheduler,
    ):
        _classic_round(scheduler, 100)  # warm
        return messages / _classic_round(scheduler, messages)


def _classic_round(scheduler: subprocess.Popen[str], messages: int) -> float:
    classic.fill(messages)
    began = time.perf_counter()
    _go(scheduler)
    wait(lambda: not classic.left(), 300)
    return time.perf_counter() - began


@contextmanager
def _waiting(*command: object) -> Iterator[subprocess.Popen[str]]:
    """A child that has said it is ready and waits for a line."""
    with subprocess.Popen(
        [sys.executable, *map(str, command)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None and child.stdin is not None
        assert child.stdout.readline() == "ready\n"
        yield child
        child.stdin.close()


def _go(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("go\n")
    child.stdin.flush()
