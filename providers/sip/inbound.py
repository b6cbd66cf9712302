"""Calls that the trunk brings: answered, led through the same kind of menu, and logged."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from contextlib import suppress
from datetime import timedelta
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
#: So often it is written down which calls are still there, and told again which are over.
SEEN_SECONDS = 10.0
#: After that nobody is told any more: the desks have given the call up long before.
GIVEN_UP = timedelta(days=1)
_NUMBER = re.compile(r"(?:sips?|tel):(\+?[0-9]{2,15})(?:[@;>]|$)")


class Inbound:
    """Asks the service at ``url`` what to say to a caller, and tells it afterwards how it went.

    A call is in the journal before it is answered, until the service has heard that it is over:
    whoever waited when this process died, or while the service could not be reached, does not
    wait for ever on the desks.
    """

    def __init__(self, media: Media, url: str) -> None:
        self._media = media
        self._url = url
        self._live: set[str] = set()
        self._untold: dict[str, dict[str, str]] = {}
        self._minding: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Tell of calls that ended with the process before."""
        self._minding = asyncio.create_task(self._mind())

    def close(self) -> None:
        """Stop telling; what is untold is told at the next start."""
        if self._minding is not None:
            self._minding.cancel()

    def on_call(self, leg: Leg, invite: SipRequest) -> None:
        """A call came."""
        ref = f"TI{uuid4().hex}"
        self._live.add(ref)
        self._media.keep(self._take(leg, invite, ref), leg, None)

    async def _take(self, leg: Leg, invite: SipRequest, ref: str) -> None:
        try:
            await self._carry(leg, invite, ref)
        finally:
            self._live.discard(ref)

    async def _carry(self, leg: Leg, invite: SipRequest, ref: str) -> None:
        media = self._media
        at = media.now()
        started = time.monotonic()
        caller = caller_of(invite)
        form = {"CallRef": ref, "At": at.isoformat(), **({"From": caller} if caller else {})}
        conversation = None
        try:
            await asyncio.to_thread(media.journal.incoming_began, ref, at)
            if leg.accept():
                conversation = media.conversation(leg, form)
                await media.converse(conversation, leg, self._url, ref)
        except _CANNOT_GO_ON as error:
            log.error("inbound.speechless ref=%s fault=%s", ref, type(error).__name__)
        finally:
            leg.hang_up()
        ended = {**form, "TalkSeconds": str(round(time.monotonic() - started))}
        if conversation is None or not conversation.queued:  # else it is known who took them
            put_through = conversation is not None and conversation.transferred
            ended["Transferred"] = "yes" if put_through else "no"
        if not await self._tell(ended):
            log.error("inbound.unlogged ref=%s", ref)
            self._untold[ref] = ended

    async def _tell(self, ended: dict[str, str]) -> bool:
        """Tell the service that a call is over; whether it has heard."""
        with suppress(NotSent, MaybeSent):
            reply = await self._media.post(f"{self._url}/ended", ended)
            if reply.status < 300:
                await asyncio.to_thread(self._media.journal.incoming_told, ended["CallRef"])
                return True
        return False

    async def _mind(self) -> None:
        journal = self._media.journal
        while True:
            live = list(self._live)
            await asyncio.to_thread(journal.incoming_seen, live, self._media.now())
            for ref, began, seen in await asyncio.to_thread(journal.incoming_untold):
                if ref in self._live:
                    continue
                if self._media.now() - seen > GIVEN_UP:
                    log.error("inbound.given_up ref=%s", ref)
                    await asyncio.to_thread(journal.incoming_told, ref)
                    continue
                length = min(86_399, max(0, round((seen - began).total_seconds())))
                lost = {"CallRef": ref, "At": began.isoformat(), "TalkSeconds": str(length)}
                if await self._tell(self._untold.get(ref, lost)):
                    log.warning("inbound.told_late ref=%s", ref)
                    self._untold.pop(ref, None)
            await asyncio.sleep(SEEN_SECONDS)


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
