"""``contact-service intake`` as a person or a script meets it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner, Result

from contact_service import logs
from contact_service.bootstrap import Service
from contact_service.cli import common
from contact_service.cli.intake import app
from tests.intake.conftest import CALL, CLAIM, PAYMENT, RESTRICTION, Query, write_csv


@pytest.fixture
def run(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    handlers = list(logging.getLogger().handlers)

    @contextmanager
    def ours() -> Iterator[Service]:
        logs.configure(level=logging.WARNING, stream=io.StringIO())
        yield service

    monkeypatch.setattr(common, "service", ours)
    monkeypatch.setenv("CONTACT_ACTOR", "kato")
    monkeypatch.setenv("COLUMNS", "200")

    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    yield invoke
    logging.getLogger().handlers[:] = handlers
    structlog.reset_defaults()


def test_json_is_the_counts(run, query: Query, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    bad = {**CLAIM, "期別": "4", "未納額": "未定"}
    path = write_csv(tmp_path / "a.csv", [CLAIM, bad, CLAIM])
    result = run("claims", path, "--json", "--training", "--as-of", "2026-09-30")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {
        "rows": 3, "accepted": 1, "updated": 0, "unchanged": 0, "rejected": 1, "skipped": 1,
        "rejects": str(tmp_path / "a.rejects.csv"),
    }  # fmt: skip
    assert query("SELECT training, imported_by, details->>'as_of' FROM source_file") == [
        (True, "kato", "2026-09-30")
    ]


@pytest.mark.parametrize(
    ("kind", "row"), [("payments", PAYMENT), ("restrictions", RESTRICTION), ("calls", CALL)]
)
def test_every_kind_has_its_command(  # type: ignore[no-untyped-def]
    run, query: Query, tmp_path: Path, kind: str, row: dict[str, str]
) -> None:
    result = run(kind, write_csv(tmp_path / "a.csv", [row]), "--json")
    assert json.loads(result.stdout)["accepted"] == 1
    assert query("SELECT kind, training FROM source_file") == [(kind, False)]


def test_a_person_sees_counts_and_the_first_ten_rejected_rows(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    rows = [{**CLAIM, "通知書番号": str(n), "未納額": "[未定]"} for n in range(12)]
    mended_at = tmp_path / "elsewhere.csv"
    path = write_csv(tmp_path / "a.csv", rows)
    result = run("claims", path, "--dry-run", "--rejects", mended_at)
    assert result.exit_code == 0
    assert "何も変更していません" in result.stdout
    assert result.stdout.count("[未定]") == 10
    assert "│ 11" in result.stdout
    assert "│ 12 " not in result.stdout.split("先頭10件")[1]
    assert str(mended_at) in result.stdout
    assert mended_at.exists()


def test_a_refused_file_is_exit_code_2(run, query: Query, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    result = run("claims", write_csv(tmp_path / "p.csv", [PAYMENT]), "--json")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "intake payments" in result.stderr
    assert query("SELECT count(*) FROM source_file") == [(0,)]
