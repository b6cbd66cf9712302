"""Calling somebody from the desk: checked once more, and placed by a carrier where wanted.

A call by click rings the operator's own telephone first. When they pick up, the carrier asks us
whom to connect them to (``resident_of``): the number is in no address and no request before.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from contact_service.bootstrap import Service
from contact_service.callcentre.incoming import LEFT_ALONE, rules_of
from contact_service.clock import TOKYO
from contact_service.domain.actors import SYSTEM, Actor, Role, require
from contact_service.domain.numbers import classify
from contact_service.domain.states import PlacedCallResult
from contact_service.domain.windows import is_open
from contact_service.planning.definitions import definitions_of
from contact_service.store import audit, left_alone
from providers.words import is_extension


class MustNotCall(Exception):
    """This person must not be called now; the text says why."""


class NoTelephone(Exception):
    """What was typed is no telephone that a carrier can ring."""


@dataclass(frozen=True, slots=True)
class ToPlace:
    """A call that is written down, and that nobody has asked a carrier for yet."""

    id: UUID
    operator_phone: str
    """E.164, or an extension: rings first."""


def telephone_of(service: Service, actor: Actor) -> str | None:
    """The operator's own telephone: E.164, or its extension on the office's exchange."""
    with service.engine.connect() as connection:
        return _telephone(connection, service, actor.name)


def set_telephone(
    service: Service, actor: Actor, typed: str, now: datetime, extensions: bool = False
) -> None:
    """Where calls are put through to from now on; an empty text forgets it. ``extensions``: a line
    leads to an exchange, whose telephones may be named by their extensions. Raises
    :class:`NoTelephone`."""
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.begin() as connection:
        if not typed.strip():
            connection.execute(
                text("DELETE FROM operator_phone WHERE operator = :name"), {"name": actor.name}
            )
        else:
            number = _read(typed, extensions)
            connection.execute(
                text("""
                INSERT INTO operator_phone (operator, number) VALUES (:name, :number)
                ON CONFLICT (operator) DO UPDATE SET number = excluded.number
                """),
                {
                    "name": actor.name,
                    "number": service.vault.seal("operator_phone.number", number),
                },
            )
        audit.record(connection, now, actor, "desk.telephone", actor.name)


def _read(typed: str, extensions: bool) -> str:
    plain = unicodedata.normalize("NFKC", typed).strip().removeprefix("内線").strip()
    if extensions and is_extension(plain):
        return plain
    found = classify(typed)
    if len(found) == 1 and found[0].e164 is not None:
        return found[0].e164
    if extensions:
        raise NoTelephone(
            "電話番号を読み取れません。内線番号（2～6けた、例 2301）か、市外局番からの番号"
            "（例 03-5432-1111）を入力してください / this is no telephone number: type an "
            "extension of 2 to 6 digits (2301), or the number with its area code (03-5432-1111)"
        )
    raise NoTelephone(
        "電話番号を読み取れません。市外局番から入力してください（例 03-5432-1111） / "
        "this is no telephone number: type it with its area code (03-5432-1111)"
    )


def may_call_now(
    connection: Connection, service: Service, conversation_id: UUID, now: datetime
) -> None:
    """Raise :class:`MustNotCall` for whom something has come up since they were opened: a
    payment, a restriction, the end of the hours."""
    of = {"id": conversation_id} | left_alone.parameters(now.astimezone(TOKYO).date())
    row = connection.execute(_JUDGE_ATTEMPT, of).one_or_none()
    if row is not None:
        hours = definitions_of(connection, {row.run_id})[row.run_id].hours
        restricted, paid, requested = row.restricted, row.paid, row.requested
    else:
        call = connection.execute(_JUDGE_CALL, of).one_or_none()
        if call is None or not call.call_back:
            return
        hours, restricted, paid, requested = rules_of(service).hours, call.restricted, False, True
    stopped = connection.scalar(_STOPPED)
    why = None
    if paid:
        why = "納付が確認されました。電話はかけません / it has been paid: do not call"
    elif restricted:
        why = "催告してはいけない方になりました。電話はかけません / restricted: do not call"
    elif stopped and not requested:
        why = "架電は停止されています / calling has been stopped"
    elif not is_open(hours, now):
        why = "電話をかけてよい時間ではありません / outside the hours for calling"
    if why is not None:
        raise MustNotCall(why)


_JUDGE_ATTEMPT = text(f"""
SELECT a.run_id, a.requested, ({left_alone.TARGET_RESTRICTED}) AS restricted,
    NOT EXISTS (SELECT 1 FROM target_claim tc JOIN claim c ON c.id = tc.claim_id
        WHERE tc.target_id = t.id AND c.outstanding_yen > 0) AS paid
