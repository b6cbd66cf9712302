"""What operators concluded, and what follows: call log, promise, referral, restriction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, insert, select, text, update

from campaigns.messages import render
from campaigns.vocabulary import NumberKind
from contact_service.bootstrap import Service
from contact_service.callcentre.call_backs import TRIES, next_try
from contact_service.callcentre.house_rules import HouseRules, house_rules
from contact_service.callcentre.own import target_is_own
from contact_service.callcentre.restricting import (
    RESTRICTS_PERSON,
    people_of_target,
    restrict_people,
)
from contact_service.clock import TOKYO
from contact_service.dispatch.contacts import office
from contact_service.dispatch.settle import settle
from contact_service.domain.actors import Actor, Role, require
from contact_service.domain.identity import derived_id
from contact_service.domain.numbers import classify
from contact_service.domain.states import (
    CALL_RESULT_OF,
    DISPOSITION_JA,
    OUTCOME_OF_DISPOSITION,
    AttemptState,
    CallResult,
    DispositionKind,
)
from contact_service.intake.fields import PAYMENT_METHODS
from contact_service.planning.definitions import definitions_of
from contact_service.store import audit
from contact_service.store.tables.calls import (
    call,
    disposition,
    promise,
    referral,
    support_text,
)
from contact_service.store.tables.contacts import attempt
from contact_service.store.tables.ledger import debtor, debtor_phone, phone

#: Results that somebody agreed to: they take the person themselves, identified.
AGREED = (DispositionKind.PROMISED, DispositionKind.INSTALMENTS)

#: How long after its time a call back that nobody made is still made.
CALL_BACK_EXPIRES = timedelta(days=3)


class NotYours(Exception):
    """The attempt is not with this operator (any more)."""


class Incomplete(Exception):
    """What was said of a conversation lacks something, or contradicts itself."""


@dataclass(frozen=True, slots=True)
class PromisedPayment:
    """納付約束: what will be paid, and by which day."""

    on: date
    amount_yen: int
    method: str | None = None
    """One of ``intake.fields.PAYMENT_METHODS``, if they said how."""
    instalments: int | None = None
    """Into how many parts; ``None``: at once."""


@dataclass(frozen=True, slots=True)
class CallBack:
    """A half-hour at which somebody wants to be called again."""

    at: datetime
    only_me: bool = False
    """Whether the same operator is to call."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One finished call of an operator."""

    attempt_id: UUID
    """The attempt; of a call that came in, the incoming call."""
    kind: DispositionKind
    started_at: datetime
    talk_seconds: int
    wrap_seconds: int
    promise: PromisedPayment | None = None
    note: str | None = None
    sub_reason: str | None = None
    call_back: CallBack | None = None
    support_desk: str | None = None
    """Where somebody in hardship is led; unset: the office's first desk."""
    text_support: bool = False
    """Whether they agreed to be sent the support desks by SMS."""
    answers: Sequence[str] = ()
    """Which of the guided questions somebody in hardship said yes to."""


