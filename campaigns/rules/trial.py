"""Rules about what the trial is decided by."""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.definition import Definition
from campaigns.faults import Problem
from campaigns.trial import TooSmall
from campaigns.wording import nearest, with_suggestion


def compares_what_there_is(definition: Definition) -> Iterator[Problem]:
    """Comparisons name two different arms, each pair once."""
    arms = {arm.name: arm for arm in definition.arms}
    seen: set[tuple[str, str]] = set()
    for index, pair in enumerate(definition.trial.comparisons):
        path = ("trial", "comparisons", index)
        for field, name in (("arm", pair.arm), ("against", pair.against)):
            if name not in arms:
                yield with_suggestion(
                    Problem(
                        (*path, field), f"群 `{name}` がありません", f"there is no arm `{name}`"
                    ),
                    nearest(name, arms),
                )
        if pair.arm == pair.against:
            yield Problem(path, "同じ群どうしは比べられません", "an arm is no control of itself")
        if (pair.arm, pair.against) in seen:
            yield Problem(path, "同じ比較が二度あります", "this comparison appears twice")
        seen.add((pair.arm, pair.against))


def looks_in_time(definition: Definition) -> Iterator[Problem]:
    """Looks come one after the other, all before the horizon's end."""
    trial = definition.trial
    before = 0
    for index, day in enumerate(trial.looks):
        path = ("trial", "looks", index)
        if not before < day < trial.horizon_days:
            yield Problem(
                path,
                f"途中で結果を見る日は、1日目から{trial.horizon_days - 1}日目までの間に、"
                "早い順に書いてください",
                f"looks are days from 1 to {trial.horizon_days - 1}, one after the other",
            )
        before = max(before, day)


def expects_something_possible(definition: Definition) -> Iterator[Problem]:
    """The expected effect comes with the share it is added to, and stays below one."""
    trial = definition.trial
    control, effect = trial.expected_control, trial.expected_effect
    if (control is None) != (effect is None):
        yield Problem(
            ("trial", "expected_effect" if control is None else "expected_control"),
            "expected_control と expected_effect は一緒に書いてください",
            "expected_control and expected_effect go together: the size needed follows from both",
        )
    if control is not None and effect is not None and control + effect >= 1:
        yield Problem(
            ("trial", "expected_effect"),
            f"期待する割合が {control + effect:.0%} になります。1 より小さくしてください",
            f"the share expected would be {control + effect:.0%}; keep it below 1",
        )
    if effect is None and trial.too_small is TooSmall.REFUSE:
        yield Problem(
            ("trial", "too_small"),
            "refuse には expected_control と expected_effect が必要です",
            "to refuse, expected_control and expected_effect are needed",
        )
