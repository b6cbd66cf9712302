"""What a definition says of its trial: rules, the protocol and its hash, the size it takes."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest

from campaigns.check import check
from campaigns.definition import Definition
from campaigns.parse import read_file
from campaigns.protocol import canonical, comparisons, departures, digest, protocol
from campaigns.ready_made import locate
from campaigns.sample_size import detectable, judge, needed

PLAIN = read_file(locate("three-arm-trial")).definition


def _definition(**trial: Any) -> Definition:
    written = PLAIN.model_dump(mode="json")
    return Definition.model_validate(written | {"trial": written["trial"] | trial})


@pytest.mark.parametrize(
    ("trial", "path", "said"),
    [
        ({"comparisons": [{"arm": "smss", "against": "holdout"}]}, "arm", "no arm `smss`"),
        ({"comparisons": [{"arm": "sms", "against": "sms"}]}, 0, "control of itself"),
        ({"comparisons": [{"arm": "sms", "against": "holdout"}] * 2}, 1, "appears twice"),
        ({"looks": [14, 7]}, 1, "one after the other"),
        ({"looks": [28]}, 0, "from 1 to 27"),
        ({"expected_effect": 0.1}, "expected_effect", "go together"),
        ({"expected_control": 0.6, "expected_effect": 0.4}, "expected_effect", "below 1"),
        ({"too_small": "refuse"}, "too_small", "are needed"),
    ],
)
def test_what_cannot_be_is_refused(trial: dict[str, Any], path: str | int, said: str) -> None:
    problems = [p for p in check(_definition(**trial)) if p.path[0] == "trial"]
    assert [p.path[-1] for p in problems] == [path]
    assert said in problems[0].en
    assert check(PLAIN) == []


def test_the_protocols_hash_is_that_of_its_canonical_form() -> None:
    found = protocol(PLAIN)
    assert digest(found) == sha256(canonical(found)).hexdigest()
    # read back from JSON with its keys in another order it is the same
    again = json.loads(json.dumps(dict(reversed(found.items()))))
    assert digest(again) == digest(found)
    assert found["trial"]["comparisons"] == [
        {"arm": "sms", "against": "holdout"},
        {"arm": "sms_call", "against": "holdout"},
    ]
    assert found["allocation"]["seed"] == "setagaya-2026-trial-1"


@pytest.mark.parametrize(
    "change",
    [{"horizon_days": 29}, {"primary_outcome": "paid_in_full"}, {"looks": [14]}, {"alpha": 0.1},
     {"comparisons": [{"arm": "sms", "against": "holdout"}]}],
)  # fmt: skip
def test_any_change_changes_the_hash_and_is_named(change: dict[str, Any]) -> None:
    registered, found = protocol(PLAIN), protocol(_definition(**change))
    assert digest(registered) != digest(found)
    (departure,) = departures(registered, found)
    assert departure.path == f"trial.{next(iter(change))}"
    assert "registered" in departure.en and "登録" in departure.ja
    assert departures(registered, registered) == []


def test_words_that_decide_nothing_change_nothing() -> None:
    retitled = PLAIN.model_copy(update={"title": "別の題", "purpose": "別の目的"})
    assert digest(protocol(retitled)) == digest(protocol(PLAIN))


def test_sizes_are_those_of_power_prop_test() -> None:
    # R: power.prop.test(p1 = .50, p2 = .75, power = .90): n = 76.7
    assert needed(0.50, 0.25, 1, 0.05, 0.9) == pytest.approx(76.7, abs=0.05)
    # R: power.prop.test(p1 = .30, p2 = .35, power = .80): n = 1376.3
    assert needed(0.30, 0.05, 1, 0.05, 0.8) == pytest.approx(1376.3, abs=0.05)
    assert detectable(0.30, 1377, 1377, 0.05, 0.8) == pytest.approx(0.05, abs=1e-4)
    assert detectable(0.30, 0, 100, 0.05, 0.8) is None


def test_a_run_that_is_too_small_is_said_or_refused() -> None:
    assert judge(PLAIN, {"holdout": 3}) is None
    expected = {"expected_control": 0.30, "expected_effect": 0.05}
    warned = judge(_definition(**expected), {"holdout": 2000, "sms": 2000, "sms_call": 1000})
    assert warned is not None and not warned.enough and not warned.refuse
    assert [(size.arm, size.enough) for size in warned.sizes] == [
        ("sms", True), ("sms_call", False),
    ]  # fmt: skip
    # two comparisons at 2.5 % each: power.prop.test(p1 = .3, p2 = .35, sig.level = .025): 1666.8
    assert warned.sizes[0].needed == 1667
    assert "1,667" in next(iter(warned.said("ja")))
    refused = judge(_definition(**expected, too_small="refuse"), {"holdout": 9})
    assert refused is not None and refused.refuse
    assert len(list(refused.said("en"))) == 2


def test_comparisons_default_to_every_arm_against_the_holdout() -> None:
    assert comparisons(PLAIN) == [("sms", "holdout"), ("sms_call", "holdout")]
    stated = _definition(comparisons=[{"arm": "sms_call", "against": "sms"}])
    assert comparisons(stated) == [("sms_call", "sms")]
