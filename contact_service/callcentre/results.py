"""What came of contacts, for a supervisor's review: conversations, and what carriers reported.

Conversations are operators' calls out, calls that came in, and calls back; what SMS and auto-calls
came to is shown beside them when it is asked for. Lists hold person codes, never names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from campaigns.definition import Definition
from campaigns.vocabulary import Outcome
from contact_service.bootstrap import Service
from contact_service.callcentre.own import own_kinds, recorded_for_own_office
from contact_service.clock import TOKYO
from contact_service.domain.actors import Actor, Role, require
from contact_service.domain.states import DispositionKind, QualityMark
from contact_service.people.search import OWED_TO_THEM
from contact_service.planning.definitions import definitions_of, kinds_of, of_own_kinds


class Way(StrEnum):
    """How a contact came about."""

    OPERATOR = "operator"  # 架電: an operator called a campaign's target
    INBOUND = "inbound"  # 受電
    CALL_BACK = "call_back"  # かけ直し of a call that came in
    SMS = "sms"
    AUTO_CALL = "auto_call"


WAY_JA = {
    Way.OPERATOR: "架電",
    Way.INBOUND: "受電",
    Way.CALL_BACK: "かけ直し",
    Way.SMS: "SMS",
    Way.AUTO_CALL: "オートコール",
}
WAY_EN = {
    Way.OPERATOR: "call out",
    Way.INBOUND: "call in",
    Way.CALL_BACK: "call back",
    Way.SMS: "SMS",
    Way.AUTO_CALL: "auto-call",
}
#: The ways whose results a carrier reported.
AUTOMATIC = (Way.SMS, Way.AUTO_CALL)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters; what is ``None`` is not filtered by. Days are those in Tokyo, both included."""

    first: date
    last: date
    operator: str | None = None
    campaign: str | None = None
    """A definition's key."""
    way: Way | None = None
    """``None``: all conversations."""
    result: DispositionKind | Outcome | None = None

    @property
    def automatic(self) -> bool:
        """Whether it is carriers' reports that are wanted."""
        return self.way in AUTOMATIC or (self.way is None and isinstance(self.result, Outcome))


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of the list."""

    disposition_id: int | None
    """``None``: nobody spoke."""
    at: datetime
    way: Way
    operator: str | None
    result: DispositionKind | Outcome
    sub_reason: str | None
    campaign: str | None
    """Its title."""
    codes: Sequence[str]
    """Person codes (宛名番号)."""
    talk_seconds: int | None
    corrected: bool
    sampled: bool
    mark: QualityMark | None
    attempt_id: UUID | None
    """``None``: somebody called."""


#: After which line of the list a page begins: its instant, conversation (0: none) and attempt.
Place = tuple[datetime, int, UUID | None]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the list, the newest first, and how often each result there is in all of it."""

    shown: Sequence[Shown]
    counts: Sequence[tuple[DispositionKind | Outcome, int]]
    total: int


def day_begins(day: date) -> datetime:
    """Midnight in Tokyo."""
    return datetime.combine(day, time.min, TOKYO)


