"""A trial's data as columns: what :func:`contact_service.evaluation.trial.analyse.analyse` takes.

One row is one unit. Let the row be the unit of randomisation (the cluster: people who share a
home or a number) where the outcome can be said of it; then ``clusters`` stays ``None`` and
everybody is independent. Rows finer than that (targets, people) carry ``clusters``, and every
error then holds for clusters. Everybody who was allocated has a row, whoever was reached.

Arrays are numpy, all of one length, in the same order; use narrow types (``int8``, ``int32``,
``float32``), a million rows then take some tens of megabytes::

    TrialData(
        arms=("holdout", "sms", "sms_call"),      # names; ``arm`` holds their places
        arm=arm,                                  # int8: 0, 1, 2
        outcomes={"paid_something": paid, ...},   # int8: 1 yes, 0 no, -1 not known
        amounts={"paid_yen": yen, ...},           # yen within the horizon; NaN not known
        times={"days_to_payment": Times(days, event)},
        strata=Factor(names, codes),              # the stratum of the allocation
        factors={"kind": Factor(...), ...},       # known before allocation: balance, subgroups
        covariates={"outstanding_yen": ...},      # known before allocation, numbers
        delivered=delivered,                      # int8: 1 reached, 0 not; None: not recorded
        load={"inbound_calls": ..., "agent_seconds": ...},   # of the unit, within the horizon
        cost_yen=cost,                            # what contacting the unit cost
    )

Names that the analysis knows by heart (others work as well): outcomes ``paid_in_full``,
``paid_something``, ``promise_kept``, ``inbound_call``, ``complaint``, ``opt_out``; amount
``paid_yen``; time ``days_to_payment``; load ``inbound_calls``, ``outbound_calls``,
``inbound_seconds``, ``operator_seconds``, ``agent_seconds``; factors ``kind``,
``legal_class``, ``period``, ``amount_band``, ``age_band``, ``hour``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from contact_service.evaluation.trial.least_squares import Codes, Floats

Integers = np.ndarray[tuple[int, ...], np.dtype[Any]]
"""Any integer type."""
Numbers = np.ndarray[tuple[int, ...], np.dtype[Any]]
"""Any floating type."""

UNKNOWN = -1
"""The code of a yes-or-no or a group that is not known."""


@dataclass(frozen=True, slots=True)
class Factor:
    """Named groups: ``codes`` holds places in ``labels``, −1 where the group is not known."""

    labels: tuple[str, ...]
    codes: Integers


@dataclass(frozen=True, slots=True)
class Times:
    """Days from the start until the event (``event`` = 1) or until nobody could see any more
    (``event`` = 0): the horizon's end, a write-off, a suspension of collection."""

    days: Numbers
    event: Integers


@dataclass(frozen=True, slots=True)
class TrialData:
    """See the module. Raises ``ValueError`` for columns that do not fit together."""

    arms: tuple[str, ...]
    arm: Integers
    outcomes: Mapping[str, Integers] = field(default_factory=dict)
    amounts: Mapping[str, Numbers] = field(default_factory=dict)
    times: Mapping[str, Times] = field(default_factory=dict)
    clusters: Integers | None = None
    strata: Factor | None = None
    factors: Mapping[str, Factor] = field(default_factory=dict)
    covariates: Mapping[str, Numbers] = field(default_factory=dict)
    delivered: Integers | None = None
    load: Mapping[str, Numbers] = field(default_factory=dict)
    cost_yen: Numbers | None = None

    def __post_init__(self) -> None:
        n = len(self.arm)
        for name, column in self._columns():
            if len(column) != n:
                raise ValueError(f"{name}: {len(column)} rows beside {n} of arm")
        groups = {"arm": Factor(self.arms, self.arm), **self.factors}
        if self.strata is not None:
            groups["strata"] = self.strata
        for name, factor in groups.items():
            if n and not UNKNOWN <= factor.codes.min() <= factor.codes.max() < len(factor.labels):
                raise ValueError(f"{name}: a code without a label")
        if n and self.arm.min() < 0:
            raise ValueError("arm: everybody has one")
        for name, values in {**self.outcomes, "delivered": self.delivered}.items():
            if values is not None and n and not UNKNOWN <= values.min() <= values.max() <= 1:
                raise ValueError(f"{name}: 1, 0 or -1")

    def _columns(self) -> Iterator[tuple[str, Numbers]]:
        for group in (self.outcomes, self.amounts, self.covariates, self.load):
            yield from group.items()
        for name, times in self.times.items():
            yield name, times.days
            yield name, times.event
        for name, factor in self.factors.items():
            yield name, factor.codes
        alone = {"clusters": self.clusters, "delivered": self.delivered, "cost_yen": self.cost_yen}
        yield from ((name, column) for name, column in alone.items() if column is not None)
        if self.strata is not None:
            yield "strata", self.strata.codes

    def __len__(self) -> int:
        return len(self.arm)

    def after_allocation(self, name: str) -> bool:
        """Whether a factor is known of nobody in some arm, though of others: then it came with
        the arm (the hour of contact), and says nothing of how the arms began."""
        known = self.factors[name].codes >= 0
        by_arm = [bool(known[self.arm == code].any()) for code in range(len(self.arms))
                  if (self.arm == code).any()]  # fmt: skip
        return any(by_arm) and not all(by_arm)

    def code(self, arm: str) -> int:
        """The place of an arm. Raises ``ValueError`` for one that there is none of."""
        return self.arms.index(arm)


def yes_or_no(values: Integers) -> Floats:
    """1, 0 and NaN for not known."""
    found = values.astype(np.float64)
    found[values < 0] = np.nan
    return found


def codes_of(values: Integers) -> Codes:
    """As the estimators want codes."""
    return values.astype(np.int64)
