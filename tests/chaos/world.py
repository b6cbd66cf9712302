"""A ward, its servers, its carrier and its workers, all of which the harness may break."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import redis
import yaml
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from campaigns.definition import Definition
from contact_service.bootstrap import Service, wire
from contact_service.clock import TOKYO, FileClock
from contact_service.demo.residents import write_residents
from contact_service.domain.actors import Actor, Role
from contact_service.embedded.postgres import EmbeddedPostgres
from contact_service.embedded.process import free_port
from contact_service.embedded.valkey import EmbeddedValkey
from contact_service.planning import runs
from contact_service.settings import Settings
from contact_service.stack import ACCOUNT, Stack
from contact_service.store.migrate import migrate
from tests.ledger import definition

STAFF = Actor("planner", Role.STAFF)
APPROVER = Actor("approver", Role.APPROVER)
FIRST_DAY = date(2026, 10, 26)  # a Monday
#: Three attempts for every four people, and one in seven is also called.
STEPS_A_PERSON = 2.15
LEASE_SECONDS = 60.0
CARRIER = "chaos"

#: An independent witness: what was leased, when by the database's own clock, and on what day
#: and hour the service believed it to be. It knows nothing of the statement that leases.
WITNESS = """
CREATE TABLE chaos_lease (
    attempt_id uuid NOT NULL, lease_number int NOT NULL, owner text,
    began timestamptz NOT NULL, service_at timestamptz NOT NULL);
CREATE TABLE chaos_unknown (attempt_id uuid NOT NULL, reason text);
CREATE FUNCTION chaos_witness() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'leased' THEN
        INSERT INTO chaos_lease VALUES (NEW.id, NEW.lease_number, NEW.lease_owner,
            statement_timestamp(), NEW.leased_at);
    ELSIF NEW.state = 'unknown' AND OLD.state <> 'unknown' THEN
        INSERT INTO chaos_unknown VALUES (NEW.id, NEW.reason);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER chaos_witness AFTER UPDATE OF state ON attempt
    FOR EACH ROW EXECUTE FUNCTION chaos_witness();
"""


@dataclass
class World:
    """Everything that the harness handles."""

    service: Service
    clock: FileClock
    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey
    stack: Stack
    state: Path
    run_id: UUID
    #: From which instant to which the service's clock was moved.
    jumps: list[tuple[datetime, datetime]] = field(default_factory=list)

    def carrier(self, path: str, body: object | None = None) -> Any:
        """Ask or tell the simulated carrier."""
        request = urllib.request.Request(
            f"{self.stack.settings.carrier_url}/simulation/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def journal(self, name: str) -> list[dict[str, Any]]:
        """What the carrier wrote down: ``accepted`` or ``acknowledged``."""
        path = self.state / "outbox" / f"{name}.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}")]

    def jump(self, to: datetime) -> None:
        """Move the service's clock; from there it runs on."""
        self.jumps.append((self.clock.now(), to))
        self.clock.set(to, rate=1.0)

    def rows(self, statement: str, **values: object) -> list[Any]:
        """The rows of a query, tried again while the database is away."""
        return insist(lambda: self._rows(statement, values))

    def _rows(self, statement: str, values: dict[str, object]) -> list[Any]:
        with self.service.engine.begin() as connection:
            found = connection.execute(text(statement), values)
            return list(found.all()) if found.returns_rows else []

    def states(self) -> dict[str, int]:
        """How many attempts are in which state."""
        return dict(self.rows("SELECT state, count(*) FROM attempt GROUP BY 1"))  # type: ignore[arg-type]

    def kill(self, name: str) -> None:
        """SIGKILL to one of our processes."""
        self.stack.kill(name)

    def signal_servers(self, pids: list[int], number: int) -> None:
        """Send a signal to a server and its children."""
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:  # a child that had just ended
                continue

    def expire_leases_of_the_dead(self) -> list[UUID]:
        """What would take a minute: leases of workers that are surely dead run out."""
        alive = [process.pid for process in self.stack.processes.values()]
        found = self.rows(
            "UPDATE attempt SET lease_until = clock_timestamp() - interval '1 s' "
            "WHERE state = 'leased' AND split_part(lease_owner, ':', 2) <> ALL(:alive) "
            "RETURNING id",
            alive=[str(pid) for pid in alive],
        )
        return [row.id for row in found]


