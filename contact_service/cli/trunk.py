"""``contact-service trunk``: the media process of a SIP trunk, until it is told to stop."""

from __future__ import annotations

from typing import Annotated

import typer

from contact_service import logs
from contact_service.cli.common import fail
from contact_service.clock import clock_from
from contact_service.dispatch import providers
from contact_service.settings import settings
from providers.sip.adapter import SipProvider


def command(
    name: Annotated[str | None, typer.Argument(help="The provider's name in the file.")] = None,
) -> None:
    """Place and hold the auto-calls of a SIP trunk; Ctrl-C or SIGTERM stops it.

    Workers hand calls to it, web tells it what to say. Calls under way are let finish for up to
    25 seconds.
    """
    chosen = settings()
    logs.configure(chosen.log_format)
    found = {item.name: item for item in providers.configured(chosen) if item.adapter == "sip"}
    config = found.get(name) if name else next(iter(found.values())) if len(found) == 1 else None
    if config is None:
        known = ", ".join(found) or "-"
        raise fail(
            f"SIP 回線の名前を指定してください（あるもの: {known}） / "
            f"name a SIP trunk of the providers file; there is: {known}",
            2,
        )
    provider = providers.create(config)
    assert isinstance(provider, SipProvider)
    # the sound's libraries take a second to load: only here
    from providers.sip.door import serve

    try:
        serve(provider.options, clock_from(chosen.clock).now, lambda: typer.echo("trunk.ready"))
    except OSError as error:
        raise fail(
            f"{config.name}: 起動できません。local_port・media_url・trunk を確かめてください / "
            f"cannot start: check local_port, media_url and trunk ({error.strerror or error})"
        ) from error
