"""What an administrator says about a gateway account."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from providers.gateway.declaration import Declaration
from providers.gateway.source import BadDeclaration, find

Seconds = Annotated[float, Field(gt=0, le=30)]


class GatewayOptions(BaseModel):
    """Addresses and secrets stand here and nowhere else; the declaration only names them."""

    # Values stay out of error messages: one of them is a secret.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    declaration: str
    """A ready-made declaration's name, or a file."""
    addresses: dict[str, str]
    """Name → scheme, host and port. Requests go to these and to no others."""
    secrets: dict[str, SecretStr] = {}
    """Name → token, password or key."""
    values: dict[str, str] = {}
    """What ``{value.NAME}`` stands for: a tenant, a sender, a user."""
    connect_timeout_seconds: Seconds | None = None
    read_timeout_seconds: Seconds | None = None
    total_timeout_seconds: Seconds | None = None
    """Instead of the declaration's."""
    price_yen: float | None = Field(default=None, ge=0)
    """What a part, or a minute of a call, costs by the office's contract."""

    @field_validator("addresses")
    @classmethod
    def _origins(cls, value: Mapping[str, str]) -> dict[str, str]:
        return {name: _origin(address) for name, address in value.items()}

    @model_validator(mode="after")
    def _what_the_declaration_names(self) -> Self:
        try:
            declaration = find(self.declaration)
        except BadDeclaration as error:
            raise ValueError(str(error)) from None
        for kind, needed, given in (
            ("addresses", {declaration.address}, self.addresses.keys()),
            ("secrets", secrets_of(declaration), self.secrets.keys()),
        ):
            missing = sorted(needed - set(given))
            if missing:
                names = ", ".join(missing)
                raise ValueError(f"{kind} に {names} がありません / {kind} lacks {names}")
        return self


def secrets_of(declaration: Declaration) -> set[str]:
    """The secrets that a declaration names."""
    verify = declaration.receipts.verify if declaration.receipts else None
    return {
        one.secret for one in (declaration.authentication, verify) if one is not None and one.secret
    }


def _origin(address: str) -> str:
    parts = urlsplit(address)
    host = parts.hostname
    plain = (
        parts.username is None
        and parts.path in ("", "/")
        and not parts.query
        and not parts.fragment
    )
    if not (host and plain and (parts.scheme == "https" or _loopback(parts.scheme, host))):
        raise ValueError(
            "https://ホスト[:ポート] の形で指定してください / "
            "give https, a host and perhaps a port, nothing else"
        )
    return f"{parts.scheme}://{parts.netloc}"


def _loopback(scheme: str, host: str) -> bool:
    try:
        return scheme == "http" and ip_address(host).is_loopback
    except ValueError:
        return False
