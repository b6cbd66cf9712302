"""The feature table of ``docs/reference/providers.md``, from what adapters declare.

``python -m providers.features`` prints it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import SecretStr

from providers.base import Capabilities, Channel
from providers.twilio.adapter import capabilities as twilio_capabilities
from providers.twilio.options import TwilioOptions

#: Each adapter with every option given that adds a capability.
DECLARED: Mapping[str, Capabilities] = {
    "twilio": twilio_capabilities(
        TwilioOptions(
            account_sid="AC" + "0" * 32,
            auth_token=SecretStr("unused"),
            from_number="+815000000000",
        )
    )
}


def _listing(declared: Capabilities) -> str:
    delay = declared.listing_complete_after
    return "no: a person decides" if delay is None else f"after {delay.total_seconds():g} s"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


_ROWS: tuple[tuple[str, Callable[[Capabilities], str]], ...] = (
    ("SMS", lambda declared: _yes(Channel.SMS in declared.channels)),
    ("auto-calls", lambda declared: _yes(Channel.AUTO_CALL in declared.channels)),
    ("reports by webhook", lambda declared: _yes(declared.webhook_receipts)),
    ("reports by polling", lambda declared: _yes(declared.polling)),
    ("listing proves what was not taken", _listing),
    ("parts of a message, at most", lambda declared: str(declared.max_parts)),
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
