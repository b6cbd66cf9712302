"""The deployment's carriers, as definitions need to know them: how they divide and bill SMS."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from campaigns.carriers import USUAL, Carrier
from campaigns.vocabulary import Channel
from contact_service.dispatch.providers import BadProvidersFile, configured, create
from contact_service.settings import Settings
from providers.base import Message

#: One part at every carrier; to nobody.
_ONE_PART = Message(reference="price", to="+819000000000", body="あ")


def sms_carriers(settings: Settings, tell: Callable[[str], None]) -> Sequence[Carrier]:
    """How the configured carriers divide and bill SMS; the usual way when none is configured.

    A carrier that cannot be set up from here (its secret is on another machine, say) is told of
    and left out: a definition can be checked on any desk.
    """
    if settings.providers_file is None:
        return USUAL
    found: list[Carrier] = []
    try:
        for config in configured(settings):
            if Channel.SMS not in config.per_second:
                continue
            provider = create(config)
            price = provider.price(_ONE_PART)
            rule = provider.capabilities.part_rule
            found.append(Carrier(config.name, rule, None if price is None else float(price)))
            asyncio.run(provider.close())
    except BadProvidersFile as error:
        tell(f"{error}")
    return found or USUAL
