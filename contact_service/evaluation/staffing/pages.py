"""The centre's pages as files, in the formats of reports."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from contact_service.evaluation.document.model import Document
from contact_service.evaluation.forms import Format
from contact_service.evaluation.report import about, write_whole, written


def save(
    document: Document, kind: str, figures: dict[str, Any], at: datetime, form: Format, path: Path
) -> None:
    """Write one page whole; folders that are missing are made. Raises ``OSError``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, written(document, {"report": about(kind, at), **figures}, form))