FROM attempt a JOIN target t ON t.id = a.target_id WHERE a.id = :id
""")
_JUDGE_CALL = text(f"""
SELECT i.due_at IS NOT NULL AS call_back, {LEFT_ALONE} AS restricted
FROM inbound_call i WHERE i.id = :id
""")
_STOPPED = text("SELECT 1 FROM stop_switch WHERE scope IN ('all', 'channel:operator') LIMIT 1")


def write_down(
    service: Service,
    actor: Actor,
    conversation_id: UUID,
    press: UUID,
    provider: str,
    live: bool,
    now: datetime,
) -> ToPlace | None:
    """Write down that a call is to be placed, before any carrier is asked: pressed twice, the
    second time is ``None``. Raises :class:`MustNotCall` and :class:`NoTelephone`."""
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.begin() as connection:
        may_call_now(connection, service, conversation_id, now)
        telephone = _telephone(connection, service, actor.name)
        if telephone is None:
            raise NoTelephone(
                "先に、自分の電話番号を入力してください / first enter your own telephone"
            )
        if live and connection.scalar(_TRAINING, {"id": conversation_id}):
            raise MustNotCall(
                "訓練用のデータです。実際の電話はかけません / training data: nobody is called"
            )
        written = connection.execute(
            text("""
            INSERT INTO placed_call (id, conversation_id, operator, provider, placed_at, result)
            VALUES (:id, :conversation, :operator, :provider, :now, 'asked')
            ON CONFLICT (id) DO NOTHING
            """),
            {
                "id": press,
                "conversation": conversation_id,
                "operator": actor.name,
                "provider": provider,
                "now": now,
            },
        ).rowcount
        if not written:
            return None
        audit.record(connection, now, actor, "call.placed", str(conversation_id), by=provider)
    return ToPlace(press, telephone)


_TRAINING = text("""
SELECT bool_or(d.training) FROM debtor d WHERE d.id IN (
    SELECT c.debtor_id FROM attempt a JOIN target_claim tc ON tc.target_id = a.target_id
    JOIN claim c ON c.id = tc.claim_id WHERE a.id = :id
    UNION ALL
    SELECT dp.debtor_id FROM inbound_call i JOIN debtor_phone dp ON dp.phone_id = i.phone_id
    WHERE i.id = :id)
""")


def placed(
    service: Service, placed_id: UUID, result: PlacedCallResult, provider_ref: str | None
) -> None:
    """What the carrier answered."""
    with service.engine.begin() as connection:
        connection.execute(
            text("UPDATE placed_call SET result = :result, provider_ref = :ref WHERE id = :id"),
            {"id": placed_id, "result": result.value, "ref": provider_ref},
        )


def resident_of(service: Service, placed_id: UUID, now: datetime) -> str | None:
    """Whom an operator who has picked up is connected to, E.164; ``None``: nobody any more. The
    conversation must still be with that operator."""
    with service.engine.begin() as connection:
        row = connection.execute(
            text("""
            SELECT c.conversation_id, p.number AS attempted, i.number AS called
            FROM placed_call c
            LEFT JOIN attempt a ON a.id = c.conversation_id AND a.state = 'leased'
                AND a.lease_owner = c.operator
            LEFT JOIN phone p ON p.id = a.phone_id
            LEFT JOIN inbound_call i ON i.id = c.conversation_id AND i.state = 'taken'
                AND i.taken_by = c.operator
            WHERE c.id = :id
            """),
            {"id": placed_id},
        ).one_or_none()
        if row is None:
            return None
        try:
            may_call_now(connection, service, row.conversation_id, now)
        except MustNotCall:
            audit.record(connection, now, SYSTEM, "call.not_connected", str(row.conversation_id))
            return None
    vault = service.vault
    if row.attempted:
        return vault.open("phone.number", row.attempted)
    return vault.open("inbound_call.number", row.called) if row.called else None


def _telephone(connection: Connection, service: Service, operator: str) -> str | None:
    sealed = connection.scalar(
        text("SELECT number FROM operator_phone WHERE operator = :name"), {"name": operator}
    )
    return service.vault.open("operator_phone.number", sealed) if sealed else None
