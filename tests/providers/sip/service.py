"""What the tests stand on: a service that answers calls' questions, and far ends as processes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
import subprocess
import sys
import wave
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import uvicorn

from providers.audio.files import written
from providers.audio.g711 import RATE
from providers.base import WebhookRequest
from providers.instructions import Instruction
from providers.sip import instructions as wording
from providers.sip.adapter import SipProvider
from providers.sip.media import Media, Order
from providers.sip.options import SipOptions

SECRET = "a secret of the tests' own"
TO = "+819012345678"
ROOT = Path(__file__).parents[3]


def free_port() -> int:
    """A port that is free for UDP and TCP, below those that the system deals out by itself."""
    while True:
        port = random.randrange(10_000, 30_000)
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as streams,
        ):
            try:
                datagrams.bind(("127.0.0.1", port))
                streams.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def options(folder: Path, trunk_port: int, **more: Any) -> SipOptions:
    """A trusted trunk on loopback."""
    first = random.randrange(50_000, 64_000)
    chosen: dict[str, Any] = {
        "secret": SECRET,
        "folder": folder,
        "trunk": f"127.0.0.1:{trunk_port}",
        "caller": "0354321111",
        "local_address": "127.0.0.1",
        "local_port": 0,
        "rtp_ports": (first, first + 1000),
        "calls_per_second": 100,
        "keepalive_seconds": 0,
    }
    return SipOptions.model_validate({**chosen, **more})


def now() -> datetime:
    """The real clock: these calls take real time."""
    return datetime.now(UTC)


def tone(seconds: float, hertz: float = 440.0, level: float = 0.3) -> np.ndarray[Any, Any]:
    """A sine at telephone rate."""
    at = np.arange(int(seconds * RATE)) / RATE
    return (np.sin(2 * np.pi * hertz * at) * level * 32767).astype(np.int16)


@dataclass
class Service:
    """Answers like ``web/voice.py``: what to say at an address, given the key."""

    port: int = 0
    says: dict[str, Callable[[str], list[Instruction]]] = field(default_factory=dict)
    recordings: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    forged: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def record(self, name: str, samples: np.ndarray[Any, Any]) -> str:
        self.recordings[f"/{name}"] = written(samples, "wav")
        return self.url(f"/{name}")

    def keys(self) -> list[str]:
        return [form["Key"] for _, form in self.asked if "Key" in form]

    def reports(self) -> list[dict[str, str]]:
        return [form for path, form in self.asked if path.startswith("/receipts")]

    async def report(self, ref: str, seconds: float = 60) -> dict[str, str]:
        """The final report of a call."""

        def found() -> dict[str, str] | None:
            return next((form for form in self.reports() if form["CallRef"] == ref), None)

        await self.until(lambda: found() is not None, seconds)
        result = found()
        assert result is not None
        return result

    async def until(self, true: Callable[[], bool], seconds: float = 60) -> None:
        async with asyncio.timeout(seconds):
            while not true():
                self.changed.clear()
                await self.changed.wait()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        path, form = scope["path"], dict(parse_qsl(body.decode()))
        status, answer = 200, b""
        if path in self.recordings:
            answer = self.recordings[path]
        else:
            given = dict(scope["headers"]).get(wording.SIGNATURE.encode(), b"").decode()
            if not wording.signed(SECRET, self.url(path), form, given):
                self.forged.append(path)
                status = 403
            self.asked.append((path, form))
            if path in self.says:
                answer = wording.render(self.says[path](form.get("Key", ""))).encode()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})
        self.changed.set()


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[int]:
    """An ASGI application on a free port."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, lifespan="off", log_config=None, access_log=False)
    )
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield port
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def service() -> AsyncIterator[Service]:
    """A service that listens."""
    found = Service()
    async with serving(found) as port:
        found.port = port
        yield found


@asynccontextmanager
async def media_process(chosen: SipOptions) -> AsyncIterator[Media]:
    """The media process's inside, in this process."""
    media = Media(chosen, now)
    await media.open()
    try:
        yield media
    finally:
        await media.close()


async def placed(media: Media, order: Order) -> str:
    """Place a call and return its ref, waiting where the pace asks for it, as a worker would."""
    told = await media.place(order)
    while told.document.get("fault") == "pace":
        await asyncio.sleep(0.02)
        told = await media.place(order)
    assert told.status == 201, (told.status, told.document)
    return str(told.document["ref"])


@dataclass
class Far:
    """The far end as a process, and what it told."""

    process: subprocess.Popen[str]
    folder: Path
    told: list[dict[str, Any]] = field(default_factory=list)

    def events(self, name: str, call: int = 0) -> list[dict[str, Any]]:
        return [one for one in self.told if one["event"] == name and one.get("call") == call]

    async def until(self, name: str, call: int = 0, seconds: float = 60) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            while not self.events(name, call):
                await asyncio.sleep(0.02)
        return self.events(name, call)[0]

    def heard(self, call: int = 0) -> np.ndarray[Any, Any]:
        """What it recorded, 8 kHz."""
        with wave.open(str(self.folder / f"heard-{call}.wav")) as file:
            assert file.getframerate() == RATE
            return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")

    def command(self, **what: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()


@contextmanager
def far_end(
    plan: list[dict[str, Any]], folder: Path, port: int, number: str = "far"
) -> Iterator[Far]:
    """baresip, taking calls on ``port`` as ``plan`` says, and calling from ``number``."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.providers.sip.far_end", json.dumps(plan), str(folder),
         str(port), number],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    far = Far(process, folder)
    assert process.stdout is not None
    first = process.stdout.readline()
    assert json.loads(first) == {"event": "ready"}

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            far.told.append(json.loads(line))

    reader = Thread(target=read, daemon=True)
    reader.start()
    try:
        yield far
    finally:
        with contextlib.suppress(BrokenPipeError):
            assert process.stdin is not None
            process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(20)


def loud_seconds(samples: np.ndarray[Any, Any], threshold: float = 500.0) -> float:
    """For how long something is heard: frames of 20 ms over a level."""
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160).astype(float)
    return float(np.count_nonzero(np.sqrt(np.mean(frames**2, axis=1)) > threshold)) * 0.02


def tone_seconds(samples: np.ndarray[Any, Any], hertz: float) -> float:
    """For how long a tone of ``hertz`` is what is heard: frames of 20 ms that consist of it."""
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160).astype(float)
    wave_ = np.exp(-2j * np.pi * hertz * np.arange(160) / RATE)
    power = 2 * np.abs(frames @ wave_ / 160) ** 2
    whole = np.mean(frames**2, axis=1)
    return float(np.count_nonzero((power > 0.7 * whole) & (whole > 500.0**2))) * 0.02


def provider(**more: Any) -> SipProvider:
    """The adapter, for reading requests only."""
    return SipProvider("trunk", options(Path("unused"), 5060, **more))


def request(url: str, form: dict[str, str]) -> WebhookRequest:
    """A request as the media process signs it."""
    return WebhookRequest(url, {wording.SIGNATURE: wording.signature(SECRET, url, form)}, form)
