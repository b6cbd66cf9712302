"""Errors of everything that is no page, as RFC 9457 has them (``application/problem+json``).

``detail`` is for people, Japanese first; ``status``, and the code of each fault, are for
programs. What somebody sent is never
sent back: a number that was refused must not come to lie in another system's log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

MEDIA_TYPE = "application/problem+json"


class Fault(BaseModel):
    """One value that cannot be."""

    pointer: str = Field(description="which value: a JSON pointer into the body, or the parameter")
    detail: str
    code: str


class Problem(BaseModel):
    """RFC 9457."""

    type: str = Field(description="`about:blank`: the status says what kind it is")
    title: str
    status: int
    detail: str
    instance: str = Field(description="the path that was asked for")
    errors: list[Fault] | None = Field(default=None, description="of a 422: every faulty value")


#: How every answer of the API that is no success is described.
RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "a problem (RFC 9457)",
        "model": Problem,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}


def problem(
    request: Request,
    status: int,
    detail: str = "",
    headers: Mapping[str, str] | None = None,
    faults: Sequence[Any] = (),
) -> JSONResponse:
    """The answer that says what went wrong."""
    title = HTTPStatus(status).phrase
    said = Problem(
        type="about:blank",
        title=title,
        status=status,
        detail=detail or title,
        instance=request.url.path,
        errors=[_fault(fault) for fault in faults] or None,
    )
    return JSONResponse(
        said.model_dump(exclude_none=True),
        status,
        headers=dict(headers or {}),
        media_type=MEDIA_TYPE,
    )


def _fault(fault: Mapping[str, Any]) -> Fault:
    where, *path = fault["loc"]
    pointer = "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in path)
    return Fault(
        pointer=f"#/{pointer}" if where == "body" else f"{where}:{pointer}",
        detail=fault["msg"],
        code=fault["type"],
    )
