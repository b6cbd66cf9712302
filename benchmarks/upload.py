"""A file of a million rows by the console: what it takes, and whether anybody else notices.

Multiplies the sample ward's claims to so many rows (its 15 bad rows in a thousand too), hands them
in over HTTP as a browser does, and asks other pages all the while, on a stack of processes as
``make up`` runs it: one web process, two workers. Then the rejected rows are downloaded, mended and
handed in again, the same file is handed in once more, and uploads are broken off. Figures go to
``benchmarks/upload.json``. Run with ``python -m benchmarks.upload``.
"""

from __future__ import annotations

import csv
import http.client
import json
import os
import platform
import re
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from sqlalchemy import text

from benchmarks.office import wait
from contact_service.bootstrap import Service
from contact_service.clock import clock_from
from contact_service.domain.actors import Actor, Role
from contact_service.embedded.servers import servers
from contact_service.identity import accounts
from contact_service.identity.sessions import open_session
from contact_service.settings import Settings
from contact_service.stack import Stack
from contact_service.store.crypto import create_keys, load_vault
from contact_service.store.engine import connect
from contact_service.store.migrate import migrate

ROWS = 1_000_000
SAMPLE = Path(__file__).parent.parent / "samples" / "ward" / "滞納一覧_20260930.csv"
NAME = "滞納一覧_20260930.csv"
ENCODING = "cp932"
#: What somebody else looks at meanwhile, and how a page is called in the figures.
OTHERS = (
    ("start", "/"), ("files", "/files"), ("campaigns", "/campaigns"), ("people", "/people"),
    ("do-not-contact", "/do-not-contact"), ("unknown", "/unknown"), ("providers", "/providers"),
    ("audit", "/audit"), ("calendar", "/calendar"), ("desk", "/desk"),
)  # fmt: skip
EVERY_SECONDS = 0.25
BLOCK = 1 << 16


