"""The audit log as a chain: which line follows which, each proven with all before it.

Whoever writes a line waits for nobody: a chore (:func:`seal`) puts what has been committed at
the end of the chain a moment later, in whatever order it arrives. A link's digest is an HMAC of
the link before it, its number and the whole line. :func:`verify` then finds

- a line that was **changed** or **written** by somebody who has the database but not the keys:
  its own MAC does not fit, whether it is in the chain yet or not;
- a line that was **removed**: its link points nowhere, or the next digest does not fit;
- a line that is there **twice**, proof and all;
- a trigger that is off or was made anew, or something else that could keep lines from being
  written (``store.audit_guard``).

Only what carries a proof comes into the chain: taking the chain and all proofs away does not make
the service prove what is left.

What it cannot find by itself: lines removed in the moment before they were put into the chain,
and a chain cut off at its end, or emptied, together with its lines. The latter is found by whoever
keeps the last digest somewhere else: ``verify`` prints it, every export carries it and looks for
it, the worker writes it to its log once an hour.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

from contact_service.domain.actors import Actor, Role, require
from contact_service.store import audit_guard
from contact_service.store.audit import canonical, mac
from contact_service.store.engine import audit_key

#: One at a time makes the chain longer (an arbitrary, fixed number).
_CHAIN_LOCK = 0x6175646974
BATCH = 5000
#: Who looks for what is new looks this far back from the last line in the chain: a transaction
#: may commit a line long after others wrote theirs, and looking at all of a million takes seconds.
LOOK_BACK = 2_000
START = b"\0" * 32
MOST_FAULTS = 100

_LINE = "l.id, l.ref, l.at, l.actor, l.role, l.office, l.origin, l.action, l.subject, l.details"


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: the number of the last line, and what proves all up to it."""

    sequence: int
    digest: bytes


@dataclass
class Verdict:
    """What was looked at, and what is wrong with it."""

    lines: int = 0
    open: int = 0
    """Lines that are written but not in the chain yet."""
    head: Head = field(default_factory=lambda: Head(0, START))
    faults: list[str] = field(default_factory=list)
    """Japanese / English; the first hundred."""

    def wrong(self, fault: str) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(fault)


def seal(engine: Engine, *, whole: bool = True) -> int:
    """Put what has been written since into the chain; returns how many lines.

    A line that is committed meanwhile behind those that were looked at waits for the next time;
    without ``whole``, one that lies far behind the chain's end for the next whole look.
    """
    sealed = 0
    after = 0 if whole else _near_the_end(engine)
    while True:
        with engine.begin() as connection:
            if not connection.scalar(
                text("SELECT pg_try_advisory_xact_lock(:n)"), {"n": _CHAIN_LOCK}
            ):
                return sealed  # another process is at it
            added, after = _seal_batch(connection, after)
        sealed += added
        if added < BATCH:
            return sealed


def _near_the_end(engine: Engine) -> int:
    with engine.connect() as connection:
        newest = connection.scalar(text("SELECT max(entry_id) FROM audit_chain"))
    return max(0, (newest or 0) - LOOK_BACK)


def _seal_batch(connection: Connection, after: int) -> tuple[int, int]:
    """Chain lines behind the one with the id ``after``: how many, and the id of the last."""
    key, head = audit_key(connection), last(connection)
    lines = connection.execute(
        text(f"""
        SELECT {_LINE} FROM audit_log l
        WHERE l.id > :after AND l.mac IS NOT NULL
        AND NOT EXISTS (SELECT FROM audit_chain c WHERE c.entry_id = l.id)
        ORDER BY l.id LIMIT :most
        """),
        {"most": BATCH, "after": after},
    ).all()
    links = []
    sequence, digest = head.sequence, head.digest
    for line in lines:
        sequence += 1
        digest = _digest(key, digest, sequence, line)
        links.append({"sequence": sequence, "entry": line.id, "digest": digest})
    if links:
        connection.execute(
            text("""
            INSERT INTO audit_chain (sequence, entry_id, digest, sealed_at)
            VALUES (:sequence, :entry, :digest, clock_timestamp())
            """),
            links,
        )
    return len(links), lines[-1].id if lines else after


def last(connection: Connection) -> Head:
    """The end of the chain as it stands."""
    row = connection.execute(
        text("SELECT sequence, digest FROM audit_chain ORDER BY sequence DESC LIMIT 1")
    ).one_or_none()
    return Head(row.sequence, bytes(row.digest)) if row else Head(0, START)


