"""A definition in plain words, so that an official can read it aloud and sign it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from campaigns import phrases
from campaigns.condition_words import condition_lines
from campaigns.definition import Definition, Script, Step
from campaigns.exclusions import ALWAYS_EXCLUDED
from campaigns.messages import TYPICAL, render, split, units
from campaigns.phrases import Lang


@dataclass(frozen=True, slots=True)
class Section:
    """One heading with its lines."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Told:
    """What every section needs to know."""

    definition: Definition
    lang: Lang
    values: Mapping[str, str]

    def say(self, ja: str, en: str) -> str:
        return ja if self.lang == "ja" else en

    def with_name(self, title: str, name: str) -> str:
        return self.say(f"{title}（{name}）", f"{title} ({name})")


def explain(
    definition: Definition, lang: Lang = "ja", values: Mapping[str, str] = TYPICAL
) -> tuple[Section, ...]:
    """What the campaign will do; texts are shown with ``values`` filled in."""
    told = _Told(definition, lang, values)
    return tuple(Section(told.say(ja, en), tuple(lines(told))) for ja, en, lines in _SECTIONS)


def as_text(sections: tuple[Section, ...]) -> str:
    """The sections as plain text."""
    return "\n\n".join(
        "\n".join((f"■ {section.heading}", *(f"  {line}" for line in section.lines)))
        for section in sections
    )


def _about(told: _Told) -> Iterator[str]:
    yield told.with_name(told.definition.title, told.definition.campaign)
    if told.definition.purpose:
        yield phrases.flowing(told.definition.purpose)


def _whom(told: _Told) -> Iterator[str]:
    yield from condition_lines(told.definition.whom, told.lang)
    for name, condition in told.definition.selections.items():
        yield told.say(f"条件「{name}」とは:", f"“{name}” means:")
        yield from (f"  {line}" for line in condition_lines(condition, told.lang))
    yield told.say(
        "同じ電話番号の人は、まとめて一件として連絡します。",
        "People who share a telephone number are contacted once, together.",
    )


def _never(told: _Told) -> Iterator[str]:
    yield phrases.listed((told.say(*names) for names in ALWAYS_EXCLUDED.values()), told.lang)
    yield told.say(
        "納付済みの人にも連絡しません。どれも、連絡する直前にもう一度確かめます。",
        "Nor anybody who has paid. All of this is checked again just before each contact.",
    )


def _arms(told: _Told) -> Iterator[str]:
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


def _when(told: _Told) -> Iterator[str]:
    hours, caps = told.definition.hours, told.definition.caps
    yield from phrases.hours_lines(hours, told.lang)
    yield told.say("12月29日–1月3日: 連絡しません", "29 December – 3 January: no contact")
    if hours.closed_on:
        days = phrases.listed((day.isoformat() for day in sorted(hours.closed_on)), told.lang)
        yield told.say(f"このほか休む日: {days}", f"Also closed on: {days}")
    yield told.say(
        f"一つの番号への連絡は、ほかの計画と合わせて7日間に{caps.per_7_days}回、"
        f"30日間に{caps.per_30_days}回まで。",
        f"At most {caps.per_7_days} contacts with one number in 7 days and {caps.per_30_days} "
        "in 30 days, other campaigns included.",
    )


def _steps(told: _Told) -> Iterator[str]:
    for number, step in enumerate(told.definition.steps, start=1):
        channel = phrases.CHANNELS[told.lang][step.channel]
        yield f"{number}. {told.with_name(channel, step.name)}"
        yield from (f"   {line}" for line in _step(told, step))


