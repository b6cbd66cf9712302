"""The far end of the tests: baresip, a SIP stack that shares no line with ours.

Runs as a process of its own (``python -m tests.providers.sip.far_end PLAN FOLDER PORT USER``): its
stack is global to a process. USER is its number. PLAN is a JSON list, one object a call, in their order; the last one stands
for all further calls. Prints a line of JSON for whatever happens.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import wave
from contextlib import suppress
from pathlib import Path

import numpy as np
from baresip import Account, BaresipError, Call, Config, Event, Runtime, StackEvent, UserAgent
from baresip.errors import AudioNotActive, AudioRestarted

#: A sample of speech, and none of silence.
LOUD = 1000
#: So many times 20 ms of the tone that a plan names, and it is told.
TONE_FRAMES = 40


def is_tone(frame: bytearray, hertz: int) -> bool:
    """Whether 20 ms at telephone rate are a tone of so many hertz, and little else."""
    samples = np.frombuffer(frame, dtype="<i2").astype(float)
    wave_ = np.exp(-2j * np.pi * hertz * np.arange(160) / 8000)
    whole = float(np.mean(samples**2))
    return whole > 500.0**2 and 2 * abs(samples @ wave_ / 160) ** 2 > 0.7 * whole


def tell(**what: object) -> None:
    print(json.dumps(what), flush=True)


class FarEnd:
    def __init__(self, plan: list[dict[str, object]], folder: Path) -> None:
        self.plan = plan
        self.folder = folder
        self.calls = 0
        self.up: dict[int, Call] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    def incoming(self, call: Call) -> None:
        number = self.calls
        self.calls += 1
        dialled = re.search(r"sip:([^@>]+)@", call.headers.get("To", ""))
        tell(
            call=number, event="incoming", peer=str(call.peer),
            dialled=dialled[1] if dialled else "",
        )  # fmt: skip
        self.start(self.live(call, number, self.plan[min(number, len(self.plan) - 1)]))

    async def dial(self, runtime: Runtime, agent: UserAgent, plan: dict[str, object]) -> None:
        """Call somebody, and do what ``plan`` says once they have answered."""
        answered: set[int] = set()
        changed = asyncio.Event()

        # an answer may come before anybody can wait for it: everything is listened to beforehand
        def on_any(event: StackEvent) -> None:
            if event.event is Event.CALL_ESTABLISHED:
                answered.add(event.call)
                changed.set()

        runtime.subscribe(on_any)
        call = await agent.dial(str(plan["dial"]))
        number = self.calls
        self.calls += 1
        over, heard = asyncio.Event(), asyncio.Event()

        def on_event(event: StackEvent) -> None:
            if event.event is Event.CALL_CLOSED:
                tell(call=number, event="closed", why=event.text)
                over.set()
                changed.set()

        call.on(on_event)
        while call.handle not in answered and not over.is_set():
            changed.clear()
            await changed.wait()
        if not over.is_set():
            self.talk(call, number, plan, over, heard)

    def start(self, work) -> None:  # type: ignore[no-untyped-def]
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def live(self, call: Call, number: int, plan: dict[str, object]) -> None:
        over = asyncio.Event()

        def on_event(event: StackEvent) -> None:
            if event.event is Event.CALL_CLOSED:
                tell(call=number, event="closed", why=event.text)
                over.set()

        call.on(on_event)
        call.on_dtmf(lambda digit: tell(call=number, event="key", key=digit.digit))
        heard = asyncio.Event()
        if "refer" in plan:
            call.on_transfer_request(
                lambda asked: tell(call=number, event="transfer", uri=asked.target)
            )
        if "reject" in plan:
            await call.reject()
            return
        await asyncio.sleep(float(plan.get("ring", 0.1)))  # type: ignore[arg-type]
        if over.is_set():
            return
        await call.answer()
        self.talk(call, number, plan, over, heard)

    def talk(
        self,
        call: Call,
        number: int,
        plan: dict[str, object],
        over: asyncio.Event,
        heard: asyncio.Event,
    ) -> None:
        tell(call=number, event="answered")
        self.up[number] = call
        self.start(self.record(call, number, over, heard, plan.get("tone")))
        self.start(self.act(call, number, plan, over, heard))

    async def hang_up(self, number: int) -> None:
        with suppress(BaresipError):
            await self.up[number].hangup()

    async def act(
        self,
        call: Call,
        number: int,
        plan: dict[str, object],
        over: asyncio.Event,
        heard: asyncio.Event,
    ) -> None:
        speech = plan.get("say")
        if isinstance(speech, str):
            self.start(self.say(call, Path(speech), over))
        if plan.get("listens"):  # presses nothing before it is spoken to
            await heard.wait()
        for wait, key in plan.get("keys", ()):  # type: ignore[attr-defined]
            await asyncio.sleep(wait)
            if not over.is_set():
                await call.send_dtmf(key)
                tell(call=number, event="pressed", key=key)
        if "hang_up" in plan:
            await asyncio.sleep(float(plan["hang_up"]))  # type: ignore[arg-type]
            await self.hang_up(number)

    async def say(self, call: Call, path: Path, over: asyncio.Event) -> None:
        with wave.open(str(path)) as file:
            waiting = file.readframes(file.getnframes())
        while waiting and not over.is_set():
            with suppress(AudioNotActive, AudioRestarted):
                written = call.audio.write(waiting[:1600])
                waiting = waiting[written:]
            await asyncio.sleep(0.05)

    async def record(
        self,
        call: Call,
        number: int,
        over: asyncio.Event,
        heard_something: asyncio.Event,
        tone: object,
    ) -> None:
        heard = bytearray()
        rate, looked, frames = 8000, 0, 0
        while not over.is_set():
            await asyncio.sleep(0.02)
            try:
                new = call.audio.read(65536)
                heard += new
                if any(abs(sample) > LOUD for sample in memoryview(new).cast("h")):
                    heard_something.set()
                rate = call.audio.info().rx_sample_rate or rate
                while isinstance(tone, int) and len(heard) - looked >= 320:
                    frames += is_tone(heard[looked : looked + 320], tone)
                    looked += 320
                    if frames == TONE_FRAMES:
                        tell(call=number, event="tone")
            except (AudioNotActive, AudioRestarted, BaresipError):
                continue
        with wave.open(str(self.folder / f"heard-{number}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(bytes(heard))
        tell(call=number, event="recorded", seconds=len(heard) / 2 / rate)


async def main(plan: list[dict[str, object]], folder: Path, port: int, user: str) -> None:
    runtime = Runtime(native_log_level="error")
    await runtime.start(
        Config(
            net_interface="127.0.0.1",
            max_concurrent_calls=None,
            expose_headers=("To",),
            extra_config_text=f"sip_listen 127.0.0.1:{port}\nrtp_ports 40000-49999\n",
        )
    )
    account = Account(
        user=user, domain="127.0.0.1", password="", reg_interval=0, audio_codecs=("PCMU",),
        extra_params=("catchall=yes",),
    )  # fmt: skip
    agent = await UserAgent.create(runtime, account)
    end = FarEnd(plan, folder)
    agent.on_incoming(end.incoming)
    tell(event="ready")
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        if "dial" in command:
            end.start(end.dial(runtime, agent, command))
        if "ends" in command:
            end.start(end.hang_up(command["ends"]))
    await runtime.close()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
