"""Twilio's list of calls as rows of the ``call-records`` layout.

The JSON list of the Calls resource (``{"calls": [{"sid": …}]}``, or the objects alone), and
lists as CSV with the same properties as headings, however these are written. Properties, states
and RFC 2822 times in GMT: https://www.twilio.com/docs/voice/api/call-resource . Calls that have
not ended and legs to a client or a SIP address are left out. JSON is read object by object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import IO

from contact_service.clock import TOKYO

Call = Mapping[str, object]
_BLOCK = 1 << 16
#: What has not ended by then is no call, and is not read again and again with each block.
_MOST_OF_A_CALL = 1 << 20
_LIST = re.compile(r'\s*(?:\[|\{[^\[\]]*?"calls"\s*:\s*\[)')
_GAP = re.compile(r"[\s,]*")
_GOING_ON = frozenset({"queued", "initiated", "ringing", "in-progress"})
_RESULTS = {"busy": "busy", "failed": "other"}


class NotAList(ValueError):
    """The text is no list of calls. Its argument is the line where that shows."""


def plain_name(heading: str) -> str:
    """``start_time``, ``StartTime`` and ``Start Time`` are one property; ``Call Sid`` is sid."""
    name = re.sub(r"[^a-z]", "", heading.lower())
    return "sid" if name == "callsid" else name


def objects(text: IO[str]) -> Iterator[tuple[int, Call]]:
    """The calls of a JSON list with the line each begins at. Raises :class:`NotAList`."""
    decoder = json.JSONDecoder()
    buffer, line = text.read(_BLOCK), 1
    start = _LIST.match(buffer)
    if start is None:
        raise NotAList(line)
    line += buffer.count("\n", 0, start.end())
    buffer = buffer[start.end() :]
    while True:
        gap = _GAP.match(buffer)
        skipped = gap.end() if gap else 0
        line += buffer.count("\n", 0, skipped)
        buffer = buffer[skipped:]
        if buffer.startswith("]"):
            return
        try:
            found, end = decoder.raw_decode(buffer)
        except json.JSONDecodeError:
            more = text.read(_BLOCK)
            if not more or len(buffer) > _MOST_OF_A_CALL:
                raise NotAList(line) from None
            buffer += more
            continue
        except (ValueError, RecursionError):  # a number of thousands of digits; nested without end
            raise NotAList(line) from None
        if not isinstance(found, dict):
            raise NotAList(line)
        yield line, {plain_name(str(name)): value for name, value in found.items()}
        line += buffer.count("\n", 0, end)
        buffer = buffer[end:]


def record(call: Call) -> Mapping[str, str] | None:
    """One call as a record; ``None`` when it is not one that ended between us and a resident."""

    def said(name: str) -> str:
        return str(call.get(name) or "").strip()

    status = said("status").lower().replace(" ", "-")
    way = said("direction").lower().replace(" ", "-")
    inbound = way in ("inbound", "incoming", "trunking-originating")
    other = said("from" if inbound else "to")
    if status in _GOING_ON or other.startswith(("client:", "sip:")):
        return None
    result = _RESULTS.get(status, status)
    if status == "completed":
        result = "voicemail" if said("answeredby").startswith("machine") else "talked"
    elif status in ("no-answer", "canceled"):
        result = "abandoned" if inbound else "absent"
    known = inbound or way.startswith(("outbound", "outgoing", "trunking-"))
    return {
        "call_id": f"twilio:{said('sid')}" if said("sid") else "",
        "started_at": _tokyo(said("starttime") or said("datecreated")),
        "direction": ("inbound" if inbound else "outbound") if known else way,
        "number": other,
        "extension": "",
        "result": result,
        "talk_seconds": said("duration") or ("" if result == "talked" else "0"),
        "wait_seconds": "",
    }


def _tokyo(written: str) -> str:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            at = read(written)
        except (ValueError, TypeError):
            continue
        if at.tzinfo is not None:
            return f"{at.astimezone(TOKYO):%Y/%m/%d %H:%M:%S}"
    return written