def _step(told: _Told, step: Step) -> Iterator[str]:
    definition, lang = told.definition, told.lang
    titles = {arm.name: arm.title or arm.name for arm in definition.arms}
    arms = phrases.listed((titles[name] for name in definition.arms_of(step)), lang)
    days, at, limit = step.start.after_days, step.start.at, step.expires_after_days
    yield told.say(f"対象の群: {arms}", f"Groups: {arms}")
    begins = told.say(
        f"開始日の{days}日後" if days else "開始日の当日",
        f"{phrases.counted(days, 'day')} after the start" if days else "the day of the start",
    )
    yield told.say(
        f"{begins} {at:%H:%M} から。{limit}日以内に連絡できなければ、この段階では連絡しません。",
        f"From {begins}, {at:%H:%M}; given up after {phrases.counted(limit, 'day')}.",
    )
    if step.per_half_hour:
        yield told.say(
            f"30分ごとに{step.per_half_hour:,}件までに分けます。",
            f"Spread out: at most {step.per_half_hour:,} in each half-hour.",
        )
    if step.unless:
        words = phrases.named(step.unless, phrases.OUTCOMES, lang)
        yield told.say(
            f"前の段階でこうなった人には連絡しません: {words}",
            f"Not for those who in an earlier step: {words}",
        )
    for retry in step.retries:
        outcome, after = phrases.OUTCOMES[lang][retry.on], phrases.duration_words(retry.after, lang)
        yield told.say(
            f"「{outcome}」のときは、{after}以上おいて{retry.most}回までやり直します。",
            f"After “{outcome}”: again after at least {after}, at most "
            f"{phrases.counted(retry.most, 'time')}.",
        )
    if not step.retries:
        yield told.say("やり直しません。", "Never tried again.")
    if step.message:
        yield from _message(told, definition.messages[step.message])
    if step.script:
        yield from _script(told, definition.scripts[step.script])


def _message(told: _Told, text: str) -> Iterator[str]:
    shown = render(text, told.values)
    parts = len(split(shown))
    cost = parts * told.definition.costs.sms_part_yen
    yield told.say(
        f"届く文面（{units(shown)}文字、{parts}通分、一人およそ{cost:,.0f}円）:",
        f"The message as it arrives ({units(shown)} characters, {parts} part{'s'[: parts > 1]}, "
        f"about ¥{cost:,.0f} each):",
    )
    yield from (f"  │ {line}" for line in shown.splitlines())


def _script(told: _Told, script: Script) -> Iterator[str]:
    yield told.say("電話で流れる音声（最初の段から）:", "What is heard, from the first node on:")
    others = [name for name in script.nodes if name != script.start]
    for name in (script.start, *others):
        node = script.nodes[name]
        meaning = f" — {phrases.OUTCOMES[told.lang][node.outcome]}" if node.outcome else ""
        yield f"  ［{name}］{meaning}"
        yield f"    │ {phrases.flowing(render(node.say, told.values))}"
        if node.audio:
            yield told.say(f"    録音: {node.audio}", f"    recording: {node.audio}")
        for key, target in node.keys.items():
            yield told.say(f"    {key} を押すと →［{target}］", f"    key {key} → ［{target}］")
        if node.otherwise:
            yield told.say(
                f"    押さないか、ほかのキー →［{node.otherwise}］",
                f"    no key or another one → ［{node.otherwise}］",
            )
        if node.then == "transfer":
            yield told.say(
                "    電話催告センターにつなぎます。", "    Connects to the telephone centre."
            )
        if node.then == "hang_up":
            yield told.say("    電話を切ります。", "    Hangs up.")


def _trial(told: _Told) -> Iterator[str]:
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


def _costs(told: _Told) -> Iterator[str]:
    costs = told.definition.costs
    yield told.say(
        f"SMS 一通分{costs.sms_part_yen:,g}円、オートコール一分{costs.call_minute_yen:,g}円、"
        f"オペレーター一時間{costs.operator_hour_yen:,g}円として計算します。",
        f"Reckoned at ¥{costs.sms_part_yen:,g} a part of an SMS, ¥{costs.call_minute_yen:,g} a "
        f"minute of auto-call, ¥{costs.operator_hour_yen:,g} an hour of an operator.",
    )


_SECTIONS: tuple[tuple[str, str, Callable[[_Told], Iterator[str]]], ...] = (
    ("計画", "Campaign", _about),
    ("対象", "Whom", _whom),
    ("決して連絡しない人", "Never contacted", _never),
    ("群", "Groups", _arms),
    ("連絡する時間", "When", _when),
    ("段階", "Steps", _steps),
    ("効果の測り方", "How the effect is measured", _trial),
    ("費用", "Costs", _costs),
)