def insist(work: Callable[[], Any], seconds: float = 120.0) -> Any:
    """Do it again until the database takes it: it is killed now and then."""
    give_up = time.monotonic() + seconds
    while True:
        try:
            return work()
        except DBAPIError:
            if time.monotonic() > give_up:
                raise
            threading.Event().wait(0.1)


def campaign() -> Definition:
    """Two waves of SMS with one text, the hardest to tell apart, and calls for some."""
    steps = [
        {"name": "sms-1", "channel": "sms", "message": "m", "expires_after_days": 25,
         "retries": [{"on": "undelivered", "after": "20 min", "most": 1}]},
        {"name": "sms-2", "channel": "sms", "message": "m", "start": {"after_days": 1},
         "expires_after_days": 25},
        {"name": "call-1", "channel": "auto_call", "script": "s", "expires_after_days": 25,
         "arms": ["called"], "retries": [{"on": "busy", "after": "5 min", "most": 2}]},
    ]  # fmt: skip
    arms = [{"name": "written", "weight": 17}, {"name": "called", "weight": 3}]
    caps = {"per_7_days": 7, "per_30_days": 30}
    return definition(campaign="chaos", arms=arms, steps=steps, caps=caps)


def carriers(per_second: float) -> list[dict[str, Any]]:
    """The providers' file: the simulated carrier, with time-outs that fit a short run."""
    return [
        {
            "name": CARRIER,
            "adapter": "twilio",
            "live": False,
            "per_second": {"sms": per_second, "auto_call": max(5.0, per_second / 4)},
            "in_flight": 60,
            "limits": {"concurrent_calls": 25},
            "options": {
                "account_sid": ACCOUNT,
                "auth_token": {"file": "TOKEN"},
                "base_url": "CARRIER",
                "from_number": "+81354321111",
                "machine_detection": "Enable",
                "read_timeout_seconds": 2,
                "total_timeout_seconds": 3,
                "connect_timeout_seconds": 1,
                "throttle_pause_seconds": 0.5,
                "listing_complete_after_seconds": 3,
            },
        }
    ]


@contextmanager
def world(folder: Path, people: int, per_second: float, workers: int) -> Iterator[World]:
    """Servers, ledger, a started run and the stack, until the block ends."""
    folder.chmod(0o755)  # the unprivileged PostgreSQL must reach its data
    state = folder / "state"
    state.mkdir()
    postgres, valkey = EmbeddedPostgres(state / "postgres"), EmbeddedValkey(state / "valkey")
    clock = FileClock(state / "clock.json")
    clock.set(datetime(2026, 10, 26, 9, 30, tzinfo=TOKYO), rate=1.0)
    carrier_url = f"http://127.0.0.1:{free_port()}"
    spec = json.dumps(carriers(per_second))
    spec = spec.replace("TOKEN", str(state / "carrier-token")).replace("CARRIER", carrier_url)
    (state / "providers.yaml").write_text(yaml.safe_dump({"providers": json.loads(spec)}))
    # so much goes wrong here that the service would stop by itself, and rightly
    never = dict.fromkeys(("failures", "wrong_numbers", "complaints"))
    (state / "pacing.yaml").write_text(yaml.safe_dump({"pauses": never}))
    try:
        settings = Settings(
            _env_file=None,  # type: ignore[call-arg]
            database_url=postgres.start(),
            redis_url=valkey.start(),
            state_dir=state,
            clock=f"file:{clock.path}",
            web_port=0,
            carrier_url=carrier_url,
            providers_file=state / "providers.yaml",
            pacing_file=state / "pacing.yaml",
            beat_seconds=0.5,
            lease_seconds=LEASE_SECONDS,
        )
        service = wire(settings)
        migrate(service.engine)
        add_people(service, people)
        write_residents(service, STAFF, state / "residents.jsonl")
        stack = Stack(
            settings, workers=workers, residents=state / "residents.jsonl",
            report=lambda said: None, app="tests.chaos.worker", beats=2, longest_wait=1.0,
        )  # fmt: skip
        run_id = _start(service)
        try:
            stack.start()
            stack.wait_ready(300)  # a busy machine takes minutes to start a dozen processes
            yield World(service, clock, postgres, valkey, stack, state, run_id)
        finally:
            stack.stop()
            service.engine.dispose()
    finally:
        for server in (valkey, postgres):
            for pid in server.pids:
                os.kill(pid, signal.SIGCONT)
            server.stop()


