"""What all parts of a definition are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
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
