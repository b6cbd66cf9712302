"""An office of any size for a benchmark: servers, a run, due attempts, worker processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import yaml
from sqlalchemy import Connection, text

from campaigns.definition import Definition
from contact_service.bootstrap import Service, wire
from contact_service.clock import TOKYO, FileClock
from contact_service.embedded.process import free_port, listening, spawn, stop
from contact_service.embedded.servers import servers
from contact_service.settings import Settings
from contact_service.stack import WORKER, environment
from contact_service.store.migrate import migrate

ACCOUNT = "AC" + "0" * 32
TOKEN = "benchmark-token"
CARRIER = "bench"
#: A working Monday in office hours.
OPENS = datetime(2026, 10, 26, 10, 0, tzinfo=TOKYO)
#: Of every hundred due attempts this many must not go out: half have paid since, half are
#: restricted since. The re-checks have something to find.
LEFT_ALONE_PERCENT = 2
ROOT = Path(__file__).parent.parent

_weekdays = ("monday", "tuesday", "wednesday", "thursday", "friday")
DEFINITION = Definition.model_validate(
    {
        "campaign": "benchmark",
        "title": "計測",
        "select": {},
        "hours": {day: [{"opens": "09:00", "closes": "17:00"}] for day in _weekdays},
        "arms": [{"name": "contact"}],
        "allocation": {"seed": "s"},
        "steps": [
            {
                "name": "sms-1", "channel": "sms", "message": "m",
                "retries": [{"on": "undelivered", "after": "2 h", "most": 1}],
            }
        ],
        "messages": {
            "m": "{office}納税課です。お伝えしたいことがあります。お電話ください。{centre_phone} "
            "行き違いの場合はご容赦ください。送信専用です。"
        },
    }
)  # fmt: skip


@dataclass
class Office:
    """A running office."""

    service: Service
    clock: FileClock
    folder: Path
    _people: int = 0
    _version_id: int = 0
    _offices: ExitStack = field(default_factory=ExitStack)

    def due(self, attempts: int) -> UUID:
        """A planned run of ``attempts`` people who all are due, each with a home, a number and
        a claim of their own. It begins with :meth:`begin`."""
        run_id, first = uuid4(), self._people + 1
        self._people += attempts
        with self.service.engine.begin() as connection:
            # the data are whole by construction; checking millions of references proves nothing
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(text("SET LOCAL synchronous_commit = off"))
            if not self._version_id:
                self._version_id = _version(connection)
            _people(connection, self.service, first, self._people)
            _run(connection, self._version_id, run_id, first, self._people)
        self.tidy()
        return run_id

    def tidy(self) -> None:
        """What preparations leave to clear away is cleared before anything is measured."""
        with self.service.engine.connect().execution_options(
            isolation_level="AUTOCOMMIT"
        ) as connection:
            connection.execute(text("VACUUM ANALYZE"))
            connection.execute(text("CHECKPOINT"))

    def begin(self, run_id: UUID) -> None:
        """From now on workers may contact the people of a run."""
        self.sql("UPDATE run SET state = 'running' WHERE id = :id", id=run_id)

    def end(self, run_id: UUID) -> None:
        """Stop a run, so that nothing of it is in the way of the next measurement."""
        self.sql("UPDATE run SET state = 'completed' WHERE id = :id", id=run_id)

    def sql(self, statement: str, **values: object) -> None:
        """One statement in a transaction of its own."""
        with self.service.engine.begin() as connection:
            connection.execute(text(statement), values)

    def one(self, statement: str, **values: object) -> object:
        """The single value of a query."""
        with self.service.engine.connect() as connection:
            return connection.scalar(text(statement), values)

    def open_ones(self, connection: Connection) -> Callable[[], bool]:
        """Whether any attempt is due or out, asked in a way that costs next to nothing."""
        question = text("""
            SELECT EXISTS (SELECT 1 FROM attempt a JOIN run r ON r.id = a.run_id
                WHERE a.state = 'planned' AND a.channel = 'sms' AND r.state = 'running')
            OR EXISTS (SELECT 1 FROM attempt WHERE state = 'leased')
        """)
        return lambda: bool(connection.scalar(question))

    def states(self, run_id: UUID) -> dict[str, int]:
        """How many attempts of a run are in which state."""
        with self.service.engine.connect() as connection:
            rows = connection.execute(
                text("SELECT state, count(*) FROM attempt WHERE run_id = :id GROUP BY 1"),
                {"id": run_id},
            )
            return {row[0]: row[1] for row in rows}

    @contextmanager
    def process(
        self, name: str, *command: object, env: dict[str, str] | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A child process with our settings, inside the block; its log is ``name.log``."""
        child = spawn(
            [sys.executable, *command],
            self.folder / f"{name}.log",
            env=environment(self.service.settings) | {"PYTHONPATH": str(ROOT)} | (env or {}),
        )
        try:
            yield child
        finally:
            stop(child, signal.SIGTERM)

    @contextmanager
    def stub(self, latency_ms: float = 0) -> Iterator[str]:
        """A carrier's stub; its address."""
        port = free_port()
        with self.process(f"stub-{port}", "-m", "benchmarks.stub", port, latency_ms):
            wait(lambda: listening("127.0.0.1", port))
            yield f"http://127.0.0.1:{port}"

    @contextmanager
    def workers(self, stub: str, in_flight: int, number: int = 2) -> Iterator[list[int]]:
        """Worker processes as the service runs them, and its beat; the workers' process ids."""
        # a file of their own: nothing must reach a queue that an earlier measurement served
        self.write_providers(stub, in_flight)
        with ExitStack() as stack:
            found = []
            for place in range(number):
                name = f"worker-{place}-{uuid4().hex[:6]}"
                child = stack.enter_context(
                    self.process(name, "-m", "celery", *WORKER, "--hostname", f"{name}@%h")
                )
                found.append((name, child))
            for name, _ in found:
                wait(lambda: "worker.ready" in self.log(name), 120)  # noqa: B023
            name = f"beat-{uuid4().hex[:6]}"
            schedule = self.folder / f"{name}.schedule"
            beat = ("-A", "contact_service.worker", "beat", "--schedule", schedule)
            stack.enter_context(self.process(name, "-m", "celery", *beat))
            # its start is no part of what is measured, and shares the cores with it
            wait(lambda: any(self.folder.glob(f"{schedule.name}*")), 120)
            yield [child.pid for _, child in found]

    def log(self, name: str) -> str:
        """What a process has printed."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def write_providers(self, stub: str, in_flight: int) -> None:
        config = {
            "name": CARRIER,
            "adapter": "twilio",
            "live": False,
            "per_second": {"sms": 10_000},
            "in_flight": in_flight,
            "options": {
                "account_sid": ACCOUNT,
                "auth_token": TOKEN,
                "base_url": stub,
                "from_number": "+81354321111",
            },
        }
        path = self.service.settings.providers_file
        assert path is not None
        path.write_text(yaml.safe_dump({"providers": [config]}))


@contextmanager
def office() -> Iterator[Office]:
    """An office on servers of its own, its clock at :data:`OPENS` and running."""
    with tempfile.TemporaryDirectory(prefix="contact-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the unprivileged PostgreSQL must reach its data
        for variable in [each for each in os.environ if each.startswith("CONTACT_")]:
            del os.environ[variable]
        clock = FileClock(folder / "clock.json")
        clock.set(OPENS, rate=1)
        base = Settings(
            _env_file=None,  # type: ignore[call-arg]
            state_dir=folder,
            clock=f"file:{clock.path}",
            providers_file=folder / "providers.yaml",
            web_port=free_port(),
        )
        with servers(base) as found:
            os.environ.update(environment(found))  # what Celery's side of this process reads
            service = wire(found, pool_size=4)
            migrate(service.engine)
            try:
                yield Office(service, clock, folder)
            finally:
                service.engine.dispose()


def wait(holds, seconds: float = 60.0) -> None:  # type: ignore[no-untyped-def]
    """Look again until it holds."""
    give_up = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > give_up:
            raise TimeoutError("a process did not come up; see its log")
        time.sleep(0.02)


def _version(connection: Connection) -> int:
    statement = text("""
        INSERT INTO campaign_version (key, version, sha256, text, definition, created_at,
            created_by)
        VALUES ('benchmark', 1, '0', '', CAST(:definition AS jsonb), now(), 'benchmark')
        RETURNING id
    """)
    definition = DEFINITION.model_dump_json()
    return int(connection.execute(statement, {"definition": definition}).scalar_one())


def _people(connection: Connection, service: Service, first: int, last: int) -> None:
    """People ``first`` to ``last``: their ids are their numbers."""
    values = {
        "first": first,
        "last": last,
        "sealed": service.vault.seal("phone.number", "+819012345678"),
        "paid": 100 - LEFT_ALONE_PERCENT // 2,
        "restricted": 100 - LEFT_ALONE_PERCENT,
    }
    for statement in _PEOPLE:
        connection.execute(text(statement), values)


_N = "FROM generate_series(CAST(:first AS bigint), :last) AS n"
_PEOPLE = (
    f"""INSERT INTO household (id, code) OVERRIDING SYSTEM VALUE SELECT n, 'h' || n {_N}""",
    f"""INSERT INTO debtor (id, code, household_id, training, source_file_id)
        OVERRIDING SYSTEM VALUE SELECT n, n::text, n, true, 1 {_N}""",
    f"""INSERT INTO phone (id, number, number_index, kind)
        OVERRIDING SYSTEM VALUE SELECT n, :sealed, sha256(n::text::bytea), 'mobile' {_N}""",
    f"INSERT INTO debtor_phone (debtor_id, phone_id, rank) SELECT n, n, 1 {_N}",
    f"""INSERT INTO claim (id, debtor_id, kind, legal_class, assessed_year, attributed_year,
            instalment, notice_number, due_on, assessed_yen, collected_yen, outstanding_yen,
            filed_outstanding_yen, filed_as_of, source_file_id, source_line)
        OVERRIDING SYSTEM VALUE
        SELECT n, n, 'health_insurance', 'compulsory_public', 2026, 2026, 1, n::text,
            '2026-08-31', 10000, 0, CASE WHEN n % 100 >= :paid THEN 0 ELSE 10000 END,
            10000, '2026-09-30', 1, 1 {_N}""",
    f"""INSERT INTO restriction (kind, debtor_id, debtor_code, starts_on, origin)
        SELECT 'bankruptcy', n, n::text, '2026-10-01', 'file' {_N}
        WHERE n % 100 >= :restricted AND n % 100 < :paid""",
)


def _run(connection: Connection, version_id: int, run_id: UUID, first: int, last: int) -> None:
    values = {"version": version_id, "run": run_id, "first": first, "last": last, "at": OPENS}
    for statement in _RUN:
        connection.execute(text(statement), values)


_TARGET = "derived_id(CAST(:run AS uuid) || ' ' || n)"
_RUN = (
    """INSERT INTO run (id, campaign_version_id, as_of, seed, state, starts_at, planned_at,
            planned_by, training, assessed_debtors, assessed_claims)
        VALUES (:run, :version, '2026-10-26', 's', 'planned', :at, :at, 'benchmark', true, 0, 0)
    """,
    """INSERT INTO run_step (run_id, step, position, channel, starts_at, expires_at, unless,
            retries)
        VALUES (:run, 'sms-1', 1, 'sms', :at, CAST(:at AS timestamptz) + interval '3 days', '{}',
            '[{"on": "undelivered", "after_seconds": 7200, "most": 1}]')""",
    f"""INSERT INTO target (id, run_id, cluster, stratum, arm, phone_id, phone_kind,
            addressee_id, outstanding_yen, claims)
        SELECT {_TARGET}, :run, n, '', 'contact', n, 'mobile', n, 10000, 1 {_N}""",
    f"""INSERT INTO target_claim (target_id, claim_id, outstanding_yen, period, legal_class)
        SELECT {_TARGET}, n, 10000, 'current', 'compulsory_public' {_N}""",
    # due from the start, a few a second, as a schedule spreads them
    """INSERT INTO attempt (id, run_id, phone_id, target_id, step, try_number, channel, state,
            due_at, expires_at)
        SELECT derived_id(t.id || ' sms-1 1'), t.run_id, t.phone_id, t.id, 'sms-1', 1, 'sms',
            'planned', CAST(:at AS timestamptz) - (t.cluster % 3600) * interval '1 s',
            CAST(:at AS timestamptz) + interval '3 days'
        FROM target t WHERE t.run_id = :run""",
)  # fmt: skip
