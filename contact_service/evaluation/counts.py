"""Asking the database for counts, and keeping what was asked: every figure can be traced.

Each question is one file of ``sql/``. Python does statistics on the counts that come back
and never sees the rows behind them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

SQL = Path(__file__).parent / "sql"

Row = dict[str, Any]


def statement(name: str) -> str:
    """The text of one question."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


@dataclass
class Counts:
    """One transaction's view of the database, and the questions put to it so far."""

    connection: Connection
    asked: dict[str, Row] = field(default_factory=dict)
    """Per question: its SQL, its parameters, and how many rows came back."""

    def rows(self, name: str, **parameters: Any) -> list[Row]:
        """The answer to the question ``name``; exact integers stay integers."""
        sql = statement(name)
        found = self.connection.execute(text(sql), parameters).mappings()
        rows = [{key: _plain(value) for key, value in row.items()} for row in found]
        self.keep(name, sql, parameters, len(rows))
        return rows

    def prepare(self, name: str, **parameters: Any) -> None:
        """Make the temporary table of the question ``name``; it ends with the transaction."""
        sql = statement(name)
        made = self.connection.execute(text(sql), parameters)
        self.keep(name, sql, parameters, made.rowcount)
        table = name.removeprefix("prepare_").removesuffix("s")
        self.connection.execute(text(f"ANALYZE report_{table}"))

    def keep(self, name: str, sql: str, parameters: Row, rows: int) -> None:
        """Remember what was asked."""
        shown = {key: _shown(value) for key, value in parameters.items()}
        self.asked[name] = {"sql": sql.strip(), "parameters": shown, "rows": rows}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _shown(value: Any) -> Any:
    if isinstance(value, date | datetime | UUID):
        return str(value)
    if isinstance(value, list | tuple):
        return [_shown(item) for item in value]
    return value
