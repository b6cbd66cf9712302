"""``contact-service campaign calendar``: the year's campaigns and where they clash."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from contact_service.cli.common import actor, fail, print_json, service
from contact_service.domain.actors import Role
from contact_service.domain.life import STATE_JA
from contact_service.domain.states import RunState
from contact_service.evaluation.campaign_calendar import calendar_picture, standing_alone
from contact_service.planning.calendar import campaign_calendar, fiscal_year_of
from contact_service.planning.definitions import ANOTHER_OFFICE

app = typer.Typer()


@app.command("calendar")
def calendar_command(
    start: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day.")
    ] = None,
    end: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="The last day.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="An SVG file to draw it into.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the fiscal year's runs, people in two at once, and the centre's load by them."""
    with service() as found:
        first, last = fiscal_year_of(found.clock.now().date())
        first, last = start.date() if start else first, end.date() if end else last
        if first > last:
            raise fail("--from は --to より前の日に / --from comes before --to", 2)
        with found.engine.begin() as connection:
            figures = campaign_calendar(
                connection, actor(Role.STAFF), first, last, found.settings.centre_operators
            )
    if picture:
        try:
            picture.write_text(standing_alone(calendar_picture(figures)), encoding="utf-8")
        except OSError as error:
            raise fail(f"{picture}: 書けません / cannot be written: {error.strerror}", 2) from None
    if as_json:
        print_json(figures)
        return
    _show(Console(), figures)
    if picture:
        typer.echo(picture)


def _show(console: Console, figures: dict[str, Any]) -> None:
    title = f"年間予定 / calendar {figures['from']} – {figures['to']}"
    table = _table(title, "計画", "状態", "最初の日", "最後の日", "人")
    for run in figures["runs"]:
        people = f"{run['people']:,}" if run["frozen"] else f"約 {run['people']:,}"
        days = f"{run['first_day']}", f"{run['last_day']}"
        table.add_row(
            run["title"] or ANOTHER_OFFICE["ja"], STATE_JA[RunState(run["state"])], *days, people
        )
    console.print(table if figures["runs"] else "予定はありません / nothing is on the calendar")
    if figures["same_people"]:
        table = _table("重なり：同じ人が二つの計画に / the same people", "計画", "期間", "人")
        for clash in figures["same_people"]:
            common = f"{clash['first_day']} – {clash['last_day']}"
            titles = " ＋ ".join(title or ANOTHER_OFFICE["ja"] for title in clash["titles"])
            table.add_row(titles, common, f"[bold]{clash['people']:,}[/]")
        console.print(table)
        console.print("  先に始まる計画が優先し、重なる人は後の計画の対象外になります。")
    centre = figures["centre"]
    console.print(
        f"センター: {centre['operators']} 人で 30 分に {centre['calls_per_half_hour']:.1f} 件まで"
        f"（1 件 {centre['handle_seconds']:.0f} 秒）"
    )
    if not centre["above"]:
        console.print("  見込まれる受電は職員数の範囲内です / within the centre's staff")
        return
    heading = "職員数を超える見込みの30分 / above the centre's staff"
    table = _table(heading, "いつ", "ふだんの受電", "折り返し", "合計")
    worst = sorted(centre["above"], key=lambda row: -row["calls"])[:10]
    for row in worst:
        counts = (f"{row[name]:.1f}" for name in ("usual", "call_backs", "calls"))
        table.add_row(f"{row['slot']:%Y-%m-%d %H:%M}", *counts)
    console.print(table)
    if len(centre["above"]) > len(worst):
        console.print(f"  ほか {len(centre['above']) - len(worst)} / more")


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        right = heading in ("人", "ふだんの受電", "折り返し", "合計")
        table.add_column(heading, justify="right" if right else "left")
    return table
