"""An office with something on every page: for the browser's tests and the manual's pictures."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text as sql

from campaigns.parse import parse
from campaigns.vocabulary import Channel
from contact_service.clock import FixedClock
from contact_service.domain.actors import Actor, Role
from contact_service.domain.restrictions import RestrictionKind
from contact_service.evaluation import report_files
from contact_service.identity import bulk_access
from contact_service.identity.bulk_access import BulkKind
from contact_service.intake import uploads
from contact_service.intake.fields import FileKind
from contact_service.people.restricting import Wanted, ask_to_lift, restrict
from contact_service.planning import drafts, versions
from contact_service.receipts.poll import poll
from providers.base import Accepted, Unknown
from tests.conftest import ROOT
from tests.dispatch.conftest import APPROVER, STAFF, Floor
from tests.intake.conftest import CLAIM, write_csv
from tests.ledger import Owed, mobile
from tests.web.browser import Browser
from tests.web.test_doors import Door
from tests.web.test_files import BAD
from tests.web.test_files import work as import_work
from tests.web.test_records import work as report_work

EVALUATOR = Actor("evaluator", Role.EVALUATOR)
KEY = "autumn-trial"
TITLE = "国民健康保険料 SMS・オートコール"
TRIAL = (ROOT / "campaigns/library/three-arm-trial.yaml").read_text(encoding="utf-8")


def world(floor: Floor, door: Door) -> dict[str, str]:
    """What the addresses of the pages name: people, a campaign of two versions with a run under
    way, outcomes to settle, restrictions to lift, files, letters, a draft, and an entry of the
    library."""
    people = [floor.ledger.person([mobile(n)], [Owed(yen=9_000 + 700 * n)]) for n in range(30)]
    first = parse(TRIAL.replace("campaign: three-arm-trial", f"campaign: {KEY}"), KEY)
    first = first.model_copy(update={"title": TITLE})
    run = floor.start(first)
    three_weeks(floor)
    for n in range(30, 48):  # not in that run: the preview's
        floor.ledger.person([mobile(n)], [Owed(yen=9_000 + 700 * n)])
    floor.ledger.person([], [Owed()])
    floor.ledger.pays(floor.ledger.person([mobile(60)], [Owed()]))
    engine, now = floor.service.engine, floor.clock.now()
    calmer = TRIAL.replace("per_7_days: 3", "per_7_days: 2").replace("at: 10:00", "at: 11:00")
    second = parse(calmer.replace("campaign: three-arm-trial", f"campaign: {KEY}"), KEY)
    second = second.model_copy(update={"title": TITLE})
    versions.submit(engine, STAFF, second, second.model_dump_json(), now)
    with engine.begin() as connection:
        draft = drafts.begin(connection, STAFF, TRIAL, "SMS・オートコール効果測定", now)
        result = connection.scalar(sql("""
            INSERT INTO disposition (attempt_id, kind, recorded_at, recorded_by)
            SELECT id, 'absent', :now, 'sato' FROM attempt WHERE channel = 'operator'
            ORDER BY id DESC LIMIT 1 RETURNING id"""), {"now": now})  # fmt: skip
        connection.execute(
            sql("""
            INSERT INTO letter_batch (run_id, step, number, letters, handed_over_at, handed_over_by)
            VALUES (:run, 'letters', 1, 12, :now, 'planner')"""),
            {"run": run, "now": now},
        )
        connection.execute(
            sql("""UPDATE source_file SET name = '滞納一覧_20260831.csv', imported_at = :at,
            imported_by = 'kato', rows = 51, accepted = 51"""),
            {"at": now - timedelta(days=20)},
        )
    centre_calls(floor)
    restricted(floor, people[-1])
    bulk_access.ask(floor.service, STAFF, BulkKind.OPEN_MANY, "", "誤送信の一斉確認")
    subject = f"{run}/letters/1"
    bulk_access.ask(floor.service, APPROVER, BulkKind.LETTERS_AGAIN, subject, "郵送で紛失")
    job, file = imported(floor, door)
    breakdown = report_files.ask_by_field(floor.service, EVALUATOR, run, "kinds")
    report_work(floor, door.stack.settings)
    return {
        "campaign": KEY, "version": "2", "run": str(run), "draft": str(draft),
        "person": str(people[0]), "opened": str(people[1]), "result": str(result), "job": job,
        "file": file, "breakdown": str(breakdown), "entry": entry(floor, run),
    }  # fmt: skip


def centre_calls(floor: Floor) -> None:
    """Two weeks of the centre's telephone, before and since the run began: what operators dialled
    and who called, none of them a debtor's number."""
    floor.ledger.run("""
        INSERT INTO call (origin, direction, started_at, wait_seconds, talk_seconds, wrap_seconds,
            result, extension, deduplication_key)
        SELECT o.origin, o.direction, slot + n * interval '6 minutes',
            CASE o.origin WHEN 'resident' THEN 5 * n END, 90 + 20 * n, 60,
            'talked', '20' || n, o.origin || slot || n
        FROM generate_series(timestamptz '2026-10-19 09:00+09', '2026-10-30 16:30+09', '30 minutes')
                AS slot, generate_series(1, 4) AS n,
            (VALUES ('operator', 'outbound', 3), ('resident', 'inbound', 4))
                AS o (origin, direction, most)
        WHERE extract(isodow FROM slot AT TIME ZONE 'Asia/Tokyo') < 6 AND n <= o.most
            AND extract(hour FROM slot AT TIME ZONE 'Asia/Tokyo') BETWEEN 9 AND 16""")


