"""The audit log for other systems of the office."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict

from contact_service.domain.actors import Actor, Role
from contact_service.identity.tokens import Scope
from contact_service.store import audit
from contact_service.web.api_base import api_router, may
from contact_service.web.api_pages import ApiPage, Asked
from contact_service.web.carrier import service_of

router = api_router("/api/audit", "audit")


class Entry(BaseModel):
    """One line: who did what to which record."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    at: datetime
    actor: str
    role: str
    office: str
    origin: str
    action: str
    subject: str
    details: dict[str, Any]


@router.get("", summary="監査記録（新しい順） / the audit log, newest first")
def entries(
    request: Request,
    asked: Asked,
    actor: str = Query("", max_length=60, description="だれが / who did it"),
    action: str = Query(
        "",
        max_length=60,
        description="何を（`run.` で始まるものすべて、のように） / "
        "what; `run.` is all that begins so",
    ),
    subject: str = Query("", max_length=80, description="どの記録に / to which record"),
    since: AwareDatetime | None = Query(None, description="この時刻から / from this instant on"),
    until: AwareDatetime | None = Query(None, description="この時刻より前 / before this instant"),
    caller: Actor = Depends(may(Scope.AUDIT_READ, Role.AUDITOR)),
) -> ApiPage[Entry]:
    """監査記録（新しい順） / the audit log, newest first"""
    after = asked.after(int)
    wanted = audit.Filter(actor, action, subject, since, until)
    with service_of(request).engine.connect() as connection:
        rows = audit.entries(connection, caller, asked.take, after[0] if after else None, wanted)
    return asked.page(
        rows, lambda row: Entry.model_validate(row, from_attributes=True), lambda row: (row.id,)
    )
