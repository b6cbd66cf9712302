"""The calendar of campaigns as a picture: bars by campaign, clashes marked, the centre below."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from contact_service.planning.definitions import ANOTHER_OFFICE

STATES = {
    "scheduled": ("開始待ち", "#56b4e9"),
    "running": ("実施中", "#0072b2"),
    "paused": ("一時停止", "#e69f00"),
    "completed": ("完了", "#8c8c8c"),
}
_CLASH = "#d55e00"


def calendar_picture(figures: dict[str, Any]) -> str:
    """The figures of ``planning.calendar`` as SVG."""
    # here, not above: it loads the statistics, and most commands of campaigns draw nothing
    from contact_service.evaluation.charts import svg

    label = {
        run["run"]: f"{run['title'] or ANOTHER_OFFICE['ja']}（{run['first_day']:%-m/%-d}）"
        for run in figures["runs"]
    }
    bars = [
        {
            "campaign": label[run["run"]],
            "from": run["first_day"].isoformat(),
            "to": (run["last_day"] + timedelta(days=1)).isoformat(),
            "state": STATES[run["state"]][0],
            "people": f"{'' if run['frozen'] else '約 '}{run['people']:,} 人",
        }
        for run in figures["runs"]
    ]
    clashes = [
        {
            "campaign": label[run],
            "from": clash["first_day"].isoformat(),
            "to": (clash["last_day"] + timedelta(days=1)).isoformat(),
        }
        for clash in figures["same_people"]
        for run in clash["runs"]
    ]
    domain = _domain(figures)
    x = {"type": "temporal", "scale": {"domain": domain, "type": "utc"},
         "axis": {"title": None, "format": "%-m/%-d", "grid": True, "tickCount": 12}}  # fmt: skip
    y = {"field": "campaign", "type": "nominal", "sort": None,
         "axis": {"title": None, "labelLimit": 330, "ticks": False, "domain": False}}  # fmt: skip
    scale = {"domain": [ja for ja, _ in STATES.values()],
             "range": [colour for _, colour in STATES.values()]}  # fmt: skip
    gantt = {
        "width": 640,
        "height": {"step": 34},
        "layer": [
            {"data": {"values": bars},
             "mark": {"type": "bar", "height": 18, "cornerRadius": 3},
             "encoding": {"y": y, "x": {**x, "field": "from"}, "x2": {"field": "to"},
                          "color": {"field": "state", "type": "nominal", "scale": scale}}},
            {"data": {"values": clashes},
             "mark": {"type": "bar", "height": 5, "color": _CLASH, "yOffset": 12},
             "encoding": {"y": y, "x": {**x, "field": "from"}, "x2": {"field": "to"}}},
            {"data": {"values": bars},
             "mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 11},
             "encoding": {"y": y, "x": {**x, "field": "to"}, "text": {"field": "people"}}},
        ],
    }  # fmt: skip
    above = {row["slot"].date().isoformat() for row in figures["centre"]["above"]}
    inside = [
        row for row in figures["call_backs"] if domain[0] <= row["day"].isoformat() <= domain[1]
    ]
    calls = [
        {
            "day": row["day"].isoformat(),
            "calls": row["calls"],
            "limit": "職員数を超える日" if row["day"].isoformat() in above else "足りる日",
        }
        for row in inside
    ]
    load = {
        "width": 640,
        "height": 130,
        "data": {"values": calls},
        "mark": {"type": "bar", "width": 5},
        "encoding": {
            "x": {**x, "field": "day"},
            "y": {"field": "calls", "type": "quantitative",
                  "axis": {"title": "見込まれる折り返し（件／日）"}},
            "color": {"field": "limit", "type": "nominal",
                      "scale": {"domain": ["足りる日", "職員数を超える日"],
                                "range": ["#009e73", _CLASH]}},
        },
    }  # fmt: skip
    spec = {
        "title": {"text": f"催告の年間予定　{figures['from']}〜{figures['to']}", "anchor": "start",
                  "subtitle": "橙の線: 同じ人が二つの計画の対象になる期間"},
        "vconcat": [gantt, load],
        "resolve": {"scale": {"color": "independent"}},
        "padding": 12,
    }  # fmt: skip
    return svg(spec, "催告の年間予定と、見込まれる受電")


def standing_alone(drawn: str) -> str:
    """A picture for a file of its own, not for a page."""
    return drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)


def _domain(figures: dict[str, Any]) -> list[str]:
    """The days that have something, and a little more; the whole period when nothing is on."""
    if not figures["runs"]:
        return [figures["from"].isoformat(), figures["to"].isoformat()]
    first = min(run["first_day"] for run in figures["runs"]) - timedelta(days=3)
    last = max(run["last_day"] for run in figures["runs"])
    margin = max(timedelta(days=4), (last - first) / 8)
    return [max(first, figures["from"]).isoformat(), (last + margin).isoformat()]
