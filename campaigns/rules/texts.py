"""Rules about texts: languages, snippets, and what messages and scripts say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from campaigns.carriers import Carrier
from campaigns.claim_words import CLAIM_WORDS
from campaigns.conditions import FIELDS
from campaigns.definition import Definition
from campaigns.faults import FieldPath, Problem
from campaigns.guidance import GUIDANCE
from campaigns.lint import Place
from campaigns.messages import PLACEHOLDERS, check_length, check_message, check_placeholders
from campaigns.rules.steps import contents
from campaigns.scripts import check_script
from campaigns.texts import PLACEHOLDER, Text, fill, placed
from campaigns.vocabulary import CLAIM_KIND_JA, LANGUAGE_JA, Channel, Language


def all_texts(definition: Definition) -> Iterator[tuple[FieldPath, Text]]:
    """Every text of a definition with its place."""
    for name, text in definition.messages.items():
        yield ("messages", name), text
    for name, text in definition.snippets.items():
        yield ("snippets", name), text
    for name, script in definition.scripts.items():
        for node_name, node in script.nodes.items():
            yield ("scripts", name, "nodes", node_name, "say"), node.say


def in_the_default_language(definition: Definition) -> Iterator[Problem]:
    """Everybody can be written and spoken to: each text is there in the default language."""
    default = definition.default_language
    for path, text in all_texts(definition):
        if default not in text.languages:
            yield Problem(
                path,
                f"既定の言語（`{default}` {LANGUAGE_JA[default]}）の文がありません",
                f"there is no text in the default language, `{default}`",
            )


def scripts_speak_whole_languages(definition: Definition) -> Iterator[Problem]:
    """A call is in one language: each that a script has is there at every node."""
    for name, script in definition.scripts.items():
        spoken = {each for node in script.nodes.values() for each in node.say.languages}
        for node_name, node in script.nodes.items():
            missing = sorted(spoken - set(node.say.languages) - {definition.default_language})
            if missing:
                yield Problem(
                    ("scripts", name, "nodes", node_name, "say"),
                    f"段 `{node_name}` に {', '.join(missing)} の文がありません"
                    "（一つの電話は一つの言語で話します）",
                    f"node `{node_name}` lacks {', '.join(missing)}: a call is in one language",
                )


def snippets_end(definition: Definition) -> Iterator[Problem]:
    """Snippets are used, hold no other snippets, and hide no placeholder of the office's."""
    used = {
        match[1]
        for _, text in all_texts(definition)
        for words in text.languages.values()
        for match in PLACEHOLDER.finditer(words)
    }
    for name, text in definition.snippets.items():
        path = ("snippets", name)
        if name in PLACEHOLDERS or name in FIELDS:
            yield Problem(
                path,
                f"`{name}` は別の差し込みの名前です。ほかの名前にしてください",
                f"`{name}` is another placeholder's name; choose a different one",
                of_key=True,
            )
        elif name not in used:
            yield Problem(
                path,
                f"文の部品 `{name}` は使われていません",
                f"the snippet `{name}` is not used",
                warning=True,
                of_key=True,
            )
        for place, _, words in placed(text, path):
            yield from check_placeholders(words, place)


def guidance_fits_the_claims(definition: Definition) -> Iterator[Problem]:
    """A ready text about a way to pay is used only where every kind selected can be paid so."""
    kinds = definition.whom.kinds
    for path, text in all_texts(definition):
        for place, _, words in placed(text, path):
            for name in dict.fromkeys(match[1] for match in PLACEHOLDER.finditer(words)):
                if name not in GUIDANCE or name in definition.snippets:
                    continue
                ready = GUIDANCE[name]
                unfit = [kind for kind in kinds if kind not in ready.kinds]
                if unfit:
                    shown = "、".join(CLAIM_KIND_JA[kind] for kind in unfit)
                    yield Problem(
                        place,
                        f"`{{{name}}}`: {ready.ja}では納付できない科目があります（{shown}）",
                        f"`{{{name}}}`: not every kind can be paid by {ready.en} "
                        f"({', '.join(unfit)})",
                    )
                elif not kinds:
                    yield Problem(
                        place,
                        f"`{{{name}}}`: 科目を選んでいないので、"
                        f"{ready.ja}で納付できない人も含みます",
                        f"`{{{name}}}`: no kinds are selected, and not all can be paid by "
                        f"{ready.en}",
                        warning=True,
                    )


def messages(definition: Definition) -> Iterator[Problem]:
    """Whatever is wrong with the messages, wherever they are met."""
    places: dict[str, set[Place]] = {name: set() for name in definition.messages}
    for name, channel in contents(definition, "message"):
        places.setdefault(name, set()).add(Place.LETTER if channel is Channel.LETTER else Place.SMS)
    for name, text in definition.messages.items():
        for path, language, words in placed(text, ("messages", name)):
            snippets = definition.snippets_in(language)
            # one that no step uses reaches nobody: only its placeholders are looked at
            for place in sorted(places[name] or {Place.LETTER}, key=lambda each: each.name):
                more = CLAIM_WORDS if place is Place.LETTER else ()
                known = (*PLACEHOLDERS, *more, *snippets)
                yield from check_message(words, path, place, language, known, snippets)


def lengths(definition: Definition, carriers: Sequence[Carrier]) -> Iterator[Problem]:
    """SMS that are too long for a carrier, in any of their languages."""
    sent = {name for name, channel in contents(definition, "message") if channel is Channel.SMS}
    for name, text in definition.messages.items():
        if name in sent:
            for path, language, words in placed(text, ("messages", name)):
                filled = fill(words, definition.snippets_in(language))
                yield from check_length(filled, path, carriers)


def scripts(definition: Definition) -> Iterator[Problem]:
    """Whatever is wrong with the scripts, as graphs and in each of their languages."""
    for name, script in definition.scripts.items():
        spoken: Mapping[Language, Mapping[str, str]] = {
            language: definition.snippets_in(language) for language in Language
        }
        yield from check_script(script, ("scripts", name), spoken, CLAIM_WORDS)