def record_disposition(service: Service, actor: Actor, said: Conversation, now: datetime) -> None:
    """Write what an operator concluded, once. Saying the same again changes nothing.

    Hardship makes a referral and stops further chasing at once. Raises :class:`NotYours` and
    :class:`Incomplete`.
    """
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    rules = house_rules(service.settings.desk_file)
    check(said, rules, now)
    outcome = OUTCOME_OF_DISPOSITION[said.kind]
    with service.engine.begin() as connection:
        row = connection.execute(
            select(attempt).where(attempt.c.id == said.attempt_id).with_for_update()
        ).one_or_none()
        if (
            row is None
            or row.lease_owner != actor.name
            or not target_is_own(connection, actor, row.target_id)  # a system may name anybody
        ):
            raise NotYours("この方はあなたの担当ではありません / this person is not with you")
        if row.state == "finished":
            _must_be_the_same(connection, said)
            return
        # "planned": the talk outlasted the hold, and nobody else has the person yet
        if row.state not in ("leased", "planned"):
            raise NotYours("この方への連絡は終わっています / this contact has been closed")
        connection.execute(
            update(attempt)
            .where(attempt.c.id == said.attempt_id)
            .values(
                state="finished",
                outcome=outcome,
                outcome_at=said.started_at,
                submitted_at=said.started_at,
            )
        )
        sealed = connection.scalar(select(phone.c.number).where(phone.c.id == row.phone_id))
        number = service.vault.open("phone.number", sealed) if sealed else None
        write(
            connection, service, actor, said, row.target_id, now, number=number,
            attempt_id=said.attempt_id,
        )  # fmt: skip
        if said.kind in RESTRICTS_PERSON:
            people = people_of_target(connection, row.target_id)
            restrict_people(connection, people, RESTRICTS_PERSON[said.kind], now)
        connection.execute(
            insert(call).values(
                origin="operator",
                direction="outbound",
                started_at=said.started_at,
                talk_seconds=said.talk_seconds,
                wrap_seconds=said.wrap_seconds,
                result=CALL_RESULT_OF.get(outcome, CallResult.OTHER),
                extension=actor.name[:12],
                phone_id=row.phone_id,
                attempt_id=said.attempt_id,
                deduplication_key=f"attempt:{said.attempt_id}",
            )
        )
        # before the step's own rules plan a further try
        if said.call_back is not None:
            mine = actor.name if said.call_back.only_me else None
            plan_call_back(connection, row, said.call_back.at, mine)
        elif row.requested:
            _try_again(connection, row, said, rules, now)
        settle(connection, [said.attempt_id], finished=[said.attempt_id])
        audit.record(connection, now, actor, "disposition", str(said.attempt_id), kind=said.kind)


def write(
    connection: Connection,
    service: Service,
    actor: Actor,
    said: Conversation,
    target_id: UUID | None,
    now: datetime,
    *,
    number: str | None,
    attempt_id: UUID | None = None,
    inbound_call_id: UUID | None = None,
) -> None:
    """The result itself, and what goes with it."""
    made: int = connection.execute(
        insert(disposition)
        .values(
            attempt_id=attempt_id,
            inbound_call_id=inbound_call_id,
            kind=said.kind,
            sub_reason=said.sub_reason,
            note=service.vault.seal("disposition.note", said.note) if said.note else None,
            recorded_at=now,
            recorded_by=actor.name,
            office=actor.office,
        )
        .returning(disposition.c.id)
    ).scalar_one()
    goes_with(connection, service, said, made, target_id, now)
    if said.text_support:
        _plan_support_text(connection, service, actor, made, said, number, now)


def goes_with(
    connection: Connection,
    service: Service,
    said: Conversation,
    disposition_id: int,
    target_id: UUID | None,
    now: datetime,
) -> None:
    """The promise or referral that goes with a result."""
    if said.promise is not None:
        connection.execute(
            insert(promise).values(
                disposition_id=disposition_id,
                target_id=target_id,
                promised_on=said.promise.on,
                amount_yen=said.promise.amount_yen,
                method=said.promise.method,
                instalments=said.promise.instalments,
            )
        )
    if said.kind is DispositionKind.HARDSHIP:
        desks = house_rules(service.settings.desk_file).support_desks
        connection.execute(
            insert(referral).values(
                disposition_id=disposition_id,
                target_id=target_id,
                desk=said.support_desk or desks[0].name,
                referred_at=now,
                answers=list(said.answers),
            )
        )


def _plan_support_text(
    connection: Connection,
    service: Service,
    actor: Actor,
    disposition_id: int,
    said: Conversation,
    number: str | None,
    now: datetime,
) -> None:
    """Have the support desks sent to the number that was spoken on: the one they were led to
    first. Raises :class:`Incomplete` where no SMS can be received."""
    if number is None or {found.kind for found in classify(number)} != {NumberKind.MOBILE}:
        raise Incomplete(
            "この番号にはSMSを送れません。相談先を口頭で伝え、印を外してください / this number "
            "receives no SMS: tell them the support desks and take the mark away"
        )
    rules = house_rules(service.settings.desk_file)
    chosen = said.support_desk or rules.support_desks[0].name
    desks = sorted(rules.support_desks, key=lambda desk: desk.name != chosen)
    named = "、".join(f"{desk.name} {desk.phone or ''}".strip() for desk in desks)
    connection.execute(
        insert(support_text).values(
            id=derived_id("support_text", disposition_id),
            disposition_id=disposition_id,
            number=service.vault.seal("support_text.number", number),
            training=select(func.coalesce(func.bool_or(debtor.c.training), False))
            .select_from(debtor_phone.join(debtor).join(phone))
            .where(phone.c.number_index.in_(service.vault.indexes("phone", number)))
            .scalar_subquery(),
            body=render(rules.support_text, {**office(service.settings), "support_desks": named}),
            state=AttemptState.PLANNED,
            due_at=now,
        )
    )
    audit.record(connection, now, actor, "support.texted", str(said.attempt_id), consent=True)


