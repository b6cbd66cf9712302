"""The telephone centre's record: one row per call, into the call log.

An inbound call that was given up (放棄) reached nobody: its seconds are the time that the
caller waited, not talk. For calls that were answered the record holds no waiting time unless
the file has a column for it.
"""

from __future__ import annotations

from contact_service.domain.states import CallResult
from contact_service.intake.parsing import Values
from contact_service.intake.staging import Counts, Import, Importer, Stage, digest
from contact_service.store.crypto import Vault

_ORIGINS = {"outbound": "operator", "inbound": "resident"}
_COLUMNS = {
    "deduplication_key": "text",
    "origin": "text",
    "direction": "text",
    "started_at": "timestamptz",
    "wait_seconds": "int4",
    "talk_seconds": "int4",
    "wrap_seconds": "int4",
    "result": "text",
    "extension": "text",
    "number_index": "bytea",
}


def _stager(vault: Vault) -> Stage:
    return lambda values: _stage(vault, values)


def _stage(vault: Vault, values: Values) -> tuple[object, ...]:
    numbers = values["number"] if isinstance(values["number"], tuple) else ()
    e164 = next((number.e164 for number in numbers if number.e164), None)
    wait, talk = values["wait_seconds"], values["talk_seconds"]
    direction, result = str(values["direction"]), values["result"]
    if direction == "inbound" and result == CallResult.ABANDONED and wait is None:
        wait, talk = talk, 0
    return (
        # All that the centre records of a call; overlapping files thus add no call twice.
        f"file:{digest(vault, values).hex()}",
        _ORIGINS[direction],
        direction,
        values["started_at"],
        wait,
        talk,
        values["wrap_seconds"] or 0,
        result,
        values["extension"],
        None if e164 is None else vault.index("phone", e164),
    )


def _merge(file: Import) -> Counts:
    """Add the calls that are not there yet. A number that no person in the ledger has is not
    stored."""
    file.run("""
        CREATE TEMPORARY TABLE judged ON COMMIT DROP AS
        SELECT s.line, CASE WHEN c.id IS NULL THEN 'accepted' ELSE 'unchanged' END AS verdict
        FROM staged s LEFT JOIN call c USING (deduplication_key)
    """)
    file.run(
        """
        INSERT INTO call (origin, direction, started_at, wait_seconds, talk_seconds,
            wrap_seconds, result, extension, phone_id, source_file_id, source_line,
            deduplication_key)
        SELECT s.origin, s.direction, s.started_at, s.wait_seconds, s.talk_seconds,
            s.wrap_seconds, s.result, s.extension, ph.id, :file_id, s.line, s.deduplication_key
        FROM staged s JOIN judged USING (line)
        LEFT JOIN phone ph ON ph.number_index = s.number_index
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


IMPORTER = Importer(columns=_COLUMNS, key=("deduplication_key",), stager=_stager, merge=_merge)
