"""Anything may happen to a run in any order; the promises hold after every step."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.exc import OperationalError

from campaigns.vocabulary import Outcome
from contact_service.dispatch.switches import lift_switch, set_switch
from contact_service.planning import runs
from contact_service.receipts.events import Reported, Via, store_receipts
from providers.base import Accepted, Cause, Contact, Refused, Result, Throttled, Unknown
from tests.dispatch.carrier import report
from tests.dispatch.conftest import APPROVER, STAFF, Floor
from tests.ledger import definition, mobile

PEOPLE = 6
POINTS = ("leased", "committed", "sending", "answered", "recording")
#: What the carrier does with a contact: whether it takes it, and what it answers.
BEHAVIOUR = {
    "accepts": (True, lambda ref: Accepted(ref)),
    "takes and is silent": (True, lambda ref: Unknown("timeout")),
    "loses": (False, lambda ref: Unknown("timeout")),
    "throttles": (False, lambda ref: Throttled(timedelta(0))),
    "refuses": (False, lambda ref: Refused(Cause.NEVER_THIS_CONTENT, Outcome.BLOCKED)),
}


class Crash(OperationalError):
    """The worker dies here."""

    def __init__(self) -> None:
        super().__init__("gone", None, Exception("gone"))


def machine(floor: Floor) -> type[RuleBasedStateMachine]:
    """The machine over one test's floor; each example plans a run of its own."""

    class Dispatch(RuleBasedStateMachine):
        @initialize()
        def plan(self) -> None:
            floor.ledger.empty("attempt", "event", "target", "restriction", "stop_switch")
            floor.ledger.run("UPDATE run SET state = 'stopped'")
            floor.ledger.run("UPDATE claim SET outstanding_yen = 10000")
            floor.carrier.taken.clear()
            self.stopped: set[str] = set()
            self.forbidden: dict[str, int] = {}
            self.restricted: set[int] = set()
            steps = [{"name": "sms-1", "channel": "sms", "message": "m", "expires_after_days": 20,
                      "retries": [{"on": "undelivered", "after": "1 h", "most": 1}]}]  # fmt: skip
            floor.clock.at = floor.start_of_time
            number = floor.next_number()
            spec = definition(campaign=f"c{number}", arms=[{"name": "contact"}], steps=steps)
            self.run: UUID = floor.start(spec)
            self.behave("accepts")

        @rule(how=st.sampled_from(sorted(BEHAVIOUR)))
        def behave(self, how: str) -> None:
            takes, answer = BEHAVIOUR[how]

            def answers(contact: Contact, ref: str) -> Result:
                assert not self.stopped, "sent although stopped"
                assert contact.to not in self.forbidden, "sent to somebody to be left alone"
                return answer(ref)

            floor.carrier.takes = lambda contact: takes
            floor.carrier.answer = answers

        @rule(point=st.none() | st.sampled_from(POINTS))
        def drain(self, point: str | None) -> None:
            lane = floor.lane()

            def reached(name: str) -> None:
                if name == point:
                    raise Crash

            lane.reached = reached
            try:
                asyncio.run(lane.drain(0.1))
            except Crash:
                assert point is not None

        @rule()
        def leases_run_out(self) -> None:
            floor.ledger.run(
                "UPDATE attempt SET lease_until = clock_timestamp() - interval '1 s' "
                "WHERE state = 'leased'"
            )
            floor.settle_unknown()

        @rule()
        def ask_the_carrier(self) -> None:
            floor.settle_unknown()

        @rule(
            n=st.integers(0, 20),
            outcome=st.sampled_from([Outcome.DELIVERED, Outcome.UNDELIVERED, Outcome.OPTED_OUT]),
            named=st.booleans(),
        )
        @precondition(lambda self: floor.carrier.taken)
        def report_comes(self, n: int, outcome: Outcome, named: bool) -> None:
            ref, contact = floor.carrier.taken[n % len(floor.carrier.taken)]
            attempt = UUID(contact.reference) if named else None
            said = Reported(report(ref, outcome, final=True), attempt, Via.WEBHOOK)
            store_receipts(floor.service.engine, "scripted", [said], floor.clock.now())
            known = floor.ledger.one("SELECT count(*) FROM attempt WHERE provider_ref = :r", r=ref)
            if outcome is Outcome.OPTED_OUT and (named or known):
                self.forbid(contact.to)

        @rule(n=st.integers(0, PEOPLE - 1))
        def payment(self, n: int) -> None:
            floor.ledger.pays(floor.people[n])
            self.forbid(mobile(n))

        @rule(n=st.integers(0, PEOPLE - 1))
        def restriction(self, n: int) -> None:
            if n not in self.restricted:
                floor.ledger.restrict("deceased", debtor_id=floor.people[n])
            self.restricted.add(n)
            self.forbid(mobile(n))

        @rule(minutes=st.sampled_from([-7, 1, 61, 600]))
        def time_goes_by(self, minutes: int) -> None:
            floor.clock.at += timedelta(minutes=minutes)

        @rule()
        @precondition(lambda self: "run" not in self.stopped and "ended" not in self.stopped)
        def pause(self) -> None:
            runs.pause(floor.service.engine, STAFF, self.run, floor.clock.now())
            self.stopped.add("run")

        @rule()
        @precondition(lambda self: "run" in self.stopped and "ended" not in self.stopped)
        def resume(self) -> None:
            runs.resume(floor.service.engine, STAFF, self.run, floor.clock.now())
            self.stopped.discard("run")

        @rule(scope=st.sampled_from(["all", "channel:sms", "provider:scripted"]))
        def stop_scope(self, scope: str) -> None:
            now = floor.clock.now()
            set_switch(floor.service.engine, STAFF, scope, "x", now, ["scripted"])
            self.stopped.add(scope)

        @rule(scope=st.sampled_from(["all", "channel:sms", "provider:scripted"]))
        @precondition(lambda self: self.stopped)
        def lift_scope(self, scope: str) -> None:
            lift_switch(floor.service.engine, APPROVER, scope, floor.clock.now())
            self.stopped.discard(scope)

        @rule()
        @precondition(lambda self: "ended" not in self.stopped)
        def stop_for_good(self) -> None:
            runs.stop(floor.service.engine, STAFF, self.run, floor.clock.now())
            self.stopped.add("ended")

        def forbid(self, number: str) -> None:
            self.forbidden.setdefault(number, len(floor.carrier.taken))

        @invariant()
        def nobody_twice(self) -> None:
            assert max(floor.carrier.taken_by_reference().values(), default=0) <= 1

        @invariant()
        def nobody_forgotten(self) -> None:
            held = {
                str(row[0]): row[1] for row in floor.ledger.rows("SELECT id, state FROM attempt")
            }
            assert len(held) >= PEOPLE
            for reference in floor.carrier.taken_by_reference():
                assert held[reference] != "skipped", "the carrier has it"

        def teardown(self) -> None:
            """Peace: all that is unknown is settled, and by the carrier's account."""
            self.leases_run_out()
            floor.settle_unknown()
            left = floor.ledger.one(
                "SELECT count(*) FROM attempt WHERE state IN ('leased', 'unknown') "
                "AND NOT needs_person"
            )
            assert left == 0
            for reference in floor.carrier.taken_by_reference():
                state, person = floor.ledger.rows(
                    "SELECT state, needs_person FROM attempt WHERE id = CAST(:id AS uuid)",
                    id=reference,
                )[0]
                assert state in ("accepted", "finished") or person

    return Dispatch


@pytest.mark.parametrize("examples", [8])
def test_any_order_of_events_keeps_the_promises(floor: Floor, examples: int) -> None:
    floor.people = [floor.ledger.person([mobile(n)]) for n in range(PEOPLE)]  # type: ignore[attr-defined]
    floor.start_of_time = floor.clock.at  # type: ignore[attr-defined]
    numbers = iter(range(10_000))
    floor.next_number = lambda: next(numbers)  # type: ignore[attr-defined]
    run_state_machine_as_test(
        machine(floor),
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
