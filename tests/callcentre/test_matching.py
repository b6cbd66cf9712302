"""Whose an incoming call is, and what it was probably caused by: any order of contacts, any of the
callers that a centre has."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from contact_service.callcentre import incoming
from contact_service.domain.actors import Actor, Role
from tests.dispatch.conftest import Floor, floor
from tests.ledger import mobile

__all__ = ["floor"]

SATO = Actor("sato", Role.OPERATOR)
OWN, SHARED, OTHER, UNKNOWN, WITHHELD = mobile(1), mobile(2), mobile(3), mobile(4), None
#: Minutes before the call, or after it, around the 72 hours within which it counts as caused.
MINUTES = st.one_of(
    st.none(),  # planned, and not sent
    st.none(),
    st.sampled_from([-1, 0, 1, 72 * 60 - 1, 72 * 60, 72 * 60 + 1]),
    st.integers(-60, 75 * 60),
)
_refs = count()


@given(caller=st.sampled_from([OWN, SHARED, OTHER, UNKNOWN, WITHHELD]), data=st.data())
@examples(
    max_examples=100, deadline=None, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
def test_a_call_is_the_only_persons_and_after_the_last_contact_of_72_hours(
    floor: Floor, caller: str | None, data: st.DataObject
) -> None:
    if not floor.ledger.one("SELECT count(*) FROM attempt"):
        for numbers in ([OWN], [SHARED], [SHARED], [OTHER]):
            floor.ledger.person(numbers)
        floor.start()
    now = floor.clock.now()
    attempts = floor.ledger.rows("""
        SELECT a.id, p.number, a.channel FROM attempt a JOIN phone p ON p.id = a.phone_id
        ORDER BY a.id""")
    sent: list[tuple[int, str]] = []  # minutes before the call, channel; at the caller's number
    ats: list[datetime | None] = []
    for _, sealed, channel in attempts:
        minutes = data.draw(MINUTES)
        ats.append(None if minutes is None else now - timedelta(minutes=minutes))
        assert isinstance(sealed, bytes)
        number = floor.service.vault.open("phone.number", sealed)
        if number == caller and minutes is not None and 0 <= minutes < 72 * 60:
            sent.append((minutes, str(channel)))
    floor.ledger.run(
        """UPDATE attempt a SET submitted_at = v.at
        FROM unnest(CAST(:ids AS uuid[]), CAST(:ats AS timestamptz[])) AS v(id, at)
        WHERE a.id = v.id""",
        ids=[row[0] for row in attempts],
        ats=ats,
    )
    floor.ledger.empty("inbound_call")
    ref = f"TI{next(_refs)}"
    for _ in range(data.draw(st.integers(1, 3))):  # a carrier may tell it more than once
        incoming.arrived(floor.service, "line", ref, caller, now)

    (shown,) = incoming.waiting(floor.service, SATO, now)
    assert shown.people == {OWN: 1, SHARED: 2, OTHER: 1}.get(caller or "", 0)
    assert (shown.name is not None) == (shown.people == 1), "nobody is guessed"
    assert shown.withheld == (caller is None)
    if not sent:
        assert shown.last is None
    else:
        assert shown.last is not None
        latest = min(minutes for minutes, _ in sent)
        assert shown.last.at == now - timedelta(minutes=latest)
        assert shown.last.earlier == timedelta(minutes=latest)
        assert (latest, shown.last.channel.value) in sent
