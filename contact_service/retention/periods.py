"""The classes of data and how long each is kept."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field

USUAL = Path(__file__).with_name("periods.yaml")
Days = Annotated[int, Field(ge=1, le=36525)]


class DataClass(StrEnum):
    """What is kept equally long."""

    PEOPLE = "people"
    NOTES = "notes"
    MESSAGES = "messages"
    REJECTED_ROWS = "rejected_rows"
    SESSIONS = "sessions"
    IDEMPOTENCY_KEYS = "idempotency_keys"


class Periods(BaseModel):
    """Days, by class. All of them must be said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    people: Days
    notes: Days
    messages: Days
    rejected_rows: Days
    sessions: Days
    idempotency_keys: Days

    def of(self, kind: DataClass) -> int:
        """How many days a class is kept."""
        days: int = getattr(self, kind.value)
        return days


@lru_cache(maxsize=4)
def periods(path: Path | None) -> Periods:
    """Read the office's file, or the usual one. Raises ``ValueError`` for a faulty one."""
    return Periods.model_validate(yaml.safe_load((path or USUAL).read_text(encoding="utf-8")))
