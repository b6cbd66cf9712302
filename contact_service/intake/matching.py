"""What belongs together across files, whichever of them came first."""

from __future__ import annotations

from contact_service.intake.staging import Import


def prepare(file: Import) -> None:
    """Make the empty table ``touched_claim``: whose outstanding amount is to be found again."""
    file.run("CREATE TEMPORARY TABLE touched_claim (id bigint PRIMARY KEY) ON COMMIT DROP")


def match_payments(file: Import) -> None:
    """Give payments without a claim theirs, and touch those claims.

    A payment names no fiscal year; where one notice number stands in several years, the
    latest claim takes it.
    """
    file.run("""
        WITH found AS (
            SELECT DISTINCT ON (p.id) p.id AS payment_id, c.id AS claim_id
            FROM payment p
            JOIN debtor d ON d.code = p.debtor_code
            JOIN claim c ON c.debtor_id = d.id AND c.kind = p.kind
                AND c.notice_number = p.notice_number AND c.instalment = p.instalment
            WHERE p.claim_id IS NULL
            ORDER BY p.id, c.assessed_year DESC
        ), matched AS (
            UPDATE payment p SET claim_id = found.claim_id
            FROM found WHERE p.id = found.payment_id
            RETURNING p.claim_id
        )
        INSERT INTO touched_claim SELECT DISTINCT claim_id FROM matched ON CONFLICT DO NOTHING
    """)


def find_outstanding(file: Import) -> None:
    """Set what touched claims still owe: the claims file's amount less the payments made after
    the day it describes, never below 0."""
    file.run("ANALYZE touched_claim")
    file.run("""
        WITH owed AS (
            SELECT c.id, greatest(0, c.filed_outstanding_yen - coalesce(sum(p.amount_yen), 0))
                AS yen
            FROM touched_claim t
            JOIN claim c USING (id)
            LEFT JOIN payment p ON p.claim_id = c.id AND p.paid_on >= c.filed_as_of
            GROUP BY c.id
        )
        UPDATE claim c SET outstanding_yen = owed.yen
        FROM owed WHERE c.id = owed.id AND c.outstanding_yen <> owed.yen
    """)


def match_restrictions(file: Import) -> None:
    """Give restrictions their debtor and, when they name a notice with one claim, that claim.

    A notice with several claims, or with none yet, leaves the claim open: the restriction
    then protects the debtor, which errs on the careful side.
    """
    file.run("""
        UPDATE restriction r SET debtor_id = d.id
        FROM debtor d WHERE r.debtor_id IS NULL AND d.code = r.debtor_code
    """)
    file.run("""
        WITH named AS (
            SELECT r.id, CASE WHEN count(c.id) = 1 THEN min(c.id) END AS claim_id
            FROM restriction r
            LEFT JOIN claim c
                ON c.debtor_id = r.debtor_id AND c.notice_number = r.notice_number
            WHERE r.origin IN ('file', 'files') AND r.notice_number IS NOT NULL
            GROUP BY r.id
        )
        UPDATE restriction r SET claim_id = named.claim_id
        FROM named WHERE r.id = named.id AND r.claim_id IS DISTINCT FROM named.claim_id
    """)
