"""Unknown outcomes, providers, reports, library and audit log in the console."""

from __future__ import annotations

import ast
import asyncio
import re
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import pytest
from sqlalchemy import text

from contact_service.bootstrap import Service
from contact_service.dispatch import providers, unusable
from contact_service.dispatch.asking import look
from contact_service.dispatch.drain import redis_client
from contact_service.domain.actors import Actor, Role
from contact_service.domain.life import Action, CannotDo
from contact_service.domain.restrictions import RestrictionKind
from contact_service.domain.states import OperatorState
from contact_service.evaluation import library, report_files
from contact_service.people.opening import OPENED
from contact_service.people.restricting import Wanted, restrict
from contact_service.settings import Settings
from contact_service.store import jobs
from contact_service.web.audit_words import WORDS
from providers.base import Unknown
from tests.conftest import ROOT
from tests.dispatch.carrier import ScriptedCarrier
from tests.dispatch.conftest import STAFF, Floor, floor
from tests.evaluation.world import QUIET, RUN, build
from tests.ledger import mobile
from tests.web.browser import Browser
from tests.web.people import signed_in
from tests.web.test_doors import Door, door, door_settings

__all__ = ["door", "door_settings", "floor"]

TEXT = (Path(__file__).parents[2] / "campaigns/library/three-arm-trial.yaml").read_text("utf-8")


@pytest.fixture
def undecided(floor: Floor) -> list[UUID]:
    """Three contacts that a carrier may have, as far as anybody can tell."""
    for n in range(1, 4):
        floor.ledger.person([mobile(n)])
    floor.start()
    floor.carrier.answer = lambda contact, ref: Unknown("read timeout")
    floor.carrier.takes = lambda contact: contact.to == mobile(1)
    floor.drain()
    floor.ledger.run("UPDATE attempt SET needs_person = true WHERE state = 'unknown'")
    rows = floor.ledger.rows(
        "SELECT a.id FROM attempt a JOIN phone p ON p.id = a.phone_id "
        "WHERE a.needs_person ORDER BY p.id"
    )
    return [UUID(str(row[0])) for row in rows]


def test_unknown_outcomes_are_settled_by_whoever_says_why(
    floor: Floor, door: Door, undecided: list[UUID]
) -> None:
    staff = signed_in(floor, door, "kato", Role.STAFF).open("/unknown")
    assert staff.page.count('name="attempt"') == 3 and "read timeout" in staff.page
    assert mobile(1) not in staff.page and "090-1000" not in staff.page
    first, second, third = map(str, undecided)
    assert "checked" not in staff.page and "この3件をすべて選ぶ" in staff.page
    assert staff.open("/unknown?chosen=all").page.count(" checked") == 3
    assert staff.send("/unknown", attempt=first, taken="yes", reason=" ").status == 422
    assert f'value="{first}" checked' in staff.page  # what was chosen stays chosen
    assert staff.send("/unknown", taken="yes", reason="x").status == 422
    token = re.search(r'name="form_token" value="([^"]+)"', staff.page)
    assert token
    several = f"form_token={token[1]}&attempt={first}&attempt={second}&taken=yes&reason=seen"
    staff.post_raw("/unknown", several)
    assert "2件を「事業者に渡った」" in staff.page
    staff.send("/unknown", attempt=third, taken="no", reason="事業者の画面で 090-1111-2222 なし")
    assert "1件を「渡っていない」" in staff.page
    assert floor.states() == {"finished": 2, "planned": 1}
    assert floor.ledger.rows(
        "SELECT actor, details ->> 'reason', count(*) FROM audit_log "
        "WHERE action = 'attempt.decide' GROUP BY 1, 2 ORDER BY 3"
    ) == [("kato", "事業者の画面で [number] なし", 1), ("kato", "seen", 2)]
    staff.send("/unknown", attempt=first, taken="no", reason="やっぱり")
    assert "0件" in staff.page and floor.states() == {"finished": 2, "planned": 1}
    for role in (Role.OPERATOR, Role.EVALUATOR):
        other = signed_in(floor, door, role.value, role)
        assert other.open("/unknown").status == 403
        assert other.send("/unknown", attempt=third, taken="no", reason="x").status == 403


