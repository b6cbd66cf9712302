"""Everything the language has: read, stored, explained, compared; and each rule about it."""

from __future__ import annotations

import json
from datetime import date
from typing import NamedTuple

import pytest

from campaigns.definition import Definition
from campaigns.difference import compare
from campaigns.explain import as_text, explain
from campaigns.guidance import GUIDANCE, ways_to_pay
from campaigns.parse import parse
from campaigns.steps import Origin
from campaigns.vocabulary import Channel, ClaimKind, Language, Outcome
from tests.campaigns.mutation import TRIAL, findings, mutated
from tests.campaigns.whole import WHOLE


def test_everything_is_read_without_a_fault_and_survives_being_stored() -> None:
    assert findings(WHOLE) == ()
    whole = parse(WHOLE, "whole.yaml")
    assert Definition.model_validate(json.loads(whole.model_dump_json())) == whole
    letter = whole.step("letter")
    assert (letter.channel, letter.start.origin) == (Channel.LETTER, Origin.DEMAND)
    assert whole.step("year-end").start.on == date(2026, 12, 10)
    assert whole.step("call-1").only_after["sms-1"] == (Outcome.DELIVERED, Outcome.UNDELIVERED)
    assert [each.exclusion for each in whole.lift] == ["public_assistance"]


class Case(NamedTuple):
    """One change of the whole definition, and what is then said: path → part of the sentence."""

    rule: str
    old: str
    new: str
    expected: dict[str, str]
    warning: bool = False


