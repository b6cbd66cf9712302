"""Every outcome of the analysis from the rows that it is read from, with those just beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, Role
from contact_service.evaluation.collection import collection
from contact_service.evaluation.report import run_figures
from contact_service.evaluation.units import AMOUNT_BANDS, AMOUNTS
from contact_service.intake.importing import import_file
from tests.conftest import NOW
from tests.evaluation.world import QUIET, RUN, Report, build, by_arm, figures_of, told

Figures = dict[str, Any]

#: People of an arm who pay (or do not), in their order, promise what ``n`` says.
PROMISE = """
    WITH who AS (
        SELECT a.id, a.target_id, row_number() OVER (ORDER BY t.cluster) AS n
        FROM attempt a
        JOIN target t ON t.id = a.target_id
        WHERE a.channel = 'operator' AND a.state = 'finished' AND t.arm = 'sms'
          AND t.cluster % 10 <> 0 AND {pays} EXISTS (
              SELECT FROM target_claim c JOIN payment y USING (claim_id)
              WHERE c.target_id = t.id AND y.method = 'convenience')
    ), said AS (
        INSERT INTO disposition (attempt_id, kind, recorded_at, recorded_by)
        SELECT id, 'promised', '2026-09-07 09:00+09', 'o' FROM who WHERE n <= {most}
        RETURNING id, attempt_id
    )
    INSERT INTO promise (disposition_id, target_id, promised_on, amount_yen)
    SELECT said.id, who.target_id, CASE WHEN n > 11 THEN DATE '2026-10-13' ELSE '2026-10-04' END,
           {yen}
    FROM said JOIN who ON who.id = said.attempt_id
"""
CALL = """
    INSERT INTO call (origin, direction, started_at, talk_seconds, wrap_seconds, result, phone_id,
                      deduplication_key)
    SELECT 'resident', 'inbound', CAST('{at}+09' AS timestamptz), 100, 20, 'talked', phone_id,
           'call {at} ' || id
    FROM target WHERE arm = 'sms' AND cluster % 10 <> 0 ORDER BY cluster LIMIT {most}
"""
OPT_OUT = """
    INSERT INTO restriction (kind, phone_id, starts_on, origin)
    SELECT 'opted_out', phone_id, '{day}', '{origin}'
    FROM target WHERE arm = 'holdout' AND cluster % 10 = {place} ORDER BY cluster LIMIT 3
