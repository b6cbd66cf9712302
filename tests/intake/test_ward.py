"""The sample ward: every count of ``expected.json``, and nothing changes the second time."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from contact_service.domain.numbers import classify
from contact_service.intake.fields import plain
from contact_service.intake.importing import Report
from contact_service.store.crypto import Vault
from tests.conftest import WARD
from tests.intake.conftest import LEDGER, Import, Query

EXPECTED = json.loads((WARD / "expected.json").read_text())
FILES = {
    "claims": "滞納一覧_20260930.csv",
    "payments": "収納データ.csv",
    "restrictions": "交渉制限.csv",
    "calls": "電話催告センター通話記録_202609.csv",
}


@pytest.fixture
def ward(tmp_path: Path) -> Path:
    """The sample in a folder where rejects may be written."""
    return Path(shutil.copytree(WARD, tmp_path / "ward"))


def take_all(take: Import, ward: Path) -> dict[str, Report]:
    return {kind: take(kind, ward / name, training=True) for kind, name in FILES.items()}


def test_the_counts_of_the_sample(take: Import, query: Query, ward: Path) -> None:
    reports = take_all(take, ward)
    claims, calls = reports["claims"].counts, reports["calls"].counts
    assert claims.rows == EXPECTED["claim_rows"]
    assert claims.accepted == EXPECTED["claims"]
    assert claims.rejected == EXPECTED["bad_rows"]
    assert claims.skipped == EXPECTED["duplicate_rows"] + EXPECTED["total_rows"]
    assert reports["payments"].counts.accepted == EXPECTED["payments"]
    assert reports["restrictions"].counts.accepted == EXPECTED["restrictions"]
    assert calls.accepted == EXPECTED["calls"]
    for report in reports.values():
        c = report.counts
        assert c.accepted + c.updated + c.unchanged + c.rejected + c.skipped == c.rows

    assert query("SELECT count(*), sum(filed_outstanding_yen) FROM claim") == [
        (EXPECTED["claims"], EXPECTED["outstanding_yen"])
    ]
    assert query("SELECT count(*) FROM household") == [(EXPECTED["households"],)]
    assert query("SELECT count(*) FROM call WHERE direction = 'inbound'") == [
        (EXPECTED["inbound"],)
    ]
    # Two of the 1,500 people stand on rejected rows only: one without a code, one with the
    # amount 未定. They arrive when those rows are mended.
    assert query("SELECT count(*), bool_and(training) FROM debtor") == [
        (EXPECTED["people"] - 2, True)
    ]
    # Every payment of the sample pays its claim in full, after the day of the claims file.
    assert query("SELECT count(*) FROM claim WHERE outstanding_yen = 0") == [
        (EXPECTED["payments"],)
    ]
    assert query("SELECT sum(filed_outstanding_yen - outstanding_yen) FROM claim") == query(
        "SELECT sum(amount_yen) FROM payment"
    )
    assert query("SELECT count(*) FROM restriction WHERE debtor_id IS NULL") == [(0,)]


def test_people_and_their_first_numbers(ward: Path) -> None:
    """``phone_*`` counts people by the first number of 電話番号１: good, bad or none at all.

    A person is a 宛名番号; a row without one belongs to whom its household and name say.
    """
    text = (ward / FILES["claims"]).read_bytes().decode("cp932")
    rows = [row for row in csv.DictReader(io.StringIO(text, newline="")) if row["世帯番号"]]
    codes = {(r["世帯番号"], plain(r["氏名"])): plain(r["宛名番号"]) for r in rows if r["宛名番号"]}
    people: dict[object, str] = {}
    for row in rows:
        who = row["世帯番号"], plain(row["氏名"])
        people[plain(row["宛名番号"]) or codes.get(who, who)] = row["電話番号１"]
    kinds: Counter[str] = Counter()
    for cell in people.values():
        first = next(iter(classify(cell)), None)
        kinds["none" if first is None else str(first.kind or "bad")] += 1
    assert len(people) == EXPECTED["people"]
    assert len({row["世帯番号"] for row in rows}) == EXPECTED["households"]
    assert kinds == {
        name: EXPECTED[f"phone_{name}"] for name in ("mobile", "fixed", "ip", "none", "bad")
    }


def test_bad_rows_are_named(take: Import, query: Query, vault: Vault, ward: Path) -> None:
    report = take("claims", ward / FILES["claims"])
    assert query(
        'SELECT "column", reason, count(*) FROM rejected_row GROUP BY 1, 2 ORDER BY 3 DESC, 1'
    ) == [
        ("未納額", "bad_amount", 27),
        ("宛名番号", "blank", 17),
        ("納期限", "impossible_date", 17),
        ("調定年度", "truncated", 9),
    ]
    lines = (ward / FILES["claims"]).read_bytes().decode("cp932").split("\r\n")
    for line, column, sealed in query('SELECT line, "column", value FROM rejected_row'):
        value = vault.open("rejected_row.value", sealed)
        cells = next(csv.reader([lines[line - 1]]))
        headings = lines[0].split(",")
        assert value == (
            cells[headings.index(column)] if len(cells) == len(headings) else ""
        ), (line, column)  # fmt: skip
    assert [f.line for f in report.first_faults] == sorted(f.line for f in report.first_faults)
    assert len(report.first_faults) == 10


def test_the_same_files_twice_change_nothing(
    take: Import, query: Query, ledger_hash: Callable[[], list[str]], ward: Path
) -> None:
    take_all(take, ward)
    before = ledger_hash()
    for kind, report in take_all(take, ward).items():
        counts = report.counts
        assert (counts.accepted, counts.updated) == (0, 0), kind
        assert counts.unchanged == counts.rows - counts.rejected - counts.skipped
    assert ledger_hash() == before
    records = query("SELECT kind, sha256, imported_by FROM source_file ORDER BY id")
    assert [r[0] for r in records] == list(FILES) * 2
    assert records[:4] == records[4:]
    assert len(query("SELECT FROM audit_log WHERE action = 'intake.import'")) == 8


def test_order_does_not_matter(
    take: Import, query: Query, tmp_path: Path, ward: Path
) -> None:  # fmt: skip
    """Payments and restrictions that come before their claims find them later."""
    take("payments", ward / FILES["payments"])
    take("restrictions", ward / FILES["restrictions"])
    assert query("SELECT count(claim_id) FROM payment") == [(0,)]
    assert query("SELECT count(debtor_id) FROM restriction") == [(0,)]
    take("claims", ward / FILES["claims"])
    assert query("SELECT count(*) FROM payment WHERE claim_id IS NULL") == [(0,)]
    assert query("SELECT count(*) FROM restriction WHERE debtor_id IS NULL") == [(0,)]
    assert query("SELECT count(*) FROM claim WHERE outstanding_yen = 0") == [
        (EXPECTED["payments"],)
    ]


def test_no_name_or_number_lies_open(take: Import, query: Query, ward: Path) -> None:
    take_all(take, ward)
    tables = [*LEDGER, "source_file", "rejected_row", "audit_log"]
    dump = "\n".join(row[0] for table in tables for row in query(f"SELECT t::text FROM {table} t"))
    sealed_name = "\\x01"  # bytea values begin with the key's id
    assert sealed_name in dump
    for personal in ("花子", "カトウ", "ｶﾄｳ", "1946-03-04", "7090486626", "07090486626"):
        assert personal not in dump
        assert personal.encode().hex() not in dump
