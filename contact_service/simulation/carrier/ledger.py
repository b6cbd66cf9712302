"""What the carrier accepted: the truth that crash tests count against."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

from contact_service.simulation.draws import Draws

Kind = Literal["message", "call"]
_PREFIX: dict[Kind, str] = {"message": "SM", "call": "CA"}


class Ledger:
    """Appends every accepted item to ``accepted.jsonl`` before the request is answered.

    ``acknowledged.jsonl`` has a line for each report that the customer took (2xx): those may
    never be lost. A line is handed to the operating system at once, so it outlives this process.
    """

    def __init__(self, folder: Path, draws: Draws) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "accepted.jsonl"
        self._draws = draws
        # A restarted carrier goes on counting, so no identifier is given out twice.
        self._count = sum(1 for _ in _lines(path))
        self._file = path.open("a", encoding="utf-8")
        self._acknowledged = (folder / "acknowledged.jsonl").open("a", encoding="utf-8")
        self.per_number: Counter[tuple[Kind, str]] = Counter()
        self.per_callback: Counter[str] = Counter()
        self.newest: dict[str, object] | None = None

    def accept(
        self, kind: Kind, to: str, detail: dict[str, str], status_callback: str | None, at: datetime
    ) -> str:
        """Take an item: its identifier."""
        self._count += 1
        sid = _PREFIX[kind] + self._draws.token("sid", kind, self._count)
        entry: dict[str, object] = {
            "kind": kind,
            "sid": sid,
            "to": to,
            **detail,
            "status_callback": status_callback,
            "at": at.isoformat(),
        }
        self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        self._file.flush()
        self.per_number[kind, to] += 1
        if status_callback:
            self.per_callback[status_callback] += 1
        self.newest = entry
        return sid

    def acknowledged(self, sid: str, status: str) -> None:
        """The customer has answered a report with success."""
        self._acknowledged.write(json.dumps({"sid": sid, "status": status}) + "\n")
        self._acknowledged.flush()

    def summary(self) -> dict[str, object]:
        """Counts since this process started."""
        return {
            "messages": sum(n for (kind, _), n in self.per_number.items() if kind == "message"),
            "calls": sum(n for (kind, _), n in self.per_number.items() if kind == "call"),
            "maximum_per_number": max(self.per_number.values(), default=0),
            "maximum_per_status_callback": max(self.per_callback.values(), default=0),
            "per_number": [
                {"kind": kind, "to": to, "count": n} for (kind, to), n in self.per_number.items()
            ],
            "per_status_callback": dict(self.per_callback),
            "newest": self.newest,
        }

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
        self._acknowledged.close()


def _lines(path: Path) -> Iterator[str]:
    if path.exists():
        with path.open(encoding="utf-8") as file:
            yield from file
