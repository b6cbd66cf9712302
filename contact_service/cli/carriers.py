"""The deployment's carriers for commands: what is wrong with the file is told beside."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import typer

from campaigns.carriers import Carrier
from contact_service.dispatch.sms_carriers import sms_carriers
from contact_service.settings import Settings


def carriers(settings: Settings) -> Sequence[Carrier]:
    """How the configured carriers divide and bill SMS."""
    return sms_carriers(settings, partial(typer.echo, err=True))
