"""The audit log against somebody who owns the database, knows how the chain is made, and covers
their tracks; all but the keys."""

from __future__ import annotations

import hmac

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from contact_service.store import audit, audit_chain
from contact_service.store.tables.admin import audit_log
from tests.store.test_audit_chain import (
    CHANGES,
    COPY,
    tamper,
    tamper_more,
    verdict,
    write,
    written,
)

__all__ = ["written"]


def test_every_column_of_a_line_is_tried() -> None:
    tried = {column for column, _ in CHANGES}
    assert {column.name for column in audit_log.columns} == tried


@pytest.mark.parametrize("column, value", [
    ("sequence", "sequence + 90"), ("entry_id", "1"), ("digest", "sha256('x')"),
])  # fmt: skip
@pytest.mark.parametrize("place", [1, 3, 6])
def test_a_changed_link_is_found(written: Engine, place: int, column: str, value: str) -> None:
    if (column, place) == ("entry_id", 1):
        value = "2"
    kept = verdict(written).head
    tamper(written, f"UPDATE audit_chain SET {column} = {value} WHERE sequence = {place}")
    assert verdict(written, kept).faults != []
    assert (column, place) == ("sequence", 6) or verdict(written).faults != []


@pytest.mark.parametrize("sealed", [True, False])
def test_a_line_that_is_there_twice_is_found(written: Engine, sealed: bool) -> None:
    """Proof and name and all, as one that gave a right, again after it was taken away."""
    tamper(written, COPY.format(ref="ref"))
    if sealed:
        assert audit_chain.seal(written) == 1
    found = verdict(written)
    assert (len(found.faults), "3, 7" in found.faults[0]) == (1, True)


@pytest.mark.parametrize("place", [1, 3, 6])
def test_a_removed_line_is_found_wherever_it_was(written: Engine, place: int) -> None:
    kept = verdict(written).head
    gone = f"DELETE FROM audit_log WHERE id = {place}"
    link = f"DELETE FROM audit_chain WHERE sequence = {place}"
    tamper(written, gone)
    assert f"{place}番の記録が消されています" in verdict(written).faults[0]
    tamper_more(written, link)
    assert verdict(written, kept).faults != []
    assert place == 6 or verdict(written).faults != []  # the end: only by who noted it down
    # as with all numbers moved up
    tamper_more(written, f"UPDATE audit_chain SET sequence = sequence - 1 WHERE sequence > {place}")
    assert verdict(written, kept).faults != []
    assert place == 6 or "つながりません" in verdict(written).faults[0]


def test_what_two_lines_say_is_not_swapped(written: Engine) -> None:
    """Whole, with their proofs: each fits itself, but not its place."""
    tamper(written, """
        UPDATE audit_log l SET (ref, mac, at, subject) = (o.ref, o.mac, o.at, o.subject)
        FROM audit_log o WHERE (l.id, o.id) IN ((2, 5), (5, 2))""")  # fmt: skip
    faults = verdict(written).faults
    assert ["つながりません" in fault for fault in faults] == [True, True]
    assert ("2番" in faults[0], "5番" in faults[1]) == (True, True)


def test_a_chain_made_anew_by_who_has_not_the_key_does_not_fit(written: Engine) -> None:
    """All of it, in our own way; and all lines and links gone, which only a noted end tells."""
    kept = verdict(written).head
    other = b"k" * 32
    lines = (
        "SELECT id, ref, at, actor, role, office, origin, action, subject, details FROM audit_log"
    )
    with written.connect() as connection:
        found = connection.execute(text(f"{lines} ORDER BY id")).all()
    tamper(written, "UPDATE audit_log SET actor = 'sato'")
    with written.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        digest = audit_chain.START
        for number, row in enumerate(found, 1):
            said = dict(row._mapping) | {"actor": "sato"}
            place = number.to_bytes(8, "big") + row.id.to_bytes(8, "big")
            digest = hmac.digest(other, digest + place + audit.canonical(said), "sha256")
            connection.execute(
                text("UPDATE audit_log SET mac = :mac WHERE id = :id"),
                {"mac": audit.mac(other, said), "id": row.id},
            )
            connection.execute(
                text("UPDATE audit_chain SET digest = :digest WHERE sequence = :n"),
                {"digest": digest, "n": number},
            )
    assert len(verdict(written).faults) == 6
    tamper_more(written, "TRUNCATE audit_log, audit_chain")
    assert verdict(written).faults == []
    assert "控えの6番" in verdict(written, kept).faults[0]


@pytest.mark.parametrize("statement, said", [
    ("ALTER TABLE audit_log DISABLE TRIGGER append_only", "audit_log.append_only"),
    ("ALTER TABLE audit_chain DISABLE TRIGGER ALL", "audit_chain.never_emptied"),
    ("ALTER TABLE event ENABLE REPLICA TRIGGER append_only", "event.append_only"),
    ("DROP TRIGGER never_emptied ON audit_log", "audit_log.never_emptied"),
])  # fmt: skip
def test_a_trigger_that_is_off_is_found(written: Engine, statement: str, said: str) -> None:
    with written.begin() as connection:
        connection.execute(text(statement))
    assert any(said in fault for fault in verdict(written).faults)


