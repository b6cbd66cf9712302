"""What the start page and the board count: still to come, gone out, and the calls to expect."""

from __future__ import annotations

from datetime import timedelta

from contact_service.callcentre.wallboard import wallboard
from contact_service.domain.actors import Actor, Role
from contact_service.planning import overview
from tests.dispatch.conftest import Floor, floor
from tests.ledger import definition, mobile

__all__ = ["floor"]

SUPERVISOR = Actor("mori", Role.SUPERVISOR)


def counted(floor: Floor) -> list[tuple[str, int, int]]:
    """Channel, still to come and gone out, today."""
    with floor.service.engine.connect() as connection:
        found = overview.today(connection, SUPERVISOR, floor.clock.now())
    return [(one.channel, one.ahead, one.handed_over) for one in found]


def expected(floor: Floor) -> float:
    """Calls that contacts are expected to cause in the next two hours."""
    return sum(
        calls for _, calls in wallboard(floor.service, SUPERVISOR, floor.clock.now()).expected
    )


def test_what_is_ahead_goes_out_and_is_expected_to_cause_calls(floor: Floor) -> None:
    for n in range(20):
        floor.ledger.person([mobile(n)])
    floor.start(definition(
        arms=[{"name": "contact"}], call_backs={"expected_rate": {"sms": 0.5}},
        steps=[{"name": "sms-1", "channel": "sms", "message": "m"}],
    ))  # fmt: skip
    floor.ledger.run("UPDATE attempt SET due_at = due_at + interval '1 day', "
                     "expires_at = expires_at + interval '1 day' WHERE id IN "
                     "(SELECT id FROM attempt ORDER BY id LIMIT 5)")  # fmt: skip
    assert counted(floor) == [("sms", 15, 0)], "five are for tomorrow"
    assert 0 < expected(floor) <= 0.5 * 15
    floor.drain()
    assert counted(floor) == [("sms", 0, 15)]
    assert 0 < expected(floor) <= 0.5 * 15, "who was written to calls, though none is left to do"
    floor.clock.at += timedelta(days=1)
    assert counted(floor) == [("sms", 5, 0)], "yesterday's count no more"
