"""Rules between the fields of a definition: what would be illegal, unkind or pointless.

Every rule looks at the definition alone, so a definition from a form is checked by the same
rules as one from a file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeAlias

from campaigns.carriers import USUAL, Carrier
from campaigns.definition import Definition
from campaigns.faults import Problem
from campaigns.rules import arms, exclusions, follow, selection, steps, texts, times, trial

Rule: TypeAlias = Callable[[Definition], Iterator[Problem]]


#: Each rule with the sections it reads.
RULES: tuple[tuple[Rule, frozenset[str]], ...] = (
    (selection.sensible_ranges, frozenset({"select", "selections"})),
    (selection.due_and_unpaid, frozenset({"select"})),
    (selection.conditions_say_something, frozenset({"select", "selections", "within conditions"})),
    (selection.names_lead_somewhere, frozenset({"select", "selections"})),
    (arms.named_once, frozenset({"arms"})),
    (arms.compared, frozenset({"arms"})),
    (arms.allocated, frozenset({"allocation"})),
    (arms.named_in_steps, frozenset({"arms", "steps"})),
    (arms.contacted, frozenset({"arms", "steps"})),
    (steps.named_once, frozenset({"steps"})),
    (steps.in_order, frozenset({"steps"})),
    (steps.content_fits_channel, frozenset({"steps", "messages", "scripts"})),
    (steps.all_content_used, frozenset({"steps", "messages", "scripts"})),
    (steps.retries_can_succeed, frozenset({"steps"})),
    (steps.conditions_can_occur, frozenset({"steps"})),
    (steps.caps_leave_room, frozenset({"arms", "steps", "caps"})),
    (steps.trial_covers_steps, frozenset({"steps", "trial"})),
    (trial.compares_what_there_is, frozenset({"arms", "trial"})),
    (trial.looks_in_time, frozenset({"trial"})),
    (trial.expects_something_possible, frozenset({"trial"})),
    (times.lawful, frozenset({"hours"})),
    (times.open_at_all, frozenset({"hours"})),
    (times.starts_when_open, frozenset({"hours", "steps"})),
    (times.expires_after_opening, frozenset({"hours", "steps"})),
    (times.sessions_are_open, frozenset({"hours"})),
    (times.parts_of_day_exist, frozenset({"hours", "steps"})),
    (follow.starts_make_sense, frozenset({"steps"})),
    (follow.steps_named_are_earlier, frozenset({"steps"})),
    (follow.fallbacks_can_help, frozenset({"steps", "messages", "scripts"})),
    (follow.tries_are_counted, frozenset({"steps"})),
    (exclusions.may_be_lifted, frozenset({"lift", "steps"})),
    (texts.in_the_default_language, frozenset({"messages", "scripts", "snippets"})),
    (texts.scripts_speak_whole_languages, frozenset({"scripts"})),
    (texts.snippets_end, frozenset({"messages", "scripts", "snippets"})),
    (texts.guidance_fits_the_claims, frozenset({"select", "messages", "scripts", "snippets"})),
    (texts.messages, frozenset({"messages", "snippets"})),
    (texts.scripts, frozenset({"scripts", "snippets"})),
)


def check(
    definition: Definition, unsure: Collection[str] = (), carriers: Sequence[Carrier] = USUAL
) -> list[Problem]:
    """All problems of a definition, warnings among them.

    ``unsure`` names sections whose text was at fault; rules that read them are left out.
    ``carriers`` are those that the texts are to go out by.
    """
    found = [
        problem
        for rule, sections in RULES
        if sections.isdisjoint(unsure)
        for problem in rule(definition)
    ]
    if {"messages", "snippets"}.isdisjoint(unsure):
        found += texts.lengths(definition, carriers)
    return found
