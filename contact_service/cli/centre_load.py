"""``contact-service centre load``: the load broken down, in figures and as a page."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from campaigns.vocabulary import CLAIM_KIND_JA, ClaimKind
from contact_service.cli import common
from contact_service.cli.centre_options import (
    FirstDay,
    Json,
    Lang,
    LastDay,
    Output,
    form_of,
    save_page,
)
from contact_service.cli.report import Language
from contact_service.domain.actors import Role
from contact_service.evaluation.report import NoCalls
from contact_service.evaluation.staffing.broken_down import By, load_broken_down
from contact_service.evaluation.staffing.load_page import load_document
from contact_service.evaluation.wording import number, percent
from contact_service.planning.definitions import ANOTHER_OFFICE


def command(
    start: FirstDay = None,
    end: LastDay = None,
    by: Annotated[By, typer.Option(help="画面に出す区分 / what to break the table down by")] = (
        By.HALF_HOUR
    ),
    output: Output = None,
    lang: Lang = Language.JA,
    as_json: Json = False,
) -> None:
    """受電・架電・自動の発信とその折返しを、区分ごとに / inbound, outbound, and the calls that
    messages and auto-calls were followed by, by half-hour, day, campaign, kind of claim."""
    if start and end and start > end:
        raise common.fail("--from ≦ --to の順に / give days with from ≤ to", 2)
    form = form_of(output)
    with common.service() as service:
        try:
            figures = load_broken_down(
                service,
                common.actor(Role.EVALUATOR),
                start.date() if start else None,
                end.date() if end else None,
            )
        except NoCalls as error:
            raise common.fail(str(error)) from None
        at = service.clock.now()
    if output and form:
        document = load_document(figures, lang.value)
        save_page(document, "centre.load", figures, at, form, output)
    if as_json:
        common.print_json(figures)
    else:
        _print(figures, by)
        if output:
            typer.echo(output)


def _named(by: By, key: str | None) -> str:
    """A row's name, as the pages call it."""
    if key is None:
        return {By.CAMPAIGN: "計画なし", By.KIND: "不明"}.get(by, "–")
    if by is By.WEEKDAY and key.isdigit():
        return "月火水木金土日"[int(key) - 1]
    return CLAIM_KIND_JA[ClaimKind(key)] if by is By.KIND and key in list(ClaimKind) else key


def _called(by: By, row: dict[str, Any]) -> str:
    if not row.get("own", True):
        return ANOTHER_OFFICE["ja"]
    return row.get("campaign") or _named(by, row["key"])


_HEADINGS = {
    By.HALF_HOUR: "時間帯\ntime",
    By.WEEKDAY: "曜日\nday",
    By.DAY: "日\nday",
    By.WEEK: "週\nweek",
    By.CAMPAIGN: "催告計画\ncampaign",
    By.KIND: "債権\nkind",
}


def _print(figures: dict[str, Any], by: By) -> None:
    console = Console()
    table = Table(
        title=f"{figures['from']} – {figures['to']}", title_justify="left", padding=(0, 0)
    )
    # two short lines each: eleven columns fit a terminal of 80
    for heading in (
        _HEADINGS[by], "着信\noffer", "応答\nansw.", "放棄\naband", "待ち秒\nwait",
        "処理秒\nAHT", "呼量\nerl.", "発信\ndialled", "本人\nreached", "人時\nhours",
        "稼働\nocc.",
    ):  # fmt: skip
        table.add_column(heading, justify="right", no_wrap=heading != _HEADINGS[by])
    for row in [*figures[f"by_{by}"], {**figures["total"], "key": "計 total"}]:
        into, out = row["inbound"], row["outbound"]
        table.add_row(
            _called(by, row) + "*" * row["carried_over_only"],
            number(into["offered"]), number(into["answered"]), number(into["abandoned"]),
            number(into["average_wait_seconds"]), number(into["average_handle_seconds"]),
            number(into["offered_erlangs"], 2), number(out["dialled"]),
            number(out["right_party_reached"]), number(out["agent_hours"], 1),
            percent(row["occupancy"], 0),
        )  # fmt: skip
    console.print(table)
    if any(row["carried_over_only"] for row in figures[f"by_{by}"]):
        console.print(
            "* 前に始まった通話が続いただけで、新しい通話はありません / "
            "no call began; earlier ones ran on"
        )
    for channel, spans in figures["total"].get("sent", {}).items():
        said = ", ".join(
            f"{span['within_hours']}h: {span['calls']}/{span['contacts']}"
            f" ({number(span['per_100_contacts'], 1)}%)"
            for span in spans
        )
        console.print(f"折返し / call-backs {channel}: {said}")
