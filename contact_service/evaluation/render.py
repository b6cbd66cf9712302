"""Figures to one HTML file that opens from disk: styles and pictures inside, no script, no
reference to any network."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from contact_service.evaluation import charts, wording
from contact_service.evaluation.facts import RunFacts
from contact_service.evaluation.load import Origin
from contact_service.evaluation.wording import Lang

TEMPLATES = Path(__file__).parent / "templates"

Figures = dict[str, Any]


def run_page(facts: RunFacts, figures: Figures, lang: Lang) -> str:
    """The report of a run."""
    labels = {
        step.name: f"{wording.name('channel', step.channel.value, lang)}（{step.name}）"
        if lang == "ja"
        else f"{wording.name('channel', step.channel.value, lang)} ({step.name})"
        for step in facts.definition.steps
    }
    colours = charts.arm_colours(facts)
    return _environment(lang).get_template("report.html").render(
        figures=figures,
        pictures=_run_pictures(facts, figures, labels, lang),
        labels=labels,
        arms={arm: facts.title_of(arm) for arm in colours},
        colours=colours,
        lang=lang,
    )  # fmt: skip


def load_page(figures: Figures, sentences: list[str], lang: Lang) -> str:
    """The report of the centre's load alone."""
    page = _environment(lang).get_template("load.html")
    pictures = _load_pictures(figures["load"], lang)
    return page.render(figures=figures, pictures=pictures, sentences=sentences, lang=lang)


def _run_pictures(
    facts: RunFacts, figures: Figures, labels: dict[str, str], lang: Lang
) -> dict[str, Markup]:
    payment, steps = figures["payment"], figures["contacts"]["outcomes"]
    pictures: dict[str, str] = {}
    if payment["curves"]:
        outcome = payment["primary_outcome"]
        pictures["curve"] = charts.payment_curve(facts, payment["curves"], outcome, lang)
    if payment["comparisons"]:
        pictures["forest"] = charts.forest(facts, payment["comparisons"], lang)
    if any(step["made"] for step in steps):
        pictures["outcomes"] = charts.outcomes(steps, labels, lang)
    safe = {key: Markup(picture) for key, picture in pictures.items()}
    return safe | _load_pictures(figures["load"], lang)


def _load_pictures(load: Figures | None, lang: Lang) -> dict[str, Markup]:
    if not load or not load["by_day"]:
        return {}
    pictures = {"timeline": charts.load_by_day(load["by_day"], load["change"], lang)}
    if any(row["origin"] != Origin.AUTO_CALL for row in load["mean_day"]):
        pictures["slots"] = charts.load_by_half_hour(load["mean_day"], lang)
    return {key: Markup(picture) for key, picture in pictures.items()}


def _environment(lang: Lang) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    css = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    environment.globals |= {
        "t": partial(wording.text, lang=lang),
        "name": partial(wording.name, lang=lang),
        "css": Markup(css),
    }
    environment.filters |= {
        "number": wording.number,
        "signed": wording.signed,
        "percent": wording.percent,
        "points": wording.points,
        "pvalue": wording.p_value,
        "yen": partial(wording.yen, lang=lang),
        "day": partial(wording.day, lang=lang),
    }
    return environment
