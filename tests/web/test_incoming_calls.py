"""Incoming calls: on the desks, in the carrier's queue, taken by one operator, called back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest
import yaml

from campaigns.definition import Node
from contact_service.callcentre.house_rules import USUAL, house_rules
from contact_service.callcentre.taking import tidy
from contact_service.clock import FileClock
from contact_service.domain.actors import Role
from contact_service.settings import Settings
from contact_service.web.app import app
from providers.base import Instruction, Provider, ProviderUnavailable, Transfer
from tests.dispatch.conftest import Floor, floor
from tests.ledger import Owed, definition, mobile
from tests.web.browser import Browser
from tests.web.people import signed_in
from tests.web.test_desk import at, identify, operator
from tests.web.test_doors import Door, door, door_settings
from tests.web.test_replies import writes

__all__ = ["door", "door_settings", "floor"]
BASE = "/webhooks/simulated"


@pytest.fixture(autouse=True)
def office(door_settings: Settings) -> Iterator[None]:
    """An office whose callers wait with the carrier; one at a time, so that the second is told."""
    stated = yaml.safe_load(USUAL.read_text(encoding="utf-8"))
    stated["incoming"] |= {"queue": True, "most_waiting": 2, "call_backs_per_half_hour": 1}
    own = door_settings.state_dir / "desk.yaml"
    own.write_text(yaml.safe_dump(stated, allow_unicode=True), encoding="utf-8")
    door_settings.desk_file = own
    yield
    house_rules.cache_clear()


@pytest.fixture
def instructed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Instruction]]:
    """What the carrier was told to do with calls that are under way."""
    told: list[tuple[str, Instruction]] = []

    async def instruct(self: Provider, ref: str, steps: Sequence[Instruction]) -> None:
        told.append((ref, *steps))  # type: ignore[arg-type]

    monkeypatch.setattr("providers.twilio.adapter.TwilioProvider.instruct", instruct)
    return told


def call(n: int = 1, **more: str) -> dict[str, str]:
    """A call as the carrier tells of it."""
    return {
        "CallSid": f"CA{n:032}",
        "CallStatus": "in-progress",
        "From": mobile(n),
        "Direction": "inbound",
    } | more


def comes(door: Door, n: int = 1, **more: str) -> str:
    """Somebody calls; what the carrier is told to do."""
    status, body = door.report(f"{BASE}/inbound", call(n, **more))
    assert status == 200
    return body


def hangs_up(door: Door, n: int = 1, seconds: int = 40) -> None:
    """The caller hangs up: the carrier tells of the queue, then of the call."""
    now = FileClock(door.stack.settings.state_dir / "clock.json").now()
    assert door.report(f"{BASE}/queue/left", call(n, QueueResult="hangup"))[0] == 200
    over = call(n, CallStatus="completed", CallDuration=str(seconds),
                Timestamp=format_datetime(now))  # fmt: skip
    assert door.report(f"{BASE}/inbound/ended", over)[0] == 204


def take(browser: Browser) -> Browser:
    """Press the button beside the first call on the screen."""
    found = re.search(r'action="(/desk/take/[0-9a-f-]{36})"', browser.page)
    assert found, browser.page
    return browser.send(found[1])


def conversation(browser: Browser) -> str:
    """The conversation that the desk shows."""
    found = re.search(r'action="/desk/([0-9a-f-]{36})/result"', browser.page)
    assert found, browser.page
    return found[1]


def test_a_call_is_on_every_free_desk_and_taken_by_one(
    floor: Floor, door: Door, instructed: list[tuple[str, Instruction]]
) -> None:
    floor.ledger.person([mobile(1)], [Owed(yen=32_000)])
    floor.start()
    sato, suzuki = operator(floor, door), operator(floor, door, "suzuki")
    sato.send("/desk/telephone", number="03-5432-1199")
    assert "03-5432-1199" in sato.page
    body = comes(door)
    assert "<Enqueue" in body and f"{BASE}/queue/wait" in body
    for each in (sato, suzuki):
        assert "電話がかかっています" in each.open("/desk/calls").page
        assert "世＊＊" in each.page and mobile(1)[-8:] not in each.page
        assert "世田谷太郎" not in each.page, "seen by whoever takes the call, and recorded"
        each.open("/desk")
    same = suzuki.page
    at(door, seconds=12)
    take(sato)
    assert "世田谷太郎" in sato.page and "通話中" in sato.page and "32,000円" in sato.page
    assert "の納付が11月9日現在で確認できておらず" not in sato.page  # not before the check
    assert "お電話ありがとうございます" in sato.page
    ((ref, step),) = instructed
    assert ref == call()["CallSid"] and isinstance(step, Transfer)
    assert step.to == "+81354321199" and step.whisper_url and step.after_url
    suzuki.page = same
    take(suzuki)
    assert suzuki.status == 422 and "ほかの人が取ったか" in suzuki.page
    assert len(instructed) == 1
    # nor does anybody get the person from a list meanwhile
    suzuki.open("/desk").send("/desk/next")
    assert "世田谷太郎" not in suzuki.page
    talk = conversation(sato)
    identify(sato, talk)
    assert "の納付が11月9日現在で確認できておらず" in sato.page
    at(door, seconds=100)
    sato.send(f"/desk/{talk}/hung-up")
    hangs_up(door, seconds=112)
    at(door, seconds=30)
    sato.send(
        f"/desk/{talk}/result", kind="promised", promised_on="2026-11-30", promised_yen="32000"
    )
    assert "受付中" in sato.page
    assert floor.ledger.rows(
        "SELECT direction, result, wait_seconds, talk_seconds, wrap_seconds, extension FROM call"
    ) == [("inbound", "talked", 12, 100, 30, "sato")]
    assert floor.ledger.rows(
        "SELECT i.state, i.number, p.amount_yen, p.target_id IS NOT NULL FROM inbound_call i "
        "JOIN disposition d ON d.inbound_call_id = i.id JOIN promise p ON p.disposition_id = d.id"
    ) == [("closed", None, 32_000, True)]


def test_who_hangs_up_is_called_back_unless_they_must_be_left_alone(
    floor: Floor, door: Door
) -> None:
    floor.ledger.person([mobile(1)])
    protected = floor.ledger.person([mobile(2)])
    floor.ledger.restrict("protection_measure", debtor_id=protected)
    desk = operator(floor, door)
    for n in (1, 2):
        comes(door, n)
        at(door, seconds=40)
        hangs_up(door, n)
    assert (
        floor.ledger.rows("SELECT result, wait_seconds FROM call ORDER BY id")
        == [("abandoned", 40)] * 2
    )
    desk.open("/desk")
    assert desk.page.count("かけ直し：出られなかった電話") == 1
    take(desk)
    talk = conversation(desk)
    assert mobile(1) in desk.page and "電話をかける（計時を始める）" in desk.page
    # not called yet: it goes back, for everybody
    desk.send("/desk/state", to="on_break")
    assert "かけ直し：出られなかった電話" in desk.page
    take(desk.send("/desk/state", to="free"))
    desk.send(f"/desk/{talk}/call")
    at(door, seconds=60)
    desk.send(f"/desk/{talk}/result", kind="paid_already")
    assert floor.ledger.rows(
        "SELECT direction, result, talk_seconds FROM call WHERE origin = 'operator'"
    ) == [("outbound", "talked", 60)]
    assert "かけ直し：" not in desk.open("/desk").page


def test_full_closed_and_tired_callers_may_ask_to_be_called_back(floor: Floor, door: Door) -> None:
    for n in (1, 2):
        assert "<Enqueue" in comes(door, n)
    full = comes(door, 3)
    assert "<Enqueue" not in full and "大変混み合っており" in full and "1を押して" in full
    taken = door.report(f"{BASE}/queue/key/last", call(3, Digits="1"))[1]
    assert "11月9日11時30分" in taken and "<Hangup" in taken
    again = door.report(f"{BASE}/queue/key/last", call(3, Digits="1"))[1]
    assert "11月9日11時30分" in again  # pressed twice: the same half-hour
    waits = door.report(f"{BASE}/queue/wait", call(1))[1]
    assert "このままお待ちください" in waits and "<Gather" in waits
    assert "このままお待ちください" in door.report(f"{BASE}/queue/key/more", call(1))[1]
    # one call back a half-hour is what this office can make
    assert "11月9日12時ごろ" in door.report(f"{BASE}/queue/key/more", call(1, Digits="1"))[1]
    at(door, minutes=6)
    assert "大変混み合っており" in door.report(f"{BASE}/queue/wait", call(2))[1]
    assert "お電話ありがとうございました" in door.report(f"{BASE}/queue/key/last", call(2))[1]
    at(door, hours=9)
    closed = comes(door, 4)
    assert "受付をしておりません" in closed and "担当者におつなぎします" not in closed
    assert "11月10日8時30分" in door.report(f"{BASE}/queue/key/last", call(4, Digits="1"))[1]
    # who withholds their number cannot be called back
    assert "1を押して" not in comes(door, 5, From="+266696687")
    assert floor.ledger.rows(
        "SELECT asked, count(*) FROM inbound_call WHERE state = 'call_back' GROUP BY 1 ORDER BY 1"
    ) == [(False, 1), (True, 3)]  # and who gave up waiting, unasked


def test_an_unknown_caller_is_found_by_code_or_name_and_still_identified(
    floor: Floor, door: Door, instructed: list[tuple[str, Instruction]]
) -> None:
    person = floor.ledger.person([], [Owed(yen=7_000)])
    code = str(floor.ledger.one("SELECT code FROM debtor WHERE id = :id", id=person))
    index = floor.service.vault.indexes("name", "セタガヤタロウ")[0]
    floor.ledger.run("UPDATE debtor SET name_index = :index", index=index)
    desk = operator(floor, door)
    comes(door, 9)
    desk.open("/desk")
    assert "台帳にない番号" in desk.page
    take(desk)
    talk = conversation(desk)
    assert "相手の分からない電話" in desk.page and "7,000円" not in desk.page
    desk.send(f"/desk/{talk}/result", kind="promised", promised_on="2026-11-30", promised_yen="1")
    assert "本人確認を記録してから" in desk.page
    assert "見つかりません" in desk.send(f"/desk/{talk}/who", wanted="ダレカ").page
    for wanted in ("せたがや たろう", code):
        desk.send(f"/desk/{talk}/who", wanted=wanted)
        assert f'value="{code}"' in desk.page
    desk.send(f"/desk/{talk}/who", code=code)
    # the audit log has no person code: it is kept longer than the person's data
    found = "SELECT details FROM audit_log WHERE action = 'call.person_found'"
    assert floor.ledger.one(found) == {"debtor": person}
    assert "7,000円" in desk.page and "世田谷太郎" in desk.page
    identify(desk, talk)
    desk.send(f"/desk/{talk}/result", kind="hardship", answers="病気・けが・障害で働けない")
    assert floor.ledger.rows("SELECT kind FROM restriction WHERE debtor_id = :id", id=person) == [
        ("hardship",)
    ]
    mori = signed_in(floor, door, "mori", Role.SUPERVISOR).open("/centre")
    assert code in mori.page


def test_two_who_share_a_number_stay_two_and_no_stranger_can_be_identified(
    floor: Floor, door: Door, instructed: list[tuple[str, Instruction]]
) -> None:
    one = floor.ledger.person([mobile(1)], [Owed(yen=1_000)])
    other = floor.ledger.person([mobile(1)], [Owed(yen=2_000)])
    stranger = floor.ledger.person([mobile(2)], [Owed(yen=3_000)])
    desk = operator(floor, door)
    comes(door)
    assert "2人が使う番号" in desk.open("/desk").page
    talk = conversation(take(desk))
    identify(desk, talk, stranger)
    assert "この電話の相手ではありません" in desk.page
    identify(desk.open("/desk"), talk, other)
    assert "納付約束：全額 2,000円" in desk.page
    desk.send(f"/desk/{talk}/result", kind="deceased")
    assert floor.ledger.rows("SELECT debtor_id FROM restriction") == [(other,)]
    assert one != other


def test_what_a_caller_was_sent_is_told_with_its_words_and_how_long_ago_and_to_no_other_office(
    floor: Floor, door: Door, instructed: list[tuple[str, Instruction]]
) -> None:
    floor.ledger.person([mobile(1)], [Owed(yen=32_000), Owed(5_000, "nursery_fee", "other_public")])
    floor.start(
        definition(
            title="国保の催告", arms=[{"name": "contact"}], select={"kinds": ["health_insurance"]}
        )
    )
    now = FileClock(door.stack.settings.state_dir / "clock.json").now()
    for step, minutes in (("call-1", 26 * 60 + 5), ("sms-1", 95)):
        floor.ledger.run(
            "INSERT INTO attempt (id, run_id, phone_id, target_id, step, try_number, channel, "
            "state, due_at, expires_at, submitted_at, outcome) SELECT gen_random_uuid(), t.run_id, "
            "t.phone_id, t.id, :step, 9, :channel, 'finished', :at, :at, :at, 'delivered' "
            "FROM target t",
            step=step, at=now - timedelta(minutes=minutes),
            channel="sms" if step == "sms-1" else "auto_call",
        )  # fmt: skip
    comes(door)
    comes(door, 2, From=mobile(1))
    desk = operator(floor, door)
    assert "09:25のSMS「国保の催告」の1時間35分後" in desk.page
    other = signed_in(floor, door, "suzuki", Role.OPERATOR, "保育担当課").open("/desk")
    assert "09:25のSMS「別の課の催告計画」の1時間35分後" in other.page
    said = "区役所です。お電話ください。", "ご本人は1を、違う方は3を"
    take(desk)
    assert "国保の催告」の1時間35分後" in desk.page and all(each in desk.page for each in said)
    take(other.open("/desk"))
    assert "世田谷太郎" in other.page and "5,000円" in other.page
    assert not any(each in other.page for each in ("国保の催告", *said))


def test_whose_call_it_is_no_office_is_told_whom_they_owe_nothing(
    floor: Floor, door: Door, instructed: list[tuple[str, Instruction]]
) -> None:
    """Neither before the call is taken nor after; whom they owe, too, is told what is its own."""
    own = floor.ledger.person([mobile(1)], [Owed(yen=32_000)])
    both = floor.ledger.person([mobile(2)], [Owed(), Owed(5_000, "nursery_fee", "other_public")])
    floor.ledger.run(
        "INSERT INTO restriction (kind, debtor_id, claim_id, debtor_code, starts_on, origin) "
        "SELECT k.kind, d.id, c.id, d.code, DATE '2026-10-01', 'file' FROM debtor d "
        "JOIN claim c ON c.debtor_id = d.id AND c.kind = 'health_insurance' "
        "CROSS JOIN (VALUES ('collection_deferred'), ('hardship')) AS k (kind)"
    )
    code = str(floor.ledger.one("SELECT code FROM debtor WHERE id = :id", id=own))
    at_home = operator(floor, door)
    other = signed_in(floor, door, "suzuki", Role.OPERATOR, "保育担当課")
    writes(door, 1, "来月まで待ってください")
    to_take = re.compile(r'action="(/desk/replies/\d+)/take"')
    assert not to_take.search(other.open("/desk").page)
    found = to_take.search(at_home.open("/desk").page)
    assert found and "世田谷太郎" not in other.send(f"{found[1]}/take").page
    assert "世田谷太郎" in at_home.send(f"{found[1]}/take").page
    at_home.send(f"{found[1]}/done", became="other")
    comes(door)
    assert "世＊＊" in at_home.open("/desk/calls").page
    assert "電話がかかっています" in other.open("/desk/calls").page
    assert "世＊＊" not in other.page
    take(other.open("/desk"))
    stopped = "徴収猶予（令和8年", "生活困窮（令和8年"
    secret = "世田谷太郎", code, *stopped, "32,000円", "来月まで待って"
    assert conversation(other) and not [each for each in secret if each in other.page]
    other.send(f"/desk/{conversation(other)}/result", kind="wrong_number")
    comes(door, 2)
    take(other.open("/desk"))
    assert all(each in other.page for each in ("世田谷太郎", "5,000円", stopped[1]))
    assert stopped[0] not in other.page
    comes(door, 3, From=mobile(1))
    take(at_home.open("/desk"))
    assert all(each in at_home.page for each in secret if each != "32,000円")
    assert both


def test_who_takes_a_call_that_has_just_ended_is_told_and_it_is_called_back(
    floor: Floor, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(self: Provider, ref: str, steps: Sequence[Instruction]) -> None:
        raise ProviderUnavailable("call over")

    monkeypatch.setattr("providers.twilio.adapter.TwilioProvider.instruct", gone)
    desk = operator(floor, door)
    comes(door)
    take(desk.open("/desk"))
    assert desk.status == 422 and "つながる前に切れました" in desk.page
    assert "受付中" in desk.page and "かけ直し：出られなかった電話" in desk.page


def test_an_operator_who_does_not_pick_up_loses_the_call_to_the_others(
    floor: Floor, door: Door, instructed: list[tuple[str, Instruction]]
) -> None:
    desk = operator(floor, door)
    comes(door)
    take(desk.open("/desk"))
    body = door.report(f"{BASE}/queue/connected", call(DialCallStatus="no-answer"))[1]
    assert "<Enqueue" in body
    assert floor.ledger.rows("SELECT state, taken_by FROM inbound_call") == [("waiting", None)]
    assert "電話がかかっています" in desk.open("/desk").page


def test_a_person_in_an_auto_call_reaches_the_desks_too(
    floor: Floor, door: Door, instructed: list[tuple[str, Instruction]]
) -> None:
    floor.ledger.person([mobile(1)])
    spec = definition(arms=[{"name": "contact"}])
    nodes = spec.scripts["s"].nodes | {"agent": Node(say="おつなぎします。", then="transfer")}
    script = spec.scripts["s"].model_copy(update={"nodes": nodes})
    floor.start(spec.model_copy(update={"scripts": {"s": script}}))
    attempt = floor.ledger.one("SELECT id FROM attempt WHERE channel = 'auto_call'")
    # in a call that we made, "From" is our own number
    body = door.report(f"{BASE}/voice/{attempt}/agent", call(3, Direction="outbound-api"))[1]
    assert "おつなぎします" in body and "<Enqueue" in body
    desk = operator(floor, door).open("/desk")
    assert "世＊＊" in desk.page  # by the attempt, whatever number the carrier names
    take(desk)
    assert "世田谷太郎" in desk.page
    assert app.state.providers["simulated"].capabilities.queue


def test_the_next_person_is_whoever_is_on_the_line(
    floor: Floor, door: Door, instructed: list[tuple[str, Instruction]]
) -> None:
    for n in (1, 2):
        floor.ledger.person([mobile(n)])
    floor.start()
    desk = operator(floor, door)
    comes(door, 2)
    desk.send("/desk/next")
    assert "通話中" in desk.page and mobile(2) in desk.page
    # in a call nobody can take another
    comes(door, 3)
    desk.open("/desk")
    assert "電話がかかっています" in desk.page and "この電話を取る" not in desk.page
    waiting = floor.ledger.one("SELECT id FROM inbound_call WHERE state = 'waiting'")
    desk.send(f"/desk/take/{waiting}")
    assert desk.status == 422 and "先に、今の方の結果を" in desk.page


def test_ends_that_nobody_reported_are_ended(floor: Floor, door: Door) -> None:
    comes(door)
    now: datetime = floor.ledger.one("SELECT came_at FROM inbound_call")  # type: ignore[assignment]
    with floor.service.engine.begin() as connection:
        tidy(connection, floor.service, now + timedelta(hours=1))
    assert floor.ledger.one("SELECT state FROM inbound_call") == "waiting"
    with floor.service.engine.begin() as connection:
        tidy(connection, floor.service, now + timedelta(hours=3))
    assert floor.ledger.one("SELECT state FROM inbound_call") == "call_back"
    # nor is it missing in the log, where it has no wait that anybody could know
    logged = "SELECT result, wait_seconds, started_at FROM call"
    assert floor.ledger.rows(logged) == [("abandoned", None, now)]
    hangs_up(door)
    assert floor.ledger.rows(logged) == [("abandoned", None, now)]


def test_the_wallboard_counts_a_call_when_it_comes(
    floor: Floor, door: Door, instructed: list[tuple[str, Instruction]]
) -> None:
    desk, mori = operator(floor, door), signed_in(floor, door, "mori", Role.SUPERVISOR)

    def told() -> list[str]:
        figures = re.findall(
            r"<dt>(?:着信|応答|放棄|20秒以内に応答した割合)</dt><dd>([^<]*)</dd>",
            mori.open("/centre").page,
        )
        return figures[-4:]

    assert told() == ["0", "0", "0", "記録なし"]
    comes(door, 1)
    at(door, seconds=1)
    comes(door, 2)
    assert told() == ["2", "0", "0", "記録なし"]
    at(door, seconds=10)
    take(desk.open("/desk"))
    assert told() == ["2", "1", "0", "100%"], "the other may yet be answered in time"
    at(door, seconds=30)
    assert told() == ["2", "1", "0", "50%"]
    hangs_up(door, 2)
    assert told() == ["2", "1", "1", "50%"]
    hangs_up(door, 1, seconds=60)
    desk.send(f"/desk/{conversation(desk)}/hung-up")
    assert told() == ["2", "1", "1", "50%"]


def test_a_caller_who_is_not_reached_is_tried_again_by_the_rule_and_not_for_ever(
    floor: Floor, door: Door
) -> None:
    """Busy after 15 minutes, absent after an hour, three times in all."""
    floor.ledger.person([mobile(1)])
    desk = operator(floor, door)
    comes(door)
    hangs_up(door)
    waits = "SELECT max(due_at) FROM inbound_call WHERE state = 'call_back'"
    clock = FileClock(door.stack.settings.state_dir / "clock.json")
    for n, (kind, after) in enumerate((("busy", 15), ("absent", 60), ("absent", None)), 1):
        if n > 1:
            clock.set(floor.ledger.one(waits) + timedelta(minutes=5))  # type: ignore[operator]
        take(desk.open("/desk"))
        talk, now = conversation(desk), clock.now()
        desk.send(f"/desk/{talk}/call")
        desk.send(f"/desk/{talk}/result", kind=kind)
        again = floor.ledger.one(waits)
        if after is None:
            assert again is None
        else:
            assert again >= now + timedelta(minutes=after)  # type: ignore[operator]
            assert again < now + timedelta(minutes=after + 30)  # type: ignore[operator]
    assert floor.ledger.rows(
        "SELECT result FROM call WHERE origin = 'operator' ORDER BY started_at"
    ) == [("busy",), ("absent",), ("absent",)]
    assert floor.ledger.one("SELECT max(try_number) FROM inbound_call") == 3
