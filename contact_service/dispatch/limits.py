"""Rate limits that all workers share: one token bucket a lane, kept in Redis.

The bucket goes by the server's real clock. If Redis cannot be asked nothing is sent (fail
closed); a bucket that Redis has forgotten starts empty, so a restart is no burst. The same
script shares a channel between its carriers: by weight, away from one that fails or is slow,
and back as it recovers. Only what is due is shared: an attempt whose fate is unknown stays with
the carrier that may have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import redis
from pydantic import BaseModel, ConfigDict, Field

from providers.base import Cause, Refused, Result, Throttled, Unknown

_TAKE = (Path(__file__).parent / "take.lua").read_text()
_OBSERVE = (Path(__file__).parent / "observe.lua").read_text()

Seconds = Annotated[float, Field(gt=0)]


class ProviderLimits(BaseModel):
    """What a carrier's account (or its sender) may be given, beside its rates a second."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    concurrent_calls: int | None = Field(default=None, ge=1)
    """How many auto-calls may be under way at once."""
    parts_per_day: int | None = Field(default=None, ge=1)
    """How many parts of messages a day (in Tokyo)."""
    yen_per_day: float | None = Field(default=None, gt=0)
    """How much it may cost a day, by the prices in its entry."""
    weight: float = Field(default=1.0, gt=0, le=1000)
    """Its part of a channel that several carriers serve."""
    slow_seconds: Seconds = 5.0
    """Where answers take longer than this, on average, others are given more."""
    recovery_seconds: Seconds = 30.0
    """After this long, half of what was seen of a carrier is forgotten."""


@dataclass(frozen=True, slots=True)
class Granted:
    """How many contacts may go out now, and when it is worth asking again."""

    tokens: int
    wait_seconds: float


class RateLimit:
    """The limit of one lane, ``provider/channel``: ``per_second`` contacts, at most one second's
    worth at once, and of what the channel's carriers share no more than its part."""

    def __init__(
        self,
        client: redis.Redis,
        lane: str,
        per_second: float,
        limits: ProviderLimits | None = None,
    ) -> None:
        self._client = client
        self._bucket, self._hold = f"limit:{lane}", f"hold:{lane}"
        self._provider, _, channel = lane.partition("/")
        self._shares, self._health = f"shares:{channel}", f"health:{channel}:"
        self._rate = per_second
        self._most = max(1.0, per_second)
        self._limits = limits or ProviderLimits()
        self._take = client.register_script(_TAKE)
        self._observe = client.register_script(_OBSERVE)

    def take(self, wanted: int) -> Granted:
        """Take up to ``wanted`` tokens. Raises ``redis.RedisError``."""
        tokens, wait = self._take(
            keys=[self._bucket, self._hold, self._shares, self._health],
            args=[
                self._rate, self._most, wanted, self._provider, self._limits.weight,
                self._limits.slow_seconds, self._limits.recovery_seconds,
            ],
        )  # fmt: skip
        return Granted(int(tokens), int(wait) / 1000)

    def give_back(self, tokens: int) -> None:
        """Put back what was granted and found nothing to do: it is not used up."""
        if tokens > 0:
            self._client.hincrbyfloat(self._bucket, "tokens", tokens)

    def hold(self, seconds: float) -> None:
        """Grant nothing for a while, for any worker: the carrier asked for a pause."""
        self._client.set(self._hold, "1", px=max(1, int(seconds * 1000)))

    def observe(self, results: Sequence[Result], seconds: Sequence[float]) -> None:
        """Tell how the carrier did: its answers, and how long requests took."""
        if not results or not seconds:
            return
        bad = sum(map(is_bad, results))
        mean = sum(seconds) / len(seconds)
        self._observe(
            keys=[f"{self._health}{self._provider}"],
            args=[len(results), bad, mean, self._limits.recovery_seconds],
        )


@dataclass(frozen=True, slots=True)
class Health:
    """How a carrier did lately on one channel, the newest answers counting most."""

    bad: float
    """The share of answers that speak against it, 0 to 1."""
    seconds: float
    """How long an answer takes."""
    held_seconds: float
    """For so long it asked to be left alone; 0: it did not."""
    known: bool
    """Whether anything was sent lately."""


def health(client: redis.Redis, provider: str, channel: str, limits: ProviderLimits) -> Health:
    """What all workers have seen of a carrier. Raises ``redis.RedisError``."""
    said = client.hgetall(f"health:{channel}:{provider}")
    held = client.pttl(f"hold:{provider}/{channel}")
    clock = client.time()
    found = {name.decode(): float(value) for name, value in said.items()}  # type: ignore[union-attr]
    now = clock[0] + clock[1] / 1e6
    fade = 0.5 ** (max(0.0, now - found.get("at", now)) / limits.recovery_seconds)
    return Health(
        found.get("bad", 0.0) * fade, found.get("seconds", 0.0), max(0, int(held)) / 1000,
        bool(found),
    )  # fmt: skip


def is_bad(result: Result) -> bool:
    """Whether an answer speaks against the carrier rather than against the contact."""
    match result:
        case Unknown():
            return True
        case Throttled():
            return bool(result.retry_after)
        case Refused():
            return result.cause in (Cause.OUR_CREDENTIALS, Cause.THEIR_FAULT)
        case _:
            return False
