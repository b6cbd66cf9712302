"""What proves that nothing left: failures of connecting, on raw sockets."""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from providers.base import Accepted, Channel, Message, Result, Throttled, Unknown
from providers.http import NotSent
from providers.registry import create
from providers.twilio.options import TwilioOptions
from providers.twilio.transport import Transport
from tests.providers.twilio_bench import OPTIONS, message, sid
from tests.providers.wire import Behaviour, answer, hang, trickle, wire

SMS = Message("ref", "+819012345678", "x")
#: The carrier will not answer: no use in waiting long.
SHORT: dict[str, object] = {
    "connect_timeout_seconds": 0.2,
    "read_timeout_seconds": 0.3,
    "total_timeout_seconds": 1.0,
}


async def submit(origin: str, **options: object) -> Result:
    provider = create("twilio", "t", {**OPTIONS, **options, "base_url": origin})
    try:
        return await asyncio.wait_for(provider.submit(SMS), 5)
    finally:
        await provider.close()


def after(behaviour: Behaviour, **options: object) -> Result:
    async def conversation() -> Result:
        async with wire() as carrier:
            carrier.then(behaviour)
            return await submit(carrier.origin, **options)

    return asyncio.run(conversation())


@contextmanager
def deaf_origin(scheme: str, *, full: bool) -> Iterator[str]:
    """A socket that listens and never accepts; ``full``: its queue has no room either."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0 if full else 5)
        port = listener.getsockname()[1]
        callers = [socket.socket() for _ in range(4 if full else 0)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(("127.0.0.1", port))
        try:
            yield f"{scheme}://127.0.0.1:{port}"
        finally:
            for caller in callers:
                caller.close()


def certificate(folder: Path) -> ssl.SSLContext:
    """A server's TLS with a certificate that nobody has reason to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    at = datetime(2026, 1, 1, tzinfo=UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(at)
        .not_valid_after(at + timedelta(days=36_500))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def test_connecting_takes_too_long() -> None:
    with deaf_origin("http", full=True) as origin:
        assert asyncio.run(submit(origin, **SHORT)) == Throttled(
            timedelta(seconds=5), "no connection: timed out"
        )


def test_a_name_that_does_not_resolve() -> None:
    too_long_for_a_label = "a" * 70
    result = asyncio.run(submit(f"http://{too_long_for_a_label}"))
    assert result == Throttled(timedelta(seconds=5), "no connection: failed")


def test_a_tls_handshake_that_nobody_answers() -> None:
    with deaf_origin("https", full=False) as origin:
        assert isinstance(asyncio.run(submit(origin, **SHORT)), Throttled)


def test_a_certificate_nobody_trusts(tmp_path: Path) -> None:
    context = certificate(tmp_path)

    async def conversation() -> tuple[Result, list[bytes]]:
        arrived: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            arrived.append(await reader.read())
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await submit(f"https://127.0.0.1:{port}"), arrived

    result, arrived = asyncio.run(conversation())
    assert isinstance(result, Throttled)
    assert b"".join(arrived) == b""


def test_silence_ends_by_the_read_time_out() -> None:
    result = after(hang, **{**SHORT, "total_timeout_seconds": 30})
    assert result == Unknown("no usable answer: timed out")


def test_drops_end_by_the_total_time_out() -> None:
    assert after(trickle, **{**SHORT, "read_timeout_seconds": 600}) == Unknown(
        "no usable answer: timed out"
    )


def test_an_acceptance_of_another_content_type_is_not_believed() -> None:
    taken = message(sid(Channel.SMS, 1))
    assert isinstance(after(answer(201, taken)), Accepted)
    page = answer(201, taken, content_type="text/html; charset=utf-8")
    assert after(page) == Unknown("201, not JSON")


def test_an_acceptance_longer_than_any_is_not_read_to_its_end() -> None:
    taken = json.dumps(message(sid(Channel.SMS, 1))).encode()
    assert isinstance(after(answer(201, b" " * 1_000_000 + taken)), Accepted)
    long = b" " * 5_000_000 + taken
    swelling = answer(201, gzip.compress(long), headers={"Content-Encoding": "gzip"})
    for behaviour in (answer(201, long), swelling):
        result = after(behaviour)
        assert isinstance(result, Unknown)
        assert "more than" in result.detail


@pytest.mark.parametrize("host", ["twilio.com.evil.example", "eviltwilio.com", "127.0.0.1"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_password_goes_to_twilio_and_nowhere_else(scheme: str, host: str) -> None:
    """The SDK asks for a listing's next page wherever the page before says that it is."""

    async def conversation() -> tuple[int, int]:
        async with wire() as carrier:
            where = f"{scheme}://{host}:{carrier.port}/2010-04-01/Accounts.json"
            transport = Transport(TwilioOptions.model_validate(OPTIONS))
            try:
                with pytest.raises(NotSent):
                    await transport.request("GET", where, auth=("user", "password"))
            finally:
                await transport.close()
            elsewhere = {
                "meta": {"key": "messages", "next_page_url": where.replace(host, "192.0.2.1")},
                "messages": [message(sid(Channel.SMS, 1))],
            }
            last = {"messages": [], "next_page_uri": None}
            carrier.then(answer(200, elsewhere), answer(200, last))
            provider = create("twilio", "t", {**OPTIONS, "base_url": carrier.origin})
            try:
                since = datetime(2026, 1, 1, tzinfo=UTC)
                found = await provider.list_sent(Channel.SMS, SMS.to, since)
            finally:
                await provider.close()
            return len(found), len(carrier.seen)

    assert asyncio.run(conversation()) == (1, 2), "both pages from the address of the deployment"


def test_plain_http_where_tls_was_asked_for() -> None:
    async def conversation() -> Result:
        async with wire() as carrier:
            return await submit(carrier.origin.replace("http:", "https:"), **SHORT)

    assert isinstance(asyncio.run(conversation()), Throttled)
