"""The year's campaigns: what is on when, who would hear from two, what the centre would hear."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from fastapi import APIRouter, BackgroundTasks, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from contact_service.bootstrap import Service
from contact_service.domain.actors import SYSTEM, Actor, Role
from contact_service.domain.states import RunState
from contact_service.identity.sessions import Session
from contact_service.planning import computed
from contact_service.planning.calendar import calendar_for, campaign_calendar, fiscal_year_of
from contact_service.planning.computed import Computed, Figures
from contact_service.web.campaigns import STATE_WORDS
from contact_service.web.carrier import service_of
from contact_service.web.rendering import page
from contact_service.web.session import may, own_form

router = APIRouter(include_in_schema=False, prefix="/calendar")
reads = may(Role.STAFF, Role.APPROVER, Role.SUPERVISOR, Role.EVALUATOR)
Year = Query(None, ge=2000, le=2100)
#: Figures are shown for this long before they are worked out anew.
FRESH = timedelta(minutes=10)
#: Units of the picture: its width, and the height of one run.
WIDTH, ROW = 1000, 34


@router.get("")
@router.post("", dependencies=[Depends(own_form)])
def show(
    request: Request,
    background: BackgroundTasks,
    session: Session = Depends(reads),
    year: int | None = Year,
) -> Response:
    """A fiscal year; a POST works it out anew."""
    service = service_of(request)
    now = service.clock.now()
    first, last = fiscal_year_of(date(year, 4, 1) if year else now.date())
    anew = request.method == "POST"
    found = calendar_of(service, session.account.actor, background, first, last, anew)
    answer: Response
    if request.method == "POST":
        answer = RedirectResponse(f"/calendar?year={first.year}", 303)
    else:
        figures = found.figures if found else None
        answer = page(
            request, "calendar.html", year=first.year, first=first, found=found, figures=figures,
            bars=_bars(figures["runs"], first, last) if figures else [],
            months=_months(first, last),
            width=WIDTH, row=ROW, today=_place(now.date(), first, last),
            state_words={each.value: STATE_WORDS[each] for each in RunState},
        )  # fmt: skip
    answer.background = background
    return answer


def calendar_of(
    service: Service,
    actor: Actor,
    background: BackgroundTasks,
    first: date,
    last: date,
    anew: bool,
) -> Computed | None:
    """What is known of a fiscal year's calendar, as the actor may read it; worked out anew
    behind the answer when it is old, or when somebody wants that."""
    now = service.clock.now()
    key = computed.key_of("calendar", first)
    found = computed.known(service.engine, key)
    old = found is None or (found.done and now - found.asked_at > FRESH)
    if (old or anew) and computed.begin(service.engine, "calendar", key, now):
        background.add_task(_work_out, service, key, first, last)
    if found is None or found.figures is None:
        return found
    with service.engine.connect() as connection:
        return replace(found, figures=calendar_for(connection, actor, found.figures))


def _work_out(service: Service, key: str, first: date, last: date) -> None:
    def work() -> Figures:
        with service.engine.begin() as connection:
            return campaign_calendar(
                connection, SYSTEM, first, last, service.settings.centre_operators
            )

    computed.work_out(service.engine, key, work)


def _place(day: date, first: date, last: date) -> int:
    """Where a day stands in the picture, from its left edge."""
    inside = min(max(day, first), last + timedelta(days=1))
    return round((inside - first).days / ((last - first).days + 1) * WIDTH)


def _bars(runs: list[Figures], first: date, last: date) -> list[tuple[Figures, int, int]]:
    """Each run with the place and the length of its bar."""
    found = []
    for run in runs:
        start = _place(run["first_day"], first, last)
        end = _place(run["last_day"] + timedelta(days=1), first, last)
        found.append((run, start, max(end - start, 4)))
    return found


def _months(first: date, last: date) -> list[tuple[int, int]]:
    """The months of the year, each with its place."""
    days = [date(first.year + (month > 12), (month - 1) % 12 + 1, 1) for month in range(4, 16)]
    return [(day.month, _place(day, first, last)) for day in days]