"""


def outcome(figures: Figures, name: str) -> dict[str, tuple[int, int]]:
    """Events and missing by arm."""
    return {
        arm: (row["outcomes"][name]["events"], row["outcomes"][name]["missing"])
        for arm, row in by_arm(figures["analysis"]["arms"]).items()
    }


def test_promises_are_kept_broken_or_open(blank: Engine) -> None:
    """Of 16 who pay 6 keep their promise, 5 promised more than they pay, 4 have time left and
    have not paid enough, one has. 3 paid the day before they promised and a day too late."""
    payers = PROMISE.format(
        pays="", most=16, yen="CASE WHEN n BETWEEN 7 AND 15 THEN 50000 ELSE 10000 END"
    )
    others = PROMISE.format(pays="NOT", most=3, yen=500)
    figures = figures_of(blank, QUIET, payers, others)
    assert outcome(figures, "promise_kept") == {
        "holdout": (0, 0), "sms": (7, 4), "sms_call": (0, 0),
    }  # fmt: skip
    effect = by_arm(figures["analysis"]["comparisons"])["sms"]["outcomes"]["promise_kept"]
    assert effect["risk_difference"]["estimate"] == pytest.approx(7 / 66)
    # the four may all keep it, or none
    assert effect["missing_bounds"]["low"] == pytest.approx(7 / 70)
    assert effect["missing_bounds"]["high"] == pytest.approx(11 / 70)
    assert any(note["key"] == "missing" for note in figures["analysis"]["notes"])


def test_calls_to_the_centre_within_the_horizon(blank: Engine) -> None:
    """Three call at its first instant, two of them again at its last; more just outside."""
    calls = (
        ("2026-09-06 23:59:59", 9), ("2026-09-07 00:00:00", 3), ("2026-10-04 23:59:59", 2),
        ("2026-10-05 00:00:00", 9),
    )  # fmt: skip
    figures = figures_of(blank, QUIET, *(CALL.format(at=at, most=most) for at, most in calls))
    assert {arm: n for arm, (n, _) in outcome(figures, "inbound_call").items()} == {
        "holdout": 0, "sms": 3, "sms_call": 0,
    }  # fmt: skip
    load = {arm: row["load_per_1000"] for arm, row in by_arm(figures["analysis"]["arms"]).items()}
    assert load["sms"]["inbound_calls"] == pytest.approx(5 / 70 * 1000)
    assert load["sms"]["inbound_seconds"] == pytest.approx(5 * 120 / 70 * 1000)
    sizes = {"sms": 70, "sms_call": 75}  # in the latter machines have called as well
    for arm, n in sizes.items():
        hours = sum(row["amount"] for row in figures["cost"]["steps"]
                    if (row["arm"], row["measure"]) == (arm, "operator_hours"))  # fmt: skip
        assert load[arm]["operator_seconds"] == pytest.approx(hours * 3600 / n * 1000)
    assert load["sms"]["agent_seconds"] == pytest.approx(
        load["sms"]["inbound_seconds"] + load["sms"]["operator_seconds"]
    )
    assert set(load["holdout"].values()) == {0}


def test_who_asked_for_no_more_contacts(blank: Engine) -> None:
    """By whatever way: a key in a call, or (all that who is left alone can do) a call or a
    message of their own. What a file says, or came later, is none of the campaign's."""
    asked = [
        OPT_OUT.format(day=day, origin=origin, place=place)
        for place, (day, origin) in enumerate(
            (("2026-09-07", "resident"), ("2026-10-05", "resident"), ("2026-09-10", "file"),
             ("2026-09-06", "operator")), start=1,
        )
    ]  # fmt: skip
    figures = figures_of(blank, QUIET, *asked)
    (call,) = [step for step in figures["contacts"]["outcomes"] if step["step"] == "call-1"]
    found = outcome(figures, "opt_out")
    assert found["holdout"] == (3, 0)
    assert found["sms"] == (0, 0)
    # households: two numbers of one home may both have pressed the key
    assert 0 < found["sms_call"][0] <= call["outcomes"]["opted_out"]


def test_complaints_are_of_operators_and_of_those_who_call(blank: Engine) -> None:
    """Four told an operator (others refused), two of the holdout called; who called after the
    horizon is none."""
    spoken = """INSERT INTO disposition (attempt_id, kind, recorded_at, recorded_by)
              SELECT a.id, CASE WHEN row_number() OVER (ORDER BY a.id) <= 4 THEN 'complaint'
                                ELSE 'refused' END, a.due_at, 'o'
              FROM attempt a JOIN target t
              ON t.id = a.target_id AND t.arm = 'sms' AND t.cluster % 10 <> 0
              WHERE a.channel = 'operator' AND a.state = 'finished' LIMIT 9"""
    called = """INSERT INTO call (origin, direction, started_at, talk_seconds, wrap_seconds, result,
                    phone_id, deduplication_key)
                SELECT 'resident', 'inbound', DATE '2026-09-{}', 60, 0, 'complaint', phone_id,
                    'complaint' || id FROM target WHERE arm = 'holdout' AND cluster % 10 <> 0
                ORDER BY id LIMIT 2"""
    late = called.replace("2026-09-{}", "2026-10-05").replace("'complaint' ||", "'late' ||")
    figures = figures_of(
        blank, QUIET, spoken, called.format("07"), late.replace("holdout", "sms_call")
    )
    assert {arm: n for arm, (n, _) in outcome(figures, "complaint").items()} == {
        "holdout": 2, "sms": 4, "sms_call": 0,
    }  # fmt: skip
    assert figures["analysis"]["comparisons"][0]["outcomes"]["complaint"]["role"] == "secondary"


