"""How many parts a text takes: GSM 03.38 and UCS-2, as handsets and bills count them."""

from __future__ import annotations

# 3GPP TS 23.038, 6.2.1: the default alphabet, and what takes an escape before it.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")


def parts(body: str) -> int:
    """The parts of ``body``, at least one.

    160 septets, or 153 in each of several; if one character is outside the alphabet, 70
    UTF-16 units, or 67 in each. What takes two units (an escape sequence, a surrogate pair)
    is not divided between two parts.
    """
    if all(character in _BASIC or character in _EXTENDED for character in body):
        return _fill([2 if character in _EXTENDED else 1 for character in body], 160, 153)
    return _fill([2 if ord(character) > 0xFFFF else 1 for character in body], 70, 67)


def _fill(widths: list[int], single: int, each: int) -> int:
    if sum(widths) <= single:
        return 1
    count, used = 1, 0
    for width in widths:
        if used + width > each:
            count, used = count + 1, 0
        used += width
    return count
