"""Rate limits that all workers share: one token bucket a lane, kept in Redis.

The bucket goes by the server's real clock. If Redis cannot be asked nothing is sent (fail
closed); a bucket that Redis has forgotten starts empty, so a restart is no burst.
"""

from __future__ import annotations

from dataclasses import dataclass

import redis

_TAKE = """
local now = redis.call('TIME')
local at = now[1] + now[2] / 1e6
local rate, most, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local hold = redis.call('PTTL', KEYS[2])
if hold > 0 then return {0, hold} end
local state = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, since = tonumber(state[1] or 0), tonumber(state[2] or at)
tokens = math.min(most, tokens + math.max(0, at - since) * rate)
local granted = math.min(wanted, math.floor(tokens))
tokens = tokens - granted
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', tostring(at))
redis.call('PEXPIRE', KEYS[1], 3600000)
local wait = 0
if granted < wanted then wait = math.ceil((1 - (tokens - math.floor(tokens))) / rate * 1000) end
return {granted, wait}
"""


@dataclass(frozen=True, slots=True)
class Granted:
    """How many contacts may go out now, and when it is worth asking again."""

    tokens: int
    wait_seconds: float


class RateLimit:
    """The limit of one lane: ``per_second`` contacts, at most one second's worth at once."""

    def __init__(self, client: redis.Redis, lane: str, per_second: float) -> None:
        self._client = client
        self._bucket, self._hold = f"limit:{lane}", f"hold:{lane}"
        self._rate = per_second
        self._most = max(1.0, per_second)
        self._take = client.register_script(_TAKE)

    def take(self, wanted: int) -> Granted:
        """Take up to ``wanted`` tokens. Raises ``redis.RedisError``."""
        tokens, wait = self._take(
            keys=[self._bucket, self._hold], args=[self._rate, self._most, wanted]
        )
        return Granted(int(tokens), int(wait) / 1000)

    def hold(self, seconds: float) -> None:
        """Grant nothing for a while, for any worker: the carrier asked for a pause."""
        self._client.set(self._hold, "1", px=max(1, int(seconds * 1000)))
