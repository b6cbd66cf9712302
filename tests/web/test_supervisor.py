"""The supervisor: results reviewed, corrected and sampled, work given to others."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

from contact_service.clock import FileClock
from contact_service.domain.actors import Role
from tests.dispatch.conftest import Floor, floor
from tests.ledger import mobile
from tests.web.browser import Browser
from tests.web.people import signed_in
from tests.web.test_desk import (
    asks_to_be_called_back,
    at,
    attempt_on,
    identify,
    operator,
    two_o_clock,
)
from tests.web.test_doors import Door, door, door_settings

__all__ = ["door", "door_settings", "floor"]


def supervisor(floor: Floor, door: Door, name: str = "mori") -> Browser:
    return signed_in(floor, door, name, Role.SUPERVISOR).open("/centre/results")


def record(desk: Browser, **said: str) -> str:
    """Take the next person and record a result; the attempt."""
    desk.send("/desk/next")
    who = attempt_on(desk)
    desk.send(f"/desk/{who}/call")
    identify(desk, who)
    desk.send(f"/desk/{who}/result", **said)
    assert desk.status == 200, desk.page
    return who


def only_result(floor: Floor) -> str:
    return str(floor.ledger.one("SELECT max(id) FROM disposition"))


def test_a_correction_keeps_the_old_result_and_what_followed_follows_anew(
    floor: Floor, door: Door
) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    who = record(operator(floor, door), kind="promised", promised_on="2026-11-30",
                 promised_yen="10000", note="月末に")  # fmt: skip
    mori = supervisor(floor, door)
    assert "納付約束 1" in mori.page and "sato" in mori.page
    one = f"/centre/results/{only_result(floor)}"
    assert "月末に" in mori.open(one).page and "10,000円" in mori.page
    mori.send(f"{one}/correct", kind="absent")
    assert mori.status == 422 and "訂正の理由を書いてください" in mori.page
    assert floor.ledger.one("SELECT count(*) FROM promise") == 1  # nothing half
    mori.send(f"{one}/correct", kind="absent", why="別の方の約束だった")
    assert mori.status == 200
    assert "訂正の記録" in mori.page and "約束 2026-11-30 10,000円" in mori.page
    assert "別の方の約束だった（mori）" in mori.page
    # the promise is void, counts follow, and the step's rule tries again as after any such call
    assert floor.ledger.rows("SELECT kind, recorded_by FROM disposition") == [("absent", "sato")]
    assert floor.ledger.one("SELECT count(*) FROM promise") == 0
    assert floor.ledger.rows("SELECT outcome FROM attempt WHERE id = :id", id=who) == [
        ("no_answer",)
    ]
    assert floor.ledger.rows("SELECT result FROM call WHERE attempt_id = :id", id=who) == [
        ("absent",)
    ]
    assert "不在 1" in mori.open("/centre/results").page and "訂正あり" in mori.page
    # and back: with the identity check on record, an agreement is possible
    mori.open(one).send(f"{one}/correct", kind="promised", promised_on="2026-12-01",
                        promised_yen="9000", why="本人の約束だった")  # fmt: skip
    assert floor.ledger.rows("SELECT promised_on::text, amount_yen FROM promise") == [
        ("2026-12-01", 9_000)
    ]
    assert floor.ledger.rows(
        "SELECT was ->> 'kind', became, corrected_by FROM result_correction ORDER BY id"
    ) == [("promised", "absent", "mori"), ("absent", "promised", "mori")]


def test_a_restriction_holds_until_a_third_person_lifts_it(floor: Floor, door: Door) -> None:
    person = floor.ledger.person([mobile(1)])
    floor.start()
    desk = operator(floor, door)
    record(desk, kind="hardship", text_support="true")
    mori, kato = supervisor(floor, door), supervisor(floor, door, "kato")
    one = f"/centre/results/{only_result(floor)}"
    mori.open(one).send(f"{one}/correct", kind="callback", why="聞き違い", call_back_at=slot(mori))
    assert mori.status == 200, mori.page
    assert floor.ledger.one("SELECT count(*) FROM referral") == 0
    assert floor.ledger.rows("SELECT state, number, reason FROM support_text") == [
        ("skipped", None, "corrected")
    ]
    # the call back is planned, and yet nobody calls: the restriction still holds
    at(door, days=1, hours=3)
    in_force = "SELECT count(*) FROM restriction WHERE debtor_id = :id AND lifted_at IS NULL"
    assert floor.ledger.one(in_force, id=person) == 1
    number = floor.ledger.one("SELECT id FROM result_correction")
    assert "ほかの管理者が決めます" in mori.open("/centre/results").page
    assert mori.send(f"/centre/corrections/{number}", lift="true").status == 409
    assert floor.ledger.one(in_force, id=person) == 1
    assert "生活困窮 → かけ直しの希望" in kato.open("/centre/results").page
    assert kato.send(f"/centre/corrections/{number}", lift="true").status == 200
    assert "別の管理者が決めるもの" not in kato.page
    assert floor.ledger.one(in_force, id=person) == 0
    assert attempt_on(desk.open("/desk").send("/desk/next"))


def slot(browser: Browser) -> str:
    """The first half-hour of the next day on the page."""
    found = re.search(r'<option value="(2026-11-10T[^"]*)"', browser.page)
    assert found
    return found[1]


def test_a_wrong_number_that_was_right_and_a_right_one_that_was_wrong(
    floor: Floor, door: Door
) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    record(operator(floor, door), kind="wrong_number")
    mori = supervisor(floor, door)
    one = f"/centre/results/{only_result(floor)}"
    kinds = "SELECT kind, lifted_at IS NULL FROM restriction ORDER BY id"
    assert floor.ledger.rows(kinds) == [("wrong_person", True)]
    mori.open(one).send(f"{one}/correct", kind="opted_out", why="本人が断った")
    # the new restriction at once, the old one until somebody else has decided
    assert floor.ledger.rows(kinds) == [("wrong_person", True), ("opted_out", True)]
    mori.open(one).send(f"{one}/correct", kind="wrong_number", why="やはり別人")
    # what was asked to be lifted is said again: only the other waits for a decision
    assert floor.ledger.rows(
        "SELECT became, decided_at IS NOT NULL, lifted FROM result_correction ORDER BY id"
    ) == [("opted_out", True, False), ("wrong_number", False, None)]


def test_nobody_corrects_or_judges_their_own(floor: Floor, door: Door) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    mori = supervisor(floor, door)
    record(mori.open("/desk"), kind="refused")
    one = f"/centre/results/{only_result(floor)}"
    assert "自分の記録は、ほかの管理者が訂正します" in mori.open(one).page
    mori.send(f"{one}/correct", kind="absent", why="自分で")
    assert mori.status == 422
    mori.send(f"{one}/mark", mark="good")
    assert mori.status == 422
    assert floor.ledger.rows("SELECT kind FROM disposition") == [("refused",)]
    assert floor.ledger.one("SELECT count(*) FROM quality_review") == 0


def test_results_are_filtered(floor: Floor, door: Door) -> None:
    for n in range(3):
        floor.ledger.person([mobile(n)])
    floor.start()
    sato, suzuki = operator(floor, door), operator(floor, door, "suzuki")
    record(sato, kind="absent")
    record(suzuki, kind="refused", sub_reason="refused:途中で切られた")
    floor.ledger.run(
        "UPDATE attempt SET state = 'finished', outcome = 'delivered', submitted_at = due_at, "
        "outcome_at = '2026-11-09T10:00+09', lease_until = NULL WHERE channel = 'sms'"
    )
    mori = supervisor(floor, door)
    total = re.compile(r"<strong>(\d+)件</strong>")

    def shown(query: str) -> str:
        found = total.search(mori.open(f"/centre/results?{query}").page)
        assert found, mori.page
        return found[1]

    campaign = str(floor.ledger.one("SELECT definition ->> 'campaign' FROM campaign_version"))
    for query, count in (
        ("", "2"),
        ("operator=sato", "1"),
        ("result=disposition:refused", "1"),
        ("result=disposition:promised", "0"),
        ("way=operator", "2"),
        ("way=inbound", "0"),
        ("way=sms", str(floor.ledger.one("SELECT count(*) FROM attempt WHERE channel = 'sms'"))),
        ("result=outcome:delivered&operator=sato", "0"),  # no operator sends a message
        (f"campaign={campaign}", "2"),
        ("campaign=other", "0"),
        ("first=2026-11-08&last=2026-11-08", "0"),
        ("first=2026-11-01&last=2026-11-30", "2"),
    ):
        assert shown(query) == count, query
    assert "途中で切られた" in mori.open("/centre/results?operator=suzuki").page
    # the office's own words in English to whoever reads that, in the list and in the one
    mori.cookies["language"] = "en"
    assert "（hung up）" in mori.open("/centre/results?operator=suzuki").page
    of_one = re.search(r"/centre/results/\d+", mori.page)
    assert of_one and "（hung up）" in mori.open(of_one[0]).page
    mori.cookies["language"] = "ja"
    assert mori.open("/centre/results?way=pigeon").status == 422
    assert sato.open("/centre/results").status == 403
    # the list names people by code alone
    assert "世田谷太郎" not in mori.open("/centre/results").page


def test_only_operators_whose_results_one_sees_can_be_chosen(floor: Floor, door: Door) -> None:
    floor.ledger.person([mobile(0)])
    floor.ledger.person([mobile(1)])
    floor.start()
    for name in ("sato", "suzuki"):
        record(operator(floor, door, name), kind="absent")
    theirs = signed_in(floor, door, "mori", Role.SUPERVISOR, "国保・後期高齢担当課")
    others = signed_in(floor, door, "hayashi", Role.SUPERVISOR, "保育担当課")
    for somebody, seen in ((supervisor(floor, door, "oda"), 2), (theirs, 2), (others, 0)):
        page = somebody.open("/centre/results").page
        assert [f"<option>{name}" in page for name in ("sato", "suzuki")].count(True) == seen
    floor.ledger.run("UPDATE claim SET kind = 'nursery_fee' WHERE id = (SELECT max(id) FROM claim)")
    assert [
        ["<option>sato" in page, "<option>suzuki" in page]
        for page in (theirs.open("/centre/results").page, others.open("/centre/results").page)
    ] in ([[True, False], [False, True]], [[False, True], [True, False]])


def test_the_sample_is_what_the_seed_says(floor: Floor, door: Door) -> None:
    for n in range(9):
        floor.ledger.person([mobile(n)])
    floor.start()
    desks = [operator(floor, door, name) for name in ("sato", "suzuki")]
    for n in range(8):
        record(desks[n % 2], kind="refused")
    record(desks[0], kind="absent")  # nobody spoke: nothing to judge
    mori = supervisor(floor, door).open("/centre/quality?day=2026-11-09")
    drawn = {"day": "2026-11-09", "per_operator": "2", "seed": "abc"}
    mori.send("/centre/quality", **drawn)
    expected = set()
    for name in ("sato", "suzuki"):
        of = floor.ledger.rows(
            "SELECT id FROM disposition WHERE recorded_by = :n AND kind = 'refused'", n=name
        )
        ordered = sorted((hashlib.sha256(f"abc:{i}".encode()).digest(), i) for (i,) in of)
        expected |= {(i,) for _, i in ordered[:2]}
    chosen = "SELECT disposition_id FROM quality_review"
    assert set(floor.ledger.rows(chosen)) == expected
    mori.send("/centre/quality", **drawn)  # the same seed draws the same
    assert set(floor.ledger.rows(chosen)) == expected
    first = min(expected)[0]
    mori.open(f"/centre/results/{first}").send(
        f"/centre/results/{first}/mark", mark="coach", remark="本人確認が早口"
    )
    assert "本人と話す" in mori.page
    assert "点検済み 1件、残り 3件" in mori.open("/centre/quality?day=2026-11-09").page
    sealed = floor.ledger.one("SELECT remark FROM quality_review WHERE mark = 'coach'")
    assert isinstance(sealed, bytes) and "早口".encode() not in sealed


def test_work_goes_to_somebody_else_or_to_anybody(floor: Floor, door: Door) -> None:
    sato, suzuki = operator(floor, door), operator(floor, door, "suzuki")
    asks_to_be_called_back(floor, sato)
    mori = supervisor(floor, door).open("/centre/work")
    assert "1回目、3回まで" in mori.page
    mori.send("/centre/work/all", **{"from": "sato", "to": "suzuki"})
    assert "1件の担当を替えました" in mori.page
    assert floor.ledger.one("SELECT reserved_for FROM attempt WHERE requested") == "suzuki"
    # somebody on a desk: to a desk that is closed, to one that is open, to anybody
    held = attempt_on(sato.send("/desk/next"))
    mori.open("/centre/work").send(f"/centre/work/{held}", to="suzuki")
    assert mori.status == 422 and "デスクは閉じています" in mori.page
    suzuki.send("/desk/state", to="free")
    mori.send(f"/centre/work/{held}", to="suzuki")
    assert attempt_on(suzuki.open("/desk")) == held
    assert "次の方を開く" in sato.open("/desk").page
    assert "この方はあなたの担当ではありません" in sato.send(f"/desk/{held}/call").page
    mori.open("/centre/work").send(f"/centre/work/{held}", to="")
    assert "次の方を開く" in suzuki.open("/desk").page
    other = attempt_on(sato.open("/desk").send("/desk/next"))
    sato.send(f"/desk/{other}/call")
    assert "通話中" in mori.open("/centre/work").page
    mori.send(f"/centre/work/{other}", to="")
    assert mori.status == 422 and "通話中の方は渡せません" in mori.page


def test_a_call_back_that_nobody_answers_is_tried_again_and_not_for_ever(
    floor: Floor, door: Door
) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    desk = operator(floor, door).send("/desk/next")
    who = attempt_on(desk)
    desk.send(f"/desk/{who}/result", kind="callback", call_back_at=two_o_clock(desk))
    clock = FileClock(door.stack.settings.state_dir / "clock.json")
    waits = "SELECT max(due_at) FROM attempt WHERE requested AND state = 'planned'"
    for n, (kind, after) in enumerate((("busy", 15), ("absent", 60), ("voicemail", None)), 1):
        due = floor.ledger.one(waits)
        clock.set(due + timedelta(minutes=5))  # type: ignore[operator]
        desk.open("/desk").send("/desk/next")
        assert f"かけ直し {n}回目（3回まで）" in desk.page, desk.page
        desk.send(f"/desk/{attempt_on(desk)}/result", kind=kind)
        again = floor.ledger.one(waits)
        if after is None:
            assert again is None
        else:
            assert again >= due + timedelta(minutes=5 + after)  # type: ignore[operator]
            assert again < due + timedelta(minutes=5 + after + 30)  # type: ignore[operator]


def test_the_wallboard_says_what_became_of_texts_and_what_the_centre_can_take(
    floor: Floor, door: Door
) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    pace = door.stack.settings.state_dir / "pacing.yaml"
    pace.write_text("centre: {calls_per_half_hour: 3, most_waiting: 500}\n", encoding="utf-8")
    record(operator(floor, door), kind="hardship", text_support="true")
    mori = supervisor(floor, door).open("/centre")
    assert "これから送る" in mori.page and "運用の設定に書かれていません" in mori.page
    floor.ledger.run("UPDATE support_text SET state = 'unknown'")
    door.stack.settings.pacing_file = pace
    assert "届いたか不明：本人に確かめる" in mori.open("/centre").page
    assert "30分に受けられる折返し：3件" in mori.page and "500人を超えると" in mori.page
    # calls of six weeks make today's forecast; what came stands beside it
    assert "見込みを立てられる受電の記録がない" in mori.page
    for week in range(7):
        for n in range(4 if week else 20):
            floor.ledger.run(
                "INSERT INTO call (origin, direction, started_at, talk_seconds, wrap_seconds, "
                "result, deduplication_key) VALUES ('resident', 'inbound', "
                "CAST('2026-11-09T10:05+09' AS timestamptz) - make_interval(weeks => :week), 60, "
                "0, 'talked', :key)",
                week=week, key=f"w{week}:{n}",
            )  # fmt: skip
    row = re.search(r"10:00–</th>(.*?)</tr>", mori.open("/centre").page, re.S)
    assert row and "範囲より多い" in row[1] and ">4.0<" in row[1] and ">20<" in row[1], mori.page
