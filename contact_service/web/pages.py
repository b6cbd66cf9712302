"""Console pages. For now one: what runs, in counts, without anybody's name or number."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from campaigns.vocabulary import CHANNEL_JA
from contact_service import __version__
from contact_service.dispatch.switches import switches
from contact_service.planning.progress import run_progress
from contact_service.web.carrier import service_of

router = APIRouter(include_in_schema=False)
templates = Jinja2Templates(directory=Path(__file__).parent / "templates")


@router.get("/", response_class=HTMLResponse)
def start(request: Request) -> HTMLResponse:
    """What runs now."""
    service = service_of(request)
    with service.engine.connect() as connection:
        runs = run_progress(connection)
        stopped = switches(connection)
    return templates.TemplateResponse(
        request,
        "start.html",
        {
            "runs": runs,
            "stopped": stopped,
            "channels": {channel.value: ja for channel, ja in CHANNEL_JA.items()},
            "now": service.clock.now(),
            "version": __version__,
            "office": service.settings.office_name,
        },
    )
