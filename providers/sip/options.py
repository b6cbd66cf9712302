"""What an administrator says about a SIP trunk."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FilePath,
    SecretStr,
    field_validator,
    model_validator,
)

Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=600)]
Origin = Annotated[str, Field(pattern=r"^https?://[^/?#@]+$")]


class SipOptions(BaseModel):
    """Durations are in seconds. Secrets are plain values here: whoever calls has read them."""

    # Values stay out of error messages: two of them are secrets.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    secret: SecretStr = Field(min_length=16)
    """Shared by media process, workers and web: what requests between them are signed with."""
    media_url: Origin = "http://127.0.0.1:5080"
    """Where the media process takes calls from workers: scheme, host and port."""
    folder: Path = Path(".contact-service/trunk")
    """The media process's journal of calls, and speech it has made."""

    trunk: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+(:[0-9]{1,5})?$")]
    """Host, perhaps with port (5060), of the trunk or exchange that calls go through."""
    domain: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+$")] | None = None
    """Domain in the addresses of calls; unset: the trunk's host."""
    caller: Annotated[str, Field(pattern=r"^\+?[0-9]{2,15}$")]
    """The caller's number, as the trunk wants it written."""
    user: str | None = None
    """User name of digest authentication; unset: a trusted trunk, which knows our address."""
    password: SecretStr | None = None
    register_with_trunk: bool = False
    """Register at the trunk, so that it knows where we are and sends incoming calls."""
    number_form: Literal["national", "e164"] = "national"
    """How dialled numbers are written: ``09012345678`` or ``+819012345678``."""
    codecs: tuple[Literal["PCMU", "PCMA"], ...] = ("PCMU", "PCMA")
    """What we offer, best first."""

    local_address: str = "0.0.0.0"
    """Address of this machine that SIP and RTP are bound to."""
    public_address: str | None = None
    """What the trunk is told instead: needed behind address translation."""
    local_port: Port = 5060
    """UDP port of SIP; 0: any free one."""
    rtp_ports: tuple[Port, Port] = (16384, 17383)
    """First and last UDP port of RTP."""

    calls_at_once: Annotated[int, Field(ge=1, le=1000)] = 10
    """How many channels the trunk has: more calls at once are refused before dialling."""
    calls_per_second: Annotated[float, Field(gt=0, le=100)] = 2.0
    longest_call_seconds: Annotated[float, Field(ge=10, le=3600)] = 600.0
    """How long a call may be in which a machine alone speaks."""
    longest_conversation_seconds: Annotated[float, Field(ge=60, le=14_400)] = 7200.0
    """How long a call may be in which somebody waits for, or speaks with, an operator."""
    silence_ends_call_seconds: Annotated[float, Field(ge=1, le=600)] = 60.0
    """A call from which no sound packet has come for so long is given up."""
    keepalive_seconds: Annotated[float, Field(ge=0, le=600)] = 30.0
    """How often the trunk is asked whether it is there (OPTIONS); 0: never."""
    t1_seconds: Annotated[float, Field(gt=0, le=2)] = 0.5
    """RFC 3261's estimate of the round trip, from which all its timers follow."""

    machine_detection: bool = False
    """Listen to the greeting before speaking, to tell a person from an answering machine."""
    transfer: Literal["bridge", "refer"] = "bridge"
    """How a resident is put through: by a second call that we join to the first, or by asking
    the trunk (REFER), which many trunks refuse."""
    extensions: bool = False
    """Whether the far end is an exchange on which operators' telephones have extensions (2 to 6
    digits): their calls are put through to those. Never at a carrier's trunk."""
    transfer_seconds: Seconds = 45.0
    """How long the centre may ring."""

    inbound_url: Annotated[str, Field(pattern=r"^https?://")] | None = None
    """The service's address for incoming calls: public address + ``/webhooks/NAME/inbound``;
    unset: incoming calls are refused."""
    reach_at: Origin | None = None
    """Scheme, host and port that the media process asks for instructions instead of the public
    address's: the web process itself, where the public address leads through a proxy."""

    certificate: Path | None = None
    """What the media process shows where ``media_url`` is https: key and chain in one PEM file
    (``contact-service certificate``). Read when it starts."""
    trusted: tuple[FilePath, ...] = ()
    """PEM files of authorities that media process, workers and web believe between themselves,
    beside the system's."""

    connect_timeout_seconds: Seconds = 3.0
    total_timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 20.0
    throttle_pause_seconds: Seconds = 5.0

    @property
    def trunk_host(self) -> str:
        """The trunk's host without the port."""
        return self.trunk.partition(":")[0]

    @property
    def trunk_port(self) -> int:
        """The trunk's port."""
        return int(self.trunk.partition(":")[2] or 5060)

    @property
    def sip_domain(self) -> str:
        """The domain in addresses."""
        return self.domain or self.trunk_host

    @field_validator("local_address", "public_address")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        if value is not None:
            ip_address(value)
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError(
                "user と password は両方を指定してください / give user and password together"
            )
        if self.register_with_trunk and self.user is None:
            raise ValueError(
                "register_with_trunk には user と password が要ります / "
                "register_with_trunk needs user and password"
            )
        if self.media_url.startswith("https:") != (self.certificate is not None):
            raise ValueError(
                "https の media_url と certificate は両方を指定してください / "
                "give certificate and a media_url of https together"
            )
        first, last = self.rtp_ports
        if last - first + 1 < 2 * self.calls_at_once:
            raise ValueError(
                "rtp_ports が足りません（calls_at_once の 2 倍の幅が必要） / "
                "rtp_ports is too narrow: it takes two ports for each of calls_at_once"
            )
        if not self.connect_timeout_seconds < self.total_timeout_seconds:
            raise ValueError(
                "connect_timeout_seconds は total_timeout_seconds より短くしてください / "
                "connect_timeout_seconds must be shorter than total_timeout_seconds"
            )
        return self

    def dialled(self, e164: str) -> str:
        """``e164`` as the trunk wants it: Japanese numbers in national form when asked so. An
        extension, where there are any, is dialled as it is. Raises ``ValueError``."""
        if not (self.extensions or e164.startswith("+")):
            raise ValueError("an extension on a line that has none")
        if self.number_form == "national" and e164.startswith("+81"):
            return "0" + e164[3:]
        return e164
