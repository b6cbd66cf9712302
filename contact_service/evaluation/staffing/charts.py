"""Pictures of the centre's load and of what a shift to inbound changes."""

from __future__ import annotations

from typing import Any

from contact_service.evaluation.charts import INK, svg
from contact_service.evaluation.document.model import GREY
from contact_service.evaluation.staffing.broken_down import SPANS, Sent
from contact_service.evaluation.wording import Lang, name, percent, text

Rows = list[dict[str, Any]]
Spec = dict[str, Any]

BLUE, ORANGE, GREEN, RED = "#0072b2", "#e69f00", "#009e73", "#d55e00"
CHANNEL_COLOURS = {Sent.SMS: BLUE, Sent.AUTO_CALL: GREEN, Sent.OPERATOR: ORANGE}
_HOURS = {"title": None, "labelAngle": 0, "labelOverlap": True, "ticks": False,
          "labelExpr": "slice(datum.label, 3) == '00' ? datum.label : ''"}  # fmt: skip


def by_half_hour(rows: Rows, lang: Lang) -> str:
    """Calls of an average open day by half-hour: incoming above, calls out below."""
    streams = {
        "answered": ("centre_inbound", "centre_answered", BLUE),
        "abandoned": ("centre_inbound", "centre_abandoned", RED),
        "right_party_reached": ("centre_outbound", "centre_right_party_reached", ORANGE),
        "not_reached": ("centre_outbound", "centre_not_reached", "#f2d9a6"),
    }  # fmt: skip
    values = []
    for row in rows:
        out = row["outbound"]
        known = {**row["inbound"], **out,
                 "not_reached": out["dialled"] - out["right_party_reached"]}  # fmt: skip
        values += [
            {"slot": row["key"], "way": text(way, lang), "order": place,
             "part": text(said, lang), "calls": known[part] / row["days"]}
            for place, (part, (way, said, _)) in enumerate(streams.items())
            if row["days"]
        ]  # fmt: skip
    parts = {text(said, lang): colour for _, said, colour in streams.values()}
    spec = {
        "data": {"values": values},
        "facet": {"row": {"field": "way", "type": "nominal", "title": None,
                          "sort": [text("centre_inbound", lang), text("centre_outbound", lang)]}},
        "spec": {
            "width": 620, "height": 130,
            "mark": {"type": "bar"},
            "encoding": {
                "x": {"field": "slot", "type": "ordinal", "axis": _HOURS},
                "y": {"field": "calls", "type": "quantitative",
                      "axis": {"title": text("centre_calls_a_day", lang)}},
                "color": {"field": "part", "type": "nominal",
                          "scale": {"domain": list(parts), "range": list(parts.values())}},
                "order": {"field": "order"},
            },
        },
        "resolve": {"scale": {"y": "independent"}},
    }  # fmt: skip
    return svg(spec, text("centre_half_hours_alt", lang))


def occupancy(rows: Rows, lang: Lang) -> str:
    """The share of operators' time that is busy, by half-hour."""
    values = [
        {"slot": row["key"], "share": row["occupancy"]}
        for row in rows
        if row["occupancy"] is not None
    ]
    spec = {
        "width": 620, "height": 130, "data": {"values": values},
        "mark": {"type": "bar", "color": BLUE},
        "encoding": {
            "x": {"field": "slot", "type": "ordinal", "axis": _HOURS},
            "y": {"field": "share", "type": "quantitative", "scale": {"domainMin": 0},
                  "axis": {"format": ".0%", "title": text("centre_occupancy", lang)}},
        },
    }  # fmt: skip
    return svg(spec, text("centre_occupancy_alt", lang))


