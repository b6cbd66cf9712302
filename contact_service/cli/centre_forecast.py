"""``contact-service centre forecast``: calls to expect, and how well earlier ones were met."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from contact_service.cli import common
from contact_service.cli.centre_options import Lang, Output, form_of, save_page
from contact_service.cli.report import Language
from contact_service.domain.actors import Role, require
from contact_service.evaluation.staffing.forecast import (
    CONFIDENCE,
    Forecast,
    NothingToForecast,
    forecast,
)
from contact_service.evaluation.staffing.small_pages import forecast_document
from contact_service.evaluation.wording import number, percent


def command(
    start: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="最初の日（既定: 今日） / first day"),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=92, help="何日分 / how many days")] = 5,
    weeks: Annotated[
        int, typer.Option(min=1, max=52, help="平均を取る過去の週数 / weeks of history")
    ] = 6,
    output: Output = None,
    lang: Lang = Language.JA,
    as_json: Annotated[bool, typer.Option("--json", help="数値をJSONで / as JSON")] = False,
) -> None:
    """受電の見込みを半時間ごとに出し、済んだ日は実績と比べる / Calls to expect by half-hour;
    days that are over are held against what came."""
    form = form_of(output)
    with common.service() as service:
        require(common.actor(Role.SUPERVISOR), Role.SUPERVISOR, Role.EVALUATOR, Role.STAFF)
        now = service.clock.now()
        with service.engine.connect() as connection:
            try:
                found = forecast(
                    connection, start.date() if start else now.date(), days, weeks, now
                )
            except NothingToForecast as error:
                raise common.fail(str(error)) from None
    if output and form:
        document = forecast_document(found, lang.value)
        save_page(document, "centre.forecast", _figures(found), now, form, output)
    if as_json:
        common.print_json(_figures(found))
    else:
        _print(found)


def _figures(found: Forecast) -> dict[str, object]:
    return {
        "weeks": found.weeks,
        "confidence": CONFIDENCE,
        "weighted_absolute_error": found.error,
        "covered": found.covered,
        "half_hours": [
            {
                "at": one.at.isoformat(),
                "expected": one.expected,
                "anyway": one.anyway,
                "caused_by_campaigns": one.caused,
                "low": one.low,
                "high": one.high,
                "actual": one.actual,
            }
            for one in found.half_hours
        ],
    }


def _print(found: Forecast) -> None:
    table = Table(
        title=f"受電の見込み（{found.weeks} 週の同じ時間帯と催告の折返し） / calls to expect",
        title_justify="left",
    )
    for heading in (
        "日時 / when",
        "見込み / expected",
        "うち折返し / caused",
        "95%",
        "実績 / came",
    ):
        table.add_column(heading, justify="right")
    for one in found.half_hours:
        table.add_row(
            f"{one.at:%m-%d %H:%M}",
            number(one.expected, 1),
            number(one.caused, 1),
            f"{one.low:.0f}–{one.high:.0f}",
            "" if one.actual is None else str(one.actual),
        )
    console = Console()
    console.print(table)
    if found.error is not None:
        console.print(
            f"実績との差 / weighted absolute error: {percent(found.error, 0)}; "
            f"95%の範囲に入った半時間 / half-hours within: {percent(found.covered, 0)}"
        )
