"""Carriers that a worker cannot speak to, because its host lacks a secret or an option is wrong.

Every tick meets it again, in every process; it is said once for each change, and stands in Redis
for the page of the providers as long as workers go on meeting it.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping

import redis

from contact_service import logs
from contact_service.dispatch.providers import BadProvidersFile, ProviderConfig, create
from providers.base import Provider

#: What was not met again for so long is over: the worker was stopped.
REMEMBERED_SECONDS = 120
_log = logs.log(__name__)


def made(client: redis.Redis, config: ProviderConfig) -> Provider | None:
    """The adapter of a carrier, or none, which is said and kept for who looks."""
    host = socket.gethostname()
    try:
        provider = create(config)
    except BadProvidersFile as error:
        with client.pipeline(transaction=True) as asked:
            asked.hget(_key(config.name), host)
            asked.hset(_key(config.name), host, str(error))
            asked.expire(_key(config.name), REMEMBERED_SECONDS)
            before = asked.execute()[0]
        if before is None or before.decode() != str(error):
            _log.error("provider.unusable", provider=config.name, said=str(error))
        return None
    if client.hdel(_key(config.name), host):
        _log.info("provider.usable", provider=config.name)
    return provider


def where(client: redis.Redis, name: str) -> Mapping[str, str]:
    """On which hosts workers cannot use a carrier, and why. Raises ``redis.RedisError``."""
    said: Mapping[bytes, bytes] = client.hgetall(_key(name))  # type: ignore[assignment]
    return {host.decode(): why.decode() for host, why in sorted(said.items())}


def _key(name: str) -> str:
    return f"unusable:{name}"
