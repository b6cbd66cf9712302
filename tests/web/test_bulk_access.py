"""What concerns many people at once takes two persons, at every door."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from contact_service.cli import _assemble
from contact_service.domain.actors import Actor, NotAllowed, Role
from contact_service.domain.life import CannotDo
from contact_service.identity import bulk_access
from contact_service.identity.bulk_access import MOST_OPENED, BulkKind
from contact_service.people.opening import OpenReason, open_person
from tests.dispatch.conftest import APPROVER, Floor, floor
from tests.ledger import definition, mobile
from tests.web.api import Api
from tests.web.people import signed_in
from tests.web.test_doors import Door, door
from tests.web.test_people import door_settings, two_weeks_later

__all__ = ["door", "door_settings", "floor", "two_weeks_later"]

KATO = Actor("kato", Role.STAFF)


def many(floor: Floor, count: int) -> list[int]:
    return [floor.ledger.person([mobile(n)]) for n in range(count)]


def open_all(floor: Floor, people: list[int]) -> None:
    for person in people:
        open_person(floor.service, KATO, person, OpenReason.CHECK)


def test_more_people_than_one_may_open_take_a_second_person(floor: Floor, door: Door) -> None:
    *first, last = many(floor, MOST_OPENED + 1)
    open_all(floor, first)
    open_all(floor, first[:1])  # who is open already is nobody more
    kato = signed_in(floor, door, "kato", Role.STAFF).open(f"/people/{last}")
    assert kato.send(f"/people/{last}/open", reason="check").status == 403
    assert "ほかの人の確認" in kato.page
    kato.open("/bulk-access")
    assert kato.send("/bulk-access", kind="open_many", reason=" ").status == 422
    kato.send("/bulk-access", kind="open_many", reason="誤送信の一斉確認")
    assert "ほかの人の確認を待っています" in kato.page
    assert kato.send("/bulk-access", kind="open_many", reason="また").status == 422
    asked = floor.ledger.one("SELECT id FROM bulk_access")
    assert kato.send(f"/bulk-access/{asked}", grant="true").status == 403
    api = Api(floor, door, Role.APPROVER)
    assert api.ask("GET", "/api/bulk-access")[1]["items"][0]["asked_by"] == "kato"
    assert api.ask("POST", f"/api/bulk-access/{asked}", {"grant": True})[0] == 204
    assert api.ask("POST", f"/api/bulk-access/{asked}", {"grant": False})[0] == 409
    kato.open(f"/people/{last}").send(f"/people/{last}/open", reason="check")
    assert "世田谷太郎" in kato.page.replace("　", "").replace(" ", "")


def test_letters_are_asked_for_by_name_not_by_number(floor: Floor, door: Door) -> None:
    floor.ledger.person([mobile(1)])
    run = floor.start(definition(arms=[{"name": "contact"}], title="秋の催告"))
    kato = signed_in(floor, door, "kato", Role.STAFF).open("/bulk-access")
    assert "郵送へ引き渡した催告書はまだありません" in kato.page
    floor.ledger.run(
        "INSERT INTO letter_batch (run_id, step, number, letters, handed_over_at, handed_over_by) "
        "VALUES (:run, 'letters', 2, 1204, now(), 'kato')", run=run,
    )  # fmt: skip
    subject = f"{run}/letters/2"
    assert f'<option value="{subject}">秋の催告・2回目' in kato.open("/bulk-access").page
    assert "1,204通" in kato.page
    kato.send("/bulk-access", kind="letters_again", subject=subject, reason="郵送で紛失")
    assert kato.status == 200 and "<small>秋の催告・2回目" in kato.page
    sato = signed_in(floor, door, "sato", Role.OPERATOR).open("/bulk-access")
    assert "人を超える納付者を開く" in sato.page and "どの引渡しか" not in sato.page


def test_whoever_asked_does_not_decide_and_a_grant_is_one_persons_for_a_day(floor: Floor) -> None:
    *first, last = many(floor, MOST_OPENED + 1)
    service = floor.service
    aoki = Actor("aoki", Role.APPROVER)
    made = bulk_access.ask(service, aoki, BulkKind.OPEN_MANY, "", "一斉確認 090-1234-5678")
    assert floor.ledger.one("SELECT reason FROM bulk_access") == "一斉確認 [number]"
    with pytest.raises(NotAllowed, match="依頼した人"):
        bulk_access.decide(service, aoki, made, grant=True)
    bulk_access.decide(service, APPROVER, made, grant=True)
    open_all(floor, first)
    with pytest.raises(NotAllowed):  # granted to another
        open_all(floor, [last])
    refused = bulk_access.ask(service, KATO, BulkKind.OPEN_MANY, "", "理由")
    bulk_access.decide(service, APPROVER, refused, grant=False)
    with pytest.raises(NotAllowed):
        open_all(floor, [last])
    again = bulk_access.ask(service, KATO, BulkKind.OPEN_MANY, "", "理由")
    bulk_access.decide(service, APPROVER, again, grant=True)
    floor.clock.at += bulk_access.GRANTED_FOR / 2
    open_all(floor, [last])
    floor.clock.at += bulk_access.GRANTED_FOR / 2
    open_all(floor, first[1:])  # of yesterday's only the one of this noon counts
    with pytest.raises(NotAllowed):  # and the grant is over
        open_all(floor, first[:1])
    with pytest.raises(CannotDo, match="実施番号"):
        bulk_access.ask(service, KATO, BulkKind.LETTERS_AGAIN, "x", "理由")
    with service.engine.connect() as connection:
        said = connection.scalars(text("SELECT action FROM audit_log WHERE action LIKE 'bulk.%'"))
        assert sorted(said) == [*["bulk.ask"] * 3, *["bulk.grant"] * 2, "bulk.refuse"]


def test_at_the_shell(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contact_service.cli.common.settings", lambda: floor.service.settings)

    def run(who: str, *words: str) -> tuple[int, str]:
        monkeypatch.setenv("CONTACT_ACTOR", who)
        done = CliRunner().invoke(_assemble(), ["bulk-access", *words])
        return done.exit_code, done.output

    asked = run("kato", "ask", "letters_again", "RUN/letter-1/1", "--reason", "紛失")
    assert asked == (0, "1: 依頼しました / asked\n")
    assert run("kato", "decide", "1", "--grant")[0] == 1
    assert run("aoki", "decide", "1", "--grant")[0] == 0
    assert "許可 / granted aoki" in run("mori", "list")[1]
