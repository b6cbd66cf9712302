"""The office's identity provider: whom it lets in as what, and what is not believed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from joserfc.jwk import ECKey
from pydantic import ValidationError
from sqlalchemy import text

from contact_service.bootstrap import Service
from contact_service.domain.actors import Role
from contact_service.identity import accounts, federated, sessions, signing_in
from contact_service.identity.accounts import CannotDo
from contact_service.identity.federated import Unwanted
from contact_service.identity.oidc import (
    IdentityProvider,
    NotBelieved,
    Person,
    Place,
    ProviderConfig,
    Unreachable,
)
from contact_service.store.crypto import Vault
from tests.identity import provider as fake
from tests.identity.conftest import ADMINISTRATOR
from tests.identity.provider import Provider

HANA = {
    "sub": "s-1", "preferred_username": "hana", "name": "世田谷 花", "groups": ["others", "collection"],
}  # fmt: skip


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with fake.running() as found:
        yield found


@pytest.fixture
def office(running: Provider) -> Provider:
    """The provider, as it behaves well."""
    running.__dict__.update(Provider(running.issuer, person=dict(HANA)).__dict__)
    return running


@pytest.fixture
def config(office: Provider, tmp_path: Path) -> ProviderConfig:
    (tmp_path / "client-secret").write_text(fake.SECRET + "\n")
    return ProviderConfig(
        issuer=office.issuer,
        client_id=fake.CLIENT,
        client_secret_file=tmp_path / "client-secret",
        redirect_uri="https://console.city.example/sign-in/oidc/answer",
        places=(
            Place(group="auditors", role=Role.AUDITOR),
            Place(group="collection", role=Role.STAFF, office="納税担当課"),
        ),
    )


def visited(address: str) -> dict[str, str]:
    """What the provider sends a browser back with."""
    answer = requests.get(address, allow_redirects=False, timeout=60)
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def round_trip(vault: Vault, config: ProviderConfig, to: str = "/") -> tuple[Person, str]:
    here = IdentityProvider(config)
    address, cookie = here.leave(vault, to)
    return here.come_back(vault, cookie, visited(address))


def let_in(service: Service, office: Provider, config: ProviderConfig) -> str | Unwanted:
    person, _ = round_trip(service.vault, config)
    return federated.let_in(service, office.issuer, person, "10.0.0.7", "a browser")


def said(service: Service, action: str) -> list[dict[str, object]]:
    with service.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT details FROM audit_log WHERE action = :a ORDER BY id"), {"a": action}
        )
        return [row[0] for row in rows]


def test_somebody_comes_in_as_the_table_says(
    service: Service, office: Provider, config: ProviderConfig
) -> None:
    person, to = round_trip(service.vault, config, "/people")
    assert (person.name, person.shown_name, to) == ("hana", "世田谷 花", "/people")
    opened = let_in(service, office, config)
    assert isinstance(opened, str) and not isinstance(opened, Unwanted)
    session = sessions.resume(service, opened)
    assert session is not None
    account = session.account
    assert (account.role, account.office, account.federated) == (Role.STAFF, "納税担当課", True)
    assert said(service, "user.added")[0]["by"] == "oidc"
    # verifier, nonce and state are new each time
    assert len({(a["state"], a["nonce"], a["code_challenge"]) for a in office.asked}) == 2
    # another group: another role, the old sessions over
    office.person["groups"] = ["auditors", "collection"]
    again = let_in(service, office, config)
    assert sessions.resume(service, opened) is None
    session = sessions.resume(service, str(again))
    assert session is not None and session.account.role is Role.AUDITOR
    assert said(service, "user.assigned")[0]["before"] == {"role": "staff", "office": "納税担当課"}
    # no group: out
    office.person["groups"] = "others"
    assert let_in(service, office, config) is Unwanted.NO_PLACE
    assert sessions.resume(service, str(again)) is None


def test_nobody_enters_an_account_that_is_not_theirs(
    service: Service, office: Provider, config: ProviderConfig
) -> None:
    accounts.add(service, ADMINISTRATOR, "hana", "花", Role.ADMINISTRATOR)
    assert let_in(service, office, config) is Unwanted.NAME_TAKEN
    office.person["preferred_username"] = "Hana'; --"
    assert let_in(service, office, config) is Unwanted.NO_NAME
    office.person["preferred_username"] = " Hana.S "
    assert not isinstance(let_in(service, office, config), Unwanted)
    # another person who is called the same
    office.person["sub"] = "s-2"
    assert let_in(service, office, config) is Unwanted.NAME_TAKEN
    # there is no password to it, and no way to give it one
    refused = signing_in.sign_in(service, "hana.s", "", "", "10.0.0.7", "")
    assert refused is signing_in.Refusal.WRONG
    for change in (
        lambda: accounts.reset(service, ADMINISTRATOR, "hana.s"),
        lambda: accounts.assign(service, ADMINISTRATOR, "hana.s", Role.ADMINISTRATOR, "*"),
    ):
        with pytest.raises(CannotDo, match="identity provider"):
            change()
    office.person["sub"] = "s-1"
    accounts.disable(service, ADMINISTRATOR, "hana.s")
    assert let_in(service, office, config) is Unwanted.DISABLED
    assert [d["why"] for d in said(service, "session.refused") if "why" in d] == [
        "name_taken", "no_name", "name_taken", "disabled",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "misbehave",
    [
        lambda p: p.claims.update(iss="https://other.example"),
        lambda p: p.claims.update(aud="another client"),
        lambda p: p.claims.update(nonce="another sign-in's"),
        lambda p: p.claims.update(exp=1),
        lambda p: p.claims.update(azp="another client"),
        lambda p: setattr(p, "lacking", frozenset({"nonce"})),
        lambda p: setattr(p, "lacking", frozenset({"sub"})),
        lambda p: setattr(p, "lacking", frozenset({"exp"})),
        lambda p: setattr(p, "signer", ECKey.generate_key("P-256", {"kid": "1"})),
        lambda p: p.__dict__.update(key=fake.shared_secret(), algorithm="HS256"),
        lambda p: p.metadata.update(token_endpoint="http://127.0.0.2:9/token"),
        lambda p: p.metadata.update(jwks_uri="http://127.0.0.2:9/keys"),
        lambda p: p.metadata.update(issuer="https://other.example"),
    ],
    ids=[
        "issuer", "audience", "nonce", "over", "party", "no nonce", "nobody", "no end",
        "another's key", "shared secret", "token elsewhere", "keys elsewhere", "named otherwise",
    ],
)  # fmt: skip
def test_what_is_not_believed(
    vault: Vault,
    office: Provider,
    config: ProviderConfig,
    misbehave: Callable[[Provider], None],
) -> None:
    misbehave(office)
    with pytest.raises(NotBelieved):
        round_trip(vault, config)


def test_only_the_browser_that_left_comes_back_and_only_once(
    vault: Vault, office: Provider, config: ProviderConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = IdentityProvider(config)
    address, cookie = here.leave(vault, "/")
    answer = visited(address)
    _, mine = here.leave(vault, "/")
    for held, given in (
        (mine, answer),  # somebody's answer in another's browser
        ("", answer),
        ("AAAA", answer),
        (cookie[:-4] + "AAA=", answer),
        (cookie, answer | {"state": ""}),
        (cookie, answer | {"iss": "https://other.example"}),
        (cookie, {"state": answer["state"], "error": "access_denied"}),
    ):
        with pytest.raises(NotBelieved):
            here.come_back(vault, held, given)
    assert here.come_back(vault, cookie, answer)[0].subject == "s-1"
    with pytest.raises(NotBelieved):
        here.come_back(vault, cookie, answer)  # the code was used
    monkeypatch.setattr("contact_service.identity.oidc.MINUTES_AWAY", -1)
    address, cookie = here.leave(vault, "/")
    with pytest.raises(NotBelieved, match="too long"):
        here.come_back(vault, cookie, visited(address))


def test_another_verifier_is_refused_by_the_provider(
    vault: Vault, office: Provider, config: ProviderConfig
) -> None:
    """A code that somebody has read on its way is worth nothing without the verifier."""
    here = IdentityProvider(config)
    address, cookie = here.leave(vault, "/")
    answer = visited(address)
    office.codes[answer["code"]]["code_challenge"] = "another"
    with pytest.raises(NotBelieved):
        here.come_back(vault, cookie, answer)


def test_the_strength_of_a_sign_in_can_be_demanded(
    vault: Vault, office: Provider, config: ProviderConfig
) -> None:
    strong = config.model_copy(update={"acr_values": ("mfa",)})
    with pytest.raises(NotBelieved):
        round_trip(vault, strong)
    office.claims["acr"] = "password"
    with pytest.raises(NotBelieved):
        round_trip(vault, strong)
    office.claims["acr"] = "mfa"
    assert round_trip(vault, strong)[0].subject == "s-1"
    assert office.asked[-1]["acr_values"] == "mfa"


def test_redirects_and_other_machines_are_not_followed(
    vault: Vault, office: Provider, config: ProviderConfig
) -> None:
    office.redirects = True
    with pytest.raises(Unreachable):
        round_trip(vault, config)
    with pytest.raises(Unreachable):
        IdentityProvider(config.model_copy(update={"issuer": "http://127.0.0.1:9"})).leave(
            vault, "/"
        )
    for wrong in (
        {"issuer": "http://sso.city.example"},
        {"redirect_uri": "http://console.city.example/"},
        {"places": []},
        {"places": [{"group": "x", "role": "system"}]},
        {"unknown": 1},
    ):
        with pytest.raises(ValidationError):
            ProviderConfig.model_validate(json.loads(config.model_dump_json()) | wrong)
