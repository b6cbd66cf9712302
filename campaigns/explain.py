"""A definition in plain words, so that an official can read it aloud and sign it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from campaigns import phrases
from campaigns.carriers import USUAL, Carrier
from campaigns.condition_words import condition_lines
from campaigns.definition import Definition
from campaigns.exclusions import EXCLUSIONS
from campaigns.messages import TYPICAL
from campaigns.phrases import Lang
from campaigns.rules.steps import channels_of
from campaigns.step_words import step_lines
from campaigns.told import Section as Section
from campaigns.told import Told


def explain(
    definition: Definition,
    lang: Lang = "ja",
    values: Mapping[str, str] = TYPICAL,
    carriers: Sequence[Carrier] = USUAL,
) -> tuple[Section, ...]:
    """What the campaign will do; texts are shown with ``values`` filled in, and with what they
    cost at ``carriers``."""
    told = Told(definition, lang, values, carriers)
    return tuple(Section(told.say(ja, en), tuple(lines(told))) for ja, en, lines in _SECTIONS)


def as_text(sections: tuple[Section, ...]) -> str:
    """The sections as plain text."""
    return "\n\n".join(
        "\n".join((f"■ {section.heading}", *(f"  {line}" for line in section.lines)))
        for section in sections
    )


def _about(told: Told) -> Iterator[str]:
    yield told.with_name(told.definition.title, told.definition.campaign)
    if told.definition.purpose:
        yield phrases.flowing(told.definition.purpose)


def _whom(told: Told) -> Iterator[str]:
    yield from condition_lines(told.definition.whom, told.lang)
    for name, condition in told.definition.selections.items():
        yield told.say(f"条件「{name}」とは:", f"“{name}” means:")
        yield from (f"  {line}" for line in condition_lines(condition, told.lang))
    yield told.say(
        "同じ電話番号の人は、まとめて一件として連絡します。",
        "People who share a telephone number are contacted once, together.",
    )


def _never(told: Told) -> Iterator[str]:
    lifted = {each.exclusion: each.reason for each in told.definition.lift}
    names = {each: told.say(about.ja, about.en) for each, about in EXCLUSIONS.items()}
    yield phrases.listed((name for each, name in names.items() if each not in lifted), told.lang)
    for each, reason in lifted.items():
        yield told.say(
            f"【この計画で外す除外】{names[each]}の人にも連絡します。理由: {reason}",
            f"[EXCLUSION LIFTED] also contacted here: {names[each]}. Why: {reason}",
        )
    yield told.say(
        "納付済みの人にも連絡しません。どれも、連絡する直前にもう一度確かめます。",
        "Nor anybody who has paid. All of this is checked again just before each contact.",
    )


def _arms(told: Told) -> Iterator[str]:
    arms, allocation = told.definition.arms, told.definition.allocation
    total = sum(arm.weight for arm in arms)
    for arm in arms:
        share = f"{100 * arm.weight / total:.1f} %"
        alone = told.say("。連絡しません", "; left alone") if arm.holdout else ""
        yield f"{told.with_name(arm.title or arm.name, arm.name)}: {share}{alone}"
    strata = phrases.named(allocation.strata, phrases.STRATA, told.lang)
    yield told.say(
        f"同じ世帯か同じ電話番号の人は同じ群になるように、無作為に分けます（種「{allocation.seed}」）。",
        "People of one household or one telephone number come into one group, at random "
        f"(seed “{allocation.seed}”).",
    )
    if strata:
        yield told.say(f"群の間で揃えるもの: {strata}", f"Balanced by: {strata}")


def _when(told: Told) -> Iterator[str]:
    hours, caps = told.definition.hours, told.definition.caps
    yield from phrases.hours_lines(hours, told.lang)
    yield from phrases.session_lines(hours, told.lang)
    yield told.say("12月29日–1月3日: 連絡しません", "29 December – 3 January: no contact")
    if hours.closed_on:
        days = phrases.listed((day.isoformat() for day in sorted(hours.closed_on)), told.lang)
        yield told.say(f"このほか休む日: {days}", f"Also closed on: {days}")
    yield told.say(
        f"一人（一つの番号）への連絡は、ほかの計画と合わせて7日間に{caps.per_7_days}回、"
        f"30日間に{caps.per_30_days}回まで。",
        f"At most {caps.per_7_days} contacts with one person or number in 7 days and "
        f"{caps.per_30_days} in 30 days, other campaigns included.",
    )
    yield from _quiet(told)
    yield from _call_backs(told)


def _quiet(told: Told) -> Iterator[str]:
    quiet = told.definition.quiet
    for days, ja, en in (
        (quiet.after_conversation_days, "電話で話せた人には、その後", "a conversation"),
        (
            quiet.after_promise_days,
            "納付の約束がある人には、約束の日まで、その後",
            "the promised day",
        ),
        (quiet.after_payment_days, "納付のあった人には、その後", "a payment"),
    ):
        if days:
            yield told.say(
                f"{ja}{days}日間は連絡しません。",
                f"No contact until {phrases.counted(days, 'day')} after {en}.",
            )


def _call_backs(told: Told) -> Iterator[str]:
    call_backs = told.definition.call_backs
    used = {each for step in told.definition.steps for each in channels_of(step)}
    rates = phrases.listed(
        (
            f"{phrases.CHANNELS[told.lang][channel]} {100 * rate:g} %"
            for channel, rate in call_backs.expected_rate.items()
            if channel in used
        ),
        told.lang,
    )
    if most := call_backs.per_half_hour:
        yield told.say(
            f"センターへの折り返しの電話が30分に{most}件を超えないと見込める数に抑えます"
            f"（見込み: {rates or 'なし'}）。",
            f"Held back so that no more than {most} people are expected to call the centre back in "
            f"a half-hour (expected: {rates or 'none'}).",
        )


def _steps(told: Told) -> Iterator[str]:
    for number, step in enumerate(told.definition.steps, start=1):
        channel = phrases.CHANNELS[told.lang][step.channel]
        yield f"{number}. {told.with_name(channel, step.name)}"
        yield from (f"   {line}" for line in step_lines(told, step))


def _trial(told: Told) -> Iterator[str]:
    trial = told.definition.trial
    primary = phrases.PRIMARY[told.lang][trial.primary_outcome]
    yield told.say(
        f"開始から{trial.horizon_days}日間の、{primary}を群の間で比べます。",
        f"Compares {primary} between the groups, over {trial.horizon_days} days from the start.",
    )
    if trial.looks:
        days = "、".join(str(day) for day in trial.looks)
        yield told.say(
            f"途中で結果を見るのは{days}日目だけで、O'Brien–Fleming の境界で判断します。",
            f"Looks at results on day {', '.join(map(str, trial.looks))} only (O'Brien-Fleming).",
        )
    if trial.expected_control is not None and trial.expected_effect is not None:
        yield told.say(
            f"何もしなくても{trial.expected_control:.1%}が納付し、連絡で"
            f"{trial.expected_effect * 100:g}ポイント上がると見込みます。",
            f"Expects {trial.expected_control:.1%} to pay unasked, and contact to add "
            f"{trial.expected_effect * 100:g} points.",
        )


def _costs(told: Told) -> Iterator[str]:
    costs = told.definition.costs
    yield told.say(
        f"SMS 一通分{costs.sms_part_yen:,g}円、オートコール一分{costs.call_minute_yen:,g}円、"
        f"オペレーター一時間{costs.operator_hour_yen:,g}円、催告書一通{costs.letter_yen:,g}円"
        "として計算します。",
        f"Reckoned at ¥{costs.sms_part_yen:,g} a part of an SMS, ¥{costs.call_minute_yen:,g} a "
        f"minute of auto-call, ¥{costs.operator_hour_yen:,g} an hour of an operator, "
        f"¥{costs.letter_yen:,g} a letter.",
    )


_SECTIONS: tuple[tuple[str, str, Callable[[Told], Iterator[str]]], ...] = (
    ("計画", "Campaign", _about),
    ("対象", "Whom", _whom),
    ("決して連絡しない人", "Never contacted", _never),
    ("群", "Groups", _arms),
    ("連絡する時間", "When", _when),
    ("段階", "Steps", _steps),
    ("効果の測り方", "How the effect is measured", _trial),
    ("費用", "Costs", _costs),
)