def check(said: Conversation, rules: HouseRules, now: datetime) -> None:
    """Raise :class:`Incomplete` for what an operator would have to be asked about again."""
    today = now.astimezone(TOKYO).date()
    allowed = [one.ja for one in rules.sub_reasons.get(said.kind, [])]
    fault = None
    if (said.kind is DispositionKind.CALLBACK) != (said.call_back is not None):
        fault = (
            "「かけ直しの希望」には、かけ直す日時を選んでください（他の結果では選べません） / "
            "a call back needs its time, and no other result has one"
        )
    elif said.kind is not DispositionKind.PROMISED and said.promise is not None:
        fault = (
            "約束の日と金額は「納付約束」のときだけ記録できます / only a promise has a day and sum"
        )
    elif said.promise is not None and said.promise.amount_yen <= 0:
        fault = "約束の金額は1円以上です / a promise is of at least one yen"
    elif said.promise is not None and (said.promise.instalments or 2) < 2:
        fault = "分けて納める回数は2回以上です / instalments are at least two"
    elif said.promise is not None and said.promise.method not in (None, *PAYMENT_METHODS.values()):
        fault = "納付の方法を選んでください / there is no such way to pay"
    elif not set(said.answers) <= set(rules.hardship_questions):
        fault = "聞き取りの項目が変わりました。選び直してください / the questions have changed"
    elif said.promise is not None and said.promise.on < today:
        fault = "約束の日が過ぎています / the day of the promise has passed"
    elif said.call_back is not None and said.call_back.at <= now:
        fault = "かけ直す日時が過ぎています / the time of the call back has passed"
    elif said.sub_reason is not None and said.sub_reason not in allowed:
        fault = (
            f"「{DISPOSITION_JA[said.kind]}」に細目「{said.sub_reason}」はありません / "
            f"{said.kind} has no such sub-reason"
        )
    elif said.support_desk is not None and rules.desk(said.support_desk) is None:
        fault = "その相談先は登録されていません / there is no such support desk"
    if fault is not None:
        raise Incomplete(fault)


def plan_call_back(
    connection: Connection, row: Row[Any], at: datetime, reserved_for: str | None
) -> None:
    """The next try of the same step, at a time of its own: the person asked for it."""
    connection.execute(
        insert(attempt).values(
            id=derived_id(row.target_id, row.step, row.try_number + 1),
            run_id=row.run_id,
            target_id=row.target_id,
            phone_id=row.phone_id,
            step=row.step,
            try_number=row.try_number + 1,
            channel=row.channel,
            state=AttemptState.PLANNED,
            due_at=at,
            expires_at=at + CALL_BACK_EXPIRES,
            requested=True,
            reserved_for=reserved_for,
        )
    )


def _try_again(
    connection: Connection, row: Row[Any], said: Conversation, rules: HouseRules, now: datetime
) -> None:
    """A call back that nobody answered is tried again, by the office's rule."""
    tried = connection.scalar(
        text(f"SELECT {TRIES} FROM attempt a WHERE a.id = :id"), {"id": row.id}
    )
    hours = definitions_of(connection, {row.run_id})[row.run_id].hours
    at = next_try(rules, said.kind, tried, hours, now)
    if at is not None:
        plan_call_back(connection, row, at, row.reserved_for)


def _must_be_the_same(connection: Connection, said: Conversation) -> None:
    stored = connection.scalar(
        select(disposition.c.kind).where(disposition.c.attempt_id == said.attempt_id)
    )
    if stored != said.kind:
        ja = DISPOSITION_JA[DispositionKind(stored)] if stored else "なし"
        raise NotYours(
            f"すでに「{ja}」と記録されています。訂正は管理者に申し出てください / already "
            f"recorded as {stored}: ask a supervisor to correct it"
        )
