"""A deferral is of the office (所管課) that keeps the claims it is about, to know and to lift. Where
it keeps another office from its own claims, that one is told what it is and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from contact_service.callcentre import incoming, taking
from contact_service.callcentre.case import case_of
from contact_service.domain.actors import Actor, Role
from contact_service.domain.restrictions import RestrictionKind
from contact_service.intake.importing import import_file
from contact_service.people import restricting
from contact_service.people.opening import OpenReason, open_person
from contact_service.people.person import Restriction, person
from contact_service.people.restricting import CannotRestrict, Wanted, restrict
from contact_service.people.timeline import timeline
from contact_service.planning import runs
from tests.dispatch.conftest import FIRST_DAY, Floor, floor
from tests.identity.conftest import _quick_hashes
from tests.identity.offices import HEALTH, NURSERY, of
from tests.intake.conftest import write_csv
from tests.ledger import Owed, definition, mobile
from tests.web.people import signed_in
from tests.web.test_doors import Door, door, door_settings

__all__ = ["_quick_hashes", "door", "door_settings", "floor"]

NOTE = "失業による猶予"
NURSERY_FEE = Owed(3_000, "nursery_fee", "other_public")


def code(floor: Floor, debtor: int) -> str:
    return str(floor.ledger.one("SELECT code FROM debtor WHERE id = :id", id=debtor))


def deferred(floor: Floor, folder: Path, office: str, debtor: int, notice: str) -> int:
    """What a file of an office says of a notice; the restriction's number."""
    row = {
        "宛名番号": code(floor, debtor), "通知書番号": notice, "区分": "徴収の猶予",
        "開始日": "2026-10-01", "終了日": "", "備考": NOTE,
    }  # fmt: skip
    path = write_csv(folder / f"r{debtor}{notice}_20261026.csv", [row])
    report = import_file(floor.service, of(floor, office, Role.STAFF), "restrictions", path)
    assert report.counts.accepted == 1, report.first_faults
    return int(str(floor.ledger.one("SELECT max(id) FROM restriction")))


def listed(floor: Floor, office: str) -> set[int]:
    found, _ = restricting.restrictions(floor.service, of(floor, office, Role.STAFF))
    return {one.id for one in found}


def seen(floor: Floor, office: str, debtor: int) -> tuple[list[Restriction], set[str | None]]:
    """What the person's page says to an office, and what their timeline does."""
    staff = of(floor, office, Role.STAFF)
    open_person(floor.service, staff, debtor, OpenReason.CHECK)
    told = timeline(floor.service, staff, debtor).entries
    return (
        list(person(floor.service, staff, debtor).restrictions),
        {one.kind.value for one in told if one.kind in ("restricted", "lifted")},
    )


@pytest.fixture
def both(floor: Floor) -> int:
    """Owes two instalments of health insurance by one notice, and a nursery fee by another."""
    debtor = floor.ledger.person([mobile(12)], [Owed(1_000), Owed(2_000), NURSERY_FEE])
    floor.ledger.run("UPDATE claim SET notice_number = 'N7' WHERE kind = 'health_insurance'")
    floor.ledger.run("UPDATE claim SET notice_number = 'H1' WHERE kind = 'nursery_fee'")
    return debtor


def test_a_deferral_of_a_notice_with_instalments_is_told_to_its_office_and_lifted_by_it(
    floor: Floor, both: int, tmp_path: Path
) -> None:
    made = deferred(floor, tmp_path, HEALTH, both, "N7")
    assert (listed(floor, HEALTH), listed(floor, "*"), listed(floor, NURSERY)) == (
        {made}, {made}, set(),
    )  # fmt: skip
    (own,), entries = seen(floor, HEALTH, both)
    assert (own.note, own.notice_number, entries) == (NOTE, "N7", {"restricted"})
    # it keeps the nursery office from its claim, too: what it is, and that it is another's
    (others,), entries = seen(floor, NURSERY, both)
    assert (others.kind, others.origin, others.in_force, entries) == (
        RestrictionKind.COLLECTION_DEFERRED, "another_office", True, set(),
    )  # fmt: skip
    assert {others.note, others.notice_number, others.starts_on, others.ends_on} == {None}
    with pytest.raises(CannotRestrict, match="no such restriction"):
        restricting.ask_to_lift(floor.service, of(floor, NURSERY, Role.STAFF), made, "x")
    wish = restricting.ask_to_lift(floor.service, of(floor, HEALTH, Role.STAFF), made, "x")
    (others,), _ = seen(floor, NURSERY, both)
    assert not others.lift_asked
    decides = Actor("nori", Role.APPROVER, NURSERY, kinds=of(floor, NURSERY, Role.STAFF).kinds)
    assert restricting.to_decide(floor.service, decides) == []
    with pytest.raises(CannotRestrict):
        restricting.decide_lift(floor.service, decides, wish, lift=True)
    decides = Actor("nori", Role.APPROVER, HEALTH, kinds=of(floor, HEALTH, Role.STAFF).kinds)
    restricting.decide_lift(floor.service, decides, wish, lift=True)
    assert [seen(floor, office, both)[1] for office in (HEALTH, NURSERY)] == [
        {"restricted", "lifted"}, set(),
    ]  # fmt: skip
    assert seen(floor, NURSERY, both)[0] == []


