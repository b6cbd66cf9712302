"""``contact-service person``: what is kept of one person, and who must be kept."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from contact_service.cli.common import actor, fail, service
from contact_service.domain.actors import Role
from contact_service.domain.life import CannotDo
from contact_service.retention import holds, subject_access

app = typer.Typer(no_args_is_help=True)
Code = Annotated[str, typer.Argument(help="宛名番号 / the person code.")]


@app.command("export")
def export(
    code: Code, output: Annotated[Path, typer.Option(help="A new file, for its owner alone.")]
) -> None:
    """保有個人情報開示: write everything that is kept of one person (JSON)."""
    with service() as found:
        try:
            content = subject_access.subject_access(found, actor(Role.APPROVER), code)
        except CannotDo as error:
            raise fail(str(error)) from None
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise fail(f"{output}: 書けません / cannot be written: {error.strerror}") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=2)
    typer.echo(f"{output}: 書きました / written")


@app.command("hold")
def hold(
    code: Code, reason: Annotated[str, typer.Option(help="A lawsuit, an audit, a request.")]
) -> None:
    """Keep a person although the time is over."""
    with service() as found:
        try:
            holds.hold(found, actor(Role.APPROVER), code, reason)
        except CannotDo as error:
            raise fail(str(error)) from None
    typer.echo("保存の対象にしました / held")


@app.command("release")
def release(
    code: Code,
    office: Annotated[
        str | None,
        typer.Option(help="課 / whose hold, where several hold the person: asked by who sees all."),
    ] = None,
) -> None:
    """End the hold of one's office; by somebody else than who set it."""
    with service() as found:
        try:
            holds.lift(found, actor(Role.APPROVER), code, office)
        except CannotDo as error:
            raise fail(str(error)) from None
    typer.echo("解除しました / released")
