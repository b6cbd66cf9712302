"""Auto-call scripts as graphs: one change to a valid script, exactly the faults expected."""

from __future__ import annotations

import pytest

from campaigns.definition import Script
from campaigns.parse import parse
from campaigns.scripts import unconfirmed
from tests.campaigns.mutation import TRIAL, findings, mutated

NODES = "scripts.notice.nodes"


def test_what_strangers_can_hear_ends_at_the_confirmation() -> None:
    script = parse(TRIAL, "trial.yaml").scripts["notice"]
    assert unconfirmed(script) == {
        "greeting",
        "greeting-again",
        "call-us",
        "wrong-person",
        "stop-calling",
    }


# fmt: off
CASES = [
    ("unknown start", "start: greeting\n", "start: greting\n", {"scripts.notice.start": "`greeting` ですか"}),
    ("unknown target", "2: notice", "2: notise", {f"{NODES}.notice.keys.2": "`notice` ですか"}),
    ("unknown otherwise", "otherwise: call-us", "otherwise: call-as", {f"{NODES}.greeting-again.otherwise": "`call-us`"}),
    ("unreachable", "      goodbye:\n", "      lost: {say: a}\n      goodbye:\n", {f"{NODES}.lost": "どこからも"}),
    ("no keys", "keys: {1: centre, 2: notice, 3: wrong-person, 9: stop-calling}", "keys: {}",
     {f"{NODES}.notice.then": "`keys` がありません", f"{NODES}.centre": "どこからも"}),
    ("keys without waiting", "say: おつなぎします。", "keys: {1: notice}\n        say: おつなぎします。",
     {f"{NODES}.centre.keys": "then: keys"}),
    ("dead end", "        otherwise: goodbye\n", "",
     {f"{NODES}.notice": "行き止まり", f"{NODES}.goodbye": "どこからも"}),
    ("otherwise unused", "say: おつなぎします。", "otherwise: goodbye\n        say: おつなぎします。",
     {f"{NODES}.centre.otherwise": "使われません"}),
    ("silence repeats itself", "otherwise: goodbye", "otherwise: notice",
     {f"{NODES}.notice.otherwise": "終わりません", f"{NODES}.goodbye": "どこからも"}),
    ("silence goes in a circle", "otherwise: call-us", "otherwise: greeting",
     {f"{NODES}.greeting.otherwise": "greeting → greeting-again → greeting", f"{NODES}.call-us": "どこからも"}),
    ("silence confirms", "otherwise: call-us", "otherwise: notice",
     {f"{NODES}.greeting-again.otherwise": "無操作", f"{NODES}.call-us": "どこからも"}),
    ("silence opts out", "otherwise: call-us", "otherwise: stop-calling",
     {f"{NODES}.greeting-again.otherwise": "無操作", f"{NODES}.call-us": "どこからも"}),
    ("no way for others", "keys: {1: notice, 3: wrong-person,", "keys: {1: notice,", {f"{NODES}.greeting": "wrong_person"}),
    ("no way to stop", "3: wrong-person, 9: stop-calling}", "3: wrong-person}", {f"{NODES}.greeting": "opted_out"}),
    ("debt on the machine", "お伝えしたいことがあり、自動音声", "納付のことで、自動音声", {f"{NODES}.greeting.say": "納付"}),
    ("debt after silence", "お手数ですが", "滞納がありますので", {f"{NODES}.call-us.say": "滞納"}),
    ("debt to the wrong person", "失礼いたしました。この", "失礼いたしました。国民健康保険料の件で、この",
     {f"{NODES}.wrong-person.say": "科目"}),
    ("threat after confirmation", "ありがとうございます。納期", "差押えの前です。納期", {f"{NODES}.notice.say": "処分"}),
    ("statutory word", "ありがとうございます。納期", "督促です。納期", {f"{NODES}.notice.say": "督促"}),
    ("nobody named", "こちらは、{office}です。", "こちらは役所です。", {f"{NODES}.greeting.say": "名乗って"}),
    ("unknown placeholder", "お電話は{centre_phone}でも", "お電話は{phone}でも", {f"{NODES}.goodbye.say": "未知の差し込み"}),
    ("carrier's outcome", "outcome: answered", "outcome: busy", {f"{NODES}.call-us.outcome": "結果になりません"}),
    ("claims to the person, recorded", "ありがとうございます。納期", "{kinds}、{debtor_outstanding_yen}です。納期",
     {f"{NODES}.notice.audio": "録音"}),
    ("claims to whoever stays silent", "お手数ですが", "{kinds}ですが", {f"{NODES}.call-us.say": "本人確認後"}),
    ("claims to the wrong person", "失礼いたしました。この", "失礼いたしました。{debtor_outstanding_yen}です。この",
     {f"{NODES}.wrong-person.say": "本人確認後"}),
    ("repeat by key", "2: notice,", "2: notice, 0: notice,", {}),
]
# fmt: on


