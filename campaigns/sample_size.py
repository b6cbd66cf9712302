"""How many clusters a trial needs to find the effect that its definition expects.

Two-sided test of two proportions, normal approximation with the pooled variance under no
difference (Fleiss, Levin, Paik 2003, ch. 4, without continuity correction; R's
``power.prop.test``). With several comparisons each gets alpha ÷ their number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist

from campaigns.definition import Definition
from campaigns.protocol import comparisons
from campaigns.trial import TooSmall

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Size:
    """One comparison: clusters that there are and that are needed, in arm and control, and the
    smallest rise that the clusters there are can find (``None``: none at all)."""

    arm: str
    against: str
    found: int
    found_against: int
    needed: int
    needed_against: int
    detectable: float | None

    @property
    def enough(self) -> bool:
        """Whether both arms have what they need."""
        return self.found >= self.needed and self.found_against >= self.needed_against


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a run is large enough to learn anything, and what to tell staff."""

    sizes: tuple[Size, ...]
    refuse: bool

    @property
    def enough(self) -> bool:
        """Whether every comparison is large enough."""
        return all(size.enough for size in self.sizes)

    def said(self, lang: str) -> Iterator[str]:
        """A sentence for each comparison that is too small."""
        for size in self.sizes:
            if size.enough:
                continue
            smallest = "—" if size.detectable is None else f"{size.detectable * 100:.1f}"
            if lang == "ja":
                yield (
                    f"群 `{size.arm}` と `{size.against}` の比較には {size.needed:,} と "
                    f"{size.needed_against:,} 世帯が必要ですが、{size.found:,} と "
                    f"{size.found_against:,} 世帯しかありません。見つけられるのは "
                    f"{smallest} ポイント以上の差だけです"
                )
            else:
                yield (
                    f"comparing `{size.arm}` with `{size.against}` takes {size.needed:,} and "
                    f"{size.needed_against:,} households, and there are {size.found:,} and "
                    f"{size.found_against:,}: only a rise of {smallest} points or more can be found"
                )


def needed(control: float, effect: float, ratio: float, alpha: float, power: float) -> float:
    """Clusters in the control, not rounded; ``ratio``: arm ÷ control; ``alpha`` two-sided."""
    treated = control + effect
    pooled = (control + ratio * treated) / (1 + ratio)
    none = sqrt((1 + 1 / ratio) * pooled * (1 - pooled))
    some = sqrt(control * (1 - control) + treated * (1 - treated) / ratio)
    z = _NORMAL.inv_cdf(1 - alpha / 2) * none + _NORMAL.inv_cdf(power) * some
    return (z / effect) ** 2


def detectable(control: float, n: int, against: int, alpha: float, power: float) -> float | None:
    """The smallest rise found with that power by ``n`` clusters against so many."""
    if not n or not against:
        return None
    low, high = 0.0, 1 - control - 1e-9

    def enough(effect: float) -> bool:
        return needed(control, effect, n / against, alpha, power) <= against

    if not enough(high):
        return None
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def judge(definition: Definition, clusters: Mapping[str, int]) -> Verdict | None:
    """Of a run with so many clusters by arm; ``None`` when the definition expects nothing."""
    trial = definition.trial
    control, effect = trial.expected_control, trial.expected_effect
    if control is None or effect is None:
        return None
    weights = {arm.name: arm.weight for arm in definition.arms}
    pairs = [pair for pair in comparisons(definition) if set(pair) <= set(weights)]
    sizes = []
    for arm, against in pairs:
        ratio, alpha = weights[arm] / weights[against], trial.alpha / len(pairs)
        least = needed(control, effect, ratio, alpha, trial.power)
        n, other = clusters.get(arm, 0), clusters.get(against, 0)
        sizes.append(
            Size(
                arm,
                against,
                n,
                other,
                ceil(round(least * ratio, 6)),
                ceil(round(least, 6)),
                detectable(control, n, other, alpha, trial.power),
            )
        )
    verdict = Verdict(tuple(sizes), refuse=False)
    return Verdict(verdict.sizes, trial.too_small is TooSmall.REFUSE and not verdict.enough)
