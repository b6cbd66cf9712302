"""``contact-service campaign``: plan, start, watch and stop runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, text

from campaigns.faults import DefinitionErrors, describe
from campaigns.parse import read_file
from campaigns.ready_made import NoSuchDefinition, locate
from campaigns.vocabulary import CHANNEL_JA, Channel
from contact_service.bootstrap import Service
from contact_service.cli.common import actor, fail, print_json, service
from contact_service.dispatch import providers
from contact_service.dispatch.switches import switches
from contact_service.domain.actors import Actor, NotAllowed, Role
from contact_service.domain.states import EXCLUSION_JA, ExclusionReason
from contact_service.planning import runs
from contact_service.planning.progress import run_progress
from contact_service.planning.schedule import DoesNotFit

app = typer.Typer()

File = Annotated[
    str, typer.Argument(metavar="FILE", help="A YAML file, or a ready-made definition's name.")
]
Run = Annotated[str, typer.Argument(metavar="RUN", help="A run's identifier, or 'latest'.")]
STATE_JA = {
    "planned": "計画済",
    "running": "実施中",
    "paused": "一時停止",
    "stopped": "中止",
    "completed": "完了",
}
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("plan")
def plan_command(
    file: File,
    first_day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The run's first day.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Freeze a run: who is contacted, in which arm, when; and who is not, and why."""
    try:
        path = locate(file)
        definition = read_file(path).definition
    except NoSuchDefinition as error:
        raise fail(str(error), 2) from None
    except DefinitionErrors as error:
        raise fail(describe(file, error.faults)) from None
    source = path.read_text(encoding="utf-8-sig")
    with service() as found:
        day = first_day.date() if first_day else found.clock.now().date()
        try:
            planned = runs.plan(
                found.engine, actor(Role.STAFF), definition, source, day, found.clock.now()
            )
        except (DoesNotFit, runs.CannotDo) as error:
            raise fail(str(error)) from None
        figures = _planned_figures(found.engine, planned.run_id, day) | {"new": planned.new}
    if as_json:
        print_json(figures)
    else:
        _show_plan(figures)


@app.command("start")
def start_command(run: Run) -> None:
    """Approve a planned run and let it go out. Takes a person other than its planner."""

    def start(found: Service, who: Actor, run_id: UUID) -> None:
        live = [item.name for item in providers.configured(found.settings) if item.live]
        runs.start(found.engine, who, run_id, found.clock.now(), live)

    _act(run, Role.APPROVER, start, "開始しました / started")


@app.command("pause")
def pause_command(run: Run) -> None:
    """Send nothing more until resumed."""
    _act(run, Role.STAFF, _plainly(runs.pause), "一時停止しました / paused")


@app.command("resume")
def resume_command(run: Run) -> None:
    """Go on with a paused run."""
    _act(run, Role.STAFF, _plainly(runs.resume), "再開しました / resumed")


@app.command("stop")
def stop_command(run: Run) -> None:
    """End a run for good."""
    _act(run, Role.STAFF, _plainly(runs.stop), "中止しました / stopped")


@app.command("status")
def status_command(as_json: AsJson = False) -> None:
    """Show all runs and how far they are."""
    with service() as found, found.engine.connect() as connection:
        progress = run_progress(connection)
        stopped = switches(connection)
    if as_json:
        print_json([asdict(item) for item in progress])
        return
    console = Console()
    for scope, reason in stopped.items():
        console.print(f"停止中 / stopped: {scope}（{reason}）", style="bold red")
    if not progress:
        console.print("実施はありません / no runs")
    for item in progress:
        table = Table(title=f"{item.title}（{STATE_JA[item.state]}）", title_justify="left")
        for heading in ("段階", "手段", "予定", "済", "見送り", "結果待ち", "不明", "要判断"):
            table.add_column(heading, justify="left" if heading in ("段階", "手段") else "right")
        for step in item.steps:
            waiting = step.states.get("accepted", 0) + step.states.get("leased", 0)
            table.add_row(
                step.step,
                CHANNEL_JA[Channel(step.channel)],
                f"{step.total:,}",
                f"{step.states.get('finished', 0):,}",
                f"{step.states.get('skipped', 0):,}",
                f"{waiting:,}",
                f"{step.states.get('unknown', 0):,}",
                f"{step.needs_person:,}",
            )
        console.print(str(item.run_id), soft_wrap=True)  # whole, so that it can be copied
        console.print(table)


