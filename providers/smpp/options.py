"""What an administrator says about an SMPP account."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from providers.parts import RULES, PartRule
from providers.vocabulary import Cause

Seconds = Annotated[float, Field(gt=0, le=600)]


class SmppOptions(BaseModel):
    """Durations are in seconds."""

    # Values stay out of error messages: one of them is a secret.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    host: str = Field(min_length=1, max_length=253)
    port: int = Field(default=2775, ge=1, le=65535)
    tls: bool = False
    ca_file: Path | None = None
    """Who may have signed the carrier's certificate; unset: whom the system trusts."""
    system_id: str = Field(pattern=r"^[\x21-\x7e]{1,15}$")
    # the protocol has room for eight characters; what is longer would be cut off silently
    password: SecretStr
    system_type: str = Field(default="", pattern=r"^[\x20-\x7e]{0,12}$")
    sender: str = Field(pattern=r"^[0-9A-Za-z]{1,20}$")
    """The number or short code that messages come from."""
    sender_ton: int = Field(default=0, ge=0, le=6)
    sender_npi: int = Field(default=1, ge=0, le=18)
    numbers: Literal["e164", "national"] = "e164"
    """``819012345678`` (type of number 1) or ``09012345678`` (type of number 2)."""
    window: int = Field(default=10, ge=1, le=500)
    """Requests that may be out unanswered."""
    per_second: float | None = Field(default=None, gt=0)
    """What the carrier allows, for the feature list; the lane's own rate is in the deployment."""
    parts: Annotated[
        Literal["gsm", "gsm-national", "domestic", "domestic-660", "single"], Field()
    ] = "gsm"
    """How texts are divided and billed."""
    long_messages: Literal["udh", "message_payload"] = "udh"
    """Several requests joined by a header, or one request with the whole text."""
    receipt_ids: Literal["same", "decimal", "hexadecimal"] = "same"
    """How receipts write the identifier that the answer gave: some carriers answer in
    hexadecimal and report in decimal, or the other way round."""
    query: bool = False
    """The carrier answers ``query_sm``: outcomes can be polled."""
    statuses: dict[int, Cause] = {}
    """What the carrier's own command statuses mean (1024 and up)."""
    connect_timeout: Seconds = 5.0
    response_timeout: Seconds = 10.0
    total_timeout: Annotated[float, Field(gt=0, le=30)] = 25.0
    """For all parts of a message; a lease must outlive it."""
    enquire_link: Seconds = 30.0
    """After so long without traffic we ask whether the other side is there."""
    throttle_pause: Seconds = 2.0
    longest_backoff: Seconds = 60.0
    """Between two attempts to connect; the first ones follow after 1, 2, 4 … seconds."""
    price_yen: float | None = Field(default=None, ge=0)
    """Of one part."""

    @field_validator("password")
    @classmethod
    def _fits_its_field(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[\x20-\x7e]{1,8}", value.get_secret_value()):
            raise ValueError(
                "1〜8 文字の半角英数記号で指定してください / give 1 to 8 characters of ASCII"
            )
        return value

    @property
    def part_rule(self) -> PartRule:
        """How texts are divided."""
        return RULES[self.parts]

    @model_validator(mode="after")
    def _shorter(self) -> Self:
        if not self.connect_timeout + self.response_timeout < self.total_timeout:
            raise ValueError(
                "connect_timeout と response_timeout の和は total_timeout より短くしてください / "
                "connect_timeout and response_timeout together must be shorter than total_timeout"
            )
        return self
