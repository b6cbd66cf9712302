"""Real calls against SIPp: ``make test-sip``."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from providers.base import Accepted, Call, Outcome, Result, Throttled
from providers.instructions import HangUp, Menu, Play
from providers.sip import reports
from providers.sip.adapter import SipProvider
from providers.sip.media import Order
from tests.providers.sip.service import (
    ROOT,
    TO,
    Service,
    free_port,
    loud_seconds,
    media_process,
    options,
    placed,
    service,
    tone,
)
from tests.providers.sip.sipp import answers, challenges, recorder, refuses, sipp

pytestmark = pytest.mark.sipp
KEYS = Path("/usr/share/sip-tester")
#: Answers after ringing: SIP code, Q.850 cause, what it means.
ENDINGS = [
    (486, 17, Outcome.BUSY),
    (600, None, Outcome.BUSY),
    (480, None, Outcome.UNREACHABLE),
    (480, 18, Outcome.UNREACHABLE),
    (480, 19, Outcome.NO_ANSWER),
    (408, None, Outcome.UNREACHABLE),
    (404, 1, Outcome.INVALID_NUMBER),
    (410, 22, Outcome.INVALID_NUMBER),
    (484, 28, Outcome.INVALID_NUMBER),
    (604, None, Outcome.INVALID_NUMBER),
    (603, 21, Outcome.REJECTED),
    (607, None, Outcome.OPTED_OUT),
    (608, None, Outcome.REJECTED),
    (403, None, Outcome.OTHER),
    (488, None, Outcome.NETWORK),
    (500, 41, Outcome.NETWORK),
    (502, 38, Outcome.NETWORK),
    (503, 34, Outcome.NETWORK),
    (504, 102, Outcome.NETWORK),
]
PROMPT_SECONDS = 12.0
CALLS = 100
MOST_GAP_SECONDS = 0.060
MOST_RUNS = 3
#: Wakes every 20 ms, as the sound's timer does, and tells the longest interval when asked.
SLEEPER = """
import select, sys, time
print("ready", flush=True)
last, longest = time.monotonic(), 0.0
while not select.select([sys.stdin], [], [], 0.02)[0]:
    now = time.monotonic()
    last, longest = now, max(longest, now - last)
print(longest)
"""


def order(at: Service, reference: str) -> Order:
    return Order(reference, TO, at.url("/start"), at.url("/receipts"), 20)


@pytest.mark.parametrize(("payload", "codec"), [(0, "PCMU"), (8, "PCMA")])
def test_the_prompt_is_heard_whole_in_both_codecs(tmp_path: Path, payload: int, codec: str) -> None:
    async def conversation() -> None:
        port = free_port()
        with (
            recorder() as heard,
            sipp(tmp_path, port, answers(heard.port, payload=payload, early=True)),
        ):
            async with service() as at, media_process(options(tmp_path, port)) as media:
                prompt = at.record("prompt.wav", tone(3.0))
                at.says["/start"] = lambda _: [Play(prompt), HangUp()]
                report = await at.report(await placed(media, order(at, "attempt")))
        assert reports.receipt_of(report, None).outcome is Outcome.ANSWERED
        sound = heard.sound(codec)
        assert abs(loud_seconds(sound) - 3.0) < 0.05
        start = int(np.argmax(np.abs(sound) > 3000))
        energy = np.sqrt(np.mean(sound[start : start + 23000].astype(float) ** 2))
        sent = np.sqrt(np.mean(tone(1.0).astype(float) ** 2))
        assert 0.97 < energy / sent < 1.03

    asyncio.run(conversation())


@pytest.mark.parametrize("key", ["1", "9", "star", "pound"])
def test_a_key_of_sipps_is_understood(tmp_path: Path, key: str) -> None:
    """SIPp plays the packets of a telephone that was recorded; key presses are its payload type 101."""

    async def conversation() -> None:
        port = free_port()
        pressed = (
            f'<pause milliseconds="700"/><nop><action><exec play_pcap_audio="{KEYS}/dtmf_2833_{key}'
            '.pcap"/></action></nop>\n'
        )
        with recorder() as heard:
            xml = answers(heard.port, events=101, meanwhile=pressed)
            with sipp(tmp_path, port, xml, "-mp", str(free_port())):
                async with service() as at, media_process(options(tmp_path, port)) as media:
                    prompt = at.record("prompt.wav", tone(4.0))
                    at.says["/start"] = lambda _: [
                        Menu(Play(prompt), frozenset("19*#"), at.url("/key"))
                    ]
                    at.says["/key"] = lambda key: [HangUp()]
                    await at.report(await placed(media, order(at, "attempt")))
                    assert at.keys() == [{"star": "*", "pound": "#"}.get(key, key)]
        assert loud_seconds(heard.sound()) < 3.5, "the key cuts the prompt short"

    asyncio.run(conversation())


def test_every_ending_after_ringing_is_mapped(tmp_path: Path) -> None:
    async def conversation() -> None:
        port = free_port()
        found = []
        async with service() as at, media_process(options(tmp_path, port)) as media:
            for number, (code, cause, _) in enumerate(ENDINGS):
                with sipp(tmp_path, port, refuses(code, cause)):
                    report = await at.report(await placed(media, order(at, f"attempt-{number}")))
                receipt = reports.receipt_of(report, None)
                found.append((int(receipt.raw["SipCode"]), cause, receipt.outcome))
                assert receipt.final
        assert found == ENDINGS

    asyncio.run(conversation())


@pytest.mark.parametrize(
    ("code", "status", "fault"),
    [(503, 429, "trunk"), (403, 403, "credentials"), (488, 403, "codecs"), (404, 422, "number")],
)
def test_what_the_trunk_refuses_at_once_was_not_placed(
    tmp_path: Path, code: int, status: int, fault: str
) -> None:
    async def conversation() -> None:
        port = free_port()
        with sipp(tmp_path, port, refuses(code, None, rings=False)):
            async with service() as at, media_process(options(tmp_path, port)) as media:
                told = await media.place(order(at, "attempt"))
                assert (told.status, told.document["fault"]) == (status, fault)
                await asyncio.sleep(0.2)
                known = media.journal.find_reference("attempt")
                assert (known is None) == (code != 404), "may be handed over again, or not"

    asyncio.run(conversation())


@pytest.mark.parametrize(("password", "taken"), [("right", True), ("wrong", False)])
def test_digest_authentication(tmp_path: Path, password: str, taken: bool) -> None:
    async def conversation() -> None:
        port = free_port()
        with recorder() as heard, sipp(tmp_path, port, challenges(heard.port, "ward", "right")):
            trunk = options(tmp_path, port, user="ward", password=password)
            async with service() as at, media_process(trunk) as media:
                at.says["/start"] = lambda _: [HangUp()]
                told = await media.place(order(at, "attempt"))
                assert told.status == (201 if taken else 403)
                if taken:
                    await at.report(str(told.document["ref"]))

    asyncio.run(conversation())


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of a hundred calls, and how the machine itself was meanwhile."""

    gap: float
    """Seconds: the longest that any stream was silent."""
    control: float
    """The longest interval of a process on the same core that does nothing but wake every
    20 ms: what is beyond that, the machine withheld from everybody."""

    @property
    def beyond(self) -> float:
        """By how much the gap exceeds the limit, less what the machine withheld."""
        return self.gap - MOST_GAP_SECONDS - max(0.0, self.control - 0.020)


