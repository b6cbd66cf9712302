"""What takes two persons is never done by one: not by whoever may both ask and decide, through
whichever door, and not by many requests at the same instant."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import requests
from sqlalchemy import text
from typer.testing import CliRunner

from contact_service.cli import _assemble
from contact_service.domain.actors import Actor, NotAllowed, Role
from contact_service.domain.life import CannotDo
from contact_service.domain.restrictions import RestrictionKind
from contact_service.identity import accounts, bulk_access, tokens
from contact_service.identity.bulk_access import MOST_OPENED, BulkKind
from contact_service.identity.tokens import Scope
from contact_service.people.opening import OpenReason, open_person
from contact_service.people.restricting import Wanted, ask_to_lift, decide_lift, restrict
from contact_service.planning import versions
from tests.dispatch.conftest import STAFF, Floor, floor
from tests.identity.conftest import ADMINISTRATOR, _quick_hashes
from tests.ledger import definition, mobile
from tests.system.ward import until
from tests.web.people import signed_in
from tests.web.test_doors import Door, door
from tests.web.test_people import door_settings, two_weeks_later

__all__ = ["_quick_hashes", "door", "door_settings", "floor", "two_weeks_later"]

AT_ONCE = 8
WAITING = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'"""
WHY = "本人の申出による確認"


def token(floor: Floor, role: Role, label: str = "x") -> str:
    return tokens.issue(floor.service, ADMINISTRATOR, label, role, frozenset(Scope), 1)


def together(door: Door, held: list[str], asked: list[tuple[str, dict[str, Any]]]) -> list[int]:
    """Requests that leave at the same instant, each with its token; their statuses."""
    ready = Barrier(len(asked))

    def send(who: str, path: str, body: dict[str, Any]) -> int:
        ready.wait()
        return requests.post(
            door.stack.web_url + path, json=body, timeout=60,
            headers={"Authorization": f"Bearer {who}"},
        ).status_code  # fmt: skip

    with ThreadPoolExecutor(len(asked)) as pool:
        sent = [pool.submit(send, who, *each) for who, each in zip(held, asked, strict=True)]
        return sorted(each.result() for each in sent)


