"""What is stopped, by whom and why: an office that wonders why nothing goes out looks here."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from contact_service.callcentre.house_rules import BadDeskFile, house_rules
from contact_service.dispatch.pacing import BadPacingFile, pacing
from contact_service.doctor.findings import Finding, Level
from contact_service.settings import Settings
from contact_service.store.engine import connect

_STOPPED = text("""
SELECT s.scope, s.reason, s.set_by, s.set_at, 'contact-service resume-all --scope ' || s.scope
    AS remedy
FROM stop_switch s
UNION ALL
SELECT 'run ' || v.key, coalesce(nullif(last.reason, ''), '-'), last.actor, last.at,
    'contact-service campaign resume ' || r.id
FROM run r JOIN campaign_version v ON v.id = r.campaign_version_id
CROSS JOIN LATERAL (SELECT c.reason, c.actor, c.at FROM campaign_transition c
    WHERE c.run_id = r.id AND c.action = 'pause' ORDER BY c.at DESC, c.id DESC LIMIT 1) last
WHERE r.state = 'paused'
UNION ALL
SELECT 'unknown attempts', count(*) || ' 件が判断待ち / wait for a person', '-', NULL,
    'contact-service campaign unknown'
FROM attempt WHERE needs_person AND state = 'unknown' HAVING count(*) > 0
""")


def limits(settings: Settings) -> Iterator[Finding]:
    """Whether the file of budgets and thresholds, if there is one, can be used."""
    if settings.pacing_file is None:
        return
    try:
        pacing(settings.pacing_file)
    except BadPacingFile as error:
        remedy = "CONTACT_PACING_FILE を直してください / mend CONTACT_PACING_FILE"
        yield Finding("limits", Level.WRONG, str(error), remedy)
    else:
        yield Finding("limits", Level.OK, str(settings.pacing_file))


def desk(settings: Settings) -> Iterator[Finding]:
    """Whether the office's file for the operators' desk, if there is one, can be used."""
    if settings.desk_file is None:
        return
    try:
        house_rules(settings.desk_file)
    except BadDeskFile as error:
        remedy = "CONTACT_DESK_FILE を直してください / mend CONTACT_DESK_FILE"
        yield Finding("desk", Level.WRONG, str(error), remedy)
    else:
        yield Finding("desk", Level.OK, str(settings.desk_file))


def stopped(settings: Settings) -> Iterator[Finding]:
    """Each stop switch, each paused run, and what waits for a person's decision."""
    engine = connect(settings, pool_size=1)
    try:
        with engine.connect() as connection:
            rows = connection.execute(_STOPPED).all()
    except SQLAlchemyError:
        return  # the database is another finding
    finally:
        engine.dispose()
    for row in rows:
        since = f", {row.set_at:%Y-%m-%d %H:%M}" if row.set_at else ""
        yield Finding(
            f"stopped: {row.scope}", Level.NOTE, f"{row.reason} ({row.set_by}{since})", row.remedy
        )
    if not rows:
        yield Finding("stopped", Level.OK, "nothing")
