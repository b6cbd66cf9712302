"""From a name and options to a carrier: the closed table of adapters."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import ValidationError

from providers.base import Provider
from providers.gateway.adapter import GatewayProvider
from providers.gateway.options import GatewayOptions
from providers.sip.adapter import SipProvider
from providers.sip.options import SipOptions
from providers.smpp.adapter import SmppProvider
from providers.smpp.options import SmppOptions
from providers.twilio.adapter import TwilioProvider
from providers.twilio.options import TwilioOptions


class UnknownAdapter(ValueError):
    """No adapter has this name."""


class BadOptions(ValueError):
    """An adapter's options are incomplete or wrong; the message names each field, no value."""


def _twilio(name: str, options: Mapping[str, object]) -> Provider:
    return TwilioProvider(name, TwilioOptions.model_validate(dict(options)))


def _gateway(name: str, options: Mapping[str, object]) -> Provider:
    return GatewayProvider(name, GatewayOptions.model_validate(dict(options)))


def _sip(name: str, options: Mapping[str, object]) -> Provider:
    return SipProvider(name, SipOptions.model_validate(dict(options)))


def _smpp(name: str, options: Mapping[str, object]) -> Provider:
    return SmppProvider(name, SmppOptions.model_validate(dict(options)))


_ADAPTERS: Mapping[str, Callable[[str, Mapping[str, object]], Provider]] = {
    "gateway": _gateway,
    "sip": _sip,
    "smpp": _smpp,
    "twilio": _twilio,
}


def adapters() -> tuple[str, ...]:
    """The names that :func:`create` knows."""
    return tuple(sorted(_ADAPTERS))


def create(adapter: str, name: str, options: Mapping[str, object]) -> Provider:
    """The carrier ``name`` through ``adapter``.

    Secrets are plain values in ``options``; they appear in no representation and no error.
    Raises :class:`UnknownAdapter` and :class:`BadOptions`.
    """
    make = _ADAPTERS.get(adapter)
    if make is None:
        raise UnknownAdapter(
            f"事業者「{name}」: アダプター {adapter!r} はありません。使えるもの: "
            f"{', '.join(adapters())} / "
            f"provider {name!r}: no adapter {adapter!r}; there is {', '.join(adapters())}"
        )
    try:
        return make(name, options)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'options'}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_context=False, include_input=False)
        )
    # Outside the handler: the chained exception would carry the values.
    raise BadOptions(
        f"事業者「{name}」（{adapter}）の設定に誤りがあります / "
        f"provider {name!r} ({adapter}), wrong options: {faults}"
    )