def test_the_carrier_is_asked_and_nothing_is_changed(
    floor: Floor, door: Door, undecided: list[UUID]
) -> None:
    configs = {floor.config.name: floor.config}

    def said(attempt: UUID, carrier: ScriptedCarrier) -> list[bool | None]:
        found = asyncio.run(
            look(floor.service, STAFF, attempt, configs, {floor.config.name: carrier})
        )
        return [one.ours for one in found.seen]

    first, second, _ = undecided
    assert said(first, floor.carrier) == [True] and said(second, floor.carrier) == []
    floor.carrier.reachable = False
    with pytest.raises(CannotDo, match="does not"):
        said(first, floor.carrier)
    assert floor.states() == {"unknown": 3}
    # the same by the page, with the simulated carrier that is not running here
    floor.ledger.run("UPDATE attempt SET provider = 'simulated' WHERE needs_person")
    staff = signed_in(floor, door, "kato", Role.STAFF).open("/unknown")
    staff.send(f"/unknown/{first}/ask")
    assert (staff.status, "事業者が答えません" in staff.page) == (422, True)


def test_a_provider_that_a_worker_cannot_use_is_said_with_the_remedy(
    floor: Floor, door: Door
) -> None:
    lacking = providers.simulated(floor.service.settings)
    options = {"auth_token": {"env": "NOT_IN_ANY_ENVIRONMENT"}}
    lacking = lacking.model_copy(update={"options": lacking.options | options})
    client = redis_client(door.stack.settings.broker_url)
    assert unusable.made(client, lacking) is None
    staff = signed_in(floor, door, "suzuki", Role.STAFF).open("/providers")
    assert "このサービス" not in staff.page  # side by side with nothing else
    for word in (
        "事業者を使えません",
        "simulated.auth_token",
        "NOT_IN_ANY_ENVIRONMENT",
        "起動し直し",
    ):
        assert word in staff.page


def test_a_provider_is_stopped_with_a_reason_and_let_go_on_by_few(floor: Floor, door: Door) -> None:
    operator = signed_in(floor, door, "sato", Role.OPERATOR).open("/providers")
    assert "simulated" in operator.page and "最近は送っていません" in operator.page
    assert "1秒に200件" in operator.page and "上限なし" in operator.page
    assert operator.send("/providers/pause", scope="provider:simulated", reason="").status == 422
    assert operator.send("/providers/pause", scope="provider:simulatd", reason="x").status == 422
    operator.send("/providers/pause", scope="provider:simulated", reason="調子が悪い")
    assert "止めました" in operator.page and "調子が悪い" in operator.page
    operator.send("/providers/pause", scope="channel:sms", reason="文面の誤り")
    assert floor.ledger.rows("SELECT scope FROM stop_switch ORDER BY 1") == [
        ("channel:sms",), ("provider:simulated",),
    ]  # fmt: skip
    assert operator.send("/providers/resume", scope="channel:sms").status == 403
    approver = signed_in(floor, door, "aoki", Role.APPROVER).open("/providers")
    approver.send("/providers/resume", scope="channel:sms")
    assert "再開しました" in approver.page and "文面の誤り" not in approver.page
    auditor = signed_in(floor, door, "audit", Role.AUDITOR).open("/providers")
    assert auditor.status == 200 and "/providers/pause" not in auditor.page
    assert signed_in(floor, door, "eva", Role.EVALUATOR).open("/providers").status == 403


def test_the_audit_log_is_filtered_and_paged(floor: Floor, door: Door) -> None:
    auditor = signed_in(floor, door, "kansa", Role.AUDITOR)
    staff = signed_in(floor, door, "kato", Role.STAFF)
    for n in range(60):
        wanted = Wanted(RestrictionKind.OPTED_OUT, number=f"090-1000-{n:04}")
        restrict(floor.service, Actor("kato", Role.STAFF), wanted)
    auditor.open("/audit")
    assert auditor.page.count("<small>restriction.add") == 50
    older = re.search(r'href="(/audit\?[^"]*before=\d+)"', auditor.page)
    assert older and auditor.open(older[1]).page.count("<small>restriction.add") == 10
    assert "user.added" in auditor.page
    for query, n in (
        ("who=kato", 50), ("who=nobody", 0), ("action=restriction.add", 50),
        ("action=restriction.", 50), ("action=user.", 0), ("subject=restriction:1", 1),
        ("since=2026-10-26&until=2026-10-26", 50), ("until=2026-10-25", 0),
    ):  # fmt: skip
        page = auditor.open(f"/audit?{query}").page
        assert page.count("<small>restriction.add</small>") == n, query
    assert auditor.open("/audit?since=x").status == 422
    assert "090" not in page
    assert staff.open("/audit").status == 403


def a_finished_trial(floor: Floor) -> None:
    with floor.service.engine.begin() as connection:
        build(connection, QUIET)
        connection.execute(text("UPDATE campaign_version SET text = :text"), {"text": TEXT})


def work(floor: Floor, settings: Settings) -> bool:
    """What a worker does when it is woken."""
    service = Service(settings, floor.service.engine, floor.service.vault, floor.clock)
    handlers = {
        report_files.KIND: report_files.handler(service),
        report_files.KIND_BY: report_files.by_field_handler(service),
    }
    return jobs.run_next(service.engine, handlers, service.clock.now)


