"""Rules about what a step is counted from, what it waits for and what follows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from campaigns.definition import Definition
from campaigns.faults import FieldPath, Problem
from campaigns.rules.steps import POSSIBLE, channels_of, possible
from campaigns.steps import Origin, Step
from campaigns.vocabulary import CHANNEL_JA, OUTCOME_JA, Channel, Outcome
from campaigns.wording import nearest, with_suggestion

#: After which another channel may follow: the message reached nobody. Who was reached, who is
#: somebody else and who wants no contact is not pursued by another channel.
MISSED = frozenset(
    {
        Outcome.UNDELIVERED,
        Outcome.BUSY,
        Outcome.NO_ANSWER,
        Outcome.MACHINE,
        Outcome.UNREACHABLE,
        Outcome.INVALID_NUMBER,
        Outcome.BLOCKED,
        Outcome.NETWORK,
    }
)
_BEST_HOUR = frozenset({Channel.AUTO_CALL, Channel.OPERATOR})


def starts_make_sense(definition: Definition) -> Iterator[Problem]:
    """A calendar date is given for ``from: date`` and for nothing else; only calls have hours."""
    for index, step in enumerate(definition.steps):
        start, path = step.start, ("steps", index, "start")
        if start.origin is Origin.DATE and start.on is None:
            yield Problem(
                path,
                "`from: date` には日付 `on` が要ります（例: on: 2026-12-07）",
                "`from: date` needs the date: `on: 2026-12-07`",
            )
        if start.origin is not Origin.DATE and start.on is not None:
            yield Problem(
                (*path, "on"),
                "日付 `on` は `from: date` のときだけ使われます",
                "`on` is used with `from: date` only",
                "from: date",
            )
        if start.on is not None and not 2020 <= start.on.year <= 2100:
            yield Problem(
                (*path, "on"),
                f"西暦の日付ではないようです: {start.on}",
                f"this does not look like a date of today: {start.on}",
            )
        if step.best_hour and step.channel not in _BEST_HOUR:
            yield Problem(
                ("steps", index, "best_hour"),
                f"{CHANNEL_JA[step.channel]}に「出やすい時間」はありません（電話だけです）",
                f"`best_hour` is for calls, not for {step.channel}",
            )


def steps_named_are_earlier(definition: Definition) -> Iterator[Problem]:
    """Conditions name steps above, for the same people, and outcomes that these can have."""
    for index, step in enumerate(definition.steps):
        earlier = {each.name: each for each in definition.steps[:index]}
        for field in ("only_after", "unless_after"):
            named: Mapping[str, Sequence[Outcome]] = getattr(step, field)
            for name, outcomes in named.items():
                path = ("steps", index, field, name)
                if name not in earlier:
                    yield _not_earlier(name, list(earlier), path, of_key=True)
                    continue
                yield from _can_happen(earlier[name], outcomes, path)
                yield from _same_people(definition, step, earlier[name], path)
        since = step.payment.since if step.payment else None
        if since is not None and since not in earlier:
            yield _not_earlier(since, list(earlier), ("steps", index, "payment", "since"))


def _not_earlier(name: str, known: list[str], path: FieldPath, of_key: bool = False) -> Problem:
    return with_suggestion(
        Problem(
            path,
            f"これより前に段階 `{name}` がありません",
            f"there is no step `{name}` before this one",
            of_key=of_key,
        ),
        nearest(name, known),
    )


def _can_happen(earlier: Step, outcomes: Sequence[Outcome], path: FieldPath) -> Iterator[Problem]:
    if not outcomes:
        yield Problem(path, "結果が一つもありません", "there is no outcome here")
    for position, outcome in enumerate(outcomes):
        if outcome not in possible(earlier):
            yield Problem(
                (*path, position),
                f"「{OUTCOME_JA[outcome]}」（`{outcome}`）は、段階 `{earlier.name}` では起きません",
                f"`{outcome}` cannot happen in step `{earlier.name}`",
                warning=True,
            )


def _same_people(
    definition: Definition, step: Step, earlier: Step, path: FieldPath
) -> Iterator[Problem]:
    mine, theirs = set(definition.arms_of(step)), set(definition.arms_of(earlier))
    if not mine & theirs:
        yield Problem(
            path,
            f"段階 `{earlier.name}` は、この段階と同じ群には行われません",
            f"no arm has both step `{earlier.name}` and this one",
            of_key=True,
        )


def fallbacks_can_help(definition: Definition) -> Iterator[Problem]:
    """A fallback goes by another channel, after outcomes that reached nobody, with a content."""
    for index, step in enumerate(definition.steps):
        fallback = step.fallback
        if fallback is None:
            continue
        path = ("steps", index, "fallback")
        if fallback.channel is step.channel:
            yield Problem(
                (*path, "channel"),
                "同じ手段です。やり直すなら `retries` に書いてください",
                "this is the step's own channel; trying again is said in `retries`",
            )
        allowed = POSSIBLE[step.channel] & MISSED
        for position, outcome in enumerate(fallback.on):
            if outcome not in allowed:
                known = ", ".join(sorted(allowed)) or "–"
                yield Problem(
                    (*path, "on", position),
                    f"{CHANNEL_JA[step.channel]}が「{OUTCOME_JA[outcome]}」（`{outcome}`）のとき、"
                    f"別の手段には移れません。移れるのは: {known}",
                    f"no other channel follows a contact by {step.channel} that ended as "
                    f"`{outcome}`; only after {known}",
                )
        if not timedelta() <= fallback.after < timedelta(days=step.expires_after_days):
            yield Problem(
                (*path, "after"),
                f"待つ時間は、段階の期限（{step.expires_after_days}日）より短く",
                f"it must wait less than the step lasts ({step.expires_after_days} days)",
            )


def tries_are_counted(definition: Definition) -> Iterator[Problem]:
    """The most tries are no more than retries and fallback can make."""
    for index, step in enumerate(definition.steps):
        if step.most_tries is None:
            continue
        least = len(channels_of(step))
        if step.most_tries < least:
            yield Problem(
                ("steps", index, "most_tries"),
                f"`most_tries: {step.most_tries}` では、別の手段（`fallback`）に移れません",
                f"`most_tries: {step.most_tries}` leaves no try for the fallback",
            )
        reach = least + sum(retry.most for retry in step.retries)
        if step.most_tries > reach:
            yield Problem(
                ("steps", index, "most_tries"),
                f"再試行を合わせても{reach}回までです。`most_tries` は効きません",
                f"all retries make {reach} tries; `most_tries` has no effect",
                warning=True,
            )
