"""``contact-service campaign``: check, explain and list definitions."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from campaigns.conditions import FIELDS, OPERATORS
from campaigns.difference import compare
from campaigns.explain import as_text, explain
from campaigns.faults import DefinitionErrors, Fault, describe
from campaigns.lifted import lifted_section
from campaigns.messages import office_values
from campaigns.parse import Reading, read_file
from campaigns.ready_made import NoSuchDefinition, library, locate
from campaigns.schema import json_schema
from contact_service.cli.carriers import carriers
from contact_service.cli.common import fail, print_json
from contact_service.settings import settings

app = typer.Typer(no_args_is_help=True)

File = Annotated[
    str, typer.Argument(metavar="FILE", help="A YAML file, or a ready-made definition's name.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Language(StrEnum):
    """A language that definitions are explained in."""

    JA = "ja"
    EN = "en"


@app.command("check")
def check_command(file: File, as_json: AsJson = False) -> None:
    """Say what is wrong with a definition, with line and column. Exits 1 for faults."""
    path = _path(file)
    reading = _read(path, as_json)
    if as_json:
        print_json(_findings(reading.warnings))
        return
    if reading.warnings:
        typer.echo(describe(file, reading.warnings))
    definition = reading.definition
    typer.echo(
        f"{file}: 誤りはありません（{definition.title}、警告 {len(reading.warnings)} 件）\n"
        f"    no faults, {len(reading.warnings)} warnings"
    )


@app.command("explain")
def explain_command(
    file: File,
    lang: Annotated[Language, typer.Option(help="Japanese or English.")] = Language.JA,
    as_json: AsJson = False,
) -> None:
    """Tell in plain words what a definition will do."""
    reading = _read(_path(file), as_json)
    office = office_values(settings().office_name, settings().office_phone)
    sections = explain(reading.definition, lang.value, office, carriers(settings()))
    if as_json:
        print_json([asdict(section) for section in sections])
    else:
        typer.echo(as_text(sections))


@app.command("diff")
def diff_command(
    old: File,
    new: File,
    lang: Annotated[Language, typer.Option(help="Japanese or English.")] = Language.JA,
    as_json: AsJson = False,
) -> None:
    """Tell in plain words what a definition does differently from another."""
    before, after = (_read(_path(file), as_json).definition for file in (old, new))
    office = office_values(settings().office_name, settings().office_phone)
    found = compare(before, after, lang.value, office)
    lifted = lifted_section(after, lang.value, before)
    if as_json:
        print_json(asdict(found) | {"lifted": lifted.lines if lifted else []})
        return
    if lifted is not None:
        typer.secho(as_text((lifted,)), fg=typer.colors.RED, bold=True)
    if not found.changes:
        typer.echo("違いはありません" if lang is Language.JA else "no difference")
        return
    if found.sections:
        typer.echo(as_text(found.sections))
        return
    # texts that no step uses, say: nothing that the campaign does is different
    typer.echo(
        "行うことは同じです。書き方の違い:"
        if lang is Language.JA
        else "They do the same. Written differently:"
    )
    for change in found.changes:
        typer.echo(f"  {change.path}")


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """List the ready-made definitions."""
    titles = {name: read_file(path).definition.title for name, path in library().items()}
    if as_json:
        print_json(titles)
        return
    for name, title in titles.items():
        typer.echo(f"{name}\t{title}")


@app.command("fields")
def fields_command(as_json: AsJson = False) -> None:
    """List everything that a definition can ask of claims and of the people who owe them."""
    if as_json:
        print_json([field.as_dict() for field in FIELDS.values()])
        return
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("項目 / field", no_wrap=True)
    table.add_column("名前（単位）、書き方、文面に使えるもの / name (unit), operators, in texts")
    for field in FIELDS.values():
        unit = f"（{field.unit.ja} / {field.unit.en}）" if field.unit else ""
        words = ", ".join(word.value for word in field.words or ())
        lines = [
            f"{field.ja} / {field.en}{unit}",
            ", ".join(OPERATORS[field.shape]) + (f": {words}" if words else ""),
            *([f"文面に / in texts: {{{field.name}}}"] if field.in_texts else []),
        ]
        table.add_row(field.name, "\n".join(lines))
    Console().print(table)


@app.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of definitions, for editors."""
    print_json(json_schema())


def _path(file: str) -> Path:
    try:
        return locate(file)
    except NoSuchDefinition as error:
        raise fail(str(error), 2) from None


def _read(path: Path, as_json: bool) -> Reading:
    try:
        return read_file(path, carriers(settings()))
    except DefinitionErrors as error:
        if as_json:
            print_json(_findings(error.faults))
            raise typer.Exit(1) from None
        raise fail(describe(str(path), error.faults)) from None
    except OSError as error:
        raise fail(f"{path}: 読めません / cannot be read: {error.strerror}", 2) from None


def _findings(found: tuple[Fault, ...]) -> dict[str, object]:
    return {
        "valid": all(fault.warning for fault in found),
        "faults": [fault.as_dict() for fault in found if not fault.warning],
        "warnings": [fault.as_dict() for fault in found if fault.warning],
    }
