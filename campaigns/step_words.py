"""Steps in words: when, for whom, what is sent and what follows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from campaigns import phrases
from campaigns.carriers import Carrier
from campaigns.definition import Definition, Script
from campaigns.messages import render, units
from campaigns.steps import Fallback, Origin, Retry, Start, Step
from campaigns.texts import Text
from campaigns.told import Told
from campaigns.vocabulary import Channel, Language, Outcome
from providers.parts import parts


def step_lines(told: Told, step: Step) -> Iterator[str]:
    """What a step does."""
    definition, lang = told.definition, told.lang
    titles = {arm.name: arm.title or arm.name for arm in definition.arms}
    arms = phrases.listed((titles[name] for name in definition.arms_of(step)), lang)
    yield told.say(f"対象の群: {arms}", f"Groups: {arms}")
    limit = step.expires_after_days
    ja, en = _begins(step.start)
    yield told.say(
        f"{ja} {step.start.at:%H:%M} から。{limit}日以内に連絡できなければ、"
        "この段階では連絡しません。",
        f"From {en}, {step.start.at:%H:%M}; given up after {phrases.counted(limit, 'day')}.",
    )
    if step.per_half_hour:
        yield told.say(
            f"30分ごとに{step.per_half_hour:,}件までに分けます。",
            f"Spread out: at most {step.per_half_hour:,} in each half-hour.",
        )
    if step.best_hour:
        yield told.say(
            "その番号がこれまでに出た時間帯を選びます。",
            "At the hour at which the number was answered before, if any is known.",
        )
    yield from _conditions(told, step)
    for retry in step.retries:
        yield _retry(told, retry)
    if not step.retries:
        yield told.say("やり直しません。", "Never tried again.")
    if step.most_tries is not None:
        yield told.say(
            f"最初を入れて、合わせて{step.most_tries}回まで。",
            f"At most {phrases.counted(step.most_tries, 'time')} in all, the first included.",
        )
    yield from _content(told, step)
    if step.fallback:
        yield from _fallback(told, step.fallback)


def _begins(start: Start) -> tuple[str, str]:
    """The day on which a step begins, in Japanese and English."""
    ja, en = (phrases.ORIGINS[lang][start.origin] for lang in ("ja", "en"))
    if start.on is not None:
        ja, en = (start.on.isoformat(),) * 2
    waits = [
        (days, f"{days}{unit_ja}", phrases.counted(days, unit_en))
        for days, unit_ja, unit_en in (
            (start.after_days, "日", "day"),
            (start.after_working_days, "開庁日", "working day"),
        )
        if days
    ]
    if not waits:
        if start.origin is Origin.DATE:
            return ja, en
        return f"{ja}の当日", f"the day of {en}"
    return (
        f"{ja}の{'と'.join(each for _, each, _ in waits)}後",
        f"{' and '.join(each for _, _, each in waits)} after {en}",
    )


def _conditions(told: Told, step: Step) -> Iterator[str]:
    lang = told.lang

    def words(outcomes: Sequence[Outcome]) -> str:
        return phrases.named(outcomes, phrases.OUTCOMES, lang)

    if step.only:
        yield told.say(
            f"前の段階でこうなった人だけに連絡します: {words(step.only)}",
            f"Only for those who in an earlier step: {words(step.only)}",
        )
    for name, outcomes in step.only_after.items():
        yield told.say(
            f"段階「{name}」でこうなった人だけに連絡します: {words(outcomes)}",
            f"Only for those who in step {name}: {words(outcomes)}",
        )
    if step.unless:
        yield told.say(
            f"前の段階でこうなった人には連絡しません: {words(step.unless)}",
            f"Not for those who in an earlier step: {words(step.unless)}",
        )
    for name, outcomes in step.unless_after.items():
        yield told.say(
            f"段階「{name}」でこうなった人には連絡しません: {words(outcomes)}",
            f"Not for those who in step {name}: {words(outcomes)}",
        )
    if step.payment:
        since = step.payment.since
        ja = f"段階「{since}」の後" if since else "開始日の後"
        en = f"after step {since}" if since else "since the start"
        if step.payment.paid:
            yield told.say(
                f"{ja}に一部を納付した人だけに連絡します。", f"Only for those who paid a part {en}."
            )
        else:
            yield told.say(
                f"{ja}に少しも納付のない人だけに連絡します。",
                f"Only for those who paid nothing {en}.",
            )


def _retry(told: Told, retry: Retry) -> str:
    outcome = phrases.OUTCOMES[told.lang][retry.on]
    after = phrases.duration_words(retry.after, told.lang)
    part = phrases.DAY_PARTS[told.lang][retry.part_of_day] if retry.part_of_day else ""
    return told.say(
        f"「{outcome}」のときは、{after}以上おいて{f'{part}に' if part else ''}{retry.most}回まで"
        "やり直します。",
        f"After “{outcome}”: again after at least {after}{f' ({part})' if part else ''}, at most "
        f"{phrases.counted(retry.most, 'time')}.",
    )


def _fallback(told: Told, fallback: Fallback) -> Iterator[str]:
    words = phrases.named(fallback.on, phrases.OUTCOMES, told.lang)
    after = phrases.duration_words(fallback.after, told.lang)
    channel = phrases.CHANNELS[told.lang][fallback.channel]
    yield told.say(
        f"それでもこうなった人には、{after}以上おいて{channel}に替えます: {words}",
        f"Then by {channel} instead, after at least {after}, for: {words}",
    )
    yield from (f"  {line}" for line in _content(told, fallback))


def _content(told: Told, part: Step | Fallback) -> Iterator[str]:
    """What is sent or spoken, in each language."""
    definition = told.definition
    if part.channel is Channel.LETTER:
        yield told.say(
            "宛先と債権の一覧を、区の発送のためのファイルに書き出します。",
            "Addressees and claims are written to a file for the office's own mailing.",
        )
    if part.message:
        text = definition.messages[part.message]
        for language in _in_order(definition, text):
            yield from _message(told, text, language, part.channel)
    if part.script:
        script = definition.scripts[part.script]
        start = script.nodes[script.start].say
        for language in _in_order(definition, start):
            yield from _script(told, script, language)


def _in_order(definition: Definition, text: Text) -> list[Language]:
    """A text's languages, the default one first."""
    return sorted(text.languages, key=lambda each: each is not definition.default_language)


