"""Operators who press at the same instant: one person, or one caller, is with one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TypeVar

from contact_service.callcentre import incoming, taking
from contact_service.callcentre.list import next_person
from contact_service.domain.actors import Actor, Role
from tests.dispatch.conftest import Floor, floor
from tests.ledger import mobile

__all__ = ["floor"]

T = TypeVar("T")
#: As many as the service has connections at once (``store.engine.connect``).
MANY = 8


def at_once(press: Callable[[Actor], T]) -> list[T]:
    """What each operator got, all having pressed together."""
    together = Barrier(MANY)

    def one(n: int) -> T:
        together.wait(60)
        return press(Actor(f"op{n}", Role.OPERATOR))

    with ThreadPoolExecutor(MANY) as operators:
        return list(operators.map(one, range(MANY)))


def test_no_two_operators_get_the_same_person(floor: Floor) -> None:
    for n in range(MANY * 3 - 4):
        floor.ledger.person([mobile(n)])
    floor.start()
    now = floor.clock.now()
    floor.ledger.run("UPDATE attempt SET due_at = :at WHERE channel = 'operator'",
                     at=now - timedelta(minutes=1))  # fmt: skip
    given: Counter[object] = Counter()
    for turn in range(3):
        got = at_once(
            lambda who, turn=turn: next_person(  # type: ignore[misc]
                floor.service, Actor(f"{who.name}-{turn}", Role.OPERATOR), now
            )
        )
        given.update(one.attempt_id for one in got if one is not None)
    assert max(given.values()) == 1, "somebody is with two operators"
    assert len(given) == MANY * 3 - 4, "and everybody is with one"


def test_one_caller_is_taken_by_one_operator(floor: Floor) -> None:
    now = floor.clock.now()
    for n in range(5):
        incoming.arrived(floor.service, "line", f"TI{n}", mobile(n), now)
        got = at_once(lambda who: taking.take(floor.service, who, None, now))
        assert sum(one is not None for one in got) == 1
        floor.ledger.run("UPDATE inbound_call SET state = 'closed'")
