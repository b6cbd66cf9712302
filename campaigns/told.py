"""What every section of an explanation is made with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from campaigns.carriers import USUAL, Carrier
from campaigns.definition import Definition
from campaigns.phrases import Lang


@dataclass(frozen=True, slots=True)
class Section:
    """One heading with its lines."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What every section needs to know."""

    definition: Definition
    lang: Lang
    values: Mapping[str, str]
    carriers: Sequence[Carrier] = USUAL

    def say(self, ja: str, en: str) -> str:
        return ja if self.lang == "ja" else en

    def with_name(self, title: str, name: str) -> str:
        return title if title == name else self.say(f"{title}（{name}）", f"{title} ({name})")
