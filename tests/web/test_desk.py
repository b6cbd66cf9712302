"""The operator's desk, as an operator without JavaScript uses it."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import event

from contact_service.callcentre.presence import CLOSED_AFTER_SECONDS, close_silent_desks
from contact_service.clock import FileClock
from contact_service.dispatch.reconcile import collect_unknown
from contact_service.domain.actors import Role
from contact_service.web.app import app
from tests.dispatch.conftest import Floor, floor
from tests.ledger import Owed, mobile
from tests.web.browser import Browser
from tests.web.people import signed_in
from tests.web.test_doors import Door, door, door_settings

__all__ = ["door", "door_settings", "floor"]


def operator(floor: Floor, door: Door, name: str = "sato") -> Browser:
    """An operator who has opened the desk's page."""
    return signed_in(floor, door, name, Role.OPERATOR).open("/desk")


def at(door: Door, **later: float) -> None:
    """Let time pass for the service."""
    clock = FileClock(door.stack.settings.state_dir / "clock.json")
    clock.set(clock.now() + timedelta(**later))


def identify(browser: Browser, attempt: str, person: int | None = None) -> None:
    """It is sure who is on the line; unless said, whoever is asked for first."""
    found = re.search(r'name="person" value="(\d+)"', browser.page)
    assert found or person
    browser.send(
        f"/desk/{attempt}/identified",
        proof="name_and_birth_date",
        person=str(person or (found and found[1])),
    )


def attempt_on(browser: Browser) -> str:
    """Whom the desk shows."""
    found = re.search(r'action="/desk/([0-9a-f-]{36})/call"', browser.page)
    assert found, browser.page
    return found[1]


def two_o_clock(browser: Browser) -> str:
    """The half-hour at two, as the desk offers it."""
    found = re.search(r'<option value="(2026-11-09T14:00:00[^"]*)"', browser.page)
    assert found, browser.page
    return found[1]


def asks_to_be_called_back(floor: Floor, sato: Browser) -> None:
    """Three people are due; the first is on the desk of ``sato`` and asks to be called back at two
    o'clock, by her alone."""
    for n in range(3):
        floor.ledger.person([mobile(n)])
    floor.start()
    sato.send("/desk/next")
    first, at_two = attempt_on(sato), two_o_clock(sato)
    sato.send(f"/desk/{first}/result", kind="callback", call_back_at=at_two, only_me="true")


def test_a_call_from_the_first_look_to_the_promise(floor: Floor, door: Door) -> None:
    floor.ledger.person([mobile(1)], [Owed(yen=32_000), Owed(yen=8_000, year=2025)])
    floor.start()
    desk = operator(floor, door)
    assert "デスクは閉じています" in desk.page
    assert mobile(1)[-8:] not in desk.page
    desk.send("/desk/next")
    who = attempt_on(desk)
    assert "世田谷太郎" in desk.page and "40,000円" in desk.page
    assert "確認するまで、滞納のことを話してはいけません" in desk.page
    assert "の納付が11月9日現在で確認できておらず" not in desk.page  # the words for later
    desk.send(f"/desk/{who}/call")
    assert "通話中" in desk.page
    desk.send(f"/desk/{who}/result", kind="promised", promised_on="2026-11-30", promised_yen="1")
    assert desk.status == 422 and "本人確認を記録してから" in desk.page
    identify(desk, who)
    assert (
        "国民健康保険料（令和7年度、令和8年度）の納付が11月9日現在で確認できておらず" in desk.page
    )
    at(door, seconds=150)
    desk.send(f"/desk/{who}/hung-up")
    assert "後処理中" in desk.page
    at(door, seconds=40)
    desk.send(f"/desk/{who}/result", kind="promised", promised_on="2026-11-30", promised_yen="40,000円",
              promised_method="pay_easy", note="月末の給料のあと")  # fmt: skip
    assert "受付中" in desk.page and "世田谷太郎" not in desk.page
    assert floor.ledger.rows(
        "SELECT talk_seconds, wrap_seconds, result, extension FROM call WHERE origin = 'operator'"
    ) == [(150, 40, "talked", "sato")]
    assert floor.ledger.rows("SELECT promised_on::text, amount_yen, method FROM promise") == [
        ("2026-11-30", 40_000, "pay_easy")
    ]
    assert floor.ledger.rows("SELECT proof, checked_by FROM identity_check") == [
        ("name_and_birth_date", "sato")
    ]
    note = floor.ledger.one("SELECT note FROM disposition")
    assert isinstance(note, bytes) and "給料".encode() not in note


