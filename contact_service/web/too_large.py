"""What is too large is refused in words.

The framework looks at the length that is announced, and answers with three words of English in
place of whatever we would have said. Here, outside of it, they are put into what everything else
that is refused is told in: a page for people, a problem for programs.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contact_service.web.refusals import PHRASES, said

TOO_LARGE = 413


class SaidTooLarge:
    """Puts the framework's refusal of a body into words."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        replaced = False

        async def send_in_words(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and _frameworks_own(message):
                replaced = True
                # the rest is not read: nothing after it could be told from the body
                answer = said(
                    Request(scope, receive), TOO_LARGE, PHRASES[TOO_LARGE], {"Connection": "close"}
                )
                await answer(scope, receive, send)
            elif not replaced:
                await send(message)

        await self._app(scope, receive, send_in_words)


def _frameworks_own(message: Message) -> bool:
    if message["status"] != TOO_LARGE:
        return False
    return Headers(raw=message["headers"]).get("content-type", "").startswith("text/plain")
