"""Which of a run's figures must not be told, and what else would give them away.

One pass over the figures before anything is written, so that no format can tell more than
another. Counted are people, households, numbers and attempts; the centre's load counts work,
not people, and stays.
"""

from __future__ import annotations

from typing import Any

from contact_service.evaluation.disclosure import (
    HIDDEN,
    Row,
    hide,
    hide_small,
    is_small,
    is_telling,
)
from contact_service.evaluation.withholding_analysis import withhold_analysis

Figures = dict[str, Any]
_OUTCOMES = ("paid_something", "paid_in_full")
_ESTIMATES = ("risk_difference", "risk_ratio", "number_needed_to_contact", "p_value", "test")


def withhold(figures: Figures, threshold: int) -> Figures:
    """The figures of a run without its small numbers; ``threshold`` 0 or 1 hides nothing."""
    arms = {row["arm"]: row["clusters"] for row in figures["flow"]["arms"]}
    payment = figures["payment"]
    unsized = {
        row["arm"]
        for row in hide_small(figures["flow"]["arms"], "clusters", (), threshold)
        if row["clusters"] == HIDDEN
    }
    telling = {
        (row["arm"], outcome)
        for row in payment["arms"]
        for outcome in _OUTCOMES
        if row["arm"] in unsized or is_telling(row[outcome]["clusters"], row["clusters"], threshold)
    }
    return {
        **figures,
        "flow": _flow(figures["flow"], telling, threshold),
        "contacts": _contacts(figures["contacts"], threshold),
        "payment": {
            **payment,
            "arms": [_unsize(_level(row, telling), unsized) for row in payment["arms"]],
            "curves": _curves(payment["curves"], arms, telling, threshold),
            "comparisons": [
                _unsize(_comparison(c, telling, payment), unsized) for c in payment["comparisons"]
            ],
            "by_period": hide_small(
                payment["by_period"],
                "debtors",
                ("claims", "outstanding_yen", "paid_yen", "rate"),
                threshold,
            ),
            # two tables of the same people by other groups would give each other away
            "by_kind": [] if figures["analysis"] else _by_kind(payment["by_kind"], threshold),
            "balance": []
            if figures["analysis"]
            else _within_arms(payment["balance"], "clusters", (), threshold),
        },
        "cost": {
            **figures["cost"],
            "arms": [
                _unsize(
                    hide(row, ("inbound_calls",))
                    if is_small(row["inbound_calls"], threshold)
                    else row,
                    unsized,
                )
                for row in figures["cost"]["arms"]
            ],
        },
        "analysis": withhold_analysis(figures["analysis"], threshold),
        "disclosure": {"threshold": threshold, "hidden": HIDDEN},
    }


def _unsize(row: Row, unsized: set[str]) -> Row:
    """Without the sizes of arms that are too small, or would tell of one that is."""
    changed = dict(row)
    if row["arm"] in unsized:
        changed["clusters"] = HIDDEN
        if "paid_yen" in row:
            changed |= {"paid_yen": None, "paid_yen_per_cluster": None}
    if row.get("control") in unsized:
        changed["control_clusters"] = HIDDEN
    return changed


def _flow(flow: Figures, telling: set[tuple[str, str]], threshold: int) -> Figures:
    arms = [hide(row, [o for o in _OUTCOMES if (row["arm"], o) in telling]) for row in flow["arms"]]
    sizes = ("debtors", "targets", "claims", "outstanding_yen", "paid_yen", *_OUTCOMES)
    return {
        **flow,
        "excluded": hide_small(flow["excluded"], "debtors", (), threshold),
        "arms": hide_small(arms, "clusters", sizes, threshold),
    }


def _contacts(contacts: Figures, threshold: int) -> Figures:
    return {
        **contacts,
        "outcomes": [
            {
                **step,
                "outcomes": _parts(step["outcomes"], threshold),
                "made": HIDDEN if is_small(step["made"], threshold) else step["made"],
                "unknown": HIDDEN if is_small(step["unknown"], threshold) else step["unknown"],
                "needs_person": (
                    HIDDEN if is_small(step["needs_person"], threshold) else step["needs_person"]
                ),
            }
            for step in contacts["outcomes"]
        ],
        "by_arm_and_step": [
            {
                **row,
                **_chain(row, ("planned", "contacted", "reached", "confirmed"), threshold),
                "attempts": _parts(row["attempts"], threshold),
                "skipped": _parts(row["skipped"], threshold),
            }
            for row in contacts["by_arm_and_step"]
        ],
    }


