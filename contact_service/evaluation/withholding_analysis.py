"""Which parts of an analysis must not be told.

A group of people may be looked at in several tables (balance, subgroups): what is hidden is
decided once for an arm and a factor, or one table would give away what another hides.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from contact_service.evaluation.disclosure import HIDDEN, is_small, is_telling

Figures = dict[str, Any]
Place = tuple[str, str]  # an arm and an outcome, or an arm and a factor


def withhold_analysis(found: Figures | None, threshold: int) -> Figures | None:
    """The analysis as :meth:`TrialResult.as_dict` gives it, without its small numbers."""
    if found is None or threshold <= 1:
        return found
    sizes = {arm["arm"]: arm["n"] for arm in found["arms"]}
    unsized = {arm for arm, n in sizes.items() if is_small(n, threshold)}
    telling = {
        (arm["arm"], name)
        for arm in found["arms"]
        for name, share in arm["outcomes"].items()
        if arm["arm"] in unsized
        or is_telling(share["events"], share["n"], threshold)
        or is_small(share["missing"], threshold)
    }
    quiet = {
        (arm["arm"], name)
        for arm in found["arms"]
        for name, value in arm["load_per_1000"].items()
        if name.endswith("calls") and is_small(round(value * arm["n"] / 1000), threshold)
    }
    groups = _hidden_groups(found, threshold)
    primary = {one["primary"] for one in found["comparisons"]}
    return {
        **found,
        "arms": [_arm(arm, telling, quiet, unsized, threshold) for arm in found["arms"]],
        "comparisons": [_comparison(one, telling, quiet) for one in found["comparisons"]],
        "sample_ratio": _ratio(found["sample_ratio"], unsized),
        "balance": [_balance(line, groups) for line in found["balance"]],
        "subgroups": [_subgroup(one, groups) for one in found["subgroups"]],
        "interim": None
        if any((arm, str(name)) in telling for arm in sizes for name in primary)
        else found["interim"],
    }


def _arm(
    arm: Figures, telling: set[Place], quiet: set[Place], unsized: set[str], threshold: int
) -> Figures:
    name = arm["arm"]
    nothing = {"n": None, "events": HIDDEN, "missing": HIDDEN, "share": None}
    delivered = arm["delivered"]
    if delivered and is_telling(delivered["events"], delivered["n"], threshold):
        delivered = nothing
    sizes = {"n": HIDDEN, "clusters": HIDDEN} if name in unsized else {}
    return {
        **arm,
        **sizes,
        "outcomes": {
            key: nothing if (name, key) in telling else share
            for key, share in arm["outcomes"].items()
        },
        "amounts": {} if name in unsized else arm["amounts"],
        "times": {key: _coarse(curve, threshold) for key, curve in arm["times"].items()},
        "load_per_1000": {
            key: None if (name, key) in quiet else value
            for key, value in arm["load_per_1000"].items()
        },
        "delivered": delivered,
    }


def _coarse(curve: Figures, threshold: int) -> Figures:
    """A survival curve at the times by which enough more had the event; without counts."""
    kept, since = [], 0
    rest = sum(curve["events"])
    for place, events in enumerate(curve["events"]):
        since, rest = since + events, rest - events
        if since >= threshold and not is_small(rest, threshold):
            kept.append(place)
            since = 0
    parts = ("times", "survival", "low", "high")
    return {
        **curve,
        **{part: [curve[part][place] for place in kept] for part in parts},
        "at_risk": None,
        "events": None,
    }


def _comparison(one: Figures, telling: set[Place], quiet: set[Place]) -> Figures:
    arms = (one["arm"], one["control"])
    hidden = {name for name in one["outcomes"] if any((arm, name) in telling for arm in arms)}
    silent = {name for name in one["load_per_1000"] if any((arm, name) in quiet for arm in arms)}
    first = {"p_value": None, "p_adjusted": None} if one["primary"] in hidden else {}
    return {
        **one,
        **first,
        "outcomes": {
            name: dict.fromkeys(effect) | {"role": effect["role"]} if name in hidden else effect
            for name, effect in one["outcomes"].items()
        },
        "complier": {k: v for k, v in one["complier"].items() if k not in hidden},
        "load_per_1000": {
            name: None if name in silent else effect
            for name, effect in one["load_per_1000"].items()
        },
        "withheld": sorted(hidden),
    }


def _ratio(ratio: Figures | None, unsized: set[str]) -> Figures | None:
    if ratio is None or not unsized:
        return ratio
    return {**ratio, "found": dict.fromkeys(ratio["found"], HIDDEN)}


def _hidden_groups(found: Figures, threshold: int) -> set[tuple[str, str, str]]:
    """(arm, factor, group): small in itself or in who had the event, and as many others as it
    takes that neither their number nor their events can be worked out."""
    sizes: dict[Place, dict[str, int]] = {}
    events: dict[Place, dict[str, float]] = {}
    for line in found["balance"]:
        if line["group"] is not None:
            for arm, n in line["counts"].items():
                sizes.setdefault((arm, line["name"]), {})[line["group"]] = n
    for one in found["subgroups"]:
        for group in one["groups"]:
            sides = [(one["arm"], "n", "total")]
            if not one["after_allocation"]:
                sides.append((one["control"], "control_n", "control_total"))
            for arm, n, total in sides:
                place = (arm, one["factor"])
                sizes.setdefault(place, {})[group["group"]] = group[n]
                events.setdefault(place, {})[group["group"]] = group[total]
    return {
        (arm, factor, group)
        for (arm, factor), counts in sizes.items()
        for group in _hidden(counts, events.get((arm, factor), {}), threshold)
    }


def _hidden(counts: dict[str, int], events: dict[str, float], threshold: int) -> set[str]:
    def small(group: str) -> bool:
        had = events.get(group)
        return is_small(counts[group], threshold) or (
            had is not None and is_telling(round(had), counts[group], threshold)
        )

    hidden = {group for group in counts if small(group)}
    others = sorted((g for g in counts if g not in hidden and counts[g]), key=lambda g: counts[g])
    while hidden and others and not _enough(hidden, counts, events, threshold):
        hidden.add(others.pop(0))
    return hidden


def _enough(
    hidden: set[str], counts: dict[str, int], events: dict[str, float], threshold: int
) -> bool:
    people = sum(counts[group] for group in hidden)
    had = sum(events.get(group, 0) for group in hidden)
    rest = people - had
    return len(hidden) > 1 and all(
        not is_small(n, 2 * threshold) for n in ((people, had, rest) if events else (people,))
    )


def _balance(line: Figures, groups: set[tuple[str, str, str]]) -> Figures:
    if line["group"] is None:
        return line
    hidden = {arm for arm in line["counts"] if (arm, line["name"], line["group"]) in groups}
    return {
        **line,
        "values": _without(line["values"], hidden, None),
        "counts": _without(line["counts"], hidden, HIDDEN),
        "standardised_differences": (
            dict.fromkeys(line["standardised_differences"])
            if hidden - set(line["standardised_differences"])
            else _without(line["standardised_differences"], hidden, None)
        ),
    }


def _without(values: Figures, hidden: Iterable[str], mark: Any) -> Figures:
    return {key: mark if key in hidden else value for key, value in values.items()}


def _subgroup(one: Figures, groups: set[tuple[str, str, str]]) -> Figures:
    def shown(group: Figures) -> Figures:
        own = (one["arm"], one["factor"], group["group"]) in groups
        other = (one["control"], one["factor"], group["group"]) in groups
        changed = dict(group)
        if own:
            changed |= {"n": HIDDEN, "total": HIDDEN, "effect": None}
        if other and not one["after_allocation"]:
            changed |= {"control_n": HIDDEN, "control_total": HIDDEN, "effect": None}
        return changed

    return {**one, "groups": [shown(group) for group in one["groups"]]}
