"""What a report calls things, in its language: arms, steps, strata."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from campaigns.definition import Definition, Stratum
from contact_service.evaluation import wording
from contact_service.evaluation.document.model import GREY, Label
from contact_service.evaluation.wording import Lang

ARM_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's, that colour-blind people can tell apart."""


@dataclass(frozen=True)
class Voice:
    """One language's names for one run's parts."""

    lang: Lang
    arms: dict[str, Label]
    steps: dict[str, str]
    strata: tuple[Stratum, ...]

    def t(self, key: str, **values: Any) -> str:
        """A sentence or label of the table of texts."""
        return wording.text(key, self.lang, **values)

    def name(self, vocabulary: str, value: str) -> str:
        """A word of a closed vocabulary."""
        return wording.name(vocabulary, value, self.lang)

    def arm(self, arm: str) -> Label:
        """What an arm is called, with its colour."""
        return self.arms.get(arm, Label(arm, GREY))

    def step(self, step: str) -> str:
        """What a step is called."""
        return self.steps.get(step, step)

    def day(self, value: Any) -> str:
        """A day in words."""
        return wording.day(value, self.lang)

    def yen(self, value: float | str | None) -> str:
        """Whole yen."""
        return wording.yen(value, self.lang)

    def stratum(self, key: str) -> str:
        """A stratum of the allocation in words; its parts as the definition orders them."""
        parts = key.split("/")
        if len(parts) != len(self.strata):
            return self.t("stratum_all") if key == "all" else key
        return " · ".join(
            self.name(str(stratum.value), part)
            for stratum, part in zip(self.strata, parts, strict=True)
        )

    def group(self, factor: str, group: str) -> str:
        """A group of a factor in words."""
        if group == "unknown":
            return self.t("group_not_known")
        vocabulary = {"amount_band": "amount", "hour": "hour"}.get(factor, factor)
        return self.name(vocabulary, group)

    def join(self, lines: Iterable[str]) -> str:
        """A list within a sentence."""
        return self.t("comma").join(lines)


def voice_of(definition: Definition, lang: Lang) -> Voice:
    """What a report of ``definition`` calls its parts: the holdout is grey, the others take
    colours in the definition's order."""
    titles = arm_titles(definition, lang)
    treated = [arm.name for arm in definition.arms if not arm.holdout]
    colours = {arm: ARM_COLOURS[n % len(ARM_COLOURS)] for n, arm in enumerate(treated)}
    bracket = "（{}）" if lang == "ja" else " ({})"
    return Voice(
        lang=lang,
        arms={name: Label(title, colours.get(name, GREY)) for name, title in titles.items()},
        steps={
            step.name: wording.name("channel", step.channel.value, lang) + bracket.format(step.name)
            for step in definition.steps
        },
        strata=definition.allocation.strata,
    )


def arm_titles(definition: Definition, lang: Lang) -> dict[str, str]:
    """What arms are called. Staff write titles in one language; in another an arm is called by
    what is done to it."""
    if lang == "ja":
        return {arm.name: arm.title or arm.name for arm in definition.arms}
    titles = {}
    for arm in definition.arms:
        channels = [
            wording.name("channel", step.channel.value, lang)
            for step in sorted(definition.steps, key=lambda s: (s.start.after_days, s.start.at))
            if arm.name in definition.arms_of(step)
        ]
        done = " + ".join(dict.fromkeys(channels)) or wording.text("left_alone", lang)
        titles[arm.name] = arm.title if arm.title and arm.title.isascii() else done
    same = Counter(titles.values())
    return {
        name: title if same[title] == 1 else f"{title} ({name})" for name, title in titles.items()
    }


def campaign_title(definition: Definition, lang: Lang) -> tuple[str, str]:
    """What the campaign is called, and its purpose: the short name where staff's words are in
    another language."""
    if lang == "ja" or definition.title.isascii():
        purpose = definition.purpose
        return definition.title, purpose if lang == "ja" or purpose.isascii() else ""
    return wording.text("campaign_called", lang, name=definition.campaign), ""