def test_nothing_is_recorded_half(floor: Floor, door: Door) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    desk = operator(floor, door).send("/desk/next")
    who = attempt_on(desk)
    identify(desk, who)
    good = {"kind": "promised", "promised_on": "2026-11-30", "promised_yen": "1"}
    for fields, says in (
        (good | {"promised_yen": "-5"}, "1円以上"),
        (good | {"promised_parts": "1"}, "2回以上"),
        (good | {"promised_method": "gold"}, "納付の方法を選んでください"),
        ({"kind": "callback", "call_back_at": "tomorrow"}, "その日時は選べなくなりました"),
        ({"kind": "callback", "call_back_at": "2026-11-09T23:00:00+09:00"}, "その日時は"),
        ({"kind": "hardship", "answers": "そんな問いはない"}, "聞き取りの項目が変わりました"),
        ({"kind": "promised", "note": "大事な話"}, "納付約束には、日"),
        (
            {"kind": "promised", "promised_on": "2026-11-01", "promised_yen": "1"},
            "日が過ぎています",
        ),
        ({"kind": "callback"}, "かけ直す日時を選んでください"),
        ({"kind": "hardship", "support_desk": "無い窓口"}, "その相談先は登録されていません"),
    ):
        desk.send(f"/desk/{who}/result", **fields)
        assert (desk.status, says in desk.page) == (422, True)
    assert floor.ledger.one("SELECT count(*) FROM disposition") == 0
    desk.send(f"/desk/{who}/result", kind="promised", note="大事な話")
    assert "大事な話" in desk.page  # what was typed is not typed twice
    # a sub-reason of another result is not taken along
    desk.send(f"/desk/{who}/result", kind="refused", sub_reason="disputes:金額が違う")
    assert floor.ledger.rows("SELECT kind, sub_reason FROM disposition") == [("refused", None)]


def test_who_asks_to_be_called_back_is_called_then_by_whom_they_asked(
    floor: Floor, door: Door
) -> None:
    sato, suzuki = operator(floor, door), operator(floor, door, "suzuki")
    asks_to_be_called_back(floor, sato)
    # the two others are on the list; who asked waits for their time
    seen = {attempt_on(each.send("/desk/next")) for each in (sato, suzuki)}
    again = str(
        floor.ledger.one("SELECT id FROM attempt WHERE requested AND reserved_for = 'sato'")
    )
    assert len(seen) == 2 and again not in seen
    for each in (sato, suzuki):
        each.send(f"/desk/{attempt_on(each)}/result", kind="absent")
    assert "いま架電できる方はいません" in suzuki.send("/desk/next").page
    at(door, hours=3, minutes=5)  # 14:05
    assert "いま架電できる方はいません" in suzuki.send("/desk/next").page  # it is Sato's
    # quiet days after a conversation do not hold it back: the person asked for it
    sato.send("/desk/next")
    assert attempt_on(sato) == again
    assert "本人がかけ直しを希望" in sato.page
    sato.send("/desk/state", to="on_break")  # given back before any call
    assert "休憩中" in sato.page
    at(door, minutes=30)
    suzuki.send("/desk/next")  # half an hour late: better somebody else than nobody
    assert attempt_on(suzuki) == again


def test_at_a_shared_telephone_each_hears_of_nothing_but_their_own(
    floor: Floor, door: Door
) -> None:
    first = floor.ledger.person([mobile(1)], [Owed(yen=32_000)])
    second = floor.ledger.person([mobile(1)], [Owed(yen=5_000, kind="care_insurance")])
    for person, name in ((first, "一郎"), (second, "花子")):
        sealed = floor.service.vault.seal("debtor.name", name)
        floor.ledger.run("UPDATE debtor SET name = :name WHERE id = :id", name=sealed, id=person)
    floor.start()
    stranger = floor.ledger.person([mobile(2)])
    desk = operator(floor, door).send("/desk/next")
    who = attempt_on(desk)
    sentences = re.compile(r'<p class="say">(.*?)</p>', re.S)
    assert not any("一郎" in said and "花子" in said for said in sentences.findall(desk.page))
    assert not any("円" in said for said in sentences.findall(desk.page))
    assert "この番号は2人が使っています" in desk.page
    desk.send(f"/desk/{who}/identified", proof="name_and_address", person=str(stranger))
    assert "この電話の相手ではありません" in desk.page
    identify(desk.open("/desk"), who, second)
    (matter,) = (said for said in sentences.findall(desk.page) if "円" in said)
    assert "5,000円" in matter and "介護保険料" in matter and "国民健康保険料" not in matter
    assert "納付約束：全額 5,000円" in desk.page
    at(door, seconds=20)  # then the other comes to the telephone
    identify(desk, who, first)
    (matter,) = (said for said in sentences.findall(desk.page) if "円" in said)
    assert "32,000円" in matter and "介護保険料" not in matter
    # and a number that somebody gave up is theirs no more
    floor.ledger.run(
        "UPDATE debtor_phone SET phone_id = (SELECT phone_id FROM debtor_phone "
        "WHERE debtor_id = :other) WHERE debtor_id = :id",
        id=first, other=stranger,
    )  # fmt: skip
    assert "一郎" not in desk.open("/desk").page


