"""The analysis of a trial: :func:`analyse` holds the data against the design.

A million units with a dozen columns take some seconds; the largest temporary array is one
column of the two arms compared. Nothing is drawn at random but the bootstrap, whose seed is
fixed: the same data give the same figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from contact_service.evaluation import estimates
from contact_service.evaluation.estimates import Estimate
from contact_service.evaluation.trial import (
    balance,
    complier,
    covariates,
    effects,
    looks,
    methods,
    money,
    regression,
    subgroups,
    survival,
)
from contact_service.evaluation.trial.data import Integers, TrialData, codes_of, yes_or_no
from contact_service.evaluation.trial.design import TrialDesign
from contact_service.evaluation.trial.effects import Pair
from contact_service.evaluation.trial.least_squares import Floats, numbered
from contact_service.evaluation.trial.methods import REFERENCES
from contact_service.evaluation.trial.notes import note
from contact_service.evaluation.trial.result import (
    Amount,
    AmountEffect,
    ArmResult,
    Comparison,
    Effect,
    Note,
    OutcomeEffect,
    Share,
    TimeEffect,
    TrialResult,
)

COLLECTED = "paid_yen"
"""The amount that money is reckoned by."""


def analyse(data: TrialData, design: TrialDesign) -> TrialResult:
    """Everything that the data allow; what they do not allow is ``None`` and said in ``notes``.

    Raises ``ValueError`` when the design's control is none of the data's arms.
    """
    control = data.code(design.control)
    notes: list[Note] = []
    table = covariates.table(data, design.adjust_for)
    pairs = []
    if (data.arm == control).any():
        pairs = [effects.pair_of(data, *pair, table) for pair in design.pairs(data.arms)]
    else:
        notes.append(note("no_control", control=design.control))
    comparisons = _holm([_compared(data, design, pair) for pair in pairs], design)
    ratio = balance.sample_ratio(data, design.weights)
    lines = balance.table(data, design.control)
    lacking = tuple(name for name in _asked(design) if name not in _held(data))
    notes += _warnings(ratio, lines, comparisons, lacking)
    clusters, said = _clusters(data, design)
    return TrialResult(
        control=design.control,
        horizon_days=design.horizon_days,
        arms=tuple(_arm(data, code) for code in range(len(data.arms))),
        comparisons=tuple(comparisons),
        sample_ratio=ratio,
        balance=lines,
        subgroups=_subgroups(data, design, pairs),
        interim=_interim(comparisons, design),
        clusters=clusters,
        adjustment={
            "method": methods.HOLM,
            "comparisons": len(_tested(comparisons, design.primary)),
            "reference": REFERENCES[methods.HOLM],
        },
        lacking=lacking,
        notes=(*notes, *said),
    )


def _compared(data: TrialData, design: TrialDesign, pair: Pair) -> Comparison:
    def role(name: str) -> str:
        return "primary" if name in design.primary else "secondary"

    outcomes = {n: effects.outcome(pair, v, role(n)) for n, v in data.outcomes.items()}
    amounts = {n: effects.amount(pair, v, role(n)) for n, v in data.amounts.items()}
    times = {n: effects.time(pair, v, role(n)) for n, v in data.times.items()}
    every: dict[str, Effect] = {**outcomes, **amounts, **times}
    first = next((name for name in design.primary if name in every), None)
    return Comparison(
        arm=pair.arm,
        control=pair.control,
        primary=first,
        p_value=every[first].p_value if first else None,
        p_adjusted=None,
        outcomes=outcomes,
        amounts=amounts,
        times=times,
        complier={
            name: found
            for name in design.primary
            if (values := _values(data, name)) is not None
            and (found := complier.complier(data, pair, values)) is not None
        },
        load_per_1000=money.load(data, pair),
        money=money.money(data, pair, COLLECTED, design.value_per_yen),
    )


def _values(data: TrialData, name: str) -> Floats | None:
    """A yes-or-no outcome or an amount as numbers; ``None`` for anything else."""
    if name in data.outcomes:
        return yes_or_no(data.outcomes[name])
    if name in data.amounts:
        return data.amounts[name].astype(np.float64)
    return None


def _effects(comparison: Comparison) -> dict[str, Effect]:
    return {**comparison.outcomes, **comparison.amounts, **comparison.times}


def _tested(comparisons: Sequence[Comparison], primary: Sequence[str]) -> list[tuple[int, str]]:
    return [
        (place, name)
        for place, comparison in enumerate(comparisons)
        for name, effect in _effects(comparison).items()
        if name in primary and effect.p_value is not None
    ]


def _holm(comparisons: list[Comparison], design: TrialDesign) -> list[Comparison]:
    """All primary measures of all comparisons adjusted together; with several looks, their
    repeated p-values are, for which the looks have been paid."""
    tested = _tested(comparisons, design.primary)
    raw = [_effects(comparisons[place])[name].p_value for place, name in tested]
    paid = [_at_look(p, design) for p in raw if p is not None]
    adjusted = dict(zip(tested, estimates.holm(paid), strict=True))
    return [
        replace(
            comparison,
            p_adjusted=adjusted.get((place, comparison.primary or "")),
            outcomes=_with(comparison.outcomes, place, adjusted),
            amounts=_with(comparison.amounts, place, adjusted),
            times=_with(comparison.times, place, adjusted),
        )
        for place, comparison in enumerate(comparisons)
    ]


def _look(design: TrialDesign) -> int:
    return design.look or len(design.looks)


def _z(p: float) -> float:
    return float(stats.norm.isf(max(p, 1e-300) / 2))


def _at_look(p: float, design: TrialDesign) -> float:
    if len(design.looks) < 2:
        return p
    return looks.repeated_p(_z(p), design.looks, _look(design))


def _interim(comparisons: Sequence[Comparison], design: TrialDesign) -> looks.Interim | None:
    """``None`` for a trial that is looked at once. Each comparison spends an equal part of
    alpha, so that all of them together keep it."""
    tested = _tested(comparisons, design.primary)
    if len(design.looks) < 2 or not tested:
        return None
    each = design.alpha / len(tested)
    bounds = looks.planned(design.looks, each)
    now = _look(design)
    monitored = []
    for place, name in tested:
        p = _effects(comparisons[place])[name].p_value
        if p is not None:
            z, arm = _z(p), comparisons[place].arm
            bound = bounds[now - 1].bound
            effect = _effects(comparisons[place])[name]
            interval = looks.repeated(_first(effect), bound, isinstance(effect, TimeEffect))
            monitored.append(
                looks.Monitored(arm, name, z, z >= bound, _at_look(p, design), interval)
            )
    return looks.Interim(now, each, bounds, tuple(monitored))


def _first(effect: Effect) -> Estimate | None:
    """The estimate that a measure's test belongs to."""
    if isinstance(effect, OutcomeEffect):
        return effect.risk_difference
    return effect.amount_difference if isinstance(effect, AmountEffect) else effect.hazard


