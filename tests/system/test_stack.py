"""The supervisor keeps its parts alive and lets none outlive it; the table of parts is right."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from campaigns.vocabulary import ClaimKind
from contact_service import supervision
from contact_service.embedded import process
from contact_service.embedded.process import CannotStart, free_port
from contact_service.settings import Settings
from contact_service.stack import Stack, environment
from contact_service.supervision import Part, Supervisor

#: Says its name, then lives until TERM, of which it leaves a trace.
LIVES = """
import os, signal, sys, time
trace = os.environ["TRACE"]
def end(*_):
    open(trace, "a").write(f"-{sys.argv[1]}\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
open(trace, "a").write(f"+{sys.argv[1]}\\n")
print("here I am", flush=True)
while True:
    time.sleep(60)
"""
#: Starts a child of its own and ignores TERM.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(f"child {child.pid}", flush=True)
while True:
    time.sleep(60)
"""


def _lives(name: str, stage: int) -> Part:
    return Part(name, (sys.executable, "-c", LIVES, name), stage, phrase="here I am")


def _until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Look again until it holds: processes of the machine have no clock to inject."""
    give_up = time.monotonic() + seconds
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < give_up, "it did not come about in time"
        pause.wait(0.02)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    return tmp_path / "trace"


@pytest.fixture
def run(tmp_path: Path, trace: Path) -> Iterator[Callable[..., Supervisor]]:
    made: list[Supervisor] = []

    def start(*parts: Part, report: Callable[[str], None] = print) -> Supervisor:
        supervisor = Supervisor(
            parts, tmp_path / "logs", {**os.environ, "TRACE": str(trace)}, report
        )
        made.append(supervisor)
        supervisor.start()
        return supervisor

    yield start
    for supervisor in made:
        supervisor.stop()


def test_parts_stop_in_the_reverse_order_of_their_stages(
    run: Callable[..., Supervisor], trace: Path
) -> None:
    supervisor = run(_lives("beat", 3), _lives("carrier", 0), _lives("web", 1))
    supervisor.wait_ready(60)
    assert list(supervisor.processes) == ["carrier", "web", "beat"]
    pids = [process.pid for process in supervisor.processes.values()]
    supervisor.stop()
    assert trace.read_text().split()[3:] == ["-beat", "-web", "-carrier"]
    assert not any(_alive(pid) for pid in pids)


def test_a_killed_part_is_reported_and_runs_again(run: Callable[..., Supervisor]) -> None:
    said: list[str] = []
    supervisor = run(_lives("worker-1", 0), _lives("worker-2", 0), report=said.append)
    supervisor.wait_ready(60)
    first = supervisor.processes["worker-1"].pid
    other = supervisor.processes["worker-2"].pid
    supervisor.kill("worker-1")
    _until(lambda: bool(said))
    supervisor.wait_ready(60)
    assert supervisor.processes["worker-1"].pid != first
    assert supervisor.processes["worker-2"].pid == other
    assert len(said) == 1
    assert "worker-1" in said[0]
    assert "(-9)" in said[0]


def test_killing_takes_what_the_part_itself_started(
    run: Callable[..., Supervisor], tmp_path: Path
) -> None:
    part = Part("s", (sys.executable, "-c", STUBBORN), 0, phrase="child", stop_seconds=0.2)
    supervisor = run(part)
    supervisor.wait_ready(60)
    log = tmp_path / "logs" / "s.log"
    first = int(log.read_text().split()[1])
    supervisor.kill("s")
    _until(lambda: not _alive(first))
    _until(lambda: log.read_text().count("child") == 2)
    second = int(log.read_text().split()[-1])
    supervisor.stop()  # the part does not heed TERM
    _until(lambda: not _alive(second))


def test_a_part_that_keeps_ending_is_given_up_with_its_last_words(
    run: Callable[..., Supervisor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "FIRST_WAIT", 0.01)
    words = "import sys; sys.exit('the disk is made of cheese')"
    supervisor = run(_lives("fine", 0), Part("bad", (sys.executable, "-c", words), 1, phrase="x"))
    with pytest.raises(CannotStart, match=r"(?s)bad が起動しません.*cheese"):
        supervisor.wait_ready(60)


def test_restarts_come_ever_more_slowly(
    run: Callable[..., Supervisor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "FIRST_WAIT", 0.1)
    said: list[str] = []
    run(Part("bad", (sys.executable, "-c", ""), 0), report=said.append)
    _until(lambda: len(said) >= 3)
    waits = [float(text.rpartition(" in ")[2].split()[0]) for text in said]
    assert waits == sorted(waits)
    assert waits[2] > waits[0]


def test_parts_die_with_a_supervisor_that_is_killed(tmp_path: Path, trace: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path\n"
        "from contact_service.supervision import Part, Supervisor\n"
        f"lives = {LIVES!r}\n"
        "part = Part('p', (sys.executable, '-c', lives, 'p'), 0, phrase='here I am')\n"
        "s = Supervisor([part], Path(sys.argv[1]), dict(os.environ), print)\n"
        "s.start(); s.wait_ready(60)\n"
        "print(s.processes['p'].pid, flush=True); s.wait()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "logs")],
        stdout=subprocess.PIPE,
        env={**os.environ, "TRACE": str(trace)},
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert _alive(pid)
        owner.send_signal(signal.SIGKILL)
        owner.wait(60)
    _until(lambda: not _alive(pid))


def test_a_long_log_is_set_aside_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LOG_BYTES", 100)
    log = tmp_path / "a.log"
    writer = process.spawn([sys.executable, "-c", "print('x' * 150)"], log)
    assert writer.wait(60) == 0
    process.cap(log)
    assert (log.stat().st_size, (tmp_path / "a.log.1").stat().st_size) == (0, 151)
    assert process.spawn([sys.executable, "-c", "print('y')"], log).wait(60) == 0
    process.cap(log)
    assert log.read_text() == "y\n"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    return Settings(
        state_dir=tmp_path,
        database_url="postgresql://u:p@db/c",
        redis_url="redis://r/0",
        web_port=0,
        carrier_url="http://127.0.0.1:0",
        _env_file=None,  # type: ignore[call-arg]
    )


def test_a_port_of_zero_becomes_a_free_one_that_all_parts_are_told(chosen: Settings) -> None:
    stack = Stack(chosen)
    assert stack.settings.web_port > 0
    assert stack.settings.public_url == stack.web_url
    given = environment(stack.settings)
    assert given["CONTACT_WEB_PORT"] == str(stack.settings.web_port)
    assert given["CONTACT_CARRIER_URL"] == stack.settings.carrier_url
    assert given["CONTACT_DATABASE_URL"] == "postgresql://u:p@db/c"
    assert "CONTACT_PROVIDERS_FILE" not in given or os.environ.get("CONTACT_PROVIDERS_FILE")


def test_the_shared_secrets_are_made_once_and_private(chosen: Settings) -> None:
    Stack(chosen)
    names = ("api-token", "carrier-token")
    made = {name: (chosen.state_dir / name).read_text() for name in names}
    assert len(set(made.values())) == 2
    Stack(chosen.model_copy(update={"api_token": SecretStr("given")}))
    assert (chosen.state_dir / "api-token").read_text() == "given"
    assert (chosen.state_dir / "carrier-token").read_text() == made["carrier-token"]
    for name in names:
        assert stat.S_IMODE((chosen.state_dir / name).stat().st_mode) == 0o600


def test_a_taken_port_is_said_plainly(chosen: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=rf":{port} を使えません.*CONTACT_WEB_PORT"):
            Stack(chosen.model_copy(update={"web_port": port}))
    Stack(chosen.model_copy(update={"web_port": free_port()}))


def test_what_a_part_is_given_reads_back_as_it_was(
    chosen: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = chosen.model_copy(
        update={
            "second_factor_roles": frozenset({"auditor"}),
            "claim_offices": {ClaimKind.RESIDENT_TAX: "納税課"},
        }
    )
    for own in (chosen, told):
        for name, value in environment(own).items():
            monkeypatch.setenv(name, value)
        assert Settings(_env_file=None) == own  # type: ignore[call-arg]
