"""The telephone centre's load, before and after."""

from __future__ import annotations

from functools import partial
from typing import Any

from contact_service.evaluation import charts
from contact_service.evaluation.chapters.voice import Voice
from contact_service.evaluation.document.model import (
    Block,
    Cell,
    Column,
    Interval,
    Kind,
    Picture,
    Section,
    Table,
    Words,
)
from contact_service.evaluation.load import Origin
from contact_service.evaluation.wording import number, percent

Figures = dict[str, Any]


def section(load: Figures | None, voice: Voice) -> Section:
    """Load by half-hour and day, compared before and after, and what the peak needs."""
    t = voice.t
    if not load or not load["by_day"]:
        return Section("load", t("load"), [Words([t("centre_none")])])
    blocks: list[Block] = [Words(_lead(load, voice), "lead")]
    if any(row["origin"] != Origin.AUTO_CALL for row in load["mean_day"]):
        drawn = partial(charts.load_by_half_hour, load["mean_day"], voice)
        blocks.append(Picture(t("slots_title"), drawn, t("slots_alt")))
    drawn = partial(charts.load_by_day, load["by_day"], load["change"], voice)
    blocks += [
        Picture(t("timeline_title"), drawn, t("timeline_alt")),
        _comparison(load, voice),
        _totals(load, voice),
    ]
    if load["staffing"]:
        blocks += [_staffing(load, voice), Words([t("staffing_method")], "lead")]
    blocks += _details(load, voice)
    return Section("load", t("load"), blocks, load["counted_by"])


def _lead(load: Figures, voice: Voice) -> list[str]:
    days = load["working_days"]
    start, end = voice.day(load["from"]), voice.day(load["to"])
    if load["change"]:
        said = voice.t("load_lead", start=start, end=end, before=days["before"],
                       after=days["after"], caveat=voice.t("centre_caveat"))  # fmt: skip
    else:
        said = voice.t("load_lead_single", start=start, end=end, after=days["after"])
    missing = load["working_days_without_records"]
    return [said, voice.t("load_missing", n=missing)] if missing else [said]


def _comparison(load: Figures, voice: Voice) -> Table:
    t = voice.t
    rows: list[list[Cell]] = []
    for row in load["comparison"]:
        total = row["made_by_campaign"]
        label = t(row["measure"]) + (t("total_mark") if total else "")
        rows.append(
            [
                label,
                row["total_before"] if total else row["before"],
                row["total_after"] if total else row["after"],
                *_ratio(row["change"]),
                row["p_value"],
                t("placebos_n", n=row["placebos_against"], of=len(row["placebos"]))
                if row["placebos"]
                else None,
            ]
        )
    return Table(
        t("comparison_title"),
        (
            Column(t("measure")),
            Column(t("before"), Kind.DECIMAL, 1),
            Column(t("after"), Kind.DECIMAL, 1),
            Column(t("change"), Kind.POINTS, 1),
            Column(t("interval"), Kind.POINTS, 1),
            Column(t("p_value"), Kind.P_VALUE),
            Column(t("placebos")),
        ),
        rows,
        lead=t("comparison_lead"),
    )


def _ratio(found: Figures | None) -> tuple[Cell, Cell]:
    """A ratio and its interval as changes: 0.9 is −10 %."""
    if found is None:
        return None, None
    return found["estimate"] - 1, Interval(found["low"] - 1, found["high"] - 1)


def _totals(load: Figures, voice: Voice) -> Table:
    t = voice.t
    return Table(
        t("totals"),
        (
            Column(t("origin")),
            Column(t("calls"), Kind.COUNT),
            Column(t("talked"), Kind.COUNT),
            Column(t("abandoned"), Kind.COUNT),
            Column(t("wait"), Kind.DECIMAL),
            Column(t("wait_known"), Kind.COUNT),
            Column(t("erlang_hours"), Kind.DECIMAL, 1),
            Column(t("hours"), Kind.DECIMAL, 1),
        ),
        [
            (
                t(row["origin"]),
                row["calls"],
                row["talked"],
                row["abandoned"],
                row["average_wait_seconds"],
                row["waits"] or None,
                row["erlang_hours"],
                row["agent_hours"],
            )
            for row in load["totals"]
        ],
    )


def _staffing(load: Figures, voice: Voice) -> Words:
    return Words(
        [
            voice.t(
                "staffing_line",
                period=voice.t(row["period"]),
                slot=row["slot"],
                calls=number(row["calls_per_half_hour"], 1),
                aht=number(row["aht_seconds"]),
                erlangs=number(row["offered_erlangs"], 2),
                agents=row["agents"],
                level=percent(row["service_level"], 0),
                occupancy=percent(row["occupancy"], 0),
                asa=number(row["asa_seconds"]),
            )
            for row in load["staffing"]
        ],
        "list",
    )


def _details(load: Figures, voice: Voice) -> list[Block]:
    t = voice.t
    origin, period = Column(t("origin")), Column(t("period"))
    days, calls = Column(t("days"), Kind.COUNT), Column(t("calls"), Kind.COUNT)
    per_day = Column(t("calls_per_day"), Kind.DECIMAL, 1)
    hours = Column(t("hours"), Kind.DECIMAL, 1)
    weekdays = t("weekdays").split(",")
    return [
        Table(
            t("by_half_hour"),
            (Column(t("slot")), origin, period, days, calls, per_day,
             Column(t("aht"), Kind.DECIMAL), Column(t("erlangs"), Kind.DECIMAL, 2)),
            [
                (row["slot"], t(row["origin"]), t(row["period"]), row["days"], row["calls"],
                 row["calls_per_day"], row["aht_seconds"], row["erlangs"])
                for row in sorted(load["mean_day"], key=lambda row: str(row["slot"]))
            ],
            folded=True,
        ),
        Table(
            t("by_weekday"),
            (Column(t("weekday")), origin, period, days, per_day, hours),
            [
                (weekdays[row["weekday"]], t(row["origin"]), t(row["period"]), row["days"],
                 row["calls_per_day"], row["agent_hours_per_day"])
                for row in sorted(load["by_weekday"], key=lambda row: int(row["weekday"]))
            ],
            folded=True,
        ),
        Table(
            t("by_week"),
            (Column(t("week"), Kind.DAY), origin, calls, hours),
            [
                (row["week"], t(row["origin"]), row["calls"], row["agent_hours"])
                for row in load["by_week"]
            ],
            folded=True,
        ),
        Table(
            t("by_day"),
            (Column(t("date_head"), Kind.DAY), origin, calls, Column(t("talked"), Kind.COUNT),
             hours),
            [
                (row["day"], t(row["origin"]), row["calls"], row["talked"], row["agent_hours"])
                for row in load["by_day"]
            ],
            folded=True,
        ),
    ]  # fmt: skip
