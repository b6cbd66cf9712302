"""Turning a lease into what is handed to a carrier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from uuid import UUID

from campaigns.definition import Definition
from campaigns.messages import UnknownPlaceholder, office_values, render
from campaigns.steps import Fallback, Step
from campaigns.vocabulary import Channel, Language
from contact_service.bootstrap import Service
from contact_service.dispatch.lease import Lease
from contact_service.dispatch.providers import ProviderConfig
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


def content(step: Step, channel: Channel) -> Step | Fallback:
    """What a step has for a channel: its own, or that of its fallback."""
    return step if step.channel is channel or step.fallback is None else step.fallback


def message_words(
    definition: Definition, step: str, wanted: Language | None, settings: Settings
) -> str:
    """What everybody gets by SMS in a step who is written to in one language."""
    message = content(definition.step(step), Channel.SMS).message
    return render(definition.words(definition.messages[str(message)], wanted), office(settings))


def first_words(
    definition: Definition, step: str, wanted: Language | None, settings: Settings
) -> str:
    """What everybody hears first in an auto-call, before anything is known of who listens."""
    script = definition.scripts[str(content(definition.step(step), Channel.AUTO_CALL).script)]
    return render(definition.words(script.nodes[script.start].say, wanted), office(settings))


@dataclass
class Composer:
    """Composes the messages or calls of one carrier's channel. Short-lived: a change of the
    office's name is told by the next."""

    settings: Settings
    vault: Vault
    channel: Channel
    provider: str
    webhook: bool
    #: What everybody gets in one step of one run who is written to in one language.
    _bodies: dict[tuple[UUID, str, str | None], str] = field(default_factory=dict)

    def contact(self, lease: Lease, definition: Definition) -> Contact:
        """The message or call for one lease; raises one of :data:`CANNOT_PREPARE`, ``ValueError``
        for a letter too: no carrier has part in it."""
        if lease.sealed_number is None:
            raise ValueError("a letter is not given to a carrier")
        number = self.vault.open("phone.number", lease.sealed_number)
        compose = self._message if self.channel is Channel.SMS else self._call
        return compose(lease, definition, number)

    def _reports(self, lease: Lease) -> str | None:
        if not self.webhook:
            return None
        return receipts_url(self.settings, self.provider, lease.attempt_id)

    def _message(self, lease: Lease, definition: Definition, number: str) -> Message:
        key = (lease.run_id, lease.step, lease.language)
        if key not in self._bodies:
            wanted = Language(lease.language) if lease.language else None
            self._bodies[key] = message_words(definition, lease.step, wanted, self.settings)
        return Message(str(lease.attempt_id), number, self._bodies[key], self._reports(lease))

    def _call(self, lease: Lease, definition: Definition, number: str) -> Call:
        script = definition.scripts[str(content(definition.step(lease.step), self.channel).script)]
        at = (self.settings, self.provider)
        audio = script.nodes[script.start].audio
        played = audio is not None and self.settings.recording(audio) is not None
        return Call(
            str(lease.attempt_id),
            number,
            instructions_url(*at, lease.attempt_id, script.start),
            self._reports(lease),
            recording_url=recording_url(*at, audio) if audio and played else None,
            # asked, and charged, only where there is something to leave on a machine
            detection_url=detection_url(*at, lease.attempt_id)
            if script.voicemail is not None
            else None,
        )


def composer(service: Service, config: ProviderConfig, channel: Channel) -> Composer:
    """The composer of a lane."""
    return Composer(service.settings, service.vault, channel, config.name, config.webhook)
