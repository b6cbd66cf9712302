"""Calls that the trunk brings: answered, led through the same kind of menu, and logged."""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING
from uuid import uuid4

from aiosipua.message import SipRequest

from providers.base import NotSupported
from providers.sip import instructions as wording
from providers.sip.client import MaybeSent, NotSent
from providers.sip.dialog import uri_in
from providers.sip.leg import Leg
from providers.sip.sounds import CannotPlay

if TYPE_CHECKING:
    from providers.sip.media import Media

log = logging.getLogger(__name__)

_CANNOT_GO_ON = (CannotPlay, NotSupported, wording.BadInstructions, NotSent, MaybeSent)
_NUMBER = re.compile(r"(?:sips?|tel):(\+?[0-9]{2,15})(?:[@;>]|$)")


class Inbound:
    """Asks the service at ``url`` what to say to a caller, and tells it afterwards how it went."""

    def __init__(self, media: Media, url: str) -> None:
        self._media = media
        self._url = url

    def on_call(self, leg: Leg, invite: SipRequest) -> None:
        """A call came."""
        ref = f"TI{uuid4().hex}"
        self._media.keep(self._take(leg, invite, ref), leg, None)

    async def _take(self, leg: Leg, invite: SipRequest, ref: str) -> None:
        media = self._media
        at = media.now()
        started = time.monotonic()
        caller = caller_of(invite)
        form = {"CallRef": ref, "At": at.isoformat(), **({"From": caller} if caller else {})}
        conversation = None
        if leg.accept():
            conversation = media.conversation(leg, form)
            try:
                await media.converse(conversation, leg, self._url, ref)
            except _CANNOT_GO_ON as error:
                log.error("inbound.speechless ref=%s fault=%s", ref, type(error).__name__)
            finally:
                leg.hang_up()
        ended = {**form, "TalkSeconds": str(round(time.monotonic() - started))}
        if conversation is None or not conversation.queued:  # else it is known who took them
            put_through = conversation is not None and conversation.transferred
            ended["Transferred"] = "yes" if put_through else "no"
        try:
            reply = await media.post(f"{self._url}/ended", ended)
            if reply.status >= 300:
                log.error("inbound.unlogged ref=%s status=%d", ref, reply.status)
        except (NotSent, MaybeSent):
            log.error("inbound.unlogged ref=%s", ref)


def caller_of(invite: SipRequest) -> str | None:
    """The caller's number in E.164, from the trunk's own word where it gives one; ``None`` when
    it is withheld or no number."""
    if (invite.headers.get_first("privacy") or "").lower() in ("id", "user", "header"):
        return None
    for header in ("p-asserted-identity", "from"):
        found = _NUMBER.match(uri_in(invite.headers.get_first(header) or ""))
        if found:
            number = found[1]
            if number.startswith("+"):
                return number
            if number.startswith("0") and len(number) in (10, 11):
                return f"+81{number[1:]}"
    return None
