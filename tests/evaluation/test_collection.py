"""Collection rate and outstanding: defined, never pooled, and nothing told of a few people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from contact_service.bootstrap import Service
from contact_service.cli import report as cli
from contact_service.domain.actors import Actor
from contact_service.evaluation.collection import collection
from tests.evaluation.world import QUIET, build

#: So many people of the world's residents' tax owe a student loan instead.
LOANS = """UPDATE claim SET kind = 'student_loan' WHERE debtor_id IN (
               SELECT debtor_id FROM claim WHERE kind = 'resident_tax' GROUP BY 1
               HAVING count(*) = 1 ORDER BY 1 LIMIT {})"""
#: A claim's rest written off; a reduction of 700 yen.
WRITTEN_OFF = """INSERT INTO restriction (kind, debtor_id, claim_id, starts_on, origin,
                                          debtor_code, notice_number)
                 SELECT 'written_off', debtor_id, id, '2026-09-10', 'file', debtor_id,
                     notice_number FROM claim
                 WHERE kind = 'resident_tax' AND instalment = 1 ORDER BY id LIMIT {}"""
REDUCED = """UPDATE claim SET outstanding_yen = outstanding_yen - 700,
                 filed_outstanding_yen = filed_outstanding_yen - 700
             WHERE id IN (SELECT id FROM claim WHERE kind = 'resident_tax' AND instalment = 1
                          ORDER BY id DESC LIMIT {})"""

SUMS = ("claims", "assessed_yen", "collected_yen", "outstanding_yen", "written_off_yen",
        "reduced_yen", "rate")  # fmt: skip


def prepared(engine: Engine, *changes: str) -> None:
    with engine.begin() as connection:
        build(connection, QUIET)
        for change in changes:
            connection.execute(text(change))


def row_of(found: dict[str, Any], kind: str, period: str = "current") -> dict[str, Any]:
    (row,) = [one for one in found["rows"] if (one["kind"], one["period"]) == (kind, period)]
    return dict(row)


def test_a_few_people_are_not_told_and_cannot_be_worked_out(
    service: Service, evaluator: Actor, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three owe a student loan: nothing of theirs is told, and not all else that would add up."""
    prepared(engine, LOANS.format(3))
    found = collection(service, evaluator)
    loans = row_of(found, "student_loan")
    assert (loans["debtors"], {loans[key] for key in SUMS}) == ("x", {None})
    hidden = [row for row in found["rows"] if row["debtors"] == "x"]
    assert len(hidden) >= 2
    assert all(row["debtors"] == "x" or row["debtors"] >= 5 for row in found["rows"])
    told = replace(
        service, settings=service.settings.model_copy(update={"disclosure_threshold": 1})
    )
    shown = collection(told, evaluator)
    assert row_of(shown, "student_loan")["debtors"] == 3
    assert row_of(shown, "student_loan")["outstanding_yen"] == 30_000
    people = sum(row_of(shown, row["kind"], row["period"])["debtors"] for row in hidden)
    assert people >= 10  # what all the hidden have together names nobody

    @contextmanager
    def ours() -> Iterator[Service]:
        yield service

    monkeypatch.setattr(cli, "service", ours)
    printed = CliRunner().invoke(cli.app, ["collection"]).stdout.splitlines()
    (at,) = [n for n, line in enumerate(printed) if "奨学資金" in line]
    assert not any(character.isdigit() for character in printed[at + 1])
    held = json.loads(CliRunner().invoke(cli.app, ["collection", "--json"]).stdout)
    assert row_of(held, "student_loan")["outstanding_yen"] is None


def again(engine: Engine, *changes: str) -> None:
    """The world as it was, but for ``changes``."""
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM restriction"))
        connection.execute(text(
            "UPDATE claim SET outstanding_yen = assessed_yen, filed_outstanding_yen = assessed_yen"
        ))  # fmt: skip
        for change in changes:
            connection.execute(text(change))


