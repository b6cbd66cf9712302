"""Two short pages: what a number of operators achieves, and the calls to expect."""

from __future__ import annotations

from functools import partial
from typing import Any

from contact_service.evaluation.document.model import (
    Block,
    Cell,
    Column,
    Document,
    Interval,
    Kind,
    Label,
    Picture,
    Section,
    Table,
    Words,
)
from contact_service.evaluation.staffing import charts
from contact_service.evaluation.staffing.forecast import Forecast
from contact_service.evaluation.staffing.performance import Standard, is_stable, performance
from contact_service.evaluation.wording import Lang, number, percent, text

#: How many operators more and fewer are shown beside those that are asked about.
_AROUND = 6


def staffing_document(
    load: float, aht_seconds: float, standard: Standard, result: dict[str, Any], lang: Lang
) -> Document:
    """The figures of ``centre staffing`` beside those of some operators more and fewer."""
    agents = result["agents"]
    rows = [
        (n, performance(load, n, aht_seconds, standard))
        for n in range(max(1, agents - _AROUND), agents + _AROUND + 1)
        if is_stable(load, n, standard)
    ]
    points = [
        {"agents": n, "service_level": one.service_level, "occupancy": one.occupancy}
        for n, one in rows
    ]
    cells: list[list[Cell]] = [
        [Label(str(n)), one.service_level, one.asa_seconds, one.occupancy,
         one.probability_of_waiting, one.abandonment]
        for n, one in rows
    ]  # fmt: skip
    columns = (
        Column(text("staffing_agents", lang)),
        Column(text("staffing_level", lang), Kind.SHARE),
        Column("ASA (s)", Kind.DECIMAL, 1),
        Column(text("centre_occupancy", lang), Kind.SHARE),
        Column("P(wait)", Kind.SHARE),
        Column(text("centre_abandoned", lang), Kind.SHARE),
    )
    said = text(
        "staffing_lead_line", lang, seconds=f"{standard.within_seconds:g}",
        level=percent(result["service_level"]), agents=agents, rostered=result["rostered"],
        asa=number(result["asa_seconds"], 1), occupancy=percent(result["occupancy"]),
        waiting=percent(result["probability_of_waiting"]),
        abandonment=percent(result["abandonment"]),
    )  # fmt: skip
    picture = Picture(
        text("staffing_picture", lang),
        partial(charts.level_by_agents, points, standard.level, lang),
        text("staffing_alt", lang),
    )
    return _page(
        text("staffing_title", lang),
        text("staffing_load", lang, erlangs=number(load, 3), aht=f"{aht_seconds:g}",
             model=model_name(standard.patience_seconds, lang)),
        [Words([said]), picture, Table("", columns, cells)],
        lang,
    )  # fmt: skip


def model_name(patience_seconds: float | None, lang: Lang) -> str:
    """Erlang C, or Erlang A with its patience."""
    if patience_seconds is None:
        return text("shift_erlang_c", lang)
    return text("shift_erlang_a", lang, patience=f"{patience_seconds:g}")


def forecast_document(found: Forecast, lang: Lang) -> Document:
    """The calls to expect, and those that came where the half-hour is over."""
    rows: list[dict[str, Any]] = [
        {"at": one.at.isoformat(), "expected": one.expected, "low": one.low, "high": one.high,
         "actual": one.actual}
        for one in found.half_hours
    ]  # fmt: skip
    columns = (
        Column(text("shift_slot", lang)),
        Column(text("forecast_expected", lang), Kind.DECIMAL, 1),
        Column(text("forecast_caused", lang), Kind.DECIMAL, 1),
        Column(text("forecast_range", lang), Kind.DECIMAL),
        Column(text("forecast_came", lang), Kind.COUNT),
    )
    cells: list[list[Cell]] = [
        [Label(f"{one.at:%m-%d %H:%M}"), one.expected, one.caused, Interval(one.low, one.high),
         one.actual]
        for one in found.half_hours
    ]  # fmt: skip
    picture = Picture(
        text("forecast_picture", lang),
        partial(charts.expected_calls, rows, lang),
        text("forecast_alt", lang),
    )
    blocks: list[Block] = [picture, Table("", columns, cells)]
    if found.error is not None:
        met = text("forecast_met", lang, error=percent(found.error, 0),
                   covered=percent(found.covered, 0))  # fmt: skip
        blocks.insert(0, Words([met]))
    return _page(
        text("forecast_title", lang), text("forecast_meta", lang, weeks=found.weeks), blocks, lang
    )


def _page(title: str, meta: str, blocks: list[Block], lang: Lang) -> Document:
    return Document(
        title=title,
        kicker=text("shift_kicker", lang),
        lead="",
        meta=meta,
        sections=[Section("page", title, blocks)],
        lang=lang,
    )