def test_what_must_not_be_asked_for_is_shown_and_not_spoken_of(floor: Floor, door: Door) -> None:
    person = floor.ledger.person([mobile(1)], [Owed(yen=32_000), Owed(yen=8_000, year=2025)])
    floor.start()
    desk = operator(floor, door).send("/desk/next")
    floor.ledger.run(
        "INSERT INTO restriction (kind, debtor_id, claim_id, starts_on, origin) SELECT "
        "'collection_deferred', debtor_id, id, '2026-01-01', 'file' FROM claim "
        "WHERE debtor_id = :id AND outstanding_yen = 8000",
        id=person,
    )
    identify(desk, attempt_on(desk))
    assert "徴収猶予" in desk.page and "催告しない" in desk.page and "8,000円" in desk.page
    assert "納付約束：全額 32,000円" in desk.page and "40,000円" not in desk.page


def test_hardship_leads_to_help_and_ends_all_chasing(floor: Floor, door: Door) -> None:
    person = floor.ledger.person([mobile(1)])
    floor.start()
    desk = operator(floor, door).send("/desk/next")
    desk.send(f"/desk/{attempt_on(desk)}/result", kind="hardship", support_desk="法テラス",
              answers="ほかに借入れや滞納がある")  # fmt: skip
    assert floor.ledger.rows("SELECT desk, answers FROM referral") == [
        ("法テラス", ["ほかに借入れや滞納がある"])
    ]
    assert floor.ledger.rows(
        "SELECT kind FROM restriction WHERE debtor_id = :id AND lifted_at IS NULL", id=person
    ) == [("hardship",)]
    assert "いま架電できる方はいません" in desk.send("/desk/next").page


def test_a_closed_desk_gives_the_person_back(floor: Floor, door: Door) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    sato, suzuki = operator(floor, door), operator(floor, door, "suzuki")
    who = attempt_on(sato.send("/desk/next"))
    assert "いま架電できる方はいません" in suzuki.send("/desk/next").page
    hold = "SELECT extract(epoch FROM lease_until - clock_timestamp()) FROM attempt WHERE id = :id"
    assert float(str(floor.ledger.one(hold, id=who))) > 3600  # a browser without scripts
    assert sato.send("/desk/here").status == 204
    assert float(str(floor.ledger.one(hold, id=who))) <= CLOSED_AFTER_SECONDS
    floor.ledger.run("UPDATE attempt SET lease_until = '2020-01-01' WHERE state = 'leased'")
    floor.ledger.run("UPDATE operator_period SET seen_at = '2020-01-01' WHERE operator = 'sato'")
    collect_unknown(floor.service)  # what the beat does
    with floor.service.engine.begin() as connection:
        assert close_silent_desks(connection, floor.clock.now()) == 1
    assert attempt_on(suzuki.send("/desk/next")) == who
    assert "この方はあなたの担当ではありません" in sato.open("/desk").send(f"/desk/{who}/call").page


def test_a_call_that_was_made_must_have_a_result(floor: Floor, door: Door) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    desk = operator(floor, door).send("/desk/next")
    who = attempt_on(desk)
    desk.send(f"/desk/{who}/call")
    desk.send("/desk/state", to="on_break")
    assert desk.status == 422 and "先に、今の方の結果を記録してください" in desk.page
    desk.send(f"/desk/{who}/result", kind="busy")
    assert "休憩中" in desk.send("/desk/state", to="on_break").page
    assert "デスクは閉じています" in desk.send("/desk/state", to="").page


def test_the_desk_is_for_operators(floor: Floor, door: Door) -> None:
    browser = signed_in(floor, door, "eva", Role.EVALUATOR)
    assert "電話デスク" not in browser.open("/").page
    assert browser.open("/desk").status == 403


