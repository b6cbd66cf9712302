"""What a later file does to the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from campaigns.vocabulary import ClaimKind
from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, NotAllowed, Role
from contact_service.intake.faults import FileRefused
from contact_service.intake.importing import Counts, import_file
from contact_service.store.crypto import Vault
from tests.intake.conftest import (
    CALL,
    CLAIM,
    PAYMENT,
    RESTRICTION,
    STAFF,
    Import,
    Query,
    write_csv,
)

OTHER = {**CLAIM, "宛名番号": "10000002", "氏名": "金　優", "通知書番号": "26010000002"}


def test_a_later_claims_file_updates(take: Import, query: Query, tmp_path: Path) -> None:
    take("claims", write_csv(tmp_path / "a_20260831.csv", [CLAIM, OTHER]))
    later = {**CLAIM, "収入済額": "2000", "未納額": "8000", "督促発送日": "R8.9.20"}
    report = take("claims", write_csv(tmp_path / "a_20260930.csv", [later]))
    assert report.counts == Counts(1, 0, 1, 0, 0, 0)
    assert query(
        "SELECT collected_yen, outstanding_yen, filed_as_of, demand_sent_on FROM claim ORDER BY id"
    ) == [
        (2000, 8000, date(2026, 9, 30), date(2026, 9, 20)),
        (0, 10000, date(2026, 8, 31), None),  # no longer listed: stays as it was
    ]


def test_an_older_claims_file_changes_nothing(
    take: Import, ledger_hash: Callable[[], list[str]], tmp_path: Path
) -> None:
    take("claims", write_csv(tmp_path / "a_20260930.csv", [CLAIM]))
    before = ledger_hash()
    older = {**CLAIM, "未納額": "99", "氏名": "別　人", "電話番号１": "080-1111-2222"}
    report = take("claims", write_csv(tmp_path / "a_20260831.csv", [older]))
    assert report.counts == Counts(1, 0, 0, 1, 0, 0)
    assert report.remarks == {"older_than_ledger": 1}
    assert ledger_hash() == before


def test_a_file_without_a_day_keeps_the_day_of_its_first_import(
    take: Import, ledger_hash: Callable[[], list[str]], service: Service, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "claims.csv", [CLAIM])
    assert take("claims", path).as_of == date(2026, 10, 26)
    before = ledger_hash()
    service.clock.at = service.clock.at.replace(day=28)  # type: ignore[attr-defined]
    assert take("claims", path).as_of == date(2026, 10, 26)
    assert ledger_hash() == before


@pytest.mark.parametrize(
    "change",
    [
        {"氏名": "山﨑　健一"},
        {"生年月日": "昭和40年7月11日"},
        {"世帯番号": "2000009"},
        {"電話番号１": "080-1111-2222"},
        {"電話番号２": "03-3144-9099"},
    ],
)
def test_a_person_who_changed_is_an_update(
    take: Import, query: Query, tmp_path: Path, change: dict[str, str]
) -> None:
    take("claims", write_csv(tmp_path / "a_20260930.csv", [CLAIM, OTHER]))
    claims = query("SELECT * FROM claim ORDER BY id")
    report = take("claims", write_csv(tmp_path / "b_20260930.csv", [{**CLAIM, **change}, OTHER]))
    assert report.counts == Counts(2, 0, 1, 1, 0, 0)
    assert query("SELECT * FROM claim ORDER BY id") == claims


def test_the_same_person_written_otherwise_is_no_update(
    take: Import, ledger_hash: Callable[[], list[str]], tmp_path: Path
) -> None:
    take("claims", write_csv(tmp_path / "a_20260930.csv", [CLAIM]))
    before = ledger_hash()
    otherwise = {
        **CLAIM, "宛名番号": "１００００００１", "氏名": "山﨑 健", "氏名カナ": "ヤマザキ　ケン",
        "生年月日": "19650710", "電話番号１": "０９０（１２３４）５６７８（携帯）", "納期限": "5080831",
        "未納額": "１００００",
    }  # fmt: skip
    report = take("claims", write_csv(tmp_path / "b_20260930.csv", [otherwise], "utf-8"))
    assert report.counts == Counts(1, 0, 0, 1, 0, 0)
    assert ledger_hash() == before


def test_an_empty_cell_says_nothing_of_a_person(
    take: Import, query: Query, vault: Vault, tmp_path: Path
) -> None:
    take("claims", write_csv(tmp_path / "a_20260930.csv", [CLAIM]))
    blank = {**CLAIM, "氏名": "", "氏名カナ": "", "生年月日": "", "世帯番号": ""}
    take("claims", write_csv(tmp_path / "b_20260930.csv", [blank]))
    ((name, kana, birth, band, index, household),) = query(
        "SELECT name, name_kana, birth_date, birth_band, name_index, household_id FROM debtor"
    )
    assert vault.open("debtor.name", name) == "山﨑　健"
    assert vault.open("debtor.name_kana", kana) == "ヤマザキ　ケン"
    assert vault.open("debtor.birth_date", birth) == "1965-07-10"
    assert band == 1965
    assert index == vault.indexes("name", "ヤマザキケン")[0]
    assert household is not None


@pytest.mark.parametrize(("born", "band"), [("1964/12/31", 1960), ("S44.12.31", 1965)])
def test_years_of_birth_are_told_by_fives_and_follow_the_date(
    take: Import, query: Query, tmp_path: Path, born: str, band: int
) -> None:
    take("claims", write_csv(tmp_path / "a_20260930.csv", [{**CLAIM, "生年月日": ""}]))
    assert query("SELECT birth_band FROM debtor") == [(None,)]
    take("claims", write_csv(tmp_path / "b_20261001.csv", [{**CLAIM, "生年月日": born}]))
    assert query("SELECT birth_band FROM debtor") == [(band,)]


def test_a_later_file_replaces_the_numbers(
    take: Import, query: Query, vault: Vault, tmp_path: Path
) -> None:
    first = {**CLAIM, "電話番号１": "090-1234-5678／03-3144-9099", "電話番号２": "03-123-45"}
    report = take("claims", write_csv(tmp_path / "a_20260930.csv", [first]))
    assert report.remarks == {"people_with_bad_number": 1}
    numbers = """SELECT number, number_index, kind FROM debtor_phone JOIN phone ON id = phone_id
                 ORDER BY rank"""
    found = query(numbers)
    assert [vault.open("phone.number", n) for n, _, _ in found] == ["+819012345678", "+81331449099"]
    assert [kind for _, _, kind in found] == ["mobile", "fixed"]
    assert found[0][1] == vault.indexes("phone", "+819012345678")[0]
    turned = {**CLAIM, "電話番号１": "03-3144-9099", "電話番号２": "050-7514-7124"}
    take("claims", write_csv(tmp_path / "b_20260930.csv", [turned]))
    assert [vault.open("phone.number", n) for n, _, _ in query(numbers)] == [
        "+81331449099",
        "+815075147124",
    ]
    without = {name: cell for name, cell in CLAIM.items() if not name.startswith("電話")}
    take("claims", write_csv(tmp_path / "c_20260930.csv", [without]))
    assert len(query(numbers)) == 2  # a file without columns for numbers says nothing of them


def test_people_share_a_number(take: Import, query: Query, tmp_path: Path) -> None:
    take("claims", write_csv(tmp_path / "a.csv", [CLAIM, OTHER]))
    assert query("SELECT count(*), count(DISTINCT phone_id) FROM debtor_phone") == [(2, 1)]


def test_training_people_become_real_only_by_a_real_file(
    take: Import, query: Query, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "a_20260930.csv", [CLAIM])
    take("claims", path, training=True)
    assert query("SELECT training FROM debtor") == [(True,)]
    assert take("claims", path).counts.updated == 1
    assert query("SELECT training FROM debtor") == [(False,)]


def test_a_repeated_row_is_skipped_and_a_contradiction_rejected(
    take: Import, query: Query, tmp_path: Path
) -> None:
    again = {**CLAIM, "納期限": "20260831"}  # the same day in another form
    against = {**CLAIM, "未納額": "5000"}
    path = write_csv(tmp_path / "a_20260930.csv", [CLAIM, OTHER, again, against])
    report = take("claims", path)
    assert report.counts == Counts(4, 2, 0, 0, 1, 1)
    assert [(f.line, f.column, f.reason) for f in report.first_faults] == [
        (5, "通知書番号", "conflicting_row")
    ]
    assert "2行目" in report.first_faults[0].ja
    outstanding = "SELECT outstanding_yen FROM claim ORDER BY id"
    assert query(outstanding) == [(10000,), (10000,)]
    # Staff who find the later row right import the rejects file as it is.
    assert take("claims", report.rejects).counts == Counts(1, 0, 1, 0, 0, 0)
    assert sorted(query(outstanding)) == [(5000,), (10000,)]


def test_payments_lower_a_claim_at_once_and_never_below_zero(
    take: Import, query: Query, tmp_path: Path
) -> None:
    take("claims", write_csv(tmp_path / "a_20260930.csv", [CLAIM]))
    known = {**PAYMENT, "収納日": "20260929"}  # the claims file contains it already
    unrelated = {**PAYMENT, "期別": "4"}
    take("payments", write_csv(tmp_path / "p1.csv", [PAYMENT, known, unrelated]))
    assert query("SELECT outstanding_yen FROM claim") == [(6000,)]
    assert query("SELECT count(*) FROM payment WHERE claim_id IS NULL") == [(1,)]
    more = {**PAYMENT, "収納額": "9000"}
    report = take("payments", write_csv(tmp_path / "p2.csv", [PAYMENT, more]))
    assert report.counts == Counts(2, 1, 0, 1, 0, 0)
    assert query("SELECT outstanding_yen FROM claim") == [(0,)]
    # A claims file of a later day contains the payments up to that day.
    take("claims", write_csv(tmp_path / "a_20261010.csv", [{**CLAIM, "未納額": "6000"}]))
    assert query("SELECT outstanding_yen FROM claim") == [(6000,)]


def test_a_payment_waits_for_its_claim(take: Import, query: Query, tmp_path: Path) -> None:
    report = take("payments", write_csv(tmp_path / "p.csv", [PAYMENT]))
    assert report.remarks == {"without_claim": 1}
    take("claims", write_csv(tmp_path / "a_20260930.csv", [CLAIM, OTHER]))
    assert query("SELECT outstanding_yen FROM claim ORDER BY notice_number") == [(6000,), (10000,)]


def test_restrictions_find_their_claim_or_protect_the_person(
    take: Import, query: Query, tmp_path: Path
) -> None:
    second = {**CLAIM, "期別": "4"}  # on the same notice
    third = {**CLAIM, "通知書番号": "26010000003"}
    take("claims", write_csv(tmp_path / "a_20260930.csv", [CLAIM, third]))
    rows = [
        {**RESTRICTION, "通知書番号": "26010000001"},
        {**RESTRICTION, "通知書番号": "26010000003"},
        RESTRICTION,
        {**RESTRICTION, "宛名番号": "99999999"},
    ]
    report = take("restrictions", write_csv(tmp_path / "r.csv", rows))
    assert report.remarks == {"without_debtor": 1}
    named = "SELECT debtor_id IS NOT NULL, claim_id IS NOT NULL FROM restriction ORDER BY id"
    assert query(named) == [(True, True), (True, True), (True, False), (False, False)]
    take("claims", write_csv(tmp_path / "b_20260930.csv", [second]))
    assert query(named)[0] == (True, False)  # two claims on that notice now


def test_an_office_restricts_no_claim_of_another(
    take: Import, query: Query, service: Service, tmp_path: Path
) -> None:
    take("claims", write_csv(tmp_path / "a_20260930.csv", [CLAIM]))
    theirs = {**RESTRICTION, "通知書番号": "26010000001"}
    take("restrictions", write_csv(tmp_path / "r.csv", [theirs]))
    ended = {**theirs, "終了日": "令和8年8月2日"}
    rows = [ended, RESTRICTION, {**theirs, "通知書番号": "26010000009"}]
    path = write_csv(tmp_path / "s.csv", rows)
    nursery = replace(STAFF, office="保育担当課", kinds=frozenset({ClaimKind.NURSERY_FEE}))
    report = import_file(service, nursery, "restrictions", path)
    assert report.counts == Counts(3, 2, 0, 0, 1, 0)
    assert [(f.line, f.column, f.reason) for f in report.first_faults] == [
        (2, "通知書番号", "other_office")
    ]
    assert query("SELECT ends_on::text FROM restriction ORDER BY id LIMIT 1") == [("2027-03-31",)]
    assert import_file(service, STAFF, "restrictions", path).counts.updated == 1


def test_a_later_restriction_file_changes_its_end(
    take: Import, query: Query, tmp_path: Path
) -> None:
    take("restrictions", write_csv(tmp_path / "a.csv", [RESTRICTION]))
    longer = {**RESTRICTION, "終了日": ""}
    backwards = {**RESTRICTION, "区分": "徴収猶予", "終了日": "令和8年7月31日"}
    unknown = {**RESTRICTION, "区分": "様子見"}
    path = write_csv(tmp_path / "b.csv", [longer, backwards, unknown])
    report = take("restrictions", path)
    assert report.counts == Counts(3, 0, 1, 0, 2, 0)
    assert [(f.line, f.column, f.reason) for f in report.first_faults] == [
        (3, "終了日", "ends_before_start"),
        (4, "区分", "unknown_word"),
    ]
    assert query("SELECT kind, ends_on FROM restriction") == [("instalment_pledge", None)]


def test_calls(take: Import, query: Query, tmp_path: Path) -> None:
    take("claims", write_csv(tmp_path / "a.csv", [CLAIM]))
    stranger = {**CALL, "相手番号": "080-9999-8888", "方向": "受電", "内線": "202"}
    given_up = {**CALL, "方向": "受電", "結果": "放棄", "通話秒数": "14", "内線": ""}
    rows = [CALL, {**CALL, "相手番号": "０９０１２３４５６７８"}, stranger, given_up]
    report = take("calls", write_csv(tmp_path / "c.csv", rows))
    assert report.counts == Counts(4, 3, 0, 0, 0, 1)
    assert query("""SELECT origin, direction, result, wait_seconds, talk_seconds, wrap_seconds,
                    phone_id IS NOT NULL FROM call ORDER BY id""") == [
        ("operator", "outbound", "talked", None, 95, 30, True),
        ("resident", "inbound", "talked", None, 95, 30, False),
        ("resident", "inbound", "abandoned", 14, 0, 30, True),
    ]
    assert query("SELECT count(*) FROM phone") == [(1,)]
    overlapping = [stranger, {**CALL, "日時": "2026/09/02 09:10:57", "結果": "苦情"}]
    report = take("calls", write_csv(tmp_path / "d.csv", overlapping))
    assert report.counts == Counts(2, 1, 0, 1, 0, 0)
    assert query("SELECT started_at::text, result FROM call ORDER BY id DESC LIMIT 1") == [
        ("2026-09-02 09:10:57+09", "complaint")
    ]


def test_a_dry_run_tells_the_same_and_changes_nothing(
    take: Import, query: Query, ledger_hash: Callable[[], list[str]], tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "a.csv", [CLAIM, {**OTHER, "未納額": "未定"}])
    before = ledger_hash()
    tried = take("claims", path, dry_run=True)
    assert tried.counts == Counts(2, 1, 0, 0, 1, 0)
    assert tried.rejects is not None
    assert tried.rejects.exists()
    assert ledger_hash() == before
    assert query("SELECT count(*) FROM source_file") == [(0,)]
    assert query("SELECT count(*) FROM audit_log") == [(0,)]
    assert take("claims", path).counts == tried.counts


def test_notes_keep_no_number(take: Import, query: Query, tmp_path: Path) -> None:
    take("claims", write_csv(tmp_path / "a.csv", [{**CLAIM, "備考": "夫 090-8765-4321 夜間"}]))
    ((note,),) = query("SELECT note FROM claim")
    assert note.startswith("夫")
    assert "8765" not in note


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.EVALUATOR, Role.AUDITOR])
def test_only_staff_import(
    service: Service, query: Query, tmp_path: Path, role: Role
) -> None:  # fmt: skip
    path = write_csv(tmp_path / "a.csv", [CLAIM])
    with pytest.raises(NotAllowed):
        import_file(service, Actor("佐藤", role), "claims", path)
    assert query("SELECT count(*) FROM source_file") == [(0,)]


def test_an_undated_claims_file_is_refused_once_there_are_claims(
    take: Import, ledger_hash: Callable[[], list[str]], tmp_path: Path
) -> None:
    take("claims", write_csv(tmp_path / "a_20260930.csv", [CLAIM]))
    before = ledger_hash()
    undated = write_csv(tmp_path / "claims.csv", [{**CLAIM, "未納額": "9999"}])
    with pytest.raises(FileRefused, match="--as-of"):
        take("claims", undated)
    assert ledger_hash() == before
    assert take("claims", undated, as_of=date(2026, 9, 1)).remarks == {"older_than_ledger": 1}
