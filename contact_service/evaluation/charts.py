"""The pictures, as Vega-Lite drawn to SVG. One style; colours that colour-blind people can
tell apart (Okabe and Ito), and shapes or dashes beside them for black-and-white print."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import pylopdf_fonts_jp
import vl_convert

from contact_service.evaluation.chapters.voice import ARM_COLOURS as ARM_COLOURS
from contact_service.evaluation.chapters.voice import Voice
from contact_service.evaluation.document.model import GREY
from contact_service.evaluation.load import Origin

FONTS = (
    "'Noto Sans JP','BIZ UDPGothic','Noto Sans CJK JP','Hiragino Sans','Yu Gothic','Meiryo',"
    "sans-serif"
)
CONTROL_COLOUR = GREY
ORIGIN_COLOURS = {
    Origin.RESIDENT: "#0072b2",
    Origin.OPERATOR: "#e69f00",
    Origin.AUTO_CALL: "#009e73",
}
OUTCOME_GROUPS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "group_reached": ("#0072b2", ("delivered", "answered", "confirmed", "transferred")),
    "group_machine": ("#56b4e9", ("machine",)),
    "group_missed": ("#e69f00", ("no_answer", "busy", "unreachable", "rejected")),
    "group_number": ("#d55e00", ("invalid_number", "undelivered")),
    "group_stop": ("#cc79a7", ("wrong_person", "opted_out")),
    "group_fault": ("#8c8c8c", ("network", "blocked", "canceled", "other")),
    "group_unknown": ("#d0d0d0", ("unknown", "pending", "handed_over")),
    "group_withheld": ("#f0f0f2", ()),
}
"""Outcomes in the few groups that a picture can show: name → colour, outcomes."""

INK = "#1a1a1c"
_STYLE: dict[str, Any] = {
    "background": "white",
    "font": FONTS,
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "titlePadding": 8,
        "labelColor": INK, "titleColor": INK, "gridColor": "#e6e6ea", "domainColor": "#949494",
        "tickColor": "#949494",
    },
    "legend": {"orient": "top", "title": None, "labelFontSize": 12, "labelLimit": 320,
               "symbolSize": 120, "labelColor": INK, "columnPadding": 16},
    "header": {"labelFontSize": 13, "title": None, "labelColor": INK, "labelFontWeight": "bold"},
}  # fmt: skip

Spec = dict[str, Any]
Rows = list[dict[str, Any]]


@lru_cache(maxsize=1)
def _register_fonts() -> None:
    """Labels are measured in a typeface that has them, or long ones would be cut."""
    vl_convert.register_font_directory(str(pylopdf_fonts_jp.sans_path().parent))


def svg(spec: Spec, alt: str) -> str:
    """Draw a picture for inlining in HTML: nothing is loaded from anywhere, and ``alt`` says
    what is to be seen."""
    _register_fonts()
    full = {"config": _STYLE, **spec}
    drawn = vl_convert.vegalite_to_svg(full, allowed_base_urls=[])
    drawn = re.sub(r'\sxmlns(:xlink)?="[^"]*"', "", drawn)
    label = alt.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return str(re.sub(r"^<svg ", f'<svg role="img" aria-label="{label}" ', drawn))


def payment_curve(curves: Rows, outcome: str, horizon_days: int, voice: Voice) -> str:
    """Cumulative share of clusters that had paid, with pointwise bands; incomplete days grey."""
    values: Rows = [
        # nobody had paid before the first day
        {"day": 0, "arm": voice.arm(arm).text, "share": 0, "low": 0, "high": 0}
        for arm in dict.fromkeys(row["arm"] for row in curves)
    ]
    values += [
        {
            "day": row["day"] + 1,
            "arm": voice.arm(row["arm"]).text,
            "share": row[outcome]["estimate"],
            "low": row[outcome]["low"],
            "high": row[outcome]["high"],
        }
        for row in curves
    ]
    incomplete = sorted({row["day"] + 1 for row in curves if not row["complete"]})
    order = [label.text for label in voice.arms.values()]
    scale = {"domain": order, "range": [label.colour for label in voice.arms.values()]}
    legend = {"symbolType": "stroke", "symbolOpacity": 1, "symbolStrokeWidth": 3}
    colour = {"field": "arm", "type": "nominal", "scale": scale, "legend": legend}
    x = {"field": "day", "type": "quantitative",
         "axis": {"title": voice.t("axis_day"), "grid": False, "tickMinStep": 1, "format": "d"},
         "scale": {"nice": False, "domain": [0, horizon_days]}}  # fmt: skip
    y = {
        "type": "quantitative",
        "axis": {"format": ".0%", "tickMinStep": 0.01, "title": voice.t("axis_share")},
    }
    layers: list[Spec] = []
    if incomplete:
        shade = [{"from": incomplete[0] - 1, "to": incomplete[-1]}]
        layers.append(
            {
                "data": {"values": shade},
                "mark": {"type": "rect", "color": "#ececee"},
                "encoding": {"x": {**x, "field": "from"}, "x2": {"field": "to"}},
            }
        )
    layers += [
        {
            "mark": {"type": "area", "interpolate": "step-before", "opacity": 0.16},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"},
                         "color": colour},
        },
        {
            "mark": {"type": "line", "interpolate": "step-before", "strokeWidth": 2.5},
            "encoding": {
                "x": x, "y": {**y, "field": "share"}, "color": colour,
                "strokeDash": {"field": "arm", "type": "nominal",
                               "scale": {"domain": order, "range": [[6, 4], [1, 0], [10, 3, 2, 3],
                                                                    [2, 2]]}},
            },
        },
    ]  # fmt: skip
    spec = {"width": 650, "height": 300, "data": {"values": values}, "layer": layers}
    return svg(spec, voice.t("curve_alt"))


def forest(comparisons: Rows, voice: Voice) -> str:
    """Differences from the holdout in points, with intervals, by arm and outcome."""
    values = [
        {
            "label": f"{voice.arm(row['arm']).text}{voice.t('colon')}{voice.t(outcome)}",
            "estimate": found["risk_difference"]["estimate"] * 100,
            "low": found["risk_difference"]["low"] * 100,
            "high": found["risk_difference"]["high"] * 100,
            "fill": "#0072b2" if found["excludes_zero"] else "white",
        }
        for row in comparisons
        for outcome, found in row["outcomes"].items()
        if found["risk_difference"]
    ]
    y = {"field": "label", "type": "nominal", "sort": None,
         "axis": {"title": None, "labelLimit": 320, "grid": False, "domain": False,
                  "ticks": False, "labelPadding": 10}}  # fmt: skip
    x = {"type": "quantitative", "scale": {"padding": 16},
         "axis": {"title": voice.t("axis_points"),
                  "labelExpr": "datum.value == 0 ? '0' : format(datum.value, '+~g')"}}  # fmt: skip
    layers: list[Spec] = [
        {"data": {"values": [{"zero": 0}]},
         "mark": {"type": "rule", "color": INK, "strokeDash": [4, 3]},
         "encoding": {"x": {**x, "field": "zero"}}},
        {"mark": {"type": "rule", "strokeWidth": 2, "color": "#0072b2"},
         "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}}},
        {"mark": {"type": "point", "filled": True, "size": 110, "stroke": "#0072b2",
                  "strokeWidth": 2, "opacity": 1},
         "encoding": {"y": y, "x": {**x, "field": "estimate"},
                      "fill": {"field": "fill", "type": "nominal", "scale": None}}},
    ]  # fmt: skip
    spec = {"width": 430, "height": {"step": 36}, "data": {"values": values}, "layer": layers}
    return svg(spec, voice.t("forest_alt"))


def subgroups(rows: Rows, voice: Voice) -> str:
    """Differences by group of people, one row a group, one column an arm."""
    values = [
        {
            "label": f"{row['factor']}{voice.t('colon')}{row['group']}",
            "arm": row["arm"],
            "estimate": row["estimate"] * 100,
            "low": row["low"] * 100,
            "high": row["high"] * 100,
        }
        for row in rows
    ]
    y = {"field": "label", "type": "nominal", "sort": None,
         "axis": {"title": None, "labelLimit": 260, "grid": False, "ticks": False,
                  "domain": False, "labelFontSize": 11}}  # fmt: skip
    x = {"type": "quantitative",
         "axis": {"title": voice.t("axis_points"), "tickCount": 5,
                  "labelExpr": "datum.value == 0 ? '0' : format(datum.value, '+~g')"}}  # fmt: skip
    layers: list[Spec] = [
        {"mark": {"type": "rule", "color": INK, "strokeDash": [4, 3]},
         "encoding": {"x": {"datum": 0, "type": "quantitative"}}},
        {"mark": {"type": "rule", "strokeWidth": 1.6, "color": "#0072b2"},
         "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}}},
        {"mark": {"type": "point", "filled": True, "size": 50, "color": "#0072b2", "opacity": 1},
         "encoding": {"y": y, "x": {**x, "field": "estimate"}}},
    ]  # fmt: skip
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    spec = {
        "data": {"values": values},
        "facet": {"column": {"field": "arm", "type": "nominal", "sort": arms}},
        "spec": {"width": max(130, 420 // len(arms)), "height": {"step": 18}, "layer": layers},
    }
    return svg(spec, voice.t("subgroups_title"))


def outcomes(steps: Rows, voice: Voice) -> str:
    """Shares of outcome groups by step; what is withheld is drawn as such."""
    values = [
        {"step": voice.step(step["step"]), "group": voice.t(group), "order": place,
         "attempts": _attempts(step, members)}
        for step in steps
        for place, (group, (_, members)) in enumerate(OUTCOME_GROUPS.items())
    ]  # fmt: skip
    groups = {voice.t(group): colour for group, (colour, _) in OUTCOME_GROUPS.items()}
    spec = {
        "width": 520,
        "height": {"step": 42},
        "data": {"values": values},
        "mark": {"type": "bar", "stroke": "white", "strokeWidth": 1},
        "encoding": {
            "y": {"field": "step", "type": "nominal", "sort": None,
                  "axis": {"title": None, "labelLimit": 240, "ticks": False, "domain": False}},
            "x": {"field": "attempts", "type": "quantitative", "stack": "normalize",
                  "axis": {"format": ".0%", "title": voice.t("axis_attempts")}},
            "order": {"field": "order"},
            "color": {"field": "group", "type": "nominal",
                      "scale": {"domain": list(groups), "range": list(groups.values())},
                      "legend": {"columns": 4}},
        },
    }  # fmt: skip
    return svg(spec, voice.t("outcomes_alt"))


def _attempts(step: dict[str, Any], members: tuple[str, ...]) -> int:
    told = {name: n for name, n in step["outcomes"].items() if isinstance(n, int)}
    if members:
        return sum(told.get(outcome, 0) for outcome in members)
    return int(step["made"]) - sum(told.values()) if isinstance(step["made"], int) else 0


def costs(arms: Rows, voice: Voice) -> str:
    """Yen by arm: contacts, and operators' time on calls from the people contacted."""
    parts = {"contact_yen": voice.t("contact_cost"), "inbound_yen": voice.t("inbound_cost")}
    values = [
        {"arm": voice.arm(row["arm"]).text, "part": name, "yen": row[key], "order": place}
        for row in arms
        for place, (key, name) in enumerate(parts.items())
    ]
    spec = {
        "width": 430,
        "height": {"step": 42},
        "data": {"values": values},
        "mark": {"type": "bar", "stroke": "white", "strokeWidth": 1},
        "encoding": {
            "y": {"field": "arm", "type": "nominal", "sort": None,
                  "axis": {"title": None, "labelLimit": 260, "ticks": False, "domain": False}},
            "x": {"field": "yen", "type": "quantitative",
                  "axis": {"title": voice.t("axis_yen"), "format": ",d"}},
            "order": {"field": "order"},
            "color": {"field": "part", "type": "nominal",
                      "scale": {"domain": list(parts.values()), "range": ["#0072b2", "#e69f00"]}},
        },
    }  # fmt: skip
    return svg(spec, voice.t("cost_alt"))


