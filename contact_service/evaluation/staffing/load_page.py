"""The centre's load as a page: cards, pictures, tables by every break-down."""

from __future__ import annotations

from functools import partial
from typing import Any

from contact_service.evaluation.document.model import (
    Block,
    Card,
    Cards,
    Cell,
    Column,
    Document,
    Kind,
    Label,
    Picture,
    Section,
    Table,
    Words,
)
from contact_service.evaluation.staffing import charts
from contact_service.evaluation.staffing.broken_down import SPANS, By, Sent, channels
from contact_service.evaluation.wording import Lang, day, name, number, percent, text
from contact_service.planning.definitions import ANOTHER_OFFICE

Figures = dict[str, Any]


def load_document(figures: Figures, lang: Lang) -> Document:
    """The page of :func:`~contact_service.evaluation.staffing.broken_down.broken_down`."""
    sections = [_whole(figures, lang)]
    for by in By:
        rows = figures[f"by_{by}"]
        if any(row["key"] for row in rows):
            sections.append(_section(by, rows, lang))
    sections.append(
        Section(
            "how",
            text("centre_how", lang),
            [
                Words(
                    [
                        text(note, lang)
                        for note in (
                            "centre_erlangs_note",
                            "centre_reached_note",
                            "centre_occupancy_note",
                            "centre_carried_over_note",
                        )
                    ],
                    "list",
                )
            ],
            figures["counted_by"],
        )
    )
    return Document(
        title=text("centre_page_title", lang),
        kicker=text("centre_kicker", lang),
        lead=text("centre_page_lead", lang),
        meta=text("centre_meta", lang, start=day(figures["from"], lang),
                  end=day(figures["to"], lang), days=figures["total"]["days"]),
        sections=sections,
        lang=lang,
        banners=[text("training", lang)] if figures["training"] else [],
        sources=figures["sources"],
    )  # fmt: skip


def _whole(figures: Figures, lang: Lang) -> Section:
    total, half_hours = figures["total"], figures["by_half_hour"]
    blocks: list[Block] = [
        Cards(_cards(total, lang)),
        Picture(
            text("centre_half_hours_title", lang),
            partial(charts.by_half_hour, half_hours, lang),
            text("centre_half_hours_alt", lang),
        ),
    ]
    if any(row["occupancy"] is not None for row in half_hours):
        blocks.append(
            Picture(
                text("centre_occupancy", lang),
                partial(charts.occupancy, half_hours, lang),
                text("centre_occupancy_alt", lang),
            )
        )
    if figures["call_back_curve"]:
        blocks += [
            Picture(
                text("centre_curve_title", lang),
                partial(charts.call_back_curve, figures["call_back_curve"], lang),
                text("centre_curve_alt", lang),
                text("centre_curve_lead", lang, hours=SPANS[-1]),
            ),
            _call_backs("", [total], [""], lang),
        ]
    blocks.append(
        Picture(
            text("centre_days_title", lang),
            partial(charts.by_day, figures["by_day"], lang),
            text("centre_days_alt", lang),
        )
    )
    return Section("whole", text("centre_in_all", lang), blocks)


def _cards(total: Figures, lang: Lang) -> list[Card]:
    into, out = total["inbound"], total["outbound"]
    cards = [
        Card(
            Label(text("centre_inbound", lang), charts.BLUE),
            number(into["offered"]),
            [
                text("centre_card_inbound", lang, answered=number(into["answered"]),
                     abandoned=number(into["abandoned"])),
                text("centre_card_wait", lang, wait=number(into["average_wait_seconds"]),
                     waits=number(into["waits_known"]),
                     aht=number(into["average_handle_seconds"])),
                text("centre_card_load", lang, erlangs=number(into["offered_erlangs"], 2),
                     occupancy=percent(total["occupancy"], 0)),
            ],
        ),
        Card(
            Label(text("centre_outbound", lang), charts.ORANGE),
            number(out["dialled"]),
            [
                text("centre_card_reached", lang, reached=number(out["right_party_reached"]),
                     share=percent(out["right_party_reached"] / out["dialled"])
                     if out["dialled"] else percent(None)),
                text("centre_card_hours", lang, talk=number(out["talk_seconds"] / 3600, 1),
                     after=number(out["after_call_seconds"] / 3600, 1),
                     hours=number(out["agent_hours"], 1)),
            ],
        ),
    ]  # fmt: skip
    for channel in channels([total]):
        if channel is not Sent.OPERATOR:
            spans = total["sent"][channel]
            cards.append(
                Card(
                    Label(name("channel", channel, lang), charts.CHANNEL_COLOURS[channel]),
                    number(max(span["contacts"] for span in spans)),
                    [
                        text("centre_card_sent", lang, hours=span["within_hours"],
                             calls=number(span["calls"]),
                             rate=number(span["per_100_contacts"], 1))
                        for span in spans
                    ],
                )
            )  # fmt: skip
    return cards


