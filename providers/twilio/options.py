"""What an administrator says about a Twilio account."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from providers.base import Channel

AccountSid = Annotated[str, Field(pattern=r"^AC[0-9a-fA-F]{32}$")]
E164 = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
DnsLabel = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,63}$")]
Seconds = Annotated[float, Field(gt=0, le=600)]


class TwilioOptions(BaseModel):
    """Durations are in seconds. Secrets are plain values here: whoever calls has read them."""

    # Values stay out of error messages: one of them is a secret.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    account_sid: AccountSid
    """Who signs in."""
    auth_token: SecretStr = Field(min_length=1)
    """The password, unless an API key is given; and what reports are signed with."""
    api_key_sid: Annotated[str, Field(pattern=r"^SK[0-9a-fA-F]{32}$")] | None = None
    api_key_secret: SecretStr | None = None
    """Sign requests in with a key that can be withdrawn by itself, instead of the token."""
    subaccount_sid: AccountSid | None = None
    """Whose messages and calls these are; unset: the account's own."""
    signing_token: SecretStr | None = None
    """What reports are signed with; unset: ``auth_token``. A sub-account signs with its own."""
    from_number: E164 | None = None
    """Calls come from this number, and messages too unless a messaging service is named."""
    messaging_service_sid: Annotated[str, Field(pattern=r"^MG[0-9a-fA-F]{32}$")] | None = None
    """Sends the messages from its pool of senders."""
    region: DnsLabel | None = None
    edge: DnsLabel | None = None
    base_url: str | None = None
    """Scheme, host and port that all requests go to instead of Twilio's: the simulated carrier."""
    machine_detection: Literal["Enable", "DetectMessageEnd"] | None = None
    """Ask Twilio who answered a call; unset: not asked, and not charged."""
    calls_at_once: int | None = Field(default=None, ge=1)
    """Calls under way together that the account allows."""
    calls_per_second: float = Field(default=1.0, gt=0, le=100)
    """What the account allows: one, unless agreed otherwise."""
    part_yen: float | None = Field(default=None, ge=0)
    """Price of one part of a message; unset: unknown."""
    call_minute_yen: float | None = Field(default=None, ge=0)
    line_type_yen: float | None = Field(default=None, ge=0)
    """Price of one question about a number's kind of line. Unset: such questions are not asked."""
    voice: str = "Polly.Mizuki"
    """Twilio's name of the voice that speaks."""
    connect_timeout_seconds: Seconds = 5.0
    read_timeout_seconds: Seconds = 15.0
    # a request must be over well before the lease under which it was made
    total_timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 30.0
    throttle_pause_seconds: Seconds = 5.0
    """How long to pause when nothing could be handed over and Twilio did not say how long."""
    listing_complete_after_seconds: Annotated[float, Field(ge=0, le=86_400)] = 120.0
    """After this long the listing surely shows what was taken."""

    @property
    def owner_sid(self) -> str:
        """The account that messages and calls belong to."""
        return self.subaccount_sid or self.account_sid

    @property
    def signing_secret(self) -> str:
        """The key of the signatures on reports."""
        return (self.signing_token or self.auth_token).get_secret_value()

    @property
    def channels(self) -> frozenset[Channel]:
        """What the senders given allow."""
        calls = {Channel.AUTO_CALL} if self.from_number else set()
        return frozenset({Channel.SMS} | calls)

    @field_validator("base_url")
    @classmethod
    def _origin_only(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.username is not None
            or parts.path not in ("", "/")
            or parts.query
            or parts.fragment
        ):
            raise ValueError(
                "http(s)://ホスト[:ポート] の形で指定してください / "
                "give a scheme, a host and perhaps a port, nothing else"
            )
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def user(self) -> tuple[str, str]:
        """Who signs requests in, and with what."""
        if self.api_key_sid is not None and self.api_key_secret is not None:
            return self.api_key_sid, self.api_key_secret.get_secret_value()
        return self.account_sid, self.auth_token.get_secret_value()

    @model_validator(mode="after")
    def _key_and_secret(self) -> Self:
        if (self.api_key_sid is None) != (self.api_key_secret is None):
            raise ValueError(
                "api_key_sid と api_key_secret は両方要ります / "
                "api_key_sid and api_key_secret belong together"
            )
        return self

    @model_validator(mode="after")
    def _some_sender(self) -> Self:
        if self.from_number is None and self.messaging_service_sid is None:
            raise ValueError(
                "from_number か messaging_service_sid を指定してください / "
                "give from_number or messaging_service_sid"
            )
        if not self.connect_timeout_seconds < self.total_timeout_seconds:
            # Otherwise the total runs out while connecting, and nobody can tell what left.
            raise ValueError(
                "connect_timeout_seconds は total_timeout_seconds より短くしてください / "
                "connect_timeout_seconds must be shorter than total_timeout_seconds"
            )
        return self
