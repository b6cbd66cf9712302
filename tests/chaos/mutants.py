"""The protocol broken on purpose: a harness that finds nothing then is worth nothing.

``CONTACT_CHAOS_MUTANT`` names what is broken in the workers of a run (``--mutant``).
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

VARIABLE = "CONTACT_CHAOS_MUTANT"
#: What is broken, the count in which it must show, and the faults that come first.
MUTANTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "sends before the lease is committed": ("accepted_twice", ()),
    "sends again what was leased by a dead worker": (
        "accepted_twice",
        ("worker killed: answered", "worker killed: recording", "worker killed: request out"),
    ),
    "takes silence for a refusal": ("accepted_twice", ("worker halted",)),
    "asks nobody who must be left alone": ("restricted", ()),
    "knows no hours": ("outside_window", ("clock beyond closing", "clock beyond closing")),
    "forgets what is unknown": ("unknown_unsettled", ("worker killed: recording",)),
}


def chosen() -> str | None:
    """The mutant of this process."""
    return os.environ.get(VARIABLE)


def before_import() -> None:
    """What must be broken before the statements are composed."""
    if chosen() == "asks nobody who must be left alone":
        from contact_service.store import left_alone

        left_alone.TARGET_RESTRICTED = "false"


def after_import() -> None:
    """Break the rest."""
    from contact_service.dispatch import drain, lease, reconcile, record, sharing
    from providers.base import Unknown

    match chosen():
        case "sends before the lease is committed":

            class _Uncommitted:
                """Lets the transaction go."""

                def __init__(self, engine: Any) -> None:
                    self._connection = engine.connect()

                def __enter__(self) -> Connection:
                    return self._connection.__enter__()  # type: ignore[no-any-return]

                def __exit__(self, *error: object) -> None:
                    self._connection.rollback()
                    self._connection.close()

            kept = drain.Lane._lease

            def _lease(self: drain.Lane, size: int) -> Any:
                class _Engine:
                    @staticmethod
                    def begin() -> _Uncommitted:
                        return _Uncommitted(engine)

                engine, service = self.service.engine, self.service
                self.service = replace(service, engine=_Engine())  # type: ignore[arg-type]
                try:
                    return kept(self, size)
                finally:
                    self.service = service

            drain.Lane._lease = _lease  # type: ignore[method-assign]
        case "sends again what was leased by a dead worker":

            def end_overdue(connection: Connection, now: datetime) -> list[UUID]:
                connection.execute(
                    text(
                        "UPDATE attempt SET state = 'planned', lease_until = NULL "
                        "WHERE state = 'leased' AND lease_until < clock_timestamp()"
                    )
                )
                return []

            reconcile.end_overdue = end_overdue
        case "takes silence for a refusal":
            row = record._row

            def _row(result: Any, now: datetime) -> Any:
                if isinstance(result, Unknown):
                    return record._Row("planned", "silence", due_at=now)
                return row(result, now)

            record._row = _row
        case "knows no hours":
            lease.open_now = lambda definitions, now: list(definitions)
            sharing.open_now = lease.open_now
        case "forgets what is unknown":
            reconcile._claim_unknown = lambda *given: []
