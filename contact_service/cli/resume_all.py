"""``contact-service resume-all``: lift what ``stop-all`` stopped."""

from __future__ import annotations

from typing import Annotated

import typer

from contact_service.cli.common import actor, fail, service
from contact_service.dispatch import providers
from contact_service.dispatch.switches import (
    EVERYTHING,
    UnknownScope,
    check_scope,
    lift_switch,
    switches,
)
from contact_service.domain.actors import Role


def command(
    scope: Annotated[str, typer.Option(help="all, provider:NAME or channel:NAME.")] = EVERYTHING,
) -> None:
    """Let everything (or one provider or channel) go on."""
    with service() as found:
        with found.engine.connect() as connection:
            known = switches(connection)
        if scope not in known:  # a carrier that is configured no more may still be stopped
            try:
                check_scope(scope, [item.name for item in providers.configured(found.settings)])
            except UnknownScope as error:
                raise fail(str(error), 2) from None
        lifted = lift_switch(found.engine, actor(Role.SUPERVISOR), scope, found.clock.now())
    said = "再開しました / goes on" if lifted else "停止していません / was not stopped"
    typer.echo(f"{scope}: {said}")
