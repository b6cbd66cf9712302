"""``contact-service up``: everything runs, a second one is refused, Ctrl-C leaves nothing."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import pytest

from contact_service.clock import TOKYO, FileClock
from contact_service.demo.run import CLOCK, KEPT
from contact_service.embedded.process import free_port
from contact_service.embedded.servers import remove_state
from contact_service.identity.accounts import ROLES

# a shell's background job ignores Ctrl-C, and so would all that it starts: these are to heed it
UP = (
    "import signal, typer; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from contact_service.cli.up import command; typer.run(command)"
)


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    state = tmp_path / "state"
    port = free_port()
    ours = {
        "CONTACT_STATE_DIR": str(state),
        "CONTACT_WEB_PORT": str(port),
        "CONTACT_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "CONTACT_CARRIER_URL": f"http://127.0.0.1:{free_port()}",
    }
    rest = {name: value for name, value in os.environ.items() if not name.startswith("CONTACT_")}
    yield {**rest, **ours}
    remove_state(state)


@contextmanager
def _up(
    environment: dict[str, str], folder: Path, *options: str
) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", UP, *options],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def _ready(process: subprocess.Popen[str]) -> str:
    """The line that says that everything runs."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if " / ready, " in line:
            return line
    raise AssertionError("".join(said))


def _told(state: str) -> list[str]:
    """Processes whose environment names this state folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            given = (process / "environ").read_bytes().split(b"\0")
            command = (process / "cmdline").read_bytes()
        except OSError:  # it ended, or is somebody else's
            continue
        if f"CONTACT_STATE_DIR={state}".encode() in given and command:
            found.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return found


def test_everything_runs_until_an_interrupt_and_a_second_one_is_refused(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with _up(environment, tmp_path) as process:
        assert process.stdout is not None
        address = f"http://127.0.0.1:{environment['CONTACT_WEB_PORT']}"
        assert address in _ready(process)
        with build_opener(ProxyHandler({})).open(f"{address}/healthz", timeout=60) as response:
            assert response.status == 200
        running = "\n".join(_told(environment["CONTACT_STATE_DIR"]))
        for part in ("uvicorn", "worker-1@", "worker-2@", " beat ", "contact_service.simulation"):
            assert part in running

        with _up(environment, tmp_path) as second:
            output, _ = second.communicate(timeout=60)
        assert second.returncode == 1
        assert "すでに起動しています" in output
        assert "already running" in output
        assert "Traceback" not in output

        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(60) == 0
    assert "終了しました / stopped" in rest
    assert "Traceback" not in rest
    assert _told(environment["CONTACT_STATE_DIR"]) == []


def test_a_taken_port_is_said_in_plain_words(environment: dict[str, str], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with _up({**environment, "CONTACT_WEB_PORT": port}, tmp_path) as process:
            output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f":{port} を使えません" in output
    assert "Traceback" not in output


TRUNK = """
providers:
  - name: line
    adapter: sip
    per_second: {{auto_call: 1}}
    options:
      secret: a secret of the test's own
      media_url: http://127.0.0.1:{door}
      folder: {folder}
      trunk: 127.0.0.1:{trunk}
      caller: "0354321111"
      local_address: 127.0.0.1
      local_port: 0
      keepalive_seconds: 0
"""


def test_a_trunk_of_the_providers_file_gets_its_process(
    environment: dict[str, str], tmp_path: Path
) -> None:
    door = free_port()
    path = tmp_path / "providers.yaml"
    path.write_text(TRUNK.format(door=door, folder=tmp_path / "trunk", trunk=free_port()))
    chosen = {**environment, "CONTACT_PROVIDERS_FILE": str(path)}
    with _up(chosen, tmp_path) as process:
        _ready(process)
        with (
            pytest.raises(HTTPError, match="401"),
            build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{door}/health", timeout=60),
        ):
            pass
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, output
    assert _told(environment["CONTACT_STATE_DIR"]) == []


def test_the_demos_office_opens_for_every_role_on_its_last_day(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with _up(environment, tmp_path, "--demo") as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "demo --keep" in said, "nothing was kept: it says how to have something"

    demo = Path(environment["CONTACT_STATE_DIR"]) / "demo"
    demo.mkdir(parents=True)
    FileClock(demo / CLOCK).set(datetime(2026, 12, 7, 7, 30, tzinfo=TOKYO))
    (demo / KEPT).touch()
    elsewhere = environment | {"CONTACT_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/ward"}
    with _up(elsewhere, tmp_path, "--demo") as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "CONTACT_DATABASE_URL" in said, "no account with a shown password for another office"
    try:
        with _up(environment, tmp_path, "--demo") as process:
            assert process.stdout is not None
            said = ""
            for line in process.stdout:
                said += line
                if " / ready, " in line:
                    break
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
        assert "見本の区は 2026-12-07" in said
        first_passwords = re.findall(r"^  ([a-z]+) +[a-z0-9]{4}(?:-[a-z0-9]{4}){3}$", said, re.M)
        assert first_passwords == [role.value for role in ROLES]
    finally:
        remove_state(demo)