def test_a_report_is_made_once_opened_and_kept(
    floor: Floor, door: Door, door_settings: Settings
) -> None:
    a_finished_trial(floor)
    evaluator = signed_in(floor, door, "eva", Role.EVALUATOR).open("/reports")
    evaluator.send(f"/reports/{RUN}")
    assert "報告書を作っています" in evaluator.page and 'hx-trigger="every 3s"' in evaluator.page
    evaluator.send(f"/reports/{RUN}")  # pressed twice
    assert work(floor, door_settings) and not work(floor, door_settings)
    evaluator.open("/reports")
    found = re.search(r'href="(/reports/files/[^"]+/report\.)html"', evaluator.page)
    assert found and 'hx-trigger="every 3s"' not in evaluator.page
    report = Browser(evaluator.address, evaluator.cookies).open(f"{found[1]}html")
    assert "<style" in report.page and "sandbox" in report.headers["content-security-policy"]
    for form, begins in (("pdf", b"%PDF"), ("xlsx", b"PK"), ("json", b"{")):
        status, content = evaluator.fetch(f"{found[1]}{form}")
        assert (status, content[: len(begins)]) == (200, begins)
    assert floor.ledger.one("SELECT count(*) FROM audit_log WHERE action = 'report.read'") == 4
    operator = signed_in(floor, door, "sato", Role.OPERATOR)
    assert operator.open("/reports").status == 403
    assert operator.open(f"{found[1]}html").status == 403


def test_payment_is_broken_down_by_a_field(
    floor: Floor, door: Door, door_settings: Settings
) -> None:
    a_finished_trial(floor)
    evaluator = signed_in(floor, door, "eva", Role.EVALUATOR).open(f"/reports/{RUN}/by")
    assert evaluator.send(f"/reports/{RUN}/by", field="name").status == 422
    evaluator.open(f"/reports/{RUN}/by").send(f"/reports/{RUN}/by", field="kinds")
    waiting = evaluator.path
    assert "数えています" in evaluator.page and work(floor, door_settings)
    evaluator.open(waiting)
    assert "国民健康保険料" in evaluator.page and "holdout" in evaluator.page
    assert re.search(r"\d+\.\d%", evaluator.page)


def test_what_worked_is_searched_read_and_copied(floor: Floor, door: Door) -> None:
    a_finished_trial(floor)
    made = library.add(floor.service, STAFF, RUN, "夕方のSMSがよく届いた。")
    evaluator = signed_in(floor, door, "eva", Role.EVALUATOR).open(
        f"/library?words={quote('夕方 SMS')}"
    )
    assert f'href="/library/{made}"' in evaluator.page
    assert "該当する事例はありません" in evaluator.open("/library?words=5_%25").page
    evaluator.open(f"/library/{made}")
    assert "夕方のSMSがよく届いた。" in evaluator.page and "/copy" not in evaluator.page
    assert evaluator.send(f"/library/{made}/copy", name="ours").status == 403
    staff = signed_in(floor, door, "kato", Role.STAFF).open(f"/library/{made}")
    assert staff.send(f"/library/{made}/copy", name="No Such Name!").status == 422
    staff.send(f"/library/{made}/copy", name="our-trial")
    assert staff.status == 200 and "campaign: our-trial" in staff.page
    assert staff.path == "/drafts/1"
    assert floor.ledger.one("SELECT created_by FROM campaign_draft") == "kato"
    assert staff.open("/library/999").status == 404
    staff.cookies["language"] = "en"
    assert "households" in staff.open(f"/library/{made}").page and "まとめ" not in staff.page


def recorded() -> set[str]:
    """What the sources write into the audit log by ``audit.record``: the actions' names."""
    found: set[str] = set()
    for source in sorted((ROOT / "contact_service").rglob("*.py")):
        for call in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "audit.record":
                found |= {
                    str(each.value)
                    for each in ast.walk(call.args[3])
                    if isinstance(each, ast.Constant) and re.fullmatch(r"[a-z_.]+", str(each.value))
                }
    return found


def test_everything_that_is_recorded_is_said_in_words() -> None:
    moved = {name.partition(".")[2] for name in WORDS if name.startswith(("version.", "run."))}
    states = {f"desk.{state}" for state in (OperatorState.TALKING, OperatorState.WRAPPING_UP)}
    named = {name for name in recorded() if not name.endswith(".") and name != "."}
    named |= {"user.reset", "user.assigned", OPENED, *states}  # handed on, not written there
    assert len(named) > 50
    assert named - set(WORDS) == set(), "add it to web/audit_words.py"
    assert moved == set(Action)
