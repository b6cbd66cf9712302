"""The service from a shell: ``contact-service GROUP COMMAND``."""

from __future__ import annotations

import importlib
import sys

import typer

from contact_service import __version__
from contact_service.embedded.process import CannotStart

#: Command groups: the modules of this package whose Typer application ``app`` they join.
GROUPS = {
    "intake": (("intake",), "files in / ファイル取込"),
    "campaign": (
        ("campaign", "campaign_runs", "campaign_unknown"),
        "definitions and runs / 催告計画",
    ),
    "report": (("report",), "load and outcome reports / 報告書"),
    "trial": (("trial",), "design and estimates / 試行の設計と推定"),
    "centre": (("centre",), "load, staffing, shift / 電話催告センター"),
}
#: Single commands, each a module with a function called ``command``.
COMMANDS = ("doctor", "up", "demo", "migrate", "stop_all", "resume_all")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def version(
    show: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    """Outbound contact automation for a public office's arrears."""
    if show:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Entry point of the ``contact-service`` command."""
    for name, (modules, text) in GROUPS.items():
        group = typer.Typer(no_args_is_help=True, help=text)
        for part in modules:
            group.add_typer(importlib.import_module(f"contact_service.cli.{part}").app)
        app.add_typer(group, name=name)
    for name in COMMANDS:
        module = importlib.import_module(f"contact_service.cli.{name}")
        app.command(name.replace("_", "-"))(module.command)
    try:
        app()
    except CannotStart as error:
        typer.echo(str(error), err=True)
        sys.exit(1)
