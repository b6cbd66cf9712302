"""The office's identity provider (OpenID Connect): who it is, and what it says of somebody.

Optional: ``CONTACT_OIDC_FILE`` names a file of the deployment; nothing that a browser or the
database says adds a provider. The code flow with PKCE (S256), ``state`` and ``nonce``; what is
kept between leaving and coming back travels sealed in a cookie, so that only the browser that
left can come back. The protocol is Authlib's; here is what is believed, and whom.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import requests
import yaml
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ConfigDict, Field, model_validator

from contact_service import logs
from contact_service.domain.actors import EVERY_OFFICE, Role
from contact_service.settings import Settings
from contact_service.store.crypto import CannotOpen, Vault

#: How long somebody may stay at the provider's page.
MINUTES_AWAY = 10
SECONDS_TO_ANSWER = 10
LEEWAY_SECONDS = 60
#: Signatures by a key that the provider alone has: neither "none" nor a shared secret.
ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA"]
PLACE = "oidc.request"

log = logs.log(__name__)


class NotBelieved(Exception):
    """What came back is no proof of who somebody is. The text says why, for the audit log."""


class Unreachable(Exception):
    """The provider cannot be asked just now."""


class Place(BaseModel):
    """What a group of the provider is here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: str = Field(min_length=1)
    role: Role
    office: str = EVERY_OFFICE

    @model_validator(mode="after")
    def _of_a_person(self) -> Self:
        if self.role is Role.SYSTEM:
            raise ValueError("no person has the role system")
        return self


