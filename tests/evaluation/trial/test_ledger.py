"""What the trial's room asks the database: the past for a design, and the arms dealt again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from contact_service.bootstrap import Service
from contact_service.cli import trial as cli
from contact_service.clock import FixedClock
from contact_service.domain.actors import SYSTEM, Actor, Role
from contact_service.evaluation.trial.baseline import baseline
from contact_service.evaluation.trial.faults import TrialRefused
from contact_service.evaluation.trial.replay import replayed
from contact_service.planning import runs
from contact_service.settings import Settings
from contact_service.store.crypto import Vault
from tests.ledger import Ledger, Owed, definition, mobile

END = date(2026, 10, 20)


@pytest.fixture
def ledger(engine: Engine, vault: Vault) -> Ledger:
    return Ledger(engine, vault)


def _pays(ledger: Ledger, person: int, yen: int, on: date) -> None:
    ledger.run(
        """
        INSERT INTO payment (claim_id, debtor_code, kind, notice_number, instalment, paid_on,
            amount_yen, method, source_file_id, source_line)
        SELECT c.id, d.code, c.kind, c.notice_number, c.instalment, :on, :yen, 'bank', :file, 1
        FROM claim c JOIN debtor d ON d.id = c.debtor_id WHERE d.id = :person ORDER BY c.id LIMIT 1
        """,
        on=on, yen=yen, person=person, file=ledger.file_id,
    )  # fmt: skip
    ledger.run(
        "UPDATE claim SET outstanding_yen = outstanding_yen - :yen WHERE debtor_id = :person",
        yen=yen, person=person,
    )  # fmt: skip


def test_the_past_counts_households_that_owed_then(ledger: Ledger) -> None:
    people = [ledger.person([mobile(n)], [Owed(10_000)]) for n in range(8)]
    together = ledger.person([mobile(9)], [Owed(10_000)], household="one")
    ledger.person([mobile(10)], [Owed(10_000)], household="one")
    _pays(ledger, people[0], 10_000, date(2026, 10, 1))  # in full, within
    _pays(ledger, people[1], 4_000, date(2026, 10, 19))  # something, on the last day
    _pays(ledger, together, 10_000, date(2026, 10, 2))  # a household of two claims: something
    _pays(ledger, people[2], 10_000, date(2026, 9, 1))  # before: owed nothing any more
    _pays(ledger, people[3], 10_000, END)  # after: still owing within
    ledger.person([], [Owed(10_000, due_on=date(2026, 10, 1))])  # not due when it began
    with ledger.engine.connect() as connection:
        found = baseline(connection, END, 28, None)
        other = baseline(connection, END, 28, ["health_insurance"])
        with pytest.raises(TrialRefused, match="2026-09-22"):
            baseline(connection, END, 28, ["school_lunch"])
    assert (found.homes, found.paid_something, found.paid_in_full) == (8, 3, 1)
    assert found.mean_yen == pytest.approx((10_000 + 4_000 + 10_000) / 8)
    assert found.share("paid_something") == 3 / 8
    assert found == other
    assert found.new_per_day == pytest.approx(10 / 365)


def test_a_past_in_which_nobody_paid_is_no_design(
    ledger: Ledger, settings: Settings, vault: Vault, clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    ledger.person([mobile(1)], [Owed(10_000)])

    @contextmanager
    def ours() -> Iterator[Service]:
        yield Service(settings, ledger.engine, vault, clock)

    monkeypatch.setattr(cli, "service", ours)
    asked = ["--from-ledger", "paid_something", "--until", "2026-10-20"]
    for measure in (["proportions", "--effect", "0.05"], ["means", "--difference", "1000"]):
        done = CliRunner().invoke(cli.app, ["power", *measure, *asked])
        assert done.exit_code == 2
        assert "that past of the ledger" in done.output.replace("\n", " ")


def test_replay_says_whether_arms_and_protocol_are_as_registered(
    ledger: Ledger, clock: FixedClock
) -> None:
    for n in range(12):
        ledger.person([mobile(n)])
    spec = definition()
    run_id = runs.plan(ledger.engine, Actor("p", Role.STAFF), spec, spec.model_dump_json(),
                       date(2026, 10, 26), clock.now()).run_id  # fmt: skip
    with ledger.engine.connect() as connection:
        found = replayed(connection, SYSTEM, run_id)
    assert found["as_registered"] and found["allocation_agrees"] and found["protocol_agrees"]
    assert found["clusters"] == 12
    ledger.run(
        """UPDATE campaign_version SET definition =
        jsonb_set(definition, '{trial,horizon_days}', '56')"""
    )
    ledger.run("UPDATE target SET arm = 'holdout'")
    with ledger.engine.connect() as connection:
        found = replayed(connection, SYSTEM, run_id)
    assert not found["as_registered"]
    assert found["different"] > 0 and found["allocation_agrees"] is False
    assert [one["path"] for one in found["departures"]] == ["trial.horizon_days"]
