"""Asterisk's own records as rows of the ``call-records`` layout.

``queue_log``: one line per event, joined by the caller's unique identifier into one row per
call. Fields and events: https://docs.asterisk.org/Operation/Logging/Queue-Logs/ ; kept in a
database (realtime) the same stand in the columns time, callid, queuename, agent, event, data1…
CDR: ``Master.csv`` of ``cdr_csv``, without headings, in the order accountcode, src, dst,
dcontext, clid, channel, dstchannel, lastapp, lastdata, start, answer, end, duration, billsec,
disposition, amaflags, and where they are switched on uniqueid and userfield:
https://docs.asterisk.org/Configuration/Reporting/Call-Detail-Records-CDR/ .

Memory holds the calls that are in the queue, not the file. Times are Asia/Tokyo; durations in
seconds. What cannot be read is passed on as it stands, and rejected where every row is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from contact_service.clock import TOKYO

Numbered = tuple[int, list[str]]
"""The physical line from 1, and its cells."""
Record = Mapping[str, str]

QUEUE_LOG = ("time", "callid", "queuename", "agent", "event")
_FORGOTTEN = timedelta(days=1)  # a caller whose end was never written
#: Events that end a call → its result, and where wait and talk stand among the parameters.
_ENDS: Mapping[str, tuple[str, int, int | None]] = {
    "COMPLETECALLER": ("talked", 0, 1),
    "COMPLETEAGENT": ("talked", 0, 1),
    "BLINDTRANSFER": ("talked", 2, 3),
    "TRANSFER": ("talked", 2, 3),
    "ATTENDEDTRANSFER": ("talked", -3, -2),
    "ABANDON": ("abandoned", 2, None),
    "EXITWITHTIMEOUT": ("other", 2, None),
    "EXITEMPTY": ("other", 2, None),
    "EXITWITHKEY": ("other", 3, None),
}
_AGENT = re.compile(r"(?:\w+/)?([0-9A-Za-z]{1,12})(?:[@\-/].*)?")
_INTERNAL = re.compile(r"\d{1,6}")
_SECONDS = re.compile(r"\d{1,6}")
_START, _DISPOSITION, _UNIQUE_ID = 9, 14, 16
CDR_CELLS = 16
DISPOSITIONS = frozenset({"ANSWERED", "NO ANSWER", "BUSY", "FAILED", "CONGESTION"})


@dataclass(frozen=True, slots=True)
class _Caller:
    since: datetime
    number: str


def queue_calls(lines: Iterable[Numbered]) -> Iterator[tuple[int, Record | None]]:
    """One record per call that ended, at the line that ended it; ``None``: the line is cut off.

    A call that is still waiting when the file ends is in the next one. One whose beginning is
    in an earlier file has no number here.
    """
    waiting: dict[str, _Caller] = {}
    for line, cells in lines:
        if len(cells) < len(QUEUE_LOG):
            yield line, None
            continue
        when, call, _, agent, event = cells[:5]
        parameters = cells[5:]
        at = _instant(when)
        if event == "ENTERQUEUE" and at is not None:
            for known in [key for key, one in waiting.items() if at - one.since > _FORGOTTEN]:
                del waiting[known]
            waiting[call] = _Caller(at, parameters[1] if len(parameters) > 1 else "")
        elif event in _ENDS:
            result, wait_at, talk_at = _ENDS[event]
            while parameters and not parameters[-1]:  # columns of a database that this lacks
                parameters.pop()
            wait = _cell(parameters, wait_at)
            talk = "0" if talk_at is None else _cell(parameters, talk_at)
            caller = waiting.pop(call, None)
            yield (
                line,
                {
                    "call_id": f"asterisk:{call}",
                    "started_at": _began(when, at, wait, talk),
                    "direction": "inbound",
                    "number": caller.number if caller else "",
                    "extension": _extension(agent),
                    "result": result,
                    "talk_seconds": talk,
                    "wait_seconds": wait,
                },
            )


def cdr_calls(lines: Iterable[Numbered]) -> Iterator[tuple[int, Record | None]]:
    """One record per call. Asterisk writes one line for every telephone that a call rang at;
    of neighbouring lines with one unique identifier the one that was answered longest stands.
    Calls between two extensions are left out."""
    for _, group in groupby(lines, key=_unique):
        line, cells = max(group, key=_answered)
        if len(cells) < CDR_CELLS:
            yield line, None
        elif (record := _cdr(cells)) is not None:
            yield line, record


def _unique(numbered: Numbered) -> str:
    line, cells = numbered
    return _cell(cells, _UNIQUE_ID) or f"line {line}"


def _answered(numbered: Numbered) -> tuple[bool, bool, int]:
    cells = numbered[1]
    if len(cells) < CDR_CELLS:
        return False, False, 0
    talk = int(cells[13]) if _SECONDS.fullmatch(cells[13]) else 0
    return cells[_DISPOSITION] == "ANSWERED", bool(cells[6]), talk


def _cdr(cells: list[str]) -> Record | None:
    source, destination, channel, reached, application = (cells[n] for n in (1, 2, 5, 6, 7))
    duration, talk, disposition = cells[12], cells[13], cells[_DISPOSITION]
    outbound = bool(_INTERNAL.fullmatch(source) or _INTERNAL.fullmatch(_extension(channel)))
    if outbound and _INTERNAL.fullmatch(destination):
        return None
    wait = ""
    if not outbound and _SECONDS.fullmatch(duration) and _SECONDS.fullmatch(talk):
        wait = str(max(0, int(duration) - int(talk)))
    result = {"BUSY": "busy", "NO ANSWER": "absent" if outbound else "abandoned"}.get(disposition)
    if disposition == "ANSWERED":
        result = "voicemail" if application.lower() == "voicemail" else "talked"
        if not outbound and application.lower() == "queue" and not reached:
            # The queue answered and nobody else did: what was billed is waiting.
            result, wait, talk = "abandoned", duration, "0"
    elif disposition in ("FAILED", "CONGESTION"):
        result = "other"
    unique = _cell(cells, _UNIQUE_ID)
    return {
        "call_id": f"asterisk:{unique}" if unique else "",
        "started_at": cells[_START],
        "direction": "outbound" if outbound else "inbound",
        "number": destination if outbound else source,
        "extension": _extension(channel if outbound else reached),
        "result": result or disposition,
        "talk_seconds": talk,
        "wait_seconds": wait,
    }


def _cell(cells: list[str], index: int) -> str:
    return cells[index] if -len(cells) <= index < len(cells) else ""


def _extension(channel: str) -> str:
    """``PJSIP/8007-0000001a`` → ``8007``; nothing for a name that is no extension."""
    match = _AGENT.fullmatch(channel)
    return match[1] if match and match[1] != "NONE" else ""


def _instant(written: str) -> datetime | None:
    try:
        if written.isdecimal():
            return datetime.fromtimestamp(int(written), TOKYO)
        at = datetime.fromisoformat(written)
    except (ValueError, OverflowError, OSError):
        return None
    return at.replace(tzinfo=TOKYO) if at.tzinfo is None else at.astimezone(TOKYO)


def _began(written: str, end: datetime | None, wait: str, talk: str) -> str:
    """When the call entered the queue: its end less what is recorded of it."""
    if end is None or not (_SECONDS.fullmatch(wait) and _SECONDS.fullmatch(talk)):
        return written if end is None else f"{end:%Y/%m/%d %H:%M:%S}"
    return f"{end - timedelta(seconds=int(wait) + int(talk)):%Y/%m/%d %H:%M:%S}"