def _with(
    found: Mapping[str, Any], place: int, adjusted: Mapping[tuple[int, str], float]
) -> dict[str, Any]:
    return {
        name: replace(effect, p_adjusted=adjusted.get((place, name)))
        for name, effect in found.items()
    }


def _subgroups(
    data: TrialData, design: TrialDesign, pairs: Sequence[Pair]
) -> tuple[subgroups.Interaction, ...]:
    """By the first primary measure that is a number for each unit."""
    names = design.subgroups or tuple(data.factors)
    for measure in design.primary:
        values = _values(data, measure)
        if values is not None:
            return subgroups.interactions(data, pairs, names, measure, values)
    return ()


def _arm(data: TrialData, code: int) -> ArmResult:
    rows = np.flatnonzero(data.arm == code)
    n = clusters = len(rows)
    if data.clusters is not None and n:
        clusters = numbered(codes_of(data.clusters[rows]))[1]
    times = {}
    for name, watched in data.times.items():
        days = watched.days[rows].astype(np.float64)
        event = yes_or_no(watched.event[rows])
        known = ~np.isnan(days + event)
        if known.any():
            times[name] = survival.curve(days[known], event[known])
    return ArmResult(
        arm=data.arms[code],
        n=n,
        clusters=clusters,
        outcomes={name: _share(values[rows]) for name, values in data.outcomes.items()},
        amounts={name: _amount(values[rows]) for name, values in data.amounts.items()},
        times=times,
        load_per_1000={
            name: float(values[rows].mean(dtype=np.float64) * 1000)
            for name, values in data.load.items()
            if n
        },
        delivered=None if data.delivered is None else _share(data.delivered[rows]),
        cost_yen=None if data.cost_yen is None else float(data.cost_yen[rows].sum(dtype=float)),
    )