#: Conversations with what is filtered and shown; ``c`` is the call log's row, where there is one.
CONVERSATIONS = """
SELECT d.id AS disposition_id, d.recorded_at AS at, d.recorded_by AS operator, d.kind AS result,
    d.sub_reason, t.run_id, d.attempt_id, d.inbound_call_id, a.target_id, i.phone_id AS called_by,
    i.debtor_id, d.office,
    CASE WHEN d.attempt_id IS NOT NULL THEN 'operator' WHEN i.due_at IS NOT NULL THEN 'call_back'
        ELSE 'inbound' END AS way
FROM disposition d
LEFT JOIN attempt a ON a.id = d.attempt_id
LEFT JOIN inbound_call i ON i.id = d.inbound_call_id
LEFT JOIN target t ON t.id = coalesce(a.target_id, (SELECT p.target_id FROM promise p
    WHERE p.disposition_id = d.id), (SELECT r.target_id FROM referral r
    WHERE r.disposition_id = d.id), (SELECT near.target_id FROM attempt near
    WHERE near.phone_id = i.phone_id AND near.submitted_at <= i.came_at
    AND near.submitted_at > i.came_at - interval '72 hours'
    ORDER BY near.submitted_at DESC LIMIT 1))
"""
#: The call log's key of a conversation.
CALL_KEY = """
CASE WHEN v.attempt_id IS NOT NULL THEN 'attempt:' || v.attempt_id
    WHEN v.way = 'call_back' THEN 'call_back:' || v.inbound_call_id
    ELSE (SELECT left('inbound:' || i.provider || ':' || i.provider_ref, 78)
        FROM inbound_call i WHERE i.id = v.inbound_call_id) END
"""
_REPORTED = """
SELECT CAST(NULL AS bigint) AS disposition_id, coalesce(a.outcome_at, a.submitted_at) AS at,
    CAST(NULL AS text) AS operator, a.outcome AS result, CAST(NULL AS text) AS sub_reason, a.run_id,
    a.id AS attempt_id, CAST(NULL AS uuid) AS inbound_call_id, a.target_id,
    CAST(NULL AS bigint) AS called_by, CAST(NULL AS bigint) AS debtor_id,
    CAST(NULL AS text) AS office, a.channel AS way
FROM attempt a WHERE a.channel IN ('sms', 'auto_call') AND a.outcome IS NOT NULL
AND a.submitted_at IS NOT NULL
"""
_FILTERED = """
WITH wanted AS (
    SELECT v.* FROM ({source}) v
    WHERE v.at >= :begins AND v.at < :ends AND {own}
    AND (CAST(:operator AS text) IS NULL OR v.operator = :operator)
    AND (CAST(:way AS text) IS NULL OR v.way = :way)
    AND (CAST(:result AS text) IS NULL OR v.result = :result)
    AND (CAST(:campaign AS text) IS NULL OR v.run_id IN (
        SELECT r.id FROM run r JOIN campaign_version w ON w.id = r.campaign_version_id
        WHERE w.definition ->> 'campaign' = :campaign))
)
"""
#: Whom a conversation or a contact was about, of the office's people.
CODES = f"""
ARRAY(SELECT d.code FROM debtor d WHERE d.id IN (
    SELECT k.debtor_id FROM target_claim tc JOIN claim k ON k.id = tc.claim_id
    WHERE tc.target_id = v.target_id
    UNION SELECT v.debtor_id
    UNION SELECT dp.debtor_id FROM debtor_phone dp
    WHERE dp.phone_id = v.called_by AND v.debtor_id IS NULL) AND {OWED_TO_THEM}
    ORDER BY d.code)
"""


def title_told(actor: Actor, row: Row[Any], definitions: Mapping[UUID, Definition]) -> str | None:
    """The title of a conversation's campaign. That of a call is only what probably caused it, and
    another office's is not named."""
    if row.run_id is None:
        return None
    definition = definitions[row.run_id]
    own = row.target_id is not None or all(actor.sees(kind) for kind in kinds_of(definition))
    return definition.title if own else None


