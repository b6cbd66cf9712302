"""The web application: console pages, JSON API, carriers' webhooks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy import text
from sqlalchemy.exc import DataError, DBAPIError

from contact_service import __version__, logs
from contact_service.bootstrap import wire
from contact_service.dispatch import providers
from contact_service.receipts.group import GroupCommit
from contact_service.settings import settings
from contact_service.web import (
    api,
    centre,
    control,
    desk,
    desk_calls,
    do_not_contact,
    inbound,
    pages,
    people,
    queue,
    sign_in,
    users,
    voice,
    webhooks,
)
from contact_service.web.headers import SafeHeaders
from contact_service.web.locale import side
from contact_service.web.rendering import page
from contact_service.web.session import SignInFirst
from contact_service.web.token import api_token

HERE = Path(__file__).parent
#: A report or an API call of ours is small; what is larger is refused unread.
MOST_BODY_BYTES = 1_000_000


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    logs.configure(settings().log_format)
    service = wire(settings(), pool_size=20)
    app.state.service = service
    app.state.reports = GroupCommit(service)
    app.state.api_token = api_token(service.settings)
    app.state.providers = {
        config.name: providers.create(config) for config in providers.configured(service.settings)
    }
    yield
    for provider in app.state.providers.values():
        await provider.close()
    service.engine.dispose()


# the generated API pages load scripts from elsewhere: a closed network has no elsewhere
app = FastAPI(
    title="contact-service",
    version=__version__,
    lifespan=_lifespan,
    docs_url=None,
    redoc_url=None,
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
app.include_router(sign_in.entrance)
app.include_router(sign_in.router)
app.include_router(pages.router)
app.include_router(users.router)
app.include_router(people.router)
app.include_router(do_not_contact.router)
app.include_router(centre.router)
app.include_router(control.router)
app.include_router(desk.router)
app.include_router(desk_calls.router)


app.add_middleware(SafeHeaders)


@app.exception_handler(SignInFirst)
def _sign_in_first(request: Request, error: SignInFirst) -> RedirectResponse:
    return RedirectResponse(error.to, 303)


@app.exception_handler(HTTPException)
async def _refused(request: Request, error: HTTPException) -> Response:
    """A page for people; JSON for everybody else."""
    if "text/html" not in request.headers.get("accept", ""):
        return await http_exception_handler(request, error)
    return page(request, "refused.html", error.status_code, reason=side(request, error.detail))


@app.exception_handler(DataError)
@app.exception_handler(UnicodeEncodeError)
def _unstorable(request: Request, error: Exception) -> JSONResponse:
    """A value that passed its checks but is no text that can be stored (NUL, lone surrogates)."""
    return JSONResponse(
        {"detail": "保存できない値です / a value cannot be stored"}, status_code=422
    )


@app.get("/healthz", include_in_schema=False)
def healthz(request: Request) -> JSONResponse:
    """Whether this process can do its work: it reaches the database."""
    try:
        with request.app.state.service.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except DBAPIError:
        return JSONResponse({"status": "no database"}, status_code=503)
    return JSONResponse({"status": "ok", "version": __version__})
