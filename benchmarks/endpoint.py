"""The rival of the webhook: a bare endpoint of the same framework.

It validates the signature as Twilio's SDK does, inserts the report and commits it, one at a time
for each request, and answers. It settles nothing.
"""

from __future__ import annotations

import os
import threading

import psycopg
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from twilio.request_validator import RequestValidator

from benchmarks.office import TOKEN

PUBLIC = os.environ.get("CONTACT_PUBLIC_URL", "")
app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
_validator = RequestValidator(TOKEN)
_thread = threading.local()


def create_table() -> None:
    """Its one table: the report, found again by its key."""
    with psycopg.connect(os.environ["CONTACT_DATABASE_URL"]) as connection:  # set by now
        connection.execute(
            "CREATE TABLE IF NOT EXISTS bare_receipt (id bigserial PRIMARY KEY, sid text NOT NULL, "
            "status text NOT NULL, received_at timestamptz NOT NULL DEFAULT now(), "
            "UNIQUE (sid, status))"
        )


@app.post("/webhooks/{provider}/receipts/{attempt}")
async def receipt(request: Request, provider: str, attempt: str) -> Response:
    """One report."""
    form = {name: str(value) for name, value in (await request.form()).items()}
    signature = request.headers.get("x-twilio-signature", "")
    if not _validator.validate(f"{PUBLIC}{request.url.path}", form, signature):
        raise HTTPException(403)
    await run_in_threadpool(_insert, form["MessageSid"], form["MessageStatus"])
    return Response(status_code=204)


def _insert(sid: str, status: str) -> None:
    """One row, one commit, on the thread's own open connection."""
    if not hasattr(_thread, "connection"):
        _thread.connection = psycopg.connect(os.environ["CONTACT_DATABASE_URL"], autocommit=True)
    _thread.connection.execute(
        "INSERT INTO bare_receipt (sid, status) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        (sid, status),
    )