def _share(values: Integers) -> Share:
    known = values[values >= 0]
    events = int(known.sum(dtype=np.int64))
    share = estimates.share(events, len(known)) if len(known) else None
    return Share(len(known), events, len(values) - len(known), share)


def _amount(values: Any) -> Amount:
    known = values[~np.isnan(values)]
    mean = float(known.mean(dtype=np.float64)) if len(known) else None
    return Amount(len(known), float(known.sum(dtype=np.float64)), mean, len(values) - len(known))


def _clusters(
    data: TrialData, design: TrialDesign
) -> tuple[regression.Clustering | None, list[Note]]:
    """Clustering of the first primary measure that is a number, and what to beware of."""
    if data.clusters is None or not len(data):
        return None, []
    groups = codes_of(data.clusters)
    notes: list[Note] = []
    sizes = {
        arm: numbered(own)[1] if len(own := groups[data.arm == code]) else 0
        for code, arm in enumerate(data.arms)
    }
    if min(sizes[a] + sizes[b] for a, b in design.pairs(data.arms)) < regression.FEW_CLUSTERS:
        notes.append(note("few_clusters", few=regression.FEW_CLUSTERS))
    if sum(sizes.values()) > numbered(groups)[1]:
        notes.append(note("clusters_across"))
    for measure in design.primary:
        values = _values(data, measure)
        if values is not None:
            known = ~np.isnan(values)
            arms = codes_of(data.arm[known])
            return regression.clustering(values[known], arms, groups[known]), notes
    return None, notes


def _asked(design: TrialDesign) -> tuple[str, ...]:
    return (*design.primary, *design.adjust_for, *design.subgroups)


def _held(data: TrialData) -> set[str]:
    return {*data.outcomes, *data.amounts, *data.times, *data.factors, *data.covariates}


def _warnings(
    ratio: balance.SampleRatio | None,
    lines: Sequence[balance.Characteristic],
    comparisons: Sequence[Comparison],
    lacking: Sequence[str],
) -> list[Note]:
    notes: list[Note] = []
    if lacking:
        notes.append(note("lacking", names=", ".join(lacking)))
    if ratio is not None and ratio.broken:
        notes.append(note("sample_ratio", p=ratio.p_value))
    gaps = [
        (abs(d), line.name, line.group or "")
        for line in lines
        for d in line.standardised_differences.values()
        if d is not None
    ]
    if gaps and max(gaps)[0] > balance.LARGE:
        largest, factor, group = max(gaps)
        said = note("imbalance", largest=largest, name=f"{factor} {group}".rstrip())
        notes.append({**said, "factor": factor, "group": group})
    for one in comparisons:
        if any(found.weak for found in one.complier.values()):
            notes.append({**note("weak_instrument", arm=one.arm), "arm": one.arm})
        gained = one.money and one.money.additional_yen
        if gained is not None and gained and gained.low <= 0:
            notes.append({**note("no_additional_yen", arm=one.arm), "arm": one.arm})
    if any(effect.missing_bounds for one in comparisons for effect in one.outcomes.values()):
        notes.append(note("missing"))
    return notes
