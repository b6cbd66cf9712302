"""The ready-made definitions, the schema and the reference page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from campaigns.conditions import Condition, Selection, put_in
from campaigns.definition import Definition
from campaigns.parse import read_file
from campaigns.ready_made import NoSuchDefinition, library, locate
from campaigns.reference import page
from campaigns.schema import fields_at, json_schema
from campaigns.vocabulary import Channel

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "campaign-definition.md"


@pytest.mark.parametrize("name", library())
def test_every_ready_made_definition_is_valid_and_without_warnings(name: str) -> None:
    reading = read_file(library()[name])
    assert reading.warnings == ()
    assert reading.definition.campaign == name


def test_the_trial_compares_no_contact_sms_and_auto_call() -> None:
    trial = read_file(library()["three-arm-trial"]).definition
    assert [(arm.name, arm.holdout) for arm in trial.arms] == [
        ("holdout", True),
        ("sms", False),
        ("sms_call", False),
    ]
    assert [step.channel for step in trial.steps] == [
        Channel.SMS,
        Channel.AUTO_CALL,
        Channel.OPERATOR,
    ]


def test_the_reminder_is_over_before_the_statutory_one_is_due() -> None:
    reminder = read_file(library()["reminder-before-demand"]).definition
    last = reminder.steps[-1]
    latest = reminder.select.days_since_due.max
    assert latest is not None
    assert latest + last.start.after_days + last.expires_after_days < 20


def test_a_name_or_a_path_leads_to_a_file(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("x")
    assert locate(str(path)) == path
    assert locate("three-arm-trial") == library()["three-arm-trial"]
    with pytest.raises(NoSuchDefinition, match="did you mean `three-arm-trial`"):
        locate("three-arm-trail")
    with pytest.raises(NoSuchDefinition):
        locate(str(tmp_path))


def test_the_reference_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "run: python -m campaigns.reference > docs/reference/campaign-definition.md"
    )


def test_the_page_explains_every_field() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    places = [row for row in rows if row.startswith("| `days_since_due` |")]
    assert len(places) == 3  # anywhere; at the top, where it has a default; among what can be asked
    weekdays = ("tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    unexplained = [row for row in rows if row.endswith("|  |")]
    assert [row.split("`")[1] for row in unexplained] == list(weekdays)


def test_the_page_s_example_is_a_valid_selection() -> None:
    example = yaml.safe_load(page().partition("```yaml\n")[2].partition("```")[0])
    named = {name: Condition.model_validate(each) for name, each in example["selections"].items()}
    ready = put_in(Selection.model_validate(example["select"]), named)
    assert [each.has_mobile for each in ready.all] == [True]
    assert len(ready.any) == 2


def test_the_schema_is_json_and_closed() -> None:
    schema = json.loads(json.dumps(json_schema()))
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == set(fields_at(()))
    assert len(fields_at(())) == len(Definition.model_fields)
    trial = yaml.safe_load(library()["three-arm-trial"].read_text(encoding="utf-8"))
    assert set(trial) <= set(schema["properties"])


def test_fields_are_known_at_every_place_of_a_definition() -> None:
    assert "days_since_due" in fields_at(("select",))
    assert fields_at(("select", "days_since_due")) == ("min", "max")
    assert "retries" in fields_at(("steps", 3))
    assert fields_at(("steps", 3, "retries", 0)) == ("on", "after", "part_of_day", "most")
    assert "otherwise" in fields_at(("scripts", "a", "nodes", "b"))
    assert "any" in fields_at(("select", "not", 0, "all", 2))
    assert "debtor_outstanding_yen" not in fields_at(("selections", "a"))
    assert fields_at(("messages",)) == ()
    assert "ja-easy" in fields_at(("messages", "a"))
    assert fields_at(("steps", 3, "fallback"))[:2] == ("on", "channel")
    assert fields_at(("nowhere", "at", "all")) == ()
