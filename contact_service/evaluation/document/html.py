"""A report as one HTML file that opens from disk: styles and pictures inside, no script, no
reference to any network."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from contact_service.evaluation import wording
from contact_service.evaluation.document.model import Document, Kind, Label, shown

TEMPLATES = Path(__file__).parent.parent / "templates"


def page(document: Document) -> str:
    """The report as the text of one HTML file."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    css = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    environment.globals |= {
        "t": partial(wording.text, lang=document.lang),
        "css": Markup(css),
        "shown": partial(shown, lang=document.lang),
        "picture": Markup,
    }
    environment.filters |= {"number": wording.number}
    environment.tests |= {
        "label": lambda value: isinstance(value, Label),
        "words": lambda column: column.kind in (Kind.TEXT, Kind.DAY),
    }
    page = environment.get_template("document.html")
    return page.render(document=document, kind=lambda block: type(block).__name__.lower()).lstrip()
