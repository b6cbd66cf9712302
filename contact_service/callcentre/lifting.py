"""Restrictions that a corrected result had made: another supervisor lifts them, or keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from contact_service.bootstrap import Service
from contact_service.callcentre.correcting import MayNot
from contact_service.callcentre.own import own_kinds, recorded_for_own_office
from contact_service.callcentre.results import CONVERSATIONS, is_own
from contact_service.callcentre.standing import SAID_BY_NO_OTHER, results_and_kinds
from contact_service.domain.actors import Actor, Role, require
from contact_service.domain.restrictions import RestrictionKind
from contact_service.domain.states import DispositionKind
from contact_service.people.search import OWED_TO_THEM
from contact_service.store import audit


@dataclass(frozen=True, slots=True)
class ToDecide:
    """Restrictions that a result made which was corrected: somebody else lifts or keeps them."""

    id: int
    was: DispositionKind
    became: DispositionKind
    kinds: Sequence[RestrictionKind]
    codes: Sequence[str]
    """Person codes of whom they protect."""
    corrected_at: datetime
    corrected_by: str
    why: str


def to_decide(
    service: Service, actor: Actor, after: int = 0, most: int = 100
) -> Sequence[ToDecide]:
    """The office's that wait for a second supervisor, the oldest first, after the correction
    ``after``."""
    require(actor, Role.SUPERVISOR)
    with service.engine.connect() as connection:
        rows = connection.execute(
            text(f"""
            SELECT c.id, c.was ->> 'kind' AS was, c.became, c.corrected_at, c.corrected_by, c.why,
                ARRAY(SELECT DISTINCT r.kind FROM restriction r WHERE r.id = ANY(c.restrictions))
                    AS kinds,
                ARRAY(SELECT DISTINCT d.code FROM restriction r JOIN debtor d ON d.id = r.debtor_id
                        OR (r.debtor_id IS NULL AND d.id IN (SELECT dp.debtor_id
                            FROM debtor_phone dp WHERE dp.phone_id = r.phone_id))
                    WHERE r.id = ANY(c.restrictions) AND {OWED_TO_THEM} ORDER BY 1) AS codes
            FROM result_correction c
            JOIN ({CONVERSATIONS}) v ON v.disposition_id = c.disposition_id
            WHERE c.decided_at IS NULL AND c.restrictions <> '{{}}' AND c.id > :after
            AND {recorded_for_own_office("v")}
            ORDER BY c.id LIMIT :most
            """),
            {"after": after, "most": most} | own_kinds(actor),
        ).all()
    return [
        ToDecide(
            id=row.id,
            was=DispositionKind(row.was),
            became=DispositionKind(row.became),
            kinds=[RestrictionKind(kind) for kind in row.kinds],
            codes=row.codes,
            corrected_at=row.corrected_at,
            corrected_by=row.corrected_by,
            why=service.vault.open("result_correction.why", row.why),
        )
        for row in rows
    ]


def decide(service: Service, actor: Actor, correction_id: int, lift: bool, now: datetime) -> None:
    """Lift what the old result restricted, or keep it. Raises :class:`MayNot` for whoever
    corrected it, or recorded it in the first place, and where others have said so meanwhile."""
    require(actor, Role.SUPERVISOR)
    with service.engine.begin() as connection:
        row = connection.execute(
            text("""
            SELECT c.restrictions, c.corrected_by, c.decided_at, d.recorded_by, d.id
            FROM result_correction c JOIN disposition d ON d.id = c.disposition_id
            WHERE c.id = :id FOR UPDATE OF c
            """),
            {"id": correction_id},
        ).one_or_none()
        if row is None or row.decided_at is not None or not is_own(connection, actor, row.id):
            raise MayNot("すでに決まっています / it has been decided")
        if actor.name in (row.corrected_by, row.recorded_by):
            raise MayNot(
                "制限を解くのは、訂正した人とも記録した人とも別の管理者です / whoever lifts a "
                "restriction neither corrected nor recorded the result"
            )
        lifted = _lift(connection, row.restrictions, now) if lift else []
        connection.execute(
            text("""
            UPDATE result_correction SET decided_at = :now, decided_by = :by, lifted = :lift
            WHERE id = :id
            """),
            {"now": now, "by": actor.name, "lift": lift, "id": correction_id},
        )
        audit.record(
            connection, now, actor, "restriction.lifted" if lift else "restriction.kept",
            f"correction:{correction_id}", restrictions=lifted or list(row.restrictions),
            corrected_by=row.corrected_by,
        )  # fmt: skip


def _lift(connection: Connection, ids: Sequence[int], now: datetime) -> Sequence[int]:
    """Lift of these what nobody else has said since the correction; which they were."""
    # who says it just now has the row: whether their result stands is to be seen after that
    connection.execute(
        text("SELECT FROM restriction WHERE id = ANY(:ids) ORDER BY id FOR UPDATE"), {"ids": ids}
    )
    lifted = connection.scalars(
        text(f"""
        UPDATE restriction r SET lifted_at = :now
        WHERE r.id = ANY(:ids) AND {SAID_BY_NO_OTHER} RETURNING r.id
        """),
        {"now": now, "ids": ids, **results_and_kinds()},
    ).all()
    if not lifted:
        raise MayNot(
            "ほかの記録や申出も、同じ制限を求めています。ここでは解けません。「制限を残す」を選び、"
            "要るときは画面「連絡しない方・番号」で解除を依頼してください / others have asked for "
            "the same: it is not lifted here; keep it, and where need be ask to lift it on the "
            "page Do not contact"
        )
    return lifted
