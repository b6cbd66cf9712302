"""Letters: planned by person, judged like any contact, handed over once."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from campaigns.vocabulary import Channel
from contact_service.dispatch import letter_file
from contact_service.dispatch.letter_file import HEADINGS, Encoding
from contact_service.dispatch.letters import Written, hand_over, write_again
from contact_service.dispatch.switches import set_switch
from contact_service.domain.actors import NotAllowed
from contact_service.domain.life import CannotDo
from contact_service.identity import bulk_access
from contact_service.identity.bulk_access import BulkKind
from contact_service.planning import runs
from tests.dispatch.conftest import APPROVER, STAFF, Floor
from tests.ledger import Owed, definition, mobile
from tests.planning.test_rules import finish

LETTER = {"name": "letter-1", "channel": "letter", "start": {"after_days": 1}}
BODY = "{office}です。{kinds}{fiscal_years} {debtor_outstanding_yen}"
PATIENT = {"per_7_days": 7, "per_30_days": 30}


def spec(*steps: dict[str, Any], **changes: Any) -> Any:
    return definition(arms=[{"name": "contact"}], steps=steps or (LETTER,), **changes)


def handed(
    floor: Floor,
    run_id: UUID,
    to: Path,
    encoding: Encoding = Encoding.UTF_8,
    step: str = "letter-1",
) -> Written:
    return hand_over(floor.service, STAFF, run_id, step, to, floor.clock.now(), encoding)


def granted(floor: Floor, run_id: UUID, number: int) -> None:
    """Another person has granted that a batch is written again."""
    what = f"{run_id}/letter-1/{number}"
    made = bulk_access.ask(floor.service, STAFF, BulkKind.LETTERS_AGAIN, what, "郵送で紛失")
    bulk_access.decide(floor.service, APPROVER, made, grant=True)


def rows(path: Path, encoding: str = "utf-8-sig") -> list[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as stream:
        return list(csv.DictReader(stream))


def code(floor: Floor, person: int) -> str:
    return str(floor.ledger.one("SELECT code FROM debtor WHERE id = :p", p=person))


def next_day(floor: Floor) -> None:
    floor.clock.at += timedelta(days=1)


def test_everybody_is_written_to_number_or_none_once_and_never_by_a_carrier(
    floor: Floor, tmp_path: Path
) -> None:
    without = floor.ledger.person([], [Owed(1000), Owed(2000, kind="care_insurance")])
    shared = [floor.ledger.person([mobile(1)], [Owed(4000)]) for _ in range(2)]
    wrong = floor.ledger.person([mobile(2)])
    floor.ledger.restrict("wrong_person", phone=mobile(2))
    run_id = floor.start(spec())
    next_day(floor)
    out = tmp_path / "letters.csv"
    done = handed(floor, run_id, out)
    found = rows(out)
    assert done.batch is not None
    assert (done.batch.letters, done.batch.lines) == (4, 5)
    people = {code(floor, each) for each in (without, *shared, wrong)}
    assert {row["宛名番号"] for row in found} == people
    own = [row for row in found if row["宛名番号"] == code(floor, without)]
    assert [(row["未納額"], row["未納額合計"]) for row in own] == [
        ("2000", "3000"), ("1000", "3000")]  # fmt: skip
    assert len({row["通し番号"] for row in own}) == 1
    assert all(row["備考"].startswith("訓練データ") for row in found)
    assert out.stat().st_mode & 0o077 == 0
    assert floor.states("letter") == {"finished": 4}
    assert set(floor.ledger.rows("SELECT outcome, provider FROM attempt")) == {
        ("handed_over", "mailing")}  # fmt: skip
    # again: nothing twice, and the same batch as it was
    again = tmp_path / "again.csv"
    assert handed(floor, run_id, again).batch is None
    assert not again.exists()
    number = done.batch.number
    with pytest.raises(NotAllowed, match="ほかの人の確認"):
        write_again(floor.service, STAFF, run_id, "letter-1", number, again, floor.clock.now())
    assert not again.exists()
    granted(floor, run_id, number)
    write_again(floor.service, STAFF, run_id, "letter-1", number, again, floor.clock.now())
    with pytest.raises(NotAllowed, match="ほかの人の確認"):  # another batch was not asked for
        write_again(
            floor.service, STAFF, run_id, "letter-1", 9, tmp_path / "c.csv", floor.clock.now()
        )
    assert again.read_bytes() == out.read_bytes()
    said = floor.ledger.rows(
        "SELECT action FROM audit_log WHERE action LIKE 'letters.%' ORDER BY id"
    )
    assert said == [("letters.handed_over",), ("letters.written_again",)]
    assert not floor.carrier.taken


def test_judged_again_at_the_hand_over_whatever_the_hour(floor: Floor, tmp_path: Path) -> None:
    paid, restricted, _opted_out, capped, kept = (
        floor.ledger.person([mobile(n)]) for n in range(5)
    )
    run_id = floor.start(spec({**LETTER, "start": {}}, caps={"per_7_days": 1, "per_30_days": 9}))
    floor.ledger.pays(paid)
    floor.ledger.restrict("lawyer_engaged", debtor_id=restricted)
    floor.ledger.restrict("opted_out", phone=mobile(2))
    other = floor.start(
        spec({"name": "sms-1", "channel": "sms", "message": "m"}, campaign="another",
             trial={"may_share_people_with": ["test"]})
    )  # fmt: skip
    floor.ledger.run(
        "UPDATE attempt SET state = 'finished', submitted_at = :now, outcome = 'delivered' "
        "WHERE run_id = :r AND target_id IN (SELECT id FROM target WHERE addressee_id = :p)",
        now=floor.clock.now(), r=other, p=capped,
    )  # fmt: skip
    floor.clock.at += timedelta(hours=12)  # in the evening
    done = handed(floor, run_id, tmp_path / "letters.csv")
    assert done.put_aside == {"paid": 1, "restricted": 2, "contact_cap": 1}
    assert {row["宛名番号"] for row in rows(tmp_path / "letters.csv")} == {code(floor, kept)}


def test_a_batch_written_again_leaves_out_who_must_be_left_alone_since(
    floor: Floor, tmp_path: Path
) -> None:
    people = [floor.ledger.person([mobile(n)]) for n in range(3)]
    run_id = floor.start(spec())
    next_day(floor)
    handed(floor, run_id, tmp_path / "a.csv")
    floor.ledger.pays(people[0])
    floor.ledger.restrict("protection_measure", debtor_id=people[1])
    now = floor.clock.now()
    granted(floor, run_id, 1)
    done = write_again(floor.service, STAFF, run_id, "letter-1", 1, tmp_path / "b.csv", now)
    assert done.left_out == 2
    assert [row["宛名番号"] for row in rows(tmp_path / "b.csv")] == [code(floor, people[2])]


def test_nothing_goes_out_of_what_is_paused_or_stopped(floor: Floor, tmp_path: Path) -> None:
    floor.ledger.person([])
    run_id = floor.start(spec())
    next_day(floor)
    engine, now, out = floor.service.engine, floor.clock.now(), tmp_path / "a.csv"
    set_switch(engine, STAFF, "channel:letter", "宛先の点検", now, [])
    with pytest.raises(CannotDo, match="宛先の点検"):
        handed(floor, run_id, out)
    floor.ledger.run("DELETE FROM stop_switch")
    runs.pause(engine, STAFF, run_id, now)
    with pytest.raises(CannotDo, match="一時停止"):
        handed(floor, run_id, out)
    runs.resume(engine, APPROVER, run_id, now)
    out.write_text("mine")
    with pytest.raises(CannotDo, match="すでにあります"):
        handed(floor, run_id, out)
    with pytest.raises(CannotDo, match="letter-1"):
        handed(floor, run_id, tmp_path / "b.csv", step="sms-1")
    assert floor.states("letter") == {"planned": 1}
    # a file that cannot be written hands nothing over
    with pytest.raises(OSError):
        handed(floor, run_id, tmp_path / "no" / "a.csv")
    assert floor.states("letter") == {"planned": 1}
    assert not floor.ledger.rows("SELECT 1 FROM letter_batch")


def test_a_letter_follows_where_the_number_is_no_good(floor: Floor, tmp_path: Path) -> None:
    floor.ledger.person([mobile(1)])
    sms = {
        "name": "sms-1", "channel": "sms", "message": "m", "expires_after_days": 5,
        "fallback": {"channel": "letter", "message": "l", "on": ["invalid_number"], "after": "1 h"},
    }  # fmt: skip
    run_id = floor.start(
        spec(sms, messages={"m": "{office}です。{centre_phone}", "l": BODY}, caps=PATIENT)
    )
    floor.clock.at += timedelta(hours=1)
    floor.ledger.run("UPDATE attempt SET leased_at = due_at")
    finish(floor, "invalid_number")  # and the number is restricted from now on
    floor.clock.at += timedelta(hours=1)
    done = handed(floor, run_id, tmp_path / "a.csv", step="sms-1")
    assert (done.put_aside, done.batch is not None) == ({}, True)
    (row,) = rows(tmp_path / "a.csv")
    assert row["本文"] == "世田谷区役所です。国民健康保険料令和8年度 10,000円"
    assert floor.ledger.rows("SELECT channel, try_number, phone_id IS NULL FROM attempt"
                             " WHERE try_number = 2") == [("letter", 2, True)]  # fmt: skip


def test_no_carrier_may_be_given_letters(floor: Floor) -> None:
    with pytest.raises(ValueError, match="letter"):
        type(floor.config)(name="main", adapter="x", per_second={Channel.LETTER: 1})


@pytest.mark.parametrize("encoding", list(Encoding))
def test_names_are_words_and_never_formulas(
    floor: Floor, tmp_path: Path, encoding: Encoding
) -> None:
    person = floor.ledger.person([])
    run_id = floor.start(spec())
    sealed = floor.service.vault.seal("debtor.name", '=HYPERLINK("x")𠮷〜葛󠄀')
    floor.ledger.run("UPDATE debtor SET name = :n WHERE id = :p", n=sealed, p=person)
    next_day(floor)
    done = handed(floor, run_id, tmp_path / "a.csv", encoding)
    if encoding is Encoding.UTF_8:
        assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbf")
        assert rows(tmp_path / "a.csv")[0]["氏名"] == '\'=HYPERLINK("x")𠮷〜葛󠄀'
        assert not done.replaced
    else:
        assert rows(tmp_path / "a.csv", "cp932")[0]["氏名"] == '\'=HYPERLINK("x")〓～葛〓'
        (lost,) = done.replaced
        assert (lost.line, lost.column, lost.characters[0]) == (2, "氏名", "𠮷")
        assert "U+20BB7" in str(lost)


@pytest.mark.parametrize(
    "begins", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝１", "＋１", "－１", "＠x"]
)
def test_words_of_a_letter_are_never_formulas_and_figures_stay(begins: str) -> None:
    """In the columns that hold words; amounts and numbers of ours are written as they are."""
    stream = io.StringIO()
    assert not list(letter_file.write(stream, [dict.fromkeys(HEADINGS, begins)], Encoding.UTF_8))
    (row,) = csv.DictReader(io.StringIO(stream.getvalue(), newline=""))
    guarded = {column for column, cell in row.items() if cell == f"'{begins}"}
    assert guarded == {"宛名番号", "氏名", "科目", "通知書番号", "本文", "備考"}
    assert all(row[column] == begins for column in set(HEADINGS) - guarded)
