"""Recordings for auto-calls: every version kept, one of each name in use.

The one in use is the file in the office's audio folder (``CONTACT_AUDIO_DIR``, or ``audio`` in the
state folder), where carriers and trunks are given it; a file that was put there by hand is in use
as well, and of names that are not there, the recordings of the ready-made campaigns.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, insert, text

from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, NotAllowed, Role, require
from contact_service.domain.life import CannotDo
from contact_service.planning.definitions import of_own_kinds, own_kinds
from contact_service.settings import READY_MADE_AUDIO, Settings
from contact_service.store import audit
from contact_service.store.tables.console import recording
from providers.audio.files import written
from providers.audio.prompt import FATAL, WORDS, Prepared


@dataclass(frozen=True, slots=True)
class Recording:
    """One version, without its sound."""

    id: int
    name: str
    version: int
    seconds: float
    loudness: float | None
    """Of what was handed in, in LUFS."""
    peak_db: float | None
    faults: list[str]
    spoken: str | None
    made_at: datetime
    made_by: str
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Made:
    """A new version, which calls do not play yet."""

    id: int
    name: str
    version: int


#: Whether no campaign of another office, approved or about to be, plays a name.
_ONLY_OWN_PLAY = text(f"""
SELECT NOT EXISTS (SELECT FROM campaign_version v
    WHERE v.state IN ('submitted', 'approved') AND NOT {of_own_kinds()}
    AND jsonb_path_exists(v.definition, '$.scripts.*.nodes.*.audio ? (@ == $name)',
        jsonb_build_object('name', CAST(:name AS text))))
""")


def add(
    service: Service, actor: Actor, name: str, prepared: Prepared, spoken: str | None, now: datetime
) -> Made:
    """Keep a new version of ``name``. It is not in use yet.

    Raises ``NotAllowed``, and ``CannotDo`` for what nobody could hear.
    """
    require(actor, Role.STAFF)
    if fatal := FATAL.intersection(prepared.faults):
        raise CannotDo("\n".join(WORDS[fault] for fault in sorted(fatal)))
    with service.engine.begin() as connection:
        connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtext('recording:' || :name))"), {"name": name}
        )
        version = connection.scalar(
            text("SELECT coalesce(max(version), 0) + 1 FROM recording WHERE name = :name"),
            {"name": name},
        )
        number = int(version or 1)
        made = connection.scalar(
            insert(recording)
            .values(
                name=name,
                version=number,
                wav=written(prepared.samples, "wav"),
                seconds=prepared.seconds,
                loudness=_finite(prepared.loudness),
                peak_db=_finite(prepared.peak_db),
                faults=[fault.value for fault in prepared.faults],
                spoken=spoken,
                made_at=now,
                made_by=actor.name,
            )
            .returning(recording.c.id)
        )
        audit.record(connection, now, actor, "recording.add", name, version=number)
    return Made(int(made or 0), name, number)


def use(service: Service, actor: Actor, recording_id: int, now: datetime) -> None:
    """Put a version into the audio folder: from now on calls play it, those of campaigns that were
    approved before, too. So it takes an approver who did not make it. Raises ``NotAllowed``, also
    where another office's campaign plays that name, and ``CannotDo``."""
    require(actor, Role.APPROVER)
    with service.engine.begin() as connection:
        row = connection.execute(
            text("""
            UPDATE recording SET used_at = :now WHERE id = :id
            RETURNING name, version, wav, made_by
            """),
            {"now": now, "id": recording_id},
        ).one_or_none()
        if row is None:
            raise CannotDo("この録音はありません / there is no such recording")
        if actor.name == row.made_by:
            raise NotAllowed(
                "作った人とは別の承認者が、聞いて確かめてから使います / an approver who did not "
                "make the recording listens to it and puts it to use"
            )
        if not connection.scalar(_ONLY_OWN_PLAY, {"name": row.name} | own_kinds(actor)):
            raise NotAllowed(
                f"ほかの課の計画が {row.name} を使っています。別の名前で作ってください / another "
                f"office's campaign plays {row.name}: make it under another name"
            )
        audit.record(connection, now, actor, "recording.use", row.name, version=row.version)
        _write(service.settings.own_audio / row.name, row.wav)


def recordings(
    connection: Connection, after: tuple[str, int] | None = None, most: int = 500
) -> list[Recording]:
    """Versions by name, the newest first: those behind this name and version."""
    name, version = after or ("", 0)
    rows = connection.execute(
        text("""
        SELECT id, name, version, seconds, loudness, peak_db, faults, spoken, made_at, made_by,
            used_at
        FROM recording WHERE name > :name OR name = :name AND version < :version
        ORDER BY name, version DESC LIMIT :most
        """),
        {"name": name, "version": version, "most": most},
    )
    return [Recording(*row) for row in rows]


def sound(connection: Connection, recording_id: int) -> bytes | None:
    """One version's sound, as WAV."""
    found = connection.scalar(
        text("SELECT wav FROM recording WHERE id = :id"), {"id": recording_id}
    )  # fmt: skip
    return bytes(found) if found is not None else None


def files(settings: Settings) -> list[str]:
    """The names in use: those that were put there by hand and the ready-made ones among them."""
    folders = (settings.own_audio, READY_MADE_AUDIO)
    return sorted({path.name for folder in folders for path in folder.glob("*.wav")})


def _write(path: Path, content: bytes) -> None:
    draft = path.with_suffix(f".{os.getpid()}.new")
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        raise CannotDo(
            f"音声の置き場所（{path.parent}）に書けません。管理者に連絡してください / the audio "
            f"folder cannot be written: {error.strerror}"
        ) from None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