def results(
    service: Service,
    actor: Actor,
    wanted: Wanted,
    limits: Mapping[str, int],
    after: Place | None = None,
) -> Found:
    """The results that fit and are the actor's office's: of those shown, the ``limit`` and
    ``offset`` of a page, or those ``after`` a line."""
    require(actor, Role.SUPERVISOR)
    source = _REPORTED if wanted.automatic else CONVERSATIONS
    values: dict[str, Any] = {
        "begins": day_begins(wanted.first),
        "ends": day_begins(wanted.last + timedelta(days=1)),
        "operator": wanted.operator,
        "way": wanted.way,
        "result": wanted.result,
        "campaign": wanted.campaign,
    } | own_kinds(actor)
    filtered = _FILTERED.format(source=source, own=recorded_for_own_office("v"))
    with service.engine.connect() as connection:
        counts = connection.execute(
            text(
                f"{filtered} SELECT result, count(*) AS n FROM wanted GROUP BY 1 ORDER BY 2 DESC, 1"
            ),
            values,
        ).all()
        rows = connection.execute(
            text(f"""
            {filtered}
            SELECT v.*, {CODES} AS codes, c.talk_seconds, q.mark, q.disposition_id AS sampled,
                EXISTS (SELECT 1 FROM result_correction x
                    WHERE x.disposition_id = v.disposition_id) AS corrected
            FROM (SELECT * FROM wanted v
                WHERE CAST(:at AS timestamptz) IS NULL OR v.at < :at
                OR (v.at = :at AND (coalesce(v.disposition_id, 0) < :conversation
                    OR (coalesce(v.disposition_id, 0) = :conversation
                        AND v.attempt_id > CAST(:attempt AS uuid))))
                ORDER BY v.at DESC, coalesce(v.disposition_id, 0) DESC, v.attempt_id
                LIMIT :limit OFFSET :offset) v
            LEFT JOIN call c ON c.deduplication_key = {CALL_KEY}
            LEFT JOIN quality_review q ON q.disposition_id = v.disposition_id
            ORDER BY v.at DESC, coalesce(v.disposition_id, 0) DESC, v.attempt_id
            """),
            values
            | dict(limits)
            | dict(zip(("at", "conversation", "attempt"), after or (None, 0, None), strict=True)),
        ).all()
        titles = definitions_of(connection, {row.run_id for row in rows if row.run_id})
    kind = Outcome if wanted.automatic else DispositionKind
    return Found(
        [
            Shown(
                disposition_id=row.disposition_id,
                at=row.at,
                way=Way(row.way),
                operator=row.operator,
                result=kind(row.result),
                sub_reason=row.sub_reason,
                campaign=title_told(actor, row, titles),
                codes=row.codes,
                talk_seconds=row.talk_seconds,
                corrected=row.corrected,
                sampled=row.sampled is not None,
                mark=QualityMark(row.mark) if row.mark else None,
                attempt_id=row.attempt_id,
            )
            for row in rows
        ],
        [(kind(row.result), row.n) for row in counts],
        sum(row.n for row in counts),
    )


def is_own(connection: Connection, actor: Actor, disposition_id: int) -> bool:
    """Whether there is such a conversation, and it is the actor's office's."""
    found = connection.scalar(
        text(f"""
        SELECT 1 FROM ({CONVERSATIONS}) v
        WHERE v.disposition_id = :id AND {recorded_for_own_office("v")}
        """),
        {"id": disposition_id} | own_kinds(actor),
    )
    return found is not None


#: From one to the next by the index, however many results each has; then the first of each that
#: is the office's.
_OPERATORS = text(f"""
WITH RECURSIVE everybody AS (
    SELECT min(recorded_by) AS name FROM disposition
    UNION ALL
    SELECT (SELECT min(d.recorded_by) FROM disposition d WHERE d.recorded_by > e.name)
    FROM everybody e WHERE e.name IS NOT NULL
)
SELECT e.name FROM everybody e WHERE e.name IS NOT NULL AND EXISTS (
    SELECT FROM ({CONVERSATIONS}) v WHERE v.operator = e.name AND {recorded_for_own_office("v")})
ORDER BY 1
""")


def who_and_what(service: Service, actor: Actor) -> tuple[Sequence[str], Sequence[tuple[str, str]]]:
    """What can be filtered by: operators with results that the actor sees, and campaigns by key
    and title."""
    require(actor, Role.SUPERVISOR)
    with service.engine.connect() as connection:
        operators = connection.scalars(_OPERATORS, own_kinds(actor)).all()
        campaigns = connection.execute(
            text(f"""
            SELECT DISTINCT ON (w.definition ->> 'campaign') w.definition ->> 'campaign' AS key,
                w.definition ->> 'title' AS title
            FROM run r JOIN campaign_version w ON w.id = r.campaign_version_id
            WHERE {of_own_kinds("w")} ORDER BY 1, w.id DESC
            """),
            own_kinds(actor),
        ).all()
    return operators, [(row.key, row.title) for row in campaigns]
