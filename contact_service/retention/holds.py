"""Legal holds: somebody is kept although the time is over, for a lawsuit, an audit, a request.

A hold is the office's (所管課) whose approver set it: another has no part in that lawsuit, neither
ends it nor hears of it. Each may hold the same person; they are kept while one does.
"""

from __future__ import annotations

from sqlalchemy import text

from contact_service.bootstrap import Service
from contact_service.domain.actors import EVERY_OFFICE, Actor, Role, require
from contact_service.domain.life import CannotDo
from contact_service.store import audit

#: An office knows people by what they owe it, or owed it (所管課).
_KNOWN = """(:whole OR EXISTS (SELECT FROM claim own WHERE own.debtor_id = d.id
    AND own.kind = ANY(:own_kinds)))"""


def hold(service: Service, actor: Actor, code: str, reason: str) -> None:
    """Keep the person with this code (宛名番号) until the office lifts it.

    Raises ``NotAllowed``, and ``CannotDo`` for nobody, no reason, or whom the office holds already.
    """
    require(actor, Role.APPROVER)
    if not reason.strip():
        raise CannotDo("理由を書いてください / say why")
    with service.engine.begin() as connection:
        # who makes them nameless has their row alone, and is waited for; who imports is not
        who = connection.scalar(
            text(f"""
            SELECT d.id FROM debtor d
            WHERE d.code = :code AND d.anonymised_at IS NULL AND {_KNOWN} FOR KEY SHARE OF d
            """),
            {"code": code} | _office_of(actor),
        )
        if who is None:
            raise CannotDo(
                "その宛名番号の人はいません。期間が過ぎて匿名になった人は、もう保存できません / "
                "nobody has this person code; who has been made nameless can be held no more"
            )
        held = connection.scalar(
            text("""
            INSERT INTO legal_hold (debtor_id, reason, set_at, set_by, office)
            VALUES (:who, :reason, :now, :by, :office)
            ON CONFLICT (debtor_id, office) WHERE lifted_at IS NULL DO NOTHING
            RETURNING debtor_id
            """),
            {
                "who": who,
                "reason": reason.strip()[:500],
                "now": service.clock.now(),
                "by": actor.name,
                "office": actor.office,
            },
        )
        if held is None:
            raise CannotDo("すでに保存の対象です / they are held already")
        audit.record(connection, service.clock.now(), actor, "hold.set", f"debtor:{held}")


def lift(service: Service, actor: Actor, code: str, office: str | None = None) -> None:
    """End the hold of the actor's office; to whoever sees all of them, that of ``office``, which
    may be left out where there is one. Takes somebody else than who set it. Raises ``NotAllowed``,
    ``CannotDo``."""
    require(actor, Role.APPROVER)
    with service.engine.begin() as connection:
        rows = connection.execute(
            text(f"""
            SELECT h.id, h.debtor_id, h.set_by, h.office FROM legal_hold h
            JOIN debtor d ON d.id = h.debtor_id
            WHERE d.code = :code AND h.lifted_at IS NULL AND {_KNOWN}
            AND (:whole OR h.office = :office)
            AND (CAST(:wanted AS text) IS NULL OR h.office = :wanted)
            ORDER BY h.office FOR UPDATE OF h
            """),
            {"code": code, "wanted": office} | _office_of(actor),
        ).all()
        if not rows:
            raise CannotDo("その人は保存の対象ではありません / this person is not held")
        if len(rows) > 1:
            offices = ", ".join(row.office for row in rows)
            raise CannotDo(
                f"いくつかの課が保存しています。課を選んでください / several offices hold this "
                f"person, say which: {offices}"
            )
        (found,) = rows
        if found.set_by == actor.name:
            raise CannotDo("設定した人とは別の人が解除します / somebody else must lift it")
        connection.execute(
            text("UPDATE legal_hold SET lifted_at = :now, lifted_by = :by WHERE id = :id"),
            {"now": service.clock.now(), "by": actor.name, "id": found.id},
        )
        audit.record(
            connection, service.clock.now(), actor, "hold.lifted", f"debtor:{found.debtor_id}",
            of_office=found.office,
        )  # fmt: skip


def _office_of(actor: Actor) -> dict[str, object]:
    return {
        "whole": actor.office == EVERY_OFFICE,
        "own_kinds": actor.own_kinds,
        "office": actor.office,
    }
