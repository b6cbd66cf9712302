"""Registered, refreshed in time, and honest about it; a silent trunk is used again when it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from providers.sip import agent
from providers.sip.adapter import SipProvider
from providers.sip.door import Door
from providers.sip.media import Media, Order
from providers.sip.options import SipOptions
from tests.providers.sip.registrar import Registrar, listening
from tests.providers.sip.service import (
    TO,
    far_end,
    free_port,
    media_process,
    options,
    service,
    serving,
)


def registering(folder: Path, port: int, password: str = "right", **more: object) -> SipOptions:
    return options(
        folder, port, user="ward", password=password, register_with_trunk=True,
        **{"t1_seconds": 0.02, **more},
    )  # fmt: skip


async def health(media: Media, chosen: SipOptions) -> str | None:
    """What the doctor is told."""
    async with serving(Door(media)) as door:
        url = f"http://127.0.0.1:{door}"
        provider = SipProvider("line", chosen.model_copy(update={"media_url": url}))
        try:
            return await provider.health()
        finally:
            await provider.close()


async def until(true: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


def test_registered_by_digest_and_again_before_what_was_granted_ends(tmp_path: Path) -> None:
    async def conversation() -> None:
        port = free_port()
        chosen = registering(tmp_path, port)
        registrar = Registrar("ward", "right", granted=1)
        async with listening(registrar, port), media_process(chosen) as media:
            await registrar.until(2)
            first, second = registrar.taken[:2]
            host, own = media.agent.address
            assert first["contact"] == f"<sip:ward@{host}:{own}>"
            assert first["call-id"] == second["call-id"], "RFC 3261, 10.2: one Call-ID"
            assert int(first["cseq"].split()[0]) < int(second["cseq"].split()[0])
            assert await health(media, chosen) is None

    asyncio.run(conversation())


def test_who_stops_takes_leave_of_the_registrar_and_does_not_wait_for_it_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "LEAVE_SECONDS", 0.2)

    async def conversation() -> None:
        port = free_port()
        registrar = Registrar("ward", "right")
        async with listening(registrar, port):
            async with media_process(registering(tmp_path, port)):
                await registrar.until(1)
            assert [one["expires"] for one in registrar.taken] == ["300", "0"]
            assert len({one["call-id"] for one in registrar.taken}) == 1
            assert registrar.taken[1]["contact"] == registrar.taken[0]["contact"]
            async with media_process(registering(tmp_path, port)):
                await registrar.until(3)
                registrar.silent = True
            assert len(registrar.taken) == 3

    asyncio.run(conversation())


def test_a_registrar_that_wants_longer_gets_it(tmp_path: Path) -> None:
    async def conversation() -> None:
        port = free_port()
        registrar = Registrar("ward", "right", least=900)
        async with listening(registrar, port), media_process(registering(tmp_path, port)):
            await registrar.until(1)
            assert registrar.taken[0]["expires"] == "900"

    asyncio.run(conversation())


def test_what_is_wrong_is_said_and_nothing_dialled_until_it_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "RETRY_SECONDS", 0.05)

    async def conversation() -> None:
        port = free_port()
        chosen = registering(tmp_path, port, "wrong", keepalive_seconds=0.05)
        registrar = Registrar("ward", "right")
        async with listening(registrar, port), media_process(chosen) as media:
            await until(lambda: media.agent.fault is not None)
            assert registrar.challenged == 2, "the password was tried once, not for ever"
            assert "registration: 401" in (await health(media, chosen) or "")
            order = Order("attempt", TO, "http://127.0.0.1:1/", None, 20)
            refused = await media.place(order)
            assert (refused.status, refused.document["fault"]) == (429, "trunk")
            registrar.silent = True  # the trunk's silence comes on top of it, and goes again
            await until(lambda: media.agent._silent is not None)
            registrar.silent = False
            await until(lambda: media.agent._silent is None)
            assert "registration: 401" in (await health(media, chosen) or "")
        port = free_port()
        right = registering(tmp_path / "right", port)
        silent = Registrar("ward", "right", silent=True)
        async with listening(silent, port), media_process(right) as media:
            await until(lambda: media.agent.fault == "registration: no answer")
            silent.silent = False
            await silent.until(1)
            await until(lambda: media.agent.fault is None)

    asyncio.run(conversation())


def test_a_silent_trunk_is_dialled_again_as_soon_as_it_answers_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "RETRY_SECONDS", 0.05)

    async def conversation() -> None:
        port = free_port()
        chosen = options(tmp_path, port, keepalive_seconds=0.05, t1_seconds=0.02)
        async with service() as at, media_process(chosen) as media:
            order = Order("attempt", TO, at.url("/start"), at.url("/receipts"), 1.0)
            await until(lambda: media.agent.fault is not None)
            assert "the trunk does not answer" in (await health(media, chosen) or "")
            assert (await media.place(order)).status == 429
            with far_end([{"ring": 30}], tmp_path, port) as far:
                await until(lambda: media.agent.fault is None)
                assert (await media.place(order)).status == 201
                await far.until("incoming")

    asyncio.run(conversation())
