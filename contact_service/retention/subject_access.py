"""保有個人情報開示: everything that is kept of one person, opened, for that person.

Every table that leads to the person is asked (``sections``), and every sealed value is opened.
What a shared number or a contact of several people tells may be of the others: such a row says
``shared_with_others``, and is read before it is handed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from contact_service.bootstrap import Service
from contact_service.domain.actors import EVERY_OFFICE, Actor, NotAllowed, Role, require
from contact_service.domain.life import CannotDo
from contact_service.retention.sections import LOOKED, SECTIONS, SHARED
from contact_service.store import audit
from contact_service.store.rotation import PLACES

#: Of rows that tell of somebody else, too, or may.
MARK = "shared_with_others"
_SEALED = {(place.table.name, place.column.name) for place in PLACES}
#: What stands for the person in indexes says nothing to anybody.
_INDEXES = {"name_index", "written_index", "number_index"}


def subject_access(service: Service, actor: Actor, code: str) -> dict[str, Any]:
    """All that is kept of the person with this code (宛名番号), by table; and who looked at them.

    Asking is recorded. What every office keeps is in it, so it takes somebody of all offices.
    Raises ``NotAllowed``, and ``CannotDo`` when nobody has the code.
    """
    require(actor, Role.APPROVER)
    if actor.office != EVERY_OFFICE:
        raise NotAllowed(
            "開示にはほかの課の債権も含まれます。すべての課を見る人に頼んでください / it tells of "
            "other offices' claims too: ask somebody of all offices"
        )
    with service.engine.begin() as connection:
        who = connection.scalar(text("SELECT id FROM debtor WHERE code = :code"), {"code": code})
        if who is None:
            raise CannotDo(f"宛名番号 {code[:32]} の人はいません / nobody has the code {code[:32]}")
        audit.record(connection, service.clock.now(), actor, "person.disclosed", f"debtor:{who}")
        found: dict[str, Any] = {"code": code, "as_of": service.clock.now().isoformat()}
        for table, where in SECTIONS.items():
            others = f", ({SHARED[table]}) AS {MARK}" if table in SHARED else ""
            rows = connection.execute(
                text(f"SELECT *{others} FROM {table} WHERE {where}"), {"id": who}
            )
            found[table] = [_shown(service, table, row._asdict()) for row in rows]
        looked = connection.execute(text(LOOKED), {"id": who})
        found["looked_at"] = [_shown(service, "audit_log", row._asdict()) for row in looked]
    return found


def _shown(service: Service, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    shown = {}
    for column, value in row.items():
        if column in _INDEXES or value is None or (column == MARK and not value):
            continue
        if (table, column) in _SEALED:
            value = service.vault.open(f"{table}.{column}", bytes(value))
        shown[column] = str(value) if isinstance(value, UUID | date | datetime) else value
    return shown
