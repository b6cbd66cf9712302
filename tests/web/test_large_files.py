"""Files that are large: they come in as a stream, and while one is taken in everything else goes
on. How long a million rows take is for ``benchmarks/upload.py``."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from contact_service.bootstrap import Service
from contact_service.domain.actors import Role
from contact_service.intake import uploads
from contact_service.settings import Settings
from contact_service.store import jobs
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import _quick_hashes
from tests.intake.conftest import CLAIM
from tests.ledger import mobile
from tests.web.api import Api
from tests.web.people import signed_in
from tests.web.test_doors import Door, door, door_settings
from tests.web.test_files import BAD, csv, work

__all__ = ["_quick_hashes", "door", "door_settings", "floor"]

MEGABYTES = 60
NAME = "滞納_20260930.csv"


def memory(what: str) -> float:
    """``VmRSS`` or ``VmHWM`` of this process, in which the web application runs, in megabytes."""
    found = re.search(rf"^{what}:\s+(\d+)", Path("/proc/self/status").read_text(), re.M)
    return int(found[1]) / 1024 if found else 0.0


def sent(door: Door, path: str, fields: dict[str, str], headers: dict[str, str]) -> int:
    """A file of so many megabytes in the field ``file``, a block at a time; the status."""
    parts = (
        "".join(
            f'--x\r\nContent-Disposition: form-data; name="{one}"\r\n\r\n{value}\r\n'
            for one, value in fields.items()
        )
        + f'--x\r\nContent-Disposition: form-data; name="file"; filename="{NAME}"\r\n\r\n'
    )
    before, after, block = parts.encode(), b"\r\n--x--\r\n", b"a" * 1_000_000

    def blocks() -> Iterator[bytes]:
        yield before
        for _ in range(MEGABYTES):
            yield block
        yield after

    where = urlsplit(door.stack.web_url)
    line = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
    length = len(before) + MEGABYTES * len(block) + len(after)
    line.request("POST", path, blocks(), {
        "Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(length),
    } | headers)  # fmt: skip
    answer = line.getresponse()
    answer.read()
    return answer.status


def test_a_large_file_never_lies_in_memory(
    floor: Floor, door: Door, door_settings: Settings
) -> None:
    staff = signed_in(floor, door, "kato", Role.STAFF).open("/files")
    found = re.search(r'name="form_token" value="([^"]+)"', staff.page)
    token = Api(floor, door, Role.STAFF).token
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from now on
    before = memory("VmRSS")
    page = {"form_token": found[1] if found else "", "kind": "claims", "do": "check"}
    cookie = f"session={staff.cookies['session']}"
    assert sent(door, "/files", page, {"Cookie": cookie}) == 303
    key = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k"}
    assert sent(door, "/api/files", {"kind": "claims"}, key) == 202
    assert memory("VmHWM") - before < MEGABYTES / 2
    kept = [path.stat().st_size for path in uploads.folder_of(door_settings).glob("*/*")]
    assert kept == [MEGABYTES * 1_000_000] * 2


def test_everything_else_goes_on_while_a_file_is_taken_in(
    floor: Floor, door: Door, door_settings: Settings, tmp_path: Path
) -> None:
    floor.ledger.person([mobile(1)])
    service = Service(door_settings, floor.service.engine, floor.service.vault, floor.clock)
    staff = signed_in(floor, door, "kato", Role.STAFF).open("/files")
    staff.send_file(
        "/files", NAME, csv(tmp_path, CLAIM), kind="claims", do="import", training="yes"
    )
    job, begun, go_on = staff.path, threading.Event(), threading.Event()
    take_in = uploads.handler(service)

    def slowly(one: jobs.Job, progress: jobs.Progress) -> object:
        def told(done: int) -> None:
            progress(done)
            begun.set()
            assert go_on.wait(60)

        return take_in(one, told)

    worker = threading.Thread(
        target=jobs.run_next,
        args=(service.engine, {uploads.KIND: slowly}, service.clock.now),
    )
    worker.start()
    try:
        assert begun.wait(60)
        assert "照らし合わせています" in staff.open(job).page  # one row: all of it is read
        for page in ("/", "/files", "/campaigns", "/people", "/unknown", "/reports"):
            assert staff.open(page).status == 200
        left = staff.open("/do-not-contact")
        left.send("/do-not-contact", kind="opted_out", number=mobile(1))
        assert "登録しました" in left.page
        assert worker.is_alive()
    finally:
        go_on.set()
        worker.join()
    assert "台帳に取り込みました" in staff.open(job).page


def test_many_bad_rows_are_told_by_kind(
    floor: Floor, door: Door, door_settings: Settings, tmp_path: Path
) -> None:
    staff = signed_in(floor, door, "kato", Role.STAFF).open("/files")
    bad = [{**BAD, "通知書番号": str(n)} for n in range(70)]
    late = [{**CLAIM, "通知書番号": str(n), "納期限": "いつか"} for n in range(30)]
    content = csv(tmp_path, *bad, *late)
    staff.send_file("/files", NAME, content, kind="claims", do="import", training="yes")
    assert work(floor, door_settings)
    file = str(floor.ledger.one("SELECT max(id) FROM source_file"))
    page = staff.open(f"/files/{file}").page
    kinds = re.findall(r'<th scope="row">([^<]+)</th><td>[^<]+</td><td class="n">(\d+)</td>', page)
    assert kinds == [("未納額", "70"), ("納期限", "30")]
    cells, more = 0, f"/files/{file}"
    while more:
        page = staff.open(more).page
        cells += page.count('<mark class="wrong-cell">')
        found = re.search(r'rel="next" href="([^"]+)"', page)
        more = found[1].replace("&amp;", "&") if found else ""
    assert cells == 100
    told = Api(floor, door, Role.STAFF).ask("GET", f"/api/files/{file}/faults")[1]["items"]
    assert [(one["column"], one["cells"]) for one in told] == [("未納額", 70), ("納期限", 30)]
