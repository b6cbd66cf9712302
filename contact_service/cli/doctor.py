"""``contact-service doctor``: what is configured, reachable, running and wrong."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict

import typer
from pydantic import ValidationError

from contact_service import logs
from contact_service.bootstrap import running
from contact_service.cli.common import actor, fail, print_json
from contact_service.doctor import examine
from contact_service.doctor.described import configuration, versions
from contact_service.doctor.findings import Finding, Level
from contact_service.domain.actors import Role
from contact_service.embedded.process import CannotStart
from contact_service.settings import Settings, settings

_MARKS = {Level.OK: "OK  ", Level.NOTE: "注意", Level.WRONG: "異常"}


def command(as_json: bool = typer.Option(False, "--json", help="One JSON document.")) -> None:
    """Say what is configured, what is reachable, which versions run, and what is wrong.

    Without configured servers the embedded ones are started for the look. Exits with 1 when
    something is wrong.
    """
    try:
        chosen = settings()
    except ValidationError as error:
        faults = "\n".join(
            f"CONTACT_{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_context=False, include_input=False)
        )
        raise fail(f"設定に誤りがあります / the settings are wrong:\n{faults}") from None
    logs.configure(chosen.log_format, level=50)
    embedded = not (chosen.database_url and chosen.redis_url)
    with ExitStack() as stack:
        findings = []
        try:
            # a configured database is looked at as it is, not migrated
            found = stack.enter_context(running(chosen)).settings if embedded else chosen
        except CannotStart as error:
            remedy = "表示された原因を取り除いてください / remove the cause that it names"
            findings.append(Finding("embedded servers", Level.WRONG, str(error), remedy))
        else:
            findings += examine(actor(Role.ADMINISTRATOR), found)
    wrong = any(finding.level is Level.WRONG for finding in findings)
    if as_json:
        print_json(
            {
                "ok": not wrong,
                "servers": "embedded" if embedded else "configured",
                "configuration": configuration(chosen),
                "versions": versions(),
                "findings": [asdict(finding) for finding in findings],
            }
        )
    else:
        _print(chosen, embedded, findings)
    raise typer.Exit(1 if wrong else 0)


def _print(chosen: Settings, embedded: bool, findings: list[Finding]) -> None:
    typer.echo("設定 / configuration")
    for name, value in configuration(chosen).items():
        typer.echo(f"  {name:<34} {value}")
    kind = "組込み / embedded" if embedded else "設定されたもの / configured"
    typer.echo(f"サーバー / servers: {kind}")
    typer.echo("版 / versions: " + ", ".join(f"{k} {v}" for k, v in versions().items()))
    typer.echo("診断 / findings")
    for finding in findings:
        typer.echo(f"  {_MARKS[finding.level]} {finding.subject}: {finding.detail}")
        if finding.remedy:
            typer.echo(f"       → {finding.remedy}")
