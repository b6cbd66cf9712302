"""``contact-service centre``: the centre's load, its staffing, and the shift to inbound."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import asdict
from datetime import datetime
from math import isfinite
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from contact_service.cli import centre_forecast, common
from contact_service.cli.report import load
from contact_service.domain.actors import Role
from contact_service.evaluation.erlang import offered_load
from contact_service.evaluation.report import NoCalls
from contact_service.evaluation.staffing import performance as staff
from contact_service.evaluation.staffing.shift import NothingToStaff, shift_figures
from contact_service.evaluation.wording import number, percent, signed

app = typer.Typer(no_args_is_help=True)
app.command("load")(load)
app.command("forecast")(centre_forecast.command)

_UNITS = {"": 1, "s": 1, "秒": 1, "m": 60, "min": 60, "分": 60, "h": 3600, "時間": 3600}
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(s|秒|m|min|分|h|時間|)")
_SHARE = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*(%?)")
_DAY = 86400.0
#: Above this nobody staffs a centre, and the sums would take long.
_MOST = 100_000


def _plain(value: object) -> str:
    """As typed, with full-width characters and minus signs made plain."""
    return unicodedata.normalize("NFKC", str(value)).replace("\u2212", "-").strip()


def _seconds(value: str) -> float:
    """A length of time up to a day: ``20s``, ``30m``, ``1.5h``, ``2分``; a bare number is
    seconds."""
    match = _LENGTH.fullmatch(_plain(value))
    seconds = float(match[1]) * _UNITS[match[2]] if match else _DAY + 1
    if seconds > _DAY:
        raise typer.BadParameter(
            f"{value}: 20s、30m、1h のように、1日以内で / "
            "write a length of time up to a day, such as 20s, 30m, 1h"
        )
    return seconds


def _duration(value: str) -> float:
    seconds = _seconds(value)
    if seconds == 0:
        raise typer.BadParameter(f"{value}: 0より長く / longer than 0")
    return seconds


def _percentage(value: str) -> float:
    """A share or a relative change: ``0.3``, ``30%``, ``+5%``."""
    match = _SHARE.fullmatch(_plain(value))
    if not match:
        raise typer.BadParameter(f"{value}: 0.3 か 30% の形で / write 0.3 or 30%")
    return float(match[1]) / (100 if match[2] else 1)


def _level(value: str) -> float:
    level = _percentage(value)
    if not 0 < level < 1:
        raise typer.BadParameter(
            f"{value}: 0より大きく1未満（全員への応答は約束できない） / "
            "above 0 and below 1: no number of operators answers everybody in time"
        )
    return level


def _shrinkage(value: str) -> float:
    share = _percentage(value)
    if not 0 <= share < 1:
        raise typer.BadParameter(f"{value}: 0以上1未満 / from 0 to below 1")
    return share


def _change(value: str) -> float:
    change = _percentage(value)
    if not -1 <= change <= 10:
        raise typer.BadParameter(f"{value}: -100% から +1000% まで / from -100% to +1000%")
    return change


Json = Annotated[bool, typer.Option("--json", help="数値をJSONで / figures as JSON")]
Level = Annotated[
    float, typer.Option(parser=_level, metavar="SHARE", help="目標応答率 / share answered in time")
]
Within = Annotated[
    float,
    typer.Option(parser=_seconds, metavar="TIME", help="その時間内に / answered within, e.g. 20s"),
]
Patience = Annotated[
    float | None,
    typer.Option(
        parser=_duration,
        metavar="TIME",
        help="平均してこの時間待つと切る（Erlang A）。なければ切らない（Erlang C） / mean time "
        "after which a caller hangs up (Erlang A); else nobody does (Erlang C)",
    ),
]
Shrinkage = Annotated[
    float,
    typer.Option(
        parser=_shrinkage,
        metavar="SHARE",
        help="休憩・研修・欠勤などの割合 / share of paid time off the telephone",
    ),
]


@app.command("staffing")
def staffing(
    calls: float = typer.Option(..., min=0, help="その間の受電数 / inbound calls per interval"),
    aht: float = typer.Option(
        ..., parser=_duration, metavar="TIME", help="平均処理時間（通話＋後処理） / handle time"
    ),
    interval: float = typer.Option(
        1800.0, parser=_duration, metavar="TIME", help="区間の長さ、例 30m / length, e.g. 30m"
    ),
    level: Level = 0.8,
    within: Within = 20.0,
    patience: Patience = None,
    shrinkage: Shrinkage = 0.0,
    agents: int | None = typer.Option(
        None, min=1, max=_MOST, help="この人数を評価する / evaluate this number instead"
    ),
    as_json: Json = False,
) -> None:
    """受電に必要な担当者数を求める / how many operators an inbound load needs."""
    erlangs = offered_load(calls, aht, interval)
    if not isfinite(erlangs) or erlangs > _MOST / 2:
        raise common.fail(
            f"--calls: 負荷が大きすぎます（{_MOST // 2:,}アーランまで） / "
            f"the load is too large (up to {_MOST // 2:,} erlangs)",
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


@app.command("shift")
def shift(
    start: datetime | None = typer.Option(
        None, "--from", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="最初の日 / first day"
    ),
    end: datetime | None = typer.Option(
        None, "--to", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="最後の日 / last day"
    ),
    inbound_change: float = typer.Option(
        0.0,
        parser=_change,
        metavar="CHANGE",
        help="受電の変化の仮定、例 +5% / assumed change of inbound calls, e.g. +5%",
    ),
    level: Level = 0.8,
    within: Within = 20.0,
    patience: Patience = None,
    shrinkage: Shrinkage = 0.0,
    as_json: Json = False,
) -> None:
    """架電を減らすと担当者は何人になるか / operators when outbound is cut step by step."""
    if start and end and start > end:
        raise common.fail("--from ≦ --to の順に / give days with from ≤ to", 2)
    standard = staff.Standard(level, within, patience, shrinkage)
    with common.service() as found:
        try:
            figures = shift_figures(
                found,
                common.actor(Role.EVALUATOR),
                start.date() if start else None,
                end.date() if end else None,
                standard,
                inbound_change,
            )
        except (NoCalls, NothingToStaff) as error:
            raise common.fail(str(error)) from None
    if as_json:
        common.print_json(figures)
    else:
        _print_shift(figures)


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


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


def _print_shift(figures: dict[str, Any]) -> None:
    scenarios, given = figures["scenarios"], figures["assumptions"]
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
                   "架電 Out", "架電人時 Hours", "受電 In", "受電負荷 Erl-h",
                   "最大人数 Peak", "勤務表 Rostered", "配置人時 Staffed",
                   "架電集約 Pooled")  # fmt: skip
    for row in scenarios:
        table.add_row(
            percent(row["outbound_cut"], 0),
            number(row["outbound_calls_per_day"], 1),
            number(row["outbound_agent_hours_per_day"], 2),
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
    for line in _assumptions(given):
        console.print(f"・{line}")


def _assumptions(given: dict[str, Any]) -> list[str]:
    change = f"{signed(given['inbound_change'] * 100)}%"
    return [
        f"仮定: 受電の変化 {change}（どの削減でも同じ、実測ではない） / assumption, not a finding: "
        f"inbound calls change by {change} at every cut",
        f"受電は {percent(given['level'], 0)} を {given['within_seconds']:g} 秒以内に応答。 / "
        f"{percent(given['level'], 0)} answered within {given['within_seconds']:g} s. "
        + _model(given["patience_seconds"]),
        "架電は記録された通話と後処理だけで、呼出中の時間を含まない。受電の担当者は架電しない。 / "
        "outbound is talk and wrap-up as recorded, without ringing; who answers does not dial",
        "配置: 半時間ごとに切り上げ。架電集約: 架電を一日のなかでまとめた場合。 / "
        "staffed: rounded up in every half-hour; pooled: dialling gathered into whole hours",
    ]
