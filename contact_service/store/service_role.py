"""The database's role for the service itself: it reads and writes, and can neither change the
record of what was done nor switch off what protects it.

``migrate`` gives it its rights as the owner of the tables, anew after each migration.
"""

from __future__ import annotations

from typing import Any

from psycopg import sql
from sqlalchemy import Connection, Engine, text

from contact_service.store.migrate import MIGRATION_LOCK

#: What happened: lines are added and nothing else.
APPEND_ONLY = ("audit_log", "audit_chain", "event")


def give_rights(engine: Engine, role: str, password: str | None) -> None:
    """Let ``role`` do what the service does; it is made when it is not there, and ``password`` set.

    The server is sent the password's SCRAM verifier, which its log may keep. Raises
    ``sqlalchemy.exc.ProgrammingError`` where the connection's own role may not.
    """
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": MIGRATION_LOCK})
        there = connection.scalar(
            text("SELECT true FROM pg_roles WHERE rolname = :role"), {"role": role}
        )
        who: dict[str, Any] = {"role": sql.Identifier(role)}
        if not there:
            _run(connection, "CREATE ROLE {role} LOGIN NOINHERIT", **who)
        if password is not None:
            pg: Any = connection.connection.driver_connection
            verifier = pg.pgconn.encrypt_password(
                password.encode(), role.encode(), b"scram-sha-256"
            )
            _run(
                connection,
                "ALTER ROLE {role} PASSWORD {verifier}",
                verifier=sql.Literal(verifier.decode()),
                **who,
            )
        database = connection.scalar(text("SELECT current_database()"))
        _run(
            connection,
            """
            REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role};
            GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {role};
            GRANT USAGE ON SCHEMA public TO {role};
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
            GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};
            REVOKE UPDATE, DELETE ON {append_only} FROM {role};
            REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {role}
            """,
            database=sql.Identifier(str(database)),
            append_only=_tables(APPEND_ONLY),
            **who,
        )
        newer = connection.scalar(
            text("SELECT current_setting('server_version_num')::int >= 170000")
        )
        if (
            newer
        ):  # after a large file, or when a run is frozen, the service has tables counted anew
            _run(connection, "GRANT MAINTAIN ON ALL TABLES IN SCHEMA public TO {role}", **who)


def owns_the_record(connection: Connection) -> bool:
    """Whether this connection's role could change the audit log, or switch off its triggers."""
    found = connection.scalar(
        text("""
        SELECT pg_has_role(current_user, c.relowner, 'USAGE')
            OR has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE')
        FROM pg_class c WHERE c.oid = 'audit_log'::regclass
        """)
    )
    return bool(found)


def _tables(names: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _run(connection: Connection, statement: str, **names: sql.Composable) -> None:
    pg: Any = connection.connection.driver_connection
    connection.exec_driver_sql(sql.SQL(statement).format(**names).as_string(pg))
