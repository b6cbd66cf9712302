"""A worker is killed in mid-batch: nobody is contacted twice, nobody is forgotten."""

from __future__ import annotations

from pathlib import Path

from contact_service.settings import Settings
from tests.ledger import Ledger, mobile
from tests.system.ward import Ward, until, ward

#: More than one worker leases, at 200 a second, before it is killed.
PEOPLE = 600


def add_people(ledger: Ledger) -> None:
    for n in range(PEOPLE):
        ledger.person([mobile(n)])


def holders(here: Ward) -> list[tuple[str, int]]:
    """The workers, by name and process, that have leases in hand."""
    owners = here.ledger.rows(
        "SELECT DISTINCT CAST(split_part(lease_owner, ':', 2) AS int) FROM attempt "
        "WHERE state = 'leased' AND lease_until > clock_timestamp()"
    )
    holding = {owner for (owner,) in owners}
    return [
        (name, process.pid)
        for name, process in here.stack.processes.items()
        if name.startswith("worker-") and process.pid in holding
    ]


def holder(here: Ward) -> tuple[str, int]:
    """The first that has leases in hand, as it was seen: asked again, it may have none."""
    seen: list[tuple[str, int]] = []
    until(lambda: bool(seen.extend(holders(here)) or seen))  # type: ignore[func-returns-value]
    return seen[0]


def test_sigkill_in_mid_batch_repeats_nobody_and_forgets_nobody(
    settings: Settings, tmp_path: Path
) -> None:
    with ward(settings, tmp_path, add_people) as here:
        # every answer takes a while, and some never come although the message was taken
        here.carrier("faults", {"latency_ms": 2000, "reset_after_accepting": 0.1})
        here.launch()
        for _ in range(2):
            # whichever is at work: nobody says which of the two a wake-up finds first
            name, busy = holder(here)
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
