"""The shape of definitions, for editors, for error messages and for the reference page."""

from __future__ import annotations

import typing
from typing import Any

from campaigns.definition import Definition, Part
from campaigns.faults import FieldPath


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of definitions, for editors that check while one writes."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Definition.model_json_schema(),
    }


def fields_at(path: FieldPath) -> tuple[str, ...]:
    """The names of the fields that belong at a place; none where it takes free names."""
    found: Any = Definition
    for step in path:
        if isinstance(found, type) and issubclass(found, Part):
            field = found.model_fields.get(str(step))
            found = field.annotation if field else None
        else:
            found = element_of(found)
    is_part = isinstance(found, type) and issubclass(found, Part)
    return tuple(found.model_fields) if is_part else ()


def element_of(annotation: Any) -> Any:
    """What a list or a mapping of the definition contains; ``None`` for anything else."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    return {tuple: arguments[:1], dict: arguments[1:]}.get(origin, (None,))[0]
