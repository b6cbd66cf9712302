"""Letters (催告書): handed to the office's own mailing as a file, once, after the same re-checks as
any contact.

What was handed over is kept line by line, so a file that got lost can be written again.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from campaigns.claim_words import Owed, told
from campaigns.definition import Definition
from campaigns.messages import render
from campaigns.vocabulary import CLAIM_KIND_JA, Channel, ClaimKind, Language, Outcome
from contact_service.bootstrap import Service
from contact_service.clock import TOKYO
from contact_service.dispatch import letter_file
from contact_service.dispatch.contacts import office
from contact_service.dispatch.lease import lease
from contact_service.dispatch.letter_file import Encoding, Replaced
from contact_service.dispatch.settle import settle
from contact_service.dispatch.switches import switches
from contact_service.domain.actors import Actor, Role, require, require_kinds
from contact_service.domain.life import STATE_JA, CannotDo
from contact_service.domain.states import RunState
from contact_service.domain.windows import at_tokyo
from contact_service.identity.bulk_access import BulkKind, require_granted
from contact_service.planning.definitions import definitions_of, kinds_of, of_own_kinds, own_kinds
from contact_service.store import audit, left_alone

#: What stands where a carrier's name would.
MAILING = "mailing"
_CHUNK = 500
_SECONDS = 3600.0  # a lease that never outlives its transaction


@dataclass(frozen=True, slots=True)
class Batch:
    """What was handed over at one time. ``number`` counts within the step, from 1."""

    id: int
    number: int
    letters: int
    lines: int
    handed_over_at: datetime
    handed_over_by: str


@dataclass(frozen=True, slots=True)
class Written:
    """A file of letters."""

    batch: Batch | None
    """``None``: nothing new was due, and no file was written."""
    put_aside: dict[str, int]
    """How many attempts the re-checks left out, by reason."""
    left_out: int
    """Lines of a batch written again whose person has paid or must be left alone by now."""
    replaced: tuple[Replaced, ...]


def hand_over(
    service: Service,
    actor: Actor,
    run_id: UUID,
    step: str,
    output: Path,
    now: datetime,
    encoding: Encoding = Encoding.UTF_8,
) -> Written:
    """Write the letters of a step that are due by the end of the day in Tokyo, once, to ``output``.

    The file appears when the hand-over is on disk; should it be lost then, :func:`write_again`
    makes it again. Raises ``NotAllowed``, ``CannotDo``, ``OSError``.
    """
    require(actor, Role.STAFF, Role.APPROVER)
    draft = _draft(output)
    try:
        with service.engine.begin() as connection:
            definition = definition_of_letters(connection, run_id, step)
            require_kinds(actor, kinds_of(definition))
            _must_go_out(connection, run_id, step)
            put_aside = _take(connection, definition, run_id, step, actor, now)
            batch = _keep(connection, run_id, step, actor, now)
            if batch is None:
                return Written(None, put_aside, 0, ())
            written = _write(service, connection, definition, step, batch, draft, encoding, now)
            audit.record(
                connection, now, actor, "letters.handed_over",
                f"run:{run_id}/{step}/{batch.number}", letters=batch.letters, lines=batch.lines,
            )  # fmt: skip
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)
    return Written(batch, put_aside, 0, written[1])


def write_again(
    service: Service,
    actor: Actor,
    run_id: UUID,
    step: str,
    number: int,
    output: Path,
    now: datetime,
    encoding: Encoding = Encoding.UTF_8,
) -> Written:
    """Write a batch again, with the amounts as handed over. Who has paid in full or must be left
    alone by now is left out. Takes a second person (:mod:`contact_service.identity.bulk_access`).

    Raises ``NotAllowed``, ``CannotDo``, ``OSError``."""
    require(actor, Role.STAFF, Role.APPROVER)
    draft = _draft(output)
    try:
        with service.engine.begin() as connection:
            definition = definition_of_letters(connection, run_id, step)
            require_kinds(actor, kinds_of(definition))
            subject = f"{run_id}/{step}/{number}"
            require_granted(connection, actor, BulkKind.LETTERS_AGAIN, subject, now)
            batch = next(
                (each for each in batches(connection, run_id, step) if each.number == number), None
            )
            if batch is None:
                raise CannotDo(
                    f"段階「{step}」の {number} 回目の引渡しはありません / "
                    f"step {step} has no batch {number}"
                )
            lines, lost = _write(service, connection, definition, step, batch, draft, encoding, now)
            audit.record(
                connection, now, actor, "letters.written_again", f"run:{run_id}/{step}/{number}",
                lines=lines,
            )  # fmt: skip
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)
    return Written(batch, {}, batch.lines - lines, lost)


def batches(connection: Connection, run_id: UUID, step: str) -> list[Batch]:
    """What was handed over of a step, the first first."""
    rows = connection.execute(
        text("""
        SELECT b.id, b.number, b.letters, b.handed_over_at, b.handed_over_by,
            (SELECT count(*) FROM letter_line l WHERE l.batch_id = b.id) AS lines
        FROM letter_batch b WHERE b.run_id = :run_id AND b.step = :step ORDER BY b.number
        """),
        {"run_id": run_id, "step": step},
    )
    return [Batch(**row._mapping) for row in rows]


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A batch among all of the office's."""

    id: int
    subject: str
    """RUN/STEP/BATCH, as :mod:`contact_service.identity.bulk_access` names it."""
    title: str
    step: str
    number: int
    letters: int
    handed_over_at: datetime


