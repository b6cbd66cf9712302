"""A definition in words: what an official reads aloud."""

from __future__ import annotations

import pytest

from campaigns.definition import Stratum
from campaigns.exclusions import ALWAYS_EXCLUDED
from campaigns.explain import Section, as_text, explain
from campaigns.parse import parse
from campaigns.phrases import CHANNELS, CLASSES, KINDS, OUTCOMES, PERIODS, PROMISES, STRATA, Lang
from campaigns.vocabulary import Channel, ClaimKind, LegalClass, Outcome, Period, PromiseState
from contact_service.domain.restrictions import RULES
from tests.campaigns.mutation import TRIAL, mutated


def section(lang: Lang, heading: str, text: str = TRIAL) -> tuple[str, ...]:
    """The lines under one heading."""
    sections = {each.heading: each.lines for each in explain(parse(text, "trial.yaml"), lang)}
    return sections[heading]


def test_the_sections_answer_who_when_what_and_why_in_order() -> None:
    headings = [each.heading for each in explain(parse(TRIAL, "trial.yaml"), "ja")]
    assert headings == [
        "計画",
        "対象",
        "決して連絡しない人",
        "群",
        "連絡する時間",
        "段階",
        "効果の測り方",
        "費用",
    ]


def test_hours_are_grouped_by_like_days() -> None:
    assert section("ja", "連絡する時間")[:4] == (
        "月曜・水曜・金曜: 09:00–17:00",
        "火曜・木曜: 09:00–20:00",
        "土曜・日曜・祝日: 連絡しません",
        "12月29日–1月3日: 連絡しません",
    )
    assert section("en", "When")[2] == "Saturday, Sunday, public holidays: no contact"


def test_arms_are_told_with_their_shares() -> None:
    text = mutated("- name: sms\n", "- name: sms\n    weight: 2\n")
    assert section("ja", "群", text)[:3] == (
        "連絡しない群（対照群）（holdout）: 25.0 %。連絡しません",
        "SMS のみ（sms）: 50.0 %",
        "SMS とオートコール（sms_call）: 25.0 %",
    )


def test_a_message_is_shown_as_its_receiver_sees_it_with_parts_and_cost() -> None:
    lines = section("ja", "段階")
    shown = next(line for line in lines if "│ 【世田谷区役所】" in line)
    assert "03-5432-1111へお電話ください" in shown
    assert "   届く文面（119文字、2通分、一人およそ24円）:" in lines
    english = section("en", "Steps")
    assert "   The message as it arrives (119 characters, 2 parts, about ¥24 each):" in english


def test_steps_tell_start_expiry_throttle_retries_and_conditions() -> None:
    ja, en = "\n".join(section("ja", "段階")), "\n".join(section("en", "Steps"))
    for words in (
        "開始日の7日後 10:00 から。5日以内に連絡できなければ",
        "30分ごとに60件まで",
        "「話中」のときは、5分以上おいて2回まで",
        "「不在」のときは、2時間以上おいて2回まで",
        "前の段階でこうなった人には連絡しません: 本人確認・案内済、センターへ接続、本人でない、連絡停止の申出",
        "9 を押すと →［stop-calling］",
        "［notice］ — 本人確認・案内済",
    ):
        assert words in ja
    for words in (
        "From 7 days after the start, 10:00; given up after 5 days.",
        "After “busy”: again after at least 5 minutes, at most 2 times.",
        "After “not delivered”: again after at least 1 day, at most 1 time.",
        "Not for those who in an earlier step: person confirmed and informed",
        "key 9 → ［stop-calling］",
        "Connects to the telephone centre.",
    ):
        assert words in en


def test_ranges_and_years_are_told_with_units() -> None:
    text = mutated("{min: 1}          #", "{min: 7, max: 1000}  #")
    text = mutated("  kinds:", "  fiscal_years: {min: 2024}\n  period: current\n  kinds:", text)
    lines = section("ja", "対象", text)
    assert "調定年度: 2024年度–" in lines
    assert "年度の区分: 現年分" in lines
    assert "納期限からの日数: 7日以上1,000日以下" in lines
    assert "Days since the due date: at least 7 days, at most 1,000 days" in section(
        "en", "Whom", text
    )


def test_conditions_are_told_with_what_joins_them_and_what_their_names_mean() -> None:
    text = mutated(
        "days_since_due:",
        "use: [small]\n  any: [{promises: [broken], household_size: {min: 2}}, {not: [{has_mobile: true}]}]"
        "\n  days_since_due:",
    )
    text += (
        "selections: {small: {claim_outstanding_yen: {max: 900}, instalments: {min: 2, max: 3}}}\n"
    )
    assert section("ja", "対象", text)[5:] == (
        "名前付きの条件「small」に当てはまる",
        "次のどれかに当てはまる:",
        "  ・納付約束: 不履行",
        "  　世帯の人数: 2人以上",
        "  ・次のどれにも当てはまらない:",
        "  　  ・携帯電話の番号: あり",
        "条件「small」とは:",
        "  期別: 2期–3期",
        "  一件の未納額: 900円以下",
        "同じ電話番号の人は、まとめて一件として連絡します。",
    )
    english = section("en", "Whom", text)
    assert "“small” holds" in english
    assert "  ・Promise to pay: broken" in english
    assert "  Outstanding per claim: at most 900 yen" in english


def test_everybody_whom_the_ledger_protects_is_named() -> None:
    assert {rule.kind.value: rule.ja for rule in RULES} == {
        kind: ja for kind, (ja, _) in ALWAYS_EXCLUDED.items()
    }
    assert all(ja in section("ja", "決して連絡しない人")[0] for ja, _ in ALWAYS_EXCLUDED.values())
    assert all(en in section("en", "Never contacted")[0] for _, en in ALWAYS_EXCLUDED.values())


def test_every_word_has_a_name_in_both_languages() -> None:
    for names, words in (
        (KINDS, ClaimKind),
        (CLASSES, LegalClass),
        (PERIODS, Period),
        (CHANNELS, Channel),
        (OUTCOMES, Outcome),
        (STRATA, Stratum),
        (PROMISES, PromiseState),
    ):
        for lang in ("ja", "en"):
            assert set(names[lang]) == set(words)


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_the_text_has_every_heading_and_line(lang: Lang) -> None:
    text = as_text((Section("A", ("b", "c")), Section("D", ("e",))))
    assert text == "■ A\n  b\n  c\n\n■ D\n  e"
    assert "{" not in as_text(explain(parse(TRIAL, "trial.yaml"), lang))
