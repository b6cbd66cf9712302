"""Claims files: one row per claim and instalment, with the person on every row."""

from __future__ import annotations

from contact_service.intake import matching, people
from contact_service.intake.parsing import Values
from contact_service.intake.staging import Counts, Import, Importer, Stage
from contact_service.logs import mask_numbers
from contact_service.store.crypto import Writing

_COLUMNS = {
    "debtor_code": "text",
    "kind": "text",
    "legal_class": "text",
    "assessed_year": "int2",
    "attributed_year": "int2",
    "instalment": "int2",
    "notice_number": "text",
    "due_on": "date",
    "assessed_yen": "int8",
    "collected_yen": "int8",
    "outstanding_yen": "int8",
    "demand_sent_on": "date",
    "note": "text",
}


def _stager(vault: Writing) -> Stage:
    person_of = people.stager(vault)
    return lambda values: (*_claim(values), *person_of(values))


def _claim(values: Values) -> tuple[object, ...]:
    year, assessed, owed = (
        values[name] for name in ("assessed_year", "assessed_yen", "outstanding_yen")
    )
    if not isinstance(assessed, int) or not isinstance(owed, int):
        raise TypeError("amounts are required")
    collected = values["collected_yen"]
    note = values["note"]
    return (
        values["debtor_code"],
        values["kind"],
        values["legal_class"],
        year,
        year if values["attributed_year"] is None else values["attributed_year"],
        values["instalment"],
        values["notice_number"],
        values["due_on"],
        assessed,
        max(0, assessed - owed) if collected is None else collected,
        owed,
        values["demand_sent_on"],
        None if note is None else mask_numbers(str(note)),
    )


def _merge(file: Import) -> Counts:
    """Bring the ledger up to date.

    A row is accepted when its claim is new, updated when the claim or its person's data
    changed. A claim that a newer file has described stays as it is. A claim that the file
    does not list is not touched.
    """
    bad_numbers = people.merge(file)
    matching.prepare(file)
    _judge(file)
    _update(file)
    _insert(file)
    file.run("""
        INSERT INTO touched_claim
        SELECT claim_id FROM judged WHERE claim_changed ON CONFLICT DO NOTHING
    """)
    matching.match_payments(file)
    matching.find_outstanding(file)
    matching.match_restrictions(file)
    counts = file.verdicts()
    return Counts(
        counts.get("accepted", 0),
        counts.get("updated", 0),
        counts.get("unchanged", 0) + counts.get("older", 0),
        {"people_with_bad_number": bad_numbers, "older_than_ledger": counts.get("older", 0)},
    )


def _judge(file: Import) -> None:
    file.run(
        """
        CREATE TEMPORARY TABLE judged ON COMMIT DROP AS
        SELECT line, debtor_id, claim_id, claim_changed,
            CASE WHEN claim_id IS NULL THEN 'accepted'
                 WHEN older THEN 'older'
                 WHEN claim_changed OR person_changed THEN 'updated'
                 ELSE 'unchanged' END AS verdict
        FROM (
            SELECT s.line, d.id AS debtor_id, c.id AS claim_id,
                t.id IS NOT NULL AS person_changed,
                c.filed_as_of > :as_of AS older,
                c.filed_as_of <= :as_of
                AND (c.legal_class, c.attributed_year, c.due_on, c.assessed_yen, c.collected_yen,
                     c.filed_outstanding_yen, c.filed_as_of,
                     CASE WHEN :has_demand THEN c.demand_sent_on END,
                     CASE WHEN :has_note THEN c.note END)
                IS DISTINCT FROM
                    (s.legal_class, s.attributed_year, s.due_on, s.assessed_yen, s.collected_yen,
                     s.outstanding_yen, CAST(:as_of AS date), s.demand_sent_on, s.note)
                AS claim_changed
            FROM staged s
            JOIN debtor d ON d.code = s.debtor_code
            LEFT JOIN touched_debtor t ON t.id = d.id
            LEFT JOIN claim c ON c.debtor_id = d.id AND c.kind = s.kind
                AND c.assessed_year = s.assessed_year AND c.notice_number = s.notice_number
                AND c.instalment = s.instalment
        ) AS compared
        """,
        as_of=file.as_of,
        has_demand="demand_sent_on" in file.fields,
        has_note="note" in file.fields,
    )
    file.run("ANALYZE judged")


def _update(file: Import) -> None:
    file.run(
        """
        UPDATE claim c
        SET legal_class = s.legal_class, attributed_year = s.attributed_year, due_on = s.due_on,
            assessed_yen = s.assessed_yen, collected_yen = s.collected_yen,
            filed_outstanding_yen = s.outstanding_yen, filed_as_of = :as_of,
            demand_sent_on = CASE WHEN :has_demand THEN s.demand_sent_on ELSE c.demand_sent_on END,
            note = CASE WHEN :has_note THEN s.note ELSE c.note END,
            source_file_id = :file_id, source_line = s.line
        FROM staged s JOIN judged j USING (line)
        WHERE c.id = j.claim_id AND j.claim_changed
        """,
        as_of=file.as_of,
        has_demand="demand_sent_on" in file.fields,
        has_note="note" in file.fields,
        file_id=file.file_id,
    )


def _insert(file: Import) -> None:
    # outstanding_yen as filed; payments that arrived before their claim are taken off after.
    file.grow(
        "claim",
        """
        INSERT INTO claim (debtor_id, kind, legal_class, assessed_year, attributed_year,
            instalment, notice_number, due_on, assessed_yen, collected_yen, outstanding_yen,
            filed_outstanding_yen, filed_as_of, demand_sent_on, note, source_file_id, source_line)
        SELECT j.debtor_id, s.kind, s.legal_class, s.assessed_year, s.attributed_year,
            s.instalment, s.notice_number, s.due_on, s.assessed_yen, s.collected_yen,
            s.outstanding_yen, s.outstanding_yen, :as_of, s.demand_sent_on, s.note,
            :file_id, s.line
        FROM staged s JOIN judged j USING (line)
        WHERE j.claim_id IS NULL ORDER BY s.line
        """,
        as_of=file.as_of,
        file_id=file.file_id,
    )


IMPORTER = Importer(
    columns={**_COLUMNS, **people.COLUMNS},
    key=("debtor_code", "kind", "assessed_year", "notice_number", "instalment"),
    stager=_stager,
    merge=_merge,
)
