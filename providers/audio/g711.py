"""ITU-T G.711: 16-bit samples at 8 kHz to and from µ-law (PCMU) and A-law (PCMA) bytes.

Both directions are one look-up per sample in tables made at import.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

RATE = 8000
"""Samples a second of the telephone network."""


def _mu_law_decoded() -> Samples:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    exponent, mantissa = (code >> 4) & 7, code & 15
    magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _a_law_decoded() -> Samples:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    magnitude = np.where(
        exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0)
    )
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _encoder(decoded: Samples) -> NDArray[np.uint8]:
    """For each 16-bit value, as unsigned, the code that decodes nearest to it."""
    order = np.argsort(decoded, kind="stable")
    levels = decoded[order].astype(np.int32)
    edges = (levels[1:] + levels[:-1]) / 2
    values = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    table: NDArray[np.uint8] = order[np.searchsorted(edges, values)].astype(np.uint8)
    return table


_DECODED = {"PCMU": _mu_law_decoded(), "PCMA": _a_law_decoded()}
_ENCODED = {name: _encoder(table) for name, table in _DECODED.items()}
#: What silence is in each encoding.
SILENCE = {"PCMU": 0xFF, "PCMA": 0xD5}


def encode(samples: Samples, codec: str) -> bytes:
    """The bytes of ``samples`` in ``codec`` (``PCMU`` or ``PCMA``)."""
    return _ENCODED[codec][samples.view(np.uint16)].tobytes()


def decode(payload: bytes, codec: str) -> Samples:
    """The samples of ``payload`` in ``codec`` (``PCMU`` or ``PCMA``)."""
    return _DECODED[codec][np.frombuffer(payload, dtype=np.uint8)]