def test_it_holds_every_office_back_as_before(floor: Floor, both: int, tmp_path: Path) -> None:
    deferred(floor, tmp_path, HEALTH, both, "N7")
    staff = of(floor, NURSERY, Role.STAFF)
    fees = definition(arms=[{"name": "contact"}], select={"kinds": ["nursery_fee"]})
    with pytest.raises(runs.CannotDo):
        runs.plan(
            floor.service.engine, staff, fees, fees.model_dump_json(), FIRST_DAY, floor.clock.now()
        )
    # who talks to them is told why, and no more
    now = floor.clock.now()
    incoming.arrived(floor.service, "line", "x", mobile(12), now)
    operator = of(floor, NURSERY, Role.OPERATOR)
    call = taking.take(floor.service, operator, None, now)
    assert call is not None
    (caller,) = case_of(floor.service, operator, call.id, now).people
    (item,) = caller.restrictions
    assert (item.kind, item.starts_on, item.ends_on) == ("collection_deferred", None, None)
    assert [claim.may_be_told for claim in caller.claims] == [False]


def test_of_somebody_who_owes_another_office_alone_nothing_is_told(
    floor: Floor, tmp_path: Path
) -> None:
    other = floor.ledger.person([mobile(11)], [Owed(1_000), Owed(2_000)])
    floor.ledger.run("UPDATE claim SET notice_number = 'N5'")
    made = deferred(floor, tmp_path, HEALTH, other, "N5")
    whole = restrict(  # no notice: all that they owe
        floor.service, of(floor, HEALTH, Role.STAFF),
        Wanted(RestrictionKind.SEIZURE_DEFERRED, code=code(floor, other), note=NOTE),
    )  # fmt: skip
    assert listed(floor, HEALTH) == {made, whole}
    assert listed(floor, NURSERY) == set()
    floor.ledger.run(  # and from the day on which they owe the nursery office, that is told
        "UPDATE claim SET kind = 'nursery_fee', notice_number = 'H5' WHERE id = (SELECT max(id) FROM claim)"
    )
    assert listed(floor, NURSERY) == {whole}


def test_of_a_notice_that_nobody_knows_whoever_said_it_is_told(
    floor: Floor, both: int, tmp_path: Path
) -> None:
    brought = deferred(floor, tmp_path, HEALTH, both, "N99")
    for_all = deferred(floor, tmp_path, "*", both, "N98")
    gone = floor.ledger.person([mobile(13)])
    code = str(floor.ledger.one("SELECT code FROM debtor WHERE id = :id", id=gone))
    unknown = restrict(
        floor.service, of(floor, HEALTH, Role.STAFF),
        Wanted(RestrictionKind.INSTALMENT_PLEDGE, code=code, note=NOTE),
    )  # fmt: skip
    floor.ledger.run("DELETE FROM claim WHERE debtor_id = :id", id=gone)
    assert listed(floor, HEALTH) == {brought, unknown}
    assert listed(floor, "*") == {brought, for_all, unknown}
    assert listed(floor, NURSERY) == set()
    told = [(one.origin, one.note) for one in seen(floor, NURSERY, both)[0]]
    assert told == [("another_office", None)] * 2
    # the ledger learns of the notice: it is of whose claims it names
    floor.ledger.run("UPDATE claim SET notice_number = 'N99' WHERE kind = 'nursery_fee'")
    assert listed(floor, NURSERY) == {brought}
    assert listed(floor, HEALTH) == {unknown}


def test_the_pages_name_another_offices_restriction_and_offer_no_way_to_lift_it(
    floor: Floor, door: Door, both: int, tmp_path: Path
) -> None:
    deferred(floor, tmp_path, HEALTH, both, "N7")
    for office, told, form in ((NURSERY, False, 0), (HEALTH, True, 1)):
        staff = signed_in(floor, door, f"staff{form}", Role.STAFF, office)
        page = staff.open(f"/people/{both}").send(f"/people/{both}/open", reason="check").page
        assert (NOTE in page, page.count("/lift")) == (told, form)
        assert ("徴収猶予（ほかの課の制限）" in page) is not told
    now = floor.clock.now()
    incoming.arrived(floor.service, "line", "x", mobile(12), now)
    call = floor.ledger.one("SELECT id FROM inbound_call")
    desk = signed_in(floor, door, "hara", Role.OPERATOR, NURSERY).open("/desk")
    desk.send(f"/desk/take/{call}").open("/desk")
    assert "徴収猶予（ほかの課の制限）" in desk.page and NOTE not in desk.page
