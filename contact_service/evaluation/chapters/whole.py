"""The reports put together: a run's, and the centre's load alone."""

from __future__ import annotations

from typing import Any

from contact_service.evaluation.chapters import analysis, contacts, cost, flow, load, payment
from contact_service.evaluation.chapters.summary import centre, summary
from contact_service.evaluation.chapters.voice import Voice, campaign_title, voice_of
from contact_service.evaluation.document.model import (
    Answer,
    Answers,
    Block,
    Card,
    Cards,
    Column,
    Document,
    Section,
    Table,
    Words,
)
from contact_service.evaluation.facts import RunFacts
from contact_service.evaluation.wording import QUESTIONS, Lang, number, percent

Figures = dict[str, Any]

#: The section that says how the figures in an answer of page one were counted.
_COUNTED_IN = {"tried": "flow", "happened": "payment", "sure": "payment", "cost": "cost",
               "centre": "load", "do": "cost"}  # fmt: skip


def run_document(facts: RunFacts, figures: Figures, lang: Lang) -> Document:
    """The report of a run. Adds the sentences of page one to ``figures["summary"]``."""
    voice = voice_of(facts.definition, lang)
    t, run = voice.t, figures["run"]
    figures["summary"] = summary(facts, figures, voice)
    title, purpose = campaign_title(facts.definition, lang)
    banners = [t("training")] if run["training"] else []
    if run["state"] == "scheduled":
        banners.append(t("state_scheduled"))
    return Document(
        title=title,
        kicker=t("report_title"),
        lead=purpose,
        meta=f"{voice.day(run['start_day'])} – {voice.day(run['horizon_last_day'])} · "
        f"{_made(figures, voice)} · {t('run_id')} {run['id'][:8]}",
        sections=[
            _page_one(figures, voice),
            flow.section(figures, voice),
            payment.section(figures, voice),
            *([found] if (found := analysis.section(figures, voice)) else []),
            contacts.section(figures, voice),
            load.section(figures["load"], voice),
            cost.section(figures, voice),
            _methods(figures, voice),
        ],
        lang=lang,
        banners=banners,
        sources=figures["sources"],
    )


def load_document(figures: Figures, lang: Lang) -> Document:
    """The report of the centre's load alone."""
    found = figures["load"]
    voice = Voice(lang, {}, {}, ())
    t = voice.t
    return Document(
        title=t("load_title"),
        kicker=t("centre_kicker"),
        lead="",
        meta=f"{voice.day(found['from'])} – {voice.day(found['to'])} · {_made(figures, voice)}",
        sections=[
            Section(
                "summary", t("summary"), [Answers([_answer("centre", centre(found, voice), voice)])]
            ),
            load.section(found, voice),
            Section("methods", t("methods"), [Words([t("method_load")], "list")]),
        ],
        lang=lang,
        sources=figures["sources"],
    )


def _made(figures: Figures, voice: Voice) -> str:
    return voice.t("made_at", day=voice.day(figures["report"]["written_at"][:10]))


def _page_one(figures: Figures, voice: Voice) -> Section:
    said, levels = figures["summary"], figures["payment"]["arms"]
    blocks: list[Block] = [Words(said["notes"], "note")]
    if levels and figures["run"]["state"] != "scheduled":
        outcome = figures["payment"]["primary_outcome"]
        blocks.append(Cards([_card(arm, outcome, voice) for arm in levels]))
    blocks.append(Answers([_answer(question, said[question], voice) for question in QUESTIONS]))
    return Section("summary", voice.t("summary"), blocks)


def _answer(question: str, lines: list[str], voice: Voice) -> Answer:
    return Answer(voice.t(f"q_{question}"), lines, _COUNTED_IN[question])


def _card(arm: Figures, outcome: str, voice: Voice) -> Card:
    level, t = arm[outcome], voice.t
    small = [f"{t(outcome)} · {t('households_n', n=number(arm['clusters']))}"]
    if level["estimate"] is not None:
        ends = t("range", low=percent(level["low"]), high=percent(level["high"]))
        small.append(f"{t('interval')} {ends}")
    return Card(voice.arm(arm["arm"]), percent(level["estimate"]), small)


def _registered(found: Figures | None, voice: Voice) -> list[str]:
    """What departs from what was fixed before launch; that nothing does is said as well."""
    if found is None:
        return [voice.t("registered_never")]
    on = voice.day(found["registered_at"][:10])
    if found["intact"] and not found["departures"]:
        return [voice.t("registered_kept", day=on, digest=found["protocol_sha256"][:12])]
    said = [one[voice.lang] for one in found["departures"]]
    return [voice.t("registered_departs", day=on), *said]


def _methods(figures: Figures, voice: Voice) -> Section:
    t, run = voice.t, figures["run"]
    tests = [row["test"] for row in figures["payment"]["comparisons"] if row["test"]]
    lines = [
        t("method_itt"),
        t("method_payment", days=run["horizon_days"]),
        t("method_statistics", test=", ".join(dict.fromkeys(tests)) or "pooled z"),
        t("method_disclosure", n=figures["disclosure"]["threshold"]),
        t("method_load"),
    ]
    lines += _registered(figures["registration"], voice)
    facts = [
        (t("run_id"), run["id"]),
        (t("version"), f"{run['campaign']} {run['definition_version']}"),
        (t("definition_sha256"), run["definition_sha256"]),
        (t("seed"), run["seed"]),
        (t("as_of"), voice.day(run["as_of"])),
        (t("start_day"), voice.day(run["start_day"])),
        (t("service_version"), figures["report"]["service_version"]),
    ]
    return Section(
        "methods",
        t("methods"),
        [
            Words(lines, "list"),
            Table(t("facts_title"), (Column(t("item")), Column(t("value"))), facts),
        ],
    )
