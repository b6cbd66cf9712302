"""Each rule between fields: one change to a valid definition, exactly the faults expected."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from campaigns.rules.steps import POSSIBLE, RETRYABLE
from campaigns.vocabulary import Channel, Outcome
from tests.campaigns.mutation import TRIAL, findings, mutated


class Case(NamedTuple):
    """One change, and where each finding is expected: path → the text on its line."""

    rule: str
    old: str
    new: str
    expected: dict[str, str]
    warning: bool = False


# fmt: off
CASES = [
    Case("range upside down", "days_since_due: {min: 1}", "days_since_due: {min: 9, max: 3}",
         {"select.days_since_due": "days_since_due"}),
    Case("not yet due", "days_since_due: {min: 1}", "days_since_due: {max: 20}",
         {"select.days_since_due": "days_since_due"}),
    Case("paid", "claim_outstanding_yen: {min: 1}", "claim_outstanding_yen: {min: 0}",
         {"select.claim_outstanding_yen": "claim_outstanding_yen"}),
    Case("era year", "days_since_due:", "fiscal_years: {min: 8}\n  days_since_due:",
         {"select.fiscal_years.min": "fiscal_years"}),
    Case("range upside down inside", "days_since_due:", "any: [{kinds: [other]}, {not: [{sms_contacts: {min: 9, max: 3}}]}]\n  days_since_due:",
         {"select.any[1].not[0].sms_contacts": "sms_contacts"}),
    Case("era year inside", "days_since_due:", "not: [{fiscal_years: {max: 7}}]\n  days_since_due:",
         {"select.not[0].fiscal_years.max": "fiscal_years"}),
    Case("not yet due inside", "days_since_due:", "not: [{days_since_due: {max: 20}}]\n  days_since_due:", {}),
    Case("empty condition", "days_since_due:", "any: [{}, {has_mobile: true}]\n  days_since_due:",
         {"select.any[0]": "any: [{}"}),
    Case("no conditions", "days_since_due:", "any: []\n  days_since_due:", {"select.any": "any: []"}),
    Case("no conditions inside", "days_since_due:", "not: [{kinds: [other], all: []}]\n  days_since_due:",
         {"select.not[0].all": "all: []"}),
    Case("unknown name", "select:\n", "selections: {small: {has_mobile: true}, big: {use: [small]}}\nselect:\n  use: [big, smal]\n",
         {"select.use[1]": "use: [big, smal]"}),
    Case("name unused", "select:\n", "selections: {small: {has_mobile: true}}\nselect:\n",
         {"selections.small": "selections: {small"}, True),
    Case("empty named condition", "select:\n", "selections: {small: {}}\nselect:\n  use: [small]\n",
         {"selections.small": "selections: {small"}),
    Case("name of itself", "select:\n", "selections: {a: {use: [b]}, b: {any: [{use: [a]}]}}\nselect:\n  use: [a]\n",
         {"selections.a": "selections: {a"}),
    Case("too many conditions", "select:\n", "selections: {a: {any: [" + ", ".join(["{has_mobile: true}"] * 99) + "]}}\nselect:\n  use: [a, a]\n",
         {"select": "use: [a, a]"}),
    Case("just few enough", "select:\n", "selections: {a: {any: [" + ", ".join(["{has_mobile: true}"] * 98) + "]}}\nselect:\n  use: [a, a]\n  not: [{kinds: [other]}]\n", {}),
    Case("range inside a name", "select:\n", "selections: {a: {household_size: {min: 3, max: 2}}}\nselect:\n  use: [a]\n",
         {"selections.a.household_size": "household_size"}),
    Case("arm twice", "name: sms_call", "name: sms",
         {"arms[2].name": "name: sms", "steps[0].arms[1]": "arms: [sms, sms_call]",
          "steps[1].arms[0]": "arms: [sms_call]", "steps[2].arms[1]": "arms: [sms, sms_call]"}),
    Case("unknown arm", "arms: [sms_call]", "arms: [sms_cal]", {"steps[1].arms[0]": "sms_cal]"}),
    Case("arm twice in a step", "arms: [sms_call]", "arms: [sms_call, sms_call]",
         {"steps[1].arms[1]": "sms_call, sms_call"}),
    Case("holdout contacted", "arms: [sms_call]", "arms: [sms_call, holdout]",
         {"steps[1].arms[1]": "[sms_call, holdout]"}),
    Case("nobody measured against", "    holdout: true", "    holdout: false",
         {"arms": "- name: holdout", "arms[0]": "- name: holdout"}, True),
    Case("arm without a step", "  - name: sms_call", "  - name: letters\n  - name: sms_call",
         {"arms[2]": "- name: letters"}),
    Case("blank seed", "seed: setagaya-2026-trial-1", "seed: '  '", {"allocation.seed": "seed: '  '"}),
    Case("stratum twice", "[kind, period,", "[kind, kind,", {"allocation.strata": "kind, kind"}),
    Case("step twice", "name: call-1", "name: sms-1", {"steps[1].name": "name: sms-1"}),
    Case("order of days", "after_days: 14", "after_days: 3", {"steps[2].start": "after_days: 3"}),
    Case("no message", "    message: please-call\n", "",
         {"steps[0].message": "- name: sms-1", "messages.please-call": "please-call: |-"}, True),
    Case("unknown message", "message: please-call", "message: pleas-call",
         {"steps[0].message": "message: pleas-call", "messages.please-call": "please-call: |-"}, True),
    Case("message for a call", "    script: notice\n", "    script: notice\n    message: please-call\n",
         {"steps[1].message": "message: please-call"}),
    Case("script for an operator", "channel: operator\n", "channel: operator\n    script: notice\n",
         {"steps[2].script": "script: notice"}),
    Case("retry after a refusal", "on: no_answer", "on: opted_out", {"steps[1].retries[1].on": "on: opted_out"}),
    Case("retry of a wrong person", "on: no_answer", "on: wrong_person", {"steps[1].retries[1].on": "on: wrong"}),
    Case("retry of a bad number", "on: no_answer", "on: invalid_number", {"steps[1].retries[1].on": "on: inv"}),
    Case("retry when switched off", "on: no_answer", "on: unreachable", {"steps[1].retries[1].on": "on: unr"}),
    Case("retry on a guess", "on: undelivered", "on: unknown", {"steps[0].retries[0].on": "on: unknown"}),
    Case("retry of another channel", "on: undelivered", "on: busy", {"steps[0].retries[0].on": "on: busy"}),
    Case("two retries", "on: no_answer", "on: busy", {"steps[1].retries[1].on": "on: busy, after: 2 h"}),
    Case("retry too late", "after: 2 h", "after: 5 days", {"steps[1].retries[1].after": "after: 5 days"}),
    Case("retry at once", "after: 2 h", "after: 0 min", {"steps[1].retries[1].after": "after: 0 min"}),
    Case("impossible condition", "unless: [confirmed", "unless: [rejected, confirmed", {}),
    Case("condition on the first step", "    message: please-call\n",
         "    message: please-call\n    unless: [confirmed]\n", {"steps[0].unless[0]": "unless: [confirmed]"}, True),
    Case("caps upside down", "per_30_days: 8", "per_30_days: 2",
         {"caps.per_30_days": "per_30_days", "steps[2]": "- name: operators"}, True),
    Case("caps in the way", "per_7_days: 3\n  per_30_days: 8", "per_7_days: 1\n  per_30_days: 1",
         {"steps[1]": "- name: call-1", "steps[2]": "- name: operators"}, True),
    Case("caps just wide enough", "per_7_days: 3\n  per_30_days: 8", "per_7_days: 1\n  per_30_days: 3", {}),
    Case("after the trial", "horizon_days: 28", "horizon_days: 14", {"steps[2].start": "after_days: 14"}, True),
    Case("too early", "monday: [{opens: 09:00", "monday: [{opens: 07:59", {"hours.monday[0].opens": "07:59"}),
    Case("too late", "thursday: [{opens: 09:00, closes: 20:00}]", "thursday: [{opens: 09:00, closes: 21:01}]",
         {"hours.thursday[0].closes": "21:01"}),
    Case("empty window", "friday: [{opens: 09:00, closes: 17:00}]", "friday: [{opens: 17:00, closes: 17:00}]",
         {"hours.friday[0]": "opens: 17:00"}),
    Case("overlap", "friday: [", "friday: [{opens: 10:00, closes: 11:00}, ", {"hours.friday[1]": "friday: ["}),
    Case("neighbours", "friday: [", "friday: [{opens: 08:00, closes: 09:00}, ", {}),
    Case("starts when closed", "start: {after_days: 7, at: 10:00}", "start: {after_days: 7, at: 20:00}",
         {"steps[1].start": "at: 20:00"}, True),
    Case("starts in one evening", "start: {after_days: 7, at: 10:00}", "start: {after_days: 7, at: 19:59}", {}),
    Case("expires over the weekend", "expires_after_days: 3", "expires_after_days: 1",
         {"steps[0].expires_after_days": "expires_after_days: 1", "steps[0].retries[0].after": "after: 1 days"}, True),
    Case("unused message", "messages:\n", "messages:\n  spare: '{office}{centre_phone}行き違い送信専用'\n",
         {"messages.spare": "spare:"}, True),
    Case("unused script", "    script: notice\n", "",
         {"steps[1].script": "- name: call-1", "scripts.notice": "notice:"}, True),
]
# fmt: on


@pytest.mark.parametrize("case", CASES, ids=[case.rule for case in CASES])
def test_rule(case: Case) -> None:
    text = mutated(case.old, case.new)
    found = {fault.path: fault for fault in findings(text)}
    assert set(found) == set(case.expected)
    lines = text.splitlines()
    for path, part in case.expected.items():
        assert part in lines[found[path].line - 1]
    assert any(fault.warning for fault in found.values()) == case.warning


def test_a_week_without_windows_reaches_nobody() -> None:
    start, end = TRIAL.index("hours:\n"), TRIAL.index("caps:\n")
    found = findings(
        TRIAL[:start] + "hours: {holidays: [{opens: 09:00, closes: 17:00}]}\n" + TRIAL[end:]
    )
    assert [fault.path for fault in found if not fault.warning] == ["hours"]


def test_nobody_but_holdouts_is_refused() -> None:
    text = TRIAL.replace("title: SMS のみ", "holdout: true").replace(
        "title: SMS とオートコール\n", "holdout: true\n"
    )
    assert "arms" in [fault.path for fault in findings(text)]


@pytest.mark.parametrize(
    ("days", "weekdays"), [(1, "friday, saturday"), (2, "friday"), (3, ""), (4, "")]
)
def test_an_expiry_is_held_against_the_longest_closure(days: int, weekdays: str) -> None:
    # Begun at 19:00: Friday to Monday 09:00 is 62 hours, Saturday to Monday 38.
    text = mutated("after_days: 7, at: 10:00", "after_days: 7, at: 19:00")
    text = mutated("expires_after_days: 5", f"expires_after_days: {days}", text)
    found = [f for f in findings(text) if f.path == "steps[1].expires_after_days"]
    assert [fault.message_en.rpartition("begins on ")[2] for fault in found] == (
        [weekdays] if weekdays else []
    )


def test_what_may_be_tried_again_can_happen_by_that_channel() -> None:
    never = {Outcome.UNKNOWN, Outcome.OPTED_OUT, Outcome.WRONG_PERSON, Outcome.INVALID_NUMBER}
    for channel in Channel:
        assert RETRYABLE[channel] <= POSSIBLE[channel]
        assert not RETRYABLE[channel] & never


def test_what_is_cut_out_of_a_condition_is_not_called_empty() -> None:
    found = findings(mutated("days_since_due:", "any: [{has_mobil: true}]\n  days_since_due:"))
    assert [(fault.path, fault.suggestion) for fault in found] == [
        ("select.any[0].has_mobil", "has_mobile")
    ]
    found = findings(mutated("days_since_due:", "any: [{has_mobile: 1}]\n  days_since_due:"))
    assert [fault.path for fault in found] == ["select.any[0].has_mobile"]
