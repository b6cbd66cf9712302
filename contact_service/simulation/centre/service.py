"""The centre's line to the service: the operators' list, dispositions, call records.

A record that cannot be handed over is tried again for about a minute, then kept on disk and
tried again at the next start.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import RequestError

from contact_service.logs import log
from contact_service.simulation.timeline import Timeline

_log = log(__name__)

NEXT, DISPOSITIONS, CALLS = "/api/operator/next", "/api/operator/dispositions", "/api/calls"
#: Real seconds between the attempts to hand a record over.
PAUSES = (0.2, 0.5, 1.0, 2.0, *[5.0] * 12)
#: Inbound records handed over at once.
BATCH = 200
Record = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Assignment:
    """The next person of the operators' list."""

    attempt_id: str | int
    phone: str


class Service:
    """The service as the centre's software sees it."""

    def __init__(self, url: str, token: str, folder: Path, timeline: Timeline) -> None:
        self._url = url
        self._timeline = timeline
        self._kept = folder / "undelivered.jsonl"
        self._refused = folder / "refused.jsonl"
        self._calls: list[Record] = []
        self._sending = False
        self._unsettled: dict[int, tuple[str, Record]] = {}
        self._client = (
            ClientBuilder()
            .no_proxy()
            .follow_redirects(False)
            .timeout(timedelta(seconds=15))
            .max_connections(16)
            .default_headers({"Authorization": f"Bearer {token}"})
            .build()
        )

    def begin(self) -> None:
        """Hand over what an earlier process had to keep."""
        if self._kept.exists():
            kept = [json.loads(line) for line in self._kept.read_text("utf-8").splitlines()]
            self._kept.unlink()
            for entry in kept:
                if entry["path"] == CALLS:
                    self.log_call(entry["record"])
                else:
                    self._timeline.background(self.dispose(entry["record"]))

    async def close(self) -> None:
        """Keep on disk what is still under way, then let go of connections."""
        for path, record in self._unsettled.values():
            _append(self._kept, {"path": path, "record": record})
        self._unsettled.clear()
        await self._client.close()

    async def next_person(self, extension: str) -> Assignment | None:
        """Whom an operator should call; ``None`` if nobody is due or the service is away."""
        answer = await self._post(NEXT, {"operator": extension})
        if answer is None or answer[0] == 204:
            return None
        status, body = answer
        if status != 200:
            _log.warning("the operators' list was refused", status=status)
            return None
        person = json.loads(body)
        return Assignment(person["attempt_id"], person["phone"])

    async def dispose(self, disposition: Record) -> None:
        """Record what an operator concluded."""
        self._unsettled[id(disposition)] = (DISPOSITIONS, disposition)
        await self._hand_over(DISPOSITIONS, disposition, [disposition])

    def log_call(self, call: Record) -> None:
        """Record an inbound call that has ended; several go in one request."""
        self._unsettled[id(call)] = (CALLS, call)
        self._calls.append(call)
        if not self._sending:
            self._sending = True
            self._timeline.background(self._send_calls())

    async def _send_calls(self) -> None:
        try:
            while self._calls:
                batch, self._calls = self._calls[:BATCH], self._calls[BATCH:]
                await self._hand_over(CALLS, batch, batch)
        finally:
            self._sending = False

    async def _hand_over(self, path: str, content: object, records: list[Record]) -> None:
        for pause in (*PAUSES, None):
            answer = await self._post(path, content)
            if answer is not None and answer[0] < 500 and answer[0] != 429:
                break
            if pause is not None:
                await asyncio.sleep(pause)
        if answer is None or answer[0] >= 500 or answer[0] == 429:
            _log.error("records are kept for the next start", path=path, count=len(records))
            self._settle(records, self._kept, {"path": path})
        elif answer[0] >= 400:
            _log.error("records were refused", path=path, status=answer[0], count=len(records))
            self._settle(records, self._refused, {"path": path, "status": answer[0]})
        else:
            self._settle(records, None, {})

    def _settle(self, records: list[Record], file: Path | None, why: dict[str, object]) -> None:
        for record in records:
            del self._unsettled[id(record)]
            if file is not None:
                _append(file, {**why, "record": record})

    async def _post(self, path: str, content: object) -> tuple[int, str] | None:
        """Status and body; ``None`` when the service is away."""
        try:
            request = self._client.post(self._url + path).body_json(content)
            answer = await request.build().send()
            return answer.status, await answer.text()
        except RequestError:
            return None


def _append(path: Path, entry: Mapping[str, object]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")
