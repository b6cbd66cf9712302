"""From the frozen allocation to the columns that the analysis takes.

The database makes one row a cluster; the rows come over as binary COPY of fixed width and are
read straight into arrays, so that a million of them take seconds and some tens of megabytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from psycopg import ClientCursor
from sqlalchemy import text

from campaigns.vocabulary import ClaimKind, LegalClass, Period
from contact_service.domain.ages import AGE_BANDS
from contact_service.domain.restrictions import RestrictionKind
from contact_service.evaluation.counts import Counts, Row, statement
from contact_service.evaluation.facts import RunFacts
from contact_service.evaluation.flow import REACHED
from contact_service.evaluation.trial.data import Factor, Times, TrialData

#: From these on nothing is collected: who had not paid by then is not observed any longer.
ENDING = (
    RestrictionKind.EXECUTION_SUSPENDED,
    RestrictionKind.WRITTEN_OFF,
    RestrictionKind.BANKRUPTCY,
)
AMOUNTS = (20_000, 50_000, 150_000)
"""Where the bands of the outstanding amount begin, in yen, as the allocation has them."""
AMOUNT_BANDS = ("a:-2万", "b:2-5万", "c:5-15万", "d:15万-")
HOURS = (12, 15, 17)
"""Where the parts of the day begin in which a unit was first contacted."""
HOUR_BANDS = ("morning", "early_afternoon", "late_afternoon", "evening")

_HEADER = 19  # signature, flags, length of the extension
_NARROW = {"arm", "stratum", "kind", "legal_class", "period", "amount_band", "age_band",
           "hour", "paid_something", "paid_in_full", "promise_kept", "inbound_call", "complaint",
           "opt_out", "collection_ended", "delivered", "paid_earlier"}  # fmt: skip
_WHOLE = (
    "arm", "stratum", "kind", "legal_class", "period", "amount_band", "age_band", "hour",
    "paid_something", "paid_in_full", "promise_kept", "inbound_call", "complaint", "opt_out",
    "collection_ended", "delivered", "paid_earlier", "first_day", "ended_day", "claims",
    "inbound_calls", "outbound_calls", "inbound_seconds", "operator_seconds",
)  # fmt: skip
_OUTCOMES = (
    "paid_something", "paid_in_full", "promise_kept", "inbound_call", "complaint", "opt_out",
    "collection_ended",
)  # fmt: skip
_REAL = ("paid_yen", "outstanding_yen", "cost_yen")
_BLOCK = 20_000
"""How many rows are read into arrays at once."""

Columns = dict[str, Any]


def trial_data(counts: Counts, facts: RunFacts, arms: list[Row]) -> TrialData:
    """The run as the analysis takes it: one row a cluster, everybody where allocated.

    ``arms`` is the answer to ``arms.sql``, in the definition's order. Payment is looked at until
    the last day of which all payments have come; who was not seen to pay until then, or until
    nothing of theirs was collected any more (suspended, written off), is censored there.
    """
    names = tuple(row["arm"] for row in arms)
    strata = tuple(row["stratum"] for row in counts.rows("strata"))
    found = _columns(counts, facts, names, strata)
    days = facts.days_complete
    return TrialData(
        arms=names,
        arm=found["arm"],
        outcomes={name: found[name] for name in _OUTCOMES},
        amounts={"paid_yen": found["paid_yen"]},
        times={"days_to_payment": _times(found, days)} if days else {},
        strata=Factor(strata, found["stratum"]),
        factors={
            "kind": Factor(tuple(ClaimKind), found["kind"]),
            "legal_class": Factor(tuple(LegalClass), found["legal_class"]),
            "period": Factor(tuple(Period), found["period"]),
            "amount_band": Factor(AMOUNT_BANDS, found["amount_band"]),
            "age_band": Factor(AGE_BANDS, found["age_band"]),
            "hour": Factor(HOUR_BANDS, found["hour"]),
        },
        covariates={
            "outstanding_yen": found["outstanding_yen"],
            "claims": found["claims"].astype(np.float32),
            "paid_earlier": found["paid_earlier"].astype(np.float32),
        },
        delivered=found["delivered"],
        load={
            "inbound_calls": found["inbound_calls"].astype(np.float32),
            "outbound_calls": found["outbound_calls"].astype(np.float32),
            "inbound_seconds": found["inbound_seconds"].astype(np.float32),
            "operator_seconds": found["operator_seconds"].astype(np.float32),
            "agent_seconds": (found["inbound_seconds"] + found["operator_seconds"]).astype(
                np.float32
            ),
        },
        cost_yen=found["cost_yen"],
    )


def _times(found: Columns, days: int) -> Times:
    """Day 1 is the start day. Nobody can be seen after ``days``, nor once nothing was collected."""
    end = np.where(found["ended_day"] >= 0, found["ended_day"] + 1, days)
    end = np.minimum(end, days)
    paid = np.where(found["first_day"] >= 0, found["first_day"] + 1, days + 1)
    return Times(np.minimum(paid, end).astype(np.float32), (paid <= end).astype(np.int8))


def _columns(
    counts: Counts, facts: RunFacts, arms: tuple[str, ...], strata: tuple[str, ...]
) -> Columns:
    prices = facts.definition.costs
    parameters: Row = {
        "run_id": facts.id,
        "start_day": facts.start_day,
        "horizon_end": facts.horizon_end,
        "complete_until": facts.complete_until,
        "reached": [outcome.value for outcome in REACHED],
        "ending": [kind.value for kind in ENDING],
        "sms_part_yen": prices.sms_part_yen,
        "call_minute_yen": prices.call_minute_yen,
        "operator_hour_yen": prices.operator_hour_yen,
        "letter_yen": prices.letter_yen,
        "arms": list(arms),
        "strata": list(strata),
        "kinds": [kind.value for kind in ClaimKind],
        "legal_classes": [found.value for found in LegalClass],
        "periods": [period.value for period in Period],
        "amounts": [float(amount) for amount in AMOUNTS],
        "ages": list(AGE_BANDS),
        "hours": [float(hour) for hour in HOURS],
    }
    kept = {name: [] for name in (*_WHOLE, *_REAL)}  # type: dict[str, list[Any]]
    n = 0
    for block in _blocks(counts, parameters):
        n += len(block)
        for name, parts in kept.items():
            parts.append(block[name].astype(_type(name)))
    counts.keep("units", statement("units"), parameters, n)
    return {
        name: np.concatenate(parts) if parts else np.zeros(0, _type(name))
        for name, parts in kept.items()
    }


def _type(name: str) -> Any:
    if name in _REAL:
        return np.float64
    if name == "stratum":
        return np.int16
    return np.int8 if name in _NARROW else np.int32


def _blocks(counts: Counts, parameters: Row) -> Iterator[Any]:
    """The answer to ``units.sql``, some thousand rows at a time.

    A binary COPY row is the number of fields, then of each its length and its bytes; without
    NULLs and texts every row has the same width.
    """
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for name in _WHOLE:
        fields += [(f"{name} length", ">i4"), (name, ">i4")]
    for name in _REAL:
        fields += [(f"{name} length", ">i4"), (name, ">f8")]
    row = np.dtype(fields)
    asked = text(statement("units")).bindparams(**parameters)
    query = str(asked.compile(dialect=counts.connection.dialect))
    raw = counts.connection.connection.driver_connection
    if raw is None:
        raise RuntimeError("the connection is closed")
    values = asked.compile(dialect=counts.connection.dialect).params
    held = bytearray()
    header = _HEADER
    with ClientCursor(raw) as cursor:
        copied = f"COPY ({cursor.mogrify(query, values)}) TO STDOUT (FORMAT BINARY)"
        with cursor.copy(copied) as stream:
            for part in stream:
                held += part
                if len(held) > header + row.itemsize * _BLOCK:
                    whole = (len(held) - header) // row.itemsize
                    yield np.frombuffer(bytes(held[header : header + whole * row.itemsize]), row)
                    del held[: header + whole * row.itemsize]
                    header = 0
    whole = (len(held) - header - 2) // row.itemsize  # two bytes end the stream
    if whole > 0:
        yield np.frombuffer(bytes(held[header : header + whole * row.itemsize]), row)
