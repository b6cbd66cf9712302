"""Bad input in masses: whatever comes in is read or refused, and nothing falls over.

``make test`` tries some, ``make fuzz`` more than a hundred thousand: for each target
``FUZZ_EXAMPLES`` that hypothesis thinks of, and of each ``FUZZ_VARIATIONS`` in all, made from it by a
seed that hypothesis draws (thinking of one costs more than trying twenty). A target that is met by
an exception of another kind than it names has failed.
"""

from __future__ import annotations

import http.client
import json
import os
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from campaigns.faults import DefinitionErrors
from campaigns.parse import read
from campaigns.source import decode
from contact_service.domain.actors import Role
from contact_service.identity import tokens
from contact_service.identity.tokens import Scope
from contact_service.intake.detection import detect
from contact_service.intake.faults import FileRefused
from contact_service.intake.fields import FileKind
from contact_service.intake.parsing import RowParser
from contact_service.intake.reading import opened
from providers import registry
from providers.base import ForgedReceipt, WebhookRequest
from tests.conftest import ROOT, WARD
from tests.dispatch.conftest import Floor, floor
from tests.fuzz.conftest import GIVEN
from tests.identity.conftest import ADMINISTRATOR
from tests.ledger import mobile
from tests.web.test_doors import Door, door, door_settings

__all__ = ["door", "door_settings", "floor"]

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))
VARIATIONS = int(os.environ.get("FUZZ_VARIATIONS", "2"))
masses = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)

#: What has broken somebody's program before.
NASTY_BYTES = [
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1a", b"\r", b"\n\n", b'"', b"'", b"=cmd|' /C calc'!A0", b"{{7*7}}",
    b"${jndi:ldap://x}", b"' OR '1'='1", b"../../etc/passwd", b"%n%s", b"&a *a", b"!!python/object", b"<<: *x",
    "\u202e".encode(), "\ud83d\ude00".encode("utf-8", "surrogatepass"), "令和99年13月99日".encode("cp932"),
    b"9" * 400, b"9" * 5000, b"[" * 3000, b'{"a":' * 3000, b"- " * 1500, b"-1", b"1e999", b"NaN", b"<script>alert(1)</script>", b"\x80\x81\x82",
]  # fmt: skip
NASTY = st.sampled_from(NASTY_BYTES)
seeds = st.integers(0, 2**64 - 1)
cut = st.tuples(st.floats(0, 1), st.integers(0, 40), st.one_of(NASTY, st.binary(max_size=20)))


def mangled(good: bytes, cuts: list[tuple[float, int, bytes]]) -> bytes:
    """``good`` with some of it replaced."""
    for where, length, instead in cuts:
        at = int(where * len(good))
        good = good[:at] + instead + good[at + length :]
    return good


def varied(first: bytes, seed: int) -> Iterator[bytes]:
    """``first``, and others made from it."""
    chance = random.Random(seed)
    for number in range(VARIATIONS):
        cuts = [
            (chance.random(), chance.randrange(40), chance.choice(NASTY_BYTES))
            for _ in range(chance.randint(1, 3) if number else 0)
        ]
        GIVEN.inputs += 1
        yield mangled(first, cuts)


def varied_forms(first: dict[str, str], seed: int) -> Iterator[dict[str, str]]:
    """``first``, and others made from it."""
    chance = random.Random(seed)
    for number in range(VARIATIONS):
        said = (chance.choice(NASTY_BYTES) * chance.randint(1, 3)).decode("latin-1")
        GIVEN.inputs += 1
        yield first | ({chance.choice(FIELD_NAMES): said} if number else {})


def texts() -> st.SearchStrategy[str]:
    nasty = NASTY.map(lambda b: b.decode("latin-1"))
    return st.one_of(st.text(max_size=40), nasty, st.just(""))


DEFINITIONS = [
    path.read_bytes() for path in sorted((ROOT / "campaigns" / "library").glob("*.yaml"))
]


@masses
@given(st.sampled_from(DEFINITIONS), st.lists(cut, min_size=1, max_size=4), seeds)
def test_definitions(good: bytes, cuts: list[tuple[float, int, bytes]], seed: int) -> None:
    for content in varied(mangled(good, cuts), seed):
        try:
            text = decode(content, "fuzz")
        except DefinitionErrors as refused:
            assert refused.faults and str(refused)
            # most cuts go through a Japanese letter: what is left is put to the reader all the same
            text = content.decode("utf-8", "replace")
        try:
            read(text, "fuzz")
        except DefinitionErrors as refused:
            assert refused.faults and str(refused)


#: The beginning of each kind of file, and of a log of each kind of telephone system.
FILES = [
    (FileKind.CLAIMS, next(WARD.glob("滞納一覧_*.csv")).read_bytes()[:3000]),
    (FileKind.PAYMENTS, next(WARD.glob("*収納*.csv")).read_bytes()[:2000]),
    (FileKind.RESTRICTIONS, next(WARD.glob("*制限*.csv")).read_bytes()[:2000]),
    *(
        (FileKind.CALLS, path.read_bytes()[:3000])
        for path in sorted((ROOT / "samples" / "calls").iterdir())
    ),
]


@masses
@given(
    st.sampled_from(FILES),
    st.lists(cut, min_size=1, max_size=5),
    st.sampled_from(["csv", "csv", "csv", "xlsx"]),
    seeds,
)
def test_files(
    good: tuple[FileKind, bytes], cuts: list[tuple[float, int, bytes]], suffix: str, seed: int
) -> None:
    kind, whole = good
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"fuzz-{os.getpid()}.{suffix}"
    for content in varied(mangled(whole, cuts), seed):
        path.write_bytes(content)
        read_file(path, kind)