def by_day(rows: Rows, lang: Lang) -> str:
    """Incoming calls and calls out by day."""
    values = [
        {"day": row["key"], "calls": row[way][column], "way": text(said, lang)}
        for row in rows
        for way, column, said in (
            ("inbound", "offered", "centre_inbound"),
            ("outbound", "dialled", "centre_outbound"),
        )
    ]
    ways = {text("centre_inbound", lang): BLUE, text("centre_outbound", lang): ORANGE}
    spec = {
        "width": 620, "height": 180, "data": {"values": values},
        "mark": {"type": "line", "point": {"size": 28}, "strokeWidth": 1.6},
        "encoding": {
            "x": {"field": "day", "type": "temporal", "timeUnit": "utcyearmonthdate",
                  "scale": {"type": "utc"},
                  "axis": {"title": None, "format": "%-m/%-d", "grid": False}},
            "y": {"field": "calls", "type": "quantitative",
                  "axis": {"title": text("centre_calls", lang)}},
            "color": {"field": "way", "type": "nominal",
                      "scale": {"domain": list(ways), "range": list(ways.values())}},
        },
    }  # fmt: skip
    return svg(spec, text("centre_days_alt", lang))


def call_back_curve(rows: Rows, lang: Lang) -> str:
    """Incoming calls per 100 contacts over the hours since the contact, by channel."""
    values = [{**row, "channel": name("channel", row["channel"], lang)} for row in rows]
    colours = {
        name("channel", channel, lang): colour
        for channel, colour in CHANNEL_COLOURS.items()
        if any(row["channel"] == channel for row in rows)
    }
    x = {"field": "hour", "type": "quantitative",
         "scale": {"domain": [0, SPANS[-1]], "nice": False},
         "axis": {"title": text("centre_hours_since", lang), "grid": False,
                  "values": [0, 1, 12, 24, 36, 48, 60, 72]}}  # fmt: skip
    spec = {
        "width": 620, "height": 220,
        "layer": [
            {"data": {"values": [{"hour": span} for span in SPANS]},
             "mark": {"type": "rule", "color": GREY, "strokeDash": [3, 3]}, "encoding": {"x": x}},
            {"data": {"values": values},
             "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2.2},
             "encoding": {
                 "x": x,
                 "y": {"field": "per_100_contacts", "type": "quantitative",
                       "axis": {"title": text("centre_per_100", lang)}},
                 "color": {"field": "channel", "type": "nominal",
                           "scale": {"domain": list(colours), "range": list(colours.values())}}}},
        ],
    }  # fmt: skip
    return svg(spec, text("centre_curve_alt", lang))


def cut_name(row: dict[str, Any], lang: Lang) -> str:
    """What a cut is called."""
    if not row["outbound_cut"]:
        return text("shift_cut_none", lang)
    return text("shift_cut_of", lang, cut=percent(row["outbound_cut"], 0))


def hours_by_cut(scenarios: Rows, lang: Lang) -> str:
    """Operators' hours a day at each cut, answering and dialling, with the trial's interval."""
    ways = {text("centre_inbound", lang): BLUE, text("centre_outbound", lang): ORANGE}
    values, ends = [], []
    for row in scenarios:
        cut = percent(row["outbound_cut"], 0)
        answering = row["inbound_operator_hours_per_day"]
        values += [
            {"cut": cut, "way": way, "hours": hours, "order": place}
            for place, (way, hours) in enumerate(
                zip(ways, (answering, row["operator_hours_per_day"] - answering), strict=True)
            )
        ]
        if row["low"]:
            ends.append({"cut": cut, "low": row["low"]["operator_hours_per_day"],
                         "high": row["high"]["operator_hours_per_day"]})  # fmt: skip
    x = {"field": "cut", "type": "ordinal", "sort": None,
         "axis": {"title": text("shift_cut", lang), "labelAngle": 0}}  # fmt: skip
    layers: list[Spec] = [
        {"data": {"values": values}, "mark": {"type": "bar", "size": 56},
         "encoding": {
             "x": x,
             "y": {"field": "hours", "type": "quantitative",
                   "axis": {"title": text("shift_hours", lang)}},
             "order": {"field": "order"},
             "color": {"field": "way", "type": "nominal",
                       "scale": {"domain": list(ways), "range": list(ways.values())}}}},
    ]  # fmt: skip
    if ends:
        layers += [
            {"data": {"values": ends}, "mark": {"type": "rule", "strokeWidth": 3, "color": INK},
             "encoding": {"x": x, "y": {"field": "low", "type": "quantitative", "title": ""},
                          "y2": {"field": "high"}}},
        ]  # fmt: skip
    spec = {"width": 560, "height": 220, "layer": layers}
    return svg(spec, text("shift_hours_alt", lang))


