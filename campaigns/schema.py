"""The shape of definitions, for editors, for error messages and for the reference page."""

from __future__ import annotations

import types
import typing
from typing import Any

from campaigns.definition import Definition
from campaigns.faults import FieldPath
from campaigns.parts import Part


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
            found = _fields_of(found).get(str(step))
        else:
            found = element_of(found)
    is_part = isinstance(found, type) and issubclass(found, Part)
    return tuple(_fields_of(found)) if is_part else ()


def _fields_of(part: type[Part]) -> dict[str, Any]:
    """What each field of a part takes, by the name that definitions use."""
    return {
        field.alias or name: _there(field.annotation) for name, field in part.model_fields.items()
    }


def _there(annotation: Any) -> Any:
    """What a field takes when it is there: ``X`` of ``X | None``."""
    if not isinstance(annotation, types.UnionType):
        return annotation
    return next(each for each in typing.get_args(annotation) if each is not type(None))


def element_of(annotation: Any) -> Any:
    """What a list or a mapping of the definition contains; ``None`` for anything else."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    return {tuple: arguments[:1], dict: arguments[1:]}.get(origin, (None,))[0]
