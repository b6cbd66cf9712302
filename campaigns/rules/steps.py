"""Rules about steps: what they send, when they try again, whom they leave out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import time, timedelta

from campaigns.definition import Definition
from campaigns.faults import FieldPath, Problem
from campaigns.steps import Fallback, Origin, Step
from campaigns.vocabulary import CHANNEL_JA, OUTCOME_JA, Channel, Outcome
from campaigns.wording import nearest, with_suggestion

#: After which outcomes another try can help: the cause can pass, and the carrier or the
#: operator says so for certain. ``unknown`` is never among them: nothing is sent twice on
#: a guess; and a number that is switched off or refuses is left alone.
RETRYABLE: Mapping[Channel, frozenset[Outcome]] = {
    Channel.SMS: frozenset({Outcome.UNDELIVERED, Outcome.NETWORK}),
    Channel.AUTO_CALL: frozenset(
        {
            Outcome.BUSY,
            Outcome.NO_ANSWER,
            Outcome.MACHINE,
            Outcome.ANSWERED,
            Outcome.NETWORK,
        }
    ),
    Channel.OPERATOR: frozenset({Outcome.BUSY, Outcome.NO_ANSWER, Outcome.MACHINE}),
    Channel.LETTER: frozenset(),
}
_BY_VOICE = frozenset(
    {
        Outcome.CONFIRMED,
        Outcome.TRANSFERRED,
        Outcome.ANSWERED,
        Outcome.MACHINE,
        Outcome.WRONG_PERSON,
        Outcome.BUSY,
        Outcome.NO_ANSWER,
    }
)
_BY_TEXT = frozenset({Outcome.DELIVERED, Outcome.UNDELIVERED})
#: Nobody tells whether a letter arrived.
_BY_LETTER = frozenset({Outcome.HANDED_OVER})
#: What can become of a contact by each channel.
POSSIBLE: Mapping[Channel, frozenset[Outcome]] = {
    Channel.SMS: frozenset(Outcome) - _BY_VOICE - _BY_LETTER,
    Channel.AUTO_CALL: frozenset(Outcome) - _BY_TEXT - _BY_LETTER,
    Channel.OPERATOR: frozenset(
        {
            Outcome.CONFIRMED,
            Outcome.NO_ANSWER,
            Outcome.MACHINE,
            Outcome.BUSY,
            Outcome.WRONG_PERSON,
            Outcome.OPTED_OUT,
        }
    ),
    Channel.LETTER: _BY_LETTER,
}


def channels_of(step: Step) -> tuple[Channel, ...]:
    """The step's own channel and that of its fallback."""
    return (step.channel, step.fallback.channel) if step.fallback else (step.channel,)


def possible(step: Step) -> frozenset[Outcome]:
    """What can become of a contact in a step, its fallback included."""
    return frozenset().union(*(POSSIBLE[channel] for channel in channels_of(step)))


def earliest_day(step: Step) -> int:
    """The first day of the run, from 0, on which the step may begin for somebody."""
    start = step.start
    return start.after_days + start.after_working_days if start.origin is Origin.RUN else 0


def named_once(definition: Definition) -> Iterator[Problem]:
    """No two steps have one name."""
    seen: set[str] = set()
    for index, step in enumerate(definition.steps):
        if step.name in seen:
            yield Problem(
                ("steps", index, "name"),
                f"段階 `{step.name}` が二つあります",
                f"there are two steps called `{step.name}`",
            )
        seen.add(step.name)


def in_order(definition: Definition) -> Iterator[Problem]:
    """Steps that are counted from the same day stand in the order in which they begin."""
    latest: dict[object, tuple[int, time]] = {}
    for index, step in enumerate(definition.steps):
        start = step.start
        day = start.after_days + start.after_working_days
        day += start.on.toordinal() if start.on else 0
        begins = (day, start.at)
        if begins < latest.get(start.origin, begins):
            yield Problem(
                ("steps", index, "start"),
                f"段階 `{step.name}` は前の段階より先に始まります。始まる順に並べてください",
                f"step `{step.name}` begins before the one above it; put steps in order of start",
            )
        latest[start.origin] = max(begins, latest.get(start.origin, begins))


#: Which content a channel takes, and which it must have.
TAKES: dict[Channel, tuple[str, ...]] = {
    Channel.SMS: ("message",),
    Channel.AUTO_CALL: ("script",),
    Channel.LETTER: ("message",),
    Channel.OPERATOR: (),
}
NEEDS: Mapping[Channel, tuple[str, ...]] = TAKES | {Channel.LETTER: ()}
_CONTENT = (("message", "文面"), ("script", "音声"))


def content_fits_channel(definition: Definition) -> Iterator[Problem]:
    """An SMS has a message and an auto-call a script, that exist, and nothing else."""
    for index, step in enumerate(definition.steps):
        yield from _content(definition, step, step.name, ("steps", index))
        if step.fallback:
            yield from _content(definition, step.fallback, step.name, ("steps", index, "fallback"))


