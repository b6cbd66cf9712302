"""What somebody said on the telephone stops what campaigns still have for them, or it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from contact_service.callcentre import incoming, taking
from contact_service.callcentre.dispositions import CallBack, Conversation, record_disposition
from contact_service.callcentre.inbound_results import record_inbound
from contact_service.callcentre.list import next_person
from contact_service.domain.actors import Actor, Role
from contact_service.domain.states import DispositionKind
from tests.dispatch.conftest import Floor, floor
from tests.ledger import mobile

__all__ = ["floor"]

SATO = Actor("sato", Role.OPERATOR)
#: Whom a result protects, as what; all others leave people where they are.
STOPS = {
    DispositionKind.HARDSHIP: ("person", "hardship"),
    DispositionKind.DECEASED: ("person", "deceased"),
    DispositionKind.LAWYER_ENGAGED: ("person", "lawyer_engaged"),
    DispositionKind.OPTED_OUT: ("number", "opted_out"),
    DispositionKind.WRONG_NUMBER: ("number", "wrong_person"),
    DispositionKind.MOVED: ("number", "wrong_person"),
}


def said(conversation: UUID, kind: DispositionKind, now: datetime) -> Conversation:
    later = CallBack(now + timedelta(days=2)) if kind is DispositionKind.CALLBACK else None
    return Conversation(conversation, kind, now, 60, 20, call_back=later)


def we_call(floor: Floor, now: datetime) -> Iterator[tuple[int, DispositionKind]]:
    """Each result of a call out, and whom it was about."""
    floor.ledger.run("UPDATE attempt SET due_at = :now WHERE channel = 'operator'", now=now)
    for kind in DispositionKind:
        shown = next_person(floor.service, SATO, now)
        assert shown is not None
        record_disposition(floor.service, SATO, said(shown.attempt_id, kind, now), now)
        about = floor.ledger.one(
            "SELECT t.addressee_id FROM attempt a JOIN target t ON t.id = a.target_id "
            "WHERE a.id = :id",
            id=shown.attempt_id,
        )
        yield int(str(about)), kind


def they_call(floor: Floor, now: datetime) -> Iterator[tuple[int, DispositionKind]]:
    """Each result of a call in, and whom it was about."""
    for n, kind in enumerate(DispositionKind):
        incoming.arrived(floor.service, "line", f"TI{n}", mobile(n), now)
        taken = taking.take(floor.service, SATO, None, now)
        assert taken is not None
        record_inbound(floor.service, SATO, said(taken.id, kind, now), now)
        about = floor.ledger.one("SELECT debtor_id FROM inbound_call WHERE id = :id", id=taken.id)
        yield int(str(about)), kind


@pytest.mark.parametrize("calls", [we_call, they_call])
def test_a_result_protects_the_person_or_the_number_from_the_very_next_text(
    floor: Floor, calls: Callable[[Floor, datetime], Iterator[tuple[int, DispositionKind]]]
) -> None:
    number = {floor.ledger.person([mobile(n)]): mobile(n) for n in range(len(DispositionKind))}
    floor.start()  # a text to each of them is due
    results = dict(calls(floor, floor.clock.now()))
    assert set(results) == set(number)
    protected = {
        results[int(str(debtor))]: (whom, kind)
        for debtor, whom, kind in floor.ledger.rows("""
            SELECT coalesce(r.debtor_id, dp.debtor_id),
                CASE WHEN r.phone_id IS NULL THEN 'person' ELSE 'number' END, r.kind
            FROM restriction r LEFT JOIN debtor_phone dp ON dp.phone_id = r.phone_id
            WHERE r.lifted_at IS NULL""")
    }
    assert protected == STOPS
    floor.drain()
    written_to = {contact.to for _, contact in floor.carrier.taken}
    assert written_to == {number[debtor] for debtor, kind in results.items() if kind not in STOPS}
