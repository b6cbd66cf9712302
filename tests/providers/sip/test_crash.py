"""A media process that is killed in mid-call: its calls are lost, and never placed again."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from providers.base import Accepted, Call, Channel, Outcome, ProviderUnavailable
from providers.instructions import HangUp, Play
from providers.sip.adapter import SipProvider
from providers.sip.options import SipOptions
from tests.providers.sip.service import ROOT, TO, far_end, free_port, options, service, tone


@contextmanager
def process_of(chosen: SipOptions) -> Iterator[subprocess.Popen[bytes]]:
    """The media process, as a process."""
    given = chosen.model_dump(mode="json", exclude_none=True) | {
        "secret": chosen.secret.get_secret_value()
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.providers.sip.run_media", json.dumps(given)],
        cwd=ROOT, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_killed_in_mid_call_the_attempt_is_unknown_and_its_reference_is_never_placed_again(
    tmp_path: Path,
) -> None:
    async def conversation() -> None:
        port = free_port()
        chosen = options(tmp_path, port, media_url=f"http://127.0.0.1:{free_port()}")
        provider = SipProvider("trunk", chosen)
        with far_end([{}], tmp_path, port) as far:
            async with service() as at:
                prompt = at.record("prompt.wav", tone(20.0))
                at.says["/start"] = lambda _: [Play(prompt), HangUp()]
                call = Call("attempt-1", TO, at.url("/start"), at.url("/receipts"))
                with process_of(chosen) as process:
                    taken = await provider.submit(call)
                    assert isinstance(taken, Accepted)
                    await far.until("answered")
                    await at.until(lambda: bool(at.asked))  # the conversation is under way
                    found = await provider.look_up(Channel.AUTO_CALL, taken.provider_ref)
                    assert found is not None
                    assert not found.final
                    process.kill()
                    process.wait()
                with pytest.raises(ProviderUnavailable):  # nobody there is not "never placed"
                    await provider.look_up(Channel.AUTO_CALL, taken.provider_ref)
                with process_of(chosen):
                    lost = await provider.look_up(Channel.AUTO_CALL, taken.provider_ref)
                    assert lost is not None
                    assert (lost.status, lost.outcome, lost.final) == (
                        "lost", Outcome.UNKNOWN, True,
                    )  # fmt: skip
                    assert await provider.submit(call) == taken
                    # the line works, and what it brings is the next call, not the old one again
                    other = await provider.submit(
                        Call("attempt-2", TO, at.url("/start"), at.url("/receipts"))
                    )
                    assert isinstance(other, Accepted)
                    await far.until("answered", 1)
                    assert len([one for one in far.told if one["event"] == "incoming"]) == 2
        await provider.close()

    asyncio.run(conversation())