def test_groups_of_households_are_those_of_the_ledger(known: Figures, shared: Service) -> None:
    """Kind and period of the largest claim, the sum owed, the hour of the first contact made:
    counted again, row by row."""
    with shared.engine.connect() as connection:
        owed = connection.execute(text(
            """SELECT DISTINCT t.cluster, t.arm, c.claim_id, c.outstanding_yen, c.period, k.kind
            FROM target t JOIN target_claim c ON c.target_id = t.id JOIN claim k ON k.id = c.claim_id
            ORDER BY t.cluster, c.outstanding_yen DESC, c.claim_id"""
        )).all()  # fmt: skip
        made = connection.execute(text(
            """SELECT t.cluster, t.arm, extract(hour FROM a.submitted_at)::int
            FROM attempt a JOIN target t ON t.id = a.target_id
            WHERE a.state IN ('finished', 'unknown') AND (a.channel = 'operator'
                OR a.state = 'unknown' OR a.provider_ref IS NOT NULL) ORDER BY a.submitted_at"""
        )).all()  # fmt: skip
    first: dict[int, Any] = {}
    sums: dict[int, int] = {}
    for row in owed:
        first.setdefault(row.cluster, row)
        sums[row.cluster] = sums.get(row.cluster, 0) + row.outstanding_yen
    hours: dict[int, Any] = {}
    for cluster, arm, hour in made:
        hours.setdefault(cluster, (arm, "morning" if hour < 12 else "early_afternoon"))
    wanted = [(row.arm, "kind", row.kind) for row in first.values()]
    wanted += [(row.arm, "period", row.period) for row in first.values()]
    wanted += [
        (row.arm, "amount_band", AMOUNT_BANDS[sum(yen >= begins for begins in AMOUNTS)])
        for row, yen in zip(first.values(), sums.values(), strict=True)
    ]
    wanted += [(arm, "hour", part) for arm, part in hours.values()]
    found = {
        (one["arm"], one["factor"], group["group"]): group["n"]
        for one in known["analysis"]["subgroups"]
        for group in one["groups"]
    }
    counted = {key: wanted.count(key) for key in wanted if key[0] != "holdout"}
    assert {key: n for key, n in found.items() if key[1] in ("kind", "period", "amount_band",
                                                            "hour")} == counted  # fmt: skip
    for one in known["analysis"]["subgroups"]:
        if one["factor"] == "hour":  # of nobody in the holdout: against all of it
            assert {group["control_n"] for group in one["groups"]} == {80}


def test_who_paid_within_the_year_before(blank: Engine) -> None:
    """Those who do not pay had paid the day before the start; a payment counts for 365 days."""
    paid = """INSERT INTO payment (claim_id, debtor_code, kind, notice_number, instalment, paid_on,
                  amount_yen, method, source_file_id, source_line)
              SELECT c.id, 'x', c.kind, c.notice_number, c.instalment, DATE '{day}', 100, 'counter',
                  (SELECT min(id) FROM source_file), 1
              FROM target t JOIN claim c ON c.debtor_id = t.addressee_id AND c.instalment = 1
              WHERE t.arm = '{arm}'"""
    early = (
        paid.format(day="2025-09-06", arm="sms"),
        paid.format(day="2025-09-07", arm="sms_call"),
    )
    (line,) = [one for one in figures_of(blank, QUIET, *early)["analysis"]["balance"]
               if one["name"] == "paid_earlier"]  # fmt: skip
    assert line["values"] == pytest.approx({"holdout": 32 / 80, "sms": 14 / 70, "sms_call": 1})


