"""``contact-service centre``: the centre's load, its staffing, and the shift to inbound."""

from __future__ import annotations

from dataclasses import asdict
from math import isfinite
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from contact_service.cli import centre_forecast, centre_load, centre_shift, common
from contact_service.cli.centre_options import (
    MOST,
    Json,
    Lang,
    Level,
    Output,
    Patience,
    Shrinkage,
    Within,
    duration,
    form_of,
    save_page,
)
from contact_service.cli.report import Language
from contact_service.clock import SystemClock
from contact_service.evaluation.erlang import offered_load
from contact_service.evaluation.staffing import performance as staff
from contact_service.evaluation.staffing.small_pages import staffing_document
from contact_service.evaluation.wording import number, percent

app = typer.Typer(no_args_is_help=True)
app.command("load")(centre_load.command)
app.command("forecast")(centre_forecast.command)
app.command("shift")(centre_shift.command)


@app.command("staffing")
def staffing(
    calls: float = typer.Option(..., min=0, help="その間の受電数 / inbound calls per interval"),
    aht: float = typer.Option(
        ..., parser=duration, metavar="TIME", help="平均処理時間（通話＋後処理） / handle time"
    ),
    interval: float = typer.Option(
        1800.0, parser=duration, metavar="TIME", help="区間の長さ、例 30m / length, e.g. 30m"
    ),
    level: Level = 0.8,
    within: Within = 20.0,
    patience: Patience = None,
    shrinkage: Shrinkage = 0.0,
    agents: int | None = typer.Option(
        None, min=1, max=MOST, help="この人数を評価する / evaluate this number instead"
    ),
    output: Output = None,
    lang: Lang = Language.JA,
    as_json: Json = False,
) -> None:
    """受電に必要な担当者数を求める / how many operators an inbound load needs."""
    erlangs = offered_load(calls, aht, interval)
    if not isfinite(erlangs) or erlangs > MOST / 2:
        raise common.fail(
            f"--calls: 負荷が大きすぎます（{MOST // 2:,}アーランまで） / "
            f"the load is too large (up to {MOST // 2:,} erlangs)",
            2,
        )
    standard = staff.Standard(level, within, patience, shrinkage)
    chosen = staff.agents_needed(erlangs, aht, standard) if agents is None else agents
    found = staff.performance(erlangs, chosen, aht, standard)
    endless = not staff.is_stable(erlangs, chosen, standard)
    result = {
        "agents": chosen,
        "rostered": staff.rostered(chosen, shrinkage),
        **asdict(found),
        "asa_seconds": None if endless else found.asa_seconds,
    }
    form = form_of(output)
    if output and form:
        document = staffing_document(erlangs, aht, standard, result, lang.value)
        save_page(document, "centre.staffing", result, SystemClock().now(), form, output)
    if as_json:
        common.print_json(result)
    else:
        _print_staffing(result, erlangs, standard)
    if endless:
        typer.echo(
            f"待ち行列が伸び続けます: 負荷 {erlangs:g} アーランに対し担当者 {chosen} 人。"
            f"{int(erlangs) + 1} 人以上にするか、切る人を考えるなら --patience を付けてください / "
            f"the queue grows without end: {chosen} operators for {erlangs:g} erlangs; take "
            f"{int(erlangs) + 1} or more, or --patience if callers hang up",
            err=True,
        )


def _print_staffing(result: dict[str, Any], erlangs: float, standard: staff.Standard) -> None:
    table = Table("項目 / figure", "値", show_header=False)
    wait = result["asa_seconds"]
    for name, value in (
        ("負荷 / offered load (erlangs)", f"{erlangs:,.3f}"),
        ("担当者 / agents", number(result["agents"])),
        ("勤務表の人数 / rostered", number(result["rostered"])),
        (
            f"{standard.within_seconds:g}秒以内の応答率 / service level",
            percent(result["service_level"], 2),
        ),
        ("平均応答時間（秒） / ASA (s)", "∞" if wait is None else number(wait, 2)),
        ("稼働率 / occupancy", percent(result["occupancy"], 2)),
        ("待つ確率 / probability of waiting", percent(result["probability_of_waiting"], 2)),
        ("放棄率 / abandonment", percent(result["abandonment"], 2)),
    ):
        table.add_row(name, value)
    console = Console()
    console.print(table)
    console.print(_model(standard.patience_seconds))


def _model(patience_seconds: float | None) -> str:
    if patience_seconds is None:
        return "Erlang C: 途中で切る人はいないとする / nobody hangs up"
    return (
        f"Erlang A: 平均 {patience_seconds:g} 秒待つと切る / "
        f"callers hang up after {patience_seconds:g} s on average"
    )
