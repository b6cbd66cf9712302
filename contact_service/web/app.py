"""The web application: console pages, JSON API, carriers' webhooks."""

from __future__ import annotations

import gc
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from starlette.types import ASGIApp

from contact_service import __version__, logs
from contact_service.bootstrap import wire
from contact_service.dispatch import providers
from contact_service.identity import oidc as identity_providers
from contact_service.identity import tokens
from contact_service.intake.uploads import folder_of
from contact_service.receipts.group import GroupCommit
from contact_service.settings import settings
from contact_service.web import (
    api,
    api_audit,
    api_campaigns,
    api_docs,
    api_drafts,
    api_files,
    api_people,
    api_recordings,
    api_records,
    api_runs,
    api_start,
    api_supervisor,
    audio_page,
    audit_log,
    bulk_access,
    calendar_page,
    campaigns,
    centre,
    control,
    desk,
    desk_calls,
    do_not_contact,
    editor,
    files,
    inbound,
    library,
    oidc,
    pages,
    people,
    preview_pages,
    provider_pages,
    queue,
    refusals,
    reports,
    results,
    runs,
    sign_in,
    staffing,
    token_pages,
    unknown,
    users,
    voice,
    webhooks,
    work,
)
from contact_service.web.adapters import Adapters
from contact_service.web.headers import SafeHeaders
from contact_service.web.limits import Limits, RateLimited
from contact_service.web.token import api_token
from contact_service.web.too_large import SaidTooLarge

HERE = Path(__file__).parent
#: A report or an API call of ours is small; what is larger is refused unread.
MOST_BODY_BYTES = 1_000_000
#: How long the event loop may keep the interpreter while a thread wants it. The database's answers
#: are read in threads: at Python's own 5 ms each statement of a group of reports waited that long
#: for a loop that was busy.
SWITCH_SECONDS = 0.0005


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    logs.configure(settings().log_format)
    service = wire(settings(), pool_size=20)
    app.state.service = service
    # large files are kept here while they come in: a temporary folder may lie in memory
    held, tempfile.tempdir = tempfile.tempdir, str(folder_of(service.settings))
    app.state.identity_provider = identity_providers.configured(service.settings)
    app.state.limits = Limits(service.settings)
    app.state.reports = GroupCommit(service)
    tokens.register_own(service, api_token(service.settings))
    app.state.providers = Adapters(providers.configured(service.settings))
    # what is there now stays: looked through again and again, it held every request up for as
    # long as a tenth of a second
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_SECONDS)
    yield
    tempfile.tempdir = held
    await app.state.providers.close()
    await app.state.limits.close()
    service.engine.dispose()


class Console(FastAPI):
    """The application; whatever leaves it, its own faults too, has safe headers and words."""

    def build_middleware_stack(self) -> ASGIApp:
        return SafeHeaders(SaidTooLarge(super().build_middleware_stack()))


# the generated API pages load scripts from elsewhere: a closed network has no elsewhere
app = Console(
    title="contact-service",
    version=__version__,
    lifespan=_lifespan,
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
    routes=list(webhooks.RECEIPTS),
    max_body_size=MOST_BODY_BYTES,
    # nothing about our requests leaves the house, whatever the environment says
    telemetry={"tracing": False, "metrics": False, "auto_configure": False},
)
app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
app.include_router(webhooks.router)
app.include_router(voice.router)
app.include_router(inbound.router)
app.include_router(queue.router)
app.include_router(api.router)
app.include_router(api_audit.router)
app.include_router(api_people.router)
app.include_router(bulk_access.api)
app.include_router(api_files.router)
app.include_router(api_campaigns.router)
app.include_router(api_drafts.router)
app.include_router(api_runs.router)
app.include_router(api_recordings.router)
app.include_router(api_records.router)
app.include_router(staffing.api_router)
app.include_router(api_start.router)
app.include_router(api_supervisor.router)
app.include_router(api_docs.router)
app.include_router(api_docs.page_router)
app.include_router(sign_in.entrance)
app.include_router(sign_in.router)
app.include_router(oidc.entrance)
app.include_router(pages.router)
app.include_router(users.router)
app.include_router(token_pages.router)
app.include_router(files.router)
app.include_router(people.router)
app.include_router(do_not_contact.router)
app.include_router(bulk_access.router)
app.include_router(unknown.router)
app.include_router(provider_pages.router)
app.include_router(reports.router)
app.include_router(library.router)
app.include_router(audit_log.router)
app.include_router(centre.router)
app.include_router(staffing.router)
app.include_router(editor.router)
app.include_router(preview_pages.router)
app.include_router(campaigns.router)
app.include_router(runs.router)
app.include_router(results.router)
app.include_router(work.router)
app.include_router(calendar_page.router)
app.include_router(audio_page.router)
app.include_router(control.router)
app.include_router(desk.router)
app.include_router(desk_calls.router)


app.add_middleware(RateLimited)


refusals.install(app)


@app.get("/healthz", include_in_schema=False)
def healthz(request: Request) -> JSONResponse:
    """Whether this process can do its work: it reaches the database."""
    try:
        with request.app.state.service.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except DBAPIError:
        return JSONResponse({"status": "no database"}, status_code=503)
    return JSONResponse({"status": "ok", "version": __version__})
