"""What takes the place of dialling, and how many calls to the centre it causes, by a trial.

A trial compares households that got messages and auto-calls with households that were left alone.
The difference in calls to the centre, per automatic contact, is what one contact more causes; its
interval is the trial's. Not the calls that followed a contact: some of those come anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from contact_service.evaluation.counts import Counts
from contact_service.evaluation.facts import Completeness
from contact_service.evaluation.staffing.broken_down import Sent

Figures = dict[str, Any]


class NoSuchArm(ValueError):
    """The trial compares no arm of that name by what it did to the centre."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """One arm's mix of automatic contacts, with the calls they caused."""

    run_id: str
    campaign: str
    arm: str
    arm_title: str
    control: str
    households: int
    mix: Mapping[str, float]
    """Shares of the automatic contacts, by channel."""
    contacts_per_household: float
    operator_contacts_per_household: float
    """Of operators, in the same arm: their effect is in the trial's difference, too."""
    calls_per_contact: float
    """Calls to the centre more than without, per automatic contact; may be negative."""
    low: float
    high: float
    """Ends of its 95 % interval; the number of contacts is taken as known."""
    training: bool
    start_day: str
    """Of the run."""
    horizon_over: bool
    """Else calls back that are still to come are not in it."""

    def as_dict(self) -> Figures:
        """For the figures."""
        return asdict(self)


def replacement(connection: Connection, figures: Figures, arm: str | None) -> Replacement | None:
    """The mix of ``arm`` in the report ``figures`` of a run; ``None``: it compared nothing.

    Left out, the arm with most automatic contacts a household. Raises :class:`NoSuchArm`.
    """
    analysis, run = figures["analysis"], figures["run"]
    rows = Counts(connection).rows("shift_contacts", run_id=UUID(run["id"]))
    contacts = {(row["arm"], row["channel"]): row["contacts"] for row in rows}
    sizes = {one["arm"]: one["n"] for one in analysis["arms"]} if analysis else {}
    titles = {one["name"]: one["title"] or one["name"] for one in run["arms"]}
    found = []
    for compared in analysis["comparisons"] if analysis else ():
        name, size = compared["arm"], sizes[compared["arm"]]
        effect = compared["load_per_1000"].get("inbound_calls")
        sent = {c: contacts.get((name, c), 0) for c in (Sent.SMS, Sent.AUTO_CALL)}
        if not effect or not isinstance(size, int) or not any(sent.values()):
            continue
        in_all = sum(sent.values())
        per_contact = size / 1000 / in_all
        found.append(
            Replacement(
                run["id"], run["title"], name, titles[name], titles[compared["control"]], size,
                {c.value: n / in_all for c, n in sent.items() if n},
                in_all / size,
                contacts.get((name, Sent.OPERATOR), 0) / size,
                effect["estimate"] * per_contact,
                effect["low"] * per_contact,
                effect["high"] * per_contact,
                run["training"],
                run["start_day"],
                run["completeness"] in (Completeness.FINAL, Completeness.PROVISIONAL),
            )
        )  # fmt: skip
    if arm is None:
        return max(found, key=lambda one: one.contacts_per_household, default=None)
    chosen = next((one for one in found if one.arm == arm), None)
    if chosen is None:
        known = ", ".join(one.arm for one in found)
        raise NoSuchArm(
            f"--arm {arm}: 比べた群にありません。次から選んでください: {known or 'なし'} / "
            f"--arm {arm}: not an arm that was compared; choose of: {known or 'none'}"
        )
    return chosen