def load_by_half_hour(slots: Rows, voice: Voice) -> str:
    """Inbound and operators' outbound load over the day, before and after."""
    streams = (Origin.RESIDENT, Origin.OPERATOR)
    values = [
        {"slot": row["slot"], "erlangs": row["erlangs"], "stream": voice.t(row["origin"]),
         "period": voice.t(row["period"])}
        for row in slots
        if row["origin"] in streams
    ]  # fmt: skip
    periods = [voice.t("before"), voice.t("after")]
    spec = {
        "data": {"values": values},
        "facet": {"column": {"field": "stream", "type": "nominal",
                             "sort": [voice.t(origin) for origin in streams]}},
        "spec": {
            "width": 310,
            "height": 220,
            "mark": {"type": "line", "point": {"size": 36}, "strokeWidth": 2},
            "encoding": {
                "x": {"field": "slot", "type": "ordinal",
                      "axis": {"title": voice.t("axis_slot"), "labelAngle": 0,
                               "labelExpr": "slice(datum.label, 3) == '00' ? datum.label : ''",
                               "labelOverlap": True, "ticks": False}},
                "y": {"field": "erlangs", "type": "quantitative",
                      "axis": {"title": voice.t("axis_erlangs")}},
                "color": {"field": "period", "type": "nominal",
                          "scale": {"domain": periods, "range": ["#8c8c8c", "#d55e00"]}},
                "strokeDash": {"field": "period", "type": "nominal",
                               "scale": {"domain": periods, "range": [[5, 3], [1, 0]]}},
            },
        },
    }  # fmt: skip
    return svg(spec, voice.t("slots_alt"))


