"""Restriction files: dated reasons not to contact."""

from __future__ import annotations

from datetime import date

from contact_service.intake import matching
from contact_service.intake.faults import Reason
from contact_service.intake.parsing import Values
from contact_service.intake.staging import Counts, Import, Importer
from contact_service.logs import mask_numbers

_COLUMNS = {
    "debtor_code": "text",
    "notice_number": "text",
    "kind": "text",
    "starts_on": "date",
    "ends_on": "date",
    "note": "text",
}


def _stage(values: Values) -> tuple[object, ...]:
    note = values["note"]
    return (
        *(values[name] for name in _COLUMNS if name != "note"),
        None if note is None else mask_numbers(str(note)),
    )


def _check(values: Values) -> tuple[str, Reason] | None:
    starts, ends = values["starts_on"], values["ends_on"]
    if isinstance(starts, date) and isinstance(ends, date) and ends < starts:
        return "ends_on", Reason.ENDS_BEFORE_START
    return None


def _merge(file: Import) -> Counts:
    """Add and update restrictions; a later file may change the last day and the note.

    What staff lifted stays lifted. A restriction that the file does not list is not touched.
    """
    has = {"has_end": "ends_on" in file.fields, "has_note": "note" in file.fields}
    file.run(
        """
        CREATE TEMPORARY TABLE judged ON COMMIT DROP AS
        SELECT s.line, r.id AS restriction_id,
            CASE WHEN r.id IS NULL THEN 'accepted'
                 WHEN :has_end AND r.ends_on IS DISTINCT FROM s.ends_on
                   OR :has_note AND r.note IS DISTINCT FROM s.note THEN 'updated'
                 ELSE 'unchanged' END AS verdict
        FROM staged s
        LEFT JOIN restriction r ON r.kind = s.kind AND r.debtor_code = s.debtor_code
            AND r.notice_number IS NOT DISTINCT FROM s.notice_number
            AND r.starts_on = s.starts_on AND r.phone_id IS NULL
        """,
        **has,
    )
    file.run(
        """
        UPDATE restriction r
        SET ends_on = CASE WHEN :has_end THEN s.ends_on ELSE r.ends_on END,
            note = CASE WHEN :has_note THEN s.note ELSE r.note END,
            source_file_id = :file_id, source_line = s.line
        FROM staged s JOIN judged j USING (line)
        WHERE r.id = j.restriction_id AND j.verdict = 'updated'
        """,
        **has,
        file_id=file.file_id,
    )
    file.run(
        """
        INSERT INTO restriction (kind, debtor_code, notice_number, starts_on, ends_on, note,
                                 origin, source_file_id, source_line)
        SELECT s.kind, s.debtor_code, s.notice_number, s.starts_on, s.ends_on, s.note,
               'file', :file_id, s.line
        FROM staged s JOIN judged USING (line) WHERE verdict = 'accepted' ORDER BY s.line
        """,
        file_id=file.file_id,
    )
    matching.match_restrictions(file)
    counts = file.verdicts()
    unknown = file.connection.exec_driver_sql(
        "SELECT count(*) FROM restriction WHERE debtor_id IS NULL AND source_file_id = %s",
        (file.file_id,),
    ).scalar_one()
    return Counts(
        counts.get("accepted", 0),
        counts.get("updated", 0),
        counts.get("unchanged", 0),
        {"without_debtor": int(unknown)},
    )


IMPORTER = Importer(
    columns=_COLUMNS,
    key=("debtor_code", "notice_number", "kind", "starts_on"),
    stager=lambda _: _stage,
    check=_check,
    subject="kind",
    merge=_merge,
)
