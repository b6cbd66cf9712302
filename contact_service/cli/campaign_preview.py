"""``contact-service campaign preview``: what a campaign would do, before anything is done."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from campaigns.definition import Definition
from campaigns.exclusions import EXCLUSIONS, Exclusion
from campaigns.faults import DefinitionErrors, describe
from campaigns.lifted import lifted_section
from campaigns.messages import office_values
from campaigns.parse import read, read_file
from campaigns.ready_made import NoSuchDefinition, locate
from campaigns.vocabulary import (
    CHANNEL_JA,
    CLAIM_KIND_JA,
    LANGUAGE_JA,
    PERIOD_JA,
    Channel,
    ClaimKind,
    Language,
    Period,
)
from contact_service.bootstrap import Service
from contact_service.cli.carriers import carriers
from contact_service.cli.common import actor, fail, print_json, service
from contact_service.dispatch.pacing import pacing
from contact_service.domain.actors import NotAllowed, Role
from contact_service.domain.dates import TOKYO
from contact_service.domain.states import EXCLUSION_JA, ExclusionReason
from contact_service.planning.preview import first_open_day, preview
from contact_service.planning.runs import CannotDo
from contact_service.planning.schedule import DoesNotFit
from contact_service.planning.targets import by_letter
from contact_service.planning.versions import find, text_of

app = typer.Typer()
_DAYS_JA = "月火水木金土日"
_BAR = 24

Figures = dict[str, Any]


@app.command("preview")
def preview_command(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="A YAML file, a ready-made definition's name, or NAME@VERSION."
        ),
    ],
    first_day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The run's first day.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show who, how many, when, at what cost, and what the centre will hear. Changes nothing."""
    with service() as found:
        try:
            definition, source = _definition(found, file)
            now = found.clock.now()
            day = first_day.date() if first_day else first_open_day(definition, now.date())
            office = office_values(found.settings.office_name, found.settings.office_phone)
            who = actor(Role.STAFF)
            figures = preview(
                found.engine,
                who,
                definition,
                source,
                day,
                now,
                office,
                carriers=carriers(found.settings),
                call_backs=pacing(found.settings.pacing_file).centre.calls_per_half_hour,
            )
        except NoSuchDefinition as error:
            raise fail(str(error), 2) from None
        except DefinitionErrors as error:
            raise fail(describe(file, error.faults)) from None
        except (CannotDo, NotAllowed, DoesNotFit) as error:
            raise fail(str(error)) from None
    if as_json:
        print_json(figures)
        return
    console = Console()
    for shown in (_head, _lifted, _left_out, _arms, _kinds, _steps, _messages, _days, _call_backs):
        shown(console, figures, definition)


def _definition(found: Service, name: str) -> tuple[Definition, str]:
    if "@" in name:
        with found.engine.connect() as connection:
            source = text_of(connection, find(connection, actor(Role.STAFF), name).id)
        return read(source, name).definition, source
    path = locate(name)
    return read_file(path).definition, path.read_text(encoding="utf-8-sig")


def _head(console: Console, figures: Figures, definition: Definition) -> None:
    assessed = figures["assessed"]
    targets = sum(arm["targets"] for arm in figures["arms"])
    contacts = sum(step["contacts"] for step in figures["steps"])
    unit = "電話番号ごと" + "、番号のない人は一人ずつ" * by_letter(definition)
    lines = [
        f"開始日 {_day(figures['first_day'])}　滞納者 {assessed['debtors']:,} 人・債権 "
        f"{assessed['claims']:,} 件",
        f"対象 {targets:,} 件（{unit}）",
        f"初回の発信 {contacts:,} 件、費用の見込み {figures['cost_yen']:,} 円"
        "（税抜、やり直しは含みません）",
        "まだ何も登録・送信していません / nothing has been stored or sent",
    ]
    console.print(Panel("\n".join(lines), title=f"{figures['title']}", title_align="left"))


def _lifted(console: Console, figures: Figures, definition: Definition) -> None:
    section = lifted_section(definition)
    if section is not None:
        lines = Text("\n".join(section.lines), style="bold red")
        console.print(Panel(lines, title=section.heading, title_align="left", border_style="red"))


def _left_out(console: Console, figures: Figures, definition: Definition) -> None:
    table = _table("対象外とその理由（人） / left out, and why", "理由", "人")
    for reason, people in figures["excluded"].items():
        table.add_row(EXCLUSION_JA[ExclusionReason(reason)], f"{people:,}")
        if reason == ExclusionReason.RESTRICTED:
            for kind, n in figures["restricted_by"].items():
                table.add_row(f"　{EXCLUSIONS[Exclusion(kind)].ja}", f"[dim]{n:,}[/]")
    console.print(table)


