"""The demo, from an empty folder to a report."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import text

from campaigns.definition import Definition
from campaigns.parse import read_file
from campaigns.ready_made import locate
from contact_service.bootstrap import Service, running
from contact_service.clock import TOKYO, FileClock
from contact_service.demo.drive import ask_carrier, drive, stops
from contact_service.demo.residents import write_residents
from contact_service.domain.actors import Actor, Role
from contact_service.embedded.servers import remove_state
from contact_service.evaluation.report import write_run_report
from contact_service.intake.importing import Report, import_file
from contact_service.planning import runs, versions
from contact_service.settings import Settings
from contact_service.stack import Stack

CAMPAIGN = "three-arm-trial"
#: The Sunday after the last payment in the sample; the run starts the next day.
EVE = datetime(2026, 10, 25, 12, 0, tzinfo=TOKYO)
FIRST_DAY = date(2026, 10, 26)
#: Payments made on the last day of the horizon have reached the office two weeks later.
LAG = timedelta(days=14)
FILES = (
    ("claims", "滞納一覧_20260930.csv"),
    ("restrictions", "交渉制限.csv"),
    ("payments", "収納データ.csv"),
    ("calls", "電話催告センター通話記録_202609.csv"),
)
STAFF = Actor("demo-staff", Role.STAFF)
APPROVER = Actor("demo-approver", Role.APPROVER)
EVALUATOR = Actor("demo-evaluator", Role.EVALUATOR)
WORKERS = 2
CLOCK = "clock.json"
#: Stands where the demo ran to its end and was kept.
KEPT = "kept"


class NothingKept(Exception):
    """No demo has left its office to be looked at."""


class NotEmpty(Exception):
    """The configured database holds data already; the demo leaves it alone."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What the demo leaves behind."""

    report: Path
    figures: dict[str, Any]
    imported: dict[str, Report]
    accepted: int
    """How many contacts the carrier took, by its own count."""
    most_often: int
    """How often it took the same attempt, at most."""
    seconds: float


def run_demo(
    base: Settings,
    ward: Path,
    output: Path,
    console: Console,
    lang: str = "ja",
    *,
    keep: bool = False,
) -> Finished:
    """Run the whole demo. Its servers' data and working files are gone afterwards, unless they
    are to be kept: then :func:`kept` finds them.

    Raises ``CannotStart``, :class:`NotEmpty`, ``Stuck``, and :class:`NothingKept` where what is to
    be kept would lie on other servers than its own.
    """
    began = time.monotonic()
    if keep:
        _on_its_own_servers(base)
    state = _state(base)
    remove_state(state)
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir(parents=True)
    clock = FileClock(state / CLOCK)
    clock.set(EVE)
    settings = _office(base).model_copy(
        update={
            "web_port": 0,
            "carrier_url": "http://127.0.0.1:0",
            "beat_seconds": 0.2,
            "reconcile_grace_seconds": 2.0,
        }
    )
    with running(settings) as service, _bars(console) as bars:
        _must_be_empty(service)
        imported = _import(service, ward, bars)
        run_id = _plan(service, bars)
        write_residents(service, STAFF, state / "residents.jsonl")
        with _stack(service, state) as stack:
            steered = Service(stack.settings, service.engine, service.vault, clock)
            _pass_weeks(steered, clock, state / "outbox", bars)
            taken = ask_carrier(steered, "accepted")
        task = bars.add_task("報告書 / report", total=1)
        output.mkdir(parents=True, exist_ok=True)
        figures = write_run_report(service, EVALUATOR, run_id, output, lang)
        bars.advance(task)
    if keep:
        (state / KEPT).touch()
    else:
        remove_state(state)
    return Finished(
        report=output / "report.html",
        figures=figures,
        imported=imported,
        accepted=taken["messages"] + taken["calls"],
        most_often=taken["maximum_per_status_callback"],
        seconds=time.monotonic() - began,
    )


def kept(base: Settings) -> Settings:
    """The settings under which the office of the last demo stands as it left it, its clock
    standing still. Raises :class:`NothingKept`."""
    _on_its_own_servers(base)
    if not (_state(base) / KEPT).exists():
        raise NothingKept(
            "見本の区は残っていません。先に contact-service demo --keep を実行してください / "
            "no demo was kept: run contact-service demo --keep first"
        )
    return _office(base)


def _on_its_own_servers(base: Settings) -> None:
    """Accounts with passwords that are shown, a clock that stands still and a simulated carrier
    must never meet another office's database."""
    if base.database_url or base.redis_url:
        raise NothingKept(
            "見本の区が残るのは組込みのデータベースだけです。CONTACT_DATABASE_URL と "
            "CONTACT_REDIS_URL の指定を外してください / the demo's office is kept in the embedded "
            "servers alone: unset CONTACT_DATABASE_URL and CONTACT_REDIS_URL"
        )


def _state(base: Settings) -> Path:
    return base.state_dir.resolve() / "demo"


def _office(base: Settings) -> Settings:
    state = _state(base)
    changes = {"state_dir": state, "clock": f"file:{state / CLOCK}", "providers_file": None}
    return base.model_copy(update=changes)


def _must_be_empty(service: Service) -> None:
    with service.engine.connect() as connection:
        if connection.scalar(text("SELECT EXISTS (SELECT 1 FROM debtor)")):
            raise NotEmpty(
                "設定されたデータベースにはデータがあります。空のデータベースを "
                "CONTACT_DATABASE_URL に指定するか、指定を外してください / the configured "
                "database holds data: name an empty one, or unset CONTACT_DATABASE_URL"
            )


def _import(service: Service, ward: Path, bars: Progress) -> dict[str, Report]:
    reports = {}
    task = bars.add_task("ファイル取込 / files in", total=len(FILES))
    for kind, name in FILES:
        rejects = service.settings.state_dir / f"{kind}.rejects.csv"
        reports[kind] = import_file(
            service, STAFF, kind, ward / name, training=True, rejects=rejects
        )
        bars.advance(task)
    return reports


def _plan(service: Service, bars: Progress) -> UUID:
    task = bars.add_task("計画と承認 / plan and approve", total=1)
    definition, source = _definition()
    now = service.clock.now()
    engine = service.engine
    version = versions.submit(engine, STAFF, definition, source, now)
    versions.approve(engine, APPROVER, version.id, now)
    planned = runs.schedule(engine, STAFF, version.id, FIRST_DAY, now)
    runs.start(engine, APPROVER, planned.run_id, now, [])
    bars.advance(task)
    return planned.run_id


@contextmanager
def _stack(service: Service, state: Path) -> Iterator[Stack]:
    stack = Stack(
        service.settings,
        workers=WORKERS,
        residents=state / "residents.jsonl",
        report=lambda text: None,
    )
    try:
        stack.start()
        stack.wait_ready(90)
        yield stack
    finally:
        stack.stop()


def _pass_weeks(service: Service, clock: FileClock, outbox: Path, bars: Progress) -> None:
    last = FIRST_DAY + timedelta(days=_definition()[0].trial.horizon_days)
    instants = stops(FIRST_DAY, last, last + LAG)
    task = bars.add_task("実施 / contacts", total=len(instants))

    def progress(at: datetime) -> None:
        bars.update(task, advance=1, description=f"実施 / contacts {at:%m-%d %H:%M}")

    drive(service, clock, outbox, instants, progress)


def _definition() -> tuple[Definition, str]:
    path = locate(CAMPAIGN)
    return read_file(path).definition, path.read_text(encoding="utf-8")


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<34}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(), console=console,
    )  # fmt: skip
