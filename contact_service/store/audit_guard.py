"""What refuses changes of the audit log and of events, compared with how the migrations made it.

The owner of a table can take the teeth out of its triggers and leave their names, or put something
before them that lets lines vanish as they are written. Whatever could is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, text

TABLES = ["audit_log", "audit_chain", "event"]
#: On each of the tables, and when they act (``pg_trigger.tgtype``): before each row that is
#: updated or deleted, before the table is emptied. They stand in the first migration and in 0018.
TRIGGERS = {"append_only": 1 | 2 | 8 | 16, "never_emptied": 2 | 32}
#: What both do, white space aside.
SOURCE = "BEGIN RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME; END"

_TRIGGERS = text("""
SELECT c.name AS of, t.tgname AS name, t.tgenabled = 'O' AS is_on, t.tgtype AS type,
    t.tgqual IS NULL AND t.tgattr::text = '' AND t.tgnargs = 0 AND NOT t.tgisinternal
        AND l.lanname = 'plpgsql' AND p.proconfig IS NULL AS plain,
    btrim(regexp_replace(p.prosrc, '\\s+', ' ', 'g')) AS source,
    -- the database's own, for references between tables
    t.tgisinternal AND t.tgconstraint <> 0 AND p.pronamespace = 'pg_catalog'::regnamespace AS own
FROM unnest(CAST(:tables AS text[])) c (name)
JOIN pg_trigger t ON t.tgrelid = to_regclass(c.name)
JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_language l ON l.oid = p.prolang
ORDER BY 1, 2
""")
_BESIDE = text("""
SELECT c.name AS of, coalesce(r.rulename, 'ROW LEVEL SECURITY') AS name
FROM unnest(CAST(:tables AS text[])) c (name) JOIN pg_class k ON k.oid = to_regclass(c.name)
LEFT JOIN pg_rewrite r ON r.ev_class = k.oid
WHERE r.oid IS NOT NULL OR k.relrowsecurity OR k.relforcerowsecurity
    OR EXISTS (SELECT FROM pg_policy WHERE polrelid = k.oid)
ORDER BY 1, 2
""")


def faults(connection: Connection) -> Iterator[str]:
    """Everything that is not as it was made, in words: Japanese / English."""
    if connection.scalar(text("SHOW session_replication_role")) != "origin":
        yield (
            "session_replication_role により、すべてのトリガーが外されています / all triggers are "
            "off, by session_replication_role"
        )
    missing = {(table, name) for table in TABLES for name in TRIGGERS}
    for row in connection.execute(_TRIGGERS, {"tables": TABLES}):
        if (row.of, row.name) in missing:
            if row.is_on and not _as_made(row):
                yield (
                    f"変更を拒むトリガー {row.of}.{row.name} が作り変えられています / the trigger "
                    f"{row.of}.{row.name}, which refuses changes, is not as it was made"
                )
            if row.is_on:
                missing.remove((row.of, row.name))
        elif not row.own:
            yield _foreign(f"トリガー {row.of}.{row.name}", f"the trigger {row.of}.{row.name}")
    for of, name in sorted(missing):
        yield (
            f"変更を拒むトリガー {of}.{name} が外されています / the trigger {of}.{name}, which "
            "refuses changes, is off"
        )
    for row in connection.execute(_BESIDE, {"tables": TABLES}):
        yield _foreign(f"規則 {row.of}.{row.name}", f"the rule {row.of}.{row.name}")


def _as_made(row: Row[Any]) -> bool:
    return bool(row.plain and row.type == TRIGGERS[row.name] and row.source == SOURCE)


def _foreign(ja: str, en: str) -> str:
    return (
        f"このサービスのものでない{ja} があり、記録が書かれないおそれがあります / {en} is not the "
        "service's: by it, lines may not be written"
    )
