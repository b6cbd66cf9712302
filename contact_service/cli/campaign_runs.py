"""``contact-service campaign status``: what waits, what runs, and how far it is."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from campaigns.vocabulary import CHANNEL_JA, Channel
from contact_service.cli.common import actor, print_json, service
from contact_service.dispatch.switches import switches
from contact_service.domain.actors import Role
from contact_service.domain.life import STATE_JA
from contact_service.domain.states import RunState
from contact_service.planning.definitions import own_runs
from contact_service.planning.progress import RunProgress, run_progress
from contact_service.planning.versions import Version, open_versions

app = typer.Typer()


@app.command("status")
def status_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show versions, runs and how far they are."""
    with service() as found, found.engine.connect() as connection:
        who = actor(Role.STAFF)
        versions = open_versions(connection, who)
        progress = run_progress(connection, own_runs(connection, who))
        stopped = switches(connection)
    if as_json:
        print_json(
            {
                "versions": [{"name": each.name, **asdict(each)} for each in versions],
                "runs": [asdict(item) for item in progress],
                "stopped": stopped,
            }
        )
        return
    console = Console()
    for scope, reason in stopped.items():
        console.print(f"停止中 / stopped: {scope}（{reason}）", style="bold red")
    if versions:
        console.print(_versions(versions))
    if not progress:
        console.print("実施はありません / no runs")
    for item in progress:
        console.print(str(item.run_id), soft_wrap=True)  # whole, so that it can be copied
        if item.reason:
            console.print(f"  理由: {item.reason}", soft_wrap=True)
        console.print(_steps(item) if item.steps else f"  {_title(item)}")


def _title(item: RunProgress) -> str:
    state = STATE_JA[RunState(item.state)]
    return f"{item.title}（{state}、開始日 {item.starts_at:%Y-%m-%d}）"


def _versions(versions: list[Version]) -> Table:
    table = Table(title="計画の版 / versions", title_justify="left")
    for heading in ("版", "名称", "状態", "提出", "承認"):
        table.add_column(heading)
    for each in versions:
        approved = f"{each.approved_by} {each.approved_at:%m-%d}" if each.approved_at else ""
        submitted = f"{each.created_by} {each.created_at:%m-%d}"
        table.add_row(each.name, each.title, STATE_JA[each.state], submitted, approved)
    return table


def _steps(item: RunProgress) -> Table:
    table = Table(title=_title(item), title_justify="left")
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
    return table
