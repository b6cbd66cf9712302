"""Who reads reports, and as what.

Kept apart from what makes them: that loads the statistics, which takes a process seconds to
start with, and most processes make no report.
"""

from __future__ import annotations

from enum import StrEnum

from contact_service.domain.actors import Role

READERS = (Role.EVALUATOR, Role.STAFF, Role.APPROVER, Role.SUPERVISOR, Role.AUDITOR)


class Format(StrEnum):
    """What a report is written as."""

    HTML = "html"
    PDF = "pdf"
    XLSX = "xlsx"
    JSON = "json"
