"""Which trials can say what calls messages and auto-calls cause: those that left people alone to
compare with, and of whose time payments are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from campaigns.definition import Definition
from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, require
from contact_service.evaluation.counts import Counts
from contact_service.evaluation.forms import READERS
from contact_service.evaluation.staffing.broken_down import Sent
from contact_service.planning.definitions import kinds_of

#: How many of them are offered for choice.
MOST = 30
_MACHINES = (Sent.SMS.value, Sent.AUTO_CALL.value)


@dataclass(frozen=True, slots=True)
class Trial:
    """A run that was evaluated, and its arms with messages or auto-calls."""

    run_id: UUID
    title: str
    version: str
    """As commands call it: ``three-arm-trial@2``."""
    start_day: date
    training: bool
    arms: tuple[tuple[str, str], ...]
    """Name and title."""


def trials(service: Service, actor: Actor) -> Sequence[Trial]:
    """Those of the actor's office, the latest first. Raises :class:`NotAllowed`."""
    require(actor, *READERS)
    with service.engine.connect() as connection:
        rows = Counts(connection).rows("shift_trials")
    found = []
    for row in rows:
        definition = Definition.model_validate(row["definition"])
        arms = _arms(definition)
        if arms and all(actor.sees(kind) for kind in kinds_of(definition)):
            found.append(
                Trial(row["id"], row["title"], row["version"], row["start_day"], row["training"],
                      arms)
            )  # fmt: skip
        if len(found) == MOST:
            break
    return found


def latest_trial(service: Service, actor: Actor) -> UUID | None:
    """The one that started last. Raises :class:`NotAllowed`."""
    return next((one.run_id for one in trials(service, actor)), None)


def _arms(definition: Definition) -> tuple[tuple[str, str], ...]:
    contacted = {
        name
        for step in definition.steps
        if step.channel.value in _MACHINES
        for name in definition.arms_of(step)
    }
    return tuple(
        (arm.name, arm.title or arm.name)
        for arm in definition.arms
        if arm.name in contacted and not arm.holdout
    )
