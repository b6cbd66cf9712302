"""The webhook against a bare endpoint of the same framework."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from sqlalchemy import text

from benchmarks import endpoint
from benchmarks.office import CARRIER, OPENS, Office, wait
from benchmarks.result import Samples
from contact_service.embedded.process import listening

REPORTS, WARM, CONNECTIONS = 12_000, 500, 64


class Post(Protocol):
    """Report on attempts; how that went."""

    def __call__(self, some: list[str], per_second: float | None = None) -> dict[str, float]: ...


def measure(office: Office, rounds: int, size: float) -> Samples:
    """Reports a second of each, and the milliseconds within which 99 % of ours are answered
    while as many a second come as the bare endpoint takes at most."""
    found, reports = Samples(), int(REPORTS * size)
    endpoint.create_table()
    for _ in range(rounds):
        with _serving(office, "benchmarks.endpoint:app", reports) as (attempts, post):
            bare = post(attempts)
        found.add("bare_endpoint", bare["per_second"])
        with _serving(office, "contact_service.web.app:app", 2 * reports) as (attempts, post):
            ours = post(attempts[:reports])
            steady = post(attempts[reports:], bare["per_second"])
            _all_settled(office, attempts)
        found.add("receipts", ours["per_second"])
        found.add("receipts_p50_ms", steady["p50_ms"])
        found.add("receipts_p99_ms", steady["p99_ms"])
        found.add("full_load_p99_ms", ours["p99_ms"])
    return found


@contextmanager
def _serving(office: Office, app: str, reports: int) -> Iterator[tuple[list[str], Post]]:
    """One web process, warm, attempts that were accepted before, and how to report on them."""
    attempts = _accepted(office, reports + WARM)
    settings = office.service.settings
    host, port = settings.web_host, settings.web_port
    office.write_providers("http://127.0.0.1:9", 1)
    command = (
        "-m", "uvicorn", app, "--host", host, "--port", port, "--no-access-log",
        "--log-level", "warning",
    )  # fmt: skip

    def post(some: list[str], per_second: float | None = None) -> dict[str, float]:
        rate = [str(per_second)] if per_second else []
        command = [sys.executable, "-m", "benchmarks.load", host, str(port), str(CONNECTIONS)]
        done = subprocess.run(
            command + rate, input="\n".join(some), capture_output=True, text=True, check=True
        )
        result: dict[str, float] = json.loads(done.stdout)
        assert result["answered"] == result["sent"] == len(some), result
        return result

    with office.process(f"web-{app}", *command):
        wait(lambda: listening(host, port))
        post(attempts[:WARM])
        yield attempts[WARM:], post


def _all_settled(office: Office, attempts: list[str]) -> None:
    known = office.one(
        "SELECT count(*) FROM attempt WHERE state = 'finished' AND id = ANY(:ids)",
        ids=[line.split()[0] for line in attempts],
    )
    assert known == len(attempts), f"{known} of {len(attempts)} settled"


def _accepted(office: Office, attempts: int) -> list[str]:
    """Attempts that the carrier has taken: their id and its identifier."""
    run = office.due(attempts)
    office.sql("UPDATE run SET state = 'running' WHERE id = :id", id=run)
    with office.service.engine.begin() as connection:
        rows = connection.execute(
            text("""
            UPDATE attempt SET state = 'accepted', provider = :provider, lease_number = 1,
                provider_ref = 'SM' || replace(id::text, '-', ''), leased_at = :at,
                submitted_at = :at, lease_until = clock_timestamp(), parts = 2
            WHERE run_id = :run RETURNING id, provider_ref
            """),
            {"provider": CARRIER, "run": run, "at": OPENS},
        ).all()
    office.tidy()
    return [f"{row.id} {row.provider_ref}" for row in rows]
