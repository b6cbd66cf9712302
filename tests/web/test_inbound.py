"""Incoming calls of a trunk: greeted or led through a menu, logged once, obeyed at once."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from contact_service.web import inbound
from providers.sip import instructions as wording
from providers.sip.client import client, exchange
from tests.dispatch.conftest import Floor, floor
from tests.ledger import definition, mobile
from tests.providers.sip.service import SECRET, provider, serving

__all__ = ["floor"]
PUBLIC = "https://ward.example"
AT = "2026-10-26T10:00:00+09:00"


def asked(
    floor: Floor, menu: Path | None, *posts: tuple[str, dict[str, str]], secret: str = SECRET
) -> list[tuple[int, Any]]:
    """What a trunk is answered at these addresses below ``/webhooks/trunk/inbound``."""
    getattr(inbound._menu, "cache_clear", lambda: None)()
    app = FastAPI()
    app.include_router(inbound.router)
    changes = {"public_url": PUBLIC, "inbound_definition": menu}
    app.state.service = replace(
        floor.service, settings=floor.service.settings.model_copy(update=changes)
    )
    app.state.providers = {"trunk": provider()}

    async def conversation() -> list[tuple[int, Any]]:
        using, found = client(2, 10), []
        async with serving(app) as port:
            for path, form in posts:
                path = f"/webhooks/trunk/inbound{path}"
                signature = wording.signature(secret, PUBLIC + path, form)
                reply = await exchange(
                    using, "POST", f"http://127.0.0.1:{port}{path}", form=form,
                    headers={wording.SIGNATURE: signature},
                )  # fmt: skip
                found.append((reply.status, json.loads(reply.body) if reply.body else None))
            await using.close()
        return found

    return asyncio.run(conversation())


def test_without_a_menu_a_caller_is_greeted_and_put_through(floor: Floor) -> None:
    ((status, steps),) = asked(floor, None, ("", {"CallRef": "TI1"}))
    assert status == 200
    assert [next(iter(step)) for step in steps] == ["say", "transfer"]
    assert steps[1]["transfer"]["to"] == floor.service.settings.office_phone


def test_a_forged_request_learns_and_changes_nothing(floor: Floor) -> None:
    form = {"CallRef": "TI1", "From": mobile(1), "At": AT, "TalkSeconds": "3"}
    posts = (("", form), ("/ended", form))
    assert [status for status, _ in asked(floor, None, *posts, secret="another one, as long")] == [
        403,
        403,
    ]
    assert floor.ledger.one("SELECT count(*) FROM call") == 0


def test_the_menu_is_walked_and_no_more_calls_holds_at_once(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor.ledger.person(phones=[mobile(1)])
    spec = definition()
    menu = spec.model_copy(update={"scripts": {inbound.SCRIPT: spec.scripts["s"]}})
    monkeypatch.setattr(inbound, "_menu", lambda path: menu)
    form = {"CallRef": "TI1", "From": mobile(1)}
    first, stop = asked(floor, None, ("", form), ("/greeting/key", {**form, "Key": "9"}))
    assert first[1][0]["menu"]["answer_url"] == f"{PUBLIC}/webhooks/trunk/inbound/greeting/key"
    assert stop[1][0]["say"]["text"] == "承知しました。"
    assert floor.ledger.rows("SELECT kind, origin FROM restriction WHERE lifted_at IS NULL") == [
        ("opted_out", "resident")
    ]


def test_a_call_is_logged_once(floor: Floor) -> None:
    floor.ledger.person(phones=[mobile(1)])
    form = {
        "CallRef": "TI1",
        "From": mobile(1),
        "At": AT,
        "TalkSeconds": "42",
        "Transferred": "yes",
    }
    withheld = {"CallRef": "TI2", "At": AT, "TalkSeconds": "5", "Transferred": "no"}
    posts = [("/ended", form), ("/ended", form), ("/ended", withheld)]
    assert [status for status, _ in asked(floor, None, *posts)] == [204] * 3
    rows = floor.ledger.rows(
        "SELECT direction, result, talk_seconds, phone_id IS NOT NULL FROM call ORDER BY id"
    )
    assert rows == [("inbound", "talked", 42, True), ("inbound", "other", 5, False)]
    bad = {"CallRef": "TI3", "At": "yesterday", "TalkSeconds": "5"}
    assert asked(floor, None, ("/ended", bad))[0][0] == 403


def test_a_faulty_menu_does_not_keep_callers_out(floor: Floor, tmp_path: Path) -> None:
    menu = tmp_path / "inbound.yaml"
    menu.write_text("campaign: [", encoding="utf-8")
    ((status, steps),) = asked(floor, menu, ("", {"CallRef": "TI1"}))
    assert (status, "transfer" in steps[1]) == (200, True)
