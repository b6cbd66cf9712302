"""How many requests a caller may make a second, over all processes of the web application.

A caller is a token or a session that has been let in, else an address: whoever makes headers up
stays one caller. Carriers' webhooks have a limit of their own, by address. Signing in has its own,
stricter limits in ``identity``. Without Redis everybody is admitted: a report that is turned away
is worse than a flood.
"""

from __future__ import annotations

import asyncio
import time
from hashlib import sha256
from pathlib import Path

import redis.asyncio
from redis.exceptions import RedisError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from contact_service import logs
from contact_service.settings import Settings
from contact_service.web.problems import problem

_TAKE = Path(__file__).with_suffix(".lua").read_text()
#: Callers whose grants this process remembers, at most; and how many whom it has let in.
MOST_CALLERS = 10_000
#: So long after it was last let in, a token or a session counts for itself.
KNOWN_SECONDS = 600.0
#: So long Redis is left alone when it did not answer.
REDIS_PAUSE_SECONDS = 2.0
TOO_MANY = (
    "短い間に要求が多すぎます。少し待って、もう一度送ってください / "
    "too many requests: wait a little and send it again"
)

log = logs.log(__name__)


class Limits:
    """The limits of one deployment. Use from one event loop.

    Grants are fetched some at a time and are good for a second: a webhook must not cost a
    question to Redis each.
    """

    def __init__(self, settings: Settings) -> None:
        self._client = redis.asyncio.Redis.from_url(
            settings.broker_url, socket_timeout=0.5, socket_connect_timeout=0.5
        )
        self._take = self._client.register_script(_TAKE)
        self._webhooks = settings.webhooks_per_second
        self._requests = settings.requests_per_second
        self._held: dict[str, tuple[int, float]] = {}  # grants, and until when
        self._known: dict[str, tuple[str, float]] = {}  # by what they show: who, and until when
        self._asking = asyncio.Lock()
        self._alone_until = 0.0

    async def admits(self, scope: Scope) -> bool:
        """Whether a request may be answered now."""
        path = str(scope["path"])
        if path.startswith("/static/") or path == "/healthz":
            return True
        webhook = path.startswith("/webhooks/")
        rate = self._webhooks if webhook else self._requests
        return await self._admits(_hashed(self._caller(scope, webhook)), rate)

    def _caller(self, scope: Scope, webhook: bool) -> str:
        if webhook:
            return f"webhooks\0{_address(scope)}"
        who, until = self._known.get(_shown(scope), ("", 0.0))
        return who if time.monotonic() < until else f"requests\0{_address(scope)}"

    def let_in(self, scope: Scope, who: str) -> None:
        """Remember whose token or session a request has shown to be, by a name of ours."""
        if len(self._known) >= MOST_CALLERS:
            self._known.clear()
        self._known[_shown(scope)] = (who, time.monotonic() + KNOWN_SECONDS)

    async def _admits(self, caller: str, rate: float) -> bool:
        if self._spend(caller):
            return True
        # one question at a time: many who come at once would each be granted some, use one, and
        # leave nothing to whoever comes next
        async with self._asking:
            if self._spend(caller):
                return True
            grants = await self._granted(caller, rate)
            if len(self._held) >= MOST_CALLERS:
                self._held.clear()
            self._held[caller] = (grants, time.monotonic() + 1)
            return self._spend(caller)

    def _spend(self, caller: str) -> bool:
        """Use up one of the grants that are held, if there is any."""
        grants, until = self._held.get(caller, (0, 0.0))
        if not grants or until < time.monotonic():
            return False
        self._held[caller] = (grants - 1, until)
        return True

    async def _granted(self, caller: str, rate: float) -> int:
        if time.monotonic() < self._alone_until:
            return 1
        try:
            granted = await self._take(
                keys=[f"requests:{caller}"], args=[rate, max(1, int(rate / 20))]
            )
        except RedisError as error:
            self._alone_until = time.monotonic() + REDIS_PAUSE_SECONDS
            log.warning("limits.without_redis", reason=type(error).__name__)
            return 1
        return int(granted)

    async def close(self) -> None:
        """Let go of Redis."""
        await self._client.aclose()


class RateLimited:
    """Turns requests over the limit away, unread."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not await scope["app"].state.limits.admits(scope):
            refused = problem(Request(scope), 429, TOO_MANY, {"Retry-After": "1"})
            await refused(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            for kind in ("token", "session") if scope["type"] == "http" else ():
                if (found := scope.get("state", {}).get(kind)) is not None:
                    scope["app"].state.limits.let_in(scope, f"{kind}:{found.id}")


def _address(scope: Scope) -> str:
    client = scope["client"]
    return client[0] if client else ""


def _shown(scope: Scope) -> str:
    """What a request shows of who asks: all of it, and nothing that could be read again."""
    headers = Headers(scope=scope)
    return _hashed("\0".join(headers.get(name, "") for name in ("authorization", "cookie")))


def _hashed(who: str) -> str:
    """Who asks, without saying who: tokens, cookies and addresses stay out of Redis."""
    return sha256(who.encode("utf-8", "surrogateescape")).hexdigest()[:32]