def operators_by_half_hour(scenarios: Rows, lang: Lang) -> str:
    """Operators by half-hour at each cut, answering and dialling."""
    ways = {text("centre_inbound", lang): BLUE, text("centre_outbound", lang): ORANGE}
    values = [
        {"cut": cut_name(row, lang), "slot": slot["slot"], "way": way,
         "operators": slot[column], "order": place}
        for row in scenarios
        for slot in row["by_half_hour"]
        for place, (way, column) in enumerate(
            zip(ways, ("inbound_operators", "outbound_operators"), strict=True)
        )
    ]  # fmt: skip
    spec = {
        "data": {"values": values},
        "facet": {"field": "cut", "type": "nominal", "title": None,
                  "sort": [cut_name(row, lang) for row in scenarios]},
        "columns": 3,
        "spec": {
            "width": 190, "height": 110, "mark": {"type": "bar"},
            "encoding": {
                "x": {"field": "slot", "type": "ordinal", "axis": _HOURS},
                "y": {"field": "operators", "type": "quantitative",
                      "axis": {"title": text("shift_people", lang), "tickMinStep": 1}},
                "order": {"field": "order"},
                "color": {"field": "way", "type": "nominal",
                          "scale": {"domain": list(ways), "range": list(ways.values())}},
            },
        },
    }  # fmt: skip
    return svg(spec, text("shift_half_hours_alt", lang))


def level_by_agents(points: Rows, target: float, lang: Lang) -> str:
    """Service level and occupancy by the number of operators, and the level aimed at."""
    names = {text("staffing_level", lang): BLUE, text("centre_occupancy", lang): ORANGE}
    values = [
        {"agents": point["agents"], "what": what, "share": point[column]}
        for point in points
        for what, column in zip(names, ("service_level", "occupancy"), strict=True)
    ]
    y = {"type": "quantitative", "axis": {"format": ".0%", "title": None}}
    layers: list[Spec] = [
        {"data": {"values": [{"share": target}]},
         "mark": {"type": "rule", "color": GREY, "strokeDash": [5, 4]},
         "encoding": {"y": {**y, "field": "share"}}},
        {"data": {"values": values}, "mark": {"type": "line", "point": True, "strokeWidth": 2},
         "encoding": {
             "x": {"field": "agents", "type": "ordinal",
                   "axis": {"title": text("staffing_agents", lang), "labelAngle": 0}},
             "y": {**y, "field": "share", "scale": {"domain": [0, 1]}},
             "color": {"field": "what", "type": "nominal",
                       "scale": {"domain": list(names), "range": list(names.values())}}}},
    ]  # fmt: skip
    spec = {"width": 560, "height": 240, "layer": layers}
    return svg(spec, text("staffing_alt", lang))


def expected_calls(rows: Rows, lang: Lang) -> str:
    """Calls to expect by half-hour with their range, and those that came; one row a day."""
    values = [{**row, "day": row["at"][:10], "slot": row["at"][11:16]} for row in rows]
    y = {"type": "quantitative", "axis": {"title": text("centre_calls", lang)}}
    x = {"field": "slot", "type": "ordinal", "axis": _HOURS}
    layers: list[Spec] = [
        {"mark": {"type": "area", "opacity": 0.2, "color": BLUE},
         "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}},
        {"mark": {"type": "line", "color": BLUE, "strokeWidth": 2},
         "encoding": {"x": x, "y": {**y, "field": "expected"}}},
        {"transform": [{"filter": "datum.actual !== null"}],
         "mark": {"type": "point", "filled": True, "color": RED, "size": 40, "opacity": 1},
         "encoding": {"x": x, "y": {**y, "field": "actual"}}},
    ]  # fmt: skip
    spec = {
        "data": {"values": values},
        "facet": {"row": {"field": "day", "type": "nominal", "title": None}},
        "spec": {"width": 600, "height": 120, "layer": layers},
    }
    return svg(spec, text("forecast_alt", lang))
