"""``contact-service migrate``: bring the database to this version's schema."""

from __future__ import annotations

import typer

from contact_service.bootstrap import wire
from contact_service.cli.common import actor
from contact_service.clock import SystemClock
from contact_service.domain.actors import Role, require
from contact_service.embedded.servers import servers
from contact_service.settings import settings
from contact_service.store import audit
from contact_service.store.migrate import current_revision, migrate
from contact_service.store.service_role import give_rights


def command() -> None:
    """Bring the database to the schema that this version expects; make missing keys.

    Run before new processes start. Twice, or from two machines at once, does no harm.
    """
    by = actor(Role.ADMINISTRATOR)
    require(by, Role.ADMINISTRATOR)
    with servers(settings()) as found:
        service = wire(found)
        try:
            with service.engine.connect() as connection:
                before = current_revision(connection)
            after = migrate(service.engine)
            if after != before:
                with service.engine.begin() as connection:
                    now = SystemClock().now()
                    audit.record(connection, now, by, "migrate", after, before=before)
            if role := found.database_role:
                password = found.database_role_password
                give_rights(service.engine, role, password.get_secret_value() if password else None)
        finally:
            service.engine.dispose()
    typer.echo(
        f"データベースは最新です / the database is current: {after}"
        if before == after
        else f"データベースを更新しました / migrated: {before or '-'} → {after}"
    )
