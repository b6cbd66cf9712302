"""Every page of the console: what its picture is called, its address, and who opens it.

A new page is a row; ``tests/web/test_rules.py`` finds those that are missing.
"""

from __future__ import annotations

from contact_service.domain.actors import Role

#: Names in brackets are filled in by whoever asks.
PAGES: tuple[tuple[str, str, Role | None], ...] = (
    ("sign-in", "/sign-in", None),
    ("today", "/", Role.APPROVER),
    ("campaigns", "/campaigns", Role.STAFF),
    ("campaign", "/campaigns/{campaign}", Role.STAFF),
    ("version", "/campaigns/{campaign}/versions/{version}", Role.APPROVER),
    ("preview", "/campaigns/{campaign}/versions/{version}/preview?day=2026-11-10", Role.STAFF),
    ("run", "/runs/{run}", Role.APPROVER),
    ("draft-new", "/drafts/new", Role.STAFF),
    ("draft-whom", "/drafts/{draft}?step=whom", Role.STAFF),
    ("draft-when", "/drafts/{draft}?step=when", Role.STAFF),
    ("draft-messages", "/drafts/{draft}?step=messages", Role.STAFF),
    ("draft-arms", "/drafts/{draft}?step=arms", Role.STAFF),
    ("draft-check", "/drafts/{draft}?step=check", Role.STAFF),
    ("draft-preview", "/drafts/{draft}/preview?day=2026-11-10", Role.STAFF),
    ("calendar", "/calendar", Role.STAFF),
    ("audio", "/recordings", Role.STAFF),
    ("files", "/files", Role.STAFF),
    ("file-job", "/files/jobs/{job}", Role.STAFF),
    ("file", "/files/{file}", Role.STAFF),
    ("people", "/people", Role.STAFF),
    ("person-masked", "/people/{person}", Role.STAFF),
    ("person", "/people/{opened}", Role.STAFF),
    ("do-not-contact", "/do-not-contact", Role.STAFF),
    ("unknown", "/unknown", Role.STAFF),
    ("providers", "/providers", Role.STAFF),
    ("reports", "/reports", Role.EVALUATOR),
    ("report-by", "/reports/{run}/by", Role.EVALUATOR),
    ("report-by-field", "/reports/{run}/by/{breakdown}", Role.EVALUATOR),
    ("library", "/library", Role.EVALUATOR),
    ("library-entry", "/library/{entry}", Role.STAFF),
    ("audit", "/audit", Role.AUDITOR),
    ("desk", "/desk", Role.OPERATOR),
    ("desk-case", "/desk", Role.CONTRACTOR),
    ("contact-again", "/desk/contact-again", Role.SUPERVISOR),
    ("centre", "/centre", Role.SUPERVISOR),
    ("results", "/centre/results", Role.SUPERVISOR),
    ("result", "/centre/results/{result}", Role.SUPERVISOR),
    ("quality", "/centre/quality", Role.SUPERVISOR),
    ("work", "/centre/work", Role.SUPERVISOR),
    ("centre-load", "/centre/load", Role.EVALUATOR),
    ("centre-shift", "/centre/shift", Role.SUPERVISOR),
    ("users", "/users", Role.ADMINISTRATOR),
    ("bulk-access", "/bulk-access", Role.APPROVER),
    ("tokens", "/tokens", Role.ADMINISTRATOR),
    ("account", "/account", Role.STAFF),
    ("password", "/account/password", Role.STAFF),
    ("api-docs", "/api-docs", Role.AUDITOR),
    ("not-found", "/campaigns/nowhere", Role.STAFF),
)
#: What is asked for by a page and is none: parts of pages, files, sounds.
PARTS = frozenset({
    "/healthz", "/language/{language}", "/sign-in/oidc", "/sign-in/oidc/answer", "/desk/calls", "/runs/{run_id}/progress",
    "/files/jobs/{job_id}/rejects", "/reports/files/{job_id}/report.{form}",
    "/centre/{what}/page.{form}",
    "/recordings/versions/{recording_id}.wav", "/recordings/{name}",
})  # fmt: skip
