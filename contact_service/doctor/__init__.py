"""What is configured, what can be reached, which versions run, and what is wrong, in words.

The doctor changes nothing, and tells no secret: passwords in addresses are masked, keys and
tokens are only said to be there.
"""

from __future__ import annotations

from contact_service.doctor import machine, parts, stops
from contact_service.doctor.findings import Finding
from contact_service.domain.actors import Actor, Role, require
from contact_service.settings import Settings

LOOKS = (
    machine.state_folder,
    machine.keys,
    machine.clock,
    machine.numbers,
    machine.office,
    parts.database,
    parts.identity_provider,
    parts.queue,
    parts.carriers,
    stops.limits,
    stops.desk,
    stops.stopped,
    parts.web,
    parts.workers,
    parts.beat,
)


def examine(actor: Actor, settings: Settings) -> list[Finding]:
    """Look at everything. The servers are those that ``settings`` name.

    Raises ``NotAllowed``.
    """
    require(actor, Role.ADMINISTRATOR)
    return [finding for look in LOOKS for finding in look(settings)]
