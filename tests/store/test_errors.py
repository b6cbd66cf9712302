"""What the database says of a row that it refuses goes into logs and to a shell: without the row."""

from __future__ import annotations

import traceback

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from tests.conftest import ROOT

MARK = "標識世帯"
ONE = "INSERT INTO household (code) VALUES (:mark)"


@pytest.mark.parametrize("statement, said", [
    (ONE, "uq_household_code"),
    ("INSERT INTO debtor (code, training) VALUES (:mark, true)", "source_file_id"),
    ("SELECT CAST(CAST(:mark AS text) AS integer)", "invalid input syntax"),
    ("SELECT CAST(CAST(:mark AS text) || code AS date) FROM household", "invalid input syntax"),
    ("UPDATE household SET code = code || repeat(:mark, 99)", "too long"),
    # told with the place in a function, as COPY tells the line of a file
    ("DO $$ BEGIN PERFORM code::integer FROM household; END $$", "invalid input syntax"),
])  # fmt: skip
def test_an_error_tells_no_value(engine: Engine, statement: str, said: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(ONE), {"mark": MARK})
    given = {"mark": MARK} if ":mark" in statement else {}
    with pytest.raises(DBAPIError) as raised, engine.begin() as connection:
        connection.execute(text(statement), given)
    told = "".join(traceback.format_exception(raised.value))
    assert said in told
    assert MARK not in told and "DETAIL" not in told and "CONTEXT" not in told
    assert len(str(raised.value.orig).splitlines()) <= 3  # with the place in the statement


def test_the_servers_own_logs_leave_rows_out() -> None:
    """The embedded server's and that of the deployment."""
    for path in ("contact_service/embedded/postgres.py", "docker-compose.yml"):
        said = (ROOT / path).read_text(encoding="utf-8")
        for setting in ("log_error_verbosity=terse", "log_min_error_statement=panic"):
            assert setting in said, (path, setting)


def test_the_embedded_server_logs_no_row(engine: Engine) -> None:
    """As it runs: what it was told at its start."""
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW log_error_verbosity")) == "terse"
        assert connection.scalar(text("SHOW log_min_error_statement")) == "panic"
        assert connection.scalar(text("SHOW log_parameter_max_length_on_error")) == "0"
