"""A world with something of an office (所管課) in every place, for who asks about it from another."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import Connection, text

from contact_service.domain.actors import Role
from contact_service.intake import uploads
from contact_service.intake.fields import FileKind
from tests.dispatch.conftest import STAFF, Floor
from tests.web.browser import Browser
from tests.web.people import signed_in
from tests.web.test_doors import Door
from tests.web.test_replies import writes
from tests.web.world import world

NURSERY = "保育担当課"
#: What is written whoever asks: who asked, and figures worked out beside.
BESIDE = {"audit_log", "audit_chain", "user_account", "user_session", "api_token"}


@dataclass
class Asking:
    """A world with something of an office in every place, and who asks about it."""

    floor: Floor
    door: Door
    places: Mapping[str, str]
    operator: Browser
    """Whose desk has somebody on it."""

    def digest(self) -> dict[str, str]:
        """What every table holds."""
        with self.floor.service.engine.connect() as connection:
            each = " UNION ALL ".join(
                f"SELECT '{name}', md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) "
                f'FROM "{name}" t'
                for name in tables(connection)
            )
            return {row[0]: str(row[1]) for row in connection.execute(text(each))}

    def keep(self) -> dict[str, str]:
        """Keep the world as it is beside itself; its digest."""
        with self.floor.service.engine.begin() as connection:
            connection.execute(text("CREATE SCHEMA kept"))
            for name in tables(connection):
                connection.execute(text(f'CREATE TABLE kept."{name}" AS TABLE "{name}"'))
        return self.digest()

    def bring_back(self, kept: Mapping[str, str]) -> None:
        """Make the world what it was."""
        now = self.digest()
        with self.floor.service.engine.begin() as connection:
            # no triggers, and no order among tables
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            for name in kept:
                if now[name] != kept[name]:
                    connection.execute(text(f'DELETE FROM "{name}"'))
                    own = written(connection, name)
                    connection.execute(
                        text(f'INSERT INTO "{name}" ({own}) OVERRIDING SYSTEM VALUE '
                             f'SELECT {own} FROM kept."{name}"')
                    )  # fmt: skip

    def filled(self, value: object) -> object:
        """``value`` with the world's identifiers; ``"#{claim}"``: as a number."""
        if isinstance(value, str):
            if value.startswith("#{"):
                return int(value[1:].format_map(self.places))
            return value.format_map(self.places) if value.startswith("{") else value
        if isinstance(value, Mapping):
            return {name: self.filled(inner) for name, inner in value.items()}
        return [self.filled(inner) for inner in value] if isinstance(value, list) else value


def written(connection: Connection, table: str) -> str:
    """The columns of a table that are written, not made from others."""
    found: str = connection.execute(
        text("""
        SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = :table AND is_generated = 'NEVER'
        """),
        {"table": table},
    ).scalar_one()
    return found


def tables(connection: Connection) -> list[str]:
    """Those that hold what is written about people and campaigns."""
    names = connection.scalars(
        text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    )
    return [name for name in names if name not in BESIDE]


@pytest.fixture
def asking(floor: Floor, door: Door) -> Asking:
    places = world(floor, door)
    one = floor.ledger.one
    writes(door, 1, "半分なら払えます")
    sato = signed_in(floor, door, "sato", Role.OPERATOR).open("/desk").send("/desk/next")
    lift = one("SELECT id FROM restriction_lift")
    floor.ledger.run(  # a deferral, which concerns one claim, and a wish to end it
        "INSERT INTO restriction (kind, debtor_id, claim_id, debtor_code, starts_on, origin) "
        "SELECT 'collection_deferred', c.debtor_id, c.id, c.id::text, DATE '2026-01-01', 'file' FROM claim c "
        "ORDER BY c.id LIMIT 2"
    )
    deferrals = [r[0] for r in floor.ledger.rows(
        "SELECT id FROM restriction WHERE kind = 'collection_deferred' ORDER BY id")]  # fmt: skip
    floor.ledger.run(
        "INSERT INTO restriction_lift (restriction_id, reason, asked_at, asked_by) "
        "VALUES (:id, 'x', now(), 'planner')", id=deferrals[1],
    )  # fmt: skip
    floor.ledger.run(
        "INSERT INTO result_correction (disposition_id, was, became, corrected_at, corrected_by, "
        "why, restrictions) VALUES (:id, '{\"kind\": \"hardship\"}', 'absent', now(), 'mori', :why, "
        "ARRAY[CAST(:restriction AS bigint)])",
        id=int(places["result"]), restriction=deferrals[0],
        why=floor.service.vault.seal("result_correction.why", "取り違え"),
    )  # fmt: skip
    held = one("SELECT id FROM attempt WHERE state = 'leased' AND lease_owner = 'sato'")
    assert lift and held
    checked = uploads.hand_in(
        replace(floor.service, settings=door.stack.settings), STAFF, FileKind.CLAIMS, "x.csv",
        io.BytesIO(b"x"), dry_run=True,
    )  # fmt: skip
    at_the_desk = one(
        "SELECT min(c.debtor_id) FROM attempt a JOIN target_claim tc ON tc.target_id = a.target_id "
        "JOIN claim c ON c.id = tc.claim_id WHERE a.id = :id", id=held,
    )  # fmt: skip
    return Asking(floor, door, {
        **places, "key": places["campaign"], "number": "2", "run_id": places["run"],
        "debtor_id": places["person"], "file_id": places["file"], "job_id": places["job"],
        "draft_id": places["draft"], "disposition_id": places["result"], "decision": "approve",
        "action": "pause",
        "code": str(one("SELECT code FROM debtor WHERE id = :id", id=int(places["person"]))),
        "claim": str(one("SELECT id FROM claim WHERE debtor_id = :id", id=int(places["person"]))),
        "unknown": str(one("SELECT id FROM attempt WHERE needs_person ORDER BY id LIMIT 1")),
        "restriction_id": str(deferrals[0]),
        "lift_id": str(one("SELECT max(id) FROM restriction_lift")),
        "asked_id": str(one("SELECT min(id) FROM bulk_access")),
        "correction_id": str(one("SELECT id FROM result_correction")),
        "held": str(held), "checked": str(checked), "at_the_desk": str(at_the_desk), "piece": str(held), "conversation_id": str(held),
    }, sato)  # fmt: skip