# fmt: off
CASES = [
    Case("lift what the law forbids", "exclusion: public_assistance", "exclusion: execution_suspended",
         {"lift[0].exclusion": "外せません"}),
    Case("lift a protection", "exclusion: public_assistance", "exclusion: protection_measure",
         {"lift[0].exclusion": "加害者"}),
    Case("lift and call", "exclusion: public_assistance", "exclusion: no_calls",
         {"lift[0].exclusion": "電話をかける段階"}),
    Case("lift without a reason", "reason: 返還金の相談のため、生活保護の担当課と合わせて連絡する", "reason: 必要",
         {"lift[0].reason": "10"}),
    Case("lift with a blank reason", "reason: 返還金の相談のため、生活保護の担当課と合わせて連絡する", "reason: '            '",
         {"lift[0].reason": "空白"}),
    Case("lift twice", "lift:\n", "lift:\n  - {exclusion: public_assistance, reason: 返還金の相談のための連絡です}\n",
         {"lift[1].exclusion": "二度"}),
    Case("unknown exclusion", "exclusion: public_assistance", "exclusion: public_asistance",
         {"lift[0].exclusion": "`public_assistance` ですか"}),
    Case("session at year-end", "on: 2026-11-29", "on: 2026-12-30", {"hours.sessions[0].on": "休みの日"}),
    Case("session on a black-out date", "on: 2026-11-29", "on: 2026-11-24", {"hours.sessions[0].on": "休みの日"}),
    Case("session too late", "opens: 17:00, closes: 20:00}\n  closed", "opens: 17:00, closes: 21:30}\n  closed",
         {"hours.sessions[1].closes": "21:00"}),
    Case("session twice", "on: 2026-11-27, opens: 17:00", "on: 2026-11-29, opens: 15:00",
         {"hours.sessions[1]": "重なって"}),
    Case("date without its origin", "from: date, on: 2026-12-10", "on: 2026-12-10",
         {"steps[4].start.on": "from: date"}),
    Case("origin without a date", "from: date, on: 2026-12-10", "from: date", {"steps[4].start": "`on`"}),
    Case("date of an era", "on: 2026-12-10", "on: 0008-12-10", {"steps[4].start.on": "西暦"}),
    Case("date that is none", "on: 2026-12-10", "on: 12月10日", {"steps[4].start.on": "2026-12-29"}),
    Case("best hour of an SMS", "    message: many\n", "    message: many\n    best_hour: true\n",
         {"steps[4].best_hour": "電話だけ"}),
    Case("unknown earlier step", "only_after: {sms-1:", "only_after: {sms1:",
         {"steps[1].only_after.sms1": "`sms-1` ですか"}),
    Case("a later step", "unless_after: {call-1:", "unless_after: {year-end:",
         {"steps[3].unless_after.year-end": "これより前に"}),
    Case("a step of other people", "arms: [sms]\n    start: {from: date", "arms: [sms]\n    only_after: {call-1: [busy]}\n    start: {from: date",
         {"steps[4].only_after.call-1": "同じ群"}),
    Case("outcomes of none", "only_after: {sms-1: [delivered, undelivered]}", "only_after: {sms-1: []}",
         {"steps[1].only_after.sms-1": "一つも"}),
    Case("an outcome that cannot be", "only_after: {sms-1: [delivered,", "only_after: {sms-1: [machine,",
         {"steps[1].only_after.sms-1[0]": "起きません"}, True),
    Case("paid since an unknown step", "since: sms-1}", "since: sms-2}", {"steps[1].payment.since": "`sms-1` ですか"}),
    Case("only what never was", "only: [delivered]", "only: [rejected]", {}),
    Case("only by the first step", "    message: please-call\n    # 一時", "    only: [delivered]\n    message: please-call\n    # 一時",
         {"steps[0].only": "いません", "steps[0].only[0]": "起きません"}, True),
    Case("fallback to itself", "channel: sms, message: please-call, after: 1 days", "channel: auto_call, script: notice, after: 1 days",
         {"steps[1].fallback.channel": "同じ手段"}),
    Case("fallback of who answered", "on: [no_answer, unreachable]", "on: [confirmed]",
         {"steps[1].fallback.on[0]": "別の手段には移れません"}),
    Case("fallback of who opted out", "on: [no_answer, unreachable]", "on: [opted_out]",
         {"steps[1].fallback.on[0]": "別の手段には移れません"}),
    Case("fallback without content", "channel: sms, message: please-call, after", "channel: sms, after",
         {"steps[1].fallback.message": "ありません"}),
    Case("fallback too late", "message: please-call, after: 1 days}", "message: please-call, after: 5 days}",
         {"steps[1].fallback.after": "期限"}),
    Case("too few tries", "most_tries: 4", "most_tries: 1", {"steps[1].most_tries": "移れません"}),
    Case("more tries than can be", "most_tries: 4", "most_tries: 9", {"steps[1].most_tries": "効きません"}, True),
    Case("evening without an evening", "part_of_day: another", "part_of_day: evening", {}),
    Case("unknown part of the day", "part_of_day: another", "part_of_day: night", {"steps[1].retries[1].part_of_day": "選べません"}),
    Case("script for a letter", "    message: letter\n", "    script: notice\n",
         {"steps[3].script": "使えません", "messages.letter": "使う段階がありません"}, True),
    Case("letter without a text", "    message: letter\n", "", {"messages.letter": "使う段階がありません",}, True),
    Case("sum in an SMS", "お済みの場合は行き違い", "{debtor_outstanding_yen}お済みの場合は行き違い",
         {"messages.many.ja": "催告書と本人確認後"}),
    Case("limitation in a letter", "{instalments}）", "{limitation_months_left}）", {"messages.letter": "差し込めません"}),
    Case("claims before confirmation", "お手数ですが、{centre_phone}", "{kinds}です。{centre_phone}",
         {"scripts.notice.nodes.call-us.say": "本人確認後"}),
    Case("empty placeholder", "{hours-note}", "{ }", {"messages.many.ja": "名前がありません", "snippets.hours-note": "使われていません"}, True),
    Case("no text in the default language", "campaign: three", "default_language: en\ncampaign: three",
         {"messages.letter": "既定の言語", "messages.please-call": "既定の言語", "snippets.hours-note": "既定の言語",
          "snippets.pay_convenience_store": "既定の言語",
          **{f"scripts.notice.nodes.{node}.say": "既定の言語" for node in (
              "greeting", "greeting-again", "call-us", "notice", "centre", "goodbye", "wrong-person", "stop-calling")}}),
    Case("half a language", 'say: "{kinds}の担当におつなぎします。"', "say: {ja: おつなぎします。, en: One moment please.}",
         {f"scripts.notice.nodes.{node}.say": "en の文がありません" for node in (
             "greeting", "greeting-again", "call-us", "notice", "goodbye", "wrong-person", "stop-calling")}),
    Case("unknown language", "    ko: ", "    kr: ", {"messages.many.kr": "未知の項目"}),
    Case("snippet unused", "  hours-note:", "  spare: 予備です。\n  hours-note:", {"snippets.spare": "使われていません"}, True),
    Case("snippet of a snippet", "hours-note: 受付", "hours-note: '{pay_easy}' #", {"snippets.hours-note": "未知の差し込み"}),
    Case("snippet called as a field", "  hours-note:", "  kinds: 税\n  hours-note:", {"snippets.kinds": "別の差し込み"}),
    Case("words of a snippet are linted", "受付は平日9時から17時です。", "滞納があります。", {"messages.many.ja": "滞納がわかる"}),
    Case("paid in a way that is not open", "{pay_convenience_store}", "{pay_easy}",
         {"messages.letter": "納付できない科目", "snippets.pay_convenience_store": "使われていません"}, True),
    Case("rate above one", "sms: 0.12", "sms: 12", {"call_backs.expected_rate.sms": "以下"}),
    Case("rate of an unknown channel", "sms: 0.12", "fax: 0.12", {"call_backs.expected_rate.fax": "選べません"}),
]
# fmt: on


@pytest.mark.parametrize("case", CASES, ids=[case.rule for case in CASES])
def test_rule(case: Case) -> None:
    text = mutated(case.old, case.new, WHOLE)
    found = findings(text)
    assert {fault.path for fault in found} == set(case.expected)
    for path, words in case.expected.items():
        assert any(words in fault.message_ja for fault in found if fault.path == path)
    assert any(fault.warning for fault in found) == case.warning


