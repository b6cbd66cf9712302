"""Payments files: one row per payment. A payment lowers its claim at once."""

from __future__ import annotations

from contact_service.intake import matching
from contact_service.intake.parsing import Values
from contact_service.intake.staging import Counts, Import, Importer

_COLUMNS = {
    "debtor_code": "text",
    "kind": "text",
    "notice_number": "text",
    "instalment": "int2",
    "paid_on": "date",
    "amount_yen": "int8",
    "method": "text",
}


def _stage(values: Values) -> tuple[object, ...]:
    return tuple(values[name] for name in _COLUMNS)


def _merge(file: Import) -> Counts:
    """Add the payments that are not there yet; all of a payment identifies it."""
    matching.prepare(file)
    file.run("""
        CREATE TEMPORARY TABLE judged ON COMMIT DROP AS
        SELECT s.line, CASE WHEN p.id IS NULL THEN 'accepted' ELSE 'unchanged' END AS verdict
        FROM staged s
        LEFT JOIN payment p USING (debtor_code, kind, notice_number, instalment, paid_on,
                                   amount_yen, method)
    """)
    file.run(
        """
        INSERT INTO payment (debtor_code, kind, notice_number, instalment, paid_on, amount_yen,
                             method, source_file_id, source_line)
        SELECT s.debtor_code, s.kind, s.notice_number, s.instalment, s.paid_on, s.amount_yen,
               s.method, :file_id, s.line
        FROM staged s JOIN judged USING (line) WHERE verdict = 'accepted' ORDER BY s.line
        """,
        file_id=file.file_id,
    )
    matching.match_payments(file)
    matching.find_outstanding(file)
    counts = file.verdicts()
    unmatched = file.connection.exec_driver_sql(
        "SELECT count(*) FROM payment WHERE claim_id IS NULL AND source_file_id = %s",
        (file.file_id,),
    ).scalar_one()
    return Counts(
        counts.get("accepted", 0), 0, counts.get("unchanged", 0), {"without_claim": int(unmatched)}
    )


IMPORTER = Importer(columns=_COLUMNS, key=tuple(_COLUMNS), stager=lambda _: _stage, merge=_merge)
