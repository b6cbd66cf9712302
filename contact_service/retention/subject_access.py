"""保有個人情報開示: everything that is kept of one person, opened, for that person.

Every table that leads to the person is asked, and every sealed value is opened: what is added to
the schema and concerns people must have its line in :data:`SECTIONS`; a test looks for tables
that have none.
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
from contact_service.store import audit
from contact_service.store.rotation import PLACES

_CLAIMS = "SELECT id FROM claim WHERE debtor_id = :id"
_TARGETS = f"SELECT target_id FROM target_claim WHERE claim_id IN ({_CLAIMS})"
_ATTEMPTS = f"SELECT id FROM attempt WHERE target_id IN ({_TARGETS})"
_PHONES = "SELECT phone_id FROM debtor_phone WHERE debtor_id = :id"
_CALLS = "SELECT id FROM inbound_call WHERE debtor_id = :id"
_SAID = f"""SELECT id FROM disposition
    WHERE attempt_id IN ({_ATTEMPTS}) OR inbound_call_id IN ({_CALLS})"""

#: By table: which rows are of the person :id.
SECTIONS: Mapping[str, str] = {
    "debtor": "id = :id",
    "household": "id = (SELECT household_id FROM debtor WHERE id = :id)",
    "debtor_phone": "debtor_id = :id",
    "phone": f"id IN ({_PHONES})",
    "claim": "debtor_id = :id",
    "payment": f"claim_id IN ({_CLAIMS})",
    "restriction": f"debtor_id = :id OR claim_id IN ({_CLAIMS}) OR phone_id IN ({_PHONES})",
    "restriction_lift": f"""restriction_id IN (SELECT id FROM restriction
        WHERE debtor_id = :id OR claim_id IN ({_CLAIMS}) OR phone_id IN ({_PHONES}))""",
    "target": f"id IN ({_TARGETS})",
    "target_claim": f"claim_id IN ({_CLAIMS})",
    "exclusion": "debtor_id = :id",
    "attempt": f"id IN ({_ATTEMPTS})",
    "event": f"attempt_id IN ({_ATTEMPTS})",
    "letter_line": f"claim_id IN ({_CLAIMS})",
    "inbound_message": f"phone_id IN ({_PHONES})",
    "call": f"phone_id IN ({_PHONES}) OR attempt_id IN ({_ATTEMPTS})",
    "inbound_call": "debtor_id = :id",
    "identity_check": "debtor_id = :id",
    "placed_call": f"conversation_id IN ({_ATTEMPTS}) OR conversation_id IN ({_CALLS})",
    "operator_period": f"conversation_id IN ({_ATTEMPTS}) OR conversation_id IN ({_CALLS})",
    "disposition": f"id IN ({_SAID})",
    "result_correction": f"disposition_id IN ({_SAID})",
    "quality_review": f"disposition_id IN ({_SAID})",
    "promise": f"disposition_id IN ({_SAID})",
    "referral": f"disposition_id IN ({_SAID})",
    "support_text": f"disposition_id IN ({_SAID})",
    "legal_hold": "debtor_id = :id",
}

#: Who saw them or did something about them: by their page, at the desk, in a conversation.
_LOOKED = f"""
    SELECT at, actor, role, office, action, details FROM audit_log
    WHERE subject = 'debtor:' || :id
    OR subject IN (SELECT a.id::text FROM ({_ATTEMPTS}) a UNION ALL
        SELECT c.id::text FROM ({_CALLS}) c)
    ORDER BY id
"""

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
            rows = connection.execute(text(f"SELECT * FROM {table} WHERE {where}"), {"id": who})
            found[table] = [_shown(service, table, row._asdict()) for row in rows]
        looked = connection.execute(text(_LOOKED), {"id": who})
        found["looked_at"] = [_shown(service, "audit_log", row._asdict()) for row in looked]
    return found


def _shown(service: Service, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    shown = {}
    for column, value in row.items():
        if column in _INDEXES or value is None:
            continue
        if (table, column) in _SEALED:
            value = service.vault.open(f"{table}.{column}", bytes(value))
        shown[column] = str(value) if isinstance(value, UUID | date | datetime) else value
    return shown
