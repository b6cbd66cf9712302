"""The limit of dispatch: the same adapter over the same transport, and nothing else.

No database, no queue, no checks: one process hands prepared messages to ``Provider.submit``, so
many at once, the next as soon as one is answered.

    python -m benchmarks.bare_client CARRIER MESSAGES IN_FLIGHT
"""

from __future__ import annotations

import asyncio
import sys
import time

from benchmarks.office import ACCOUNT, TOKEN
from contact_service.dispatch.drain import event_loop
from providers.base import Accepted, Message, Provider
from providers.registry import create

BODY = "世田谷区役所納税課です。お伝えしたいことがあります。お電話ください。03-5432-1111"


async def _send(provider: Provider, numbers: list[int], address: str) -> None:
    while numbers:
        number = numbers.pop()
        message = Message(str(number), "+819012345678", BODY, f"{address}/receipts/{number}")
        result = await provider.submit(message)
        assert isinstance(result, Accepted), result


async def _run(carrier: str, messages: int, in_flight: int) -> None:
    options = {
        "account_sid": ACCOUNT, "auth_token": TOKEN, "base_url": carrier,
        "from_number": "+81354321111",
    }  # fmt: skip
    provider = create("twilio", "bare", options)
    await _send(provider, list(range(in_flight)), carrier)  # warm
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.perf_counter()
    numbers = list(range(messages))
    await asyncio.gather(*(_send(provider, numbers, carrier) for _ in range(in_flight)))
    print(time.perf_counter() - began, flush=True)
    await provider.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=event_loop) as runner:
        runner.run(_run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
