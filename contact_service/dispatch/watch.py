"""The service stops by itself when what it does goes wrong, and says why.

Three things are looked at, each only when enough was done to tell: what a carrier was given and
failed; whom a run reached who is somebody else, or wants no more; how long the operators' list
is. What a person has let go on again is judged by what happened after that.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text

from campaigns.vocabulary import Channel, Outcome
from contact_service import logs
from contact_service.bootstrap import Service
from contact_service.dispatch.pacing import Pacing, Threshold
from contact_service.dispatch.switches import lift_own, pause_channel, pause_provider
from contact_service.domain.actors import SYSTEM
from contact_service.domain.life import Action
from contact_service.domain.states import DispositionKind
from contact_service.planning.transitions import move_run

log = logs.log(__name__)

#: A list that was full is open again below this part of what it may hold.
DRAINED = 0.8
FULL_JA = "折衝待ちが上限に達しました"
#: Outcomes that speak against the carrier, not against the person's telephone.
FAILED = (Outcome.BLOCKED, Outcome.NETWORK, Outcome.OTHER)
WRONG = (Outcome.WRONG_PERSON, Outcome.INVALID_NUMBER)
COMPLAINTS = (Outcome.OPTED_OUT, Outcome.REJECTED)


def watch(service: Service, pacing: Pacing) -> list[str]:
    """Look, and pause what must be paused. Returns the reasons, as staff will read them."""
    now = service.clock.now()
    with service.engine.begin() as connection:
        return [
            *_failing_carriers(connection, pacing, now),
            *_unwelcome_runs(connection, pacing, now),
            *_full_list(connection, pacing, now),
        ]


# Found by when they were handed over or ended: this is asked every other second, and must not
# take the longer the more years a ledger holds.
_BY_CARRIER = text("""
WITH given AS (
    SELECT provider, channel, leased_at, state = 'unknown' OR outcome = ANY(:failed) AS failed
    FROM attempt
    WHERE submitted_at > :since AND state IN ('accepted', 'unknown', 'finished')
    -- a lease that ran out says that a worker of ours died, and nothing of the carrier
    AND reason IS DISTINCT FROM 'lease_expired'
    UNION ALL -- refused at once
    SELECT provider, channel, leased_at, outcome = ANY(:failed)
    FROM attempt
    WHERE state = 'finished' AND outcome_at > :since AND submitted_at IS NULL
), lifted AS (
    SELECT subject, max(at) AS at FROM audit_log
    WHERE action = 'switch.lift' AND at > :since GROUP BY subject
)
SELECT g.provider, g.channel, count(*) AS made, count(*) FILTER (WHERE g.failed) AS failed
FROM given g LEFT JOIN lifted l ON l.subject = 'provider:' || g.provider
WHERE g.provider IS NOT NULL AND g.leased_at > coalesce(l.at, :since)
GROUP BY 1, 2
""")


def _failing_carriers(connection: Connection, pacing: Pacing, now: datetime) -> list[str]:
    if pacing.pauses.failures is None:
        return []
    since = now - pacing.pauses.window
    rows = connection.execute(_BY_CARRIER, {"since": since, "failed": list(FAILED)}).all()
    reasons = []
    for row in rows:
        if _passed(pacing.pauses.failures, row.failed, row.made):
            reason = (
                f"失敗が多すぎます（{row.channel} {row.failed}/{row.made} 件） / too many failures "
                f"({row.channel}, {row.failed} of {row.made})"
            )
            if pause_provider(connection, row.provider, reason, now):
                log.error("provider.paused", provider=row.provider, failed=row.failed)
                reasons.append(reason)
    return reasons


_BY_RUN = text("""
SELECT a.run_id, count(*) AS reached,
    count(*) FILTER (WHERE a.outcome = ANY(:wrong)) AS wrong,
    count(*) FILTER (WHERE a.outcome = ANY(:complaints) OR d.kind = :complained) AS complaints
FROM attempt a LEFT JOIN disposition d ON d.attempt_id = a.id
JOIN run r ON r.id = a.run_id AND r.state = 'running'
LEFT JOIN LATERAL (SELECT max(c.at) AS at FROM campaign_transition c
    WHERE c.run_id = a.run_id AND c.action = 'resume') resumed ON true
WHERE a.state = 'finished' AND a.outcome_at > :since
AND a.outcome_at > coalesce(resumed.at, :since) AND a.outcome <> ALL(:said_nothing)
GROUP BY 1
""")


def _unwelcome_runs(connection: Connection, pacing: Pacing, now: datetime) -> list[str]:
    rows = connection.execute(
        _BY_RUN,
        {
            "since": now - pacing.pauses.window,
            "wrong": list(WRONG),
            "complaints": list(COMPLAINTS),
            "complained": DispositionKind.COMPLAINT,
            "said_nothing": [*FAILED, Outcome.UNKNOWN, Outcome.CANCELED],
        },
    ).all()
    reasons = []
    for row in rows:
        for threshold, found, ja, en in (
            (pacing.pauses.wrong_numbers, row.wrong, "番号違い", "wrong numbers"),
            (pacing.pauses.complaints, row.complaints, "苦情・連絡不要の申出", "complaints"),
        ):
            if threshold is not None and _passed(threshold, found, row.reached):
                reason = (
                    f"{ja}が多すぎます（{found}/{row.reached} 件） / too many {en} "
                    f"({found} of {row.reached})"
                )
                move_run(connection, SYSTEM, Action.PAUSE, row.run_id, now, reason)
                log.error("run.paused", run=str(row.run_id), found=found, of=row.reached)
                reasons.append(reason)
                break
    return reasons


def _full_list(connection: Connection, pacing: Pacing, now: datetime) -> list[str]:
    most = pacing.centre.most_waiting
    if most is None:
        return []
    waiting = connection.scalar(
        text("""
        SELECT count(*) FROM attempt a JOIN run r ON r.id = a.run_id AND r.state = 'running'
        WHERE a.channel = 'operator' AND a.state = 'planned' AND a.due_at <= :now
        AND a.expires_at > :now
        """),
        {"now": now},
    )
    reasons = []
    for channel in (Channel.SMS, Channel.AUTO_CALL):
        reason = f"{FULL_JA}（{waiting} 人） / the operators' list is full ({waiting})"
        if int(waiting or 0) >= most:
            if pause_channel(connection, channel, reason, now):
                log.error("channel.paused", channel=channel.value, waiting=waiting)
                reasons.append(reason)
        elif int(waiting or 0) < most * DRAINED:
            lift_own(connection, f"channel:{channel.value}", FULL_JA, now)
    return reasons


def _passed(threshold: Threshold, found: int, of: int) -> bool:
    return of >= threshold.least and found > threshold.share * of
