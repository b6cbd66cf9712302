"""The shift to inbound as a page for a meeting: the answer first, what it rests on last."""

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
    Interval,
    Kind,
    Label,
    Picture,
    Section,
    Table,
    Words,
)
from contact_service.evaluation.staffing import charts
from contact_service.evaluation.staffing.small_pages import model_name
from contact_service.evaluation.wording import Lang, day, name, number, percent, signed, text

Figures = dict[str, Any]


def shift_document(figures: Figures, lang: Lang) -> Document:
    """The page of :func:`~contact_service.evaluation.staffing.shift.shift`."""
    instead = figures["replacement"]
    return Document(
        title=text("shift_title", lang),
        kicker=text("shift_kicker", lang),
        lead=text("shift_question", lang),
        meta=text("shift_meta", lang, start=day(figures["from"], lang),
                  end=day(figures["to"], lang), days=figures["working_days"]),
        sections=[
            _summary(figures, lang),
            _load(figures, lang),
            _half_hours(figures, lang),
            Section("basis", text("shift_basis", lang), [Words(basis(figures, lang), "list")],
                    list(figures["sources"])),
        ],
        lang=lang,
        banners=[text("training", lang)] if instead and instead["training"] else [],
        sources=figures["sources"],
    )  # fmt: skip


def in_short(figures: Figures, lang: Lang) -> list[str]:
    """The answer in sentences."""
    given, present = figures["assumptions"], figures["present"]
    first = figures["scenarios"][0]
    said = [
        text("shift_now", lang, inbound=number(present["inbound_calls_per_day"], 1),
             outbound=number(present["outbound_calls_per_day"], 1),
             hours=number(present["outbound_agent_hours_per_day"], 1),
             level=percent(given["level"], 0), within=number(given["within_seconds"]),
             staffed=number(first["operator_hours_per_day"], 1), peak=first["peak_operators"],
             pooled=number(first["pooled_operator_hours_per_day"], 1))
    ]  # fmt: skip
    for row in figures["scenarios"]:
        if row["outbound_cut"]:
            said.append(_then(row, first, lang))
    last = figures["scenarios"][-1]
    if figures["replacement"] is None:
        said.append(text("shift_no_trial", lang))
    elif last["low"]["caused_calls_per_day"] < 0 < last["high"]["caused_calls_per_day"]:
        said.append(text("shift_unsure", lang))
    return said


def _then(row: Figures, first: Figures, lang: Lang) -> str:
    values = {
        "cut": percent(row["outbound_cut"], 0),
        "staffed": _span(row, "operator_hours_per_day", lang, 1),
        "change": _change(row["operator_hours_per_day"] - first["operator_hours_per_day"], lang),
        "pooled": _span(row, "pooled_operator_hours_per_day", lang, 1),
        "peak": _span(row, "peak_operators", lang),
    }
    low, high = row["low"], row["high"]
    if low is None:
        return text("shift_then", lang, **values)
    return text(
        "shift_then_range", lang, **values,
        contacts=number(sum(row["contacts_per_day"].values()), 1),
        calls=signed(row["caused_calls_per_day"]),
        low=signed(low["caused_calls_per_day"]), high=signed(high["caused_calls_per_day"]),
    )  # fmt: skip


def _change(hours: float, lang: Lang) -> str:
    """Staffed hours more or less, as they are shown."""
    if not round(hours, 1):
        return text("shift_same", lang)
    return text("shift_more", lang, hours=signed(hours))


def _span(row: Figures, column: str, lang: Lang, digits: int = 0) -> str:
    """A figure with the ends of the trial's interval, where they differ as they are shown."""
    value, *ends = (number(one[column], digits) for one in (row, row["low"], row["high"]) if one)
    if not ends or ends[0] == ends[1]:
        return value
    return text("shift_span", lang, value=value, low=ends[0], high=ends[1])


def _summary(figures: Figures, lang: Lang) -> Section:
    cards = []
    for row in figures["scenarios"]:
        small = [
            text("shift_card_hours", lang, hours=_span(row, "operator_hours_per_day", lang, 1)),
            text("shift_card_calls", lang, inbound=number(row["inbound_calls_per_day"], 1),
                 outbound=number(row["outbound_calls_per_day"], 1)),
        ]  # fmt: skip
        peak = text("shift_card_peak", lang, n=_span(row, "peak_operators", lang))
        cards.append(Card(Label(charts.cut_name(row, lang), charts.BLUE), peak, small))
    blocks: list[Block] = [
        Words(in_short(figures, lang), "list"),
        Words([text("shift_card_lead", lang)], "lead"),
        Cards(cards),
        Picture(
            text("shift_hours_title", lang),
            partial(charts.hours_by_cut, figures["scenarios"], lang),
            text("shift_hours_alt", lang),
        ),
    ]
    return Section("summary", text("shift_summary", lang), blocks)


