"""Rules about the arms of the trial."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from campaigns.definition import Definition
from campaigns.faults import Problem
from campaigns.wording import nearest, with_suggestion


def named_once(definition: Definition) -> Iterator[Problem]:
    """No two arms have one name."""
    seen: set[str] = set()
    for index, arm in enumerate(definition.arms):
        if arm.name in seen:
            yield Problem(
                ("arms", index, "name"),
                f"群 `{arm.name}` が二つあります",
                f"there are two arms called `{arm.name}`",
            )
        seen.add(arm.name)


def compared(definition: Definition) -> Iterator[Problem]:
    """Somebody is contacted, and somebody is not, to measure against."""
    if all(arm.holdout for arm in definition.arms):
        yield Problem(
            ("arms",),
            "連絡する群がありません（すべて holdout です）",
            "every arm is a holdout: nobody would be contacted",
        )
    if not any(arm.holdout for arm in definition.arms):
        yield Problem(
            ("arms",),
            "対照群（`holdout: true`）がないので、効果を測れません",
            "without a holdout arm no effect can be measured",
            warning=True,
        )


def allocated(definition: Definition) -> Iterator[Problem]:
    """The seed says something, and no stratum is named twice."""
    if not definition.allocation.seed.strip():
        yield Problem(
            ("allocation", "seed"),
            "種（seed）が空白です。計画ごとに違う文字にしてください",
            "the seed is blank; give each campaign its own",
        )
    for stratum, times in Counter(definition.allocation.strata).items():
        if times > 1:
            yield Problem(
                ("allocation", "strata"),
                f"層 `{stratum}` が二度あります",
                f"the stratum `{stratum}` appears twice",
            )


def named_in_steps(definition: Definition) -> Iterator[Problem]:
    """Steps name arms that exist, each once, and never a holdout."""
    arms = {arm.name: arm for arm in definition.arms}
    for index, step in enumerate(definition.steps):
        for position, name in enumerate(step.arms):
            path = ("steps", index, "arms", position)
            if name not in arms:
                yield with_suggestion(
                    Problem(path, f"群 `{name}` がありません", f"there is no arm `{name}`"),
                    nearest(name, arms),
                )
            elif arms[name].holdout:
                yield Problem(
                    path,
                    f"`{name}` は対照群です。対照群には連絡しません",
                    f"`{name}` is a holdout and must be left alone",
                )
            if name in step.arms[:position]:
                yield Problem(
                    path, f"群 `{name}` が二度あります", f"the arm `{name}` appears twice"
                )


def contacted(definition: Definition) -> Iterator[Problem]:
    """Every arm that is no holdout has a step."""
    named = {name for step in definition.steps for name in definition.arms_of(step)}
    for index, arm in enumerate(definition.arms):
        if not arm.holdout and arm.name not in named:
            yield Problem(
                ("arms", index),
                f"群 `{arm.name}` に連絡する段階がありません。対照群なら `holdout: true`",
                f"no step contacts the arm `{arm.name}`; a holdout is marked `holdout: true`",
            )
