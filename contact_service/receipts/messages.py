"""What people write back: kept sealed, and a wish to be left alone heeded at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from contact_service import logs
from contact_service.bootstrap import Service
from contact_service.domain.numbers import classify
from contact_service.domain.replies import kind_of
from contact_service.domain.restrictions import RestrictionKind
from contact_service.domain.states import ReplyKind
from contact_service.receipts.events import Reported, Via, store_receipts
from contact_service.store.indexing import writing
from contact_service.store.said_again import FOR_GOOD, SAID_AGAIN
from providers.base import Channel, InboundMessage, Outcome, Receipt

log = logs.log(__name__)

CONFIRMATION = "{office}です。承知しました。今後この番号へのご連絡を停止します。"

_NUMBERS = text("""
INSERT INTO phone (number, number_index, kind)
SELECT DISTINCT ON (number_index) number, number_index, kind FROM unnest(
    CAST(:sealed AS bytea[]), CAST(:indexes AS bytea[]), CAST(:before AS bytea[]),
    CAST(:kinds AS text[])
) AS v(number, number_index, before, kind)
WHERE NOT EXISTS (SELECT FROM phone p WHERE p.number_index = v.before)
ON CONFLICT (number_index) DO NOTHING
""")
_MESSAGES = text("""
INSERT INTO inbound_message (provider, provider_ref, phone_id, body, opted_out, received_at, says,
    done_at)
SELECT :provider, v.ref, p.id, v.body, v.opted_out, v.received_at, v.says,
    CASE WHEN v.opted_out THEN CAST(:now AS timestamptz) END
FROM unnest(
    CAST(:refs AS text[]), CAST(:indexes AS bytea[]), CAST(:before AS bytea[]),
    CAST(:bodies AS bytea[]), CAST(:outs AS bool[]), CAST(:ats AS timestamptz[]),
    CAST(:says AS text[])
) AS v(ref, number_index, before, body, opted_out, received_at, says)
JOIN phone p ON p.number_index IN (v.number_index, v.before)
ON CONFLICT (provider, provider_ref) DO NOTHING
""")
#: What an operator concluded may be corrected: it does not stand for the resident's own word.
_LEAVE_ALONE = text(f"""
INSERT INTO restriction (kind, phone_id, starts_on, origin)
SELECT DISTINCT :kind, p.id, CAST(:now AS timestamptz)::date, 'resident'
FROM unnest(CAST(:indexes AS bytea[]), CAST(:before AS bytea[]), CAST(:outs AS bool[]))
    AS v(number_index, before, opted_out)
JOIN phone p ON p.number_index IN (v.number_index, v.before)
WHERE v.opted_out AND NOT EXISTS (SELECT FROM restriction r
    WHERE r.phone_id = p.id AND r.kind = :kind AND {FOR_GOOD} AND r.origin <> 'operator')
ORDER BY p.id -- in one order for everybody: two may protect the same at once
{SAID_AGAIN}""")


def store_messages(
    service: Service, provider: str, messages: Sequence[InboundMessage], now: datetime
) -> Sequence[bool]:
    """Write messages down and restrict the numbers that asked for it, in one transaction; one
    that came before changes nothing. Returns which of them asked to be left alone.

    A number that nobody in the ledger has is kept too: whoever is imported with it later is left
    alone as well.
    """
    known = [_number(message.sender) for message in messages]
    says = [ReplyKind.STOP if message.opted_out else kind_of(message.body) for message in messages]
    outs = [said is ReplyKind.STOP for said in says]
    vault = service.vault
    values = {
        "provider": provider,
        "now": now,
        "kind": RestrictionKind.OPTED_OUT.value,
        "sealed": [vault.seal("phone.number", number) for number, _ in known],
        "kinds": [kind for _, kind in known],
        "refs": [message.provider_ref[:80] for message in messages],
        "bodies": [vault.seal("inbound_message.body", message.body) for message in messages],
        "outs": outs,
        "says": [said.value for said in says],
        "ats": [message.received_at or now for message in messages],
    }
    with service.engine.begin() as connection:
        made = writing(connection, vault)
        both = [made.both("phone", number) for number, _ in known]
        values |= {"indexes": [new for new, _ in both], "before": [old for _, old in both]}
        connection.execute(_NUMBERS, values)
        connection.execute(_MESSAGES, values)
        if any(outs):
            connection.execute(_LEAVE_ALONE, values)
    if ReplyKind.PAID in says:
        _heed_paid(service, now)
    log.info("messages", provider=provider, came=len(messages), opted_out=sum(outs))
    return outs


def _heed_paid(service: Service, now: datetime) -> None:
    """Who wrote that it is paid has confirmed the message that they answer: no further step chases
    them for it, until what was paid is in the ledger or shows not to be. Where we cannot say which
    message it was, an operator reads the answer."""
    with service.engine.connect() as connection:
        rows = connection.execute(_ANSWERED).all()
    for row in rows:
        receipt = Receipt(
            Channel.SMS, row.provider_ref, f"reply:{row.id}", Outcome.CONFIRMED, final=False
        )
        store_receipts(
            service.engine, row.provider, [Reported(receipt, row.attempt_id, Via.REPLY)], now
        )
        with service.engine.begin() as connection:
            connection.execute(
                text("UPDATE inbound_message SET done_at = :now WHERE id = :id"),
                {"now": now, "id": row.id},
            )


#: The message that each "it is paid" answers: the last that went to that number in a month.
_ANSWERED = text("""
SELECT m.id, sent.id AS attempt_id, sent.provider, sent.provider_ref
FROM inbound_message m CROSS JOIN LATERAL (
    SELECT a.id, a.provider, a.provider_ref FROM attempt a
    WHERE a.phone_id = m.phone_id AND a.channel = 'sms' AND a.provider_ref IS NOT NULL
    AND a.submitted_at <= m.received_at AND a.submitted_at > m.received_at - interval '31 days'
    ORDER BY a.submitted_at DESC LIMIT 1) sent
WHERE m.done_at IS NULL AND m.says = 'paid'
""")


def _number(sender: str) -> tuple[str, str]:
    """E.164 and kind. What is no number (a name, a short code) is kept as it is."""
    for found in classify(sender):
        if found.e164 is not None and found.kind is not None:
            return found.e164, found.kind.value
    return sender[:40], "other"
