"""Chance that does not depend on who asks first.

Every draw is a hash of the seed and of what it is about (whose telephone, which purpose, the
how-manieth time), so concurrency and the order of processing change nobody's fate.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import TypeVar

_T = TypeVar("_T")
_NORMAL = NormalDist()


class Draws:
    """Seeded draws by subject."""

    def __init__(self, seed: str) -> None:
        self._key = hashlib.blake2b(seed.encode(), digest_size=32).digest()

    def token(self, *subject: object) -> str:
        """32 hexadecimal digits for a subject."""
        return self._digest(subject, 16).hex()

    def uniform(self, *subject: object) -> float:
        """A number in (0, 1), both ends excluded."""
        return (int.from_bytes(self._digest(subject, 8), "big") + 0.5) / 2**64

    def happens(self, probability: float, *subject: object) -> bool:
        """Whether something of this probability happens."""
        return self.uniform(*subject) < probability

    def between(self, low: float, high: float, *subject: object) -> float:
        """Uniform between two bounds."""
        return low + (high - low) * self.uniform(*subject)

    def exponential(self, mean: float, *subject: object) -> float:
        """Exponential with the given mean."""
        return -mean * math.log(self.uniform(*subject))

    def lognormal(self, mean: float, sigma: float, *subject: object) -> float:
        """Lognormal with the given mean; ``sigma`` is the deviation of the logarithm."""
        z = _NORMAL.inv_cdf(self.uniform(*subject))
        return mean * math.exp(sigma * z - sigma * sigma / 2)

    def poisson(self, mean: float, *subject: object) -> int:
        """Poisson, by inversion; for means below some hundreds."""
        u = self.uniform(*subject)
        count, term = 0, math.exp(-mean)
        total = term
        while u > total and term > 0:
            count += 1
            term *= mean / count
            total += term
        return count

    def choose(self, weights: Mapping[_T, float], *subject: object) -> _T:
        """One key, in proportion to its weight."""
        mark = self.uniform(*subject) * sum(weights.values())
        for key, weight in weights.items():
            mark -= weight
            if mark < 0:
                return key
        return key

    def _digest(self, subject: tuple[object, ...], size: int) -> bytes:
        text = "\x1f".join(map(str, subject)).encode()
        return hashlib.blake2b(text, digest_size=size, key=self._key).digest()