def _plainly(
    action: Callable[[Engine, Actor, UUID, datetime], None],
) -> Callable[[Service, Actor, UUID], None]:
    return lambda found, who, run_id: action(found.engine, who, run_id, found.clock.now())


def _act(run: str, role: Role, action: Callable[[Service, Actor, UUID], None], done: str) -> None:
    with service() as found:
        run_id = _run_id(found.engine, run)
        try:
            action(found, actor(role), run_id)
        except (runs.CannotDo, NotAllowed) as error:
            raise fail(str(error)) from None
    typer.echo(f"{run_id}: {done}")


def _run_id(engine: Engine, run: str) -> UUID:
    if run == "latest":
        with engine.connect() as connection:
            latest = connection.scalar(
                text("SELECT id FROM run ORDER BY planned_at DESC, id LIMIT 1")
            )
        if latest is None:
            raise fail("実施はありません / there is no run", 2)
        return UUID(str(latest))
    try:
        run_id = UUID(run)
    except ValueError:
        raise fail(f"{run}: 実施の番号ではありません / not a run's identifier", 2) from None
    with engine.connect() as connection:
        known = connection.scalar(text("SELECT 1 FROM run WHERE id = :id"), {"id": run_id})
    if known is None:
        raise fail(f"実施 {run} はありません / there is no run {run}", 2)
    return run_id


def _planned_figures(engine: Engine, run_id: UUID, day: date) -> dict[str, object]:
    with engine.connect() as connection:
        assessed = connection.execute(
            text("SELECT assessed_debtors, assessed_claims FROM run WHERE id = :id"),
            {"id": run_id},
        ).one()
        excluded = connection.execute(
            text("SELECT reason, count(*) AS n FROM exclusion WHERE run_id = :id GROUP BY 1"),
            {"id": run_id},
        ).all()
        arms = connection.execute(
            text("""
            SELECT arm, count(*) AS targets, count(DISTINCT cluster) AS clusters,
                sum(claims) AS claims, sum(outstanding_yen) AS yen
            FROM target WHERE run_id = :id GROUP BY arm ORDER BY arm
            """),
            {"id": run_id},
        ).all()
    return {
        "run": str(run_id),
        "first_day": day.isoformat(),
        "assessed": {"debtors": assessed.assessed_debtors, "claims": assessed.assessed_claims},
        "excluded": {row.reason: row.n for row in excluded},
        "arms": {
            row.arm: {
                "targets": row.targets,
                "clusters": row.clusters,
                "claims": int(row.claims),
                "yen": int(row.yen),
            }
            for row in arms
        },
    }


def _show_plan(figures: dict[str, object]) -> None:
    console = Console()
    new = "計画しました / planned" if figures["new"] else "計画済みです / planned before"
    console.print(f"{figures['run']}: {new}（開始日 {figures['first_day']}）")
    excluded = Table(title="対象外とその理由（人） / left out, and why", title_justify="left")
    excluded.add_column("理由")
    excluded.add_column("人", justify="right")
    for reason, n in dict(figures["excluded"]).items():  # type: ignore[call-overload]
        excluded.add_row(EXCLUSION_JA[ExclusionReason(reason)], f"{n:,}")
    console.print(excluded)
    table = Table(title="群 / arms", title_justify="left")
    for heading in ("群", "対象", "世帯群", "債権", "未納額（円）"):
        table.add_column(heading, justify="left" if heading == "群" else "right")
    for arm, row in dict(figures["arms"]).items():  # type: ignore[call-overload]
        table.add_row(arm, *(f"{row[key]:,}" for key in ("targets", "clusters", "claims", "yen")))
    console.print(table)
