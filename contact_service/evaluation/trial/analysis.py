"""From a trial's counts or rows to one document: arms, comparisons, clusters and notes.

Every arm is compared with the control on the two arms' people alone; Holm's method then
adjusts the p-values of the first measure asked for. Nobody is moved between arms.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from contact_service.evaluation import estimates
from contact_service.evaluation.estimates import LEVEL, Estimate
from contact_service.evaluation.trial import (
    amounts,
    effects,
    methods,
    proportions,
    regression,
    survival,
)
from contact_service.evaluation.trial.counts import Counts
from contact_service.evaluation.trial.covariates import estimable
from contact_service.evaluation.trial.methods import REFERENCES, described
from contact_service.evaluation.trial.notes import note
from contact_service.evaluation.trial.proportions import Compared, Count
from contact_service.evaluation.trial.rows import Rows

Document = dict[str, Any]


def of_counts(counts: Counts, control: str, icc: float | None = None) -> Document:
    """Estimates from counts. With clusters and their ``icc`` (0–1, known from elsewhere) every
    arm counts for its effective size; without an ICC people are taken for independent, which a
    note says, beside the interval if everybody in a cluster behaved alike."""
    notes = []
    effects = None
    if counts.clusters is not None:
        sizes = {arm: counts.arms[arm].n / k for arm, k in counts.clusters.items()}
        effects = {a: proportions.design_effect(m, 1 if icc is None else icc)
                   for a, m in sizes.items()}  # fmt: skip
        notes.append(note("icc_unknown") if icc is None else note("icc_stated", icc=icc))
    comparisons = []
    for arm, count in counts.arms.items():
        if arm == control:
            continue
        against = counts.arms[control]
        row = _row(arm, control)
        plain = proportions.plain(count, against)
        if effects is None:
            _add_outcome(row, plain)
        else:
            alike = proportions.effective(count, against, (effects[arm], effects[control]))
            _add_outcome(row, plain if icc is None else alike)
            if icc is None:
                row["if_clusters_alike"] = described(alike.risk_difference)
        comparisons.append(row)
    arms = [_arm_of_counts(arm, count, counts) for arm, count in counts.arms.items()]
    for arm_row in arms:
        if effects is not None and icc is not None:
            arm_row["design_effect"] = effects[arm_row["arm"]]
    return _document(control, arms, comparisons, None, notes)


def of_rows(rows: Rows, control: str) -> Document:
    """Estimates from rows, for each measure the file was read with. People whose value is
    missing are left out of that measure; how many, and how far it could matter, is said."""
    against = rows.arms.index(control)
    comparisons = []
    for code, arm in enumerate(rows.arms):
        if code == against:
            continue
        row = _row(arm, control)
        pair = np.isin(rows.arm, (code, against))
        treated = (rows.arm == code).astype(float)
        if rows.outcome is not None:
            _outcome(row, rows, rows.outcome, pair & ~np.isnan(rows.outcome), treated)
            _bounds(row, rows.outcome[pair], treated[pair])
            _adjusted(row, "risk_difference_adjusted", rows, rows.outcome, treated, pair)
        if rows.amount is not None:
            _amounts(row, rows, rows.amount, pair & ~np.isnan(rows.amount), treated)
            _adjusted(row, "amount_difference_adjusted", rows, rows.amount, treated, pair)
        if rows.time is not None and rows.event is not None:
            used = pair & ~np.isnan(rows.time) & ~np.isnan(rows.event)
            _times(row, rows, (rows.time[used], rows.event[used]), used, treated)
        comparisons.append(row)
    arms = [_arm_of_rows(rows, code, arm) for code, arm in enumerate(rows.arms)]
    clusters, notes = _clusters(rows, against)
    if any(value for arm_row in arms for value in arm_row["missing"].values()):
        notes.append(note("missing"))
    return _document(control, arms, comparisons, clusters, notes)


def _document(
    control: str,
    arms: list[Document],
    comparisons: list[Document],
    clusters: Document | None,
    notes: list[dict[str, str]],
) -> Document:
    tested = [row for row in comparisons if row["p_value"] is not None]
    adjusted = estimates.holm([row["p_value"] for row in tested])
    for row, p in zip(tested, adjusted, strict=True):
        row["p_adjusted"] = p
    measures = ("risk_difference", "risk_ratio", "odds_ratio", "amount_difference", "hazard")
    if any(name in row and row[name] is None for row in comparisons for name in measures):
        notes.append(note("no_interval"))
    return {
        "level": LEVEL,
        "control": control,
        "arms": arms,
        "comparisons": comparisons,
        "clusters": clusters,
        "adjustment": {"method": methods.HOLM, "comparisons": len(tested),
                       "reference": REFERENCES[methods.HOLM]},
        "notes": notes,
    }  # fmt: skip


def _row(arm: str, control: str) -> Document:
    return {"arm": arm, "control": control, "p_value": None, "p_adjusted": None,
            "p_value_method": None, "tests": {}}  # fmt: skip


def _add_test(row: Document, measure: str, p: float | None, method: str) -> None:
    """The first measure's p-value is the comparison's own."""
    if not row["tests"]:
        row["p_value"], row["p_value_method"] = p, method
    row["tests"][measure] = {"p_value": p, "method": method, "reference": REFERENCES[method]}


def _add_outcome(row: Document, found: Compared) -> None:
    _add_test(row, "outcome", found.p_value, found.p_value_method)
    row["risk_difference"] = described(found.risk_difference)
    row["number_needed_to_contact"] = described(effects.number_needed(found.risk_difference))
    row["risk_ratio"] = described(found.risk_ratio)
    row["odds_ratio"] = described(found.odds_ratio)


def _outcome(row: Document, rows: Rows, values: Any, used: Any, treated: Any) -> None:
    outcome, side = values[used], treated[used]
    if _one_sided(side):
        _add_outcome(row, Compared(None, None, None, None, methods.POOLED_Z))
    elif rows.clusters is not None:
        strata = None if rows.strata is None else rows.strata[used]
        _add_outcome(row, regression.clustered(outcome, side, strata, rows.clusters[used]))
    elif rows.strata is not None:
        strata = rows.strata[used]
        pairs = [_pair(outcome[strata == s], side[strata == s]) for s in np.unique(strata)]
        _add_outcome(row, proportions.stratified(pairs))
    else:
        _add_outcome(row, proportions.plain(*_pair(outcome, side)))


def _adjusted(row: Document, name: str, rows: Rows, values: Any, treated: Any, pair: Any) -> None:
    """Lin's estimate beside the plain one, where covariates were named."""
    if rows.covariates is None:
        return
    used = pair & ~np.isnan(values)
    side = treated[used]
    clusters = None if rows.clusters is None else rows.clusters[used]
    row[name] = None
    if not _one_sided(side):
        known = effects.Pair(
            row["arm"],
            row["control"],
            np.flatnonzero(used),
            side,
            clusters,
            estimable(side, rows.covariates[used]),
        )
        row[name] = described(effects.adjusted(known, values[used]))


