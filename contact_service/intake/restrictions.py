"""Restriction files: dated reasons not to contact."""

from __future__ import annotations

from datetime import date

from contact_service.intake import matching
from contact_service.intake.faults import Reason
from contact_service.intake.parsing import Values
from contact_service.intake.staging import Counts, Import, Importer
from contact_service.logs import mask_numbers
from contact_service.store.said_again import later

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


def set_shorter_aside(file: Import) -> None:
    """Compare the staged rows with what was said before about the same, in ``said_before``; move
    those that would end what is not theirs alone to end to ``shorter_rows``.

    ``theirs``: files of this office alone have said it (or files alone, where the importer is of
    all offices), and nobody has asked two persons to decide about it. ``anew``: people had said
    it, and lifted it, before any file spoke of it. ``first``: no file has said so yet; ``shared``:
    one of another office has.
    """
    file.run(
        """
        CREATE TEMPORARY TABLE said_before ON COMMIT DROP AS
        SELECT s.line, r.id AS restriction_id, r.lifted_at, r.ends_on, r.note,
            r.origin IN ('file', 'files') AND (this.office = '*'
                OR (r.origin = 'file' AND coalesce(f.office = this.office, false)))
            AND NOT EXISTS (SELECT FROM restriction_lift l
                WHERE l.restriction_id = r.id AND l.lifted IS NOT TRUE) AS theirs,
            r.lifted_at IS NOT NULL AND r.source_file_id IS NULL
                AND r.origin NOT IN ('file', 'files') AS anew,
            r.lifted_at IS NULL AND r.source_file_id IS NULL AS first,
            r.lifted_at IS NULL AND r.origin = 'file' AND this.office NOT IN ('*', f.office)
                AS shared
        FROM staged s
        CROSS JOIN (SELECT office FROM source_file WHERE id = :file_id) this
        JOIN restriction r ON r.kind = s.kind AND r.debtor_code = s.debtor_code
            AND r.notice_number IS NOT DISTINCT FROM s.notice_number
            AND r.starts_on = s.starts_on AND r.phone_id IS NULL AND r.said_claim_id IS NULL
        LEFT JOIN source_file f ON f.id = r.source_file_id
        """,
        file_id=file.file_id,
    )
    file.run(
        """
        CREATE TEMPORARY TABLE shorter_rows ON COMMIT DROP AS
        SELECT s.line FROM staged s JOIN said_before b USING (line)
        WHERE :has_end AND NOT b.theirs AND b.lifted_at IS NULL
        AND s.ends_on < coalesce(b.ends_on, date 'infinity')
        """,
        has_end="ends_on" in file.fields,
    )
    file.run("DELETE FROM staged USING shorter_rows WHERE staged.line = shorter_rows.line")


def _merge(file: Import) -> Counts:
    """Add and update restrictions; a later file may change the last day and the note of what files
    of its office alone have said. What others have said too it may lengthen, no more.

    What staff lifted stays lifted. A restriction that the file does not list is not touched.
    """
    has = {"has_end": "ends_on" in file.fields, "has_note": "note" in file.fields}
    file.run(
        f"""
        CREATE TEMPORARY TABLE judged ON COMMIT DROP AS
        SELECT s.line, b.restriction_id, b.theirs, b.anew, b.first, b.shared, now.*,
            CASE WHEN b.restriction_id IS NULL THEN 'accepted'
                 WHEN b.anew OR now.ends_on IS DISTINCT FROM b.ends_on
                   OR now.note IS DISTINCT FROM b.note THEN 'updated'
                 ELSE 'unchanged' END AS verdict
        FROM staged s LEFT JOIN said_before b USING (line)
        CROSS JOIN LATERAL (SELECT
            CASE WHEN b.anew THEN s.ends_on
                 WHEN NOT :has_end THEN b.ends_on
                 WHEN b.theirs THEN s.ends_on
                 WHEN b.lifted_at IS NULL THEN {later("b.ends_on", "s.ends_on")}
                 ELSE b.ends_on END AS ends_on,
            CASE WHEN b.theirs AND :has_note THEN s.note
                 WHEN b.anew THEN coalesce(s.note, b.note) ELSE b.note END AS note) now
        """,
        **has,
    )
    # what two offices' files have said neither ends alone; the file that says first what people
    # have said is kept beside their word, which a correction takes back
    file.run(
        """
        UPDATE restriction r
        SET ends_on = j.ends_on, note = j.note,
            lifted_at = CASE WHEN j.anew THEN NULL ELSE r.lifted_at END,
            origin = CASE WHEN j.anew THEN 'file' WHEN j.shared THEN 'files' ELSE r.origin END,
            source_file_id = CASE WHEN j.theirs OR j.anew OR j.first
                THEN :file_id ELSE r.source_file_id END,
            source_line = CASE WHEN j.theirs OR j.anew OR j.first
                THEN j.line ELSE r.source_line END
        FROM judged j
        WHERE r.id = j.restriction_id AND (j.verdict = 'updated' OR j.first OR j.shared)
        """,
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
