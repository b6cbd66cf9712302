"""The supervisor's page: the centre at a glance."""

from __future__ import annotations

from datetime import date, datetime

from fastapi import APIRouter, BackgroundTasks, Depends, Request, Response
from fastapi.responses import RedirectResponse

from contact_service.bootstrap import Service
from contact_service.callcentre.wallboard import follow_up, wallboard
from contact_service.clock import TOKYO
from contact_service.domain.actors import Role
from contact_service.domain.states import AttemptState, OperatorState
from contact_service.evaluation.staffing.forecast import (
    Forecast,
    NothingToForecast,
    Past,
    forecast,
    log_before,
    past_of,
)
from contact_service.identity.sessions import Session
from contact_service.planning import computed
from contact_service.web import beside, words
from contact_service.web.carrier import service_of
from contact_service.web.rendering import page
from contact_service.web.session import may, own_form

router = APIRouter(include_in_schema=False, prefix="/centre")
looks_after_it = may(Role.SUPERVISOR)
#: So many weeks of calls are what today is expected to be like.
WEEKS = 6


@router.get("")
def show(
    request: Request, background: BackgroundTasks, session: Session = Depends(looks_after_it)
) -> Response:
    """The wallboard; the page asks for itself again every 30 seconds."""
    service = service_of(request)
    now = service.clock.now()
    today, counting = forecast_of_today(service, now, background)
    answer = page(
        request,
        "centre.html",
        board=wallboard(service, session.account.actor, now),
        forecast=today,
        counting=counting,
        words=words.of(request),
        OperatorState=OperatorState,
        TextState=AttemptState,
    )
    answer.background = background
    return answer


def forecast_of_today(
    service: Service, now: datetime, background: BackgroundTasks | None = None
) -> tuple[Forecast | None, bool]:
    """Today's calls as they were to be expected, beside those that came; ``None``: no record to
    learn from, or a day on which the centre does not work, or, with ``True``, that past weeks are
    being counted behind the answer. Without a ``background`` the caller waits for it."""
    today = now.astimezone(TOKYO).date()
    past = _past(service, today, now, background)
    if past is None:
        return None, True
    with service.engine.connect() as connection:
        try:
            found = forecast(connection, today, 1, WEEKS, now, past)
        except NothingToForecast:
            return None, False
    return found if found.half_hours else None, False


def _past(
    service: Service, today: date, now: datetime, background: BackgroundTasks | None
) -> Past | None:
    """The weeks before today, which stay what they were all day: with many calls they are counted
    once, and anew when the log holds other calls than then."""

    def count() -> Past:
        with service.engine.connect() as connection:
            return past_of(connection, today, WEEKS)

    if not beside.many(service):
        return count()
    key = computed.key_of("forecast", today, WEEKS)
    found = computed.known(service.engine, key)
    with service.engine.connect() as connection:
        log = log_before(connection, today, WEEKS)
    kept = Past.of(found.figures) if found and found.figures else None
    old = found is None or (
        found.done and (kept is None or kept.log != log or now - found.asked_at > beside.FRESH)
    )
    if old and computed.begin(service.engine, "forecast", key, now):
        if background is None:
            computed.work_out(service.engine, key, lambda: count().as_figures())
            return _past(service, today, now, None)
        background.add_task(computed.work_out, service.engine, key, lambda: count().as_figures())
    return kept


@router.post("/referrals/{referral_id}", dependencies=[Depends(own_form)])
def followed_up(
    request: Request, referral_id: int, session: Session = Depends(looks_after_it)
) -> Response:
    """Somebody in hardship was looked after."""
    service = service_of(request)
    follow_up(service, session.account.actor, referral_id, service.clock.now())
    return RedirectResponse("/centre", 303)