def load_by_day(days: Rows, change: str | None, voice: Voice) -> str:
    """Agent-hours by day and stream, the start marked."""
    values = [
        {"day": row["day"], "hours": row["agent_hours"], "stream": voice.t(row["origin"])}
        for row in days
    ]
    streams = {voice.t(origin): colour for origin, colour in ORIGIN_COLOURS.items()}
    x = {
        "field": "day",
        "type": "temporal",
        "timeUnit": "utcyearmonthdate",
        "scale": {"type": "utc"},
        "axis": {"title": None, "format": "%-m/%-d", "grid": False},
    }
    layers: list[Spec] = [
        {
            "mark": {"type": "bar"},
            "encoding": {
                "x": x,
                "y": {"field": "hours", "type": "quantitative",
                      "axis": {"title": voice.t("axis_hours")}},
                "color": {"field": "stream", "type": "nominal",
                          "scale": {"domain": list(streams), "range": list(streams.values())}},
            },
        }
    ]  # fmt: skip
    if change:
        start = {"data": {"values": [{"day": change, "label": voice.t("starts")}]}}
        layers += [
            {**start, "mark": {"type": "rule", "color": INK, "strokeDash": [4, 3]},
             "encoding": {"x": x}},
            {**start, "mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 12,
                               "baseline": "top", "color": INK},
             "encoding": {"x": x, "y": {"value": 0}, "text": {"field": "label"}}},
        ]  # fmt: skip
    spec = {"width": 650, "height": 220, "data": {"values": values}, "layer": layers}
    return svg(spec, voice.t("timeline_alt"))
