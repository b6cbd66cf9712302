"""What a call plays: recordings fetched from the service, speech made here; kept for the next."""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
import sys
import time
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import numpy as np

from providers.audio import speech
from providers.audio.files import UnreadableSound, read_bytes
from providers.audio.g711 import RATE, Samples
from providers.instructions import Play, Say

log = logging.getLogger(__name__)

#: A recording that was replaced is heard after this long at the latest.
KEPT_SECONDS = 300.0
#: Names what the stored speech was made with: another voice makes it anew.
_VOICE = "mei-1"


class CannotPlay(Exception):
    """There is nothing to be heard: no recording, no speech."""


class Sounds:
    """Prompts as samples at telephone rate.

    A text that holds the office's name and number at most is spoken once and kept in ``folder``;
    one that tells of somebody is made for its call and kept nowhere. Speech is made in a process
    of its own: making it takes a core for a second, and the packets of a hundred calls must not
    wait for it.
    """

    def __init__(self, folder: Path, fetch: Callable[[str], Awaitable[bytes]]) -> None:
        self._folder = folder
        self._fetch = fetch
        self._known: dict[tuple[str, str], tuple[float, asyncio.Future[Samples]]] = {}

    async def of(self, prompt: Say | Play) -> Samples:
        """The sound of a prompt. Raises :class:`CannotPlay`."""
        if isinstance(prompt, Say) and prompt.personal:
            return await self._spoken(prompt.text)
        key = ("play", prompt.url) if isinstance(prompt, Play) else ("say", prompt.text)
        kept = self._known.get(key)
        fresh = kept is not None and (key[0] == "say" or time.monotonic() < kept[0])
        if kept is None or not fresh or (kept[1].done() and kept[1].exception() is not None):
            make = self._recording(key[1]) if key[0] == "play" else self._speech(key[1])
            kept = (time.monotonic() + KEPT_SECONDS, asyncio.ensure_future(make))
            self._known[key] = kept
        return await asyncio.shield(kept[1])

    async def _recording(self, url: str) -> Samples:
        content = await self._fetch(url)
        plain = _plain_wave(content)
        if plain is not None:
            return plain
        try:
            return (await asyncio.to_thread(read_bytes, content)).samples
        except UnreadableSound as error:
            raise CannotPlay(f"a recording that cannot be read: {error}") from None

    async def _speech(self, text: str) -> Samples:
        name = hashlib.sha256(f"{_VOICE}:{text}".encode()).hexdigest()[:32]
        path = self._folder / f"{name}.wav"
        if path.is_file():
            kept = _plain_wave(await asyncio.to_thread(path.read_bytes))
            if kept is not None:
                return kept
        return await self._spoken(text, kept_as=path)

    async def _spoken(self, text: str, kept_as: Path | None = None) -> Samples:
        if not speech.installed():
            raise CannotPlay("no recording, and speech is not installed")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        half = self._folder / uuid4().hex
        try:
            speaking = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "providers.audio.speech", str(half),
                stdin=asyncio.subprocess.PIPE,
            )  # fmt: skip
            await speaking.communicate(text.encode())
            if speaking.returncode or not half.is_file():
                raise CannotPlay(f"the speaking process ended with {speaking.returncode}")
            samples = _plain_wave(await asyncio.to_thread(half.read_bytes))
            if samples is None:
                raise CannotPlay("speech that cannot be read")
            if kept_as is not None:
                half.replace(kept_as)
            return samples
        finally:  # also when the call is over before the words are there
            half.unlink(missing_ok=True)


def _plain_wave(content: bytes) -> Samples | None:
    """The samples of an 8 kHz mono 16-bit WAV file; ``None`` for anything else."""
    try:
        with wave.open(io.BytesIO(content)) as file:
            if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, RATE):
                return None
            return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16)
    except (wave.Error, EOFError):
        return None