@pytest.mark.parametrize("role", [Role.APPROVER, Role.SUPERVISOR, Role.ADMINISTRATOR])
def test_nobody_decides_by_any_door_what_they_asked_for(
    floor: Floor, door: Door, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    service, one = floor.service, floor.ledger.one
    code = one("SELECT code FROM debtor WHERE id = :id", id=floor.ledger.person([mobile(1)]))
    restriction = restrict(service, STAFF, Wanted(RestrictionKind.OPTED_OUT, code=str(code)))
    abe = signed_in(floor, door, "abe", role).open("/do-not-contact")
    abe.send(f"/do-not-contact/{restriction}/lift", reason=WHY)
    lift = one("SELECT id FROM restriction_lift")
    abe.send(f"/do-not-contact/lifts/{lift}", lift="true")
    abe.open("/bulk-access").send("/bulk-access", kind="open_many", reason=WHY)
    wish = one("SELECT id FROM bulk_access")
    abe.send(f"/bulk-access/{wish}", grant="true")
    monkeypatch.setattr("contact_service.cli.common.settings", lambda: service.settings)
    monkeypatch.setenv("CONTACT_ACTOR", "abe")
    said = CliRunner().invoke(_assemble(), ["bulk-access", "decide", str(wish), "--grant"])
    assert said.exit_code == 1 and "依頼した人は確認できません" in said.output
    left = "SELECT count(*) FROM {} WHERE decided_at IS NULL"
    assert one(left.format("restriction_lift")) == one(left.format("bulk_access")) == 1
    assert one("SELECT count(*) FROM restriction WHERE lifted_at IS NULL") == 1
    # by the API: what a token asked for, the same token does not decide
    if role is Role.ADMINISTRATOR:
        return
    floor.ledger.run("DELETE FROM bulk_access")
    held = {"Authorization": f"Bearer {token(floor, role)}"}

    def ask(path: str, body: dict[str, Any]) -> requests.Response:
        return requests.post(door.stack.web_url + path, json=body, headers=held, timeout=60)

    made = ask("/api/bulk-access", {"kind": "open_many", "reason": WHY}).json()["id"]
    assert ask(f"/api/bulk-access/{made}", {"grant": True}).status_code == 403
    floor.ledger.run("DELETE FROM restriction_lift")
    made = ask(f"/api/restrictions/{restriction}/lift", {"reason": WHY}).json()["id"]
    assert ask(f"/api/lifts/{made}", {"lift": True}).status_code == 403
    assert one(left.format("restriction_lift")) == one(left.format("bulk_access")) == 1


def test_who_may_submit_and_approve_does_not_approve_what_they_submitted(
    floor: Floor, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, spec = floor.service, definition(arms=[{"name": "contact"}])
    monkeypatch.setattr("contact_service.cli.common.settings", lambda: service.settings)
    monkeypatch.setenv("CONTACT_ACTOR", "abe")
    abe = signed_in(floor, door, "abe", Role.ADMINISTRATOR).open("/account")
    versions.submit(
        service.engine, Actor("abe", Role.ADMINISTRATOR), spec, spec.model_dump_json(),
        floor.clock.now(),
    )  # fmt: skip
    abe.send("/campaigns/test/versions/1/approve", reason="")
    assert "提出した人とは別の人" in abe.page
    said = CliRunner().invoke(_assemble(), ["campaign", "approve", "test@1", "--yes"])
    assert said.exit_code == 1
    assert floor.ledger.one("SELECT state FROM campaign_version") == "submitted"
    # nor is what somebody else approved theirs to change: another text is another version
    ben = Actor("ben", Role.APPROVER)
    versions.approve(service.engine, ben, 1, floor.clock.now())
    other = spec.model_copy(update={"title": "別の文面"})
    versions.submit(
        service.engine, Actor("abe", Role.ADMINISTRATOR), other, other.model_dump_json(),
        floor.clock.now(),
    )  # fmt: skip
    abe.send("/campaigns/test/versions/2/schedule", day="2026-12-07")
    assert floor.ledger.one("SELECT count(*) FROM run") == 0
    assert floor.ledger.rows("SELECT version, state, definition ->> 'title' FROM campaign_version "
                             "ORDER BY version") == [
        (1, "approved", "試験"), (2, "submitted", "別の文面")]  # fmt: skip


def test_whoever_gets_another_role_in_between_is_still_who_asked(floor: Floor, door: Door) -> None:
    """A transfer, or an administrator's favour, makes no second person of the first."""
    service, spec, one = floor.service, definition(arms=[{"name": "contact"}]), floor.ledger.one
    code = one("SELECT code FROM debtor WHERE id = :id", id=floor.ledger.person([mobile(1)]))
    restriction = restrict(service, STAFF, Wanted(RestrictionKind.OPTED_OUT, code=str(code)))
    signed_in(floor, door, "abe", Role.STAFF)
    asker = accounts.find(service, "abe")
    assert asker
    versions.submit(service.engine, asker.actor, spec, spec.model_dump_json(), floor.clock.now())
    lift = ask_to_lift(service, asker.actor, restriction, WHY)
    wish = bulk_access.ask(service, asker.actor, BulkKind.OPEN_MANY, "", WHY)
    accounts.assign(service, ADMINISTRATOR, "abe", Role.APPROVER, "*")
    decider = accounts.find(service, "abe")
    assert decider and decider.actor.role is Role.APPROVER
    for decide in (
        lambda: versions.approve(service.engine, decider.actor, 1, floor.clock.now()),
        lambda: decide_lift(service, decider.actor, lift, lift=True),
        lambda: bulk_access.decide(service, decider.actor, wish, grant=True),
    ):
        with pytest.raises((NotAllowed, CannotDo), match=r"依頼した人|提出した人|別の人"):
            decide()
    assert one("SELECT state FROM campaign_version") == "submitted"
    assert one("SELECT count(*) FROM restriction WHERE lifted_at IS NULL") == 1
    assert one("SELECT count(*) FROM bulk_access WHERE decided_at IS NULL") == 1


def test_many_decisions_at_the_same_instant_are_one(floor: Floor, door: Door) -> None:
    service = floor.service
    code = floor.ledger.one(
        "SELECT code FROM debtor WHERE id = :id", id=floor.ledger.person([mobile(1)])
    )
    restriction = restrict(service, STAFF, Wanted(RestrictionKind.OPTED_OUT, code=str(code)))
    lift = ask_to_lift(service, STAFF, restriction, WHY)
    wish = bulk_access.ask(service, STAFF, BulkKind.OPEN_MANY, "", WHY)
    held = [token(floor, Role.APPROVER, f"x{n}") for n in range(AT_ONCE)]
    for path, word, table in (
        (f"/api/bulk-access/{wish}", "grant", f"bulk_access WHERE id = {wish}"),
        (f"/api/lifts/{lift}", "lift", f"restriction_lift WHERE id = {lift}"),
    ):
        asked = [(path, {word: n % 2 == 0}) for n in range(AT_ONCE)]
        with ThreadPoolExecutor(1) as aside, service.engine.connect() as connection:
            # nobody is answered before several have looked
            connection.execute(text(f"SELECT 1 FROM {table} FOR UPDATE"))
            answers = aside.submit(together, door, held, asked)
            until(lambda: int(str(floor.ledger.one(WAITING))) > 2)
            connection.rollback()
            assert answers.result() == [204, *[409] * (AT_ONCE - 1)], path
    done = "SELECT count(*) FROM audit_log WHERE action = ANY(:actions)"
    for actions in (["bulk.grant", "bulk.refuse"], ["restriction.lift", "restriction.keep"]):
        assert floor.ledger.one(done, actions=actions) == 1


def test_many_openings_at_the_same_instant_are_counted(floor: Floor, door: Door) -> None:
    people = [floor.ledger.person([mobile(n)]) for n in range(MOST_OPENED - 1 + AT_ONCE)]
    kato = Actor("token:kato", Role.STAFF)
    for person in people[: MOST_OPENED - 1]:
        open_person(floor.service, kato, person, OpenReason.CHECK)
    held = [token(floor, Role.STAFF, "kato")] * AT_ONCE
    asked = [(f"/api/people/{p}/open", {"reason": "check"}) for p in people[MOST_OPENED - 1 :]]
    statuses = together(door, held, asked)
    assert [status < 300 for status in statuses].count(True) == 1, statuses
    assert floor.ledger.one(
        "SELECT count(DISTINCT subject) FROM audit_log WHERE actor = 'token:kato' AND action = "
        "'person.open'") == MOST_OPENED  # fmt: skip


def test_many_wishes_at_the_same_instant_are_one(floor: Floor, door: Door) -> None:
    held = [token(floor, Role.STAFF, "kato")] * AT_ONCE
    body = {"kind": "open_many", "reason": WHY}
    assert together(door, held, [("/api/bulk-access", body)] * AT_ONCE) == [
        201, *[409] * (AT_ONCE - 1)]  # fmt: skip
