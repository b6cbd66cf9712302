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
    with pytest.raises(NotInLibrary, match="small letters"):
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
    shown = CliRunner().invoke(cli.app, ["show", "1", "--lang", "en"]).stdout
    asked = [line for line in shown.splitlines() if not line.startswith(" ")][1:-1]
    assert asked == ["What was tried", "What happened", "How sure is it", "What it cost",
                     "What it did to the telephone centre", "What to do"]  # fmt: skip
    assert "  SMS against Left alone (holdout): +20.0 points" in shown
    assert "夕方" in shown.splitlines()[-1]


def test_operators_add_nothing(service: Service, engine: Engine) -> None:
    with pytest.raises(NotAllowed):
        library.add(service, Actor("201", Role.OPERATOR), RUN, "learnt")


def test_an_entry_made_before_there_was_english_is_read_in_japanese_and_in_order() -> None:
    kept = {"entry": {"summary": {"do": ["続ける"], "tried": ["SMS"]}}}
    spoken, said = library.told(kept, "en")
    assert spoken == "ja" and next(iter(said)) == "tried" and said["do"] == ["続ける"]
    assert library.told({"entry": {**kept["entry"], "summary_en": {}}}, "en")[0] == "en"
