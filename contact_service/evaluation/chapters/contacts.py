"""What became of the attempts, step by step."""

from __future__ import annotations

from functools import partial
from typing import Any

from contact_service.evaluation import charts
from contact_service.evaluation.chapters.voice import Voice
from contact_service.evaluation.document.model import (
    Block,
    Cell,
    Column,
    Kind,
    Picture,
    Section,
    Table,
    Words,
)
from contact_service.evaluation.wording import number

Figures = dict[str, Any]


def section(figures: Figures, voice: Voice) -> Section:
    """Outcomes by step, and what was made, refused, set aside or still waits."""
    contacts, t = figures["contacts"], voice.t
    steps = contacts["outcomes"]
    blocks: list[Block] = []
    if any(isinstance(step["made"], int) and step["made"] for step in steps):
        drawn = partial(charts.outcomes, steps, voice)
        blocks.append(Picture(t("outcomes_title"), drawn, t("outcomes_alt")))
    if steps:
        blocks += [
            Words([t("contacts_lead")], "lead"),
            _outcomes(steps, voice),
            _stages(contacts["by_arm_and_step"], voice),
        ]
    else:
        blocks.append(Words([t("no_attempts")]))
    return Section(
        "contacts", t("contacts"), blocks, contacts["counted_by"], f"{figures['rows']} attempts"
    )


def share_of(count: Any, total: Any) -> float | None:
    """A share, where both counts are told."""
    return count / total if isinstance(count, int) and isinstance(total, int) and total else None


def _outcomes(steps: list[Figures], voice: Voice) -> Table:
    t = voice.t
    rows: list[list[Cell]] = []
    for step in steps:
        for outcome, count in step["outcomes"].items():
            share = share_of(count, step["made"])
            rows.append([voice.step(step["step"]), voice.name("outcome", outcome), count, share])
        rows.append([voice.step(step["step"]), t("attempts"), step["made"], None])
        rows.append([voice.step(step["step"]), t("needs_person"), step["needs_person"], None])
    return Table(
        t("outcomes_title"),
        (
            Column(t("step")),
            Column(t("outcome")),
            Column(t("count"), Kind.COUNT),
            Column(t("share"), Kind.SHARE),
        ),
        rows,
    )


def _stages(found: list[Figures], voice: Voice) -> Table:
    t = voice.t
    return Table(
        t("stages_title"),
        (
            Column(t("step")),
            Column(t("arm")),
            Column(t("attempts"), Kind.COUNT),
            Column(t("refused"), Kind.COUNT),
            Column(t("waiting"), Kind.COUNT),
            Column(t("skipped"), Kind.COUNT),
            Column(t("skip_reasons")),
        ),
        [
            (
                voice.step(row["step"]),
                voice.arm(row["arm"]),
                *(row["attempts"][stage] for stage in ("made", "refused", "waiting", "skipped")),
                voice.join(
                    f"{voice.name('skip', reason)} {number(count)}"
                    for reason, count in row["skipped"].items()
                )
                or None,
            )
            for row in found
        ],
    )
