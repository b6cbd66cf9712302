"""Headers that every answer has. Plain ASGI: a webhook must not pay for more."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Nothing runs and nothing is shown that this service did not serve itself.
CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; font-src 'self'; "
    "script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


#: What the answer says itself stands.
_ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    # nothing is told outside; "no-referrer" would take the forms' own origin, too, and a sign-in
    # could not be told from another site's (session.from_here)
    (b"referrer-policy", b"same-origin"),
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
]
#: Nothing of what is answered lies about on a disk: pages, answers of the API, files, sound.
_NOT_KEPT = (b"cache-control", b"no-store")
#: What comes with the program may be kept.
_OF_THE_PROGRAM = "/static/"
_BY_TLS_ALONE = (b"strict-transport-security", b"max-age=31536000")


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
                headers = list(message.get("headers", ()))
                said = {name for name, _ in headers}
                headers += [each for each in _ALWAYS if each[0] not in said]
                if _NOT_KEPT[0] not in said and not scope["path"].startswith(_OF_THE_PROGRAM):
                    headers.append(_NOT_KEPT)
                if scope["app"].state.service.settings.public_url.startswith("https:"):
                    headers.append(_BY_TLS_ALONE)
                message["headers"] = headers
            await send(message)

        await self._app(scope, receive, send_safely)
