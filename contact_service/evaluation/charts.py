"""The pictures, as Vega-Lite drawn to SVG. One style; colours that colour-blind people can
tell apart (Okabe and Ito), and shapes or dashes beside them for black-and-white print."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import vl_convert

from contact_service.evaluation.facts import RunFacts
from contact_service.evaluation.load import Origin
from contact_service.evaluation.wording import Lang, text

FONTS = (
    "'BIZ UDPGothic','Noto Sans JP','Noto Sans CJK JP','Hiragino Sans','Yu Gothic','Meiryo',"
    "sans-serif"
)
CONTROL_COLOUR = "#6b6b6b"
ARM_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
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
    "group_unknown": ("#d0d0d0", ("unknown", "pending")),
}
"""Outcomes in the few groups that a picture can show: name → colour, outcomes."""

_INK = "#1a1a1c"
_STYLE: dict[str, Any] = {
    "background": "white",
    "font": FONTS,
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "titlePadding": 8,
        "labelColor": _INK, "titleColor": _INK, "gridColor": "#e6e6ea", "domainColor": "#949494",
        "tickColor": "#949494",
    },
    "legend": {"orient": "top", "title": None, "labelFontSize": 12, "labelLimit": 320,
               "symbolSize": 120, "labelColor": _INK, "columnPadding": 16},
    "header": {"labelFontSize": 13, "title": None, "labelColor": _INK, "labelFontWeight": "bold"},
}  # fmt: skip

Spec = dict[str, Any]
Rows = list[dict[str, Any]]


def svg(spec: Spec, alt: str) -> str:
    """Draw a picture for inlining in HTML: nothing is loaded from anywhere, and ``alt`` says
    what is to be seen."""
    full = {"config": _STYLE, **spec}
    drawn = vl_convert.vegalite_to_svg(full, allowed_base_urls=[])
    drawn = re.sub(r'\sxmlns(:xlink)?="[^"]*"', "", drawn)
    label = alt.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return str(re.sub(r"^<svg ", f'<svg role="img" aria-label="{label}" ', drawn))


def arm_colours(facts: RunFacts) -> dict[str, str]:
    """Colour by arm: the holdout grey, the others in the definition's order."""
    treated = [arm.name for arm in facts.definition.arms if not arm.holdout]
    colours = {arm: ARM_COLOURS[n % len(ARM_COLOURS)] for n, arm in enumerate(treated)}
    return {arm.name: colours.get(arm.name, CONTROL_COLOUR) for arm in facts.definition.arms}


