"""What worked: only finished trials become entries, and others can copy them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from campaigns.parse import parse
from contact_service.bootstrap import Service
from contact_service.cli import library as cli
from contact_service.domain.actors import Actor, NotAllowed, Role
from contact_service.evaluation import library
from contact_service.evaluation.collection import collection
from contact_service.evaluation.library import NotInLibrary
from tests.evaluation.world import QUIET, RUN, World, build

TEXT = (Path(__file__).parents[2] / "campaigns" / "library" / "three-arm-trial.yaml").read_text(
    encoding="utf-8"
)


def a_world(engine: Engine, world: World | None = None) -> None:
    with engine.begin() as connection:
        build(connection, world or QUIET)
        connection.execute(text("UPDATE campaign_version SET text = :text"), {"text": TEXT})


def test_a_finished_trial_is_found_read_and_copied(
    service: Service, evaluator: Actor, engine: Engine
) -> None:
    a_world(engine)
    made = library.add(service, evaluator, RUN, "夕方のSMSがよく届いた。50%増ではない。")
    (found,) = library.search(service, evaluator, "夕方 SMS")
    assert found["id"] == made
    assert library.search(service, evaluator, "5_%") == []  # words, not patterns
    entry = library.show(service, evaluator, made)["entry"]
    sms = next(one for one in entry["effects"] if one["arm"] == "sms")
    assert sms["outcomes"]["paid_something"]["risk_difference"]["estimate"] == pytest.approx(0.2)
    assert entry["cost"]["additional"]
    copy = library.copied(service, evaluator, made, "our-trial")
    before, after = parse(TEXT, "a.yaml"), parse(copy, "b.yaml")
    assert (after.campaign, after.allocation.seed) == ("our-trial", "our-trial")
    assert after.steps == before.steps
    with pytest.raises(NotInLibrary, match="already"):
        library.add(service, evaluator, RUN, "twice")
    with pytest.raises(NotInLibrary, match="cannot"):
        library.copied(service, evaluator, made, "No Such Name!")


def test_small_numbers_stay_out_of_the_library(
    service: Service, evaluator: Actor, engine: Engine
) -> None:
    a_world(
        engine, replace(QUIET, arms={"holdout": (80, 3), "sms": (70, 56), "sms_call": (75, 60)})
    )
    made = library.add(service, evaluator, RUN, "learnt")
    entry = library.show(service, evaluator, made)["entry"]
    assert all(one["outcomes"]["paid_something"]["risk_difference"] is None
               for one in entry["effects"])  # fmt: skip
    assert "3世帯" not in json.dumps(entry, ensure_ascii=False)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE run SET state = 'running'", "finished"),
        ("UPDATE source_file SET imported_at = '2026-10-06' WHERE kind = 'payments'", "not all in"),
    ],
)
def test_what_is_not_settled_is_no_example(
    service: Service, evaluator: Actor, engine: Engine, change: str, said: str
) -> None:
    a_world(engine)
    with engine.begin() as connection:
        connection.execute(text(change))
    with pytest.raises(NotInLibrary, match=said):
        library.add(service, evaluator, RUN, "learnt")
    assert library.search(service, evaluator) == []


def test_the_latest_run_becomes_an_entry_from_a_shell(
    service: Service, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_world(engine)

    @contextmanager
    def ours() -> Iterator[Service]:
        yield service

    monkeypatch.setattr(cli, "service", ours)
    done = CliRunner().invoke(cli.app, ["add", "latest", "--lessons", "夕方"])
    assert (done.exit_code, "entry 1 added" in done.stdout) == (0, True), done.output
    assert CliRunner().invoke(cli.app, ["add", "nonsense", "--lessons", "x"]).exit_code == 2
    assert "秋の催告効果検証" in CliRunner().invoke(cli.app, ["search", "夕方"]).stdout


def test_operators_add_nothing(service: Service, engine: Engine) -> None:
    with pytest.raises(NotAllowed):
        library.add(service, Actor("201", Role.OPERATOR), RUN, "learnt")


def test_collection_is_never_pooled(service: Service, evaluator: Actor, engine: Engine) -> None:
    a_world(engine, QUIET)
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
