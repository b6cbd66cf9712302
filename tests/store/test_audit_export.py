"""The audit log at the shell, and on its way to the office's log system."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from contact_service.bootstrap import Service
from contact_service.certificates import SERVER, TRUSTED, renew
from contact_service.cli import _assemble, log_system
from contact_service.cli.log_system import Transport, address
from contact_service.domain.actors import Actor, Role
from contact_service.store import audit, audit_chain
from tests.identity.conftest import service as service
from tests.store.test_audit_chain import AT, tamper, write, written

__all__ = ["written"]


@pytest.fixture
def shell(service: Service, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    monkeypatch.setattr("contact_service.cli.common.settings", lambda: service.settings)
    whole = _assemble()

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(whole, ["audit", *words])
        return done.exit_code, done.output

    return run


def test_the_office_has_its_lines(
    written: Engine, shell: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    code, said = shell("verify", "--json")
    end = json.loads(said)["end"]
    assert (code, end.startswith("6:")) == (0, True)
    remembered = str(tmp_path / "state")
    lines = [json.loads(line) for line in shell("export", "--state", remembered)[1].splitlines()]
    assert [line["subject"] for line in lines] == ["a", "b", "c", "d", "e", "f"]
    assert lines[-1]["digest"] == end.removeprefix("6:")
    write(written, "g")
    again = shell("export", "--state", remembered)[1].splitlines()
    # what was exported since is there, as the export itself is
    assert [json.loads(line)["subject"] for line in again] == ["json", "g"]
    tamper(written, "UPDATE audit_log SET actor = 'sato' WHERE subject = 'a'")
    code, said = shell("verify", "--kept", end)
    assert (code, "1番" in said) == (1, True)
    assert shell("verify", "--kept", "nonsense")[0] == 2


@contextmanager
def listening(secured: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[bytes]]]:
    """A log system that takes one connection, and what came over it."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)

        def listen() -> None:
            try:
                caller, _ = server.accept()
                with secured.wrap_socket(caller, server_side=True) if secured else caller as inner:
                    while part := inner.recv(65536):
                        received.append(part)
            except OSError:
                pass  # it was not believed

        listener = Thread(target=listen)
        listener.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}", received
        finally:
            listener.join(60)


def messages(stream: bytes) -> list[str]:
    """Split by the octet counts."""
    found = []
    while stream:
        length, _, rest = stream.partition(b" ")
        found.append(rest[: int(length)].decode())
        stream = rest[int(length) :]
    return found


def lines(said: list[str]) -> list[dict[str, object]]:
    """The JSON in messages, whose header is as RFC 5424 has it."""
    assert all(message.startswith("<109>1 2026-11-02T") for message in said)
    return [json.loads(message.partition("\ufeff")[2]) for message in said]


SYSLOG = ("export", "--format", "syslog")


def test_syslog_over_tcp(written: Engine, shell: Callable[..., tuple[int, str]]) -> None:
    with listening() as (to, received):
        assert shell(*SYSLOG, "--to", to, "--after", "2") == (0, "")
    told = lines(messages(b"".join(received)))
    assert [line["subject"] for line in told] == ["c", "d", "e", "f"]
    code, said = shell(*SYSLOG, "--to", to)  # nobody listens any more
    assert (code, "送れません" in said) == (1, True)
    assert shell("export", "--to", to)[0] == 2
    assert shell(*SYSLOG, "--to", "loghost:no")[0] == 2