def _pair(outcome: Any, side: Any) -> tuple[Count, Count]:
    arm, control = outcome[side == 1], outcome[side == 0]
    return Count(len(arm), int(arm.sum())), Count(len(control), int(control.sum()))


def _bounds(row: Document, outcome: Any, side: Any) -> None:
    """How far missing outcomes could carry the difference: all of one arm's missing had the
    event and none of the other's, and the reverse."""
    missing = np.isnan(outcome)
    if not missing.any():
        return
    filled = [np.where(missing, value, outcome) for value in (0.0, 1.0)]
    low = filled[0][side == 1].mean() - filled[1][side == 0].mean()
    high = filled[1][side == 1].mean() - filled[0][side == 0].mean()
    row["missing_bounds"] = {"low": float(low), "high": float(high), "method": methods.BOUNDS,
                             "reference": REFERENCES[methods.BOUNDS]}  # fmt: skip


def _amounts(row: Document, rows: Rows, values: Any, used: Any, treated: Any) -> None:
    names = ("amount_difference", "amount_difference_bootstrap", "amount_difference_winsorised")
    found: tuple[Estimate | None, ...] = (None, None, None)
    p, method = None, methods.WELCH
    if not _one_sided(treated[used]):
        result = amounts.compared(values[used], treated[used], *_groups(rows, used))
        found = (result.difference, result.bootstrap, result.winsorised)
        p, method = result.p_value, result.p_value_method
    _add_test(row, "amount", p, method)
    row.update(zip(names, map(described, found), strict=True))


