"""Files by the console: checked, imported by a worker, mended, handed in again."""

from __future__ import annotations

import gzip
import io
import os
import re
import zipfile
from pathlib import Path

import pytest

from contact_service.bootstrap import Service
from contact_service.domain.actors import Role
from contact_service.intake import uploads
from contact_service.intake.fields import FileKind
from contact_service.settings import Settings
from contact_service.store import jobs
from tests.dispatch.conftest import Floor, floor
from tests.intake.conftest import CLAIM, STAFF, write_csv
from tests.ledger import mobile
from tests.web.browser import Browser
from tests.web.people import signed_in
from tests.web.test_doors import Door, door, door_settings

__all__ = ["door", "door_settings", "floor"]

NAME = "滞納_20260930.csv"
BAD = {**CLAIM, "宛名番号": "10000002", "未納額": "未定", "通知書番号": "26010000002"}


def csv(tmp_path: Path, *rows: dict[str, str]) -> bytes:
    return write_csv(tmp_path / "file.csv", rows).read_bytes()


def work(floor: Floor, settings: Settings) -> bool:
    """What a worker does when it is woken."""
    service = Service(settings, floor.service.engine, floor.service.vault, floor.clock)
    handlers = {uploads.KIND: uploads.handler(service)}
    done = jobs.run_next(service.engine, handlers, service.clock.now)
    uploads.tidy(service)
    return done


def kept(settings: Settings) -> list[str]:
    return sorted(path.name for path in uploads.folder_of(settings).glob("*/*"))


def claims(floor: Floor) -> object:
    return floor.ledger.one("SELECT count(*) FROM claim")


def test_a_file_is_checked_imported_mended_and_handed_in_again(
    floor: Floor, door: Door, door_settings: Settings, tmp_path: Path
) -> None:
    staff = signed_in(floor, door, "kato", Role.STAFF).open("/files")
    content = csv(tmp_path, CLAIM, BAD)
    staff.send_file("/files", NAME, content, kind="claims", training="yes", do="check")
    assert staff.path.startswith("/files/jobs/") and "順番を待っています" in staff.page
    assert 'hx-trigger="every 3s"' in staff.page
    checked = staff.path
    assert work(floor, door_settings) and claims(floor) == 0
    staff.open(checked)
    assert "台帳はまだ変わっていません" in staff.page and "金額として読めません" in staff.page
    assert 'hx-trigger="every 3s"' not in staff.page and "未定" not in staff.page
    assert "確かめただけ" in staff.open("/files").page
    staff.open(checked).send(f"{checked}/import")
    imported = staff.path
    assert imported != checked
    staff.open(checked).send(f"{checked}/import")
    assert staff.path == imported  # pressed twice, it is imported once
    assert work(floor, door_settings) and not work(floor, door_settings)
    assert claims(floor) == 1 and floor.ledger.one("SELECT bool_and(training) FROM debtor")
    assert "確かめただけ" not in staff.open("/files").page
    staff.send(f"{imported}/import")  # which is in the ledger
    assert (staff.status, "確かめたファイルではありません" in staff.page) == (422, True)
    file = str(floor.ledger.one("SELECT max(id) FROM source_file"))
    staff.open(f"/files/{file}")
    assert '<mark class="wrong-cell">未定</mark>' in staff.page
    found = re.search(r'href="(/files/jobs/[^"]+/rejects)"', staff.page)
    assert found and kept(door_settings) == ["滞納_20260930.rejects.csv"]
    raw = Browser(staff.address, staff.cookies)
    status, mended = raw.fetch(found[1])
    assert status == 200
    again = mended.decode("cp932").replace("未定", "500").encode("cp932")
    staff.send_file("/files", "滞納_20260930.rejects.csv", again, kind="claims", mends=file,
                    training="yes", do="import")  # fmt: skip
    assert work(floor, door_settings) and claims(floor) == 2
    assert "直して取り込まれました" in staff.open(f"/files/{file}").page
    assert "直して取込済" in staff.open("/files").page
    told = floor.ledger.rows(
        "SELECT action FROM audit_log WHERE action LIKE 'intake.%' ORDER BY id"
    )
    assert [action for (action,) in told] == [
        "intake.import", "intake.show_rejected", "intake.rejects", "intake.import",
        "intake.show_rejected",
    ]  # fmt: skip
    other = signed_in(floor, door, "sato", Role.OPERATOR).open(f"/files/{file}")
    assert other.status == 200 and "未定" not in other.page
    assert other.open(found[1]).status == 403


def test_a_telephone_systems_log_is_handed_in_packed_and_strangers_are_listed(
    floor: Floor, door: Door, door_settings: Settings
) -> None:
    """A caller in the ledger, one who withheld their number, and more than a page of others."""
    floor.ledger.person([mobile(1)])
    start = 1788224400  # 2026-09-01 10:00 in Tokyo
    callers = [f"0{mobile(1)[3:]}", *["anonymous"] * 51]
    log = "".join(
        f"{start + 60 * n}|c.{n}|q|NONE|ENTERQUEUE||{number}|1\n"
        f"{start + 60 * n + 20}|c.{n}|q|NONE|ABANDON|1|1|20\n"
        for n, number in enumerate(callers)
    )
    staff = signed_in(floor, door, "kato", Role.STAFF).open("/files")
    packed = gzip.compress(log.encode())
    staff.send_file("/files", "queue_log.1.gz", packed, kind="calls", do="import")
    assert work(floor, door_settings), staff.page
    known = "SELECT count(*), count(phone_id) FROM call"
    assert floor.ledger.rows(known) == [(52, 1)]
    file = floor.ledger.one("SELECT max(id) FROM source_file")
    staff.open(f"/files/{file}")
    assert "だれの通話か決まらないもの" in staff.page
    assert staff.page.count("番号が非通知か、台帳にない") == 50
    assert "9月1日（火） 10:01" in staff.page and "9月1日（火） 10:00" not in staff.page
    found = re.search(r'href="(/files/\d+\?calls_after=\d+)', staff.page)
    assert found and staff.open(found[1]).page.count("番号が非通知か、台帳にない") == 1


