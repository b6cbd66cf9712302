"""Conditions in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from campaigns import phrases
from campaigns.conditions import FIELDS, GROUPS, Condition, Selection, SelectionField, asked
from campaigns.parts import Range
from campaigns.phrases import Lang
from campaigns.vocabulary import (
    ClaimKind,
    InstalmentPlan,
    Language,
    LegalClass,
    Outcome,
    Period,
    PromiseState,
)

#: What staff call the words of each vocabulary that conditions use.
NAMES: Mapping[type[StrEnum], Mapping[str, Mapping[Any, str]]] = {
    ClaimKind: phrases.KINDS,
    LegalClass: phrases.CLASSES,
    Period: phrases.PERIODS,
    Outcome: phrases.OUTCOMES,
    PromiseState: phrases.PROMISES,
    InstalmentPlan: phrases.PLANS,
    Language: phrases.LANGUAGES,
}
#: Told of every selection, also when all are selected.
_ALWAYS = ("kinds", "legal_classes", "period")
_GROUPS: Mapping[str, Mapping[Lang, str]] = {
    "all": {"ja": "次のすべてに当てはまる:", "en": "all of these hold:"},
    "any": {"ja": "次のどれかに当てはまる:", "en": "at least one of these holds:"},
    "not": {"ja": "次のどれにも当てはまらない:", "en": "none of these holds:"},
}


def condition_lines(condition: Condition, lang: Lang) -> Iterator[str]:
    """What must be true, a line for each field; what is nested is indented."""
    said = {field.name: field_words(field, wanted, lang) for field, wanted in asked(condition)}
    for field in FIELDS.values():
        words = said.get(field.name, "")
        if not words and isinstance(condition, Selection) and field.name in _ALWAYS:
            words = _every(field, lang)
        if words:
            yield f"{field.ja if lang == 'ja' else field.en}: {words}"
    for name in condition.use:
        yield f"名前付きの条件「{name}」に当てはまる" if lang == "ja" else f"“{name}” holds"
    for group, attribute in GROUPS.items():
        found: tuple[Condition, ...] = getattr(condition, attribute)
        if found:
            yield _GROUPS[group][lang]
        for inner in found:
            for index, line in enumerate(condition_lines(inner, lang)):
                yield f"  {'・' if index == 0 else '　'}{line}"


def field_words(field: SelectionField, wanted: Any, lang: Lang) -> str:
    """What a condition asks of a field; empty for a range that is open at both ends."""
    if isinstance(wanted, Range):
        return _range(field, wanted, lang)
    if isinstance(wanted, bool):
        return (("あり", "なし") if lang == "ja" else ("yes", "no"))[not wanted]
    words = wanted if isinstance(wanted, tuple) else (wanted,)
    return phrases.named(words, NAMES[type(words[0])], lang)


def _range(field: SelectionField, wanted: Range, lang: Lang) -> str:
    unit = field.unit
    if unit is None or unit.ordinal:
        return phrases.span_words(wanted, unit.ja if unit else "", lang)
    return phrases.range_words(wanted, unit.ja, unit.en, lang)


def _every(field: SelectionField, lang: Lang) -> str:
    if field.name == "period":
        return phrases.named(tuple(phrases.PERIODS[lang]), phrases.PERIODS, lang)
    return "すべて" if lang == "ja" else "all"
