"""Rules about which claims are selected."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from campaigns.conditions import FIELDS, GROUPS, YEARS, Condition, walk
from campaigns.definition import Definition, Range
from campaigns.faults import FieldPath, Problem
from campaigns.wording import nearest, with_suggestion

MAX_CONDITIONS = 200
"""How many conditions ``select`` may amount to, the named ones counted wherever they are used."""


def everywhere(definition: Definition) -> Iterator[tuple[FieldPath, Condition]]:
    """Every condition of a definition with its place."""
    yield from walk(definition.whom, ("select",))
    for name, condition in definition.selections.items():
        yield from walk(condition, ("selections", name))


def sensible_ranges(definition: Definition) -> Iterator[Problem]:
    """Ranges run upwards, and fiscal years are Western years."""
    for path, condition in everywhere(definition):
        for field in FIELDS.values():
            found = getattr(condition, field.name, None)
            if isinstance(found, Range):
                yield from _upwards(found, (*path, field.name))
                if field.unit is YEARS:
                    yield from _western(found, (*path, field.name))


def _upwards(found: Range, path: FieldPath) -> Iterator[Problem]:
    if found.min is not None and found.max is not None and found.min > found.max:
        yield Problem(
            path,
            f"`{path[-1]}` の min（{found.min}）が max（{found.max}）より大きく、対象がありません",
            f"`{path[-1]}` selects nothing: min ({found.min}) is above max ({found.max})",
        )


def _western(found: Range, path: FieldPath) -> Iterator[Problem]:
    for end in ("min", "max"):
        year = getattr(found, end)
        if year is not None and not 1990 <= year <= 2100:
            yield Problem(
                (*path, end),
                f"年度は西暦で書いてください（令和8年度は 2026）: {year}",
                f"write fiscal years as Western years (令和8 is 2026), not {year}",
            )


def due_and_unpaid(definition: Definition) -> Iterator[Problem]:
    """Neither claims not yet due nor paid ones are selected."""
    for name, ja, en in (
        ("days_since_due", "納期限前の債権", "claims that are not yet due"),
        ("claim_outstanding_yen", "納付済みの債権", "claims that are paid"),
    ):
        least = getattr(definition.whom, name).min
        if least is None or least < 1:
            yield Problem(
                ("select", name),
                f"{ja}まで対象になります。`{name}: {{min: 1}}` 以上にしてください",
                f"this would select {en}; write at least `{name}: {{min: 1}}`",
                "min: 1",
            )


def conditions_say_something(definition: Definition) -> Iterator[Problem]:
    """No condition is empty: it would be true of everybody, and ``not`` it of nobody."""
    for path, condition in everywhere(definition):
        if len(path) > 1 and condition == Condition():
            yield Problem(
                path,
                "条件がありません。すべての債権に当てはまってしまいます",
                "there is no condition here: it would be true of every claim",
            )
        for name, attribute in GROUPS.items():
            if attribute in condition.model_fields_set and not getattr(condition, attribute):
                yield Problem(
                    (*path, name),
                    f"`{name}` に条件がありません",
                    f"there is no condition under `{name}`",
                )


def names_lead_somewhere(definition: Definition) -> Iterator[Problem]:
    """Named selections exist, are used, do not lead back to themselves, and stay small."""
    named = definition.selections
    missing = False
    for path, condition in everywhere(definition):
        for position, name in enumerate(condition.use):
            if name not in named:
                missing = True
                yield with_suggestion(
                    Problem(
                        (*path, "use", position),
                        f"名前付きの条件 `{name}` が `selections` にありません",
                        f"there is no `{name}` among `selections`",
                    ),
                    nearest(name, named),
                )
    if not missing:
        yield from _small_enough(definition)
    used = {name for _, condition in everywhere(definition) for name in condition.use}
    for name in named:
        if name not in used:
            yield Problem(
                ("selections", name),
                f"名前付きの条件 `{name}` は使われていません",
                f"the named selection `{name}` is not used",
                warning=True,
                of_key=True,
            )


def _small_enough(definition: Definition) -> Iterator[Problem]:
    """No name leads back to itself, and with all names put in there is an end of conditions."""
    leads_to = {
        name: {inner for _, each in walk(condition, ()) for inner in each.use}
        for name, condition in definition.selections.items()
    }
    sizes: dict[str, int] = {}

    def size(top: Condition) -> int:
        # what is too many is not counted on: names of names would grow without bound
        found = sum(1 + sum(sizes[name] for name in each.use) for _, each in walk(top, ()))
        return min(found, MAX_CONDITIONS + 1)

    try:
        for name in TopologicalSorter(leads_to).static_order():
            sizes[name] = size(definition.selections[name])
    except CycleError as error:
        circle = error.args[1][::-1]
        way = " → ".join(circle[:10])
        yield Problem(
            ("selections", circle[0]),
            f"名前付きの条件が自分自身に戻ります（{way}）",
            f"this named selection leads back to itself ({way})",
            of_key=True,
        )
        return
    if size(definition.whom) > MAX_CONDITIONS:
        yield Problem(
            ("select",),
            f"条件が多すぎます（名前付きの条件の中も数えて {MAX_CONDITIONS} まで）",
            f"too many conditions (at most {MAX_CONDITIONS}, those inside named ones included)",
        )
