"""The telephone centre's record: one row per call, into the call log.

An inbound call that was given up (放棄) reached nobody: its seconds are the time that the
caller waited, not talk. For calls that were answered the record holds no waiting time unless
the file has a column for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from contact_service.domain.actors import Actor, require
from contact_service.domain.states import CallResult
from contact_service.intake.history import READERS, of_office
from contact_service.intake.parsing import Values
from contact_service.intake.staging import DIGEST, Counts, Import, Importer, Stage, told
from contact_service.store.crypto import Writing
from contact_service.store.indexing import CALL_KEY

_ORIGINS = {"outbound": "operator", "inbound": "resident"}
_COLUMNS = {
    "call_id": "text",
    "deduplication_key": "text",
    "key_before": "text",
    "origin": "text",
    "direction": "text",
    "started_at": "timestamptz",
    "wait_seconds": "int4",
    "talk_seconds": "int4",
    "wrap_seconds": "int4",
    "result": "text",
    "extension": "text",
    "number_index": "bytea",
    "index_before": "bytea",
}


def _stager(vault: Writing) -> Stage:
    return lambda values: _stage(vault, values)


def _stage(vault: Writing, values: Values) -> tuple[object, ...]:
    numbers = values["number"] if isinstance(values["number"], tuple) else ()
    e164 = next((number.e164 for number in numbers if number.e164), None)
    wait, talk = values["wait_seconds"], values["talk_seconds"]
    direction, result = str(values["direction"]), values["result"]
    if direction == "inbound" and result == CallResult.ABANDONED and wait is None:
        wait, talk = talk, 0
    call_id = values["call_id"]
    all_told = told({name: value for name, value in values.items() if name != "call_id"})
    digest, digest_before = vault.both(DIGEST, all_told)
    index, index_before = (None, None) if e164 is None else vault.both("phone", e164)
    return (
        call_id,
        # All that the centre records of a call; overlapping files thus add no call twice.
        # A system's own identifier says it shorter, and names what a webhook reported, too.
        f"{direction}:{str(call_id)[:70]}" if call_id else f"{CALL_KEY}{digest.hex()}",
        None if call_id or digest_before is None else f"{CALL_KEY}{digest_before.hex()}",
        _ORIGINS[direction],
        direction,
        values["started_at"],
        wait,
        talk,
        values["wrap_seconds"] or 0,
        result,
        values["extension"],
        index,
        index_before,
    )


def _merge(file: Import) -> Counts:
    """Add the calls that are not there yet. A number that no person in the ledger has is not
    stored. A call that a campaign placed is in the ledger already, as an attempt."""
    file.run("""
        CREATE TEMPORARY TABLE judged ON COMMIT DROP AS
        SELECT s.line, CASE WHEN c.id IS NULL AND older.id IS NULL AND NOT EXISTS (
            SELECT 1 FROM attempt a WHERE a.provider = split_part(s.call_id, ':', 1)
                AND a.provider_ref = split_part(s.call_id, ':', 2)
        ) THEN 'accepted' ELSE 'unchanged' END AS verdict
        FROM staged s LEFT JOIN call c USING (deduplication_key)
        LEFT JOIN call older ON older.deduplication_key = s.key_before
    """)
    file.run(
        """
        INSERT INTO call (origin, direction, started_at, wait_seconds, talk_seconds,
            wrap_seconds, result, extension, phone_id, source_file_id, source_line,
            deduplication_key)
        SELECT s.origin, s.direction, s.started_at, s.wait_seconds, s.talk_seconds,
            s.wrap_seconds, s.result, s.extension, coalesce(ph.id, older.id), :file_id, s.line,
            s.deduplication_key
        FROM staged s JOIN judged USING (line)
        LEFT JOIN phone ph ON ph.number_index = s.number_index
        LEFT JOIN phone older ON older.number_index = s.index_before
        WHERE verdict = 'accepted' ORDER BY s.line
        """,
        file_id=file.file_id,
    )
    counts = file.verdicts()
    unknown = file.connection.exec_driver_sql(
        "SELECT count(*) FROM call WHERE phone_id IS NULL AND source_file_id = %s",
        (file.file_id,),
    ).scalar_one()
    return Counts(
        counts.get("accepted", 0), 0, counts.get("unchanged", 0), {"without_phone": int(unknown)}
    )


IMPORTER = Importer(
    columns=_COLUMNS,
    key=("deduplication_key",),
    stager=_stager,
    merge=_merge,
    subject="started_at",
)


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A call of a file that is not one person's. The line of the file is where it stands."""

    file: str
    line: int
    started_at: datetime
    direction: str
    result: str
    why: str
    """``unknown``: the number is withheld, or not in the ledger, and so not kept; ``shared``:
    several people have it."""


def unmatched(
    connection: Connection,
    actor: Actor,
    file_id: int | None = None,
    after: int = 0,
    most: int | None = None,
) -> list[Unmatched]:
    """The calls of the files of the actor's office that could be matched to nobody or to several
    people, by file and line; of one file, those behind the line ``after``. Raises
    :class:`~contact_service.domain.actors.NotAllowed`."""
    require(actor, *READERS, contractors=False)
    found = connection.execute(
        text("""
        SELECT f.name AS file, c.source_line AS line, c.started_at, c.direction, c.result,
            CASE WHEN c.phone_id IS NULL THEN 'unknown' ELSE 'shared' END AS why
        FROM call c JOIN source_file f ON f.id = c.source_file_id
        WHERE (CAST(:office AS text) = '*' OR f.office = :office) AND (c.phone_id IS NULL
            OR (SELECT count(*) FROM debtor_phone dp WHERE dp.phone_id = c.phone_id) > 1)
            AND (CAST(:file AS bigint) IS NULL OR f.id = :file AND c.source_line > :after)
        ORDER BY f.id, c.source_line LIMIT :most
        """),
        {"file": file_id, "after": after, "most": most} | of_office(actor),
    )
    return [Unmatched(**row._mapping) for row in found]
