"""How many parts a text takes, and where it is divided: by rule, as handsets and bills count.

A short message holds 140 octets (3GPP TS 23.040): 160 septets of the GSM alphabet or 70 UTF-16
units. A longer text is divided, and each part spends some octets on a header. Domestic Japanese
carriers sell one *long message* of up to 660 or 670 characters and bill it by steps of 66 or 67.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from providers.gsm7 import Language, Table, tables

_OCTETS = 140


@dataclass(frozen=True, slots=True)
class PartRule:
    """How one carrier divides and bills texts."""

    seven_bit: bool = True
    """A text within the GSM alphabet is sent in it: 160 characters in one part."""
    languages: tuple[Language, ...] = ()
    """National tables that the carrier accepts. A header names them in every part."""
    reference_octets: Literal[1, 2] = 1
    """Octets of the number that joins the parts: 1 leaves 153 and 67, 2 leaves 152 and 66."""
    most_parts: int = 10
    longest: int | None = None
    """The most characters (UTF-16 units) in one text, where the carrier names a limit."""


#: What carriers do, by name. Ready-made declarations and deployments refer to these.
RULES: Mapping[str, PartRule] = {
    # the international route
    "gsm": PartRule(longest=1600),
    # 3GPP with the national tables of residents' languages
    "gsm-national": PartRule(languages=tuple(Language), longest=1600),
    # one long message: 70, then 134, 201, … 670 characters, whatever the alphabet
    "domestic": PartRule(seven_bit=False, longest=670),
    # one long message: 70, then 132, 198, … 660 characters, whatever the alphabet
    "domestic-660": PartRule(seven_bit=False, reference_octets=2, longest=660),
    # carriers that take a single part and nothing longer
    "single": PartRule(seven_bit=False, most_parts=1, longest=70),
}
#: Japanese carriers' way, for judging a text before a carrier is known.
TYPICAL = RULES["domestic"]


@dataclass(frozen=True, slots=True)
class Divided:
    """A text as it goes out."""

    texts: tuple[str, ...]
    """One text a part, in order; joined they are the whole text."""
    table: Table | None
    """The GSM tables it is written in; ``None``: UCS-2."""
    units: int
    """Septets or UTF-16 units of the whole text."""


def parts(rule: PartRule | str, text: str) -> int:
    """How many parts ``text`` is billed as, at least one. ``rule``: one of :data:`RULES`, or its
    name. Raises ``KeyError`` for an unknown name."""
    return len(divide(RULES[rule] if isinstance(rule, str) else rule, text).texts)


def divide(rule: PartRule, text: str) -> Divided:
    """``text`` in the parts it is sent in; of several possible alphabets the one that takes the
    fewest. An escape sequence or a surrogate pair is never divided."""
    ways = [
        _filled(rule, text, table)
        for table in (tables(rule.languages) if rule.seven_bit else ())
        if table.takes(text)
    ]
    if ways:
        return min(ways, key=lambda way: (len(way.texts), way.units))
    return _filled(rule, text, None)


def fits(rule: PartRule, text: str) -> bool:
    """Whether the carrier takes ``text`` at all."""
    return parts(rule, text) <= rule.most_parts and (
        rule.longest is None or utf16_units(text) <= rule.longest
    )


def utf16_units(text: str) -> int:
    """Length in UTF-16 units: characters outside the basic plane (𠮷, emoji) count as two."""
    return len(text) + sum(character > "\uffff" for character in text)


def _room(rule: PartRule, table: Table | None, *, joined: bool) -> int:
    """Units that fit into a part beside its header."""
    header = len(table.header) if table else 0
    if joined:
        header += 4 + rule.reference_octets  # element, its length, reference, total, number
    octets = _OCTETS - (header + 1 if header else 0)
    return octets * 8 // 7 if table else octets // 2


def _filled(rule: PartRule, text: str, table: Table | None) -> Divided:
    if table is None:
        widths = [2 if character > "\uffff" else 1 for character in text]
    else:
        widths = [table.width(character) for character in text]
    units = sum(widths)
    if units <= _room(rule, table, joined=False):
        return Divided((text,), table, units)
    room, texts, start, used = _room(rule, table, joined=True), [], 0, 0
    for place, width in enumerate(widths):
        if used + width > room:
            texts.append(text[start:place])
            start, used = place, 0
        used += width
    return Divided((*texts, text[start:]), table, units)
