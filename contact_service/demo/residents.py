"""The people of the simulated ward, for the simulation: whoever owes something."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import text

from campaigns.vocabulary import CLAIM_KIND_JA, ClaimKind
from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, Role, require
from contact_service.embedded.home import write_privately
from contact_service.planning.runs import CannotDo
from contact_service.store import audit


def write_residents(service: Service, actor: Actor, path: Path) -> int:
    """Write one JSON line a debtor. Training data only; raises :class:`CannotDo` otherwise."""
    require(actor, Role.STAFF)
    with service.engine.begin() as connection:
        if connection.scalar(text("SELECT count(*) FROM debtor WHERE NOT training")):
            raise CannotDo(
                "実在の人のデータは模擬に渡せません / real people are never handed to the "
                "simulation"
            )
        rows = connection.execute(
            text("""
            SELECT d.code, coalesce(d.household_id, -d.id) AS household, best.number, best.kind,
                json_agg(json_build_array(c.kind, c.notice_number, c.instalment,
                    c.outstanding_yen) ORDER BY c.id) AS claims
            FROM debtor d
            JOIN claim c ON c.debtor_id = d.id AND c.outstanding_yen > 0
            LEFT JOIN LATERAL (
                SELECT p.number, p.kind FROM debtor_phone dp JOIN phone p ON p.id = dp.phone_id
                WHERE dp.debtor_id = d.id ORDER BY p.kind <> 'mobile', dp.rank LIMIT 1
            ) best ON true
            GROUP BY d.id, d.code, d.household_id, best.number, best.kind ORDER BY d.id
            """)
        ).all()
        audit.record(
            connection, service.clock.now(), actor, "residents.export", "simulation",
            people=len(rows),
        )  # fmt: skip
    lines = [
        json.dumps(
            {
                "debtor_code": row.code,
                "household": row.household,
                "phone": service.vault.open("phone.number", row.number) if row.number else None,
                "phone_kind": row.kind,
                "claims": [
                    {
                        "kind": kind,
                        "kind_ja": CLAIM_KIND_JA[ClaimKind(kind)],
                        "notice_number": notice_number,
                        "instalment": instalment,
                        "yen": yen,
                    }
                    for kind, notice_number, instalment, yen in row.claims
                ],
            },
            ensure_ascii=False,
        )
        for row in rows
    ]
    write_privately(path, "".join(f"{line}\n" for line in lines))
    return len(lines)
