"""What a definition may say and planning cannot do yet. It is refused, never passed over."""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.conditions import FIELDS as CLAIM_FIELDS
from campaigns.conditions import asked, walk
from campaigns.definition import Definition
from campaigns.hours import Quiet
from campaigns.steps import Start, Step
from campaigns.texts import PLACEHOLDER, Text
from campaigns.vocabulary import Channel

#: Fields of conditions that are not compiled yet.
FIELDS = frozenset(
    {
        "letter_contacts",
        "instalment_plans",
        "limitation_age_months",
        "limitation_months_left",
        "languages",
    }
)
#: Fields of steps that are not planned yet.
STEP_FIELDS = (
    "best_hour",
    "only",
    "only_after",
    "unless_after",
    "payment",
    "most_tries",
    "fallback",
)


def pending(definition: Definition) -> Iterator[str]:
    """The fields a definition uses that planning cannot do yet, as paths."""
    for path, condition in walk(definition.select, ("select",)):
        for field, _ in asked(condition):
            if field.name in FIELDS:
                yield ".".join(map(str, (*path, field.name)))
    if definition.lift:
        yield "lift"
    if definition.quiet != Quiet():
        yield "quiet"
    for step in definition.steps:
        yield from (f"steps.{step.name}.{field}" for field in _of_step(step))
    for name, text in definition.messages.items():
        if len(text.languages) > 1:
            yield f"messages.{name}"
    for name, script in definition.scripts.items():
        for node_name, node in script.nodes.items():
            if len(node.say.languages) > 1 or _tells_fields(node.say):
                yield f"scripts.{name}.nodes.{node_name}.say"


def _tells_fields(text: Text) -> bool:
    """Whether something about the person's claims is put in."""
    words = "".join(text.languages.values())
    return any(match[1] in CLAIM_FIELDS for match in PLACEHOLDER.finditer(words))


def _of_step(step: Step) -> Iterator[str]:
    if step.channel is Channel.LETTER:
        yield "channel"
    for name in STEP_FIELDS:
        if getattr(step, name) != Step.model_fields[name].default:
            yield name
    if step.start != Start(after_days=step.start.after_days, at=step.start.at):
        yield "start"
    if any(retry.part_of_day for retry in step.retries):
        yield "retries.part_of_day"