def latest_batches(
    connection: Connection, actor: Actor, most: int = 100, before: int | None = None
) -> list[HandedOver]:
    """The office's letters that were handed over lately, the newest first: those before the batch
    ``before``."""
    rows = connection.execute(
        text(f"""
        SELECT b.id, b.run_id || '/' || b.step || '/' || b.number AS subject,
            v.definition ->> 'title' AS title, b.step, b.number, b.letters, b.handed_over_at
        FROM letter_batch b JOIN run r ON r.id = b.run_id
        JOIN campaign_version v ON v.id = r.campaign_version_id
        WHERE {of_own_kinds()} AND (CAST(:before AS bigint) IS NULL OR b.id < :before)
        ORDER BY b.id DESC LIMIT :most
        """),
        {"most": most, "before": before} | own_kinds(actor),
    )
    return [HandedOver(**row._mapping) for row in rows]


def _draft(output: Path) -> Path:
    """Where the file is written until it is whole."""
    if output.exists():
        raise CannotDo(
            f"{output}: すでにあります。別の名前を --output で指定してください / exists already: "
            "give another --output"
        )
    return output.with_name(f".{output.name}.{os.getpid()}")


def definition_of_letters(connection: Connection, run_id: UUID, step: str) -> Definition:
    """The run's definition. Raises ``CannotDo`` where ``step`` is none that writes letters."""
    definition = definitions_of(connection, [run_id])[run_id]
    by_letter = [
        each.name
        for each in definition.steps
        if Channel.LETTER in (each.channel, each.fallback.channel if each.fallback else None)
    ]
    if step not in by_letter:
        names = "、".join(by_letter) or "なし / none"
        raise CannotDo(
            f"段階「{step}」は催告書の段階ではありません（催告書の段階: {names}） / step {step} "
            "writes no letters"
        )
    return definition


def _must_go_out(connection: Connection, run_id: UUID, step: str) -> None:
    """Raise ``CannotDo`` unless the run runs and nothing is stopped; one hand-over at a time."""
    connection.execute(
        text("SELECT 1 FROM run_step WHERE run_id = :run_id AND step = :step FOR UPDATE"),
        {"run_id": run_id, "step": step},
    )
    state = RunState(
        connection.scalar(text("SELECT state FROM run WHERE id = :id"), {"id": run_id})
    )
    if state is not RunState.RUNNING:
        raise CannotDo(
            f"実施は「{STATE_JA[state]}」です。実施中のときだけ引き渡せます / the run is {state}: "
            "letters go out while it is running"
        )
    stopped = switches(connection)
    for scope in ("all", f"channel:{Channel.LETTER}"):
        if scope in stopped:
            raise CannotDo(f"停止中です（{scope}、{stopped[scope]}） / stopped: {scope}")


def _take(
    connection: Connection,
    definition: Definition,
    run_id: UUID,
    step: str,
    actor: Actor,
    now: datetime,
) -> dict[str, int]:
    """Fill ``handed_over`` with the attempts that may be made, and finish them. Returns how many
    were put aside, by reason."""
    connection.execute(text("CREATE TEMP TABLE handed_over (id uuid) ON COMMIT DROP"))
    tomorrow = at_tokyo(now.astimezone(TOKYO).date() + timedelta(days=1), time(0, 0))
    before = _put_aside(connection, run_id, step)
    looked_at = 1
    while looked_at:
        leases, looked_at = lease(
            connection, {run_id: definition}, Channel.LETTER, MAILING, actor.name, now, _CHUNK,
            _SECONDS, carrier=None, step=step, due_by=tomorrow - timedelta(seconds=1),
        )  # fmt: skip
        ids = [each.attempt_id for each in leases]
        connection.execute(
            text("""
            WITH made AS (
                UPDATE attempt SET state = 'finished', outcome = :outcome, outcome_at = :now,
                    submitted_at = :now, provider_ref = id::text
                WHERE id = ANY(:ids) RETURNING id
            ) INSERT INTO handed_over SELECT id FROM made
            """),
            {"ids": ids, "now": now, "outcome": Outcome.HANDED_OVER.value},
        )
        settle(connection, ids, finished=ids)
    return dict(_put_aside(connection, run_id, step) - before)


def _put_aside(connection: Connection, run_id: UUID, step: str) -> Counter[str]:
    rows = connection.execute(
        text("""
        SELECT reason, count(*) FROM attempt
        WHERE run_id = :run_id AND step = :step AND channel = 'letter' AND state = 'skipped'
        GROUP BY 1
        """),
        {"run_id": run_id, "step": step},
    )
    return Counter({row[0]: row[1] for row in rows})


