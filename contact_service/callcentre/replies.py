"""Replies by SMS: who wants to be called is called back; what is not understood an operator reads.

Stopping and "it is paid" are dealt with when a message is stored (``receipts.messages``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from contact_service.bootstrap import Service
from contact_service.callcentre.incoming import LastContact, call_me_back, last_contact
from contact_service.callcentre.restricting import restrict_number
from contact_service.domain.actors import Actor, Role, require
from contact_service.domain.numbers import classify
from contact_service.domain.restrictions import RestrictionKind
from contact_service.domain.states import ReplyKind
from contact_service.people.restricting import ask_to_lift
from contact_service.people.search import OWED_TO_THEM, message_of_theirs, office_of
from contact_service.store import audit


class CannotLift(Exception):
    """An opt-out cannot be taken back like this; the text says why."""


@dataclass(frozen=True, slots=True)
class OpenReply:
    """A message that an operator has to deal with."""

    id: int
    received_at: datetime
    says: ReplyKind
    taken_by: str | None
    body: str | None
    """Shown to whoever took it."""
    names: Sequence[str] | None
    """Whose number it is; ``None`` to all but whoever took it: reading it is recorded."""
    last: LastContact | None
    """What it probably answers; ``None`` to all but whoever took it."""


def call_who_asked(service: Service, now: datetime) -> int:
    """Plan a call back for everybody who wrote that they want to be called; how many."""
    with service.engine.begin() as connection:  # a rollback would forget what is prepared
        rows = connection.execute(
            text("""
            SELECT m.id, m.provider, m.provider_ref, p.number
            FROM inbound_message m JOIN phone p ON p.id = m.phone_id
            WHERE m.done_at IS NULL AND m.says = 'call_me' ORDER BY m.id LIMIT 100
            """)
        ).all()
    planned = 0
    for row in rows:
        number = service.vault.open("phone.number", row.number)
        if call_me_back(service, row.provider, row.provider_ref, number, now) is None:
            continue  # no half-hour is open: an operator sees the message
        with service.engine.begin() as connection:
            connection.execute(
                text("UPDATE inbound_message SET done_at = :now WHERE id = :id"),
                {"now": now, "id": row.id},
            )
        planned += 1
    return planned


def open_replies(service: Service, actor: Actor) -> Sequence[OpenReply]:
    """What has to be read, the oldest first."""
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.connect() as connection:
        rows = connection.execute(
            text(f"""
            SELECT m.id, m.received_at, m.says, m.taken_by, m.body, m.phone_id, ARRAY(
                SELECT d.name FROM debtor_phone dp JOIN debtor d ON d.id = dp.debtor_id
                WHERE dp.phone_id = m.phone_id AND d.name IS NOT NULL AND {OWED_TO_THEM}
                ORDER BY d.id) AS names
            FROM inbound_message m WHERE m.done_at IS NULL AND {message_of_theirs("m")}
            ORDER BY m.received_at, m.id LIMIT 50
            """),
            office_of(actor),
        ).all()
        mine = {
            row.id: last_contact(connection, actor, row.phone_id, row.received_at)
            for row in rows
            if row.taken_by == actor.name
        }
    opened = service.vault.open
    return [
        OpenReply(
            row.id,
            row.received_at,
            ReplyKind(row.says),
            row.taken_by,
            opened("inbound_message.body", row.body) if row.id in mine else None,
            [opened("debtor.name", name) for name in row.names] if row.id in mine else None,
            mine.get(row.id),
        )
        for row in rows
    ]


def unread(connection: Connection, actor: Actor) -> int:
    """How many messages that are the actor's office's to read nobody reads yet."""
    found: int = connection.scalar(
        text(f"""
        SELECT count(*) FROM inbound_message m
        WHERE m.done_at IS NULL AND m.taken_by IS NULL AND {message_of_theirs("m")}
        """),
        office_of(actor),
    )
    return found


def take_reply(service: Service, actor: Actor, message_id: int, now: datetime) -> bool:
    """An operator reads a message; nobody else has it then. Whether they have it."""
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.begin() as connection:
        mine = connection.execute(
            text(f"""
            UPDATE inbound_message m SET taken_by = :me
            WHERE m.id = :id AND m.done_at IS NULL AND (m.taken_by IS NULL OR m.taken_by = :me)
            AND {message_of_theirs("m")}
            """),
            {"id": message_id, "me": actor.name} | office_of(actor),
        ).rowcount
        if mine:
            audit.record(connection, now, actor, "messages.read", f"message:{message_id}", count=1)
        return bool(mine)


def reply_done(
    service: Service, actor: Actor, message_id: int, became: ReplyKind, now: datetime
) -> bool:
    """An operator has dealt with a message that they took, and says what it meant: somebody who
    wants to be called is called back, and who wants no more contacts is left alone at once."""
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.begin() as connection:
        row = connection.execute(
            text("""
            UPDATE inbound_message SET says = CAST(:says AS text),
                done_at = CASE WHEN CAST(:says AS text) <> 'call_me'
                    THEN CAST(:now AS timestamptz) END,
                opted_out = opted_out OR CAST(:says AS text) = 'stop'
            WHERE id = :id AND taken_by = :me AND done_at IS NULL RETURNING phone_id
            """),
            {"id": message_id, "me": actor.name, "now": now, "says": became.value},
        ).one_or_none()
        if row is None:
            return False
        if became is ReplyKind.STOP:
            restrict_number(connection, row.phone_id, RestrictionKind.OPTED_OUT, now)
        audit.record(
            connection, now, actor, "message.done", f"message:{message_id}", says=became.value
        )
    if became is ReplyKind.CALL_ME:
        call_who_asked(service, now)
    return True


def contact_again(service: Service, actor: Actor, typed: str, asked_by: str, reason: str) -> None:
    """Ask to take back an opt-out because the person asked for it, as ``asked_by`` has heard. A
    name that is typed is no second person: somebody else decides
    (:func:`~contact_service.people.restricting.decide_lift`). Raises :class:`CannotLift`, and
    :class:`~contact_service.people.restricting.CannotRestrict` when it is asked for already."""
    require(actor, Role.SUPERVISOR)
    asked_by, reason = asked_by.strip(), reason.strip()
    found = classify(typed)
    number = found[0].e164 if len(found) == 1 else None
    if number is None:
        raise CannotLift(
            "電話番号を読み取れません。本人の番号を市外局番から入力してください（例 090-1234-5678）"
            " / this is no telephone number: enter the person's whole number"
        )
    if not reason:
        raise CannotLift(
            "いつ、本人がどう申し出たかを書いてください（例 11月9日の電話で、再開してほしいと）"
            " / write when and how the person asked"
        )
    if not asked_by or asked_by == actor.name:
        raise CannotLift(
            "申出を聞いた人の利用者名を入力してください。頼む人とは別の人です / "
            "enter the user name of whoever heard the request: somebody else than whoever asks "
            "to lift the restriction"
        )
    with service.engine.begin() as connection:
        known = connection.scalar(
            text("SELECT 1 FROM user_account WHERE name = :name"), {"name": asked_by}
        )
        if not known:
            raise CannotLift(
                "その利用者名の人はいません。サインインに使う名前を、その人に聞いてください / "
                "there is no such user: ask them for the name that they sign in with"
            )
        restrictions = connection.scalars(
            text("""
            SELECT id FROM restriction WHERE kind = :kind AND lifted_at IS NULL AND phone_id =
                (SELECT id FROM phone WHERE number_index = ANY(:indexes))
            """),
            {
                "kind": RestrictionKind.OPTED_OUT.value,
                "indexes": service.vault.indexes("phone", number),
            },
        ).all()
    if not restrictions:
        raise CannotLift(
            "その番号に連絡停止の申出はありません。番号を確かめてください。人の画面（宛名番号で検索）に"
            "今の制限があります / nobody opted out by this number: check it; the person's page "
            "shows what is in force"
        )
    for restriction_id in restrictions:
        ask_to_lift(service, actor, restriction_id, f"{asked_by}: {reason[:500]}")
