"""``contact-service campaign diff``: what a new version does differently."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from campaigns.difference import Difference, compare
from campaigns.parse import parse
from campaigns.phrases import Lang
from campaigns.ready_made import library
from contact_service.cli.campaign import app
from tests.campaigns.mutation import TRIAL, mutated

RUN = CliRunner()


def difference(old: str, new: str, lang: Lang = "ja") -> Difference:
    """What changes in the trial when one text in it is replaced."""
    return compare(parse(TRIAL, "old"), parse(mutated(old, new), "new"), lang)


# fmt: off
CHANGES = [
    ("title: SMS・オート", "title: オート", "title", "計画"),
    ("days_since_due: {min: 1}", "days_since_due: {min: 30}", "select.days_since_due.min", "対象"),
    ("days_since_due: {min: 1}", "any: [{has_mobile: true}]\n  days_since_due: {min: 1}", "select.any", "対象"),
    ("days_since_due: {min: 1}", "period: current\n  days_since_due: {min: 1}", "select.period", "対象"),
    ("    - school_lunch\n", "", "select.kinds", "対象"),
    ("friday: [{opens: 09:00", "friday: [{opens: 10:00", "hours.friday", "連絡する時間"),
    ("per_7_days: 3", "per_7_days: 2", "caps.per_7_days", "連絡する時間"),
    ("- name: sms\n", "- name: sms\n    weight: 2\n", "arms.sms.weight", "群"),
    ("seed: setagaya", "seed: other", "allocation.seed", "群"),
    ("strata: [kind, period,", "strata: [kind,", "allocation.strata", "群"),
    ("per_half_hour: 60", "per_half_hour: 30", "steps.sms-1.per_half_hour", "段階"),
    ("after: 2 h, most: 2", "after: 3 h, most: 2", "steps.call-1.retries", "段階"),
    ("after_days: 14, at: 09:00", "after_days: 14, at: 10:00", "steps.operators.start.at", "段階"),
    ("unless: [confirmed, ", "unless: [", "steps.operators.unless", "段階"),
    ("お伝えしたいことがありますので", "ご確認いただきたいことがありますので", "messages.please-call", "段階"),
    ("audio: notice-message.wav", "audio: other.wav", "scripts.notice.nodes.notice.audio", "段階"),
    ("        outcome: answered\n", "", "scripts.notice.nodes.call-us.outcome", "段階"),
    ("keys: {1: centre, 2: notice,", "keys: {1: centre,", "scripts.notice.nodes.notice.keys.2", "段階"),
    ("horizon_days: 28", "horizon_days: 42", "trial.horizon_days", "効果の測り方"),
    ("call_minute_yen: 18", "call_minute_yen: 20", "costs.call_minute_yen", "費用"),
]
# fmt: on


@pytest.mark.parametrize(("old", "new", "path", "heading"), CHANGES)
def test_each_change_is_named_by_its_field_and_told_in_words(
    old: str, new: str, path: str, heading: str
) -> None:
    for lang in ("ja", "en"):
        found = difference(old, new, lang)  # type: ignore[arg-type]
        assert [change.path for change in found.changes] == [path]
        assert len(found.sections) == 1
        assert any(line[0] in "−+" for line in found.sections[0].lines)
    assert difference(old, new).sections[0].heading == heading


def test_words_show_old_and_new_below_what_they_belong_to() -> None:
    found = difference("audio: notice-message.wav", "audio: other.wav")
    assert found.sections[0].lines == (
        "  2. オートコール（call-1）",
        "     電話で流れる音声（最初の段から）:",
        "       ［notice］ — 本人確認・案内済",
        "−        録音: notice-message.wav",
        "+        録音: other.wav",
    )


def test_a_step_that_moved_up_is_the_same_step() -> None:
    start, end = TRIAL.index("  - name: sms-1"), TRIAL.index("  - name: call-1")
    shorter = TRIAL[:start] + TRIAL[end:]
    start, end = shorter.index("messages:\n"), shorter.index("scripts:\n")
    found = compare(parse(TRIAL, "old"), parse(shorter[:start] + shorter[end:], "new"), "en")
    arms = [change for change in found.changes if change.path == "steps"]
    assert (arms[0].old, arms[0].new) == (["sms-1", "call-1", "operators"], ["call-1", "operators"])
    assert [c.path for c in found.changes] == ["steps.sms-1", "steps", "messages.please-call"]
    heads = [line for line in found.sections[0].lines if line[2].isdigit()]
    assert heads == ["− 1. SMS (sms-1)"]


def test_two_blocks_with_one_heading_are_kept_apart() -> None:
    old = mutated(
        "days_since_due:", "any: [{kinds: [other], use: [a]}, {kinds: [other]}]\n  days_since_due:"
    )
    old += "selections: {a: {has_mobile: true}}\n"
    new = old.replace("use: [a]}", "use: [a], period: current}")
    found = compare(parse(old, "old"), parse(new, "new"))
    (section,) = found.sections
    assert [line for line in section.lines if line[0] in "−+"] == ["+   　年度の区分: 現年分"]


def test_the_command_speaks_two_languages_and_json(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    path.write_text(mutated("per_7_days: 3", "per_7_days: 2"), encoding="utf-8")
    assert (
        "+ 一人（一つの番号）への連絡は"
        in RUN.invoke(app, ["diff", "three-arm-trial", str(path)]).stdout
    )
    english = RUN.invoke(app, ["diff", "three-arm-trial", str(path), "--lang", "en"]).stdout
    assert "− At most 3 contacts" in english
    said = json.loads(RUN.invoke(app, ["diff", "three-arm-trial", str(path), "--json"]).stdout)
    assert said["changes"] == [{"path": "caps.per_7_days", "old": 3, "new": 2}]


def test_no_difference_and_one_that_changes_nothing_are_said(tmp_path: Path) -> None:
    same = RUN.invoke(app, ["diff", "three-arm-trial", "three-arm-trial", "--lang", "en"])
    assert (same.exit_code, same.stdout) == (0, "no difference\n")
    text = mutated("messages:\n", "messages:\n  spare: '{office}{centre_phone}行き違い送信専用'\n")
    path = tmp_path / "new.yaml"
    path.write_text(text, encoding="utf-8")
    assert RUN.invoke(app, ["diff", "three-arm-trial", str(path), "--lang", "en"]).stdout == (
        "They do the same. Written differently:\n  messages.spare\n"
    )


def test_a_faulty_file_is_told_and_nothing_is_compared(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    path.write_text(mutated("per_7_days: 3", "per_7_dys: 3"), encoding="utf-8")
    result = RUN.invoke(app, ["diff", "three-arm-trial", str(path)])
    assert (result.exit_code, "`per_7_days` ですか" in result.stderr) == (1, True)


def test_all_ready_made_definitions_can_be_compared() -> None:
    for name in library():
        result = RUN.invoke(app, ["diff", "three-arm-trial", name])
        assert result.exit_code == 0
