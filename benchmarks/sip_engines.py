"""Two SIP engines side by side: as many calls at once, in one process on one core, against SIPp.

    python -m benchmarks.sip_engines [--calls 50] [--seconds 10]

``ours`` is ``providers/sip`` (own transactions and paced sound), ``baresip`` the stack that is the
independent far end of the tests. Each dials SIPp, plays one tone into all calls once all of them
stand, and tells the CPU it took meanwhile; a recorder sees every packet with the kernel's time of
arrival. Needs SIPp (Debian ``sip-tester``).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from baresip import Account, Call, Config, Event, Runtime, StackEvent
from baresip import UserAgent as Baresip
from baresip.errors import AudioNotActive, AudioRestarted

from providers.audio.g711 import encode
from providers.sip.agent import UserAgent
from providers.sip.leg import Leg
from tests.providers.sip.service import ROOT, free_port, options, tone
from tests.providers.sip.sipp import answers, recorder, sipp

Play = Callable[[], Awaitable[object]]
#: Samples of 20 ms ahead that baresip is kept supplied with.
AHEAD, STEP_SECONDS = 2, 0.02


async def measured(play: Play) -> None:
    """Play into all calls; print the share of a core it took."""
    began, used = time.monotonic(), _cpu()
    await play()
    share = (_cpu() - used) / (time.monotonic() - began)
    print(f"{share * 100:.0f}", flush=True)


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def ours(port: int, calls: int, seconds: float) -> None:
    """The engine of ``providers/sip``."""
    with tempfile.TemporaryDirectory() as folder:
        agent = UserAgent(options(Path(folder), port, calls_at_once=calls))
        await agent.open()
        legs: list[Leg] = []
        for _ in range(calls):
            leg = agent.outgoing("0312345678")
            leg.dial(20)
            legs.append(leg)
            await asyncio.sleep(0.01)
        for leg in legs:
            assert await leg.answered is None
        payload = encode(tone(seconds), "PCMU")
        await measured(lambda: asyncio.gather(*(leg.stream.play(payload) for leg in legs)))
        await agent.close()


async def baresip(port: int, calls: int, seconds: float) -> None:
    """The engine of baresip."""
    runtime = Runtime(native_log_level="error")
    await runtime.start(
        Config(
            net_interface="127.0.0.1",
            max_concurrent_calls=None,
            extra_config_text="rtp_ports 40000-49999\n",
        )
    )
    account = Account(
        user="ward", domain="127.0.0.1", password="", reg_interval=0, audio_codecs=("PCMU",)
    )
    agent = await Baresip.create(runtime, account)
    standing: set[int] = set()
    changed = asyncio.Event()

    def on_any(event: StackEvent) -> None:
        if event.event is Event.CALL_ESTABLISHED:
            standing.add(event.call)
            changed.set()

    runtime.subscribe(on_any)
    made: list[Call] = []
    for _ in range(calls):
        made.append(await agent.dial(f"sip:0312345678@127.0.0.1:{port}"))
        await asyncio.sleep(0.01)
    async with asyncio.timeout(30):
        while len(standing) < calls:
            changed.clear()
            await changed.wait()
    sound = tone(seconds).tobytes()
    size = int(8000 * STEP_SECONDS) * 2

    async def play() -> None:
        began, sent = time.monotonic(), 0
        while sent < len(sound):
            upto = int((time.monotonic() - began) / STEP_SECONDS + AHEAD) * size
            for call in made:
                try:
                    call.audio.write(sound[sent:upto])
                except (AudioNotActive, AudioRestarted):
                    continue
            sent = min(upto, len(sound))
            await asyncio.sleep(STEP_SECONDS)

    await measured(play)
    for call in made:
        await call.hangup()
    await runtime.close()


ENGINES = {"ours": ours, "baresip": baresip}


def compare(calls: int, seconds: float) -> None:
    """Each engine in a process of its own, on the last core; a table."""
    core = str(max(os.sched_getaffinity(0)))
    load = os.getloadavg()[0]
    print(f"{calls} calls at once for {seconds:.0f} s; load before: {load:.1f}")
    print(f"{'engine':10}{'calls':>7}{'at once':>9}{'CPU of a core':>15}{'largest gap':>14}")
    for name in ENGINES:
        port = free_port()
        with (
            tempfile.TemporaryDirectory() as folder,
            recorder() as heard,
            sipp(Path(folder), port, answers(heard.port)),
        ):
            found = subprocess.run(
                ["taskset", "-c", core, sys.executable, "-m", "benchmarks.sip_engines",
                 "--engine", name, "--port", str(port), "--calls", str(calls),
                 "--seconds", str(seconds)],
                cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=120, check=True,
            )  # fmt: skip
        gap = heard.largest_gap() * 1000
        share = found.stdout.split()[-1]
        print(f"{name:10}{len(heard.packets):7}{heard.together():9}{share:>13} %{gap:>11.0f} ms")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sip_engines", description=__doc__)
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.engine is None:
        compare(given.calls, given.seconds)
    else:
        asyncio.run(ENGINES[given.engine](given.port, given.calls, given.seconds))


if __name__ == "__main__":
    main()
