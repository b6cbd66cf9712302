"""Nobody's name and nobody's number is told to anybody, whatever their role, who has not opened that
person or taken their call: every page and every answer that reads."""

from __future__ import annotations

from contact_service.domain.actors import Role
from contact_service.identity import accounts
from tests.dispatch.conftest import floor
from tests.identity.conftest import _quick_hashes
from tests.web.offices import Asking, asking
from tests.web.people import signed_in
from tests.web.test_doors import door, door_settings
from tests.web.test_evaluator import Marks, answers_of_api, pages_of

__all__ = ["_quick_hashes", "asking", "door", "door_settings", "floor"]


def test_who_has_opened_nobody_reads_no_name_and_no_number(asking: Asking) -> None:
    marks = Marks.of(asking.floor)
    held = asking.operator.open("/desk").page
    assert len(marks.told(held.encode())) >= 2, "whoever has somebody on the line reads both"
    found, answered = [], dict.fromkeys(accounts.ROLES, 0)
    for role in accounts.ROLES:
        browser = signed_in(asking.floor, asking.door, f"of-{role}", role).open("/")
        for address in pages_of(asking, role):
            status, content = browser.fetch(address)
            answered[role] += status == 200
            if words := marks.told(content):
                found.append((role, address, words))
        if role is Role.ADMINISTRATOR:
            continue  # no token has it
        for asked, status, content in answers_of_api(asking, role, {"GET"}):
            answered[role] += status == 200
            if words := marks.told(content):
                found.append((role, asked, words))
    assert found == []
    assert all(n > 5 for n in answered.values()) and sum(answered.values()) > 250, answered