def test_what_cannot_be_taken_is_said(
    floor: Floor,
    door: Door,
    door_settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    staff = signed_in(floor, door, "kato", Role.STAFF).open("/files")
    content = csv(tmp_path, CLAIM)
    for name, said, fields in (
        ("", "ファイルを選んでください", {"kind": "claims"}),
        ("a.exe", "CSV か Excel", {"kind": "claims"}),
        ("a.csv", "何のファイルか", {"kind": "x"}),
        ("a.csv", "基準日を", {"kind": "claims", "as_of": "soon"}),
        ("a.csv", "直すファイルがありません", {"kind": "claims", "mends": "999"}),
    ):
        staff.send_file("/files", name, content, **fields)
        assert (staff.status, said in staff.page) == (422, True), name
    assert staff.send_file("/files", "a.csv", b"", kind="claims").status == 422
    with monkeypatch.context() as smaller:
        smaller.setattr(uploads, "MOST_BYTES", len(content) - 1)
        staff.send_file("/files", "a.csv", content, kind="claims")
        assert (staff.status, "ファイルが大きすぎます" in staff.page) == (422, True)
    assert kept(door_settings) == [] and not list(uploads.folder_of(door_settings).iterdir())
    stranger = Browser(staff.address)
    assert stranger.send_file("/files", "a.csv", content, kind="claims").path.startswith("/sign-in")
    operator = signed_in(floor, door, "sato", Role.OPERATOR).open("/files")
    assert operator.send_file("/files", "a.csv", content, kind="claims").status == 403
    # a name cannot lead elsewhere; what is no file of this kind says what it may be
    staff.open("/files").send_file("/files", "../../etc/支払.csv", content, kind="payments")
    assert kept(door_settings) == ["支払.csv"]
    waiting = staff.path
    assert work(floor, door_settings)
    assert "滞納一覧のようです" in staff.open(waiting).page
    assert "取り込めませんでした" in staff.open("/files").page


@pytest.mark.parametrize(
    "name",
    [
        "../../../keys.csv",
        "..\\..\\keys.csv",
        "/etc/cron.d/x.csv",
        "C:\\台帳\\滞納.csv",
        "a\x00b\r\nSet-Cookie: x=1\x7f.csv",
        "滞" * 300 + ".csv",
        "a" * 5_000 + ".csv",
    ],
)
@pytest.mark.parametrize("kind", [FileKind.CLAIMS, FileKind.CALLS])
def test_whatever_a_file_is_called_it_lies_in_its_own_folder_and_for_its_owner_alone(
    floor: Floor, tmp_path: Path, kind: FileKind, name: str
) -> None:
    own = floor.service.settings.model_copy(update={"state_dir": tmp_path / "office"})
    service = Service(own, floor.service.engine, floor.service.vault, floor.clock)
    before = os.umask(0)
    try:
        job = uploads.hand_in(service, STAFF, kind, name, io.BytesIO(b"x"))
    finally:
        os.umask(before)
    (path,) = (path for path in own.state_dir.rglob("*") if path.is_file())
    assert path.parent == uploads.folder_of(own) / str(job)
    assert path.name.isprintable() and path.name == Path(path.name).name
    for each in (path, path.parent, path.parent.parent):
        assert each.stat().st_mode & 0o077 == 0, each
    shown = uploads.one(service, STAFF, job)
    assert shown and shown.arguments["name"] == path.name
    assert path.suffix == Path(name).suffix, "the end says what it is"


def test_an_archive_that_would_fill_the_memory_is_refused(
    floor: Floor, door: Door, door_settings: Settings
) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 20_000_000)
    staff = signed_in(floor, door, "kato", Role.STAFF).open("/files")
    staff.send_file("/files", "a.xlsx", bomb.getvalue(), kind="claims", do="import")
    waiting = staff.path
    assert work(floor, door_settings)
    assert "展開すると大きすぎます" in staff.open(waiting).page


def test_work_that_breaks_off_is_done_again_and_not_for_ever(
    floor: Floor, door_settings: Settings, tmp_path: Path
) -> None:
    service = Service(door_settings, floor.service.engine, floor.service.vault, floor.clock)
    path = write_csv(tmp_path / NAME, [CLAIM])
    with path.open("rb") as content:
        job = uploads.hand_in(service, STAFF, uploads.FileKind.CLAIMS, NAME, content)

    class Killed(Exception):
        pass

    def dies(_: jobs.Job, __: jobs.Progress) -> dict[str, object]:
        raise Killed

    def told() -> jobs.Job | None:
        with service.engine.connect() as connection:
            return jobs.find(connection, job)

    for _ in range(jobs.MOST_TRIES):
        try:
            jobs.run_next(service.engine, {uploads.KIND: dies}, service.clock.now)
        except Killed:
            found = told()
            assert found and found.state is jobs.JobState.RUNNING
    assert jobs.run_next(service.engine, {uploads.KIND: dies}, service.clock.now)
    found = told()
    assert found and found.state is jobs.JobState.REFUSED and "3回" in (found.message or "")