def read_file(path: Path, kind: FileKind) -> None:
    """What an import does before the ledger; takes the file away."""
    try:
        layout, found = detect(path, kind, None)
        with opened(path, layout, found) as table:
            parser = RowParser(layout, table.headings)
            for row in table.rows:
                parser.parse(row)
    except FileRefused as refused:
        assert str(refused)
    finally:
        path.unlink()


SECRET = "s" * 32
TWILIO = registry.create(
    "twilio", "main",
    {"account_sid": "AC" + "0" * 32, "auth_token": SECRET, "from_number": "+81300000000"},
)  # fmt: skip
FIELD_NAMES = [
    "MessageSid", "MessageStatus", "CallSid", "CallStatus", "From", "To", "Body", "Digits",
    "AnsweredBy", "ErrorCode", "CallDuration", "SequenceNumber", "Timestamp", "AccountSid", "Direction",
]  # fmt: skip
FIELDS = st.sampled_from(FIELD_NAMES)
forms = st.dictionaries(FIELDS, st.one_of(texts(), st.sampled_from(
    ["delivered", "completed", "CA" + "1" * 32, "SM" + "1" * 32, "+819012345678", "machine_start", "1"]
)), max_size=12)  # fmt: skip


READERS = (
    lambda request: TWILIO.parse_receipts(request, None),
    TWILIO.read_message,
    TWILIO.read_call,
    TWILIO.read_detection,
)


@masses
@given(forms, st.one_of(st.none(), st.text(max_size=30)), seeds)
def test_reports_of_a_carrier(form: dict[str, str], signature: str | None, seed: int) -> None:
    url = "https://office.example/webhooks/main/receipts"
    for said in varied_forms(form, seed):
        signed = RequestValidator(SECRET).compute_signature(url, said)
        for given_signature in (signed, signature or ""):
            request = WebhookRequest(url, {"x-twilio-signature": given_signature}, said, b"")
            for reader in READERS:
                try:
                    reader(request)
                except ForgedReceipt:
                    continue
                assert given_signature == signed  # nothing unsigned is believed


@dataclass
class Line:
    """One connection that is kept, as carriers keep theirs."""

    connection: http.client.HTTPConnection

    def status(self, path: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer to a POST; a line that was hung up is taken up again."""
        try:
            self.connection.request("POST", path, body, dict(headers))
            answer = self.connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self.connection.close()
            self.connection.request("POST", path, body, dict(headers))
            answer = self.connection.getresponse()
        answer.read()
        return answer.status


@contextmanager
def line(door: Door) -> Iterator[Line]:
    address = urlsplit(door.stack.web_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=120)
    try:
        yield Line(connection)
    finally:
        connection.close()


@pytest.fixture
def called(floor: Floor) -> object:
    """Somebody whom an auto-call is about to reach."""
    floor.ledger.person([mobile(1)])
    floor.start()
    return floor.ledger.one("SELECT id FROM attempt WHERE channel = 'auto_call'")


def test_keys_and_answers_over_the_line(floor: Floor, door: Door, called: object) -> None:
    token = (door.stack.settings.state_dir / "carrier-token").read_text()
    nodes = ["greeting", "message", "wrong", "stop", "goodbye"]

    with line(door) as carrier:

        @masses
        @given(st.sampled_from(nodes) | texts(), st.booleans(), forms, seeds)
        @example("greeting", True, {"CallSid": "CA" + "1" * 32, "Digits": "1" * 5000}, 1)
        def press(node: str, key: bool, first: dict[str, str], seed: int) -> None:
            path = (
                f"/webhooks/simulated/voice/{called}/{quote(node, safe='')}{'/key' if key else ''}"
            )
            for form in varied_forms(first, seed):
                signed = RequestValidator(token).compute_signature(
                    f"{door.stack.settings.public_url}{path}", form
                )
                headers = {
                    "Content-Type": "application/x-www-form-urlencoded",
                    "X-Twilio-Signature": signed,
                }
                body = urlencode({k: v.encode("utf-8", "replace") for k, v in form.items()})
                found = carrier.status(path, body.encode(), headers)
                assert found < 500, (path, form, found)

        press()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
        ["attempt_id", "operator", "disposition", "started_at", "talk_seconds", "wrap_seconds",
         "promise", "note", "key", "from", "wait_seconds", "result", "extension", "on", "amount_yen"]
    ) | texts(), inner, max_size=8),
    max_leaves=12,
)  # fmt: skip
CALL = {
    "key": "k", "started_at": "2026-11-09T10:00:00+09:00", "from": "+819012345678",
    "wait_seconds": 1, "talk_seconds": 1, "wrap_seconds": 1, "result": "talked", "extension": "1",
}  # fmt: skip


def test_the_api(floor: Floor, door: Door) -> None:
    held = tokens.issue(
        floor.service, ADMINISTRATOR, "fuzz", Role.OPERATOR, frozenset({Scope.CENTRE}), 1
    )
    paths = st.sampled_from(["/api/calls", "/api/operator/next", "/api/operator/dispositions"])
    near = st.dictionaries(st.sampled_from(sorted(CALL)), JSON, min_size=1, max_size=2).map(
        lambda changed: [CALL | {"key": str(uuid4())} | changed]
    )

    with line(door) as system:

        @masses
        @given(paths, JSON | near, st.one_of(st.none(), texts()), st.booleans(), seeds)
        def send(path: str, body: object, key: str | None, known: bool, seed: int) -> None:
            headers = {"Content-Type": "application/json"}
            if known:
                headers["Authorization"] = f"Bearer {held}"
            if key is not None and key.isascii() and key.isprintable():
                headers["Idempotency-Key"] = key
            for content in varied(json.dumps(body).encode(), seed):
                found = system.status(path, content, headers)
                assert found < 500, (path, content, found)
                assert known or found == 401

        send()