def _keep(
    connection: Connection, run_id: UUID, step: str, actor: Actor, now: datetime
) -> Batch | None:
    """Write down what ``handed_over`` holds: a letter a person, a line a claim that may be told.
    A person behind a shared number gets a letter about their own claims alone."""
    if not connection.scalar(text("SELECT EXISTS (SELECT 1 FROM handed_over)")):
        return None
    made = connection.execute(
        text("""
        INSERT INTO letter_batch (run_id, step, number, letters, handed_over_at, handed_over_by)
        SELECT :run_id, CAST(:step AS text), 1 + count(*), 0, :now, :by FROM letter_batch
        WHERE run_id = :run_id AND step = CAST(:step AS text) RETURNING id, number
        """),
        {"run_id": run_id, "step": step, "now": now, "by": actor.name},
    ).one()
    connection.execute(
        text(f"""
        INSERT INTO letter_line (batch_id, line, letter, attempt_id, claim_id, outstanding_yen)
        SELECT :batch, row_number() OVER (
                ORDER BY d.code, c.kind, c.assessed_year, c.notice_number, c.instalment, c.id),
            dense_rank() OVER (ORDER BY d.code), h.id, c.id, c.outstanding_yen
        FROM handed_over h JOIN attempt a ON a.id = h.id JOIN target t ON t.id = a.target_id
        JOIN target_claim tc ON tc.target_id = t.id JOIN claim c ON c.id = tc.claim_id
        JOIN debtor d ON d.id = c.debtor_id
        WHERE c.outstanding_yen > 0 AND {left_alone.CLAIM_MAY_BE_TOLD}
        """),
        {"batch": made.id} | left_alone.parameters(now.astimezone(TOKYO).date()),
    )
    connection.execute(
        text("""
        UPDATE letter_batch SET letters = (SELECT max(letter) FROM letter_line WHERE batch_id = :id)
        WHERE id = :id
        """),
        {"id": made.id},
    )
    return batches(connection, run_id, step)[-1]


def _write(
    service: Service,
    connection: Connection,
    definition: Definition,
    step: str,
    batch: Batch,
    path: Path,
    encoding: Encoding,
    now: datetime,
) -> tuple[int, tuple[Replaced, ...]]:
    """How many lines were written, and what had to be replaced in them."""
    rows = connection.execute(
        text(f"""
        SELECT l.letter, d.code, d.name, d.language, d.training, c.kind, c.assessed_year,
            c.attributed_year, c.instalment, c.notice_number, c.due_on, l.outstanding_yen
        FROM letter_line l JOIN attempt a ON a.id = l.attempt_id
        JOIN target t ON t.id = a.target_id JOIN claim c ON c.id = l.claim_id
        JOIN debtor d ON d.id = c.debtor_id
        WHERE l.batch_id = :batch AND c.outstanding_yen > 0 AND {left_alone.CLAIM_MAY_BE_TOLD}
        AND NOT ({left_alone.TARGET_RESTRICTED})
        ORDER BY l.line
        """),
        {"batch": batch.id} | left_alone.parameters(now.astimezone(TOKYO).date()),
        execution_options={"yield_per": 1000},
    )
    count = 0

    def lines() -> Iterator[dict[str, str]]:
        nonlocal count
        for _, claims in groupby(rows, key=lambda row: row.letter):
            for line in _letter(service, definition, step, list(claims)):
                count += 1
                yield line

    with letter_file.opened(path, encoding) as stream:
        replaced = tuple(letter_file.write(stream, lines(), encoding))
        stream.flush()
        os.fsync(stream.fileno())
    return count, replaced


def _letter(
    service: Service, definition: Definition, step: str, claims: list[Row[Any]]
) -> Iterator[dict[str, str]]:
    """The lines of one person's letter."""
    first = claims[0]
    wanted = Language(first.language) if first.language else None
    planned = definition.step(step)
    content = planned.fallback if planned.channel is not Channel.LETTER else planned
    body, language = "", wanted or definition.default_language
    if content is not None and content.message is not None:
        message = definition.messages[content.message]
        language = definition.language_of(message, wanted)
        owed = [
            Owed(ClaimKind(row.kind), row.assessed_year, row.instalment, row.outstanding_yen)
            for row in claims
        ]
        values = {**office(service.settings), **told(owed, language)}
        body = render(definition.words(message, wanted), values)
    total = sum(row.outstanding_yen for row in claims)
    for row in claims:
        cells = (
            row.letter, row.code, service.vault.open("debtor.name", row.name) if row.name else "",
            CLAIM_KIND_JA[ClaimKind(row.kind)], row.assessed_year, row.attributed_year,
            row.instalment, row.notice_number, row.due_on, row.outstanding_yen, total,
            language.value, body, "訓練データ（発送しない）" if row.training else "",
        )  # fmt: skip
        yield dict(zip(letter_file.HEADINGS, map(str, cells), strict=True))
