"""How long the report of a very large run takes, and how much memory.

Makes a run of a million targets with five million events in a scratch database of the embedded
server, set by set, then writes its report (HTML, JSON, PDF, Excel) in a process of its own and
measures that. Writes ``benchmarks/report_scale.json``. Run with ``make bench-report``.
"""

from __future__ import annotations

import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, text

from contact_service.bootstrap import Service
from contact_service.clock import TOKYO, FixedClock
from contact_service.domain.actors import Actor, Role
from contact_service.embedded.servers import servers
from contact_service.evaluation.forms import Format
from contact_service.evaluation.report import run_report, written
from contact_service.settings import Settings
from contact_service.store.crypto import create_keys, load_vault
from contact_service.store.engine import connect
from contact_service.store.migrate import migrate
from tests.evaluation import world

SECONDS, MEGABYTES = 60, 2048
AT = datetime(2026, 10, 26, 10, 0, tzinfo=TOKYO)
# five reports of every attempt that went out, as carriers send them: taken, sent, delivered …
EVENTS = """
    INSERT INTO event (provider, provider_ref, attempt_id, channel, status, outcome, rank, final,
                       occurred_at, received_at, via, raw, deduplication_key)
    SELECT 'simulated', a.provider_ref, a.id, a.channel, 'status ' || n, a.outcome, n, n = :each,
           a.due_at + n * interval '1 minute', a.due_at + n * interval '1 minute', 'poll', '{}',
           a.id || '/' || n
    FROM attempt a, generate_series(1, CAST(:each AS int)) AS n
    WHERE a.provider_ref IS NOT NULL
"""
# unique constraints and indexes that nothing refers to: how to drop each, how to make it again
LATER = """
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS drop,
           format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname,
                  pg_get_constraintdef(oid)) AS make
    FROM pg_constraint
    WHERE contype = 'u' AND connamespace = 'public'::regnamespace
    UNION ALL
    SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relnamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""
# one resident in ten calls the centre from the number contacted
INBOUND = """
    INSERT INTO call (origin, direction, started_at, wait_seconds, talk_seconds, wrap_seconds,
                      result, phone_id, deduplication_key)
    SELECT 'resident', 'inbound',
           CAST(:start AS date) + (n % 20)::int + time '09:30' + (n % 400) * interval '1 minute',
           n % 60, 120 + n % 200, 60, 'talked', phone_id, 'in ' || n
    FROM (SELECT phone_id, row_number() OVER () AS n FROM target) t
    WHERE n % 10 = 0
"""


def main(targets: int) -> None:
    with tempfile.TemporaryDirectory(prefix="contact-bench-") as folder:
        Path(folder).chmod(0o755)
        base = Settings(state_dir=Path(folder), _env_file=None)  # type: ignore[call-arg]
        with servers(base) as found:
            create_keys(found.keys_path)
            rows, made_in = make(found, targets)
            print(f"{rows}, made in {made_in:.0f} s", flush=True)
            before = os.getloadavg()
            measured = measure(found)
    result = {
        "rows": rows,
        "seconds_to_make": round(made_in, 1),
        **measured,
        "limits": {"seconds": SECONDS, "megabytes": MEGABYTES},
        "load_average_before": [round(one, 1) for one in before],
        "load_average_after": [round(one, 1) for one in os.getloadavg()],
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def make(settings: Settings, targets: int) -> tuple[dict[str, int], float]:
    """The run in the database; how many rows of what, and how long it took."""
    started = time.monotonic()
    engine = connect(settings)
    migrate(engine)
    each = int(targets / 3.3)  # every tenth cluster has two targets
    arms = {arm: (each, int(each * share)) for arm, share in
            (("holdout", 0.40), ("sms", 0.44), ("sms_call", 0.46))}  # fmt: skip
    with engine.begin() as connection:
        _write(connection, world.World(arms=arms), targets)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        rows = {
            table: int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)
            for table in ("target", "claim", "payment", "attempt", "event", "call")
        }
    engine.dispose()
    return rows, time.monotonic() - started


def _write(connection: Connection, made: world.World, targets: int) -> None:
    """Foreign keys are taken as given and indexes come last; each statement is planned with the
    sizes that the one before it left."""
    connection.execute(text("SET LOCAL work_mem = '256MB'"))
    connection.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    later = connection.execute(text(LATER)).all()
    for one in later:
        connection.exec_driver_sql(one.drop)
    # the quiet centre's calls look for one target each
    for statement in world.STATEMENTS[:-1]:
        world.write(connection, made, statement)
        for filled in re.findall(r"INSERT INTO (\w+)|CREATE TEMPORARY TABLE (\w+)", statement):
            connection.execute(text(f"ANALYZE {''.join(filled)}"))
    connection.execute(text(INBOUND), {"start": world.START})
    sent = connection.scalar(text("SELECT count(*) FROM attempt WHERE provider_ref <> ''"))
    times = -(-5 * targets // int(sent or 1))
    connection.execute(text(EVENTS), {"each": times})
    for one in later:
        connection.exec_driver_sql(one.make)


def measure(settings: Settings) -> dict[str, object]:
    """The report in a process of its own, so that its peak memory is its own."""
    handed = json.dumps({"url": settings.database_url, "keys": str(settings.keys_path)})
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.report_scale", "--measure", handed],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def report(handed: str) -> None:
    """In the measured process: write the report once in every format."""
    where = json.loads(handed)
    settings = Settings(  # type: ignore[call-arg]
        database_url=where["url"], keys_file=Path(where["keys"]), _env_file=None
    )
    service = Service(settings, connect(settings), load_vault(settings.keys_path), FixedClock(AT))
    started = time.monotonic()
    document, figures = run_report(service, Actor("bench", Role.EVALUATOR), world.RUN, "ja")
    counted = time.monotonic() - started
    sizes = {form.value: len(written(document, figures, form)) for form in Format}
    took = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({
        "seconds_to_count_and_analyse": round(counted, 1),
        "seconds_in_all_formats": round(took, 1),
        "peak_megabytes": round(peak),
        "bytes": sizes,
    }))  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        report(sys.argv[2])
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 1_000_000)
