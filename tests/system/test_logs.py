"""The last line of defence: whichever library logs a telephone number or a row, it is not told."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from contact_service import logs

NUMBERS = ["09077771234", "090-7777-1234", "+819077771234", "%2B819077771234", "81 90 7777 1234"]
STAYS = [
    "019ab3f2-7777-7123-8901-234567890123", "2026-11-02T01:02:03.000004Z", "0.1234567890",
    "127.0.0.1:59091", "1000001", "9f0c09077771234",
]  # fmt: skip


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("json", stream=stream)
    yield stream
    root.handlers[:] = kept
    root.setLevel(level)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_is_masked_wherever_it_stands(logged: io.StringIO, number: str) -> None:
    own, library = logs.log("own"), logging.getLogger("a.library")
    own.warning(f"to {number}", said=f"x {number} y", more={"a": [number, {"b": (number,)}]})
    library.warning("asked %s of %s", f"https://x/?To={number}", {"To": number})
    try:
        raise ValueError(f"no such number: {number}")
    except ValueError:
        library.exception("it failed")
        own.exception("so it did")
    lines = logged.getvalue().splitlines()
    assert len(lines) == 4
    for line in lines:
        assert number not in json.dumps(json.loads(line), ensure_ascii=False)
        assert "7777" not in line
        assert logs.MASK in line


def test_what_is_no_number_stays(logged: io.StringIO) -> None:
    for text in STAYS:
        logs.log("own").info("x", said=text)
    assert [json.loads(line)["said"] for line in logged.getvalue().splitlines()] == STAYS


def test_what_the_database_tells_of_a_row_is_left_out(logged: io.StringIO) -> None:
    """Also where the driver is used without what takes it away (``COPY``)."""
    try:
        raise ValueError(
            "duplicate key\nDETAIL:  Key (code)=(標識) already exists.\nCONTEXT:  COPY t, line 3: 標識"
        )
    except ValueError:
        logging.getLogger("psycopg").exception("it failed")
    told = json.loads(logged.getvalue())["exception"]
    assert "duplicate key" in told and "DETAIL: …" in told
    assert "Key (code)" not in told and "COPY t" not in told