def _times(row: Document, rows: Rows, watched: tuple[Any, Any], used: Any, treated: Any) -> None:
    if _one_sided(treated[used]):
        _add_test(row, "time", None, methods.LOG_RANK)
        row["hazard"] = row["rmst_difference"] = None
        return
    result = survival.compared(*watched, treated[used], *_groups(rows, used))
    _add_test(row, "time", result.p_value, result.p_value_method)
    row["hazard"] = described(result.hazard)
    row["rmst_difference"] = described(result.rmst_difference)
    row["rmst_horizon"] = result.horizon


def _groups(rows: Rows, used: Any) -> tuple[Any, Any]:
    return (
        None if rows.strata is None else rows.strata[used],
        None if rows.clusters is None else rows.clusters[used],
    )


def _one_sided(side: Any) -> bool:
    return bool(side.all() or not side.any())


def _arm_of_counts(arm: str, count: Count, counts: Counts) -> Document:
    clusters = {} if counts.clusters is None else {"clusters": counts.clusters[arm]}
    risk = described(estimates.share(count.events, count.n))
    return {"arm": arm, "n": count.n, **clusters, "events": count.events, "risk": risk}


def _arm_of_rows(rows: Rows, code: int, arm: str) -> Document:
    mine = rows.arm == code
    result: Document = {"arm": arm, "n": int(mine.sum()), "missing": {}}
    if rows.clusters is not None:
        result["clusters"] = len(np.unique(rows.clusters[mine]))
    if rows.outcome is not None:
        known = _known(result, "outcome", rows.outcome[mine])
        result["events"] = int(known.sum())
        result["risk"] = described(_share(result["events"], len(known)))
    if rows.amount is not None:
        known = _known(result, "amount", rows.amount[mine])
        result["amount_mean"] = float(known.mean()) if len(known) else None
        result["amount_total"] = float(known.sum())
    if rows.time is not None and rows.event is not None:
        both = mine & ~np.isnan(rows.time) & ~np.isnan(rows.event)
        result["missing"]["time"] = int(mine.sum() - both.sum())
        if both.any():
            found = survival.curve(rows.time[both], rows.event[both])
            result["median_time"] = described(found.median)
            result["kaplan_meier"] = {k: v for k, v in asdict(found).items() if k != "median"}
    return result


def _share(events: int, n: int) -> Estimate | None:
    return estimates.share(events, n) if n else None


def _known(result: Document, name: str, values: Any) -> Any:
    result["missing"][name] = int(np.isnan(values).sum())
    return values[~np.isnan(values)]


def _clusters(rows: Rows, against: int) -> tuple[Document | None, list[dict[str, str]]]:
    """Clustering of the first measure that is a number for each person, and what to beware."""
    if rows.clusters is None:
        return None, []
    values = rows.outcome if rows.outcome is not None else rows.amount
    notes = []
    arms = [len(np.unique(rows.clusters[rows.arm == code])) for code in range(len(rows.arms))]
    smallest = min(n for code, n in enumerate(arms) if code != against) + arms[against]
    if smallest < regression.FEW_CLUSTERS:
        notes.append(note("few_clusters", few=regression.FEW_CLUSTERS))
    if sum(arms) > len(np.unique(rows.clusters)):
        notes.append(note("clusters_across"))
    if values is None:
        return {"clusters": len(np.unique(rows.clusters))}, notes
    known = ~np.isnan(values)
    found = regression.clustering(values[known], rows.arm[known], rows.clusters[known])
    if found is None:
        return {"clusters": len(np.unique(rows.clusters)), "icc": None}, notes
    return {**asdict(found), "method": methods.ICC, "reference": REFERENCES[methods.ICC]}, notes
