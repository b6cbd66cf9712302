"""What all parts of a definition are made of."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from campaigns.duration import parse_duration, show_duration

NAME = r"^[a-z][a-z0-9_-]{0,39}$"
Name = Annotated[str, Field(pattern=NAME)]
"""A name that definitions give to something of theirs."""

_MOST = 2_000_000_000  # what a PostgreSQL integer holds


class Part(BaseModel):
    """Base of all parts: nothing unknown is passed over, nothing changes afterwards."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, serialize_by_alias=True
    )


class Range(Part):
    """From ``min`` to ``max``, both included; an absent end is open."""

    min: int | None = Field(default=None, ge=0, le=_MOST)
    """The least that counts; absent: no lower end."""
    max: int | None = Field(default=None, ge=0, le=_MOST)
    """The most that counts; absent: no upper end."""


def _whole_minutes(value: time) -> time:
    """A time of day on a clock in Tokyo. Raises ``ValueError`` for seconds or an offset."""
    if value.tzinfo is None and value.second == 0 and value.microsecond == 0:
        return value
    raise ValueError("時刻は日本時間の 09:00 の形で / write a time of day, in Japan, as 09:00")


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(show_duration, when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["5 min", "2 h", "3 days"]}),
]
"""``5 min``, ``2 h``, ``3 days``."""
TimeOfDay = Annotated[
    time,
    AfterValidator(_whole_minutes),
    PlainSerializer(lambda value: f"{value:%H:%M}", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["09:00"], "pattern": "^[0-2][0-9]:[0-5][0-9]$"}),
]
"""``09:00``, in Asia/Tokyo."""