def _parts(parts: dict[str, int], threshold: int) -> dict[str, Any]:
    """Named counts that add up to a known total."""
    rows: list[Row] = [{"name": name, "n": n} for name, n in parts.items()]
    return {row["name"]: row["n"] for row in hide_small(rows, "n", (), threshold)}


def _chain(row: Row, keys: tuple[str, ...], threshold: int) -> Row:
    """Counts of which each contains the next: one is told only if neither it nor what it lacks
    of the last one told is small."""
    told = None
    shown = {}
    for key in keys:
        count = row[key]
        small = is_small(count, threshold) or (
            told is not None and is_small(told - count, threshold)
        )
        shown[key] = HIDDEN if small else count
        told = told if small else count
    return shown


def _level(row: Row, telling: set[tuple[str, str]]) -> Row:
    hidden = {"clusters": HIDDEN, "estimate": None, "low": None, "high": None}
    return {
        **row,
        **{o: {**row[o], **hidden} for o in _OUTCOMES if (row["arm"], o) in telling},
    }


def _curves(
    curves: list[Row], arms: dict[str, int], telling: set[tuple[str, str]], threshold: int
) -> list[Row]:
    """Days on which too few paid since the last one told repeat that one: ``carried_forward``.
    The last day always stands; days too close before it do not."""
    shown: list[Row] = []
    for arm, n in arms.items():
        own = sorted((row for row in curves if row["arm"] == arm), key=lambda row: int(row["day"]))
        if not own:
            continue
        told = {o: _told([row[o]["clusters"] for row in own], n, threshold) for o in _OUTCOMES}
        for place, row in enumerate(own):
            changed: Row = {"carried_forward": False}
            for outcome in _OUTCOMES:
                source = told[outcome][place]
                if (arm, outcome) in telling:
                    changed[outcome] = {**row[outcome], "clusters": HIDDEN, "estimate": None,
                                        "low": None, "high": None}  # fmt: skip
                    continue
                changed[outcome] = own[source][outcome] if source >= 0 else _nothing(row[outcome])
                changed["carried_forward"] |= source != place
            source = told["paid_something"][place]
            changed["paid_yen"] = own[source]["paid_yen"] if source >= 0 else 0
            if (arm, "paid_something") in telling:
                changed["paid_yen"] = None
            shown.append({**row, **changed})
    return sorted(shown, key=lambda row: (list(arms).index(row["arm"]), row["day"]))


def _told(counts: list[int], total: int, threshold: int) -> list[int]:
    """For each day the day whose count stands for it; −1: nobody yet."""
    last = len(counts) - 1
    standing, places, told = -1, [], 0
    for place, count in enumerate(counts):
        near_end = place < last and is_small(counts[last] - count, threshold)
        if count == told and standing >= 0:
            standing = standing if near_end else place
        elif place == last or not (
            is_small(count - told, threshold) or near_end or is_telling(count, total, threshold)
        ):
            standing, told = place, count
        places.append(standing)
    return places


def _nothing(level: Row) -> Row:
    return {**level, "clusters": 0, "estimate": 0.0, "low": 0.0, "high": level["high"]}


def _comparison(row: Row, telling: set[tuple[str, str]], payment: Figures) -> Row:
    outcomes = {
        outcome: {**found, **dict.fromkeys(_ESTIMATES), "excludes_zero": False, "withheld": True}
        if {(row["arm"], outcome), (row["control"], outcome)} & telling
        else {**found, "withheld": False}
        for outcome, found in row["outcomes"].items()
    }
    first = outcomes[payment["primary_outcome"]]
    hidden = {"p_adjusted": None} if first["withheld"] else {}
    return {**row, "outcomes": outcomes, **first, **hidden}


def _by_kind(rows: list[Row], threshold: int) -> list[Row]:
    shown = _within_arms(rows, "clusters", ("paid_something", "share", "interval"), threshold)
    return [
        hide(row, ("paid_something",), ("share", "interval"))
        if isinstance(row["clusters"], int)
        and is_telling(row["paid_something"], row["clusters"], threshold)
        else row
        for row in _within_arms(shown, "paid_something", ("share", "interval"), threshold)
    ]


def _within_arms(
    rows: list[Row], count: str, dependent: tuple[str, ...], threshold: int
) -> list[Row]:
    """Hide small counts in each arm, whose total is told; the order of rows stays."""
    places: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(row["arm"], []).append(place)
    shown: dict[int, Row] = {}
    for own in places.values():
        counted = [place for place in own if rows[place][count] is not None]
        hidden = hide_small([rows[place] for place in counted], count, dependent, threshold)
        shown |= dict(zip(counted, hidden, strict=True))
    return [shown.get(place, row) for place, row in enumerate(rows)]
