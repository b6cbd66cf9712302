"""Files that were handed in and work that was asked for, when something goes wrong between."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

from contact_service import worker
from contact_service.bootstrap import Service
from contact_service.clock import FixedClock
from contact_service.domain.actors import Actor, Role
from contact_service.identity import accounts, tokens
from contact_service.identity.tokens import Scope
from contact_service.intake import uploads
from contact_service.intake.fields import FileKind
from contact_service.settings import Settings
from contact_service.store import jobs
from contact_service.store.crypto import Vault
from tests.intake.conftest import CLAIM, write_csv

ADMINISTRATOR = Actor("root", Role.ADMINISTRATOR)
SATO = Actor("sato", Role.STAFF)
TOKEN = Actor("token:batch", Role.STAFF)


@pytest.fixture
def service(
    settings: Settings, engine: Engine, vault: Vault, clock: FixedClock, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Service:  # fmt: skip
    own = settings.model_copy(update={"state_dir": tmp_path, "keys_file": settings.keys_path})
    made = Service(own, engine, vault, clock)
    monkeypatch.setattr(worker, "dispatcher", lambda: type("D", (), {"service": made}))
    return made


def handed_in(service: Service, actor: Actor) -> UUID:
    content = io.BytesIO(write_csv(service.settings.state_dir / "f.csv", [CLAIM]).read_bytes())
    return uploads.hand_in(
        service, actor, FileKind.CLAIMS, "滞納_20260930.csv", content, training=True
    )


def kept(service: Service) -> list[str]:
    return sorted(path.name for path in uploads.folder_of(service.settings).iterdir())


def ended_account(service: Service) -> None:
    accounts.disable(service, ADMINISTRATOR, "sato")


def other_role(service: Service) -> None:
    accounts.assign(service, ADMINISTRATOR, "sato", Role.EVALUATOR, "*")


def other_office(service: Service) -> None:
    accounts.assign(service, ADMINISTRATOR, "sato", Role.STAFF, "納税担当課")


def ended_token(service: Service) -> None:
    with service.engine.connect() as connection:
        (found,) = tokens.tokens(connection)
    tokens.revoke(service, ADMINISTRATOR, found.id)


def nothing(service: Service) -> None:
    pass


@pytest.mark.parametrize("actor, meanwhile, state, said", [
    (SATO, nothing, "done", None),
    (SATO, ended_account, "refused", "停止された"),
    (SATO, other_role, "refused", "役割か所管課が変わった"),
    (SATO, other_office, "refused", "役割か所管課が変わった"),
    (TOKEN, nothing, "done", None),
    (TOKEN, ended_token, "refused", "停止された"),
    (Actor("somebody-at-a-shell", Role.STAFF), ended_account, "done", None),
])  # fmt: skip
def test_work_is_done_for_whoever_may_still_ask_for_it(
    service: Service, actor: Actor, meanwhile: object, state: str, said: str | None
) -> None:
    """Looked at when it is taken up; nothing is changed for somebody who may not."""
    accounts.add(service, ADMINISTRATOR, "sato", "佐藤", Role.STAFF)
    tokens.issue(service, ADMINISTRATOR, "batch", Role.STAFF, frozenset({Scope.FILES_WRITE}), 9)
    handed_in(service, actor)
    meanwhile(service)  # type: ignore[operator]
    worker.work_longer()
    with service.engine.connect() as connection:
        found = connection.execute(text("SELECT state, message FROM job")).one()
        claims = connection.scalar(text("SELECT count(*) FROM claim"))
    assert found.state == state, found.message
    assert (said or "") in (found.message or "")
    assert bool(claims) == (state == "done")
    folder = uploads.folder_of(service.settings)
    assert not list(folder.glob("*/滞納_20260930.csv"))  # nobody needs it any more


@pytest.mark.parametrize("fails", ["ask", "read"])
def test_a_file_whose_job_could_not_be_written_does_not_stay(
    service: Service, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OSError("away")

    monkeypatch.setattr(*((jobs, "ask", away) if fails == "ask" else (os, "fdopen", away)))
    with pytest.raises(OSError, match="away"):
        handed_in(service, SATO)
    assert kept(service) == []


def test_what_was_left_by_somebody_who_was_killed_is_removed_after_an_hour(
    service: Service,
) -> None:
    """By the beat, though no work is done; what a job knows stays, and what is not ours."""
    waits = str(handed_in(service, SATO))
    folder = uploads.folder_of(service.settings)
    old, fresh, foreign = str(uuid4()), str(uuid4()), "tmp-of-the-machine"
    for name in (old, fresh, foreign):
        (folder / name).mkdir()
        (folder / name / "滞納.csv").write_text("世田谷太郎")
    for name, minutes in ((old, 61), (fresh, 50), (foreign, 999), (waits, 999)):
        at = time.time() - minutes * 60
        os.utime(folder / name, (at, at))
    entry = worker._beat_table()["tidy files"]
    assert entry["schedule"] <= 3600
    worker.app.tasks[entry["task"]]()
    assert kept(service) == sorted([fresh, foreign, waits])
    # a file that was only checked is imported from where the check found it
    with service.engine.begin() as connection:
        connection.execute(text("UPDATE job SET id = gen_random_uuid()"))
    uploads.tidy(service)
    assert waits in kept(service)


def test_reading_nothing_leaves_nothing(service: Service) -> None:
    with pytest.raises(jobs.CannotBeDone):
        uploads.hand_in(service, SATO, FileKind.CLAIMS, "a.csv", io.BytesIO())
    assert kept(service) == []
