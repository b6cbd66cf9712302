"""A trial as rows: one for each person."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from contact_service.evaluation.trial.covariates import standardised
from contact_service.evaluation.trial.faults import TrialRefused, at
from contact_service.evaluation.trial.least_squares import Codes, Floats, Numbers
from contact_service.evaluation.trial.reading import Table, number, opened, plain

_YES = frozenset(("1", "true", "yes", "y", "有", "あり", "はい", "○", "◯"))
_NO = frozenset(("0", "false", "no", "n", "無", "なし", "いいえ", "×"))


@dataclass(frozen=True, slots=True)
class Columns:
    """Which heading holds what. ``time`` and ``event`` belong together."""

    arm: str
    outcome: str | None = None
    cluster: str | None = None
    strata: tuple[str, ...] = ()
    time: str | None = None
    event: str | None = None
    amount: str | None = None
    covariates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """The file by columns. ``arm``, ``clusters`` and ``strata`` are codes from 0; an outcome,
    an amount and a time with its event are NaN where the file has none."""

    arms: list[str]
    arm: Codes
    outcome: Floats | None
    amount: Floats | None
    time: Floats | None
    event: Floats | None
    clusters: Codes | None
    strata: Codes | None
    covariates: Numbers | None = None


def read_rows(path: Path, columns: Columns) -> Rows:
    """The file's rows. Raises :class:`TrialRefused` with file, line, field and remedy."""
    if (columns.time is None) != (columns.event is None):
        raise TrialRefused(
            "--time と --event は一緒に指定してください（期間と、その終わりに事象があったか）",
            "--time and --event go together: how long, and whether it ended with the event",
        )
    if not (columns.outcome or columns.amount or columns.time):
        raise TrialRefused(
            "何を比べるか指定してください: --outcome、--amount、--time と --event のどれか",
            "say what to compare: --outcome, --amount, or --time with --event",
        )
    with opened(path) as table:
        arm, cluster, stratum = _Codes(), _Codes(), _Codes()
        at_arm = table.column(columns.arm)
        at_cluster = table.column(columns.cluster) if columns.cluster else None
        at_strata = [table.column(heading) for heading in columns.strata]
        values = {
            name: (table.column(heading), _READERS[name], array("d"))
            for name in _READERS
            if (heading := getattr(columns, name))
        }
        known_before = [(table.column(heading), array("d")) for heading in columns.covariates]
        for line, cells in table.rows:
            arm.add(_key(table, line, cells, [at_arm]))
            if at_cluster is not None:
                cluster.add(_key(table, line, cells, [at_cluster]))
            if at_strata:
                stratum.add(_key(table, line, cells, at_strata))
            for column, read, into in values.values():
                text = plain(cells[column])
                into.append(read(table, line, column, text) if text else float("nan"))
            for column, covariate in known_before:
                text = plain(cells[column])
                covariate.append(_amount(table, line, column, text) if text else float("nan"))
    if not arm.of:
        raise TrialRefused(
            f"{path.name} に行がありません。人ごとの行を入れてください",
            f"{path.name} has no rows; give one for each person",
        )
    found = {name: np.array(into) for name, (_, _, into) in values.items()}
    return Rows(
        [key[0] for key in arm.of],
        arm.codes(),
        found.get("outcome"),
        found.get("amount"),
        found.get("time"),
        found.get("event"),
        cluster.codes() if at_cluster is not None else None,
        stratum.codes() if at_strata else None,
        standardised([np.array(values) for _, values in known_before]),
    )


class _Codes:
    """Numbers for keys, in the order of their first appearance."""

    def __init__(self) -> None:
        self.of: dict[tuple[str, ...], int] = {}
        self._codes = array("q")

    def add(self, key: tuple[str, ...]) -> None:
        self._codes.append(self.of.setdefault(key, len(self.of)))

    def codes(self) -> Codes:
        return np.array(self._codes, dtype=np.int64)


def _key(table: Table, line: int, cells: list[str], columns: list[int]) -> tuple[str, ...]:
    key = tuple(plain(cells[column]) for column in columns)
    if not all(key):
        raise at(table.path, line, table.headings[columns[key.index("")]],
                 "空欄です。記入するか、行を除いてください",
                 "empty; fill it in or leave the row out")  # fmt: skip
    return key


def _yes_or_no(table: Table, line: int, column: int, text: str) -> float:
    if text.lower() in _YES:
        return 1.0
    if text.lower() in _NO:
        return 0.0
    raise at(table.path, line, table.headings[column], "1（あり）か 0（なし）で記入してください",
             "give 1 for yes or 0 for no")  # fmt: skip


def _amount(table: Table, line: int, column: int, text: str) -> float:
    found = number(text.removesuffix("円").removeprefix("¥"))
    if found is None:
        raise at(table.path, line, table.headings[column], "数値で記入してください",
                 "give a number")  # fmt: skip
    return found


def _time(table: Table, line: int, column: int, text: str) -> float:
    found = number(text)
    if found is None or found < 0:
        raise at(table.path, line, table.headings[column], "0以上の期間を数値で記入してください",
                 "give the time as a number, 0 or more")  # fmt: skip
    return found


_READERS: dict[str, Callable[[Table, int, int, str], float]] = {
    "outcome": _yes_or_no,
    "amount": _amount,
    "time": _time,
    "event": _yes_or_no,
}
