"""``contact-service resume-all``: lift what ``stop-all`` stopped."""

from __future__ import annotations

from typing import Annotated

import typer

from contact_service.cli.common import actor, service
from contact_service.dispatch.switches import EVERYTHING, lift_switch
from contact_service.domain.actors import Role


def command(
    scope: Annotated[str, typer.Option(help="all, provider:NAME or channel:NAME.")] = EVERYTHING,
) -> None:
    """Let everything (or one provider or channel) go on."""
    with service() as found:
        lifted = lift_switch(found.engine, actor(Role.SUPERVISOR), scope, found.clock.now())
    said = "再開しました / goes on" if lifted else "停止していません / was not stopped"
    typer.echo(f"{scope}: {said}")