def three_weeks(floor: Floor) -> None:
    """The run's messages, and a week later its calls: most arrive, of two the carrier is silent."""
    at = floor.clock.now()
    floor.carrier.yen_each = Decimal(24)
    for days, channel, silent in ((0, Channel.SMS, 2), (7, Channel.AUTO_CALL, 0)):
        for hours, work in ((0, _send(silent)), (1, _hear)):
            clock = FixedClock(at + timedelta(days=days, hours=hours))
            there = replace(floor, service=replace(floor.service, clock=clock))
            with ThreadPoolExecutor(1) as other:  # playwright has a loop of its own here
                other.submit(work, there, channel).result()
    floor.ledger.run("UPDATE attempt SET needs_person = true WHERE state = 'unknown'")


def _send(silent: int) -> Callable[[Floor, Channel], None]:
    def work(floor: Floor, channel: Channel) -> None:
        left = [Unknown("read timeout")] * silent
        floor.carrier.answer = lambda contact, ref: left.pop() if left else Accepted(ref)
        floor.drain(channel)

    return work


def _hear(floor: Floor, channel: Channel) -> None:
    asyncio.run(poll(floor.service, floor.config, floor.carrier))


def lived_in(places: dict[str, str], people: dict[Role, Browser]) -> None:
    """What those who open the pages have done before, each at their own browser: somebody's
    record is open, a recording is in use, and an operator has somebody on the desk."""
    staff, operator = people[Role.STAFF], people[Role.CONTRACTOR]
    person = f"/people/{places['opened']}"
    staff.open(person).send(f"{person}/open", reason="check")
    words = "世田谷区役所です。お伝えしたいことがあり、お電話しました。"
    staff.open("/recordings").send("/recordings/speak", name="notice-hello", words=words)
    people[Role.APPROVER].open("/recordings").send("/recordings/versions/1/use")
    operator.open("/desk").send("/desk/next")
    assert "次の方を開く" not in operator.page, "nobody is due at the desk"


def restricted(floor: Floor, person: int) -> None:
    """Two who are left alone; for one of them somebody asks to end it."""
    code = str(floor.ledger.one("SELECT code FROM debtor WHERE id = :id", id=person))
    restrict(floor.service, STAFF, Wanted(RestrictionKind.HARDSHIP, code=code))
    one = restrict(floor.service, STAFF, Wanted(RestrictionKind.OPTED_OUT, number="090-7777-6666"))
    ask_to_lift(floor.service, STAFF, one, "別の方の番号だった")


def imported(floor: Floor, door: Door) -> tuple[str, str]:
    """A file of which one row is rejected, by a page and a worker: its job and its number."""
    settings = door.stack.settings
    service = replace(floor.service, settings=settings)
    path = write_csv(settings.state_dir / "handed-in.csv", [CLAIM, BAD])
    job = uploads.hand_in(
        service, STAFF, FileKind.CLAIMS, "滞納_20260930.csv", io.BytesIO(path.read_bytes()), training=True,
        as_of=None, dry_run=False, mends=None,
    )  # fmt: skip
    import_work(floor, settings)
    return str(job), str(floor.ledger.one("SELECT max(id) FROM source_file"))


def entry(floor: Floor, run: UUID) -> str:
    """A small entry of the library."""
    made = {"summary": {"sure": ["SMSの群の納付は、対照群より高いとは言えません。"]},
            "summary_en": {"sure": ["That the group of the SMS paid more cannot be said."]}}  # fmt: skip
    with floor.service.engine.begin() as connection:
        return str(connection.scalar(sql("""
            INSERT INTO library_entry (run_id, campaign, title, definition, entry, lessons, office,
                training, added_at, added_by)
            VALUES (:run, 'spring-trial', '春のSMS', :text, CAST(:entry AS jsonb),
                '夕方のSMSがよく届いた。', '*', true, :now, 'sato')
            RETURNING id"""), {"run": run, "text": TRIAL, "entry": json.dumps(made), "now": floor.clock.now()}))  # fmt: skip
