"""Which carriers there are: the deployment's file, and the adapters it names.

Provider addresses and secrets come from the deployment only, never from a definition or a
screen. A secret option is written ``{env: NAME}`` or ``{file: PATH}``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from campaigns.vocabulary import Channel
from contact_service.dispatch.limits import ProviderLimits
from contact_service.settings import Settings
from providers import registry
from providers.base import Provider

Rate = Annotated[float, Field(gt=0, le=10_000)]


class BadProvidersFile(Exception):
    """The file that names the carriers cannot be used; the text says where and why."""


class ProviderConfig(BaseModel):
    """One carrier account, as the deployment describes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")
    adapter: str
    live: bool = True
    """Whether it reaches real people. Only the simulated carrier does not."""
    per_second: dict[Channel, Rate]
    """Which channels it is used for, and how many contacts a second each may take."""
    in_flight: int = Field(default=100, ge=1, le=2000)
    """How many requests one worker may have out at once."""
    limits: ProviderLimits = ProviderLimits()
    """Budgets and concurrency of this account and its sender; its weight beside others."""
    webhook: bool = True
    """Whether the carrier can reach our public address; without it outcomes are polled."""
    options: dict[str, Any] = {}

    @model_validator(mode="after")
    def _only_what_carriers_carry(self) -> Self:
        """Operators call by themselves, and letters are the office's own mailing."""
        if stray := set(self.per_second) - {Channel.SMS, Channel.AUTO_CALL}:
            names = ", ".join(sorted(stray))
            raise ValueError(
                f"per_second に {names} は書けません（sms と auto_call だけ） / "
                f"per_second has no {names}: only sms and auto_call go by a carrier"
            )
        return self

    @model_validator(mode="after")
    def _calls_need_a_door(self) -> Self:
        """A call's instructions are fetched from us: polling cannot stand in for that."""
        if not self.webhook and Channel.AUTO_CALL in self.per_second:
            raise ValueError(
                "webhook: false では auto_call を使えません（通話の案内を事業者が取りに来ます） / "
                "auto_call needs webhook: true: the carrier fetches what the call says"
            )
        return self


def configured(settings: Settings) -> list[ProviderConfig]:
    """The carriers of this deployment; without a file the simulated one alone.

    Raises :class:`BadProvidersFile`.
    """
    if settings.providers_file is None:
        return [simulated(settings)]
    path = settings.providers_file
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        listed = content["providers"]
        found = [ProviderConfig.model_validate(item) for item in listed]
    except ValidationError as error:
        # names of fields and what is wrong with them, never a value: it may be a secret
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or '-'}: {fault['msg']}" for fault in error.errors()
        )
        raise BadProvidersFile(
            f"{path}: 事業者の設定に誤りがあります / the providers are faulty: {faults}"
        ) from None
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise BadProvidersFile(
            f"{path}: 事業者の設定を読めません / cannot read the providers: {error}"
        ) from error
    if len({item.name for item in found}) != len(found):
        raise BadProvidersFile(f"{path}: 名前が重複しています / a name occurs twice")
    return found


def simulated(settings: Settings) -> ProviderConfig:
    """The simulated carrier, which speaks Twilio's API and reaches nobody."""
    options: dict[str, Any] = {
        "account_sid": "AC" + "0" * 32,
        "auth_token": {"file": str(settings.state_dir / "carrier-token")},
        "base_url": settings.carrier_url,
        "from_number": settings.office_phone,
        "machine_detection": "Enable",
    }
    if settings.reconcile_grace_seconds is not None:
        options["listing_complete_after_seconds"] = settings.reconcile_grace_seconds
    return ProviderConfig(
        name="simulated",
        adapter="twilio",
        live=False,
        per_second={Channel.SMS: 200, Channel.AUTO_CALL: 50},
        options=options,
    )


def create(config: ProviderConfig) -> Provider:
    """The adapter for one carrier. Raises :class:`BadProvidersFile`."""
    options = {name: _secret(config, name, value) for name, value in config.options.items()}
    try:
        return registry.create(config.adapter, config.name, options)
    except (registry.UnknownAdapter, registry.BadOptions) as error:
        raise BadProvidersFile(f"{config.name}: {error}") from error


def _secret(config: ProviderConfig, name: str, value: Any) -> Any:
    match value:
        case {"env": str(variable)}:
            try:
                return os.environ[variable]
            except KeyError:
                raise BadProvidersFile(
                    f"{config.name}.{name}: 環境変数 {variable} がありません。この値を入れて起動し"
                    f"直してください / {config.name}.{name}: the environment "
                    f"has no {variable}: set it and start anew"
                ) from None
        case {"file": str(path)}:
            try:
                return Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise BadProvidersFile(
                    f"{config.name}.{name}: ファイル {path} を読めません（{error.strerror}）。秘密"
                    f"を置き、サービスの利用者が読めるようにしてください / {config.name}.{name}: "
                    f"cannot read the file {path} ({error.strerror}): put the secret there, "
                    "readable by the service's user"
                ) from error
        case dict():
            return {inner: _secret(config, f"{name}.{inner}", one) for inner, one in value.items()}
        case _:
            return value
