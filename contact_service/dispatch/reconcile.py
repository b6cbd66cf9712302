"""Settling what is unknown: by the reports that came, else by asking the carrier.

An attempt whose fate is unknown is never sent again on a guess. It becomes

- accepted, when a report or the carrier's listing shows that it was taken;
- planned again, when the carrier's listing is complete and does not show it;
- a person's case, when the carrier cannot be asked in a way that proves anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, Row, text

from campaigns.vocabulary import Channel
from contact_service import logs
from contact_service.bootstrap import Service
from contact_service.dispatch import contacts
from contact_service.dispatch.lease import Lease, end_overdue
from contact_service.dispatch.providers import ProviderConfig
from contact_service.dispatch.settle import lock, settle
from contact_service.planning.definitions import definitions_of
from providers.base import (
    Contact,
    Listed,
    Message,
    NotSupported,
    Provider,
    ProviderUnavailable,
)

log = logs.log(__name__)

MOST_AT_ONCE = 200
#: A carrier's clock may run behind ours by this much.
CLOCK_SKEW = timedelta(minutes=2)
#: Carriers tell the whole second in which they took something: it may have been at its end.
WHOLE_SECOND = timedelta(seconds=1)
#: Nor may a wrong clock of ours hide what the carrier took: it is asked for as much as this
#: before the lease, and what nobody accounts for in that time is a person's case.
LOOK_BACK = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What became of the unknowns that were looked at."""

    accepted: int = 0
    planned_again: int = 0
    waiting: int = 0
    for_a_person: int = 0


def collect_unknown(service: Service) -> int:
    """Turn overdue leases into unknowns, and settle those that reports already explain."""
    with service.engine.begin() as connection:
        ids = end_overdue(connection, service.clock.now())
        settle(connection, ids)
        return len(ids)


async def reconcile(service: Service, config: ProviderConfig, provider: Provider) -> Reconciled:
    """Ask one carrier about its unknown attempts and write down what it says.

    Who is asked about is fixed first and the connection let go; what is learnt is written only
    where nothing else has settled the attempt meanwhile.
    """
    grace = provider.capabilities.listing_complete_after
    with service.engine.begin() as connection:
        unknown = _claim_unknown(connection, config.name, grace)
        definitions = definitions_of(connection, {row.run_id for row in unknown})
    accepted: list[tuple[UUID, int, Listed]] = []
    gone: list[tuple[UUID, int]] = []
    persons: list[UUID] = []
    waiting = 0
    used: dict[str, set[str]] = defaultdict(set)
    for row in unknown:
        lease = Lease(row.id, row.run_id, row.step, row.lease_number, row.number, row.language)
        channel = Channel(row.channel)
        try:
            contact = contacts.composer(service, config, channel).contact(
                lease, definitions[row.run_id]
            )
        except contacts.CANNOT_PREPARE:
            persons.append(row.id)
            continue
        try:
            listed, by_name = await ask(provider, channel, contact, row.leased_at - LOOK_BACK)
        except ProviderUnavailable:
            waiting += 1
            continue
        with service.engine.connect() as connection:
            known = _refs_of_others(
                connection, config.name, row.id, [item.provider_ref for item in listed]
            )
        unclaimed = [
            item
            for item in sorted(listed, key=lambda item: item.created_at)
            if item.provider_ref not in known | used[contact.to]
        ]
        body = contact.body if isinstance(contact, Message) else None
        ours = [item for item in unclaimed if item.created_at >= row.leased_at - CLOCK_SKEW]
        later = row.later_leased_at  # from then on, what looks like ours is rather the later one's
        # what is found under our own identifier is ours, however its text was rewritten
        found = next(
            (
                item
                for item in ours
                if by_name
                or (
                    item.body == body and (later is None or item.created_at + WHOLE_SECOND <= later)
                )
            ),
            None,
        )
        if row.another_under_way:
            waiting += 1  # what the listing shows may be the other's
        elif found is not None and row.an_earlier_one_unknown and not by_name:
            waiting += 1  # the same words to the same number: the earlier one is asked about first
        elif found is not None:
            used[contact.to].add(found.provider_ref)
            accepted.append((row.id, row.lease_number, found))
        elif unclaimed and row.an_earlier_one_unknown:
            waiting += 1  # it may be the earlier one's
        elif grace is None or (unclaimed and row.listing_complete):
            persons.append(row.id)  # something went to this number, and we cannot say what
        elif row.listing_complete:
            gone.append((row.id, row.lease_number))
        else:
            waiting += 1
    with service.engine.begin() as connection:
        _write(connection, service, accepted, gone, persons)
    result = Reconciled(len(accepted), len(gone), waiting, len(persons))
    if unknown:
        log.info("reconcile", provider=config.name, looked_at=len(unknown), result=str(result))
    return result


async def ask(
    provider: Provider, channel: Channel, contact: Contact, since: datetime
) -> tuple[Sequence[Listed], bool]:
    """What the carrier has: by our identifier where it can be asked so (then the second is true),
    else for the number; nothing where it can be asked neither way. Raises
    :class:`ProviderUnavailable`."""
    if provider.capabilities.look_up_by_reference:
        found = await provider.look_up_reference(channel, contact.reference)
        return ([found] if found else []), True
    try:
        return await provider.list_sent(channel, contact.to, since), False
    except NotSupported:
        return [], False  # its capabilities name no delay: a person decides


