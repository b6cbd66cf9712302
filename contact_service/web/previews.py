"""What a campaign would do, on a page: worked out beside, for a draft, a version or a run."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from hashlib import sha256

from fastapi import BackgroundTasks, Request

from campaigns.definition import Definition
from campaigns.messages import office_values
from contact_service.bootstrap import Service
from contact_service.clock import TOKYO
from contact_service.dispatch.pacing import pacing
from contact_service.dispatch.sms_carriers import sms_carriers
from contact_service.domain.actors import SYSTEM, Actor, NotAllowed, require_kinds
from contact_service.domain.life import CannotDo
from contact_service.domain.states import EXCLUSION_EN, EXCLUSION_JA, ExclusionReason
from contact_service.planning import computed
from contact_service.planning.calendar import campaign_calendar
from contact_service.planning.computed import Computed
from contact_service.planning.definitions import kinds_of, without_others_names
from contact_service.planning.preview import Figures, preview
from contact_service.planning.schedule import DoesNotFit
from contact_service.web.locale import language_of


def preview_of(
    service: Service,
    actor: Actor,
    background: BackgroundTasks,
    definition: Definition,
    source: str,
    first_day: date,
    anew: bool = False,
) -> Computed | None:
    """The preview of a definition (written as ``source``) from a day on, if it is there; else it is
    begun behind the answer. Whose office keeps other claims is told so instead."""
    try:
        require_kinds(actor, kinds_of(definition))
    except NotAllowed as error:
        return Computed(service.clock.now(), True, None, str(error))
    key = computed.key_of("preview", sha256(source.encode()).hexdigest(), first_day)
    found = computed.known(service.engine, key)
    if found is None or (anew and found.done):
        now = service.clock.now()
        if computed.begin(service.engine, "preview", key, now):
            background.add_task(_work_out, service, key, definition, source, first_day, now)
        found = None
    if found is None or not found.done:
        return None
    if found.figures is None:
        return found
    with service.engine.connect() as connection:
        others = without_others_names(connection, actor, found.figures["others"])
    return replace(found, figures=found.figures | {"others": others})


def _work_out(
    service: Service, key: str, definition: Definition, source: str, day: date, now: datetime
) -> None:
    def work() -> Figures:
        settings = service.settings
        figures = preview(
            service.engine, SYSTEM, definition, source, day, now,
            office_values(settings.office_name, settings.office_phone),
            carriers=sms_carriers(settings, lambda _: None),
            call_backs=pacing(settings.pacing_file).centre.calls_per_half_hour,
        )  # fmt: skip
        return figures | {"others": _others(service, figures)}

    computed.work_out(service.engine, key, work, CannotDo, DoesNotFit)


def _others(service: Service, figures: Figures) -> list[Figures]:
    """What else is on the calendar in these days: the same people may be in it."""
    days = [row["day"] for row in figures["calendar"]]
    if not days:
        return []
    with service.engine.begin() as connection:
        found = campaign_calendar(
            connection, SYSTEM, min(days), max(days), service.settings.centre_operators
        )
    return [run for run in found["runs"] if run["campaign"] != figures["campaign"]]


def summary(figures: Figures) -> Figures:
    """The counts that matter most: targets, contacts, people who are left alone."""
    return {
        "targets": sum(arm["targets"] for arm in figures["arms"]),
        "contacted": sum(
            arm["targets"] for arm in figures["arms"]
            if any(step["arms"].get(arm["arm"]) for step in figures["steps"])
        ),
        "contacts": sum(step["contacts"] for step in figures["steps"]),
        "excluded": sum(figures["excluded"].values()),
    }  # fmt: skip


def exclusion_words(request: Request) -> dict[str, str]:
    """Why people are left out, by reason."""
    words = EXCLUSION_JA if language_of(request) == "ja" else EXCLUSION_EN
    return {reason.value: words[reason] for reason in ExclusionReason}


def by_day(rows: list[Figures]) -> list[tuple[date, float, str, float]]:
    """Expected inbound calls by day: in all, and the busiest half-hour with its calls."""
    days: dict[date, list[tuple[float, str]]] = {}
    for row in rows:
        at = row["slot"].astimezone(TOKYO)
        days.setdefault(at.date(), []).append((row["calls"], f"{at:%H:%M}"))
    return [
        (day, sum(calls for calls, _ in slots), max(slots)[1], max(slots)[0])
        for day, slots in days.items()
        if sum(calls for calls, _ in slots) >= 0.5
    ]
