"""Carriers by name: clear errors, no secrets in them."""

from __future__ import annotations

import asyncio
import traceback

import pytest

from providers.base import Channel
from providers.registry import BadOptions, UnknownAdapter, adapters, create
from tests.providers.twilio_bench import OPTIONS, TOKEN


def test_an_adapter_by_name() -> None:
    provider = create("twilio", "ward-main", OPTIONS)
    assert provider.name == "ward-main"
    assert provider.capabilities.channels == {Channel.SMS, Channel.AUTO_CALL}
    assert TOKEN not in repr(provider) + repr(vars(provider))
    asyncio.run(provider.close())


def test_what_there_is_is_named() -> None:
    with pytest.raises(UnknownAdapter, match="twilio") as caught:
        create("twillio", "ward-main", OPTIONS)
    assert "'twillio'" in str(caught.value)
    assert "gateway" in adapters()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"account_sid": "XX1"}, "account_sid"),
        ({"auth_token": ""}, "auth_token"),
        ({"from_number": "090-1234-5678"}, "from_number"),
        ({"base_url": "http://127.0.0.1:8010/2010-04-01"}, "base_url"),
        ({"base_url": "http://user:pass@127.0.0.1"}, "base_url"),
        ({"base_url": "ftp://127.0.0.1"}, "base_url"),
        ({"from_number": None}, "messaging_service_sid"),
        ({"connect_timeout_seconds": 30, "total_timeout_seconds": 30}, "total_timeout_seconds"),
        ({"connect_timeout_seconds": 0}, "connect_timeout_seconds"),
        ({"auth_tokn": "x"}, "auth_tokn"),
        ({"edge": "evil.example/"}, "edge"),
    ],
)
def test_wrong_options_are_named_without_their_values(
    changes: dict[str, object], field: str
) -> None:
    with pytest.raises(BadOptions, match=field) as caught:
        create("twilio", "ward-main", {**OPTIONS, **changes})
    shown = "".join(traceback.format_exception(caught.value))
    assert "ward-main" in shown
    for value in (TOKEN, "090-1234-5678", "user:pass", "evil.example"):
        assert value not in shown
    assert caught.value.__context__ is None


def test_channels_follow_from_the_senders() -> None:
    service = "MG" + "0" * 32
    provider = create(
        "twilio", "x", {**OPTIONS, "from_number": None, "messaging_service_sid": service}
    )
    assert provider.capabilities.channels == {Channel.SMS}
    asyncio.run(provider.close())


def test_the_listing_delay_can_be_set() -> None:
    provider = create("twilio", "x", {**OPTIONS, "listing_complete_after_seconds": 0})
    delay = provider.capabilities.listing_complete_after
    asyncio.run(provider.close())
    assert delay is not None
    assert delay.total_seconds() == 0