def test_a_retry_in_the_evening_needs_an_evening() -> None:
    text = mutated(
        "opens: 17:00, closes: 20:00}\n  closed", "opens: 16:00, closes: 17:00}\n  closed", WHOLE
    )
    text = text.replace("closes: 20:00}]", "closes: 17:00}]")
    text = mutated("part_of_day: another", "part_of_day: evening", text)
    assert [fault.path for fault in findings(text)] == ["steps[1].retries[1].part_of_day"]


def test_only_sessions_are_hours_enough() -> None:
    start, end = TRIAL.index("hours:\n"), TRIAL.index("caps:\n")
    text = (
        TRIAL[:start]
        + "hours: {sessions: [{on: 2026-11-29, opens: 09:00, closes: 17:00}]}\n\n"
        + TRIAL[end:]
    )
    assert findings(text) == ()


def test_people_get_their_language_or_one_that_is_near() -> None:
    whole = parse(WHOLE, "whole.yaml")
    many, letter = whole.messages["many"], whole.messages["letter"]
    assert whole.words(many, Language.VI).startswith("{office}: Chúng")
    assert "受付は平日9時から17時です。" in whole.words(many)
    assert whole.language_of(letter, Language.KO) is Language.JA
    english = whole.model_copy(update={"default_language": Language.EN})
    assert english.language_of(many) is Language.EN
    # who asked for plain Japanese reads Japanese, whatever the default
    assert english.language_of(letter, Language.JA_EASY) is Language.JA


def test_ready_guidance_is_there_in_every_language_and_names_no_address() -> None:
    for guidance in GUIDANCE.values():
        assert set(guidance.text.languages) == set(Language)
        assert all(
            "http" not in words and "{" not in words for words in guidance.text.languages.values()
        )
    assert "pay_easy" in ways_to_pay(ClaimKind.RESIDENT_TAX)
    assert ways_to_pay(ClaimKind.WELFARE_REPAYMENT) == ()


# fmt: off
TOLD = [
    ("per_half_hour: 12, expected", "per_half_hour: 20, expected", "call_backs.per_half_hour", "30分に20件"),
    ("after_payment_days: 14", "after_payment_days: 20", "quiet.after_payment_days", "20日間"),
    ("closes: 16:00, title: 日曜納付相談", "closes: 15:00, title: 日曜納付相談", "hours.sessions", "09:00–15:00（日曜納付相談）"),
    ("reason: 返還金の相談のため、", "reason: 返還金の相談の日程を決めるため、", "lift", "日程を決めるため"),
    ("best_hour: true", "best_hour: false", "steps.call-1.best_hour", "これまでに出た時間帯"),
    ("paid: false", "paid: true", "steps.call-1.payment.paid", "一部を納付した人だけ"),
    ("part_of_day: another", "part_of_day: evening", "steps.call-1.retries", "夕方以降に2回"),
    ("most_tries: 4", "most_tries: 3", "steps.call-1.most_tries", "合わせて3回"),
    ("after_working_days: 5", "after_working_days: 6", "steps.letter.start.after_working_days", "6開庁日"),
    ("from: demand", "from: due", "steps.letter.start.from", "納期限の3日"),
    ("only: [delivered]", "only: [undelivered]", "steps.year-end.only", "だけに連絡します: 不達"),
    ("unless_after: {call-1: [confirmed, transferred]}", "unless_after: {call-1: [confirmed]}",
     "steps.letter.unless_after.call-1", "段階「call-1」でこうなった人には連絡しません: 本人確認・案内済"),
    ("on: [no_answer, unreachable], channel", "on: [no_answer], channel", "steps.call-1.fallback.on", "SMSに替えます: 不在"),
    ("    zh: ", "    zh: '{office}，{centre_phone}。如已办理，请忽略。请勿回复。'\n    # zh: ", "messages.many.zh", "如已办理，请忽略。"),
    ("受付は平日9時から17時です。", "受付は平日8時半からです。", "snippets.hours-note", "8時半"),
    ("letter_contacts: {max: 0}", "letter_contacts: {max: 1}", "select.any", "これまでの催告書: 1回以下"),
]
# fmt: on


@pytest.mark.parametrize(("old", "new", "path", "words"), TOLD)
def test_each_change_is_told_in_words(old: str, new: str, path: str, words: str) -> None:
    before, after = parse(WHOLE, "old"), parse(mutated(old, new, WHOLE), "new")
    found = compare(before, after)
    assert [change.path for change in found.changes] == [path]
    assert any(words in line for section in found.sections for line in section.lines)
    assert compare(before, after, "en").sections


def test_what_is_lifted_is_said_where_it_is_looked_for() -> None:
    ja, en = (as_text(explain(parse(WHOLE, "whole.yaml"), lang)) for lang in ("ja", "en"))
    assert "【この計画で外す除外】生活保護受給の人にも連絡します。理由: 返還金" in ja
    assert "[EXCLUSION LIFTED] also contacted here: on public assistance" in en
    never = next(line for line in ja.splitlines() if "執行停止、" in line)
    assert "生活保護受給" not in never
