"""Headers that every answer has. Plain ASGI: a webhook must not pay for more."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Nothing runs and nothing is shown that this service did not serve itself.
CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; font-src 'self'; "
    "script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


class SafeHeaders:
    """Adds them to whatever ``app`` answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                # nothing is told outside; "no-referrer" would take the forms' own origin, too, and
                # a sign-in could not be told from another site's (session.from_here)
                headers["Referrer-Policy"] = "same-origin"
                headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
                if scope["app"].state.service.settings.public_url.startswith("https:"):
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        await self._app(scope, receive, send_safely)
