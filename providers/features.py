"""The feature table of ``docs/reference/providers.md``, from what adapters declare.

``python -m providers.features`` prints it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import SecretStr

from providers.base import Capabilities, Channel
from providers.gateway.adapter import capabilities as gateway_capabilities
from providers.gateway.source import find, library
from providers.sip.adapter import capabilities as sip_capabilities
from providers.sip.options import SipOptions
from providers.smpp.adapter import capabilities as smpp_capabilities
from providers.smpp.options import SmppOptions
from providers.twilio.adapter import capabilities as twilio_capabilities
from providers.twilio.options import TwilioOptions

#: Each adapter with every option given that adds a capability; a gateway once a declaration.
DECLARED: Mapping[str, Capabilities] = {
    "twilio": twilio_capabilities(
        TwilioOptions(
            account_sid="AC" + "0" * 32,
            auth_token=SecretStr("unused"),
            from_number="+815000000000",
            messaging_service_sid="MG" + "0" * 32,
            line_type_yen=1,
        )
    ),
    "sip": sip_capabilities(
        SipOptions(
            secret=SecretStr("unused, unused, unused"),
            trunk="192.0.2.1",
            caller="0300000000",
            machine_detection=True,
            extensions=True,
        )
    ),
    "smpp": smpp_capabilities(
        SmppOptions(
            host="127.0.0.1",
            system_id="unused",
            password=SecretStr("unused"),
            sender="0",
            parts="gsm-national",
            query=True,
        )
    ),
    **{f"gateway {name}": gateway_capabilities(find(name)) for name in library()},
}


def _yes(value: bool) -> str:
    return "yes" if value else "–"


def _settles(declared: Capabilities) -> str:
    delay = declared.listing_complete_after
    if delay is None:
        return "a person"
    how = "our reference" if declared.look_up_by_reference else "listing"
    return f"{how}, {delay.total_seconds():g} s"


def _reports(declared: Capabilities) -> str:
    ways = {
        "webhook": declared.webhook_receipts,
        "connection": declared.connection_receipts,
        "polling": declared.polling,
    }
    return ", ".join(way for way, there in ways.items() if there)


def _characters(declared: Capabilities) -> str:
    if Channel.SMS not in declared.channels:
        return "–"
    rule = declared.part_rule
    sets = ["GSM 7 bit"] if rule.seven_bit else []
    sets += [f"national tables ({', '.join(rule.languages)})"] if rule.languages else []
    return ", ".join([*sets, "UCS-2"])


def _length(declared: Capabilities) -> str:
    if Channel.SMS not in declared.channels:
        return "–"
    longest = declared.part_rule.longest
    return f"{declared.max_parts} parts" + (f", {longest} characters" if longest else "")


def _ahead(declared: Capabilities) -> str:
    ahead = declared.schedule_ahead
    return "–" if ahead is None else f"{ahead.days} days"


def _limit(value: float | None) -> str:
    return "by contract" if value is None else f"{value:g}"


def _many(value: int) -> str:
    return "one" if value == 1 else str(value)


_CALLS = Channel.AUTO_CALL
_ROWS: tuple[tuple[str, Callable[[Capabilities], str]], ...] = (
    ("SMS", lambda declared: _yes(Channel.SMS in declared.channels)),
    ("auto-calls", lambda declared: _yes(_CALLS in declared.channels)),
    ("reports by", _reports),
    ("several reports a request", lambda declared: _yes(declared.several_receipts)),
    ("what is unknown is settled by", _settles),
    ("contacts a request, at most", lambda declared: _many(declared.batch_size)),
    ("outcomes a question, at most", lambda declared: _many(declared.look_up_batch_size)),
    ("length of a message, at most", _length),
    ("characters", _characters),
    ("scheduling by the carrier, ahead", _ahead),
    ("taking back", lambda declared: _yes(declared.cancel)),
    ("contacts a second", lambda declared: _limit(declared.per_second)),
    (
        "calls at once",
        lambda declared: _limit(declared.calls_at_once) if _CALLS in declared.channels else "–",
    ),
    ("key presses", lambda declared: _yes(declared.key_presses)),
    ("answering-machine detection", lambda declared: _yes(declared.machine_detection)),
    ("message after the tone", lambda declared: _yes(declared.voicemail_drop)),
    ("transfer to the centre", lambda declared: _yes(declared.transfer)),
    ("words for the operator alone", lambda declared: _yes(declared.whisper)),
    ("callers wait with the carrier", lambda declared: _yes(declared.queue)),
    ("telephones by extension", lambda declared: _yes(declared.extensions)),
    ("recording (off by default)", lambda declared: _yes(declared.recording)),
    ("messages from residents", lambda declared: _yes(declared.inbound_messages)),
    ("kind of line look-up", lambda declared: _yes(declared.line_type)),
    ("must be able to reach us for calls", lambda declared: _yes(declared.fetches_instructions)),
)


def table() -> str:
    """Markdown: one column an adapter, one row a feature."""
    names = sorted(DECLARED)
    lines = [
        "| feature | " + " | ".join(f"`{name}`" for name in names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    for title, cell in _ROWS:
        lines.append(f"| {title} | " + " | ".join(cell(DECLARED[name]) for name in names) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(), end="")