def _content(
    definition: Definition, part: Step | Fallback, step: str, path: FieldPath
) -> Iterator[Problem]:
    for field, ja in _CONTENT:
        name: str | None = getattr(part, field)
        shelf: Mapping[str, object] = getattr(definition, f"{field}s")
        if field not in TAKES[part.channel]:
            if name is not None:
                yield Problem(
                    (*path, field),
                    f"{CHANNEL_JA[part.channel]}の段階に `{field}` は使えません",
                    f"a step by {part.channel} has no `{field}`",
                )
        elif name is None:
            if field in NEEDS[part.channel]:
                yield Problem(
                    (*path, field),
                    f"段階 `{step}` に{ja}（`{field}`）がありません",
                    f"step `{step}` has no `{field}`",
                )
        elif name not in shelf:
            yield with_suggestion(
                Problem(
                    (*path, field),
                    f"{ja} `{name}` が `{field}s` にありません",
                    f"there is no `{name}` among `{field}s`",
                ),
                nearest(name, shelf),
            )


def contents(definition: Definition, field: str) -> Iterator[tuple[str, Channel]]:
    """The names of the messages, or scripts, that steps and fallbacks use, with the channel."""
    for step in definition.steps:
        for part in (step, step.fallback):
            name: str | None = getattr(part, field, None)
            if part is not None and name is not None:
                yield name, part.channel


def all_content_used(definition: Definition) -> Iterator[Problem]:
    """Every message and script is used by a step."""
    for field, ja in _CONTENT:
        used = {name for name, _ in contents(definition, field)}
        for name in getattr(definition, f"{field}s"):
            if name not in used:
                yield Problem(
                    (f"{field}s", name),
                    f"{ja} `{name}` を使う段階がありません",
                    f"no step uses the {field} `{name}`",
                    warning=True,
                    of_key=True,
                )


def retries_can_succeed(definition: Definition) -> Iterator[Problem]:
    """Tries are repeated only for causes that can pass, once per cause, before the expiry."""
    for index, step in enumerate(definition.steps):
        allowed = RETRYABLE[step.channel]
        for position, retry in enumerate(step.retries):
            path = ("steps", index, "retries", position)
            if retry.on not in allowed:
                known = ", ".join(sorted(allowed))
                yield Problem(
                    (*path, "on"),
                    f"{CHANNEL_JA[step.channel]}は「{OUTCOME_JA[retry.on]}」（`{retry.on}`）の後に"
                    f"やり直せません。やり直せるのは: {known}",
                    f"a contact by {step.channel} is not tried again after `{retry.on}`; "
                    f"only after {known}",
                )
            if any(retry.on is earlier.on for earlier in step.retries[:position]):
                yield Problem(
                    (*path, "on"),
                    f"`{retry.on}` の再試行が二度あります",
                    f"`{retry.on}` has two retries",
                )
            if not timedelta() < retry.after < timedelta(days=step.expires_after_days):
                yield Problem(
                    (*path, "after"),
                    f"再試行までの時間は、0より長く、段階の期限（{step.expires_after_days}日）より短く",
                    f"a retry must wait more than nothing and less than the step lasts "
                    f"({step.expires_after_days} days)",
                )


def conditions_can_occur(definition: Definition) -> Iterator[Problem]:
    """What ``only`` and ``unless`` name can have happened in an earlier step."""
    before: set[Outcome] = set()
    for index, step in enumerate(definition.steps):
        for field in ("only", "unless"):
            outcomes: tuple[Outcome, ...] = getattr(step, field)
            for position, outcome in enumerate(outcomes):
                if outcome not in before:
                    yield Problem(
                        ("steps", index, field, position),
                        f"「{OUTCOME_JA[outcome]}」（`{outcome}`）は、これより前の段階では起きません",
                        f"`{outcome}` cannot have happened in an earlier step",
                        warning=True,
                    )
            if field == "only" and outcomes and not before.intersection(outcomes):
                yield Problem(
                    ("steps", index, "only"),
                    f"段階 `{step.name}` の対象になる人がいません",
                    f"nobody can ever be in step `{step.name}`",
                )
        before |= possible(step)


def caps_leave_room(definition: Definition) -> Iterator[Problem]:
    """The caps fit each other, and no arm's steps alone exceed them."""
    caps = definition.caps
    if caps.per_30_days < caps.per_7_days:
        yield Problem(
            ("caps", "per_30_days"),
            f"30日の上限（{caps.per_30_days}）が7日の上限（{caps.per_7_days}）より小さくなっています",
            f"the cap for 30 days ({caps.per_30_days}) is below that for 7 ({caps.per_7_days})",
        )
    for days, most in ((7, caps.per_7_days), (30, caps.per_30_days)):
        for arm in definition.arms:
            starts = [
                (index, earliest_day(step))
                for index, step in enumerate(definition.steps)
                if arm.name in definition.arms_of(step) and step.start.origin is Origin.RUN
            ]
            for position, (index, day) in enumerate(starts):
                if sum(day - days < earlier for _, earlier in starts[: position + 1]) > most:
                    yield Problem(
                        ("steps", index),
                        f"群 `{arm.name}` は{days}日間に{most}回を超え、この段階は止まります",
                        f"arm `{arm.name}` has more than {most} steps within {days} days; "
                        "the cap will stop this one",
                        warning=True,
                    )
                    break


def trial_covers_steps(definition: Definition) -> Iterator[Problem]:
    """Each step begins before the trial stops counting payments."""
    horizon = definition.trial.horizon_days
    for index, step in enumerate(definition.steps):
        if earliest_day(step) >= horizon:
            yield Problem(
                ("steps", index, "start"),
                f"段階 `{step.name}` の開始は、効果を数える期間（{horizon}日間）の後です",
                f"step `{step.name}` begins after the {horizon} days in "
                "which the trial counts payments",
                warning=True,
            )
