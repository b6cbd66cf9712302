"""The supervisor's page: the centre at a glance."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import text

from contact_service.bootstrap import Service
from contact_service.callcentre.wallboard import follow_up, wallboard
from contact_service.clock import TOKYO
from contact_service.domain.actors import Role
from contact_service.domain.states import AttemptState, OperatorState
from contact_service.evaluation.staffing.forecast import (
    Forecast,
    NothingToForecast,
    calls_before,
    forecast,
)
from contact_service.identity.sessions import Session
from contact_service.web import words
from contact_service.web.carrier import service_of
from contact_service.web.rendering import page
from contact_service.web.session import may, own_form

router = APIRouter(include_in_schema=False, prefix="/centre")
looks_after_it = may(Role.SUPERVISOR)
#: So many weeks of calls are what today is expected to be like.
WEEKS = 6


@router.get("")
def show(request: Request, session: Session = Depends(looks_after_it)) -> Response:
    """The wallboard; the page asks for itself again every 30 seconds."""
    service = service_of(request)
    now = service.clock.now()
    return page(
        request,
        "centre.html",
        board=wallboard(service, session.account.actor, now),
        forecast=_of_today(request, service, now),
        words=words.of(request),
        OperatorState=OperatorState,
        TextState=AttemptState,
    )


def _of_today(request: Request, service: Service, now: datetime) -> Forecast | None:
    """Today's calls as they were to be expected, beside those that came; ``None``: no record to
    learn from, or a day on which the centre does not work."""
    day = now.astimezone(TOKYO).date()
    with service.engine.connect() as connection:
        # only a file brings calls of past days; the board asks every half minute, and counting
        # the calls of weeks takes a second where there are hundreds of thousands
        files = connection.scalar(text("SELECT max(id) FROM source_file"))
        known, past = getattr(request.app.state, "calls_before_today", (None, None))
        if known != (day, files) or not past:
            past = calls_before(connection, day, WEEKS)
            request.app.state.calls_before_today = (day, files), past
        try:
            found = forecast(connection, day, 1, WEEKS, now, past)
        except NothingToForecast:
            return None
    return found if found.half_hours else None


@router.post("/referrals/{referral_id}", dependencies=[Depends(own_form)])
def followed_up(
    request: Request, referral_id: int, session: Session = Depends(looks_after_it)
) -> Response:
    """Somebody in hardship was looked after."""
    service = service_of(request)
    follow_up(service, session.account.actor, referral_id, service.clock.now())
    return RedirectResponse("/centre", 303)
