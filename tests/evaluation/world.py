"""A run with a known answer, written straight into the tables, set by set and seeded.

Of each arm exactly the given number of clusters pay. Every tenth cluster has two people with
a telephone each, and so two targets.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, text

from campaigns.definition import Definition
from contact_service.evaluation.chapters.summary import summary
from contact_service.evaluation.chapters.voice import voice_of
from contact_service.evaluation.document.model import Document
from contact_service.evaluation.facts import RunFacts
from contact_service.evaluation.forms import Format
from contact_service.evaluation.report import run_figures
from contact_service.evaluation.withholding import withhold
from tests.conftest import NOW

RUN = UUID("00000000-0000-5000-8000-000000000001")
START = date(2026, 9, 7)  # a Monday
CALLS_FROM = date(2026, 7, 13)
CALLS_TO = date(2026, 10, 9)
KNOWN_UNTIL = date(2026, 10, 26)

OFFICE_HOURS = [{"opens": "09:00", "closes": "17:00"}]
DEFINITION = {
    "campaign": "autumn-trial",
    "title": "秋の催告効果検証",
    "purpose": "SMSとオートコールの効果を、電話催告センターの負荷とあわせて確かめる。",
    "select": {"days_since_due": {"min": 1}},
    "hours": dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), OFFICE_HOURS),
    "arms": [
        {"name": "holdout", "title": "対照群（連絡しない）", "holdout": True},
        {"name": "sms", "title": "SMS"},
        {"name": "sms_call", "title": "SMS＋オートコール"},
    ],
    "allocation": {"seed": "autumn-2026"},
    "steps": [
        {"name": "sms-1", "channel": "sms", "start": {"at": "10:00"}, "message": "note"},
        {
            "name": "call-1",
            "channel": "auto_call",
            "arms": ["sms_call"],
            "start": {"after_days": 7},
            "script": "call",
        },
        {"name": "operators", "channel": "operator", "start": {"after_days": 14}},
    ],
    "messages": {"note": "{office} {centre_phone}"},
    "scripts": {"call": {"start": "hello", "nodes": {"hello": {"say": "こんにちは"}}}},
    "costs": {"sms_part_yen": 12, "call_minute_yen": 18, "operator_hour_yen": 2800},
}


@dataclass(frozen=True)
class World:
    """How many clusters each arm has, and how many of them pay."""

    arms: dict[str, tuple[int, int]] = field(
        default_factory=lambda: {"holdout": (80, 48), "sms": (70, 56), "sms_call": (75, 60)}
    )
    excluded: dict[str, int] = field(
        default_factory=lambda: {"restricted": 12, "no_number": 30, "amount": 7}
    )
    known_until: date | None = KNOWN_UNTIL
    calls_per_half_hour: int = 3
    training: bool = True
    seed: str = "world"


#: The same without the centre's own calls, of which there are most.
QUIET = World(calls_per_half_hour=-9)

#: Nobody, no payments file, no calls: whatever is written of it is written fast.
NOBODY = World(arms={}, known_until=None, calls_per_half_hour=-9)


@dataclass(frozen=True)
class Report:
    """A report as it was made."""

    document: Document
    figures: dict[str, Any]
    content: Callable[[Format], bytes]


def told(facts: RunFacts, counted: dict[str, Any], threshold: int = 1) -> dict[str, Any]:
    """Figures of which those below ``threshold`` are withheld (1: none), and their summary."""
    figures = withhold(counted, threshold)
    said = summary(facts, figures, voice_of(facts.definition, "en"))
    return {**figures, "summary": said, "facts": facts}


def figures_of(blank: Engine, world: World, *changes: str, threshold: int = 1) -> dict[str, Any]:
    """The figures of a world, after some further SQL; 1 withholds nothing. All is rolled back."""
    with blank.connect() as connection:
        build(connection, world)
        for change in changes:
            connection.execute(text(change))
        return told(*run_figures(connection, RUN, NOW), threshold)


def by_arm(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Rows by the arm that they are of."""
    return {row["arm"]: row for row in rows}


def build(connection: Connection, world: World) -> UUID:
    """Write the world; the run's identifier."""
    for statement in STATEMENTS:
        write(connection, world, statement)
    return RUN