def test_write_offs_and_reductions_of_a_few_are_not_told_apart(
    service: Service, evaluator: Actor, engine: Engine
) -> None:
    prepared(engine)
    for written_off, reduced, apart in (
        (6, 5, True), (6, 0, True), (2, 0, False), (2, 9, False), (9, 2, False),
    ):  # fmt: skip
        again(engine, WRITTEN_OFF.format(written_off), REDUCED.format(reduced))
        row = row_of(collection(service, evaluator), "resident_tax")
        gone = row["assessed_yen"] - row["collected_yen"] - row["outstanding_yen"]
        assert gone == 10_000 * written_off + 700 * reduced
        told = (10_000 * written_off, 700 * reduced) if apart else (None, None)
        assert (row["written_off_yen"], row["reduced_yen"]) == told, (written_off, reduced)


def test_what_is_written_off_by_today(service: Service, evaluator: Actor, engine: Engine) -> None:
    """Eight people's current claims, said of in another way each time."""
    prepared(engine, "UPDATE claim SET notice_number = notice_number || '-2' WHERE instalment = 2")
    for change, gone in (
        ("lifted_at = '2026-09-11'", 0),
        ("starts_on = '2026-10-27'", 0),  # tomorrow
        ("starts_on = '2026-10-26'", 8),
        ("kind = 'execution_suspended'", 0),  # collected no more, but owed
        ("claim_id = NULL", 8),  # of the notice: each has other claims under another number
        ("claim_id = NULL, notice_number = 'another'", 0),
        ("claim_id = NULL, notice_number = NULL", 8),
    ):
        again(engine, WRITTEN_OFF.format(8), f"UPDATE restriction SET {change}")
        found = collection(service, evaluator)
        row, other = (row_of(found, "resident_tax", p) for p in ("current", "carried_over"))
        assert row["written_off_yen"] == 10_000 * gone, change
        if "notice_number = NULL" not in change:
            assert other["written_off_yen"] == 0, change


def test_collection_is_never_pooled(service: Service, evaluator: Actor, engine: Engine) -> None:
    prepared(engine)
    with engine.begin() as connection:
        connection.execute(text(
            "UPDATE claim SET collected_yen = 2000, filed_outstanding_yen = outstanding_yen - 3000,"
            " outstanding_yen = outstanding_yen - 4000 WHERE instalment = 1"
        ))  # fmt: skip
    found = collection(service, evaluator)
    told = [row for row in found["rows"] if row["rate"] is not None]
    assert {row["period"] for row in told} == {"current", "carried_over"}
    for row in told:
        gone = row["assessed_yen"] - row["collected_yen"] - row["outstanding_yen"]
        assert (row["written_off_yen"], row["reduced_yen"]) == (0, gone)
        if row["period"] == "current":  # 10,000 each: 2,000 by file, 1,000 since; 6,000 left
            assert row["rate"] == pytest.approx(0.3)
            assert gone == 1000 * row["claims"]
    assert set(found["definitions"]) == {
        "rate", "outstanding", "written_off", "reduced", "small", "scope",
    }  # fmt: skip
    with engine.begin() as connection:  # one claim of each notice: the only one of that number
        connection.execute(text(
            """INSERT INTO restriction (kind, debtor_id, claim_id, notice_number, starts_on, origin)
            SELECT 'written_off', debtor_id, id, notice_number, '2026-09-10', 'file' FROM claim
            WHERE instalment = 1 AND debtor_id % 2 = 0"""
        ))  # fmt: skip
        left = dict(connection.execute(text(
            """SELECT kind, sum(outstanding_yen) FROM claim
            WHERE instalment = 1 AND debtor_id % 2 = 1 GROUP BY 1"""
        )).all())  # fmt: skip
    written = collection(service, evaluator)["rows"]
    for before, after in zip(found["rows"], written, strict=True):
        if after["rate"] is None:
            continue
        assert after["rate"] == before["rate"]
        if after["period"] == "current":
            assert after["outstanding_yen"] == left[after["kind"]]
            gone = after["assessed_yen"] - after["collected_yen"] - after["outstanding_yen"]
            assert after["written_off_yen"] + after["reduced_yen"] == gone
            assert after["written_off_yen"] == 7000 * (
                after["claims"] - after["reduced_yen"] // 1000
            )
        else:
            assert after == before
    assert all(row["debtors"] == "x" or row["debtors"] >= 5 for row in found["rows"])
