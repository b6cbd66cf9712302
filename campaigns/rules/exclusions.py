"""Rules about exclusions that a campaign lifts."""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.definition import Definition
from campaigns.exclusions import EXCLUSIONS, LIFTABLE, Exclusion
from campaigns.faults import Problem
from campaigns.steps import Step
from campaigns.vocabulary import Channel

CALLS = frozenset({Channel.AUTO_CALL, Channel.OPERATOR})


def may_be_lifted(definition: Definition) -> Iterator[Problem]:
    """Only what an office may decide is lifted, once, for a reason, and never to call somebody
    who wants no calls."""
    for index, lifted in enumerate(definition.lift):
        path = ("lift", index, "exclusion")
        about = EXCLUSIONS[lifted.exclusion]
        if not about.may_be_lifted:
            known = ", ".join(sorted(LIFTABLE))
            yield Problem(
                path,
                f"「{about.ja}」（`{lifted.exclusion}`）は外せません。{about.why_ja}"
                f"（外せるのは {known}）",
                f"`{lifted.exclusion}` is never lifted: {about.why_en}; only {known} may be",
            )
        if any(lifted.exclusion is earlier.exclusion for earlier in definition.lift[:index]):
            yield Problem(
                path,
                f"`{lifted.exclusion}` が二度あります",
                f"`{lifted.exclusion}` appears twice",
            )
        if not lifted.reason.strip():
            yield Problem(
                ("lift", index, "reason"), "理由が空白です", "the reason is blank: say why"
            )
        calling = [step.name for step in definition.steps if _calls(step)]
        if lifted.exclusion is Exclusion.NO_CALLS and calling:
            yield Problem(
                path,
                f"電話をかける段階（{'、'.join(calling)}）があるので、架電停止は外せません",
                f"`no_calls` cannot be lifted in a campaign that calls ({', '.join(calling)})",
            )


def _calls(step: Step) -> bool:
    return step.channel in CALLS or (step.fallback is not None and step.fallback.channel in CALLS)
