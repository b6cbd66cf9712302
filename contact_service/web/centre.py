"""The supervisor's page: the centre at a glance."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from contact_service.bootstrap import Service
from contact_service.callcentre.wallboard import follow_up, wallboard
from contact_service.clock import TOKYO
from contact_service.domain.actors import Role
from contact_service.domain.states import AttemptState, OperatorState
from contact_service.evaluation.staffing.forecast import Forecast, NothingToForecast, forecast
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
        forecast=forecast_of_today(service, now),
        words=words.of(request),
        OperatorState=OperatorState,
        TextState=AttemptState,
    )


def forecast_of_today(service: Service, now: datetime) -> Forecast | None:
    """Today's calls as they were to be expected, beside those that came; ``None``: no record to
    learn from, or a day on which the centre does not work."""
    with service.engine.connect() as connection:
        try:
            found = forecast(connection, now.astimezone(TOKYO).date(), 1, WEEKS, now)
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
