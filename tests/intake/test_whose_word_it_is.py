"""A restrictions file ends what files of its own office have said, and nobody else's word."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from contact_service.bootstrap import Service
from contact_service.clock import TOKYO
from contact_service.domain.actors import Actor, Role
from contact_service.domain.restrictions import RestrictionKind
from contact_service.intake.importing import Report, import_file
from contact_service.offices import kinds_of
from contact_service.people.restricting import Wanted, ask_to_lift, decide_lift, restrict
from contact_service.receipts.messages import store_messages
from providers.base import InboundMessage
from tests.intake.conftest import CLAIM, RESTRICTION, STAFF, Import, Query, write_csv

NURSERY, HEALTH = "保育担当課", "国保・後期高齢担当課"
SHOWN = "SELECT ends_on::text, note, origin FROM restriction WHERE lifted_at IS NULL ORDER BY id"
#: Whole-person kinds; what is restricted of claims is told and entered by office.
ROW = {**RESTRICTION, "区分": "生活困窮", "終了日": "", "備考": "初め"}


def of(service: Service, office: str, role: Role = Role.STAFF, name: str = "mori") -> Actor:
    return Actor(name, role, office, kinds=kinds_of(office, service.settings))


def bring(service: Service, path: Path, office: str, *rows: dict[str, str]) -> Report:
    """Import a restrictions file as somebody of ``office``."""
    file = write_csv(path / "r.csv", rows)
    return import_file(service, of(service, office), "restrictions", file)


def today(service: Service) -> str:
    return service.clock.now().astimezone(TOKYO).date().isoformat()


def lift(service: Service, restriction: int, *, lifted: bool) -> None:
    wish = ask_to_lift(service, of(service, HEALTH), restriction, "済んだ")
    approver = of(service, HEALTH, Role.APPROVER, "kato")
    decide_lift(service, approver, wish, lift=lifted)


def entered(service: Service, note: str = "警察から連絡") -> int:
    wanted = Wanted(RestrictionKind.HARDSHIP, "10000001", note=note)
    return restrict(service, of(service, HEALTH), wanted)


@pytest.mark.parametrize("office", [NURSERY, HEALTH, "*"])
def test_what_people_have_said_no_file_shortens_or_writes_over(
    service: Service, take: Import, query: Query, tmp_path: Path, office: str
) -> None:
    take("claims", write_csv(tmp_path / "a_20260930.csv", [CLAIM]))
    entered(service)
    ended = {**ROW, "開始日": today(service), "終了日": today(service), "備考": "済"}
    report = bring(service, tmp_path, office, ended)
    assert [(f.line, f.column, f.reason) for f in report.first_faults] == [
        (2, "終了日", "ended_by_file")
    ]
    assert "二人で" in report.first_faults[0].ja and "two persons" in report.first_faults[0].en
    assert (report.counts.updated, report.counts.rejected) == (0, 1)
    before = [(None, "警察から連絡", "staff")]
    assert query(SHOWN) == before
    again = bring(service, tmp_path, office, {**ended, "終了日": ""})
    assert (again.counts.unchanged, again.counts.rejected) == (1, 0)
    assert query(SHOWN) == before


def test_a_file_may_say_that_what_people_have_said_lasts_longer(
    service: Service, query: Query, tmp_path: Path
) -> None:
    day = service.clock.now().astimezone(TOKYO).date()
    wanted = Wanted(RestrictionKind.HARDSHIP, "10000001", ends_on=day, note="窓口で")
    restrict(service, of(service, HEALTH), wanted)
    for ends in ("2027-03-31", ""):
        row = {**ROW, "開始日": today(service), "終了日": ends}
        assert bring(service, tmp_path, NURSERY, row).counts.updated == 1
        assert query(SHOWN) == [(ends or None, "窓口で", "staff")]


def test_each_office_changes_what_its_own_files_have_said(
    service: Service, query: Query, tmp_path: Path
) -> None:
    bring(service, tmp_path, HEALTH, ROW)
    shorter = {**ROW, "終了日": "2026-12-31", "備考": "後の"}
    refused = bring(service, tmp_path, NURSERY, shorter)
    assert (refused.counts.updated, refused.counts.rejected) == (0, 1)
    assert query(SHOWN) == [(None, "初め", "file")]
    assert bring(service, tmp_path, HEALTH, shorter).counts.updated == 1
    assert query(SHOWN) == [("2026-12-31", "後の", "file")]
    # who imports for all offices corrects any file
    assert bring(service, tmp_path, "*", {**ROW, "終了日": "2026-11-30"}).counts.updated == 1
    assert query(SHOWN) == [("2026-11-30", "初め", "file")]


def test_what_two_offices_files_have_said_neither_ends(
    service: Service, query: Query, tmp_path: Path
) -> None:
    """Nor does one lengthen what another has said, to end it in the next file."""
    bring(service, tmp_path, HEALTH, {**ROW, "終了日": "2026-12-31"})
    assert bring(service, tmp_path, NURSERY, {**ROW, "終了日": ""}).counts.updated == 1
    for office in (NURSERY, HEALTH):
        report = bring(service, tmp_path, office, {**ROW, "終了日": "2026-11-30"})
        assert report.counts.rejected == 1
    assert query(SHOWN) == [(None, "初め", "files")]
    assert bring(service, tmp_path, "*", {**ROW, "終了日": "2026-11-30"}).counts.updated == 1


def test_what_staff_say_on_top_of_a_file_the_file_no_longer_ends(
    service: Service, query: Query, tmp_path: Path
) -> None:
    row = {**ROW, "開始日": today(service), "終了日": "2027-03-31"}
    bring(service, tmp_path, HEALTH, row)
    entered(service, "電話で")
    assert query(SHOWN) == [(None, "初め / 電話で", "staff")]
    assert bring(service, tmp_path, HEALTH, row).counts.rejected == 1


def test_two_persons_decide_not_the_next_file(
    service: Service, query: Query, tmp_path: Path
) -> None:
    """What they keep is kept, and what they are asked is theirs; what they lift stays lifted."""
    bring(service, tmp_path, HEALTH, ROW)
    restriction = query("SELECT id FROM restriction")[0][0]
    ended = {**ROW, "終了日": "2026-11-30"}
    wish = ask_to_lift(service, of(service, HEALTH), restriction, "済んだ")
    assert bring(service, tmp_path, HEALTH, ended).counts.rejected == 1
    decide_lift(service, of(service, HEALTH, Role.APPROVER, "kato"), wish, lift=False)
    assert bring(service, tmp_path, HEALTH, ended).counts.rejected == 1
    assert query(SHOWN) == [(None, "初め", "file")]
    lift(service, restriction, lifted=True)
    assert bring(service, tmp_path, HEALTH, ROW).counts.accepted == 0
    assert query(SHOWN) == []


def test_a_file_says_for_the_first_time_what_people_had_said_and_lifted(
    service: Service, query: Query, tmp_path: Path
) -> None:
    lift(service, entered(service), lifted=True)
    row = {**ROW, "開始日": today(service)}
    assert bring(service, tmp_path, HEALTH, row).counts.updated == 1
    assert query(SHOWN) == [(None, "初め", "file")]
    lift(service, query("SELECT id FROM restriction")[0][0], lifted=True)
    assert bring(service, tmp_path, HEALTH, row).counts.unchanged == 1
    assert query(SHOWN) == []


def test_the_same_file_again_touches_nothing(
    service: Service, tmp_path: Path, query: Query
) -> None:
    """Also beside what people have said of one claim of the notice on the same day."""
    import_file(
        service, STAFF, "claims",
        write_csv(tmp_path / "a_20260930.csv", [CLAIM, {**CLAIM, "期別": "4"}]),
    )  # fmt: skip
    claim = query("SELECT min(id) FROM claim")[0][0]
    wanted = Wanted(RestrictionKind.EXECUTION_SUSPENDED, "10000001", claim_id=claim)
    restrict(service, of(service, HEALTH), wanted)
    notice = {**ROW, "区分": "執行停止", "開始日": today(service), "通知書番号": "26010000001"}
    assert bring(service, tmp_path, HEALTH, notice, ROW).counts.accepted == 2
    query_all = "SELECT xmin::text, r.* FROM restriction r ORDER BY id"
    before = query(query_all)
    assert len(before) == 3
    assert bring(service, tmp_path, HEALTH, notice, ROW).counts.unchanged == 2
    assert query(query_all) == before
    ended = {**notice, "終了日": "2027-03-31"}
    assert bring(service, tmp_path, HEALTH, ended).counts.updated == 1
    assert query("SELECT claim_id, ends_on::text FROM restriction WHERE kind <> 'hardship' "
                 "ORDER BY id") == [(claim, None), (None, "2027-03-31")]  # fmt: skip
    # one claim is left of the notice: what is said of it twice is still said twice
    import_file(
        service, replace(STAFF, name="abe"), "claims",
        write_csv(tmp_path / "b_20261001.csv", [{**CLAIM, "通知書番号": "26010000007"}]),
    )  # fmt: skip
    assert len(query(query_all)) == 3


def test_a_stop_by_message_is_of_a_number_and_no_files(
    service: Service, query: Query, tmp_path: Path
) -> None:
    stop = InboundMessage("m1", "+819012345678", "0354321111", "STOP")
    store_messages(service, "main", [stop], service.clock.now())
    row = {**ROW, "区分": "連絡停止の申出", "開始日": today(service), "終了日": today(service)}
    bring(service, tmp_path, HEALTH, row)
    assert query("SELECT ends_on FROM restriction WHERE origin = 'resident'") == [(None,)]


@pytest.mark.parametrize("brought", [["*"], ["*", HEALTH], [HEALTH, "*"]])
def test_whoever_brought_it_a_notice_that_grows_is_protected_whole(
    service: Service, take: Import, query: Query, tmp_path: Path, brought: list[str]
) -> None:
    """Of a notice with one claim it is that claim's; with another instalment, the person's."""
    row = {**RESTRICTION, "通知書番号": CLAIM["通知書番号"], "区分": "徴収猶予", "終了日": ""}
    take("claims", write_csv(tmp_path / "a_20260930.csv", [CLAIM]))
    for office in brought:
        bring(service, tmp_path, office, row)
    assert query("SELECT claim_id IS NULL FROM restriction") == [(False,)]
    second = {**CLAIM, "期別": "4", "納期限": "R8.9.30"}
    take("claims", write_csv(tmp_path / "b_20261001.csv", [CLAIM, second]))
    assert query("SELECT claim_id FROM restriction") == [(None,)]
