"""A report as PDF, set by Typst. The Japanese typeface comes with the installation and is
embedded (only the characters used); fonts of the machine are not looked at, so that the same
figures give the same pages everywhere."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pylopdf_fonts_jp
import typst

from contact_service.evaluation.document.model import (
    Block,
    Box,
    Document,
    Kind,
    Label,
    Picture,
    Table,
    shown,
)
from contact_service.evaluation.wording import text

TEMPLATE = Path(__file__).parent.parent / "templates" / "report.typ"

LONG = 40
"""A table of details with more rows than this is left to the workbook."""


def pdf(document: Document, written_at: datetime) -> bytes:
    """The report as the bytes of a tagged PDF. ``written_at`` becomes its date."""
    compiler = typst.Compiler(
        str(TEMPLATE),
        font_paths=[str(pylopdf_fonts_jp.sans_path().parent)],
        ignore_system_fonts=True,
        sys_inputs={"document": json.dumps(_plain(document), ensure_ascii=False)},
    )
    made = compiler.compile(format="pdf", timestamp=int(written_at.timestamp()))
    if not isinstance(made, bytes):
        raise TypeError("one PDF was expected")
    return made


def _plain(document: Document) -> dict[str, Any]:
    """The report as the template reads it: texts only."""
    return {
        "lang": document.lang,
        "title": document.title,
        "kicker": document.kicker,
        "lead": document.lead,
        "meta": document.meta,
        "banners": list(document.banners),
        "words": {
            key: text(key, document.lang)
            for key in ("counted_by", "rows_by", "annex", "annex_lead")
        },
        "sections": [
            {
                "id": section.id,
                "title": section.title,
                "blocks": [_block(block, document) for block in section.blocks],
                "counted_by": list(section.counted_by),
                "rows": section.rows,
            }
            for section in document.sections
        ],
        "sources": [
            {"name": name, "sql": source["sql"], "parameters": _parameters(source["parameters"])}
            for name, source in document.sources.items()
        ],
    }


def _parameters(values: dict[str, Any]) -> str:
    return "; ".join(f":{name} = {_short(value)}" for name, value in values.items())


def _short(value: Any) -> str:
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return said if len(said) <= 300 else f"{said[:300]} …"


def _block(block: Block, document: Document) -> dict[str, Any]:
    found: dict[str, Any] = {"is": type(block).__name__.lower()}
    if isinstance(block, Table) and block.folded and len(block.rows) > LONG:
        said = text("table_elsewhere", document.lang, title=block.title, n=len(block.rows))
        return {"is": "words", "lines": [said], "manner": "lead"}
    if isinstance(block, Table):
        return found | {
            "title": block.title,
            "lead": block.lead,
            "long": block.folded,
            "columns": [
                {"label": c.label, "right": c.kind not in (Kind.TEXT, Kind.DAY)}
                for c in block.columns
            ],
            "rows": [
                [
                    {
                        "text": shown(cell, column, document.lang),
                        "colour": cell.colour if isinstance(cell, Label) else "",
                    }
                    for cell, column in zip(row, block.columns, strict=True)
                ]
                for row in block.rows
            ],
        }
    if isinstance(block, Picture):
        return found | {
            "title": block.title, "svg": block.svg, "alt": block.alt, "lead": block.lead
        }  # fmt: skip
    return found | {name: _value(value) for name, value in vars(block).items()}


def _value(value: Any) -> Any:
    if isinstance(value, Box):
        return {"heading": value.heading, "lines": list(value.lines), "colour": value.colour}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _value(part) for name, part in value._asdict().items()}
    if isinstance(value, list | tuple):
        return [_value(part) for part in value]
    return value
