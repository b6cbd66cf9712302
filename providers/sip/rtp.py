"""Sound over UDP (RFC 3550): one pace for all calls, 20 ms a packet; keys by RFC 4733."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from providers.audio.g711 import SILENCE, decode, encode
from providers.sip.sdp import Sound

PACKET_SAMPLES = 160
PACKET_SECONDS = 0.02
KEYS = "0123456789*#ABCD"
#: Whoever names these wants to hear nothing (RFC 3264, 8.4); the system would take them for us.
NOWHERE = ("0.0.0.0", "::")
_HEADER = struct.Struct("!BBHII")
_EVENT = struct.Struct("!BBH")
#: By how much a timestamp of 32 bits is later than another, and neither the same nor earlier.
_LATER = range(1, 1 << 31)


class NoPortLeft(OSError):
    """All RTP ports are taken."""


class Pacer:
    """The one clock of all streams: every 20 ms each sends its next packet.

    One timer for all calls keeps the gaps even: a timer a call would wake the loop 50 times a
    second for each.
    """

    def __init__(self) -> None:
        self._streams: set[Stream] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, stream: Stream) -> None:
        """Let a stream send from now on."""
        self._streams.add(stream)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def remove(self, stream: Stream) -> None:
        """No more packets for this one."""
        self._streams.discard(stream)

    async def _run(self) -> None:
        due = time.monotonic()
        while self._streams:
            for stream in tuple(self._streams):
                stream.send_next()
            due += PACKET_SECONDS
            wait = due - time.monotonic()
            if wait < -1.0:  # the machine slept: do not send a second's packets at once
                due = time.monotonic()
            await asyncio.sleep(max(0.0, wait))

    def close(self) -> None:
        """Stop."""
        self._streams.clear()
        if self._task is not None:
            self._task.cancel()


class Stream:
    """One call's sound: a UDP port, what is being played, who listens.

    ``on_key`` is told each key once; ``on_sound`` the payload of each sound packet, while set.
    """

    def __init__(self, pacer: Pacer, address: str, ports: Iterable[int]) -> None:
        self._pacer = pacer
        self._socket = _bound(address, ports)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._readable)
        self._sound: Sound | None = None
        self._to: tuple[str, int] = ("", 0)
        self._packets: list[bytes] = []
        self._position = 0
        self._played: asyncio.Future[None] | None = None
        self._sequence = int.from_bytes(os.urandom(2))
        self._timestamp = int.from_bytes(os.urandom(4))
        self._source = int.from_bytes(os.urandom(4))
        self._marker = True
        self._last_event = (b"", 0)  # who sent the last key, and its timestamp
        self._silence = b""
        self._closed = False
        self.heard_at: float | None = None
        """When the last packet came, by the monotonic clock."""
        self.on_key: Callable[[str], None] | None = None
        self.on_sound: Callable[[bytes], None] | None = None
        self.relay_to: Stream | None = None
        """Another call whose far end hears what ours says, instead of a recording."""

    @property
    def port(self) -> int:
        """Our UDP port."""
        return int(self._socket.getsockname()[1])

    @property
    def sound(self) -> Sound | None:
        """What was agreed; ``None`` before."""
        return self._sound

    def agree(self, sound: Sound) -> None:
        """Send and read as agreed from now on."""
        first = self._sound is None
        self._sound = sound
        self._to = sound.address
        self._silence = bytes([SILENCE[sound.codec]]) * PACKET_SAMPLES
        if first:
            self._pacer.add(self)

    async def play(self, payload: bytes) -> None:
        """Send bytes in the agreed codec; returns when the last has left or :meth:`hush`."""
        self.hush()
        if self._closed:
            return
        size = PACKET_SAMPLES
        self._packets = [payload[at : at + size] for at in range(0, len(payload), size)]
        if not self._packets:
            return
        last = self._packets[-1]
        self._packets[-1] = last + self._silence[: size - len(last)]
        self._position = 0
        self._marker = True
        self._played = self._loop.create_future()
        await self._played

    def hush(self) -> None:
        """Stop what is being played."""
        self._packets, self._position = [], 0
        if self._played is not None and not self._played.done():
            self._played.set_result(None)

    def send_next(self) -> None:
        """Send this 20 ms: of the recording, else silence, so that nobody thinks us gone."""
        if self.relay_to is not None:  # what goes out is the other's, at its own pace
            return
        payload = self._silence
        if self._packets:
            payload = self._packets[self._position]
            self._position += 1
            if self._position == len(self._packets):
                self.hush()
        self.send(payload)

    def join(self, other: Stream) -> None:
        """Let the two far ends hear each other."""
        for one, two in ((self, other), (other, self)):
            one.hush()
            one.relay_to = two

    def part(self) -> None:
        """End :meth:`join`."""
        other, self.relay_to = self.relay_to, None
        if other is not None:
            other.relay_to = None

    def send(self, payload: bytes) -> None:
        """Send one packet of sound."""
        assert self._sound is not None
        kind = self._sound.payload_type | (0x80 if self._marker else 0)
        self._marker = False
        header = _HEADER.pack(0x80, kind, self._sequence, self._timestamp, self._source)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = (self._timestamp + len(payload)) & 0xFFFFFFFF
        if self._to[0] in NOWHERE:
            return
        # a full buffer or an unreachable port loses one packet, as the network might
        with suppress(OSError):
            self._socket.sendto(header + payload, self._to)

    def _readable(self) -> None:
        for _ in range(8):  # a few at a time, so that no call starves the others
            try:
                data, source = self._socket.recvfrom(2048)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # the far end's port is closed: it says so by other means
                continue
            self._receive(data, source)

    def _receive(self, data: bytes, source: tuple[str, int]) -> None:
        sound = self._sound
        if sound is None or len(data) < 13 or data[0] >> 6 != 2:
            return
        if source[0] != self._to[0]:
            return  # somebody else's
        self.heard_at = time.monotonic()
        kind, timestamp = data[1] & 0x7F, int.from_bytes(data[4:8])
        start = 12 + 4 * (data[0] & 15)
        if data[0] & 0x10:  # an extension header
            start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4])
        payload = data[start:]
        if kind in sound.events:
            self._event(payload, data[8:12], timestamp)
        elif kind == sound.payload_type and payload:
            if source[1] != self._to[1]:
                self._to = (source[0], source[1])  # behind address translation: answer there
            if self.relay_to is not None:
                self.relay_to.forward(payload, sound.codec)
            elif self.on_sound is not None:
                self.on_sound(payload)

    def forward(self, payload: bytes, codec: str) -> None:
        """Send what the other call's far end said."""
        assert self._sound is not None
        if codec != self._sound.codec:
            payload = encode(decode(payload, codec), self._sound.codec)
        self.send(payload)

    def _event(self, payload: bytes, source: bytes, timestamp: int) -> None:
        """A key: several packets with one timestamp, of which some may be lost or come late."""
        if len(payload) < _EVENT.size:
            return
        before, latest = self._last_event
        if source == before and (timestamp - latest) & 0xFFFFFFFF not in _LATER:
            return
        number, _, _ = _EVENT.unpack_from(payload)
        if number < len(KEYS):
            self._last_event = source, timestamp
            if self.on_key is not None:
                self.on_key(KEYS[number])

    def close(self) -> None:
        """Let go of the port."""
        if self._closed:
            return
        self._closed = True
        self.hush()
        self.part()
        self._pacer.remove(self)
        self._loop.remove_reader(self._socket)
        self._socket.close()


def _bound(address: str, ports: Iterable[int]) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for port in ports:
        found = socket.socket(family, socket.SOCK_DGRAM)
        try:
            found.bind((address, port))
        except OSError:
            found.close()
            continue
        found.setblocking(False)
        return found
    raise NoPortLeft("no RTP port is free")
