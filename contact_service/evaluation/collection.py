"""Collection rate (収納率) and outstanding (収入未済額), by office and kind.

Current and carried over are never added up. What is neither collected nor outstanding was written
off (不納欠損), where the restrictions file says so, or else reduced (減額).
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Connection

from campaigns.vocabulary import ClaimKind, LegalClass, Period
from contact_service import offices
from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, require
from contact_service.domain.dates import fiscal_year
from contact_service.domain.restrictions import RestrictionKind
from contact_service.evaluation.counts import Counts, Row
from contact_service.evaluation.disclosure import hide_small, is_small
from contact_service.evaluation.forms import READERS
from contact_service.settings import Settings
from contact_service.store import audit

_GONE = ("written_off_yen", "reduced_yen")
_SUMS = ("claims", "assessed_yen", "collected_yen", "outstanding_yen", *_GONE, "rate")


@lru_cache(maxsize=1)
def told() -> dict[str, Any]:
    """``offices`` by kind of claim and ``definitions`` of the figures, in both languages."""
    content = (Path(__file__).parent / "collection.yaml").read_text(encoding="utf-8")
    table: dict[str, Any] = yaml.safe_load(content)
    return {"offices": offices.usual(), **table}


def collection(service: Service, actor: Actor) -> Row:
    """The figures, with their definitions and the SQL behind them; small numbers withheld.

    Raises :class:`NotAllowed`.
    """
    require(actor, *READERS)
    at = service.clock.now()
    with service.engine.begin() as connection:
        found = _figures(connection, at.date(), service.settings, actor)
        audit.record(connection, at, actor, "report.collection", at.date().isoformat())
    return {"as_of": at.date().isoformat(), **found}


def _figures(connection: Connection, day: date, settings: Settings, actor: Actor) -> dict[str, Any]:
    counts = Counts(connection)
    rows = []
    asked = {
        "this_year": fiscal_year(day),
        "day": day,
        "written_off": RestrictionKind.WRITTEN_OFF.value,
    }
    for row in counts.rows("collection", **asked):
        if not actor.sees(ClaimKind(row["kind"])):
            continue
        office = told()["offices"][row["kind"]]
        if own := settings.claim_offices.get(ClaimKind(row["kind"])):
            office = {"ja": own, "en": own}
        few = [is_small(row.pop(f"{gone}_debtors"), settings.disclosure_threshold)
               for gone in ("written_off", "reduced")]  # fmt: skip
        if any(few):  # their sum follows from the others, so that one would tell the other
            row |= dict.fromkeys(_GONE)
        rate = row["collected_yen"] / row["assessed_yen"] if row["assessed_yen"] else None
        rows.append({**row, "office": office, "rate": rate})
    kinds, classes = list(ClaimKind), list(LegalClass)
    rows.sort(key=lambda row: (list(Period).index(row["period"]), kinds.index(row["kind"]),
                               classes.index(row["legal_class"])))  # fmt: skip
    return {
        "definitions": told()["definitions"],
        "rows": hide_small(rows, "debtors", _SUMS, settings.disclosure_threshold),
        "sources": counts.asked,
    }
