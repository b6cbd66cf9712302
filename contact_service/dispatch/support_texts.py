"""Texts that tell somebody in hardship where help is, because they asked for it on the telephone.

The same protocol as for every contact: leased in one transaction, handed over after it, recorded
in another; what is uncertain is ``unknown`` and is never sent again. No campaign's checks apply,
for it chases nobody; stopping everything, or the channel, stops it too.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, text

from contact_service import logs
from contact_service.bootstrap import Service
from contact_service.dispatch.contacts import receipts_url
from contact_service.dispatch.providers import ProviderConfig
from contact_service.store.crypto import CannotOpen
from providers.base import Accepted, Message, Provider, Refused, Result, Throttled

log = logs.log(__name__)

_MOST_AT_ONCE = 50
#: After this much real time a carrier's answer is lost.
_LEASE_SECONDS = 120.0

_LEASE = text("""
UPDATE support_text SET state = 'leased', provider = :provider, submitted_at = :now,
    lease_until = clock_timestamp() + make_interval(secs => :seconds)
WHERE id IN (
    SELECT id FROM support_text
    WHERE state = 'planned' AND due_at <= :now AND training <> :live
    AND NOT EXISTS (SELECT 1 FROM stop_switch s WHERE s.scope = ANY(:scopes))
    ORDER BY due_at, id LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING id, number, body
""")
_RECORD = text("""
UPDATE support_text SET state = CAST(:state AS text), provider_ref = :ref, reason = :reason,
    due_at = coalesce(CAST(:due AS timestamptz), due_at), lease_until = NULL,
    number = CASE WHEN CAST(:state AS text) = 'planned' THEN number END
WHERE id = :id AND state = 'leased'
""")


async def send(service: Service, config: ProviderConfig, provider: Provider) -> int:
    """Hand over what is due; how many were handed over."""
    now = service.clock.now()
    with service.engine.begin() as connection:
        _end_overdue(connection)
        rows = connection.execute(
            _LEASE,
            {
                "provider": config.name,
                "now": now,
                "seconds": _LEASE_SECONDS,
                "live": config.live,
                "scopes": ["all", f"provider:{config.name}", "channel:sms"],
                "most": _MOST_AT_ONCE,
            },
        ).all()
    for row in rows:
        try:
            number = service.vault.open("support_text.number", row.number)
        except CannotOpen:
            _record(service, row.id, "finished", None, "cannot_open")
            continue
        reports = receipts_url(service.settings, config.name, row.id) if config.webhook else None
        result = await provider.submit(Message(str(row.id), number, row.body, reports))
        _record_result(service, row.id, result, now)
    if rows:
        log.info("support_texts", provider=config.name, count=len(rows))
    return len(rows)


def _record_result(service: Service, text_id: UUID, result: Result, now: datetime) -> None:
    match result:
        case Accepted(provider_ref):
            _record(service, text_id, "accepted", provider_ref, None)
        case Refused(cause):
            _record(service, text_id, "finished", None, cause.value)
        case Throttled(retry_after):
            later = now + max(retry_after, timedelta(seconds=1))
            _record(service, text_id, "planned", None, "throttled", later)
        case _:
            _record(service, text_id, "unknown", None, "no_answer")


def _record(
    service: Service,
    text_id: UUID,
    state: str,
    ref: str | None,
    reason: str | None,
    due: datetime | None = None,
) -> None:
    with service.engine.begin() as connection:
        connection.execute(
            _RECORD, {"id": text_id, "state": state, "ref": ref, "reason": reason, "due": due}
        )


def _end_overdue(connection: Connection) -> None:
    connection.execute(
        text("""
        UPDATE support_text SET state = 'unknown', reason = 'lease_expired', number = NULL
        WHERE state = 'leased' AND lease_until < clock_timestamp()
        """)
    )
