"""The picture of a design: power against size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from contact_service.evaluation import charts

_NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def power_curve(points: Sequence[dict[str, float]], planned: dict[str, Any]) -> str:
    """A stand-alone SVG of ``points`` (``n`` in the control, ``power``), with the power aimed
    at and the size planned."""
    x = {"field": "n", "type": "quantitative",
         "axis": {"title": "対照群の人数 / people in the control", "format": ",d"}}  # fmt: skip
    y = {"field": "power", "type": "quantitative", "scale": {"domain": [0, 1]},
         "axis": {"title": "検出力 / power", "format": ".0%"}}  # fmt: skip
    dashed = {"type": "rule", "color": charts.CONTROL_COLOUR, "strokeDash": [5, 4]}
    here = {"n": planned["n_control"], "power": planned["power"]}
    label = f"{here['n']:,} → {here['power']:.1%}"
    point: dict[str, Any] = {"data": {"values": [{**here, "label": label}]}}
    layers = [
        {"data": {"values": [{"power": planned["target_power"]}]}, "mark": dashed,
         "encoding": {"y": y}},
        {"data": {"values": list(points)},
         "mark": {"type": "line", "strokeWidth": 2.5, "color": charts.ARM_COLOURS[0]},
         "encoding": {"x": x, "y": y}},
        {**point, "mark": {"type": "point", "filled": True, "size": 110,
                           "color": charts.ARM_COLOURS[1], "opacity": 1},
         "encoding": {"x": x, "y": y}},
        {**point, "mark": {"type": "text", "align": "left", "dx": 8, "dy": 16, "fontSize": 13},
         "encoding": {"x": x, "y": y, "text": {"field": "label"}}},
    ]  # fmt: skip
    spec = {"width": 560, "height": 320, "layer": layers}
    alt = f"人数と検出力 / power against size: {label}"
    return charts.svg(spec, alt).replace("<svg ", f"<svg {_NAMESPACES} ", 1)