HUSH = (
    "CREATE FUNCTION hush() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "IF NEW.actor = 'tanaka' THEN RETURN NULL; END IF; RETURN NEW; END $$;"
    "CREATE TRIGGER a_hush BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION hush()"
)
RULE = "CREATE RULE hush AS ON INSERT TO audit_log WHERE NEW.actor = 'tanaka' DO INSTEAD NOTHING"
#: A rule may answer in the place of what it keeps away, if it is for all lines.
ANSWERED = (
    "CREATE RULE hush AS ON INSERT TO audit_log DO INSTEAD "
    "UPDATE audit_log SET actor = actor WHERE false RETURNING audit_log.*"
)


def anew(table: str, name: str, how: str, function: str = "append_only") -> str:
    return (
        f"DROP TRIGGER {name} ON {table};"
        f"CREATE TRIGGER {name} {how.format(table)} EXECUTE FUNCTION {function}()"
    )


ROWS, NEVER = "FOR EACH ROW", "FOR EACH STATEMENT"


@pytest.mark.parametrize("statement, said", [
    (HUSH, "audit_log.a_hush"),
    (RULE, "audit_log.hush"),
    ("CREATE RULE quiet AS ON UPDATE TO event DO INSTEAD NOTHING", "event.quiet"),
    ("ALTER TABLE audit_chain ENABLE ROW LEVEL SECURITY", "audit_chain.ROW LEVEL SECURITY"),
    ("CREATE POLICY p ON audit_log USING (actor <> 'tanaka')", "audit_log.ROW LEVEL SECURITY"),
    ("CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS "
     "$$ BEGIN RETURN NEW; END $$", "event.append_only"),
    ("CREATE SCHEMA x; CREATE FUNCTION x.append_only() RETURNS trigger LANGUAGE plpgsql AS "
     "$$ BEGIN RETURN NEW; END $$;"
     + anew("audit_log", "append_only", f"BEFORE UPDATE OR DELETE ON {{}} {ROWS}",
            "x.append_only"), "audit_log.append_only"),
    (anew("event", "append_only", f"BEFORE UPDATE OR DELETE ON {{}} {ROWS} WHEN (false)"),
     "event.append_only"),
    (anew("event", "append_only", f"BEFORE UPDATE OF id OR DELETE ON {{}} {ROWS}"),
     "event.append_only"),
    (anew("audit_log", "append_only", f"BEFORE DELETE ON {{}} {ROWS}"), "audit_log.append_only"),
    (anew("audit_chain", "append_only", f"BEFORE UPDATE OR DELETE ON {{}} {NEVER}"),
     "audit_chain.append_only"),
    (anew("audit_log", "never_emptied", f"BEFORE INSERT ON {{}} {NEVER}"),
     "audit_log.never_emptied"),
])  # fmt: skip
def test_whatever_could_keep_lines_away_or_let_them_change_is_named(
    written: Engine, statement: str, said: str
) -> None:
    """By what it is called where it stands, though all our names are there and on."""
    assert verdict(written).faults == []
    with written.begin() as connection:
        connection.execute(text(statement))
    assert any(said in fault for fault in verdict(written).faults)


def test_triggers_that_a_setting_of_the_database_puts_off_are_found(written: Engine) -> None:
    name = str(written.url.database)
    with written.begin() as connection:
        connection.execute(text(f'ALTER DATABASE "{name}" SET session_replication_role = replica'))
    written.dispose()
    (fault,) = verdict(written).faults
    assert "session_replication_role" in fault


@pytest.mark.parametrize("statement", [HUSH, RULE, ANSWERED])
def test_what_cannot_be_written_down_does_not_happen(written: Engine, statement: str) -> None:
    """Whoever opens somebody's data under a rule that hides it is refused, not hidden."""
    with written.begin() as connection:
        connection.execute(text(statement))
    with pytest.raises((audit.NotRecorded, DBAPIError)):
        write(written, "g")
    assert verdict(written).lines == 6


def test_what_has_no_proof_never_comes_into_the_chain(written: Engine) -> None:
    """Neither one line, nor all of them after somebody took the chain and all proofs away."""
    bare = (
        "INSERT INTO audit_log (at, actor, role, office, action, subject) "
        "VALUES (now(), 'x', 'staff', '*', 'user.added', 'x')"
    )
    tamper(written, bare)
    assert (audit_chain.seal(written), verdict(written).open) == (0, 1)
    write(written, "g")
    assert audit_chain.seal(written) == 1  # others are not held up by it
    assert len(verdict(written).faults) == 1
    with written.begin() as connection:
        for statement in (
            "ALTER TABLE audit_log DISABLE TRIGGER ALL", "ALTER TABLE audit_chain DISABLE TRIGGER ALL",
            "DELETE FROM audit_chain", "UPDATE audit_log SET mac = NULL, actor = 'sato'",
            "ALTER TABLE audit_log ENABLE TRIGGER ALL", "ALTER TABLE audit_chain ENABLE TRIGGER ALL",
        ):  # fmt: skip
            connection.execute(text(statement))
    assert audit_chain.seal(written) == 0
    assert len(verdict(written).faults) == 8