@pytest.mark.parametrize(
    ("old", "new", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_rule(old: str, new: str, expected: dict[str, str]) -> None:
    found = {fault.path: fault for fault in findings(mutated(old, new)) if not fault.warning}
    assert set(found) == set(expected)
    for path, words in expected.items():
        assert words in found[path].message_ja


def test_claims_are_told_only_behind_a_pressed_key_and_by_no_recording() -> None:
    told = mutated("ありがとうございます。納期", "{kinds}です。納期")
    spoken = mutated("        audio: notice-message.wav\n", "", told)
    assert [fault for fault in findings(spoken) if not fault.warning] == []
    silent = mutated("        outcome: confirmed\n", "", spoken)
    assert f"{NODES}.notice.say" in {fault.path for fault in findings(silent) if not fault.warning}


def test_transfer_and_debt_without_any_confirmation_are_both_found() -> None:
    text = mutated("        outcome: confirmed\n", "")
    found = {fault.path for fault in findings(text) if not fault.warning}
    assert {f"{NODES}.centre", f"{NODES}.notice.say"} <= found


def test_a_start_that_confirms_whoever_picks_up_is_refused() -> None:
    text = mutated(
        "otherwise: greeting-again", "otherwise: greeting-again\n        outcome: confirmed"
    )
    assert f"{NODES}.greeting.outcome" in {fault.path for fault in findings(text)}


def test_a_script_without_a_menu_offers_no_way_out() -> None:
    Script.model_validate({"start": "a", "nodes": {"a": {"say": "{office}"}}})
    start = TRIAL.index("scripts:\n")
    end = TRIAL.index("trial:\n")
    text = (
        TRIAL[:start]
        + "scripts: {notice: {start: a, nodes: {a: {say: '{office}'}}}}\n"
        + TRIAL[end:]
    )
    assert [fault.path for fault in findings(text)] == [f"{NODES}.a", f"{NODES}.a"]


@pytest.mark.parametrize(
    ("node", "name", "expected"),
    [
        ("{say: '{office}です。またお電話します。'}", "left", {}),
        ("{say: '{office}です。'}", "lost", {"scripts.notice.voicemail"}),
        ("{say: '{office}です。滞納の件です。'}", "left", {f"{NODES}.left.say"}),
        ("{say: '{office}です。', then: transfer}", "left", {"scripts.notice.voicemail"}),
        ("{say: '{office}です。', outcome: confirmed}", "left", {"scripts.notice.voicemail"}),
        ("{say: '{office}です。'}", "greeting", {"scripts.notice.voicemail", f"{NODES}.left"}),
    ],
    ids=["fine", "no such node", "debt", "transfers", "confirms", "waits for a key"],
)
def test_what_is_left_on_a_machine(node: str, name: str, expected: set[str]) -> None:
    """It is heard by whoever plays it back: it tells no debt, asks nothing and settles nothing."""
    text = mutated("start: greeting\n", f"start: greeting\n    voicemail: {name}\n")
    text = mutated("    nodes:\n", f"    nodes:\n      left: {node}\n", text)
    found = {fault.path for fault in findings(text) if not fault.warning}
    assert expected <= found if expected else not found