def _arms(console: Console, figures: Figures, definition: Definition) -> None:
    titles = {arm.name: arm.title or arm.name for arm in definition.arms}
    names = ("群", "対象", "うち携帯", "世帯群", "債権", "未納額（円）")
    table = _table("群 / arms", *names)
    for arm in figures["arms"]:
        keys = ("targets", "mobile", "clusters", "claims", "yen")
        table.add_row(titles[arm["arm"]], *(f"{arm[key]:,}" for key in keys))
    console.print(table)


def _kinds(console: Console, figures: Figures, definition: Definition) -> None:
    arms = [arm.name for arm in definition.arms]
    table = _table("科目（債権の件数） / claims by kind", "科目", "年度", *arms, "未納額（円）")
    found: defaultdict[tuple[str, str], Figures] = defaultdict(lambda: defaultdict(int))
    for row in figures["kinds"]:
        found[row["kind"], row["period"]][row["arm"]] += row["claims"]
        found[row["kind"], row["period"]]["yen"] += row["yen"]
    for (kind, period), row in found.items():
        counts = (f"{row[arm]:,}" for arm in arms)
        names = CLAIM_KIND_JA[ClaimKind(kind)], PERIOD_JA[Period(period)]
        table.add_row(*names, *counts, f"{row['yen']:,}")
    table.columns[1].justify = "left"
    console.print(table)


def _steps(console: Console, figures: Figures, definition: Definition) -> None:
    names = ("段階", "手段", "件数", "最初", "最後", "通数", "費用（円）")
    table = _table("段階（初回の発信） / steps, first tries", *names)
    for step in figures["steps"]:
        table.add_row(
            step["step"],
            CHANNEL_JA[Channel(step["channel"])],
            f"{step['contacts']:,}",
            _at(step["first"]),
            _at(step["last"]),
            f"{step['parts']:,}" if step["parts"] else "–",
            f"{step['cost_yen']:,.0f}",
        )
    table.columns[1].justify = "left"
    console.print(table)


def _messages(console: Console, figures: Figures, definition: Definition) -> None:
    for step in figures["steps"]:
        for sample in step["samples"]:
            parts = "".join(
                f"、{each['carrier']}{' ' * bool(each['carrier'])}{each['parts']} 通分 "
                f"{each['cost_yen']:,.1f} 円"
                for each in sample["carriers"]
            )
            language = LANGUAGE_JA[Language(sample["language"])]
            title = (
                f"{step['step']}：届く文面（{language}、{sample['contacts']:,} 件、"
                f"{sample['characters']} 文字{parts}）"
            )
            console.print(Panel(sample["text"], title=title, title_align="left", width=78))


def _days(console: Console, figures: Figures, definition: Definition) -> None:
    table = _table("日程 / calendar", "日", "段階", "手段", "件数", "時間帯")
    most = max((row["contacts"] for row in figures["calendar"]), default=1)
    for row in figures["calendar"]:
        hours = f"{_clock(row['first'])}–{_clock(row['last'])}"
        bar = "█" * max(1, round(_BAR * row["contacts"] / most))
        table.add_row(
            _day(row["day"]),
            row["step"],
            CHANNEL_JA[Channel(row["channel"])],
            f"{row['contacts']:,}",
            f"{hours} [cyan]{bar}[/]",
        )
    for column in (1, 2, 4):
        table.columns[column].justify = "left"
    console.print(table)


def _call_backs(console: Console, figures: Figures, definition: Definition) -> None:
    days: defaultdict[date, list[tuple[str, float]]] = defaultdict(list)
    for row in figures["call_backs"]:
        at = row["slot"].astimezone(TOKYO)
        days[at.date()].append((f"{at:%H:%M}", row["calls"]))
    table = _table("見込まれる受電 / expected inbound calls", "日", "合計", "最も多い30分")
    for day, slots in days.items():
        total = sum(calls for _, calls in slots)
        if total < 0.5:
            continue
        clock, most = max(slots, key=lambda slot: slot[1])
        table.add_row(_day(day), f"{total:,.0f}", f"{clock} から {most:,.1f} 件")
    table.columns[2].justify = "left"
    console.print(table)


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left")
    return table


def _day(day: date) -> str:
    return f"{day:%Y-%m-%d}（{_DAYS_JA[day.weekday()]}）"


def _at(at: datetime | None) -> str:
    return f"{at.astimezone(TOKYO):%m-%d %H:%M}" if at else "–"


def _clock(at: datetime) -> str:
    return f"{at.astimezone(TOKYO):%H:%M}"
