"""SIPp as the far end: scenarios, and a recorder of the sound that it asks us to send there."""

from __future__ import annotations

import socket
import struct
import subprocess
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which

import numpy as np

from providers.audio.g711 import Samples, decode

SO_TIMESTAMPNS = 35  # Linux; Python does not name it
_RECEIVE = '<recv request="{}"{}></recv>\n'
_SEND = "<send{}><![CDATA[\n{}\n]]></send>\n"
_HEADERS = """\
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]x
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>"""
_SOUND = """\
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio {port} RTP/AVP {payload} {events}
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:{events} telephone-event/8000
a=fmtp:{events} 0-15"""
EVENTS = 97  # no telephone has to take the payload type that we offer


def response(code: int, *more: str) -> str:
    return _SEND.format("", "\n".join((f"SIP/2.0 {code} Answer", _HEADERS, *more)))


def scenario(*steps: str) -> str:
    body = "".join(steps)
    return (
        f'<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="far">\n{body}</scenario>\n'
    )


EMPTY = "Content-Length: 0\n"
INVITE, ACK = _RECEIVE.format("INVITE", ' crlf="true"'), _RECEIVE.format("ACK", ' crlf="true"')
BYE = _RECEIVE.format("BYE", ' crlf="true"')


def answers(
    port: int,
    *,
    payload: int = 0,
    events: int = EVENTS,
    early: bool = False,
    ring_ms: int = 100,
    meanwhile: str = "",
) -> str:
    """Rings, picks up, does what is wanted meanwhile, and waits for our BYE."""
    sound = _SOUND.format(port=port, payload=payload, events=events)
    return scenario(
        INVITE,
        response(100, EMPTY),
        response(183, sound) if early else response(180, EMPTY),
        f'<pause milliseconds="{ring_ms}"/>\n',
        response(200, sound),
        ACK,
        meanwhile,
        BYE,
        response(200, EMPTY),
    )


def refuses(code: int, cause: int | None, *, rings: bool = True) -> str:
    """Says no, with the telephone network's reason where there is one."""
    reason = [f'Reason: Q.850;cause={cause};text="x"'] if cause is not None else []
    return scenario(
        INVITE,
        *([response(100, EMPTY), response(180, EMPTY)] if rings else []),
        response(code, *reason, EMPTY),
        ACK,
    )


def challenges(port: int, user: str, password: str) -> str:
    """Asks who we are, and believes the right answer only."""
    challenge = (
        'WWW-Authenticate: Digest realm="exchange", nonce="47ebe028cda119c35d4877b383027d28"'
    )
    verify = (
        '<recv request="INVITE" crlf="true"><action>'
        f'<verifyauth assign_to="known" username="{user}" password="{password}"/>'
        "</action></recv>\n"
        '<nop hide="true" test="known" next="believed"></nop>\n'
    )
    return scenario(
        INVITE,
        response(401, challenge, EMPTY),
        ACK,
        verify,
        response(403, EMPTY),
        ACK,
        '<nop hide="true" next="end"></nop>\n',
        '<label id="believed"/>\n',
        response(200, _SOUND.format(port=port, payload=0, events=EVENTS)),
        ACK,
        BYE,
        response(200, EMPTY),
        '<label id="end"/>\n',
    )


@contextmanager
def sipp(folder: Path, port: int, xml: str, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    """SIPp, listening on ``port``."""
    program = which("sipp")
    assert program is not None
    path = folder / f"scenario-{port}.xml"
    path.write_text(xml, encoding="ascii")
    process = subprocess.Popen(
        [program, "-sf", str(path), "-i", "127.0.0.1", "-p", str(port), "-nostdin", "-trace_err",
         "-error_file", str(folder / "sipp-errors.log"), *more],
        cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@dataclass
class Recorder:
    """One UDP port that records every stream sent to it, with the kernel's time of arrival."""

    packets: dict[tuple[str, int], list[tuple[float, bytes]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    port: int = 0

    def sound(self, codec: str = "PCMU") -> Samples:
        """What the only stream brought."""
        (stream,) = self.packets.values()
        return np.concatenate([decode(data[12:], codec) for _, data in stream])

    def largest_gap(self) -> float:
        """Seconds: the longest that any stream was silent between its first and last packet."""
        return max(
            float(np.diff([at for at, _ in stream]).max())
            for stream in self.packets.values()
            if len(stream) > 1
        )

    def together(self) -> int:
        """How many streams there were at once, at most."""
        edges = sorted(
            edge
            for stream in self.packets.values()
            for edge in ((stream[0][0], 1), (stream[-1][0], -1))
        )
        return int(np.cumsum([step for _, step in edges]).max())


@contextmanager
def recorder() -> Iterator[Recorder]:
    """A recorder that runs."""
    found = Recorder()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        listening.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(0.2)
        found.port = listening.getsockname()[1]
        over = threading.Event()

        def read() -> None:
            while not over.is_set():
                try:
                    data, ancillary, _, source = listening.recvmsg(2048, 64)
                except TimeoutError:
                    continue
                seconds, nanoseconds = struct.unpack("qq", ancillary[0][2][:16])
                found.packets[source].append((seconds + nanoseconds / 1e9, data))

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            yield found
        finally:
            over.set()
            reader.join()