def test_syslog_over_udp(written: Engine, shell: Callable[..., tuple[int, str]]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(60)
        to = f"127.0.0.1:{server.getsockname()[1]}"
        assert shell(*SYSLOG, "--to", to, "--transport", "udp") == (0, "")
        told = lines([server.recv(65536).decode() for _ in range(6)])
    assert [line["subject"] for line in told] == ["a", "b", "c", "d", "e", "f"]


def test_syslog_over_tls_to_whom_the_office_believes(
    written: Engine,
    shell: Callable[..., tuple[int, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for folder in ("log", "other"):
        renew(tmp_path / folder, ["127.0.0.1"], datetime.now(UTC))
    secured = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secured.load_cert_chain(tmp_path / "log" / SERVER)
    words = (*SYSLOG, "--transport", "tls")
    state = tmp_path / "state"
    for trusted in (("--trusted", str(tmp_path / "other" / TRUSTED)), ()):
        with listening(secured) as (to, received):
            code, said = shell(*words, "--to", to, "--state", str(state), *trusted)
        assert (code, "--trusted" in said, received) == (1, True, [])
        assert not state.exists()  # nothing of it is taken for sent
    trusted = ("--trusted", str(tmp_path / "log" / TRUSTED))
    with listening(secured) as (to, received):
        assert shell(*words, "--to", to, "--state", str(state), *trusted) == (0, "")
    told = lines(messages(b"".join(received))[:6])
    assert [line["subject"] for line in told] == ["a", "b", "c", "d", "e", "f"]
    monkeypatch.setattr(log_system, "PATIENCE", 0.3)
    with listening() as (to, received):  # who speaks no TLS learns nothing
        assert shell(*words, "--to", to, "--after", "0", *trusted)[0] == 1
    assert b"user.assigned" not in b"".join(received)


def test_whoever_writes_line_ends_into_a_text_writes_no_line(
    written: Engine, shell: Callable[..., tuple[int, str]]
) -> None:
    forged = "x\r\n<109>1 - - - - - - {}\u2028\u0085\x9b2J\x7f\0"[:-1]
    with written.begin() as connection:
        audit.record(
            connection, AT, Actor(forged, Role.STAFF, "*", forged), "user.assigned", forged,
            after={forged: [forged]},
        )  # fmt: skip
    audit_chain.seal(written)
    code, said = shell("export", "--after", "6")
    assert (code, len(said.splitlines())) == (0, 1)
    assert said.strip().isprintable()
    told = json.loads(said)
    assert told["actor"] == told["subject"] == told["origin"] == forged
    assert told["details"] == {"after": {forged: [forged]}}
    code, said = shell(*SYSLOG, "--after", "6")
    one, other = said.splitlines()
    assert other.startswith("<109>1 20")  # that the one before was exported
    assert [line["subject"] for line in lines([one])] == [forged]


@pytest.mark.parametrize("statements", [
    ["DELETE FROM audit_chain WHERE sequence > 4", "DELETE FROM audit_log WHERE id > 4"],
    ["TRUNCATE audit_chain, audit_log"],
    ["TRUNCATE audit_chain", "DELETE FROM audit_log WHERE id = 2"],
])  # fmt: skip
def test_an_export_goes_on_only_where_it_ended(
    written: Engine, shell: Callable[..., tuple[int, str]], tmp_path: Path, statements: list[str]
) -> None:
    """Otherwise new lines would take the numbers of those cut off, and never be sent."""
    state = tmp_path / "state"
    assert shell("export", "--state", str(state))[0] == 0
    kept = state.read_text()
    tamper(written, *statements)
    write(written, "g", "h", "i")
    code, said = shell("export", "--state", str(state))
    assert (code, "6番" in said) == (1, True)
    assert state.read_text() == kept
    assert shell("verify", "--kept", kept.strip())[0] == 1


def test_what_an_export_remembers_may_be_of_an_earlier_version(
    written: Engine, shell: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.write_text("4\n")  # the number alone
    said = shell("export", "--state", str(state))[1].splitlines()
    assert [json.loads(line)["subject"] for line in said] == ["e", "f"]
    assert state.read_text().startswith("6:")
    state.write_text("nonsense")
    code, told = shell("export", "--state", str(state))
    assert (code, str(state) in told) == (2, True)


def test_where_the_log_system_listens() -> None:
    assert address("loghost", Transport.TLS) == ("loghost", 6514)
    assert address("[::1]:99", Transport.UDP) == ("::1", 99)
    assert address("[::1]", Transport.UDP) == ("::1", 514)
    for wrong in (":99", "loghost:0", "loghost:70000", ""):
        with pytest.raises(ValueError):
            address(wrong, Transport.TCP)
