"""Rules about steps: what they send, when they try again, whom they leave out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from campaigns.definition import Definition
from campaigns.faults import Problem
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
#: What can become of a contact by each channel.
POSSIBLE: Mapping[Channel, frozenset[Outcome]] = {
    Channel.SMS: frozenset(Outcome) - _BY_VOICE,
    Channel.AUTO_CALL: frozenset(Outcome) - _BY_TEXT,
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
}


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
    """Steps stand in the order in which they begin."""
    latest = (0, definition.steps[0].start.at)
    for index, step in enumerate(definition.steps):
        begins = (step.start.after_days, step.start.at)
        if begins < latest:
            yield Problem(
                ("steps", index, "start"),
                f"段階 `{step.name}` は前の段階より先に始まります。始まる順に並べてください",
                f"step `{step.name}` begins before the one above it; put steps in order of start",
            )
        latest = max(latest, begins)


def content_fits_channel(definition: Definition) -> Iterator[Problem]:
    """An SMS has a message and an auto-call a script, that exist, and nothing else."""
    for index, step in enumerate(definition.steps):
        for field, channel, shelf, ja in (
            ("message", Channel.SMS, definition.messages, "文面"),
            ("script", Channel.AUTO_CALL, definition.scripts, "音声"),
        ):
            name: str | None = getattr(step, field)
            path = ("steps", index, field)
            if step.channel is not channel:
                if name is not None:
                    yield Problem(
                        path,
                        f"{CHANNEL_JA[step.channel]}の段階に `{field}` は使えません",
                        f"a step by {step.channel} has no `{field}`",
                    )
            elif name is None:
                yield Problem(
                    path,
                    f"段階 `{step.name}` に{ja}（`{field}`）がありません",
                    f"step `{step.name}` has no `{field}`",
                )
            elif name not in shelf:
                yield with_suggestion(
                    Problem(
                        path,
                        f"{ja} `{name}` が `{field}s` にありません",
                        f"there is no `{name}` among `{field}s`",
                    ),
                    nearest(name, shelf),
                )


def all_content_used(definition: Definition) -> Iterator[Problem]:
    """Every message and script is used by a step."""
    for field, ja in (("message", "文面"), ("script", "音声")):
        used = {getattr(step, field) for step in definition.steps}
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
    """What ``unless`` names can have happened in an earlier step."""
    possible: set[Outcome] = set()
    for index, step in enumerate(definition.steps):
        for position, outcome in enumerate(step.unless):
            if outcome not in possible:
                yield Problem(
                    ("steps", index, "unless", position),
                    f"「{OUTCOME_JA[outcome]}」（`{outcome}`）は、これより前の段階では起きません",
                    f"`{outcome}` cannot have happened in an earlier step",
                    warning=True,
                )
        possible |= POSSIBLE[step.channel]


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
                (index, step.start.after_days)
                for index, step in enumerate(definition.steps)
                if arm.name in definition.arms_of(step)
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
        if step.start.after_days >= horizon:
            yield Problem(
                ("steps", index, "start"),
                f"段階 `{step.name}` の開始は、効果を数える期間（{horizon}日間）の後です",
                f"step `{step.name}` begins after the {horizon} days in "
                "which the trial counts payments",
                warning=True,
            )