def test_a_supervisor_sees_the_centre_and_looks_after_who_was_led_to_help(
    floor: Floor, door: Door
) -> None:
    for n in range(3):
        floor.ledger.person([mobile(n)])
    floor.start()
    sato = operator(floor, door).send("/desk/next")
    sato.send(f"/desk/{attempt_on(sato)}/call")
    mori = signed_in(floor, door, "mori", Role.SUPERVISOR).open("/centre")
    assert re.search(r"通話中</dt><dd>1<", mori.page) and "確認を待つものはありません" in mori.page
    assert re.search(r"折衝リストで待つ方</dt><dd>2<", mori.page)
    sato.send(f"/desk/{attempt_on(sato)}/result", kind="hardship")
    mori.open("/centre")
    assert re.search(r"受付中</dt><dd>1<", mori.page)
    code = floor.ledger.one("SELECT debtor_code FROM restriction WHERE kind = 'hardship'")
    assert str(code) in mori.page and "ぷらっとホーム世田谷" in mori.page
    mori.send(f"/centre/referrals/{floor.ledger.one('SELECT id FROM referral')}")
    assert "確認を待つものはありません" in mori.page
    assert floor.ledger.one("SELECT followed_up_by FROM referral") == "mori"
    floor.ledger.run("UPDATE operator_period SET seen_at = '2020-01-01'")
    assert "だれもデスクを開いていません" in mori.open("/centre").page
    assert sato.open("/centre").status == 403


def test_todays_calls_are_counted_as_they_are_reported(floor: Floor, door: Door) -> None:
    board = signed_in(floor, door, "mori", Role.SUPERVISOR).open("/centre")
    assert "記録なし" in board.page
    calls = [
        {"key": f"k{n}", "started_at": "2026-11-09T10:00:00+09:00", "from": None,
         "wait_seconds": wait, "talk_seconds": 60, "wrap_seconds": 0, "result": result}
        for n, (wait, result) in enumerate(
            [(5, "talked"), (20, "talked"), (45, "talked"), (60, "abandoned")])
    ]  # fmt: skip
    calls.append(calls[0] | {"key": "yesterday", "started_at": "2026-11-08T10:00:00+09:00"})
    assert door.api("/api/calls", calls)[0] == 200
    board.open("/centre")
    for name, count in (("着信", "4"), ("応答", "3"), ("放棄", "1"), ("応答した割合", "50%")):
        assert re.search(rf"{name}</dt><dd>{count}<", board.page), name


def test_the_best_number_and_hour_stand_beside_the_person(floor: Floor, door: Door) -> None:
    floor.ledger.person(["+81354320001", mobile(1), mobile(2)])
    floor.ledger.restrict("wrong_person", phone=mobile(2))
    floor.start()
    for n, (at_, result) in enumerate(
        [("10:05", "absent"), ("10:40", "absent"), ("14:10", "talked"), ("15:20", "absent")]
    ):
        floor.ledger.run(
            "INSERT INTO call (origin, direction, started_at, talk_seconds, wrap_seconds, result, "
            "phone_id, deduplication_key) SELECT 'operator', 'outbound', "
            "CAST('2026-10-01 ' || :at || '+09' AS timestamptz), 0, 0, :result, id, :key "
            "FROM phone WHERE number_index = :index",
            at=at_, result=result, key=f"k{n}", index=floor.service.vault.indexes("phone", mobile(1))[0],
        )  # fmt: skip
    desk = operator(floor, door).send("/desk/next")
    assert re.search(r"番号 1</dt><dd>090-1000-0001.*14時台.*4回中1回応答", desk.page)
    assert re.search(r"番号 2</dt><dd>03-5432-0001 *</dd>", desk.page)  # never called: no hour
    assert "090-1000-0002" not in desk.page


def test_what_every_desk_asks_every_few_seconds_counts_no_list(floor: Floor, door: Door) -> None:
    sato = operator(floor, door)
    said: list[str] = []
    engine = app.state.service.engine

    def listen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(engine, "before_cursor_execute", listen)
    try:
        assert sato.open("/desk/calls").status == 200
        asked, said[:] = list(said), []
        assert sato.open("/desk").status == 200
    finally:
        event.remove(engine, "before_cursor_execute", listen)
    lists = [one for one in said if "AS waiting" in one and "FROM attempt" in one]
    assert lists and not [one for one in asked if "AS waiting" in one and "FROM attempt" in one]