def payment_curve(facts: RunFacts, curves: Rows, outcome: str, lang: Lang) -> str:
    """Cumulative share of clusters that had paid, with pointwise bands; incomplete days grey."""
    colours = arm_colours(facts)
    values: Rows = [
        # nobody had paid before the first day
        {"day": 0, "arm": facts.title_of(arm), "share": 0, "low": 0, "high": 0}
        for arm in facts.in_order({row["arm"] for row in curves})
    ]
    values += [
        {
            "day": row["day"] + 1,
            "arm": facts.title_of(row["arm"]),
            "share": row[outcome]["estimate"],
            "low": row[outcome]["low"],
            "high": row[outcome]["high"],
        }
        for row in curves
    ]
    incomplete = sorted({row["day"] + 1 for row in curves if not row["complete"]})
    order = [facts.title_of(arm) for arm in colours]
    scale = {"domain": order, "range": list(colours.values())}
    legend = {"symbolType": "stroke", "symbolOpacity": 1, "symbolStrokeWidth": 3}
    colour = {"field": "arm", "type": "nominal", "scale": scale, "legend": legend}
    x = {"field": "day", "type": "quantitative",
         "axis": {"title": text("axis_day", lang), "grid": False, "tickMinStep": 1, "format": "d"},
         "scale": {"nice": False, "domain": [0, facts.definition.trial.horizon_days]}}  # fmt: skip
    y = {
        "type": "quantitative",
        "axis": {"format": ".0%", "tickMinStep": 0.01, "title": text("axis_share", lang)},
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
    return svg(spec, text("curve_alt", lang))


def forest(facts: RunFacts, comparisons: Rows, lang: Lang) -> str:
    """Differences from the holdout in points, with intervals, by arm and outcome."""
    values = [
        {
            "label": f"{facts.title_of(row['arm'])}：{text(outcome, lang)}",
            "estimate": found["risk_difference"]["estimate"] * 100,
            "low": found["risk_difference"]["low"] * 100,
            "high": found["risk_difference"]["high"] * 100,
            "fill": "#0072b2" if found["excludes_zero"] else "white",
        }
        for row in comparisons
        for outcome, found in row["outcomes"].items()
    ]
    y = {"field": "label", "type": "nominal", "sort": None,
         "axis": {"title": None, "labelLimit": 320, "grid": False, "domain": False,
                  "ticks": False, "labelPadding": 10}}  # fmt: skip
    x = {"type": "quantitative", "scale": {"padding": 16},
         "axis": {"title": text("axis_points", lang),
                  "labelExpr": "datum.value == 0 ? '0' : format(datum.value, '+~g')"}}  # fmt: skip
    layers: list[Spec] = [
        {"data": {"values": [{"zero": 0}]},
         "mark": {"type": "rule", "color": _INK, "strokeDash": [4, 3]},
         "encoding": {"x": {**x, "field": "zero"}}},
        {"mark": {"type": "rule", "strokeWidth": 2, "color": "#0072b2"},
         "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}}},
        {"mark": {"type": "point", "filled": True, "size": 110, "stroke": "#0072b2",
                  "strokeWidth": 2, "opacity": 1},
         "encoding": {"y": y, "x": {**x, "field": "estimate"},
                      "fill": {"field": "fill", "type": "nominal", "scale": None}}},
    ]  # fmt: skip
    spec = {"width": 430, "height": {"step": 36}, "data": {"values": values}, "layer": layers}
    return svg(spec, text("forest_alt", lang))


def outcomes(steps: Rows, labels: dict[str, str], lang: Lang) -> str:
    """Shares of outcome groups by step. ``labels``: step → what it is called."""
    values = [
        {"step": labels[step["step"]], "group": text(group, lang), "order": place,
         "attempts": sum(step["outcomes"].get(outcome, 0) for outcome in members)}
        for step in steps
        for place, (group, (_, members)) in enumerate(OUTCOME_GROUPS.items())
    ]  # fmt: skip
    groups = {text(group, lang): colour for group, (colour, _) in OUTCOME_GROUPS.items()}
    spec = {
        "width": 520,
        "height": {"step": 42},
        "data": {"values": values},
        "mark": {"type": "bar", "stroke": "white", "strokeWidth": 1},
        "encoding": {
            "y": {"field": "step", "type": "nominal", "sort": None,
                  "axis": {"title": None, "labelLimit": 240, "ticks": False, "domain": False}},
            "x": {"field": "attempts", "type": "quantitative", "stack": "normalize",
                  "axis": {"format": ".0%", "title": text("axis_attempts", lang)}},
            "order": {"field": "order"},
            "color": {"field": "group", "type": "nominal",
                      "scale": {"domain": list(groups), "range": list(groups.values())},
                      "legend": {"columns": 4}},
        },
    }  # fmt: skip
    return svg(spec, text("outcomes_alt", lang))


def load_by_half_hour(slots: Rows, lang: Lang) -> str:
    """Inbound and operators' outbound load over the day, before and after."""
    streams = (Origin.RESIDENT, Origin.OPERATOR)
    values = [
        {"slot": row["slot"], "erlangs": row["erlangs"], "stream": text(row["origin"], lang),
         "period": text(row["period"], lang)}
        for row in slots
        if row["origin"] in streams
    ]  # fmt: skip
    periods = [text("before", lang), text("after", lang)]
    spec = {
        "data": {"values": values},
        "facet": {"column": {"field": "stream", "type": "nominal",
                             "sort": [text(origin, lang) for origin in streams]}},
        "spec": {
            "width": 310,
            "height": 220,
            "mark": {"type": "line", "point": {"size": 36}, "strokeWidth": 2},
            "encoding": {
                "x": {"field": "slot", "type": "ordinal",
                      "axis": {"title": text("axis_slot", lang), "labelAngle": 0,
                               "labelExpr": "slice(datum.label, 3) == '00' ? datum.label : ''",
                               "labelOverlap": True, "ticks": False}},
                "y": {"field": "erlangs", "type": "quantitative",
                      "axis": {"title": text("axis_erlangs", lang)}},
                "color": {"field": "period", "type": "nominal",
                          "scale": {"domain": periods, "range": ["#8c8c8c", "#d55e00"]}},
                "strokeDash": {"field": "period", "type": "nominal",
                               "scale": {"domain": periods, "range": [[5, 3], [1, 0]]}},
            },
        },
    }  # fmt: skip
    return svg(spec, text("slots_alt", lang))


def load_by_day(days: Rows, change: str | None, lang: Lang) -> str:
    """Agent-hours by day and stream, the start marked."""
    values = [
        {"day": row["day"], "hours": row["agent_hours"], "stream": text(row["origin"], lang)}
        for row in days
    ]
    streams = {text(origin, lang): colour for origin, colour in ORIGIN_COLOURS.items()}
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
                      "axis": {"title": text("axis_hours", lang)}},
                "color": {"field": "stream", "type": "nominal",
                          "scale": {"domain": list(streams), "range": list(streams.values())}},
            },
        }
    ]  # fmt: skip
    if change:
        start = {"data": {"values": [{"day": change, "label": text("starts", lang)}]}}
        layers += [
            {**start, "mark": {"type": "rule", "color": _INK, "strokeDash": [4, 3]},
             "encoding": {"x": x}},
            {**start, "mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 12,
                               "baseline": "top", "color": _INK},
             "encoding": {"x": x, "y": {"value": 0}, "text": {"field": "label"}}},
        ]  # fmt: skip
    spec = {"width": 650, "height": 220, "data": {"values": values}, "layer": layers}
    return svg(spec, text("timeline_alt", lang))
