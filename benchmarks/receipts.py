"""The webhook against a bare endpoint of the same framework."""

from __future__ import annotations

import json
import subprocess
import sys

from sqlalchemy import text

from benchmarks import endpoint
from benchmarks.office import CARRIER, OPENS, Office, wait
from benchmarks.result import Samples
from contact_service.embedded.process import listening

REPORTS, WARM, CONNECTIONS = 12_000, 500, 64


def measure(office: Office, rounds: int, size: float) -> Samples:
    """Reports a second of each, and the milliseconds within which 99 % of ours are answered."""
    found = Samples()
    endpoint.create_table()
    for _ in range(rounds):
        bare = _load(office, "benchmarks.endpoint:app", int(REPORTS * size))
        found.add("bare_endpoint", bare["per_second"])
        ours = _load(office, "contact_service.web.app:app", int(REPORTS * size))
        found.add("receipts", ours["per_second"])
        found.add("receipts_p50_ms", ours["p50_ms"])
        found.add("receipts_p99_ms", ours["p99_ms"])
    return found


def _load(office: Office, app: str, reports: int) -> dict[str, float]:
    """Reports to one web process, each of an attempt that was accepted before."""
    attempts = _accepted(office, reports + WARM)
    settings = office.service.settings
    host, port = settings.web_host, settings.web_port
    office.write_providers("http://127.0.0.1:9", 1)
    command = (
        "-m", "uvicorn", app, "--host", host, "--port", port, "--no-access-log",
        "--log-level", "warning",
    )  # fmt: skip
    with office.process(f"web-{app}", *command):
        wait(lambda: listening(host, port))
        _post(host, port, attempts[:WARM])
        result = _post(host, port, attempts[WARM:])
    assert result["answered"] == result["sent"] == reports, result
    if app.startswith("contact_service"):
        known = office.one(
            "SELECT count(*) FROM attempt WHERE state = 'finished' AND id = ANY(:ids)",
            ids=[line.split()[0] for line in attempts],
        )
        assert known == len(attempts), f"{known} of {len(attempts)} settled"
    return result


def _post(host: str, port: int, attempts: list[str]) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.load", host, str(port), str(CONNECTIONS)]
    done = subprocess.run(
        command, input="\n".join(attempts), capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


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
    return [f"{row.id} {row.provider_ref}" for row in rows]
