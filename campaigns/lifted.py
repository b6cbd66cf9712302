"""The exclusions that a definition lifts, as whoever approves it must see them."""

from __future__ import annotations

from campaigns.definition import Definition
from campaigns.exclusions import EXCLUSIONS
from campaigns.phrases import Lang
from campaigns.told import Section


def lifted_section(
    definition: Definition, lang: Lang = "ja", before: Definition | None = None
) -> Section | None:
    """Every exclusion that is lifted, with its reason, in a section of its own; ``None`` when
    none is. Against ``before`` what is new is marked ``+`` and what is no longer lifted ``−``."""
    lines = _lines(definition, lang)
    if before is not None:
        earlier = _lines(before, lang)
        gone = [f"− {line}" for line in earlier if line not in lines]
        lines = gone + [f"{'  ' if line in earlier else '+ '}{line}" for line in lines]
    if not lines:
        return None
    heading = (
        "この計画で外す除外（本来は連絡しない人）"
        if lang == "ja"
        else "Exclusions lifted here (people who are otherwise left alone)"
    )
    return Section(heading, tuple(lines))


def _lines(definition: Definition, lang: Lang) -> list[str]:
    if lang == "ja":
        return [
            f"{EXCLUSIONS[each.exclusion].ja}の人にも連絡します。理由: {each.reason}"
            for each in definition.lift
        ]
    return [
        f"also contacted: {EXCLUSIONS[each.exclusion].en}. Why: {each.reason}"
        for each in definition.lift
    ]
