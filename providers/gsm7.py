"""The GSM 7-bit alphabet: default table, extension, and national language tables.

Source: 3GPP TS 23.038, 6.2.1 and annex A. A national table is either a *locking shift* table,
used instead of the default one, or a *single shift* table, used instead of the extension. Of the
languages that have tables those are here whose speakers live in Japan's cities in numbers, and
Turkish, the standard's own example; a text in another script goes out in UCS-2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

ESCAPE = 0x1B
#: The default table in the order of its codes; 0x1B is the escape to the other table.
_DEFAULT = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_PORTUGUESE = (
    "@£$¥êéúíóç\nÔô\rÁáΔ_ªÇÀ∞^\\€Ó|\x1bÂâÊÉ !\"#º%&'()*+,-./0123456789:;<=>?"
    "ÍABCDEFGHIJKLMNOPQRSTUVWXYZÃÕÚÜ§~abcdefghijklmnopqrstuvwxyzãõ`üà"
)
_EXTENSION: Mapping[str, int] = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}


class Language(StrEnum):
    """A national language with tables of its own; ISO 639-1."""

    TURKISH = "tr"
    SPANISH = "es"
    PORTUGUESE = "pt"


#: The number by which a header names the language (3GPP TS 23.038, 6.2.1.2.4).
IDENTIFIER: Mapping[Language, int] = {
    Language.TURKISH: 1,
    Language.SPANISH: 2,
    Language.PORTUGUESE: 3,
}

_LOCKING: Mapping[Language, Mapping[str, int]] = {
    Language.TURKISH: {
        "€": 0x04,
        "ı": 0x07,
        "Ğ": 0x0B,
        "ğ": 0x0C,
        "Ş": 0x1C,
        "ş": 0x1D,
        "İ": 0x40,
        "ç": 0x60,
    },
    Language.PORTUGUESE: {char: code for code, char in enumerate(_PORTUGUESE) if code != ESCAPE},
}
_SINGLE: Mapping[Language, Mapping[str, int]] = {
    Language.TURKISH: {
        "Ğ": 0x47,
        "İ": 0x49,
        "Ş": 0x53,
        "ç": 0x63,
        "ğ": 0x67,
        "ı": 0x69,
        "ş": 0x73,
    },
    Language.SPANISH: {
        "ç": 0x09,
        "Á": 0x41,
        "Í": 0x49,
        "Ó": 0x4F,
        "Ú": 0x55,
        "á": 0x61,
        "í": 0x69,
        "ó": 0x6F,
        "ú": 0x75,
    },
    Language.PORTUGUESE: {
        "ê": 0x05,
        "ç": 0x09,
        "Ô": 0x0B,
        "ô": 0x0C,
        "Á": 0x0E,
        "á": 0x0F,
        "Φ": 0x12,
        "Γ": 0x13,
        "Ω": 0x15,
        "Π": 0x16,
        "Ψ": 0x17,
        "Σ": 0x18,
        "Θ": 0x19,
        "Ê": 0x1F,
        "À": 0x41,
        "Í": 0x49,
        "Ó": 0x4F,
        "Ú": 0x55,
        "Ã": 0x5B,
        "Õ": 0x5C,
        "Â": 0x61,
        "í": 0x69,
        "ó": 0x6F,
        "ú": 0x75,
        "ã": 0x7B,
        "õ": 0x7C,
        "â": 0x7F,
    },
}


@dataclass(frozen=True, slots=True)
class Table:
    """One way of writing texts in septets: a table, its escape table, and its header."""

    codes: Mapping[str, int]
    escaped: Mapping[str, int]
    header: bytes
    """Information elements of the user data header that name national tables."""

    def takes(self, text: str) -> bool:
        """Whether every character of ``text`` is in one of the two tables."""
        return all(character in self.codes or character in self.escaped for character in text)

    def width(self, character: str) -> int:
        """Septets that ``character`` takes: one, or two with an escape before it."""
        return 1 if character in self.codes else 2

    def encode(self, text: str) -> bytes:
        """One septet an octet, as SMPP's default alphabet expects. Raises ``KeyError`` for a
        character that :meth:`takes` would have refused."""
        octets = bytearray()
        for character in text:
            if character in self.codes:
                octets.append(self.codes[character])
            else:
                octets += bytes((ESCAPE, self.escaped[character]))
        return bytes(octets)


@cache
def tables(languages: tuple[Language, ...] = ()) -> tuple[Table, ...]:
    """The tables to try in order: the default one, then, for each language, its single shift
    table alone, its locking shift table alone, and both."""
    default = {char: code for code, char in enumerate(_DEFAULT) if code != ESCAPE}
    found = [Table(default, _EXTENSION, b"")]
    for language in languages:
        single = {**_EXTENSION, **_SINGLE[language]}
        identifier = IDENTIFIER[language]
        by_single, by_locking = bytes((0x24, 1, identifier)), bytes((0x25, 1, identifier))
        found.append(Table(default, single, by_single))
        if language in _LOCKING:
            replaced = set(_LOCKING[language].values())
            locking = {char: code for char, code in default.items() if code not in replaced}
            locking.update(_LOCKING[language])
            found.append(Table(locking, _EXTENSION, by_locking))
            found.append(Table(locking, single, by_single + by_locking))
    return tuple(found)
