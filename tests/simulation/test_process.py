"""The simulation as a process: start, a clock driven through a file, a clean end."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from datetime import timedelta
from pathlib import Path

from contact_service.clock import FileClock
from tests.simulation.support import START
from tests.simulation.test_residents import population


def command(folder: Path, port: int) -> list[str]:
    """The agreed way to start it, with files in ``folder``."""
    options = {
        "port": port,
        "clock": f"file:{folder / 'clock.json'}",
        "residents": folder / "residents.jsonl",
        "outbox": folder / "outbox",
        "seed": "process",
        "service-url": "http://127.0.0.1:9",
        "api-token-file": folder / "api-token",
        "account": "ACsimulated",
        "auth-token-file": folder / "auth-token",
        "centre-number": "+81354321111",
    }
    arguments = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
    return [sys.executable, "-m", "contact_service.simulation", *arguments, "--no-centre"]


def prepared(folder: Path) -> FileClock:
    """The files that the process is given."""
    people = population(50).by_household.values()
    lines = [resident.model_dump_json() for household in people for resident in household]
    (folder / "residents.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name in ("api-token", "auth-token"):
        (folder / name).write_text("secret of the process\n")
    clock = FileClock(folder / "clock.json")
    clock.set(START)
    return clock


def test_it_follows_the_clocks_file_and_ends_cleanly(tmp_path: Path) -> None:
    clock = prepared(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    process = subprocess.Popen(command(tmp_path, port), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        assert any("Uvicorn running" in line for line in process.stderr)
        state = _state(port)
        assert state["now"] == START.isoformat() and state["idle"]
        clock.set(START + timedelta(days=40))
        state = _state(port)
        assert state["now"] == (START + timedelta(days=40)).isoformat() and state["idle"]
        assert list((tmp_path / "outbox").glob("収納データ_*.csv"))
        assert (tmp_path / "outbox" / "truth.json").exists()
    finally:
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM  # ended in order, then by the signal it got
    assert "Traceback" not in log and "secret of the process" not in log
    assert "+8190" not in log


def test_residents_that_cannot_be_read_are_named_in_two_languages(tmp_path: Path) -> None:
    prepared(tmp_path)
    (tmp_path / "residents.jsonl").write_text("{}\n")
    done = subprocess.run(command(tmp_path, 1), capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "residents.jsonl:1" in done.stderr
    assert "起動できません" in done.stderr and "cannot start" in done.stderr


def _state(port: int) -> dict[str, object]:
    address = f"http://127.0.0.1:{port}/simulation/state?wait=5"
    with urllib.request.urlopen(address, timeout=60) as answer:
        return dict(json.load(answer))