def _start(service: Service) -> UUID:
    spec, now = campaign(), service.clock.now()
    run_id = runs.plan(service.engine, STAFF, spec, spec.model_dump_json(), FIRST_DAY, now).run_id
    with service.engine.begin() as connection:
        connection.execute(text(WITNESS))
    runs.start(service.engine, APPROVER, run_id, now, [])
    return run_id


def number_of(n: int) -> str:
    """The n-th mobile number."""
    return f"+8190{10_000_000 + n}"


def add_people(service: Service, people: int) -> None:
    """People with one claim and one number each."""
    vault, seal = service.vault, service.vault.seal
    numbers = [number_of(n) for n in range(people)]
    with service.engine.begin() as connection:
        connection.execute(
            text("""
            WITH person AS (
                SELECT * FROM unnest(CAST(:codes AS text[]), CAST(:names AS bytea[]),
                    CAST(:indices AS bytea[]), CAST(:numbers AS bytea[]))
                    AS p(code, name, number_index, number)
            ), file AS (
                INSERT INTO source_file (kind, layout, name, sha256, size_bytes, training, rows,
                    accepted, updated, unchanged, rejected, skipped, imported_at, imported_by)
                VALUES ('claims', 'chaos', 'chaos', '0', 0, true, 0, 0, 0, 0, 0, 0, :now, 'chaos')
                RETURNING id
            ), home AS (
                INSERT INTO household (code) SELECT 'h' || code FROM person RETURNING id, code
            ), who AS (
                INSERT INTO debtor (code, household_id, name, training, source_file_id)
                SELECT p.code, h.id, p.name, true, file.id FROM file, person p
                JOIN home h ON h.code = 'h' || p.code RETURNING id, code
            ), line AS (
                INSERT INTO phone (number_index, number, kind)
                SELECT number_index, number, 'mobile' FROM person RETURNING id, number_index
            ), has AS (
                INSERT INTO debtor_phone (debtor_id, phone_id, rank)
                SELECT who.id, line.id, 1 FROM person p JOIN who USING (code)
                JOIN line USING (number_index)
            )
            INSERT INTO claim (debtor_id, kind, legal_class, assessed_year, attributed_year,
                instalment, notice_number, due_on, assessed_yen, collected_yen, outstanding_yen,
                filed_outstanding_yen, filed_as_of, source_file_id, source_line)
            SELECT who.id, 'health_insurance', 'compulsory_public', 2026, 2026, 1, who.code,
                '2026-08-31', 10000, 0, 10000, 10000, '2026-09-30', file.id, 1 FROM file, who
            """),
            {
                "codes": [str(20_000_000 + n) for n in range(people)],
                "names": [seal("debtor.name", "世田谷太郎")] * people,
                "indices": [vault.indexes("phone", number)[0] for number in numbers],
                "numbers": [seal("phone.number", number) for number in numbers],
                "now": datetime.now(UTC),
            },
        )


def forget_everything(world: World) -> None:
    """Redis loses all it knew."""
    client = redis.Redis.from_url(world.service.settings.broker_url, socket_timeout=5)
    with client:
        client.flushall()
