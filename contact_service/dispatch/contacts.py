"""Turning a lease into what is handed to a carrier."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from uuid import UUID

from campaigns.definition import Definition
from campaigns.messages import UnknownPlaceholder, office_values, render
from campaigns.vocabulary import Channel, Language
from contact_service.dispatch.lease import Lease
from contact_service.settings import Settings
from contact_service.store.crypto import CannotOpen, Vault
from providers.base import Call, Contact, Message


def office(settings: Settings) -> Mapping[str, str]:
    """What the placeholders of texts stand for in this deployment."""
    return _office(settings.office_name, settings.office_phone)


@cache
def _office(name: str, phone: str) -> Mapping[str, str]:
    return MappingProxyType(office_values(name, phone))


def receipts_url(settings: Settings, provider: str, attempt_id: UUID) -> str:
    """Where a carrier reports on an attempt. The address names it, and signatures cover
    the address: a report reaches its attempt even if the answer to the request was lost."""
    return f"{settings.public_url}/webhooks/{provider}/receipts/{attempt_id}"


def instructions_url(settings: Settings, provider: str, attempt_id: UUID, node: str) -> str:
    """Where a carrier fetches what an auto-call says."""
    return f"{settings.public_url}/webhooks/{provider}/voice/{attempt_id}/{node}"


def detection_url(settings: Settings, provider: str, attempt_id: UUID) -> str:
    """Where a carrier reports who answered an auto-call."""
    return f"{settings.public_url}/webhooks/{provider}/detected/{attempt_id}"


def whisper_url(settings: Settings, provider: str, attempt_id: UUID) -> str:
    """Where a carrier fetches what an operator hears before a transferred caller."""
    return f"{settings.public_url}/webhooks/{provider}/whisper/{attempt_id}"


def recording_url(settings: Settings, provider: str, name: str) -> str:
    """Where a carrier fetches a recording. Recordings hold nothing about anybody."""
    return f"{settings.public_url}/webhooks/{provider}/recordings/{name}"


#: What can be wrong with one row so that nothing can be made of it.
CANNOT_PREPARE = (CannotOpen, UnknownPlaceholder, KeyError, ValueError)


def contact_of(
    lease: Lease,
    definition: Definition,
    channel: Channel,
    provider: str,
    settings: Settings,
    vault: Vault,
    *,
    webhook: bool,
) -> Contact:
    """The message or call for one lease. Raises ``ValueError`` for a letter: no carrier has part
    in it."""
    if lease.sealed_number is None:
        raise ValueError("a letter is not given to a carrier")
    step = definition.step(lease.step)
    content = step if step.channel is channel or step.fallback is None else step.fallback
    number = vault.open("phone.number", lease.sealed_number)
    reports = receipts_url(settings, provider, lease.attempt_id) if webhook else None
    if channel is Channel.SMS:
        wanted = Language(lease.language) if lease.language else None
        text = definition.words(definition.messages[str(content.message)], wanted)
        body = render(text, office(settings))
        return Message(str(lease.attempt_id), number, body, reports)
    script = definition.scripts[str(content.script)]
    start = instructions_url(settings, provider, lease.attempt_id, script.start)
    audio = script.nodes[script.start].audio
    played = audio is not None and settings.recording(audio) is not None
    return Call(
        str(lease.attempt_id),
        number,
        start,
        reports,
        recording_url=recording_url(settings, provider, audio) if audio and played else None,
        # asked, and charged, only where there is something to leave on a machine
        detection_url=detection_url(settings, provider, lease.attempt_id)
        if script.voicemail is not None
        else None,
    )
