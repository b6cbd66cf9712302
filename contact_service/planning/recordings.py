"""Recordings for auto-calls: every version kept, one of each name in use.

The one in use is the file in the office's audio folder (``CONTACT_AUDIO_DIR``), where carriers and
trunks are given it; a file that was put there by hand is in use as well.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, insert, text

from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, Role, require
from contact_service.domain.life import CannotDo
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


def add(
    service: Service, actor: Actor, name: str, prepared: Prepared, spoken: str | None, now: datetime
) -> int:
    """Keep a new version of ``name``; its number. It is not in use yet.

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
        connection.execute(
            insert(recording).values(
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
        )
        audit.record(connection, now, actor, "recording.add", name, version=number)
    return number


def use(service: Service, actor: Actor, recording_id: int, now: datetime) -> None:
    """Put a version into the audio folder: from now on calls play it. Raises ``NotAllowed``,
    ``CannotDo``."""
    require(actor, Role.STAFF)
    with service.engine.begin() as connection:
        row = connection.execute(
            text("""
            UPDATE recording SET used_at = :now WHERE id = :id RETURNING name, version, wav
            """),
            {"now": now, "id": recording_id},
        ).one_or_none()
        if row is None:
            raise CannotDo("この録音はありません / there is no such recording")
        audit.record(connection, now, actor, "recording.use", row.name, version=row.version)
        _write(service.settings.audio_dir / row.name, row.wav)


def recordings(connection: Connection) -> list[Recording]:
    """All versions, by name, the newest first."""
    rows = connection.execute(
        text("""
        SELECT id, name, version, seconds, loudness, peak_db, faults, spoken, made_at, made_by,
            used_at
        FROM recording ORDER BY name, version DESC LIMIT 500
        """)
    )
    return [Recording(*row) for row in rows]


def sound(connection: Connection, recording_id: int) -> bytes | None:
    """One version's sound, as WAV."""
    found = connection.scalar(
        text("SELECT wav FROM recording WHERE id = :id"), {"id": recording_id}
    )  # fmt: skip
    return bytes(found) if found is not None else None


def files(folder: Path) -> list[str]:
    """The names in use, those that were put there by hand among them."""
    return sorted(path.name for path in folder.glob("*.wav"))


def _write(path: Path, content: bytes) -> None:
    draft = path.with_suffix(f".{os.getpid()}.new")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        raise CannotDo(
            f"音声の置き場所（{path.parent}）に書けません。管理者に連絡してください / the audio "
            f"folder cannot be written: {error.strerror}"
        ) from None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
