"""Definitions are read strictly; every fault has its place, and all come at once."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path

import pytest

from campaigns.definition import Definition
from campaigns.faults import DefinitionErrors
from campaigns.parse import MAX_FAULTS, parse, parse_file
from campaigns.ready_made import library
from campaigns.vocabulary import ClaimKind, Outcome
from tests.campaigns.mutation import TRIAL, findings, line_of, mutated


def test_values_come_through_as_they_stand_in_the_text() -> None:
    trial = parse(TRIAL, "trial.yaml")
    assert trial.select.kinds[0] is ClaimKind.RESIDENT_TAX
    assert trial.hours.tuesday[0].closes == time(20, 0)
    call = trial.step("call-1")
    assert (call.retries[0].on, call.retries[0].after) == (Outcome.BUSY, timedelta(minutes=5))
    assert trial.scripts["notice"].nodes["greeting"].keys["9"] == "stop-calling"
    assert trial.arms_of(trial.step("sms-1")) == ("sms", "sms_call")


def test_a_definition_survives_being_stored_as_json() -> None:
    trial = parse(TRIAL, "trial.yaml")
    stored = trial.model_dump(mode="json")
    assert stored["hours"]["monday"] == [{"opens": "09:00", "closes": "17:00"}]
    assert Definition.model_validate(stored) == trial


# fmt: off
SHAPE = [
    # what is written, what is written instead, path, where, part of the message, suggestion
    ("days_since_due:", "days_since_du:", "select.days_since_du", "days_since_du:", "未知の項目", "days_since_due"),
    ("days_since_due:", "due_dat:", "select.due_dat", "due_dat:", "未知の項目 `due_dat`; `days_since_due` ですか", "days_since_due"),
    ("claim_outstanding_yen:", "zzz:", "select.zzz", "zzz:", "未知の項目", ""),
    ("- resident_tax", "- residnt_tax", "select.kinds[0]", "residnt_tax", "選べません", "resident_tax"),
    ("primary_outcome: paid_something", "primary_outcome: payd", "trial.primary_outcome", "payd", "選べません", ""),
    ("then: keys", "then: key", "scripts.notice.nodes.greeting.then", "then: key", "選べません", "keys"),
    ("per_7_days: 3", "per_7_days: true", "caps.per_7_days", "per_7_days", "整数", ""),
    ("per_7_days: 3", "per_7_days: '3'", "caps.per_7_days", "per_7_days", "整数", ""),
    ("per_7_days: 3", "per_7_days: 3.5", "caps.per_7_days", "per_7_days", "整数", ""),
    ("per_7_days: 3", "per_7_days: 99999999999999999999", "caps.per_7_days", "per_7_days", "整数", ""),
    ("per_7_days: 3", "per_7_days: 8", "caps.per_7_days", "per_7_days", "7 以下", ""),
    ("per_7_days: 3", "per_7_days: 0", "caps.per_7_days", "per_7_days", "1 以上", ""),
    ("per_7_days: 3", "per_7_days:", "caps.per_7_days", "per_7_days", "値がありません", ""),
    ("per_half_hour: 60", "per_half_hour: 1,000", "steps[0].per_half_hour", "per_half_hour", "整数", ""),
    ("opens: 09:00", "opens: 9", "hours.monday[0].opens", "opens: 9", "09:00", ""),
    ("opens: 09:00", "opens: 9:00", "hours.monday[0].opens", "opens: 9", "09:00", ""),
    ("opens: 09:00", "opens: 09:00Z", "hours.monday[0].opens", "opens: 09:00Z", "09:00", ""),
    ("opens: 09:00", "opens: 09:00:30", "hours.monday[0].opens", "opens: 09:00:30", "09:00", ""),
    ("after: 5 min", "after: 5 minuets", "steps[1].retries[0].after", "5 minuets", "5 min", ""),
    ("seed: setagaya-2026-trial-1", "seed: 2026", "allocation.seed", "seed: 2026", "引用符", ""),
    ("name: sms-1", "name: SMS 1", "steps[0].name", "SMS 1", "英小文字", ""),
    ("  please-call: |-", "  Please: |-", "messages.Please", "Please: |-", "英小文字", ""),
    ("keys: {1: notice", "keys: {12: notice", "scripts.notice.nodes.greeting.keys.12", "keys: {12", "押せるのは", ""),
    ("holdout: true ", "holdout: yes ", "arms[0].holdout", "holdout: yes", "true か false", ""),
    ("tuesday: [{", "closed_on: [20261229]\n  tuesday: [{", "hours.closed_on[0]", "closed_on", "2026-12-29", ""),
    ("strata: [kind, period, amount, number]", "strata: kind", "allocation.strata", "strata: kind", "一覧", ""),
    ("caps:", "caps: many\nx-caps:", "caps", "caps: many", "「項目: 値」", ""),
    ("    script: notice\n", "    script:\n", "steps[1].script", "script:", "ありません", ""),
]
# fmt: on


@pytest.mark.parametrize(("old", "new", "path", "where", "words", "suggestion"), SHAPE)
def test_what_does_not_fit_the_schema_is_named_with_its_line(
    old: str, new: str, path: str, where: str, words: str, suggestion: str
) -> None:
    text = mutated(old, new)
    fault = next(fault for fault in findings(text) if fault.path == path)
    assert fault.line == line_of(text, where)
    assert words in fault.message_ja
    assert fault.message_en
    assert fault.suggestion == suggestion
    assert not fault.warning


def test_columns_point_at_the_key_or_at_the_value() -> None:
    text = mutated("days_since_due: {min: 1}", "days_since_due: {mn: many}")
    (fault,) = (f for f in findings(text) if f.path == "select.days_since_due.mn")
    assert text.splitlines()[fault.line - 1][fault.column - 1 :].startswith("mn:")
    text = mutated("days_since_due: {min: 1}", "days_since_due: {min: many}")
    (fault,) = (f for f in findings(text) if f.path == "select.days_since_due.min")
    assert text.splitlines()[fault.line - 1][fault.column - 1 :].startswith("many")


def test_a_missing_field_is_placed_at_what_lacks_it() -> None:
    text = mutated("    channel: sms\n", "")
    (fault,) = (fault for fault in findings(text) if not fault.warning)
    assert fault.path == "steps[0].channel"
    assert fault.line == line_of(text, "- name: sms-1")


# fmt: off
YAML = [
    ("caps:", "caps: &caps", "caps", "caps: &caps", "&"),
    ("per_7_days: 3", "per_7_days: *three", "caps.per_7_days", "*three", "*"),
    ("per_7_days: 3", "per_7_days: !!int 3", "caps.per_7_days", "!!int", "!"),
    ("per_7_days: 3", "per_7_days: 3\n  per_7_days: 2", "caps.per_7_days", "per_7_days: 2", "二度"),
    ("title: SMS のみ", 'title: "SMS\\0のみ"', "arms[1].title", 'title: "SMS\\0', "制御文字"),
    ("title: SMS のみ", 'title: "\\uD800"', "arms[1].title", '"\\uD800"', "制御文字"),
    ("select:", "---\nselect:", "", "---", "一つ"),
    ("campaign: three", "%YAML 1.2\n---\ncampaign: three", "", "%YAML", "一つ"),
    ("caps:", "? [a, b]\n: 1\ncaps:", "", "? [a, b]", "文字"),
    ("caps:", "? *x\n: 1\ncaps:", "", "? *x", "別名"),
    ("caps:", "\tcaps:", "", "\tcaps:", "タブ"),
    ("title: SMS のみ", "title: SMS: のみ", "", "title: SMS: のみ", "引用符"),
    ("title: SMS のみ", "title: 'SMS のみ", "", "", "閉じて"),
    ("title: SMS のみ", "title: [SMS のみ", "", "", ""),
    ("title: SMS のみ", "title: SMS\x07のみ", "", "SMS\x07", "読めない文字"),
]
# fmt: on


@pytest.mark.parametrize(("old", "new", "path", "where", "words"), YAML)
def test_yaml_beyond_plain_yaml_is_refused_with_its_place(
    old: str, new: str, path: str, where: str, words: str
) -> None:
    text = mutated(old, new)
    with pytest.raises(DefinitionErrors) as raised:
        parse(text, "trial.yaml")
    fault = next(f for f in raised.value.faults if f.path == path or not path)
    assert words in fault.message_ja
    if where:
        assert fault.line == line_of(text, where)


@pytest.mark.parametrize("text", ["", "# 何もない\n", "- a\n- b\n", "text", "{}", "null"])
def test_what_is_no_definition_at_all_is_a_fault(text: str) -> None:
    with pytest.raises(DefinitionErrors) as raised:
        parse(text, "empty.yaml")
    assert raised.value.faults[0].line == 1


def test_all_faults_of_shape_and_meaning_come_at_once_in_order_of_place() -> None:
    text = mutated("days_since_due:", "due_dat:")
    text = mutated("opens: 09:00", "opens: 9時", text)
    text = mutated("per_30_days: 8", "per_30_days: 2", text)
    text = mutated("arms: [sms, sms_call]", "arms: [sms, sms_cal]", text)
    text = mutated("行き違いですので", "", text)
    faults = findings(text)
    assert [fault.path for fault in faults] == [
        "select.due_dat",
        "hours.monday[0].opens",
        "caps.per_30_days",
        "steps[0].arms[1]",
        "messages.please-call",
    ]
    assert [fault.line for fault in faults] == sorted(fault.line for fault in faults)


def test_a_list_is_not_called_too_short_for_a_fault_in_its_only_part() -> None:
    text = library()["care-insurance-auto-call"].read_text(encoding="utf-8")
    text = mutated(
        "after: 5 min", "after: 5 minuets", mutated("opens: 10:00", "opens: 07:00", text)
    )
    assert [fault.path for fault in findings(text)] == [
        "hours.monday[0].opens",
        "steps[0].retries[0].after",
    ]
    assert [f.path for f in findings(text[: text.index("steps:")] + "steps: []\n")] == ["steps"]


def test_a_fault_in_a_step_hides_none_in_a_text() -> None:
    text = mutated("after: 1 days", "after: a day", mutated("行き違いですので", ""))
    assert [fault.path for fault in findings(text)] == [
        "steps[0].retries[0].after",
        "messages.please-call",
    ]


def test_rules_do_not_complain_of_what_was_cut_out() -> None:
    faults = findings(mutated("script: notice", "script: 5"))
    assert [fault.path for fault in faults] == ["steps[1].script"]


def test_the_number_of_faults_is_bounded() -> None:
    extra = "".join(f"unknown-{number}: 1\n" for number in range(3 * MAX_FAULTS))
    assert len(findings(TRIAL + extra)) == MAX_FAULTS


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "trial.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + TRIAL.replace("\n", "\r\n").encode())
    assert parse_file(path) == parse(TRIAL, "trial.yaml")


def test_other_encodings_are_named_with_the_first_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "trial.yaml"
    path.write_bytes(b"# ascii\n" + "title: 世田谷".encode("cp932"))
    with pytest.raises(DefinitionErrors) as raised:
        parse_file(path)
    (fault,) = raised.value.faults
    assert (fault.line, "UTF-8" in fault.message_ja) == (2, True)


def test_a_file_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "long.yaml"
    path.write_bytes(b"# " + b"x" * 300_000)
    with pytest.raises(DefinitionErrors, match="長すぎます"):
        parse_file(path)
    with pytest.raises(DefinitionErrors, match="長すぎます"):
        parse("# " + "x" * 300_000, "long.yaml")
