"""A campaign's message to the telephone of whoever plans it, to see how it arrives.

It goes the way of every text (``support_texts``): leased, handed over once, recorded, stopped by
every stop. It is no attempt of a campaign and counts nowhere as a contact: no number that the
ledger knows is taken. Who asked for which message is in the audit log, without the number, which is
sealed and removed once it is handed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection, insert, text

from campaigns.definition import Definition
from campaigns.messages import office_values, render
from campaigns.vocabulary import Channel, Language, NumberKind
from contact_service.bootstrap import Service
from contact_service.dispatch.providers import configured
from contact_service.domain.actors import Actor, Role, require, require_kinds
from contact_service.domain.life import CannotDo
from contact_service.domain.numbers import classify
from contact_service.domain.states import AttemptState
from contact_service.planning.definitions import definition_of_version, kinds_of
from contact_service.store import audit
from contact_service.store.tables.calls import support_text

ASKERS = (Role.STAFF, Role.APPROVER)
ASKED, REFUSED = "test_message.ask", "test_message.refused"
#: So many of one person's within an hour, refused ones among them.
MOST, WITHIN = 5, timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class OwnText:
    """What became of one, without its number."""

    at: datetime
    state: AttemptState
    body: str


def messages_of(definition: Definition) -> Mapping[str, Sequence[Language]]:
    """The SMS of a definition by name, each with the languages in which it is written."""
    names = [step.message for step in definition.steps if step.channel is Channel.SMS]
    return {
        name: list(definition.messages[name].languages)
        for name in dict.fromkeys(names)
        if name is not None
    }


def ask(
    service: Service,
    actor: Actor,
    version_id: int,
    message: str,
    language: Language,
    number: str,
    again: str,
    now: datetime,
) -> None:
    """Have ``message`` of a version sent to ``number``, which was written twice.

    Raises ``NotAllowed``, and ``CannotDo`` for a number that is none, receives no SMS, or is in
    the ledger, for a message that is not there, and after too many within the hour.
    """
    require(actor, *ASKERS)
    to = _own_number(number, again)
    with service.engine.begin() as connection:
        definition = definition_of_version(connection, version_id)
        require_kinds(actor, kinds_of(definition))
        if language not in messages_of(definition).get(message, ()):
            raise CannotDo("文面を選び直してください / choose the message again")
        _must_not_be_too_many(connection, actor, now)
        known = _is_known(connection, service, to)
        if known:  # a guess at who is in the ledger: it counts, and stays on record
            audit.record(connection, now, actor, REFUSED, f"version:{version_id}")
        else:
            made = _plan(connection, service, actor, to, definition, message, language, now)
            audit.record(
                connection, now, actor, ASKED, f"support_text:{made}",
                version=version_id, message=message, language=language.value,
            )  # fmt: skip
    if known:
        raise CannotDo(
            "この番号には送れません。試し送信は自分の番号だけにできます / nothing is sent to this "
            "number: a test goes to nobody's number but your own"
        )


def _plan(
    connection: Connection,
    service: Service,
    actor: Actor,
    to: str,
    definition: Definition,
    message: str,
    language: Language,
    now: datetime,
) -> UUID:
    office = office_values(service.settings.office_name, service.settings.office_phone)
    made = uuid4()
    connection.execute(
        insert(support_text).values(
            id=made,
            tested_by=actor.name,
            number=service.vault.seal("support_text.number", to),
            # whichever carrier there is shall take it; a live one takes no training data
            training=not any(carrier.live for carrier in configured(service.settings)),
            body=render(definition.words(definition.messages[message], language), office),
            state=AttemptState.PLANNED,
            due_at=now,
        )
    )
    return made


def latest(connection: Connection, actor: Actor) -> list[OwnText]:
    """What became of the last few that somebody asked for."""
    rows = connection.execute(
        text("""
        SELECT due_at, state, body FROM support_text WHERE tested_by = :name
        ORDER BY due_at DESC, id LIMIT 3
        """),
        {"name": actor.name},
    )
    return [OwnText(row.due_at, AttemptState(row.state), row.body) for row in rows]


def _own_number(number: str, again: str) -> str:
    found, repeated = classify(number), classify(again)
    if len(found) != 1 or found[0].e164 is None or found[0].kind is not NumberKind.MOBILE:
        raise CannotDo(
            "SMSを受け取れる携帯電話の番号を一つ入れてください / write one mobile number"
        )
    if found != repeated:
        raise CannotDo(
            "二つの番号が違います。自分の番号を確かめて、入れ直してください / the two numbers "
            "differ: write your own number twice"
        )
    return found[0].e164


def _is_known(connection: Connection, service: Service, number: str) -> bool:
    found = connection.scalar(
        text("SELECT true FROM phone WHERE number_index = ANY(:indexes) LIMIT 1"),
        {"indexes": service.vault.indexes("phone", number)},
    )
    return bool(found)


def _must_not_be_too_many(connection: Connection, actor: Actor, now: datetime) -> None:
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtext('test_message:' || :name))"),
        {"name": actor.name},
    )
    count = connection.scalar(
        text("""
        SELECT count(*) FROM audit_log
        WHERE actor = :name AND action = ANY(:actions) AND at > :since
        """),
        {"name": actor.name, "actions": [ASKED, REFUSED], "since": now - WITHIN},
    )
    if int(count or 0) >= MOST:
        raise CannotDo(
            f"試し送信は1時間に{MOST}通までです。しばらく待ってください / at most {MOST} tests "
            "within an hour: wait a while"
        )
