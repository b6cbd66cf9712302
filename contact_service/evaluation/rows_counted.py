"""The rows that a figure of a report counts, by their identifiers: no name and no number.

Whoever doubts a figure can count again. Rows of a few people are told here that a report would
withhold, so only evaluators and auditors may ask, and that they did is recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import text

from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, Role, require, require_kinds
from contact_service.evaluation import flow
from contact_service.evaluation.counts import Counts, statement
from contact_service.evaluation.facts import run_facts
from contact_service.planning.definitions import kinds_of
from contact_service.store import audit


class Figure(StrEnum):
    """What is counted."""

    EXCLUDED = "excluded"
    HOUSEHOLDS = "households"
    CLAIMS = "claims"
    PAYMENTS = "payments"
    ATTEMPTS = "attempts"
    CALLS = "calls"


_OF_TABLES = (Figure.HOUSEHOLDS, Figure.CLAIMS, Figure.PAYMENTS)


def rows_counted(
    service: Service, actor: Actor, run_id: UUID, figure: Figure
) -> Iterator[tuple[Any, ...]]:
    """The names of the columns, then the rows, as a stream from one snapshot.

    Raises :class:`NotAllowed`, :class:`NoSuchRun`, both with the first row asked for.
    """
    require(actor, Role.EVALUATOR, Role.AUDITOR)
    at = service.clock.now()
    connection = service.engine.connect().execution_options(isolation_level="REPEATABLE READ")
    with connection, connection.begin():
        counts = Counts(connection)
        facts = run_facts(counts, run_id)
        require_kinds(actor, kinds_of(facts.definition))
        audit.record(connection, at, actor, "report.rows", str(run_id), figure=figure.value)
        if figure in _OF_TABLES:
            flow.prepare(counts, facts)
        asked = statement(f"rows_{figure}")
        values = {"run_id": facts.id, "start_day": facts.start_day,
                  "horizon_end": facts.horizon_end}  # fmt: skip
        known = {name: value for name, value in values.items() if f":{name}" in asked}
        found = connection.execution_options(yield_per=5000).execute(text(asked), known)
        yield tuple(found.keys())
        for row in found:
            yield tuple(row)