def _load(figures: Figures, lang: Lang) -> Section:
    def t(key: str) -> str:
        return text(key, lang)

    columns = (
        Column(t("shift_cut")),
        Column(text("centre_outbound", lang), Kind.DECIMAL, 1),
        Column(t("shift_out_hours"), Kind.DECIMAL, 1),
        Column(t("shift_sms_day"), Kind.DECIMAL, 1),
        Column(t("shift_auto_calls_day"), Kind.DECIMAL, 1),
        Column(t("shift_caused"), Kind.SIGNED, 1),
        Column(t("shift_interval"), Kind.SIGNED, 1),
        Column(text("centre_inbound", lang), Kind.DECIMAL, 1),
        Column(t("shift_inbound_load"), Kind.DECIMAL, 2),
        Column(t("shift_peak"), Kind.COUNT),
        Column(t("shift_rostered"), Kind.COUNT),
        Column(t("shift_staffed"), Kind.DECIMAL, 1),
        Column(t("shift_interval"), Kind.DECIMAL, 1),
        Column(t("shift_pooled"), Kind.DECIMAL, 1),
    )
    rows: list[list[Cell]] = [
        [
            Label(percent(row["outbound_cut"], 0)),
            row["outbound_calls_per_day"],
            row["outbound_agent_hours_per_day"],
            row["contacts_per_day"].get("sms"),
            row["contacts_per_day"].get("auto_call"),
            row["caused_calls_per_day"],
            _ends(row, "caused_calls_per_day"),
            row["inbound_calls_per_day"],
            row["inbound_erlang_hours_per_day"],
            row["peak_operators"],
            row["peak_rostered"],
            row["operator_hours_per_day"],
            _ends(row, "operator_hours_per_day"),
            row["pooled_operator_hours_per_day"],
        ]
        for row in figures["scenarios"]
    ]
    return Section("load", t("shift_table"), [Table("", columns, rows)])


def _ends(row: Figures, column: str) -> Interval | None:
    return Interval(row["low"][column], row["high"][column]) if row["low"] else None


def _half_hours(figures: Figures, lang: Lang) -> Section:
    scenarios = figures["scenarios"]
    cuts = tuple(Column(charts.cut_name(row, lang)) for row in scenarios)
    slots = [
        [slots[0]["slot"], *(_operators(row, n) for row in scenarios)]
        for n, slots in enumerate(zip(*(row["by_half_hour"] for row in scenarios), strict=True))
    ]
    present = [
        (row["slot"], row["inbound_calls"], row["inbound_aht_seconds"], row["inbound_erlangs"],
         row["outbound_calls"], row["outbound_agent_hours"])
        for row in figures["present"]["by_half_hour"]
    ]  # fmt: skip
    slot = Column(text("shift_slot", lang))
    blocks: list[Block] = [
        Picture(
            text("shift_half_hours_title", lang),
            partial(charts.operators_by_half_hour, scenarios, lang),
            text("shift_half_hours_alt", lang),
        ),
        Table(text("shift_slots_table", lang), (slot, *cuts), slots),
        Table(
            text("shift_present", lang),
            (
                slot,
                Column(text("centre_inbound", lang), Kind.DECIMAL, 1),
                Column(text("centre_aht", lang), Kind.DECIMAL),
                Column(text("centre_erlangs", lang), Kind.DECIMAL, 2),
                Column(text("centre_outbound", lang), Kind.DECIMAL, 1),
                Column(text("shift_out_hours", lang), Kind.DECIMAL, 2),
            ),
            present,
        ),
    ]
    return Section("half-hours", text("shift_half_hours_title", lang), blocks)


def _operators(row: Figures, place: int) -> str:
    """Operators of one half-hour, in + out; the interval's ends in brackets where they differ."""
    slot = row["by_half_hour"][place]
    said = f"{slot['inbound_operators']}+{slot['outbound_operators']}"
    if row["low"] is None:
        return said
    ends = [row[end]["by_half_hour"][place]["inbound_operators"] for end in ("low", "high")]
    return f"{said} ({ends[0]}–{ends[1]})" if ends[0] != ends[1] else said


def basis(figures: Figures, lang: Lang) -> list[str]:
    """What the answer rests on, in sentences."""
    given, instead = figures["assumptions"], figures["replacement"]
    said = [
        text("shift_basis_log", lang, start=day(figures["from"], lang),
             end=day(figures["to"], lang), days=figures["working_days"],
             without=number(figures["working_days_without_records"]))
    ]  # fmt: skip
    if instead:
        mix = "・" if lang == "ja" else ", "
        said.append(
            text(
                "shift_basis_trial", lang, campaign=instead["campaign"], run=instead["run_id"][:8],
                day=day(instead["start_day"], lang),
                arm=instead["arm_title"], control=instead["control"],
                households=number(instead["households"]),
                estimate=number(instead["calls_per_contact"], 3),
                low=number(instead["low"], 3), high=number(instead["high"], 3),
                mix=mix.join(f"{name('channel', c, lang)} {percent(share, 0)}"
                             for c, share in instead["mix"].items()),
            )
        )  # fmt: skip
        if not instead["horizon_over"]:
            said.append(text("shift_basis_interim", lang))
        if instead["operator_contacts_per_household"]:
            operators = number(instead["operator_contacts_per_household"], 2)
            said.append(text("shift_basis_operators", lang, n=operators))
        said.append(text("shift_basis_per_call", lang, n=f"{given['contacts_per_call']:g}"))
    model = model_name(given["patience_seconds"], lang)
    return [
        *said,
        text("shift_basis_change", lang, change=signed(given["inbound_change"] * 100)),
        text("shift_basis_standard", lang, level=percent(given["level"], 0),
             within=f"{given['within_seconds']:g}", model=model,
             shrinkage=percent(given["shrinkage"], 0)),
        text("shift_basis_work", lang),
        text("shift_basis_not", lang),
    ]  # fmt: skip
