"""A small ward on the whole stack: real workers, web, beat and simulated carrier."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from contact_service.bootstrap import Service, wire
from contact_service.clock import TOKYO, FileClock
from contact_service.demo.residents import write_residents
from contact_service.domain.actors import Actor, Role
from contact_service.embedded.process import free_port
from contact_service.planning import runs
from contact_service.settings import Settings
from contact_service.stack import Stack
from tests.ledger import Ledger, definition

STAFF = Actor("planner", Role.STAFF)
APPROVER = Actor("approver", Role.APPROVER)
FIRST_DAY = date(2026, 10, 26)
VALID = Path(__file__).parents[2] / "campaigns" / "library" / "reminder-before-demand.yaml"


@dataclass
class Ward:
    """A running stack with its ledger."""

    service: Service
    clock: FileClock
    ledger: Ledger
    stack: Stack
    state: Path

    def launch(self, **changes: Any) -> UUID:
        """Plan and start a run in which everybody is contacted."""
        spec = definition(**({"arms": [{"name": "contact"}]} | changes))
        engine, now = self.service.engine, self.clock.now()
        # beat may come upon the run before it is started, and refuses a text that has faults
        source = f"# {spec.model_dump_json()}\n{VALID.read_text()}"
        run_id = runs.plan(engine, STAFF, spec, source, FIRST_DAY, now).run_id
        runs.start(engine, APPROVER, run_id, now, [])
        return run_id

    def carrier(self, path: str, body: object | None = None) -> Any:
        """Ask or tell the simulated carrier."""
        request = urllib.request.Request(
            f"{self.service.settings.carrier_url}/simulation/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def accepted(self) -> Counter[str]:
        """How often the carrier took a contact for each number, by its own record."""
        path = self.state / "outbox" / "accepted.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return Counter(json.loads(line)["to"] for line in lines if line.endswith("}"))

    def states(self) -> dict[str, int]:
        """How many SMS attempts are in which state."""
        rows = self.ledger.rows(
            "SELECT state, count(*) FROM attempt WHERE channel = 'sms' GROUP BY 1"
        )
        return dict(rows)  # type: ignore[arg-type]

    def logs(self) -> str:
        """All that any process printed."""
        return "\n".join(path.read_text() for path in (self.state / "logs").glob("*.log*"))


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Look again until it holds: other processes have no clock to inject."""
    give_up = time.monotonic() + seconds
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < give_up, "it did not come about in time"
        pause.wait(0.05)


@contextmanager
def ward(
    settings: Settings,
    folder: Path,
    people: Callable[[Ledger], None],
    workers: int = 2,
    carrier_port: int | None = None,
    trunks: Sequence[str] = (),
    web_port: int = 0,
) -> Iterator[Ward]:
    """Bring the whole service up on the test's servers, with the people that ``people`` adds.

    With ``trunks`` there is no simulated carrier. ``web_port`` of 0: any free one.
    """
    state = folder / "state"
    state.mkdir()
    clock = FileClock(state / "clock.json")
    clock.set(datetime(2026, 10, 26, 10, 0, tzinfo=TOKYO))
    own = settings.model_copy(
        update={
            "state_dir": state,
            "clock": f"file:{clock.path}",
            "web_port": web_port,
            "public_url": f"http://127.0.0.1:{web_port}",
            "carrier_url": f"http://127.0.0.1:{carrier_port or free_port()}",
            "beat_seconds": 0.2,
            "reconcile_grace_seconds": 1.0,
        }
    )
    service = wire(own)
    ledger = Ledger(service.engine, service.vault)
    people(ledger)
    write_residents(service, STAFF, state / "residents.jsonl")
    stack = Stack(
        own,
        workers=workers,
        carrier=not trunks,
        trunks=trunks,
        residents=state / "residents.jsonl",
        report=lambda text: None,
    )
    try:
        stack.start()
        stack.wait_ready(120)
        steered = Service(stack.settings, service.engine, service.vault, clock)
        yield Ward(steered, clock, ledger, stack, state)
    finally:
        stack.stop()
        service.engine.dispose()