def _claim_unknown(
    connection: Connection, provider: str, grace: timedelta | None
) -> list[Row[tuple[object, ...]]]:
    """The unknowns to ask about now; each is left to one asker for half a minute."""
    rows = connection.execute(
        text("""
        UPDATE attempt a SET checked_at = clock_timestamp()
        FROM phone p, (
            SELECT id FROM attempt
            WHERE state = 'unknown' AND provider = :provider AND NOT needs_person
            AND (checked_at IS NULL
                OR checked_at < clock_timestamp() - make_interval(secs => :pause))
            ORDER BY checked_at NULLS FIRST LIMIT :most FOR UPDATE SKIP LOCKED
        ) due
        WHERE a.id = due.id AND p.id = a.phone_id
        RETURNING a.id, a.run_id, a.step, a.channel, a.lease_number, a.leased_at, p.number,
            (SELECT d.language FROM target t JOIN debtor d ON d.id = t.addressee_id
                WHERE t.id = a.target_id) AS language,
            a.lease_until + make_interval(secs => :grace) < clock_timestamp()
                AS listing_complete,
            EXISTS (SELECT 1 FROM attempt o WHERE o.phone_id = a.phone_id AND o.id <> a.id
                AND o.channel = a.channel AND o.state = 'leased') AS another_under_way,
            EXISTS (SELECT 1 FROM attempt o WHERE o.phone_id = a.phone_id AND o.id <> a.id
                AND o.channel = a.channel AND o.state = 'unknown' AND NOT o.needs_person
                AND o.leased_at < a.leased_at) AS an_earlier_one_unknown,
            (SELECT min(o.leased_at) FROM attempt o WHERE o.phone_id = a.phone_id
                AND o.channel = a.channel AND o.state = 'unknown'
                AND o.leased_at > a.leased_at) AS later_leased_at
        """),
        {
            "provider": provider,
            "most": MOST_AT_ONCE,
            "grace": grace.total_seconds() if grace is not None else 0,
            "pause": min(30.0, grace.total_seconds() / 2 if grace is not None else 30.0),
        },
    )
    return sorted(rows, key=lambda row: row.leased_at)


def _refs_of_others(
    connection: Connection, provider: str, attempt_id: UUID, refs: list[str]
) -> set[str]:
    """Those of ``refs`` that other attempts have, by their own record or by reports."""
    rows = connection.execute(
        text("""
        SELECT provider_ref FROM attempt
        WHERE provider = :provider AND provider_ref = ANY(:refs) AND id <> :id
        UNION
        SELECT provider_ref FROM event
        WHERE provider = :provider AND provider_ref = ANY(:refs)
        AND attempt_id IS NOT NULL AND attempt_id <> :id
        """),
        {"provider": provider, "refs": refs, "id": attempt_id},
    )
    return {row.provider_ref for row in rows}


def _write(
    connection: Connection,
    service: Service,
    accepted: list[tuple[UUID, int, Listed]],
    gone: list[tuple[UUID, int]],
    persons: list[UUID],
) -> None:
    # two askers may have seen the same listing: the second must see what the first made of it
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('reconcile'))"))
    lock(connection, [*(item[0] for item in accepted), *(item[0] for item in gone), *persons])
    connection.execute(
        text("""
        UPDATE attempt a SET state = 'accepted', provider_ref = v.ref, reason = NULL,
            submitted_at = v.at
        FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS int[]), CAST(:refs AS text[]),
            CAST(:ats AS timestamptz[])) AS v(id, number, ref, at)
        WHERE a.id = v.id AND a.lease_number = v.number AND a.state = 'unknown'
        AND NOT EXISTS (SELECT 1 FROM attempt o
            WHERE o.provider = a.provider AND o.provider_ref = v.ref AND o.id <> a.id)
        -- nor one that went out to the number while we asked: asked again when it is settled
        AND NOT EXISTS (SELECT 1 FROM attempt o WHERE o.phone_id = a.phone_id
            AND o.channel = a.channel AND o.leased_at > a.leased_at
            AND o.leased_at < v.at + CAST(:whole AS interval)
            AND (o.state = 'leased' OR (o.state = 'unknown' AND NOT o.needs_person)))
        """),
        {
            "ids": [item[0] for item in accepted],
            "numbers": [item[1] for item in accepted],
            "refs": [item[2].provider_ref for item in accepted],
            "ats": [item[2].created_at for item in accepted],
            "whole": WHOLE_SECOND,
        },
    )
    connection.execute(
        text("""
        UPDATE attempt a SET state = 'planned', reason = 'not_taken', provider = NULL,
            lease_until = NULL, submitted_at = NULL
        FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS int[])) AS v(id, number)
        WHERE a.id = v.id AND a.lease_number = v.number AND a.state = 'unknown'
        AND NOT EXISTS (SELECT 1 FROM event e WHERE e.attempt_id = a.id)
        """),
        {"ids": [item[0] for item in gone], "numbers": [item[1] for item in gone]},
    )
    connection.execute(
        text("UPDATE attempt SET needs_person = true WHERE id = ANY(:ids) AND state = 'unknown'"),
        {"ids": persons},
    )
    settle(connection, [item[0] for item in accepted])
