"""``contact-service stop-all``: nothing more goes out, from the next small batch on."""

from __future__ import annotations

from typing import Annotated

import typer

from contact_service.cli.common import actor, fail, service
from contact_service.dispatch import providers
from contact_service.dispatch.switches import EVERYTHING, UnknownScope, set_switch
from contact_service.domain.actors import Role


def command(
    reason: Annotated[str, typer.Option(help="Why; everybody will see it.")] = "停止 / stopped",
    scope: Annotated[str, typer.Option(help="all, provider:NAME or channel:NAME.")] = EVERYTHING,
) -> None:
    """Stop everything (or one provider or channel) at once."""
    with service() as found:
        names = [item.name for item in providers.configured(found.settings)]
        now = found.clock.now()
        try:
            set_switch(found.engine, actor(Role.STAFF), scope, reason, now, names)
        except UnknownScope as error:
            raise fail(str(error), 2) from None
    typer.echo(f"{scope}: 停止しました。再開は resume-all / stopped; resume-all goes on")