def _told_language(told: Told, language: Language) -> str:
    if language is Language.JA and told.definition.default_language is Language.JA:
        return ""
    name = phrases.LANGUAGES[told.lang][language]
    return told.say(f"（{name}）", f" ({name})")


def _filled(told: Told, text: Text, language: Language) -> str:
    """The text with everything known filled in; what differs by person is left in braces."""
    fields = {field: f"［{ja if told.lang == 'ja' else en}］" for field, ja, en in phrases.SPOKEN}
    return render(told.definition.words(text, language), {**fields, **told.values})


def _message(told: Told, text: Text, language: Language, channel: Channel) -> Iterator[str]:
    shown = _filled(told, text, language)
    name = _told_language(told, language)
    if channel is Channel.LETTER:
        yield told.say(f"催告書の文{name}:", f"The letter's text{name}:")
    else:
        usual, *more = told.carriers
        yield from _arrives(told, name, shown, usual)
        yield from (f"  {_billed(told, shown, each)}" for each in more)
    yield from (f"  │ {line}" for line in shown.splitlines())


def _arrives(told: Told, name: str, shown: str, carrier: Carrier) -> Iterator[str]:
    yield told.say(
        f"届く文面{name}（{units(shown)}文字、{_billed(told, shown, carrier)}）:",
        f"The message as it arrives{name} ({units(shown)} characters, "
        f"{_billed(told, shown, carrier)}):",
    )


def _billed(told: Told, shown: str, carrier: Carrier) -> str:
    """The parts and the cost of one message at a carrier."""
    count = parts(carrier.rule, shown)
    cost = f"{carrier.cost(shown, told.definition.costs.sms_part_yen):,.0f}"
    by = f"{carrier.name}: " if carrier.name else ""
    return by + told.say(
        f"{count}通分、一人およそ{cost}円", f"{count} part{'s'[: count > 1]}, about ¥{cost} each"
    )


def _script(told: Told, script: Script, language: Language) -> Iterator[str]:
    name = _told_language(told, language)
    yield told.say(
        f"電話で流れる音声{name}（最初の段から）:", f"What is heard{name}, from the first node on:"
    )
    recorded = language is told.definition.default_language
    others = [each for each in script.nodes if each != script.start]
    for each in (script.start, *others):
        node = script.nodes[each]
        meaning = f" — {phrases.OUTCOMES[told.lang][node.outcome]}" if node.outcome else ""
        yield f"  ［{each}］{meaning}"
        yield f"    │ {phrases.flowing(_filled(told, node.say, language))}"
        if node.audio and recorded:
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