def multiplied(path: Path, rows: int) -> int:
    """Write the sample's rows again and again, each time of other people; how many rows."""
    with SAMPLE.open(encoding=ENCODING, newline="") as file:
        headings, *sample = csv.reader(file)
    body, total = sample[:-1], sample[-1]
    place = {name: number for number, name in enumerate(headings)}
    steps = (("宛名番号", 100_000), ("世帯番号", 2_000), ("通知書番号", 10_000))
    written = 0
    with path.open("w", encoding=ENCODING, newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(headings)
        for copy in range(-(-rows // len(body))):
            for row in body[: rows - written]:
                cells = row + [""] * (len(headings) - len(row))
                for name, step in steps:
                    if cells[place[name]].isascii() and cells[place[name]].isdigit():
                        cells[place[name]] = str(int(cells[place[name]]) + copy * step)
                for name in ("電話番号１", "電話番号２"):
                    cells[place[name]] = re.sub(r"\d{3}$", f"{copy:03}", cells[place[name]])
                writer.writerow(cells[: len(row)])  # a row that is too short stays one
            written += min(len(body), rows - written)
        writer.writerow(total)
    return written


@dataclass
class Person:
    """Somebody at a browser."""

    url: str
    session: str

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], str]:
        where = urlsplit(self.url)
        line = http.client.HTTPConnection(where.hostname or "", where.port, timeout=600)
        sent = {"Cookie": f"session={self.session}", "Accept": "text/html"} | (headers or {})
        line.request(method, path, body, sent)
        answer = line.getresponse()
        content = answer.read()
        line.close()
        said = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, said, unescape(content.decode("utf-8", "replace"))

    def load(self, path: str) -> bytes:
        """A file as it comes."""
        where = urlsplit(self.url)
        line = http.client.HTTPConnection(where.hostname or "", where.port, timeout=600)
        line.request("GET", path, headers={"Cookie": f"session={self.session}"})
        content = line.getresponse().read()
        line.close()
        return content

    def token(self) -> str:
        found = re.search(r'name="form_token" value="([^"]+)"', self.ask("GET", "/files")[2])
        assert found
        return found[1]

    def form(self, path: str, **fields: str) -> tuple[int, dict[str, str], str]:
        sent = urlencode({"form_token": self.token()} | fields)
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("POST", path, sent, kind)

    def parts(self, name: str, fields: dict[str, str]) -> tuple[bytes, bytes]:
        """What comes before a file and after it."""
        before = "".join(
            f'--limit\r\nContent-Disposition: form-data; name="{one}"\r\n\r\n{value}\r\n'
            for one, value in ({"form_token": self.token()} | fields).items()
        )
        before += (
            f'--limit\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        )
        return before.encode(), b"\r\n--limit--\r\n"

    def hand_in(self, path: Path, name: str = NAME, **fields: str) -> tuple[int, str, str]:
        """A file, block by block; status, where one is led, what is said."""
        before, after = self.parts(name, {"kind": "claims", "training": "yes"} | fields)
        length = len(before) + path.stat().st_size + len(after)
        headers = {"Content-Type": "multipart/form-data; boundary=limit",
                   "Content-Length": str(length)}  # fmt: skip
        status, said, page = self.ask("POST", "/files", _blocks(before, path, after), headers)
        return status, said.get("location", ""), page


def _blocks(before: bytes, path: Path, after: bytes) -> Iterator[bytes]:
    yield before
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block
    yield after


@dataclass
class Watch:
    """Memory of the processes and the time of other pages, while something else goes on."""

    stack: Stack
    person: Person
    memory: dict[str, list[float]] = field(default_factory=dict)
    times: dict[str, list[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[Watch]:
        over = threading.Event()

        def look() -> None:
            for name, process in self.stack.processes.items():
                if name.startswith(("web", "worker")):
                    self.memory.setdefault(name, []).append(_megabytes(process.pid))

        def pages() -> None:
            number = 0
            while not over.is_set():
                look()
                name, address = OTHERS[number % len(OTHERS)]
                began = time.perf_counter()
                status = self.person.ask("GET", address)[0]
                self.times.setdefault(name, []).append(1000 * (time.perf_counter() - began))
                if status != 200:
                    self.wrong.append(f"{name}: {status}")
                number += 1
                over.wait(EVERY_SECONDS)

        thread = threading.Thread(target=pages)
        thread.start()
        try:
            yield self
        finally:
            over.set()
            thread.join()

    def told(self) -> dict[str, Any]:
        every = sorted(one for times in self.times.values() for one in times)
        return {
            "asked": len(every),
            "median_ms": round(statistics.median(every), 1),
            "p95_ms": round(every[int(0.95 * (len(every) - 1))], 1),
            "worst_ms": round(every[-1], 1),
            "worst_by_page": {name: round(max(times), 1) for name, times in self.times.items()},
            "wrong": self.wrong,
            "first_and_peak_mb": {
                name: [round(seen[0], 1), round(max(seen), 1)] for name, seen in self.memory.items()
            },
        }


def _megabytes(pid: int) -> float:
    found = re.search(r"^VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M)
    return int(found[1]) / 1024 if found else 0.0


def followed(person: Person, place: str) -> tuple[float, list[float], str]:
    """Look at a job's page until it has ended: seconds, the shares shown, the last page."""
    began, shown = time.monotonic(), list[float]()
    while True:
        page = person.ask("GET", place)[2]
        bar = re.search(r'<progress max="(\d+)" value="(\d+)"', page)
        if bar:
            shown.append(round(int(bar[2]) / int(bar[1]), 3))
        if 'hx-trigger="every' not in page:
            return time.monotonic() - began, shown, page
        time.sleep(1)


def figures(page: str) -> dict[str, int]:
    """The counts of a job's page."""
    found = re.findall(r"<dt>([^<]+)</dt><dd>([\d,]+)</dd>", page)
    return {name: int(value.replace(",", "")) for name, value in found}


def main(rows: int) -> int:
    """Measure everything."""
    with tempfile.TemporaryDirectory(prefix="contact-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        base = Settings(
            state_dir=folder / "state", web_port=0, carrier_url="http://127.0.0.1:0",
            _env_file=None,
        )  # fmt: skip
        (folder / "state").mkdir()
        with servers(base) as found:
            create_keys(found.keys_path)
            service = Service(found, connect(found), load_vault(found.keys_path),
                              clock_from(found.clock))  # fmt: skip
            migrate(service.engine)
            stack = Stack(found, workers=2, carrier=True, report=print)
            stack.start()
            try:
                stack.wait_ready(120)
                person = Person(stack.web_url, _session(service))
                result = measured(service, stack, person, folder, rows)
            finally:
                stack.stop()
                service.engine.dispose()
    result |= {"cores": os.cpu_count(), "python": platform.python_version(),
               "load_average": [round(one, 1) for one in os.getloadavg()]}  # fmt: skip
    Path(__file__).with_suffix(".json").write_text(
        json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    )
    return 0


def _session(service: Service) -> str:
    accounts.add(service, Actor("bench", Role.ADMINISTRATOR), "kato", "kato", Role.ADMINISTRATOR)
    with service.engine.begin() as connection:
        user = connection.scalar(
            text("UPDATE user_account SET must_change = false WHERE name = 'kato' RETURNING id")
        )
        return open_session(connection, int(user or 0), "127.0.0.1", "bench")


def measured(
    service: Service, stack: Stack, person: Person, folder: Path, rows: int
) -> dict[str, Any]:
    path = folder / "file.csv"
    result: dict[str, Any] = {"rows": multiplied(path, rows), "bytes": path.stat().st_size}
    say(result)
    for step, fields in (("checked", {"do": "check"}), ("imported", {"do": "import"}),
                         ("again", {"do": "import"})):  # fmt: skip
        watch = Watch(stack, person)
        with watch.running():
            began = time.monotonic()
            status, place, page = person.hand_in(path, **fields)
            sent = time.monotonic() - began
            assert status == 303, (status, page[-2000:])
            took, shown, page = followed(person, place)
        result[step] = {
            "upload_s": round(sent, 1), "job_s": round(took, 1), "counts": figures(page),
            "shares_shown": shown[:: max(1, len(shown) // 20)], **watch.told(),
        }  # fmt: skip
        say({step: result[step]})
        if step == "imported":
            result["mended"] = mended(person, place, folder)
            say({"mended": result["mended"]})
    result["broken"] = broken_off(stack, person, folder)
    say({"broken": result["broken"]})
    return result


def mended(person: Person, place: str, folder: Path) -> dict[str, Any]:
    """The rejected rows: paged through, downloaded, made right, handed in again."""
    found = re.search(r'href="/files/(\d+)"', person.ask("GET", place)[2])
    assert found
    file, slowest, pages, cells = found[1], 0.0, 0, 0
    after: str | None = "0"
    while after is not None:
        began = time.perf_counter()
        page = person.ask("GET", f"/files/{file}?after={after}")[2]
        slowest = max(slowest, time.perf_counter() - began)
        pages, cells = pages + 1, cells + page.count('<mark class="wrong-cell">')
        more = re.search(r"[?&]after=(\d+)", page)
        after = more[1] if more and more[1] != after else None
    began = time.perf_counter()
    content = person.load(f"{place}/rejects")
    loaded = time.perf_counter() - began
    path = folder / "mended.csv"
    rows, brought = put_right(content, path)
    began = time.monotonic()
    name = "滞納一覧_20260930.rejects.csv"
    status, job, page = person.hand_in(path, name, do="import", mends=file, training="yes")
    assert status == 303, page[-2000:]
    counts = figures(followed(person, job)[2])
    told = person.ask("GET", f"/files/{file}")[2]
    return {"pages": pages, "cells": cells, "slowest_page_ms": round(1000 * slowest, 1),
            "download_ms": round(1000 * loaded, 1), "rejected_rows": rows, "mended_rows": brought,
            "again_s": round(time.monotonic() - began, 1), "again": counts,
            "said_to_be_mended": "直して取り込まれました" in told}  # fmt: skip


def put_right(content: bytes, path: Path) -> tuple[int, int]:
    """Rejected rows with something right in the cell that was wrong; how many there were, and how
    many could be mended so."""
    headings, *rows = csv.reader(content.decode(ENCODING).splitlines())
    right = {"未納額": "1000", "調定額": "1000", "収入済額": "0", "納期限": "20260930",
             "督促発送日": "20260930", "生年月日": "19800101"}  # fmt: skip
    mended = []
    for row in rows:
        if row[1] in right and len(row) == len(headings):
            row[headings.index(row[1])] = right[row[1]]
            mended.append(row)
    with path.open("w", encoding=ENCODING, newline="") as file:
        csv.writer(file, lineterminator="\r\n").writerows([headings, *mended])
    return len(rows), len(mended)


def broken_off(stack: Stack, person: Person, folder: Path) -> dict[str, Any]:
    """Uploads that stop in the middle, and one that is too large."""
    kept = stack.settings.state_dir / "uploads"
    where = urlsplit(stack.web_url)
    before, _ = person.parts(NAME, {"kind": "claims", "do": "import"})
    files = sorted(kept.iterdir())
    found: dict[str, Any] = {}
    for how in ("closed", "reset"):
        line = socket.create_connection((where.hostname or "", where.port or 0))
        line.sendall(
            b"POST /files HTTP/1.1\r\nHost: x\r\nCookie: session=" + person.session.encode()
            + b"\r\nContent-Type: multipart/form-data; boundary=limit\r\nContent-Length: 300000000"
            b"\r\n\r\n" + before
        )  # fmt: skip
        for _ in range(1000):
            line.sendall(b"x" * BLOCK)
        if how == "reset":
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        line.close()
        wait(partial(_all_closed, stack.processes["web"].pid, kept), 30)
        found[how] = {"left": len(sorted(kept.iterdir())) - len(files),
                      "answers": person.ask("GET", "/files")[0]}  # fmt: skip
    line = socket.create_connection((where.hostname or "", where.port or 0))
    line.sendall(
        b"POST /files HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nCookie: session="
        + person.session.encode() + b"\r\nContent-Type: multipart/form-data; boundary=limit\r\n"
        b"Content-Length: 600000000\r\n\r\n" + before
    )  # fmt: skip
    found["too_large"] = line.recv(65536).decode("utf-8", "replace")[:3000]
    line.close()
    return found


def _all_closed(pid: int, folder: Path) -> bool:
    """Whether a process holds nothing open below a folder, no unnamed file either."""
    for one in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            if str(one.readlink()).startswith(str(folder)):
                return False
    return True


def say(what: object) -> None:
    print(json.dumps(what, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else ROWS))
