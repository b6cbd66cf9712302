"""A worker is killed in mid-batch: nobody is contacted twice, nobody is forgotten."""

from __future__ import annotations

from pathlib import Path

from contact_service.settings import Settings
from tests.ledger import Ledger, mobile
from tests.system.ward import until, ward

PEOPLE = 300


def add_people(ledger: Ledger) -> None:
    for n in range(PEOPLE):
        ledger.person([mobile(n)])


def test_sigkill_in_mid_batch_repeats_nobody_and_forgets_nobody(
    settings: Settings, tmp_path: Path
) -> None:
    with ward(settings, tmp_path, add_people) as here:
        # every answer takes a while, and some never come although the message was taken
        here.carrier("faults", {"latency_ms": 2000, "reset_after_accepting": 0.1})
        here.launch()
        for name in ("worker-1", "worker-2"):
            busy = here.stack.processes[name].pid
            until(
                lambda pid=busy: bool(  # type: ignore[misc]
                    here.ledger.one(
                        "SELECT count(*) FROM attempt WHERE state = 'leased' "
                        "AND lease_owner LIKE '%:' || :pid",
                        pid=str(pid),
                    )
                )
            )
            here.stack.kill(name)
            # what would take a minute and a half: the dead worker's leases run out
            orphaned = here.ledger.run(
                "UPDATE attempt SET lease_until = clock_timestamp() - interval '1 s' "
                "WHERE state = 'leased' AND lease_owner LIKE '%:' || :pid",
                pid=str(busy),
            )
            assert orphaned, "it was killed with work in hand"
        here.carrier("faults", {"latency_ms": 0, "reset_after_accepting": 0})
        until(lambda: set(here.states()) <= {"accepted", "finished"}, 120)

        taken = here.accepted()
        assert len(taken) == PEOPLE
        assert max(taken.values()) == 1
        assert sum(here.states().values()) == PEOPLE