def verify(engine: Engine, actor: Actor, kept: Head | None = None) -> Verdict:
    """Look at every line and every link. ``kept`` is an end of the chain that was noted down
    somewhere else, at an earlier time."""
    require(actor, Role.AUDITOR)
    found = Verdict()
    with engine.connect() as connection:
        key = audit_key(connection)
        before, expected = START, 1
        _look_for_doubles(found, connection)
        for fault in audit_guard.faults(connection):
            found.wrong(fault)
        for row in _rows(connection):
            if row.sequence is None:
                found.open += 1
                _look_at_line(found, key, row)
                continue
            if row.sequence != expected:
                found.wrong(
                    f"{expected}番から{row.sequence - 1}番までの記録が連鎖にありません / "
                    f"links {expected} to {row.sequence - 1} are missing"
                )
            expected = row.sequence + 1
            digest, before = before, bytes(row.digest)
            found.head = Head(row.sequence, before)
            if kept is not None and kept.sequence == row.sequence:
                _compare(found, kept, before)
            if row.id is None:
                found.wrong(
                    f"{row.sequence}番の記録が消されています / line {row.sequence} was removed"
                )
                continue
            right = _look_at_line(found, key, row)
            if right and not hmac.compare_digest(_digest(key, digest, row.sequence, row), before):
                found.wrong(
                    f"{row.sequence}番が前の記録とつながりません / line {row.sequence} does not "
                    "follow from the one before it"
                )
    if kept is not None and kept.sequence > found.head.sequence:
        found.wrong(
            f"控えの{kept.sequence}番より前（{found.head.sequence}番）で終わっています / the chain "
            f"ends at {found.head.sequence}, before the {kept.sequence} that was noted down"
        )
    return found


def _look_for_doubles(found: Verdict, connection: Connection) -> None:
    """A line's name (``ref``) is drawn and unique, unless somebody has put that aside."""
    twice = text("""
        SELECT array_agg(id ORDER BY id) AS ids FROM audit_log WHERE ref IS NOT NULL
        GROUP BY ref HAVING count(*) > 1 ORDER BY 1 LIMIT 100
        """)
    for ids in connection.scalars(twice):
        said = ", ".join(map(str, ids))
        found.wrong(f"同じ記録が複数あります（id {said}） / the same line more than once: {said}")


def _look_at_line(found: Verdict, key: bytes, row: Row[Any]) -> bool:
    """Count a line, and compare it with its own proof."""
    found.lines += 1
    if row.mac is None or not hmac.compare_digest(bytes(row.mac), mac(key, row._mapping)):
        number = f"{row.sequence}番" if row.sequence else "まだ連鎖にない記録"
        found.wrong(
            f"{number}（id {row.id}）は、後から変えられたか、このサービスの外で書かれました / "
            f"line id {row.id} was changed after it was written, or not written by the service"
        )
        return False
    return True


def _compare(found: Verdict, kept: Head, digest: bytes) -> None:
    if not hmac.compare_digest(kept.digest, digest):
        found.wrong(
            f"{kept.sequence}番が控えと違います / line {kept.sequence} is not what was noted down"
        )


def _rows(connection: Connection) -> Iterator[Row[Any]]:
    """Links in their order with their lines, then lines that no link has; read in portions."""
    return iter(
        connection.execution_options(yield_per=2000).execute(
            text(f"""
            SELECT c.sequence, c.digest, l.mac, {_LINE}
            FROM audit_chain c FULL JOIN audit_log l ON l.id = c.entry_id
            ORDER BY c.sequence NULLS LAST, l.id
            """)
        )
    )


def _digest(key: bytes, before: bytes, sequence: int, line: Row[Any]) -> bytes:
    said = before + sequence.to_bytes(8, "big") + int(line.id).to_bytes(8, "big")
    return hmac.digest(key, said + canonical(line._mapping), "sha256")


def holds(connection: Connection, kept: Head) -> bool:
    """Whether the chain still has the link that somebody has noted down."""
    there = connection.scalar(
        text("SELECT digest FROM audit_chain WHERE sequence = :n"), {"n": kept.sequence}
    )
    return hmac.compare_digest(kept.digest, START if kept.sequence == 0 else bytes(there or b""))


def since(connection: Connection, sequence: int, most: int) -> list[Row[Any]]:
    """Lines of the chain after the one numbered ``sequence``, with their number and digest.

    The chain has no gaps and grows at its end only: whoever goes on from the last number that
    they have seen misses nothing, whenever it was written.
    """
    return list(
        connection.execute(
            text(f"""
            SELECT c.sequence, c.digest, {_LINE}
            FROM audit_chain c JOIN audit_log l ON l.id = c.entry_id
            WHERE c.sequence > :after ORDER BY c.sequence LIMIT :most
            """),
            {"after": sequence, "most": most},
        )
    )
