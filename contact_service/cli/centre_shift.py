"""``contact-service centre shift``: what changes when outbound is cut."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from contact_service.bootstrap import Service
from contact_service.cli import common
from contact_service.cli.centre_options import (
    FirstDay,
    Json,
    Lang,
    LastDay,
    Level,
    Output,
    Patience,
    Shrinkage,
    Within,
    change,
    form_of,
    save_page,
)
from contact_service.cli.report import Language, named_run
from contact_service.domain.actors import Actor, Role
from contact_service.evaluation.facts import NoSuchRun
from contact_service.evaluation.report import NoCalls
from contact_service.evaluation.staffing.performance import Standard
from contact_service.evaluation.staffing.replacement import NoSuchArm
from contact_service.evaluation.staffing.shift import NothingToStaff, Plan, shift_figures
from contact_service.evaluation.staffing.shift_page import basis, in_short, shift_document
from contact_service.evaluation.staffing.trials import latest_trial
from contact_service.evaluation.wording import number, percent, signed


def command(
    start: FirstDay = None,
    end: LastDay = None,
    trial: Annotated[
        str,
        typer.Option(
            help="架電に替わる手段とその効果を取る試行: 実施番号、latest、none / the trial whose "
            "methods take the place: a run, latest, none"
        ),
    ] = "latest",
    arm: Annotated[
        str | None,
        typer.Option(help="その群（既定: 自動連絡が最も多い群） / its arm; default: most contacts"),
    ] = None,
    contacts_per_call: Annotated[
        float,
        typer.Option(
            min=0, max=100, help="減らした架電1件あたりの自動連絡 / contacts per call not dialled"
        ),
    ] = 1.0,
    inbound_change: Annotated[
        float,
        typer.Option(
            parser=change,
            metavar="CHANGE",
            help="ほかの受電の変化の仮定、例 +5% / other change of inbound calls, assumed",
        ),
    ] = 0.0,
    level: Level = 0.8,
    within: Within = 20.0,
    patience: Patience = None,
    shrinkage: Shrinkage = 0.0,
    output: Output = None,
    lang: Lang = Language.JA,
    as_json: Json = False,
) -> None:
    """架電を減らしSMS・オートコールに替えると担当者は何人か / operators when outbound is cut and
    messages and auto-calls take its place."""
    if start and end and start > end:
        raise common.fail("--from ≦ --to の順に / give days with from ≤ to", 2)
    form = form_of(output)
    standard = Standard(level, within, patience, shrinkage)
    with common.service() as service:
        who = common.actor(Role.EVALUATOR)
        try:
            figures = shift_figures(
                service,
                who,
                start.date() if start else None,
                end.date() if end else None,
                standard,
                Plan(_trial(service, who, trial), arm, contacts_per_call, inbound_change),
            )
        except (NoCalls, NothingToStaff, NoSuchRun, NoSuchArm) as error:
            raise common.fail(str(error)) from None
        at = service.clock.now()
    if output and form:
        document = shift_document(figures, lang.value)
        save_page(document, "centre.shift", figures, at, form, output)
    if as_json:
        common.print_json(figures)
    else:
        _print(figures)
        if output:
            typer.echo(output)


def _trial(service: Service, who: Actor, trial: str) -> UUID | None:
    """The run meant; ``latest`` of none at all is none."""
    if trial == "none":
        return None
    return latest_trial(service, who) if trial == "latest" else named_run(service, who, trial)


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _print(figures: dict[str, Any]) -> None:
    scenarios = figures["scenarios"]
    console = Console()
    console.print(
        f"{figures['from']} – {figures['to']}: 平日 {figures['working_days']} 日の平均"
        f"（記録のない平日 {figures['working_days_without_records']} 日を除く） / "
        "mean of the working days with records"
    )
    table = _table("現在 / present", "時間帯 Time", "受電 In", "処理秒 AHT", "アーラン Erl",
                   "架電 Out", "架電人時 Hours")  # fmt: skip
    for row in figures["present"]["by_half_hour"]:
        table.add_row(
            row["slot"],
            number(row["inbound_calls"], 1),
            number(row["inbound_aht_seconds"]),
            number(row["inbound_erlangs"], 2),
            number(row["outbound_calls"], 1),
            number(row["outbound_agent_hours"], 2),
        )
    console.print(table)
    table = _table("架電を減らすと（1日あたり） / outbound cut, per day", "削減 Cut",
                   "架電 Out", "架電人時 Hours", "増える受電 Caused", "受電 In", "受電負荷 Erl-h",
                   "最大人数 Peak", "勤務表 Rostered", "配置人時 Staffed",
                   "架電集約 Pooled")  # fmt: skip
    for row in scenarios:
        table.add_row(
            percent(row["outbound_cut"], 0),
            number(row["outbound_calls_per_day"], 1),
            number(row["outbound_agent_hours_per_day"], 2),
            _caused(row),
            number(row["inbound_calls_per_day"], 1),
            number(row["inbound_erlang_hours_per_day"], 2),
            number(row["peak_operators"]),
            number(row["peak_rostered"]),
            number(row["operator_hours_per_day"], 1),
            number(row["pooled_operator_hours_per_day"], 1),
        )
    console.print(table)
    table = _table("担当者 受電＋架電 / operators, in + out", "時間帯 Time",
                   *(percent(row["outbound_cut"], 0) for row in scenarios))  # fmt: skip
    for slots in zip(*(row["by_half_hour"] for row in scenarios), strict=True):
        table.add_row(
            slots[0]["slot"],
            *(f"{slot['inbound_operators']}+{slot['outbound_operators']}" for slot in slots),
        )
    console.print(table)
    for line in [*in_short(figures, "ja"), *basis(figures, "ja")]:
        console.print(f"・{line}")
    for line in [*in_short(figures, "en"), *basis(figures, "en")]:
        console.print(f"- {line}")


def _caused(row: dict[str, Any]) -> str:
    """Calls that come besides, with the trial's interval."""
    if row["low"] is None:
        return number(None)
    low, high = (row[end]["caused_calls_per_day"] for end in ("low", "high"))
    return f"{signed(row['caused_calls_per_day'])} ({signed(low)}…{signed(high)})"