def test_a_hundred_calls_at_once_on_one_core(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Through the adapter, against the media process alone on one core.

    Where the gap was too large it is measured again, three times at most, and the best counts:
    what others do on this machine comes and goes, what is slow in the process itself stays.
    """
    found: list[Measured] = []
    for number in range(MOST_RUNS):
        folder = tmp_path / str(number)
        folder.mkdir()
        measured = asyncio.run(hundred_calls(folder, capsys))
        found.append(measured)
        if measured.gap <= MOST_GAP_SECONDS:
            break
        with capsys.disabled():
            print(
                f"a gap of {measured.gap * 1000:.0f} ms; meanwhile an idle process on the same "
                f"core slept {measured.control * 1000:.0f} ms instead of 20"
            )
    assert min(one.beyond for one in found) <= 0, found


async def hundred_calls(folder: Path, capsys: pytest.CaptureFixture[str]) -> Measured:
    """Place them, hold them, and look at every packet."""
    port = free_port()
    core = str(max(os.sched_getaffinity(0)))
    trunk = options(
        folder, port, calls_at_once=CALLS + 5, media_url=f"http://127.0.0.1:{free_port()}"
    )
    given = trunk.model_dump(mode="json", exclude_none=True) | {
        "secret": trunk.secret.get_secret_value()
    }
    with recorder() as heard, sipp(folder, port, answers(heard.port)):
        process = subprocess.Popen(
            ["taskset", "-c", core, sys.executable, "-m", "tests.providers.sip.run_media",
             json.dumps(given)],
            cwd=ROOT, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        sleeper = subprocess.Popen(
            ["taskset", "-c", core, sys.executable, "-c", SLEEPER],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        provider = SipProvider("trunk", trunk)
        try:
            assert process.stdout.readline() == b"ready\n"
            assert sleeper.stdout is not None
            assert sleeper.stdout.readline() == "ready\n"
            async with service() as at:
                prompt = at.record("prompt.wav", tone(PROMPT_SECONDS))
                at.says["/start"] = lambda _: [Play(prompt), HangUp()]
                before = _cpu_seconds(process.pid)
                results = await _placed(provider, at)
                await at.until(lambda: len(at.reports()) >= CALLS, 120)
                used = _cpu_seconds(process.pid) - before
                control = float(sleeper.communicate("", timeout=60)[0])
                assert {form["CallStatus"] for form in at.reports()} == {"completed"}
                assert at.forged == []
        finally:
            sleeper.kill()
            sleeper.wait()
            await provider.close()
            process.terminate()
            process.wait(60)
    assert all(isinstance(result, Accepted) for result in results)
    lengths = [stream[-1][0] - stream[0][0] for stream in heard.packets.values()]
    with capsys.disabled():
        print(
            f"\n{len(heard.packets)} calls, {heard.together()} at once: largest gap "
            f"{heard.largest_gap() * 1000:.0f} ms, {used / max(lengths) * 100:.0f} % of a core, "
            f"{sum(map(len, heard.packets.values()))} packets; an idle process on that core: "
            f"{control * 1000:.0f} ms"
        )
    assert len(heard.packets) == CALLS
    assert heard.together() == CALLS
    for stream in heard.packets.values():
        played = sum(1 for _, data in stream if data[12:] != b"\xff" * 160)
        assert abs(played * 0.02 - PROMPT_SECONDS) < 0.05, "every packet of the prompt"
    return Measured(heard.largest_gap(), control)


async def _placed(provider: SipProvider, at: Service) -> list[Result]:
    results: list[Result] = []
    async with asyncio.timeout(120):
        while len(results) < CALLS:
            call = Call(f"attempt-{len(results)}", TO, at.url("/start"), at.url("/receipts"))
            result = await provider.submit(call)
            if isinstance(result, Throttled):  # the pace we asked for
                await asyncio.sleep(0.02)
            else:
                results.append(result)
    return results


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