def test_who_owes_nothing_that_is_collected_is_watched_no_longer(blank: Engine) -> None:
    """All claims written off or suspended: censored that day, whatever is paid later. One claim
    of two written off leaves a household to be watched."""
    ended = """INSERT INTO restriction (kind, debtor_id, claim_id, notice_number, starts_on, origin)
               SELECT '{}', c.debtor_id, c.id, c.notice_number || c.id, DATE '2026-09-08', 'file'
               FROM target t JOIN claim c ON t.addressee_id = c.debtor_id
               WHERE t.arm = 'holdout' AND t.cluster % 10 = {} AND {}"""
    ends = (
        ended.format("written_off", 1, "true"),
        ended.format("execution_suspended", 2, "true"),
        ended.format("written_off", 3, "t.claims = 2 AND c.instalment = 1"),
        # over the day before the start, or lifted: of each claim, or of the whole person
        """INSERT INTO restriction (kind, debtor_id, claim_id, debtor_code, starts_on, ends_on,
                                    lifted_at, origin)
           SELECT 'execution_suspended', c.debtor_id, CASE WHEN t.cluster % 10 < 6 THEN c.id END,
               c.id, DATE '2026-08-01',
               CASE WHEN t.cluster % 2 = 0 THEN DATE '2026-09-06' END,
               CASE WHEN t.cluster % 2 = 1 THEN timestamptz '2026-09-05 12:00+09' END, 'file'
           FROM target t JOIN claim c ON t.addressee_id = c.debtor_id
           WHERE t.arm = 'holdout' AND t.cluster % 10 BETWEEN 4 AND 7""",
    )
    before = by_arm(figures_of(blank, QUIET, PAID_LATER)["analysis"]["arms"])["holdout"]
    figures = figures_of(blank, QUIET, PAID_LATER, *ends)["analysis"]
    after = by_arm(figures["arms"])["holdout"]
    watched = [one["times"]["days_to_payment"] for one in (before, after)]
    assert [one["times"] for one in watched] == [[19], [19]]
    assert [one["at_risk"] for one in watched] == [[80], [64]]
    assert watched[1]["events"][0] == 48 - sum(c % 10 in (1, 2) for c in range(1, 49))
    assert after["outcomes"]["collection_ended"]["events"] == 16
    assert after["outcomes"]["paid_something"] == before["outcomes"]["paid_something"]


#: Whatever is paid within the horizon is paid on its nineteenth day.
PAID_LATER = """UPDATE payment SET paid_on = '2026-09-25'
                WHERE paid_on BETWEEN '2026-09-07' AND '2026-10-04'"""


def test_a_write_off_in_a_file_censors_and_is_outstanding_no_longer(
    service: Service, evaluator: Actor, engine: Engine, tmp_path: Path
) -> None:
    """Rows of a restrictions file as core systems write them: of a person, of a notice (with its
    one or two claims), of a notice that no campaign is about (which ends nothing)."""
    with engine.begin() as connection:
        build(connection, QUIET)
        connection.execute(text(PAID_LATER))
        people = connection.execute(text(
            """SELECT t.cluster % 10 AS place, d.code, min(c.notice_number) AS notice,
                sum(c.outstanding_yen) AS yen
            FROM target t JOIN debtor d ON d.id = t.addressee_id JOIN claim c ON c.debtor_id = d.id
            WHERE t.arm = 'holdout' GROUP BY 1, 2"""
        )).all()  # fmt: skip
    before = collection(service, evaluator)["rows"]
    written = {
        1: "{code},,不納欠損,令和8年9月8日",
        2: "{code},{notice},債権放棄,R8.9.8",
        3: "{code},99999999,不納欠損処分,20260908",
        4: "{code},{notice},分納誓約,2026/9/8",
    }
    lines = [written[one.place].format(code=one.code, notice=one.notice)
             for one in people if one.place in written]  # fmt: skip
    file = tmp_path / "交渉制限_20260909.csv"
    file.write_text("\n".join(["宛名番号,通知書番号,区分,開始日", *lines]), encoding="cp932")
    report = import_file(service, Actor("staff", Role.STAFF), "restrictions", file)
    assert (report.counts.accepted, report.counts.rejected) == (32, 0)
    with engine.begin() as connection:
        figures = told(*run_figures(connection, RUN, NOW))
    holdout = by_arm(figures["analysis"]["arms"])["holdout"]
    assert holdout["outcomes"]["collection_ended"]["events"] == 16
    curve = holdout["times"]["days_to_payment"]
    assert (curve["times"], curve["at_risk"]) == ([19], [64])
    after = collection(service, evaluator)["rows"]
    gone = [old["outstanding_yen"] - new["outstanding_yen"]
            for old, new in zip(before, after, strict=True)]  # fmt: skip
    assert sum(gone) == sum(one.yen for one in people if one.place in (1, 2))


