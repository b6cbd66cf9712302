"""Somebody of another office (所管課) goes through every page and every operation that reads, with
the addresses of an office's people, files, campaigns and reports, and finds nothing of it."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
import requests
from sqlalchemy import text

from contact_service.bootstrap import Service
from contact_service.dispatch.asking import look
from contact_service.dispatch.decide import decide_all, waiting
from contact_service.domain.actors import EVERY_OFFICE, Role
from contact_service.domain.life import CannotDo
from contact_service.identity import tokens
from contact_service.identity.tokens import Scope
from contact_service.intake import uploads
from contact_service.offices import kinds_of
from contact_service.planning import overview
from contact_service.planning.calendar import campaign_calendar, fiscal_year_of
from contact_service.settings import Settings
from contact_service.web.api_base import ApiRoute, Rule
from contact_service.web.api_docs import depends_on, routes_of
from contact_service.web.app import app
from tests.dispatch.conftest import STAFF, Floor, floor
from tests.identity.conftest import ADMINISTRATOR
from tests.intake.conftest import CLAIM, write_csv
from tests.intake.conftest import STAFF as IMPORTER
from tests.ledger import mobile
from tests.system.ward import until
from tests.web.browser import Browser
from tests.web.pages import PAGES
from tests.web.people import signed_in
from tests.web.test_doors import Door, door, door_settings
from tests.web.test_files import work
from tests.web.world import TITLE, world

__all__ = ["door", "door_settings", "floor"]

NURSERY = "保育担当課"
#: What offices show one another: lessons.
SHARED = ("/library", "/api/library")


def secrets_of(floor: Floor) -> list[str]:
    """What would tell of the other office."""
    # but hardship is told to every office: whoever meets the person next must know
    codes = [
        str(code)
        for (code,) in floor.ledger.rows("""
            SELECT code FROM debtor d WHERE NOT EXISTS (SELECT FROM restriction r
                WHERE r.debtor_id = d.id AND r.kind = 'hardship')""")
    ]
    return [TITLE, "滞納_20260930", "未定", *codes, *(mobile(n)[3:] for n in range(14))]


def shared(address: str) -> bool:
    return address.startswith(SHARED)


def test_every_page_and_operation(floor: Floor, door: Door) -> None:
    places = world(floor, door)
    secret = secrets_of(floor)
    by_role: dict[Role, Browser] = {}
    found: list[tuple[str, int, str]] = []
    seen = 0
    for _, address, role in PAGES:
        if role is None or shared(address):
            continue
        if role not in by_role:
            by_role[role] = signed_in(floor, door, f"other-{role}", role, NURSERY)
        filled = address.format_map(places)
        page = by_role[role].open(filled)
        seen += 1
        found += [(filled, page.status, mark) for mark in secret if mark in page.page]
        of_another = re.search(
            r"{(campaign|run|person|opened|file|job|result|breakdown|draft)}", address
        )
        if of_another and page.status not in (404, 403, 422):
            found.append((filled, page.status, "is there"))
    known = {
        "key": places["campaign"], "number": "2", "run_id": places["run"], "debtor_id": places["person"],
        "file_id": places["file"], "job_id": places["job"], "attempt_id": str(
            floor.ledger.one("SELECT id FROM attempt WHERE needs_person LIMIT 1")),
        "disposition_id": places["result"], "draft_id": places["draft"],
    }  # fmt: skip
    with requests.Session() as session:
        for route in routes_of(app):
            if not isinstance(route, ApiRoute) or "GET" not in (route.methods or ()):
                continue
            places_asked = [place.name for place in route.dependant.path_params]
            if shared(route.path) or any(name not in known for name in places_asked):
                continue
            address = route.path.format_map(known)
            for role in sorted(may_ask(route)):
                token = tokens.issue(
                    floor.service, ADMINISTRATOR, "x", role, frozenset(Scope), 1, NURSERY
                )
                answer = session.get(
                    door.stack.web_url + address,
                    headers={"Authorization": f"Bearer {token}"}, timeout=60,
                )  # fmt: skip
                seen += 1
                assert answer.status_code < 500, address
                found += [
                    (address, answer.status_code, mark) for mark in secret if mark in answer.text
                ]
                if places_asked and answer.status_code not in (403, 404, 409, 422):
                    found.append((address, answer.status_code, answer.text[:200]))
    assert not found, "\n".join(map(str, found))
    assert seen > 60


def test_an_office_is_told_when_anothers_campaign_is_and_not_its_name(
    floor: Floor, door: Door
) -> None:
    """By one rule in the calendar and in the centre's load, whose counts are everybody's."""
    key = world(floor, door)["campaign"]
    browsers = {
        office: signed_in(floor, door, f"reader-{n}", Role.EVALUATOR, office)
        for n, office in enumerate((EVERY_OFFICE, NURSERY))
    }
    year = fiscal_year_of(floor.service.clock.now().date())[0].year
    api = "/api/calendar", "/api/centre/load"
    pages = (
        f"/calendar?year={year}", "/centre/load?by=campaign",
        "/centre/load/page.html", "/centre/load/page.json",
    )  # fmt: skip
    told: dict[str, list[str]] = {}
    for office, reader in browsers.items():
        token = tokens.issue(
            floor.service, ADMINISTRATOR, "x", Role.EVALUATOR, frozenset(Scope), 1, office
        )

        def asked(address: str, token: str = token) -> str:
            return door.ask("GET", address, "", {"Authorization": f"Bearer {token}"})[1]

        until(lambda: json.loads(asked("/api/calendar"))["done"])
        told[office] = [*map(asked, api), *(reader.open(page).page for page in pages)]
    for own, others in zip(told[EVERY_OFFICE], told[NURSERY], strict=True):
        assert TITLE in own and "別の課の催告計画" not in own
        assert TITLE not in others and key not in others
    for at, others in enumerate(told[NURSERY]):
        if at in (0, 1, 5):
            assert '"own":false' in others.replace(" ", "")
        else:
            assert "別の課の催告計画" in others
    counts = [json.loads(told[office][0])["figures"] for office in browsers]
    for one in counts:
        one["runs"] = [(run["first_day"], run["last_day"], run["people"]) for run in one["runs"]]
        one["same_people"] = [clash["people"] for clash in one["same_people"]]
    assert counts[0] == counts[1] and counts[0]["runs"]
    # who plans at the shell reads the same
    other = replace(STAFF, office=NURSERY, kinds=kinds_of(NURSERY, floor.service.settings))
    with floor.service.engine.begin() as connection:
        found = campaign_calendar(connection, other, date(year, 4, 1), date(year + 1, 3, 31), 1)
    assert found["runs"] and TITLE not in str(found) and key not in str(found)


def test_whom_two_offices_know_each_is_told_its_own_claims_of_and_whatever_holds_for_the_person(
    floor: Floor, door: Door
) -> None:
    world(floor, door)
    floor.ledger.run("""
        INSERT INTO restriction (kind, debtor_id, debtor_code, starts_on, origin)
        SELECT 'hardship', id, code, date '2026-10-01', 'operator' FROM debtor""")
    # everybody owes the other office something, too, by a file of its own
    floor.ledger.run(
        """
        INSERT INTO source_file OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(f, jsonb_build_object(
            'id', 9999, 'name', '保育_20260930.csv', 'sha256', 'x', 'office', CAST(:o AS text)))).*
        FROM source_file f WHERE f.name LIKE '滞納_20260930%'""",
        o=NURSERY,
    )
    floor.ledger.run(
        """
        INSERT INTO claim OVERRIDING SYSTEM VALUE
        SELECT (jsonb_populate_record(CAST(NULL AS claim), to_jsonb(c) || jsonb_build_object(
            'id', 1000000 + c.id, 'kind', CAST(:kind AS text), 'source_file_id', 9999))).*
        FROM (SELECT DISTINCT ON (debtor_id) * FROM claim ORDER BY debtor_id, id) c
        """,
        kind=sorted(kinds_of(NURSERY, floor.service.settings))[0],
    )
    secret = secrets_of(floor)
    token = tokens.issue(
        floor.service, ADMINISTRATOR, "x", Role.SUPERVISOR, frozenset(Scope), 1, NURSERY
    )
    held = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    # whom the file told of, and some more: one person may not open very many
    people = floor.ledger.rows("""
        SELECT d.id FROM debtor d JOIN source_file f ON f.id = d.source_file_id
        WHERE d.id IN (SELECT debtor_id FROM claim)
        ORDER BY f.name LIKE '滞納_20260930%' DESC, d.id LIMIT 20""")
    assert len(people) > 5
    for (person,) in people:
        here = f"/api/people/{person}"
        status, told = door.ask("POST", f"{here}/open", '{"reason": "check"}', held)
        assert status == 204, told
        status, told = door.ask("GET", f"{here}/timeline", "", held)
        assert status == 200 and "hardship" in told and "保育_20260930" in told
        assert [mark for mark in secret if mark in told] == [], told
        status, told = door.ask("GET", here, "", held)
        assert status == 200 and TITLE not in told and "滞納_20260930" not in told


def may_ask(route: ApiRoute) -> set[Role]:
    asked = {role for rule in depends_on(route) if isinstance(rule, Rule) for role in rule.roles}
    return asked - {Role.SYSTEM, Role.ADMINISTRATOR}


def test_an_office_settles_nothing_of_another(floor: Floor, door: Door) -> None:
    world(floor, door)
    other = replace(STAFF, office=NURSERY, kinds=kinds_of(NURSERY, floor.service.settings))
    engine, now = floor.service.engine, floor.clock.now()
    ids = [row.attempt_id for row in waiting(floor.service, STAFF)[0]]
    assert ids and waiting(floor.service, other) == ([], None)
    with engine.connect() as connection:
        providers = connection.scalars(text("SELECT DISTINCT provider FROM attempt")).all()
        assert overview.undecided(connection, STAFF) == len(ids)
        assert overview.undecided(connection, other) == 0
        lately = now - timedelta(days=31)
        assert overview.rejected_rows(connection, STAFF, lately)[0] > 0
        assert overview.rejected_rows(connection, other, lately) == (0, 0)
    with pytest.raises(CannotDo):  # before any carrier is asked: there is none to ask
        asyncio.run(look(floor.service, other, ids[0], dict.fromkeys(providers), {}))  # type: ignore[arg-type]
    assert decide_all(engine, other, ids, taken=True, now=now) == 0
    assert decide_all(engine, STAFF, ids, taken=True, now=now) == len(ids)


def test_an_office_brings_files_of_its_own_and_of_its_own_claims(
    floor: Floor, door: Door, door_settings: Settings, tmp_path: object
) -> None:
    service = Service(door_settings, floor.service.engine, floor.service.vault, floor.clock)
    nursery = signed_in(floor, door, "nanase", Role.STAFF, NURSERY)
    again = signed_in(floor, door, "natsumi", Role.STAFF, NURSERY)
    own = {
        **CLAIM,
        "科目": "保育料",
        "宛名番号": "10000009",
        "通知書番号": "26010000009",
        "債権区分": "非強制徴収公債権",
    }
    path = write_csv(door_settings.state_dir / "x.csv", [CLAIM, own])
    nursery.open("/files").send_file(
        "/files", "保育_20260930.csv", path.read_bytes(), kind="claims", training="yes", do="import"
    )
    job = nursery.path
    assert work(floor, door_settings)
    assert "ほかの課が所管する債権です" in again.open(job).page
    kinds = floor.ledger.rows("SELECT kind FROM claim")
    assert [tuple(row) for row in kinds] == [("nursery_fee",)]
    file = str(floor.ledger.one("SELECT max(id) FROM source_file"))
    assert (
        "保育_20260930" in again.open("/files").page and again.open(f"/files/{file}").status == 200
    )
    health = signed_in(floor, door, "haru", Role.STAFF, "国保・後期高齢担当課")
    assert "保育_20260930" not in health.open("/files").page
    health.send_file(
        "/files", "直し_20260930.csv", path.read_bytes(), kind="claims", training="yes", mends=file
    )
    assert "直すファイルがありません" in health.page
    for address in (job, f"/files/{file}", f"{job}/rejects"):
        assert health.open(address).status == 404, address
    assert uploads.latest(service, IMPORTER, 5)
