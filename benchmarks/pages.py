"""How long the server takes for each page of the console with a million claims in the ledger.

Writes a million claims, their campaign under way, files, restrictions and a long audit log into a
scratch database of the embedded server, then asks every page of ``tests/web/pages.py`` for every
role, as the web application answers it. Shown are the best of some tries, because what other work
the machine has only adds to them: the whole answer, and of it the processor's time in the web
process and in the database. The goal is 300 ms for every page. Run with
``python -m benchmarks.pages``; figures go to ``benchmarks/pages.json``.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import platform
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import uvicorn
from sqlalchemy import Engine, text

from benchmarks.office import wait
from benchmarks.report_scale import INBOUND, LATER
from campaigns.conditions import FIELDS
from contact_service.bootstrap import Service
from contact_service.clock import TOKYO, FileClock
from contact_service.domain.actors import Actor, Role
from contact_service.embedded.servers import servers
from contact_service.evaluation import report_files
from contact_service.identity import accounts
from contact_service.identity.sessions import open_session
from contact_service.intake import uploads
from contact_service.intake.fields import FileKind
from contact_service.people.opening import OpenReason, open_person
from contact_service.planning import drafts
from contact_service.settings import Settings
from contact_service.stack import Stack
from contact_service.store import jobs
from contact_service.store.crypto import create_keys, load_vault
from contact_service.store.engine import connect
from contact_service.store.migrate import migrate
from contact_service.web import app as web
from tests.evaluation import world
from tests.web.pages import PAGES

GOAL_MS = 300
TRIES = 5
AT = datetime(2026, 9, 21, 10, 0, tzinfo=TOKYO)
ADMINISTRATOR = Actor("bench", Role.ADMINISTRATOR)
TEXT = (Path(__file__).parent.parent / "campaigns/library/three-arm-trial.yaml").read_text("utf-8")
#: What the addresses of pages name: each is looked up, or made, before they are asked for.
PLACES = frozenset({
    "campaign", "version", "run", "draft", "person", "opened", "entry", "file", "result", "job",
    "breakdown", "code",
})  # fmt: skip
#: Parts that a page asks for again and again.
POLLED = (
    ("run-progress", "/runs/{run}/progress", Role.APPROVER),
    ("desk-calls", "/desk/calls", Role.OPERATOR),
)
#: What is looked for by a form, so that it stands in no address.
SENT: tuple[tuple[str, str, Callable[[dict[str, str]], str]], ...] = (
    ("people-by-code", "/people", lambda places: places["code"]),
    ("people-by-name", "/people", lambda _: "鈴木花子"),
    ("people-by-number", "/people", lambda _: "090-1234-5678"),
    ("left-alone-by-code", "/do-not-contact/search", lambda places: places["code"]),
)
#: A page that says so is asked again: the figures are worked out beside.
WAITS = ("計算しています", "数えています")

#: What the run leaves out that the console shows: telephones, restrictions, files, the audit log,
#: and a run that is under way, a fifth of which is still to come.
MORE = (
    "UPDATE payment SET method = 'convenience_store'",
    """
    INSERT INTO debtor_phone (debtor_id, phone_id, rank)
    SELECT addressee_id, phone_id, 1 FROM target
    """,
    """
    INSERT INTO restriction (kind, debtor_id, debtor_code, starts_on, origin)
    SELECT (ARRAY['no_calls', 'instalment_pledge', 'opted_out', 'hardship'])[1 + n % 4], id, code,
        date '2026-04-01', 'file'
    FROM (SELECT id, code, row_number() OVER (ORDER BY id) AS n FROM debtor) d WHERE n % 12 = 0
    """,
    """
    INSERT INTO source_file (kind, layout, name, sha256, size_bytes, training, rows, accepted,
        updated, unchanged, rejected, skipped, imported_at, imported_by)
    SELECT 'claims', 'test', 'file-' || n || '.csv', md5('f' || n), 1, true, 1000, 900, 0, 0, 100,
        0, timestamptz '2026-09-20 10:00+09' - n * interval '6 hours', 'bench'
    FROM generate_series(1, 2000) AS n
    """,
    """
    INSERT INTO rejected_row (source_file_id, line, "column", reason)
    SELECT f.id, n, '未納額', 'bad_date'
    FROM source_file f, generate_series(1, 100) AS n WHERE f.rejected > 0
    """,
    """
    INSERT INTO audit_log (ref, at, actor, role, office, origin, action, subject, details, mac)
    SELECT gen_random_uuid(), timestamptz '2026-09-20 10:00+09' - n * interval '20 seconds',
        'user-' || n % 40, 'staff', '*', '', (ARRAY['person.open', 'run.pause'])[1 + n % 2],
        'debtor:' || n, '{}', '\\x00'::bytea
    FROM generate_series(500000, 1, -1) AS n
    """,
    """
    UPDATE attempt SET state = 'planned', outcome = NULL, outcome_at = NULL, submitted_at = NULL,
        provider_ref = NULL, parts = NULL, due_at = due_at + interval '14 days',
        expires_at = expires_at + interval '14 days'
    WHERE state = 'finished' AND step = 'operators'
    """,
    """
    INSERT INTO run_step (run_id, step, position, channel, starts_at, expires_at, unless, retries,
        most_tries, conditions)
    SELECT DISTINCT ON (a.step) a.run_id, a.step, CASE a.channel WHEN 'sms' THEN 0
            WHEN 'auto_call' THEN 1 ELSE 2 END, a.channel,
        a.due_at, a.expires_at, '{}', '[]', 1, '{}' FROM attempt a
    """,
    "UPDATE run SET state = 'running', frozen_at = planned_at",
    "UPDATE attempt SET submitted_at = due_at, leased_at = due_at WHERE provider IS NOT NULL",
    """
    INSERT INTO disposition (attempt_id, kind, recorded_at, recorded_by)
    SELECT attempt_id, 'absent', started_at, 'sato' FROM call
    WHERE origin = 'operator' AND attempt_id IS NOT NULL
    """,
)


@dataclass(frozen=True)
class Line:
    """One page for one role, in milliseconds."""

    name: str
    role: str
    status: int
    ms: float
    web_cpu_ms: float
    database_cpu_ms: float


def main(claims: int) -> int:
    """The exit code: 1 when a page is over the goal."""
    with tempfile.TemporaryDirectory(prefix="contact-bench-") as folder:
        Path(folder).chmod(0o755)
        clock = FileClock(Path(folder) / "clock.json")
        clock.set(AT)
        base = Settings(
            state_dir=Path(folder), web_port=0, clock=f"file:{clock.path}", _env_file=None
        )
        with servers(base) as found:
            create_keys(found.keys_path)
            service = Service(found, connect(found), load_vault(found.keys_path), clock)
            began = time.monotonic()
            rows = make(service, claims)
            print(f"{rows}, made in {time.monotonic() - began:.0f} s", flush=True)
            places, sessions = world_of_pages(service)
            with console(found) as url:
                lines = []
                for name, address, role in (*PAGES, *POLLED):
                    for line in ask(
                        service.engine, url, name, address.format(**places), role, sessions
                    ):
                        lines.append(line)
                        print(line, flush=True)
                for name, address, form in SENT:
                    line = sent(service.engine, url, name, address, form(places), sessions)
                    lines.append(line)
                    print(line, flush=True)
            service.engine.dispose()
    lines.sort(key=lambda line: -line.ms)
    result = {
        "rows": rows, "goal_ms": GOAL_MS, "cores": os.cpu_count(),
        "load_average": [round(one, 1) for one in os.getloadavg()],
        "python": platform.python_version(), "pages": [asdict(line) for line in lines],
    }  # fmt: skip
    Path(__file__).with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    for line in lines:
        print(
            f"{line.ms:8.1f} ms  web {line.web_cpu_ms:6.1f}  database "
            f"{line.database_cpu_ms:6.1f}  {line.status}  {line.name} ({line.role})"
        )
    return int(any(line.ms > GOAL_MS for line in lines))


def make(service: Service, claims: int) -> dict[str, int]:
    """A ledger of so many claims; how many rows of what."""
    engine = service.engine
    migrate(engine)
    each = int(claims / 1.65 / 3)  # three arms; a cluster has 1.1 people with 1.5 claims each
    arms = dict.fromkeys(("holdout", "sms", "sms_call"), (each, each // 2))
    made = world.World(arms=arms)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL work_mem = '256MB'"))
        connection.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        later = connection.execute(text(LATER)).all()
        for one in later:
            connection.exec_driver_sql(one.drop)
        for statement in world.STATEMENTS[:-1]:
            world.write(connection, made, statement)
            connection.execute(text("ANALYZE"))
        connection.execute(text(INBOUND), {"start": world.START})
        for statement in MORE:
            connection.execute(text(statement))
        connection.execute(  # one number for everybody: it is only opened and masked
            text("UPDATE phone SET number = :sealed"),
            {"sealed": service.vault.seal("phone.number", "+819012345678")},
        )
        for one in later:
            connection.exec_driver_sql(one.make)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        return {
            table: int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)
            for table in ("debtor", "claim", "payment", "attempt", "call", "audit_log")
        }


def world_of_pages(service: Service) -> tuple[dict[str, str], dict[Role, str]]:
    """What stands in the addresses, and somebody signed in for each role."""
    staff, now = Actor("bench-staff", Role.STAFF), service.clock.now()
    sessions: dict[Role, str] = {}
    for role in accounts.ROLES:
        name = f"bench-{role.value.replace('_', '-')}"
        accounts.add(service, ADMINISTRATOR, name, name, role)
        with service.engine.begin() as connection:
            user = connection.scalar(
                text("UPDATE user_account SET must_change = false WHERE name = :n RETURNING id"),
                {"n": name},
            )
            sessions[role] = open_session(connection, int(user or 0), "127.0.0.1", "bench")
    with service.engine.begin() as connection:
        draft = drafts.begin(connection, staff, TEXT, "SMS", now)
        people = connection.scalars(text("SELECT id FROM debtor ORDER BY id LIMIT 2")).all()
        entry = connection.scalar(text("""
            INSERT INTO library_entry (run_id, campaign, title, definition, entry, lessons, office,
                training, added_at, added_by)
            SELECT id, 'a', 'a', 'a', '{"summary": {}}', 'a', '*', true, now(), 'bench' FROM run
            RETURNING id"""))  # fmt: skip
        places = {
            "campaign": "autumn-trial", "version": "1", "run": str(world.RUN), "draft": str(draft),
            "person": str(people[0]), "opened": str(people[1]),
            "entry": str(entry),
            "file": str(connection.scalar(text("SELECT max(id) FROM source_file"))),
            "code": str(connection.scalar(text("SELECT code FROM debtor ORDER BY id LIMIT 1"))),
            "result": str(connection.scalar(text("SELECT max(id) FROM disposition"))),
        }  # fmt: skip
    field = next(iter(FIELDS))
    places["breakdown"] = str(report_files.ask_by_field(service, staff, world.RUN, field))
    counting = {report_files.KIND_BY: report_files.by_field_handler(service)}
    jobs.run_next(service.engine, counting, service.clock.now)
    content = io.BytesIO("宛名番号\n1\n".encode())
    places["job"] = str(
        uploads.hand_in(
            service, staff, FileKind.CLAIMS, "滞納.csv", content, training=True, as_of=None,
            dry_run=True, mends=None,
        )
    )  # fmt: skip
    open_person(service, staff, people[1], OpenReason.CHECK, "")
    assert set(places) == PLACES
    return places, sessions


@contextmanager
def console(settings: Settings) -> Iterator[str]:
    """The web application, in this process."""
    stack = Stack(settings, workers=0, carrier=False, report=lambda text: None)
    setattr(web, "settings", lambda: stack.settings)  # noqa: B010 - it is no export
    server = uvicorn.Server(
        uvicorn.Config(
            web.app, host=stack.settings.web_host, port=stack.settings.web_port, log_config=None,
            access_log=False,
        )
    )  # fmt: skip
    thread = threading.Thread(target=server.run)
    thread.start()
    wait(lambda: server.started or not thread.is_alive())
    try:
        yield stack.web_url
    finally:
        server.should_exit = True
        thread.join()


def ask(
    engine: Engine, url: str, name: str, address: str, role: Role | None, sessions: dict[Role, str]
) -> Iterator[Line]:
    """One page as each role sees it, those who may not open it left out."""
    for each in [role] if role is None else sessions:
        token = sessions[each] if each else ""
        status = _settled(url, address, token)
        if status == 403:
            continue
        if status >= 500:
            raise SystemExit(f"{address}: {status}")
        best: tuple[float, float, float] = (1e9, 0, 0)
        for _ in range(TRIES):
            before, cpu, began = _database_cpu(engine), time.process_time(), time.perf_counter()
            _get(url, address, token)
            took, used = time.perf_counter() - began, time.process_time() - cpu
            best = min(best, (1000 * took, 1000 * used, 1000 * (_database_cpu(engine) - before)))
        yield Line(name, each.value if each else "", status, *(round(one, 1) for one in best))


def sent(
    engine: Engine, url: str, name: str, address: str, wanted: str, sessions: dict[Role, str]
) -> Line:
    """A search, as staff make it."""
    session = sessions[Role.STAFF]
    place = address.removesuffix("/search")
    found = re.search(r'name="form_token" value="([^"]+)"', _get(url, place, session)[1])
    form = urlencode({"form_token": found[1] if found else "", "wanted": wanted})
    best: tuple[float, float, float] = (1e9, 0, 0)
    for _ in range(TRIES):
        before, cpu, began = _database_cpu(engine), time.process_time(), time.perf_counter()
        status, _page = _get(url, address, session, form)
        took, used = time.perf_counter() - began, time.process_time() - cpu
        best = min(best, (1000 * took, 1000 * used, 1000 * (_database_cpu(engine) - before)))
    if status != 200:
        raise SystemExit(f"{address}: {status}")
    return Line(name, Role.STAFF.value, status, *(round(one, 1) for one in best))


def _settled(url: str, address: str, token: str) -> int:
    """The page's status, once nothing is worked out beside any more."""
    for _ in range(600):
        status, content = _get(url, address, token)
        if not any(word in content for word in WAITS):
            return status
        time.sleep(1)
    raise SystemExit(f"{address} is never there")


def _get(url: str, address: str, token: str, form: str | None = None) -> tuple[int, str]:
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=600)
    headers = {"Cookie": f"session={token}", "Accept": "text/html"}
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request("GET" if form is None else "POST", address, form, headers)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode()
    connection.close()
    return found


def _database_cpu(engine: Engine) -> float:
    """Seconds that the database's processes have been on a processor so far."""
    with engine.connect() as connection:
        pids = connection.scalars(text("SELECT pid FROM pg_stat_activity")).all()
    used = 0
    for pid in pids:
        path = Path(f"/proc/{pid}/schedstat")
        if path.exists():
            used += int(path.read_text().split()[0])
    return used / 1e9


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 1_000_000))
