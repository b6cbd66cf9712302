"""Inside a deployment everything speaks TLS, and believes each server's own certificate alone."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
import yaml
from cryptography import x509
from kombu import Connection
from kombu.exceptions import OperationalError as BrokerGone
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner

from contact_service.certificates import RENEWED_BEFORE, SERVER, TRUSTED, VALID, ends, renew
from contact_service.cli import _assemble
from contact_service.settings import Settings
from contact_service.store.engine import connect
from providers.sip.adapter import SipProvider
from tests.conftest import NOW, ROOT
from tests.providers.sip.service import free_port
from tests.providers.sip.service import options as trunk_options

#: What PostgreSQL's clients ask before they speak TLS.
_MAY_I = bytes.fromhex("0000000804d2162f")


def _compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return found


@contextmanager
def _before(port: int, certificate: Path, *, asks_first: bool) -> Iterator[int]:
    """A TLS server on 127.0.0.1 before the plain one at ``port``; its own port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if asks_first:
                assert await reader.readexactly(8) == _MAY_I, "whoever speaks plainly is let go"
                writer.write(b"S")
            await writer.start_tls(context)
            behind, onward = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(_copy(reader, onward), _copy(behind, writer))
        except (OSError, AssertionError):  # refused by whoever asks, or by us
            writer.close()

    async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    found: Future[tuple[int, Callable[[], None]]] = Future()

    async def run() -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            listening: int = server.sockets[0].getsockname()[1]
            found.set_result((listening, lambda: loop.call_soon_threadsafe(over.set) and None))
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    mine, stop = found.result(10)
    try:
        yield mine
    finally:
        stop()
        thread.join()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Certificates of two servers, by the command."""
    for name in ("postgres", "other"):
        command = ["certificate", "127.0.0.1", name, "--folder", str(tmp_path / name)]
        assert CliRunner().invoke(_assemble("certificate"), command).exit_code == 0
    return tmp_path


def _addressed(variable: str, port: int, trusted: Path, password: str) -> str:
    """The deployment's own address of a server, at ``port`` of this machine."""
    said: str = _compose()["x-service"]["environment"][variable]
    said = re.sub(r"\$\{\w+:-\}", password, said)
    said = re.sub(r"@\w+:\d+", f"@127.0.0.1:{port}", said)
    return re.sub(r"/tls/\w+/trusted.crt", str(trusted), said)


def test_the_database_is_believed_by_its_own_certificate_alone(
    settings: Settings, folder: Path
) -> None:
    plain = urlsplit(str(settings.database_url))

    def version(trusted: Path, host: str = "127.0.0.1", **mode: str) -> str | None:
        url = _addressed("CONTACT_DATABASE_URL", port, trusted, str(plain.password))
        url = url.replace("127.0.0.1", host).replace("/contact?", f"{plain.path}?")
        url = url.replace("//contact_app:", f"//{plain.username}:")  # who is there here
        for before, after in mode.items():
            url = url.replace(before, after)
        engine = connect(settings.model_copy(update={"database_url": url}))
        try:
            with engine.connect() as connection:
                driver: Any = connection.connection.driver_connection
                assert driver.pgconn.ssl_in_use
                return str(connection.scalar(text("SELECT current_database()")))
        finally:
            engine.dispose()

    assert plain.port is not None
    with _before(plain.port, folder / "postgres" / SERVER, asks_first=True) as port:
        assert version(folder / "postgres" / TRUSTED) == plain.path[1:]
        with pytest.raises(OperationalError, match="certificate verify failed"):
            version(folder / "other" / TRUSTED)
        with pytest.raises(OperationalError, match="does not match"):
            version(folder / "postgres" / TRUSTED, "localhost")


