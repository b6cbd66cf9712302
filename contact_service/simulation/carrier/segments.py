"""Into how many parts a text is split (3GPP TS 23.038 and 23.040)."""

from __future__ import annotations

_GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_7_EXTENDED = frozenset("^{}\\[~]|€\f")  # two septets each


def segments(body: str) -> int:
    """Parts billed: 160 or 153 septets each, or 70 or 67 UTF-16 units."""
    if all(c in _GSM_7 or c in _GSM_7_EXTENDED for c in body):
        units, single, several = sum(2 if c in _GSM_7_EXTENDED else 1 for c in body), 160, 153
    else:
        units, single, several = len(body.encode("utf-16-le")) // 2, 70, 67
    return 1 if units <= single else -(-units // several)
