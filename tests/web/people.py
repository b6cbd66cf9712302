"""Somebody who is signed in, without the half-second that a password takes to check."""

from __future__ import annotations

from contact_service.domain.actors import EVERY_OFFICE, Role
from contact_service.identity import accounts
from contact_service.identity.sessions import open_session
from tests.dispatch.conftest import Floor
from tests.identity.conftest import ADMINISTRATOR
from tests.web.browser import Browser
from tests.web.test_doors import Door


def signed_in(
    floor: Floor, door: Door, name: str, role: Role, office: str = EVERY_OFFICE, shown: str = ""
) -> Browser:
    """A browser with a session of ``name``'s own."""
    accounts.add(floor.service, ADMINISTRATOR, name, shown or name, role, office)
    floor.ledger.run("UPDATE user_account SET must_change = false WHERE name = :n", n=name)
    user_id = int(str(floor.ledger.one("SELECT id FROM user_account WHERE name = :n", n=name)))
    with floor.service.engine.begin() as connection:
        token = open_session(connection, user_id, "127.0.0.1", "test")
    return Browser(door.stack.web_url, cookies={"session": token})