def _section(by: By, rows: list[Figures], lang: Lang) -> Section:
    title = text(f"centre_by_{by}", lang)
    labels = [_label(by, row, lang) for row in rows]
    lead = {By.CAMPAIGN: text("centre_campaign_lead", lang),
            By.KIND: text("centre_kind_lead", lang)}.get(by, "")  # fmt: skip
    blocks: list[Block] = [
        _calls(text("centre_inbound_title", lang, title=title), rows, labels, lead, lang, by)
    ]
    if channels(rows):
        sent_title = text("centre_sent_by_title", lang, title=title)
        blocks.append(
            _call_backs(sent_title, rows, labels, lang, folded=by not in (By.CAMPAIGN, By.KIND))
        )
    return Section(by.replace("_", "-"), title, blocks)


def _label(by: By, row: Figures, lang: Lang) -> str:
    key = row["key"]
    match by:
        case By.WEEKDAY:
            return text("weekdays", lang).split(",")[int(key) - 1]
        case By.DAY | By.WEEK:
            return day(key, lang)
        case By.CAMPAIGN:
            if not row.get("own", True):
                return ANOTHER_OFFICE[lang]
            return row["campaign"] or text("centre_no_campaign", lang)
        case By.KIND:
            return name("kind", key, lang) if key else text("centre_unknown_kind", lang)
        case _ if row["carried_over_only"]:
            return text("centre_carried_over", lang, slot=key)
        case _:
            return str(key)


def _calls(
    title: str, rows: list[Figures], labels: list[str], lead: str, lang: Lang, by: By
) -> Table:
    def t(key: str) -> str:
        return text(key, lang)

    columns = (
        Column(t("centre_group")),
        Column(t("centre_offered"), Kind.COUNT),
        Column(t("centre_answered"), Kind.COUNT),
        Column(t("centre_abandoned"), Kind.COUNT),
        Column(t("centre_wait"), Kind.DECIMAL),
        Column(t("centre_waits"), Kind.COUNT),
        Column(t("centre_aht"), Kind.DECIMAL),
        Column(t("centre_erlangs"), Kind.DECIMAL, 2),
        Column(t("centre_dialled"), Kind.COUNT),
        Column(t("centre_right_party_reached"), Kind.COUNT),
        Column(t("centre_talk"), Kind.DECIMAL, 1),
        Column(t("centre_after_call"), Kind.DECIMAL, 1),
        Column(t("centre_agent_hours"), Kind.DECIMAL, 1),
        Column(t("centre_occupancy"), Kind.SHARE),
    )
    cells: list[list[Cell]] = []
    for label, row in zip(labels, rows, strict=True):
        into, out = row["inbound"], row["outbound"]
        cells.append(
            [
                Label(label),
                into["offered"],
                into["answered"],
                into["abandoned"],
                into["average_wait_seconds"],
                into["waits_known"],
                into["average_handle_seconds"],
                into["offered_erlangs"],
                out["dialled"],
                out["right_party_reached"],
                out["talk_seconds"] / 3600,
                out["after_call_seconds"] / 3600,
                out["agent_hours"],
                row["occupancy"],
            ]
        )
    return Table(title, columns, cells, lead, folded=by not in (By.CAMPAIGN, By.KIND))


def _call_backs(
    title: str, rows: list[Figures], labels: list[str], lang: Lang, *, folded: bool = False
) -> Table:
    """Contacts by channel with the calls that followed, as a count and per 100."""
    spans = [text("centre_sent_within", lang, hours=hours) for hours in SPANS]
    columns = [
        *([Column(text("centre_group", lang))] if any(labels) else []),
        Column(text("centre_channel", lang)),
        Column(text("centre_contacts", lang), Kind.COUNT),
    ]
    for span in spans:
        columns += [
            Column(span, Kind.COUNT),
            Column(text("centre_per_100", lang), Kind.DECIMAL, 1),
        ]
    cells: list[list[Cell]] = []
    for label, row in zip(labels, rows, strict=True):
        for channel in channels([row]):
            found = {span["within_hours"]: span for span in row["sent"][channel]}
            line: list[Cell] = [Label(label)] if any(labels) else []
            line += [
                name("channel", channel, lang),
                max(span["contacts"] for span in found.values()),
            ]
            for hours in SPANS:
                one = found.get(hours)
                line += [one["calls"], one["per_100_contacts"]] if one else [None, None]
            cells.append(line)
    return Table(title, columns, cells, folded=folded)
