"""The reports themselves: count in one snapshot, estimate, put in words, write.

Reading a report reveals nobody: it holds counts only, no name and no number.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from contact_service import __version__
from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, require, require_kinds
from contact_service.evaluation import cost, flow, payment, units
from contact_service.evaluation.chapters.whole import load_document, run_document
from contact_service.evaluation.counts import Counts, Row
from contact_service.evaluation.document import html, pdf, xlsx
from contact_service.evaluation.document.model import Document
from contact_service.evaluation.facts import Completeness, NoSuchRun, RunFacts, run_facts
from contact_service.evaluation.forms import READERS, Format
from contact_service.evaluation.load import load_figures
from contact_service.evaluation.trial.analyse import analyse
from contact_service.evaluation.trial.design import at_day, of_definition
from contact_service.evaluation.withholding import withhold
from contact_service.evaluation.wording import language, texts
from contact_service.planning.definitions import kinds_of
from contact_service.planning.registration import departed, registration
from contact_service.store import audit

#: How much of the call log before a run's start it is compared with.
BEFORE = timedelta(weeks=8)

#: A million targets are hashed in memory instead of sorted on disk, and a tenth of the usual rows
#: is enough to plan by: the server's own defaults are meant for many small questions.
SETTINGS = ("work_mem = '64MB'", "default_statistics_target = 10")

Figures = dict[str, Any]


class NoCalls(Exception):
    """The call log is empty."""


def run_report(service: Service, actor: Actor, run_id: UUID, lang: str) -> tuple[Document, Figures]:
    """The report of a run, as a document and as figures, small numbers withheld in both.

    ``lang`` is ``ja`` or ``en``. Reading is recorded. Raises :class:`NotAllowed`,
    :class:`NoSuchRun`, ``ValueError`` for another language.
    """
    require(actor, *READERS)
    words = language(lang)
    at = service.clock.now()
    with _snapshot(service) as connection, connection.begin():
        facts, counted = run_figures(connection, run_id, at)
        require_kinds(actor, kinds_of(facts.definition))
        audit.record(connection, at, actor, "report.run", str(run_id), lang=lang)
    figures = withhold(counted, service.settings.disclosure_threshold)
    return run_document(facts, figures, words), figures


def written(document: Document, figures: Figures, form: Format) -> bytes:
    """A report as the content of one file."""
    at = datetime.fromisoformat(figures["report"]["written_at"])
    match form:
        case Format.HTML:
            return html.page(document).encode()
        case Format.PDF:
            return pdf.pdf(document, at)
        case Format.XLSX:
            return xlsx.workbook(document, at)
        case Format.JSON:
            return json.dumps(figures, ensure_ascii=False, indent=1, default=str).encode()


def write_run_report(
    service: Service,
    actor: Actor,
    run_id: UUID,
    output: Path,
    lang: str,
    forms: Iterable[Format] = (Format.HTML, Format.JSON),
) -> Figures:
    """Write ``report.html``, ``report.json`` … into the folder ``output``; the figures.

    Raises what :func:`run_report` does, and ``OSError``.
    """
    document, figures = run_report(service, actor, run_id, lang)
    output.mkdir(parents=True, exist_ok=True)
    for form in forms:
        write_whole(output / f"report.{form}", written(document, figures, form))
    return figures


def write_trial_report(
    service: Service, actor: Actor, run_id: UUID, form: Format, output: Path, lang: str
) -> Figures:
    """Write the report of a run into the file ``output``; the figures.

    Raises what :func:`run_report` does, and ``OSError``.
    """
    document, figures = run_report(service, actor, run_id, lang)
    output.parent.mkdir(parents=True, exist_ok=True)
    write_whole(output, written(document, figures, form))
    return figures


def write_load_report(
    service: Service,
    actor: Actor,
    start: date | None,
    change: date | None,
    end: date | None,
    output: Path | None,
    lang: str,
) -> Figures:
    """The centre's load from ``start`` to ``end``, compared before and from ``change`` on; as
    HTML in ``output``, if given.

    Left out, they are the first and last day of the call log, and the start of the latest run
    between them. ``lang`` is ``ja`` or ``en``. Raises :class:`NotAllowed`, :class:`NoCalls`,
    ``ValueError`` for another language, ``OSError``.
    """
    require(actor, *READERS)
    words = language(lang)
    at = service.clock.now()
    with _snapshot(service) as connection, connection.begin():
        counts = Counts(connection)
        known = counts.rows("call_days")[0]
        if not known["calls"]:
            raise NoCalls(
                "通話記録がありません。intake calls で取り込んでください / "
                "the call log is empty: import one with intake calls"
            )
        first, last = start or known["first_day"], end or known["last_day"]
        runs = [row for row in counts.rows("runs") if first < row["start_day"] <= last]
        turn = change or next((row["start_day"] for row in runs), None)
        training = any(row["training"] for row in runs)
        load = load_figures(connection, first, turn, last, training=training)
        audit.record(connection, at, actor, "report.load", f"{first}/{last}", lang=lang)
    figures = {"report": about("load", at), "sources": load.pop("sources"), "load": load}
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_whole(output, html.page(load_document(figures, words)).encode())
    return figures


def latest_run(service: Service, actor: Actor) -> UUID:
    """The run that started last. Raises :class:`NotAllowed`, :class:`NoSuchRun`."""
    require(actor, *READERS)
    with service.engine.connect() as connection:
        runs = Counts(connection).rows("runs")
    if not runs:
        raise NoSuchRun(
            "実施がまだありません。campaign schedule で予定してください / "
            "there is no run yet: put a version on the calendar with campaign schedule"
        )
    found: UUID = runs[0]["id"]
    return found


def run_figures(connection: Connection, run_id: UUID, at: datetime) -> tuple[RunFacts, Figures]:
    """Everything that is counted and estimated of a run, as it goes into ``report.json``.

    Uses temporary tables: call once in a transaction, best in a repeatable-read one.
    Raises :class:`NoSuchRun`.
    """
    for setting in SETTINGS:
        connection.execute(text(f"SET LOCAL {setting}"))
    counts = Counts(connection)
    facts = run_facts(counts, run_id)
    flow.prepare(counts, facts)
    found = counts.rows("arms")
    order = facts.in_order({row["arm"] for row in found})
    arms = sorted(found, key=lambda row: order.index(row["arm"]))
    contacts = flow.contacts(counts, facts)
    paid = payment.payment(counts, facts, arms)
    analysis = _analysis(counts, facts, arms)
    load = _load_around(connection, counts, facts)
    figures = {
        "report": about("run", at),
        "run": facts.as_dict(),
        "flow": flow.flow(counts, facts, arms),
        "contacts": contacts,
        "payment": _as_registered(paid, analysis),
        "analysis": analysis,
        "registration": _registration(connection, facts, arms),
        "cost": cost.cost(counts, facts, arms, contacts["parts"], paid["comparisons"], analysis),
        "load": load,
        "rows": f"contact-service report rows {facts.id}",
        "sources": counts.asked | (load.pop("sources") if load else {}),
    }
    return facts, figures


def _analysis(counts: Counts, facts: RunFacts, arms: list[Row]) -> Figures | None:
    """What the design asks for; ``None`` without anybody to compare with, or any payments."""
    design = of_definition(facts.definition)
    if (
        design is None
        or facts.completeness is Completeness.UNKNOWN
        or design.control not in {row["arm"] for row in arms}
    ):
        return None
    data = units.trial_data(counts, facts, arms)
    found = analyse(data, at_day(design, facts.days_complete)).as_dict()
    return {
        **found,
        "counted_by": ["units", "prepare_attempts", "prepare_talks", "prepare_clusters", "strata"],
    }


def _as_registered(paid: Figures, analysis: Figures | None) -> Figures:
    """Payment with the p-values of the registered analysis: adjusted over its own comparisons,
    and for its looks."""
    found = {
        (c["arm"], c["control"], c["primary"]): c for c in (analysis or {}).get("comparisons", ())
    }
    primary = paid["primary_outcome"]
    return {
        **paid,
        "comparisons": [
            row | {"p_adjusted": registered["p_adjusted"]}
            if (registered := found.get((row["arm"], row["control"], primary)))
            else row
            for row in paid["comparisons"]
        ],
    }


def _registration(connection: Connection, facts: RunFacts, arms: list[Row]) -> Figures | None:
    """What was registered before launch, and what departs from it; ``None``: nothing was.

    Of the allocation the sizes of the arms are compared: ``trial replay`` deals it again.
    """
    kept = registration(connection, facts.id)
    if kept is None:
        return None
    departures: list[Figures] = [one.as_dict() for one in departed(kept, facts.definition)]
    if kept.clusters != {row["arm"]: row["clusters"] for row in arms}:
        departures.append({"path": "allocation", **texts()["departs_allocation"]})
    return {
        "registered_at": kept.registered_at.isoformat(),
        "protocol_sha256": kept.sha256,
        "intact": kept.intact,
        "departures": departures,
    }


def _load_around(connection: Connection, counts: Counts, facts: RunFacts) -> Figures | None:
    """The centre's load from some weeks before the start to the end of the horizon."""
    known = counts.rows("call_days")[0]
    if not known["calls"]:
        return None
    first = max(known["first_day"], facts.start_day - BEFORE)
    last = min(known["last_day"], facts.horizon_end - timedelta(days=1))
    if last < first:
        return None
    return load_figures(connection, first, facts.start_day, last, training=facts.training)


def about(kind: str, at: datetime) -> Figures:
    return {"kind": kind, "written_at": at.isoformat(), "service_version": __version__}


def _snapshot(service: Service) -> Connection:
    """A connection whose transaction sees one state of the database, so that sums agree."""
    return service.engine.connect().execution_options(isolation_level="REPEATABLE READ")


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file whole: a reader never finds half a report."""
    draft = path.with_name(f".{path.name}.new")
    draft.write_bytes(content)
    draft.replace(path)