class ProviderConfig(BaseModel):
    """The file: one provider, and the table of roles and offices."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str = "庁内の認証"
    """What the button says."""
    issuer: str
    """The provider's address, exactly as it calls itself."""
    hosts: frozenset[str] = frozenset()
    """Other hosts on which its endpoints may lie; the issuer's own always may."""
    client_id: str
    client_secret_file: Path
    redirect_uri: str
    """The console's own address, ending in ``/sign-in/oidc/answer``."""
    scope: str = "openid profile"
    ca_file: Path | None = None
    """The certificates that vouch for the provider, where it is the network's own authority."""
    acr_values: tuple[str, ...] = ()
    """Strengths of sign-in of which the provider must confirm one; empty: whatever it uses."""
    name_claim: str = "preferred_username"
    shown_name_claim: str = "name"
    groups_claim: str = "groups"
    places: tuple[Place, ...] = Field(min_length=1)
    """The first that fits counts; whom none fits does not come in."""

    @model_validator(mode="after")
    def _by_tls(self) -> Self:
        for address in (self.issuer, self.redirect_uri):
            _check_tls(address)
        return self

    def place(self, groups: frozenset[str]) -> Place | None:
        """What somebody in these groups is here."""
        return next((place for place in self.places if place.group in groups), None)


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the provider has recognised."""

    subject: str
    name: str
    shown_name: str
    place: Place | None


class IdentityProvider:
    """Speaks to one provider. Raises :class:`Unreachable` and :class:`NotBelieved`."""

    def __init__(self, config: ProviderConfig) -> None:
        self.config = config
        self._secret = config.client_secret_file.read_text(encoding="utf-8").strip()

    def leave(self, vault: Vault, to: str) -> tuple[str, str]:
        """Where a browser goes to sign in, and what its cookie keeps until it is back."""
        kept = {
            "state": secrets.token_urlsafe(32),
            "nonce": secrets.token_urlsafe(32),
            "verifier": secrets.token_urlsafe(48),
            "to": to,
            "until": time.time() + MINUTES_AWAY * 60,
        }
        more = {"acr_values": " ".join(self.config.acr_values)} if self.config.acr_values else {}
        with self._session() as session:
            address, _ = session.create_authorization_url(
                self._endpoint("authorization_endpoint"),
                state=kept["state"],
                code_verifier=kept["verifier"],
                nonce=kept["nonce"],
                **more,
            )
        sealed = vault.seal(PLACE, json.dumps(kept))
        return address, base64.urlsafe_b64encode(sealed).decode()

    def come_back(self, vault: Vault, cookie: str, answer: Mapping[str, str]) -> tuple[Person, str]:
        """Whom the provider's answer proves, and where they wanted to go."""
        kept = _kept(vault, cookie)
        if not secrets.compare_digest(answer.get("state", "").encode(), kept["state"].encode()):
            raise NotBelieved("another browser's answer")
        if answer.get("iss", self.config.issuer) != self.config.issuer:  # RFC 9207
            raise NotBelieved("another provider's answer")
        if "code" not in answer:
            raise NotBelieved("the provider refused")
        try:
            with self._session() as session:
                told = session.fetch_token(
                    self._endpoint("token_endpoint"),
                    code=answer["code"],
                    code_verifier=kept["verifier"],
                    timeout=SECONDS_TO_ANSWER,
                )
                known = session.get(
                    self._endpoint("jwks_uri"), timeout=SECONDS_TO_ANSWER, withhold_token=True
                )
                known.raise_for_status()
                keys = KeySet.import_key_set(known.json())
            claims = self._claims(told, keys, kept["nonce"])
        except requests.RequestException as error:
            log.warning("oidc.unreachable", reason=type(error).__name__)
            raise Unreachable from None
        except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError) as error:
            # of the error only its kind: its text may hold what was claimed
            raise NotBelieved(type(error).__name__) from None
        return self._person(claims), str(kept["to"])

    def _claims(self, told: Mapping[str, Any], keys: KeySet, nonce: str) -> CodeIDToken:
        token = jwt.decode(str(told["id_token"]), keys, algorithms=ALGORITHMS)
        strengths = self.config.acr_values
        wanted = {
            "iss": {"essential": True, "value": self.config.issuer},
            "aud": {"essential": True, "value": self.config.client_id},
        } | ({"acr": {"essential": True, "values": list(strengths)}} if strengths else {})
        claims = CodeIDToken(
            token.claims,
            token.header,
            wanted,
            {
                "nonce": nonce,
                "client_id": self.config.client_id,
                "access_token": told.get("access_token"),
            },
        )
        claims.validate(leeway=LEEWAY_SECONDS)
        return claims

    def _person(self, claims: Mapping[str, Any]) -> Person:
        groups = claims.get(self.config.groups_claim, [])
        if not isinstance(groups, list):
            groups = [groups]
        name = str(claims.get(self.config.name_claim, ""))
        return Person(
            subject=str(claims["sub"]),
            name=name.strip().lower(),
            shown_name=str(claims.get(self.config.shown_name_claim) or name)[:100],
            place=self.config.place(frozenset(map(str, groups))),
        )

    @cached_property
    def _metadata(self) -> Mapping[str, Any]:
        address = f"{self.config.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            with self._session() as session:
                answer = session.get(address, timeout=SECONDS_TO_ANSWER, withhold_token=True)
                answer.raise_for_status()
                found: Mapping[str, Any] = answer.json()
        except requests.RequestException as error:
            log.warning("oidc.unreachable", reason=type(error).__name__)
            raise Unreachable from None
        if found.get("issuer") != self.config.issuer:
            raise NotBelieved("the provider calls itself otherwise than the file")
        return found

    def _endpoint(self, name: str) -> str:
        """One of the provider's addresses: on a host that the deployment named."""
        address = str(self._metadata.get(name, ""))
        here = urlsplit(address).netloc
        if here not in self.config.hosts | {urlsplit(self.config.issuer).netloc}:
            raise NotBelieved(f"{name} is on a host that the deployment does not name")
        _check_tls(address)
        return address

    def _session(self) -> OAuth2Session:
        session = OAuth2Session(
            self.config.client_id,
            self._secret,
            scope=self.config.scope,
            redirect_uri=self.config.redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic",
        )
        session.trust_env = False  # no proxies and no passwords from the environment
        session.max_redirects = 0
        if self.config.ca_file is not None:
            session.verify = str(self.config.ca_file)
        return session


def configured(settings: Settings) -> IdentityProvider | None:
    """The deployment's provider, if it has one. Raises ``ValueError`` for a faulty file."""
    if settings.oidc_file is None:
        return None
    content = yaml.safe_load(settings.oidc_file.read_text(encoding="utf-8"))
    return IdentityProvider(ProviderConfig.model_validate(content))


def _kept(vault: Vault, cookie: str) -> dict[str, Any]:
    try:
        sealed = base64.urlsafe_b64decode(cookie.encode())
        kept: dict[str, Any] = json.loads(vault.open(PLACE, sealed))
    except (CannotOpen, binascii.Error, ValueError):
        raise NotBelieved("nobody left from this browser") from None
    if kept["until"] < time.time():
        raise NotBelieved("away for too long")
    return kept


def _check_tls(address: str) -> None:
    """Refuse what is not https, but for the same machine."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    try:
        local = ip_address(host).is_loopback
    except ValueError:
        local = False
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise ValueError(f"{parts.scheme}://{host}: https is required")