def write(connection: Connection, world: World, statement: str) -> None:
    """Run one of :data:`STATEMENTS`; they build on one another, in one transaction."""
    definition = Definition.model_validate(DEFINITION).model_dump(mode="json")
    arms = [
        {"arm": arm, "clusters": clusters, "paid": paid}
        for arm, (clusters, paid) in world.arms.items()
    ]
    parameters = {
        "seed": world.seed,
        "run": RUN,
        "start": START,
        "arms": json.dumps(arms),
        "excluded": json.dumps(world.excluded),
        "definition": json.dumps(definition),
        "known": world.known_until,
        "calls_from": CALLS_FROM,
        "calls_to": CALLS_TO,
        "per_slot": world.calls_per_half_hour,
        "training": world.training,
    }
    names = {name: value for name, value in parameters.items() if f":{name}" in statement}
    connection.execute(text(statement), names)


STATEMENTS = (
    """
    CREATE FUNCTION pg_temp.draw(VARIADIC parts text[]) RETURNS double precision LANGUAGE sql
    STABLE AS $$
        SELECT ('x' || substr(md5(array_to_string(parts, '/')), 1, 8))::bit(32)::bigint
               / 4294967296.0
    $$
    """,
    """
    CREATE TEMPORARY TABLE unit ON COMMIT DROP AS
    SELECT row_number() OVER () AS cluster, arm, n <= paid AS pays
    FROM json_to_recordset(CAST(:arms AS json)) AS a(arm text, clusters int, paid int),
         generate_series(1, clusters) AS n
    """,
    """
    CREATE TEMPORARY TABLE person ON COMMIT DROP AS
    SELECT cluster, arm, pays, member, cluster * 10 + member AS id
    FROM unit, generate_series(1, CASE WHEN cluster % 10 = 0 THEN 2 ELSE 1 END) AS member
    """,
    """
    INSERT INTO source_file (kind, layout, name, sha256, size_bytes, training, rows, accepted,
                             updated, unchanged, rejected, skipped, imported_at, imported_by)
    SELECT kind, 'test', kind || '.csv', md5(kind), 1, :training, 1, 1, 0, 0, 0, 0, at, 'test'
    FROM (VALUES ('claims', CAST('2026-08-31' AS date)), ('payments', CAST(:known AS date)))
         AS f(kind, at)
    WHERE at IS NOT NULL
    """,
    "INSERT INTO household (code) SELECT 'H' || cluster FROM unit ORDER BY cluster",
    """
    INSERT INTO debtor (code, household_id, training, source_file_id)
    SELECT 'D' || p.id, h.id, true, (SELECT min(id) FROM source_file)
    FROM person p JOIN household h ON h.code = 'H' || p.cluster
    """,
    """
    INSERT INTO debtor (code, training, source_file_id)
    SELECT 'X' || reason || n, true, (SELECT min(id) FROM source_file)
    FROM json_each_text(CAST(:excluded AS json)) AS e(reason, size),
         generate_series(1, CAST(size AS int)) AS n
    """,
    """
    INSERT INTO phone (number, number_index, kind)
    SELECT '\\x00'::bytea, decode(md5('P' || id), 'hex'), 'mobile' FROM person
    """,
    """
    INSERT INTO claim (debtor_id, kind, legal_class, assessed_year, attributed_year, instalment,
                       notice_number, due_on, assessed_yen, collected_yen, outstanding_yen,
                       filed_outstanding_yen, filed_as_of, source_file_id, source_line)
    SELECT d.id,
           (ARRAY['resident_tax', 'health_insurance', 'care_insurance', 'nursery_fee'])
               [1 + floor(3.03 * pg_temp.draw(:seed, 'kind', p.id::text))::int],
           'compulsory_public', CASE WHEN n = 1 THEN 2026 ELSE 2025 END, 2026, n, 'N' || p.id,
           CAST(:start AS date) - 30 * n, 10000 * n, 0, 10000 * n, 10000 * n,
           CAST(:start AS date) - 7, (SELECT min(id) FROM source_file), 1
    FROM person p JOIN debtor d ON d.code = 'D' || p.id,
         generate_series(1, 1 + floor(2 * pg_temp.draw(:seed, 'claims', p.id::text))::int) AS n
    """,
    """
    INSERT INTO campaign_version (key, version, sha256, text, definition, created_at, created_by)
    VALUES ('autumn-trial', 1, md5('x') || md5('y'), 'x', CAST(:definition AS jsonb),
            CAST(:start AS date) - 10, 'test')
    """,
    """
    INSERT INTO run (id, campaign_version_id, as_of, seed, state, starts_at, planned_at, planned_by,
                     training, assessed_debtors, assessed_claims)
    SELECT :run, (SELECT max(id) FROM campaign_version), CAST(:start AS date) - 7, :seed,
           'completed', CAST(:start AS date) + time '09:00', CAST(:start AS date) - 3, 'test',
           :training, (SELECT count(*) FROM debtor), (SELECT count(*) FROM claim)
    """,
    """
    INSERT INTO exclusion (run_id, debtor_id, reason)
    SELECT :run, d.id, reason
    FROM json_each_text(CAST(:excluded AS json)) AS e(reason, size)
    JOIN debtor d ON d.code LIKE 'X' || reason || '%'
    """,
    """
    INSERT INTO target (id, run_id, cluster, stratum, arm, phone_id, phone_kind, addressee_id,
                        outstanding_yen, claims, age_band)
    SELECT md5('T' || p.id)::uuid, :run, p.cluster, c.kind, p.arm, f.id, 'mobile', d.id,
           c.outstanding_yen, c.claims,
           (ARRAY['30-44', '45-59', '60-74', NULL])[1 + p.cluster % 4]
    FROM person p
    JOIN debtor d ON d.code = 'D' || p.id
    JOIN phone f ON f.number_index = decode(md5('P' || p.id), 'hex')
    JOIN (SELECT debtor_id, min(kind) AS kind, sum(outstanding_yen) AS outstanding_yen,
                 count(*) AS claims FROM claim GROUP BY debtor_id) c ON c.debtor_id = d.id
    """,
    """
    INSERT INTO target_claim (target_id, claim_id, outstanding_yen, period, legal_class)
    SELECT t.id, c.id, c.outstanding_yen,
           CASE WHEN c.assessed_year = 2026 THEN 'current' ELSE 'carried_over' END, c.legal_class
    FROM target t JOIN claim c ON c.debtor_id = t.addressee_id
    """,
    # who pays, pays the first claim of the first member; four in five settle all
    """
    INSERT INTO payment (claim_id, debtor_code, kind, notice_number, instalment, paid_on,
                         amount_yen, method, source_file_id, source_line)
    SELECT c.id, 'D' || p.id, c.kind, c.notice_number, c.instalment,
           CAST(:start AS date)
               + floor(28 * pg_temp.draw(:seed, 'day', p.cluster::text) ^ 1.6)::int,
           c.outstanding_yen, 'convenience', (SELECT max(id) FROM source_file), 1
    FROM person p
    JOIN debtor d ON d.code = 'D' || p.id
    JOIN claim c ON c.debtor_id = d.id
    WHERE p.pays
      AND ((p.member = 1 AND c.instalment = 1) OR pg_temp.draw(:seed, 'all', p.cluster::text) < 0.8)
    """,
    # paid the day before the start, and the day after the horizon: neither counts
    """
    INSERT INTO payment (claim_id, debtor_code, kind, notice_number, instalment, paid_on,
                         amount_yen, method, source_file_id, source_line)
    SELECT c.id, 'D' || p.id, c.kind, c.notice_number, c.instalment, day, 500, 'counter',
           (SELECT max(id) FROM source_file), 1
    FROM person p
    JOIN debtor d ON d.code = 'D' || p.id
    JOIN claim c ON c.debtor_id = d.id AND c.instalment = 1,
         (VALUES (CAST(:start AS date) - 1), (CAST(:start AS date) + 28)) AS days(day)
    WHERE NOT p.pays AND p.member = 1
    """,
    """
    INSERT INTO attempt (id, run_id, target_id, step, try_number, channel, phone_id, state, due_at,
                         expires_at, provider, provider_ref, submitted_at, parts, outcome,
                         outcome_at, reason, needs_person)
    SELECT md5('A' || s.step || t.id)::uuid, :run, t.id, s.step, 1, s.channel, t.phone_id,
           CASE WHEN u < 0.04 THEN 'skipped' WHEN u < 0.05 THEN 'unknown' ELSE 'finished' END,
           due, due + interval '3 days', 'simulated',
           CASE WHEN u >= 0.05 AND s.channel <> 'operator' THEN 'R' || s.step || t.id END, due,
           CASE WHEN u >= 0.04 AND s.channel = 'sms' THEN 2 END,
           CASE WHEN u >= 0.05
                THEN s.outcomes[1 + floor(array_length(s.outcomes, 1) * v)::int] END, due,
           CASE WHEN u < 0.03 THEN 'paid' WHEN u < 0.04 THEN 'restricted' END,
           u >= 0.04 AND u < 0.045
    FROM target t
    JOIN (VALUES
        ('sms-1', 'sms', 0, ARRAY['sms', 'sms_call'],
         ARRAY['delivered', 'delivered', 'delivered', 'delivered', 'delivered', 'delivered',
               'undelivered', 'invalid_number']),
        ('call-1', 'auto_call', 7, ARRAY['sms_call'],
         ARRAY['confirmed', 'confirmed', 'transferred', 'answered', 'machine', 'no_answer',
               'no_answer', 'busy', 'wrong_person', 'opted_out']),
        ('operators', 'operator', 14, ARRAY['sms', 'sms_call'],
         ARRAY['confirmed', 'confirmed', 'no_answer', 'no_answer', 'no_answer', 'machine', 'busy'])
    ) AS s(step, channel, after_days, arms, outcomes) ON t.arm = ANY(s.arms)
    CROSS JOIN LATERAL (
        SELECT pg_temp.draw(:seed, 'state', s.step, t.id::text) AS u,
               pg_temp.draw(:seed, 'outcome', s.step, t.id::text) AS v,
               CAST(:start AS date) + s.after_days + time '10:00'
                   + interval '1 minute' * floor(300 * pg_temp.draw(s.step, t.id::text)) AS due
        OFFSET 0  -- draw once a row, not once a mention
    ) d
    """,
    """
    INSERT INTO call (origin, direction, started_at, talk_seconds, wrap_seconds, result, phone_id,
                      attempt_id, deduplication_key)
    SELECT CASE a.channel WHEN 'operator' THEN 'operator' ELSE 'auto_call' END, 'outbound', a.due_at,
           CASE WHEN a.outcome IN ('confirmed', 'transferred', 'answered')
                THEN 60 + floor(120 * pg_temp.draw('talk', a.id::text))::int ELSE 0 END,
           CASE a.channel WHEN 'operator' THEN 60 ELSE 0 END,
           CASE WHEN a.outcome IN ('confirmed', 'transferred', 'answered') THEN 'talked'
                ELSE 'absent' END, a.phone_id, a.id, 'attempt ' || a.id
    FROM attempt a
    WHERE a.state = 'finished' AND a.channel <> 'sms'
    """,
    # a quiet centre: the same calls in every open half-hour; more inbound, less outbound after
    """
    INSERT INTO call (origin, direction, started_at, wait_seconds, talk_seconds, wrap_seconds,
                      result, phone_id, deduplication_key)
    SELECT o.origin, o.direction, slot + n * interval '3 minutes',
           CASE o.origin WHEN 'resident' THEN floor(60 * u)::int END,
           CASE WHEN o.origin = 'resident' AND n = 5 THEN 0 ELSE 120 + floor(120 * u)::int END, 60,
           CASE WHEN o.origin = 'resident' AND n = 5 THEN 'abandoned' ELSE 'talked' END,
           CASE WHEN o.origin = 'resident' AND n = 1 AND slot >= CAST(:start AS date)
                THEN (SELECT phone_id FROM target ORDER BY md5(id::text || slot) LIMIT 1) END,
           o.origin || slot || n
    FROM (VALUES ('resident', 'inbound', 0), ('operator', 'outbound', 2))
             AS o(origin, direction, less),
         generate_series(CAST(:calls_from AS date) + time '09:00',
                         CAST(:calls_to AS date) + time '16:30', interval '30 minutes') AS slot,
         generate_series(1, 9) AS n,
         LATERAL (SELECT pg_temp.draw(:seed, o.origin, slot::text, n::text) AS u) d
    WHERE extract(isodow FROM slot) < 6 AND slot::time BETWEEN '09:00' AND '16:30'
      AND n <= CASE WHEN slot < CAST(:start AS date)
                    THEN :per_slot + (12 * u)::int % 2
                    ELSE :per_slot + 1 - o.less + (12 * u)::int % 2 END
    """,
)