#: The same households in another run: all in one arm, contacted, called, written to, complaining.
ANOTHER_RUN = (
    """INSERT INTO run (id, campaign_version_id, as_of, seed, state, starts_at, planned_at, planned_by,
                      training, assessed_debtors, assessed_claims)
       SELECT md5('other')::uuid, campaign_version_id, as_of, 'other', state, starts_at, planned_at,
              planned_by, training, 1, 1 FROM run""",
    """INSERT INTO target (id, run_id, cluster, stratum, arm, phone_id, phone_kind, addressee_id,
                         outstanding_yen, claims, age_band)
       SELECT md5('other' || id)::uuid, md5('other')::uuid, cluster, 'other', 'sms', phone_id,
              phone_kind, addressee_id, 1, 1, '75-' FROM target""",
    """INSERT INTO target_claim (target_id, claim_id, outstanding_yen, period, legal_class)
       SELECT md5('other' || target_id)::uuid, claim_id, 1, 'carried_over', 'private'
       FROM target_claim""",
    """INSERT INTO exclusion (run_id, debtor_id, reason)
       SELECT md5('other')::uuid, debtor_id, 'amount' FROM exclusion""",
    """INSERT INTO attempt (id, run_id, target_id, step, try_number, channel, phone_id, state, due_at,
                          expires_at, provider, provider_ref, submitted_at, parts, outcome)
       SELECT md5('other' || channel || id)::uuid, run_id, id, 'other-' || channel, 1, channel,
              phone_id, 'finished', '2026-09-07', '2026-09-08', 'simulated', channel || id,
              '2026-09-07', 5, 'opted_out'
       FROM target, (VALUES ('sms'), ('auto_call'), ('operator')) AS c(channel)
       WHERE run_id = md5('other')::uuid""",
    """INSERT INTO call (origin, direction, started_at, talk_seconds, wrap_seconds, result, phone_id,
                       attempt_id, deduplication_key)
       SELECT channel, 'outbound', submitted_at, 600, 60, 'talked', phone_id, id, 'other' || id
       FROM attempt WHERE step IN ('other-operator', 'other-auto_call')""",
    """WITH said AS (
           INSERT INTO disposition (attempt_id, kind, recorded_at, recorded_by)
           SELECT id, 'complaint', submitted_at, 'o' FROM attempt WHERE step = 'other-operator'
           RETURNING id, attempt_id
       )
       INSERT INTO promise (disposition_id, target_id, promised_on, amount_yen)
       SELECT said.id, a.target_id, DATE '2026-10-04', 1 FROM said JOIN attempt a
       ON a.id = said.attempt_id""",
    """INSERT INTO letter_batch (run_id, step, number, letters, handed_over_at, handed_over_by)
       VALUES (md5('other')::uuid, 'other-sms', 1, 1, '2026-09-08', 's')""",
    """INSERT INTO letter_line (batch_id, line, letter, attempt_id, claim_id, outstanding_yen)
       SELECT b.id, row_number() OVER (), 1, a.id, c.claim_id, 1
       FROM letter_batch b, attempt a JOIN target_claim c USING (target_id)
       WHERE a.step = 'other-sms'""",
)


def test_another_run_with_the_same_people_changes_nothing(blank: Engine) -> None:
    alone, beside = (figures_of(blank, QUIET, *changes) for changes in ((), ANOTHER_RUN))
    for part in ("flow", "contacts", "payment", "analysis", "cost"):
        assert beside[part] == alone[part], part


def test_every_outcome_has_its_line_in_the_report(report: Any) -> None:
    """Intention to treat for each, with interval, p-value and how many are not known."""
    made: Report = report("en")
    (section,) = [one for one in made.document.sections if one.id == "analysis"]
    (table,) = [
        one for one in section.blocks if getattr(one, "title", "") == "Difference by outcome"
    ]
    assert [column.label for column in table.columns][-4:] == [
        "Difference (points)", "95% interval", "p-value", "Missing",
    ]  # fmt: skip
    said = {str(row[1]).removesuffix(" (primary outcome)") for row in table.rows}
    assert said == {
        "Paid something", "Paid in full", "Promise kept", "Called the centre", "Complaint",
        "Asked for no contact", "Suspended, bankrupt or written off",
    }  # fmt: skip
    titles = {getattr(one, "title", "") for one in section.blocks}
    assert titles >= {
        "The primary outcome estimated otherwise", "Collected per household, difference",
        "Days to payment", "Effect on households reached (instrumental variable)",
        "Effect on the telephone centre (per 1,000 households, arms compared)",
        "Differences by group: SMS", "Balance before allocation (standardised differences)",
    }  # fmt: skip