def test_the_queue_is_believed_by_its_own_certificate_alone(
    running_servers: Settings, folder: Path
) -> None:
    plain = urlsplit(running_servers.broker_url)

    def asked(trusted: Path, host: str = "127.0.0.1") -> None:
        url = _addressed("CONTACT_REDIS_URL", port, trusted, plain.password or "")
        url = url.replace("127.0.0.1", host)
        assert url.startswith("rediss://")
        redis.Redis.from_url(url, socket_timeout=5).ping()

    def told(trusted: Path) -> None:
        url = _addressed("CONTACT_REDIS_URL", port, trusted, plain.password or "")
        with Connection(url) as connection:
            connection.ensure_connection(max_retries=1, timeout=5)
            connection.default_channel.client.ping()

    assert plain.port is not None
    with _before(plain.port, folder / "postgres" / SERVER, asks_first=False) as port:
        for ask in (asked, told):
            ask(folder / "postgres" / TRUSTED)
            with pytest.raises(
                (redis.ConnectionError, BrokerGone), match="CERTIFICATE_VERIFY_FAILED"
            ):
                ask(folder / "other" / TRUSTED)
        with pytest.raises(redis.ConnectionError, match="ostname mismatch"):
            asked(folder / "postgres" / TRUSTED, "localhost")


def test_the_media_process_of_a_trunk_speaks_tls(folder: Path, tmp_path: Path) -> None:
    port = free_port()
    said = {
        "media_url": f"https://127.0.0.1:{port}", "certificate": str(folder / "other" / SERVER),
    }  # fmt: skip
    chosen = trunk_options(tmp_path / "trunk", free_port(), **said)
    document = chosen.model_dump(mode="json") | {"secret": chosen.secret.get_secret_value()}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.providers.sip.run_media", json.dumps(document)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as media:
        assert media.stdout is not None
        assert media.stdout.readline() == b"ready\n"
        try:
            answers = [
                asyncio.run(_health(trunk_options(tmp_path, 5060, **said, trusted=trusted)))
                for trusted in ([folder / "other" / TRUSTED], [folder / "postgres" / TRUSTED], [])
            ]
        finally:
            media.terminate()
    assert answers[0] is None
    assert all("does not answer" in str(answer) for answer in answers[1:])


async def _health(chosen: Any) -> str | None:
    provider = SipProvider("line", chosen)
    try:
        return await provider.health()
    finally:
        await provider.close()


def test_a_certificate_is_made_anew_in_time_and_the_old_one_believed_until_it_ends(
    tmp_path: Path,
) -> None:
    def serials(path: Path) -> list[int]:
        found = x509.load_pem_x509_certificates(path.read_bytes())
        return [each.serial_number for each in found]

    def at(now: datetime) -> bool:
        return renew(tmp_path, ["web", "127.0.0.1"], now)

    assert ends(tmp_path) is None
    assert at(NOW) is True
    assert ends(tmp_path) == NOW + VALID
    first = serials(tmp_path / SERVER)
    assert (tmp_path / SERVER).stat().st_mode & 0o777 == 0o600
    assert serials(tmp_path / TRUSTED) == first[1:], "the authority, whose key is nowhere"
    assert (tmp_path / SERVER).read_text().count("PRIVATE KEY") == 2  # its begin and end
    server = x509.load_pem_x509_certificates((tmp_path / SERVER).read_bytes())[0]
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["web", "127.0.0.1"]

    assert at(NOW + VALID - RENEWED_BEFORE - timedelta(days=1)) is False
    assert serials(tmp_path / SERVER) == first
    assert at(NOW + VALID - RENEWED_BEFORE) is True
    second = serials(tmp_path / SERVER)
    assert not {*second} & {*first}
    assert serials(tmp_path / TRUSTED) == [second[1], first[1]]
    assert at(NOW + 2 * VALID) is True
    assert serials(tmp_path / TRUSTED) == serials(tmp_path / SERVER)[1:], "both others have ended"


def test_a_folder_in_which_nobody_may_write_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file" / "below", tmp_path / "file"):
        command = ["certificate", "web", "--folder", str(folder)]
        result = CliRunner().invoke(_assemble("certificate"), command)
        assert result.exit_code == 1
        assert str(folder) in result.output
        assert "cannot make a certificate" in result.output
