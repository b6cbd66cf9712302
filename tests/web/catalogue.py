"""Which texts the console shows: taken from its sources, as translators' tools do."""

from __future__ import annotations

from babel.messages.extract import extract_from_dir

from tests.conftest import ROOT

METHODS = [("**.py", "python"), ("**.html", "jinja2")]
KEYWORDS = {"_": None, "gettext": None, "translatable": None}


def texts() -> set[str]:
    """Every text of the console that stands in a source, in Japanese."""
    found = extract_from_dir(str(ROOT / "contact_service" / "web"), METHODS, keywords=KEYWORDS)
    return {message for _, _, message, _, _ in found if isinstance(message, str)}
