"""Bad input in masses: whatever comes in is read or refused, and nothing falls over.

``make test`` tries some, ``make fuzz`` more than a hundred thousand (``FUZZ_EXAMPLES`` for each of
the targets). A target that is met by an exception of another kind than it names has failed.
"""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Mapping
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
from tests.identity.conftest import ADMINISTRATOR
from tests.ledger import mobile
from tests.web.test_doors import Door, door, door_settings

__all__ = ["door", "door_settings", "floor"]

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))
masses = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)

#: What has broken somebody's program before.
NASTY = st.sampled_from([
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1a", b"\r", b"\n\n", b'"', b"'", b"=cmd|' /C calc'!A0", b"{{7*7}}",
    b"${jndi:ldap://x}", b"' OR '1'='1", b"../../etc/passwd", b"%n%s", b"&a *a", b"!!python/object", b"<<: *x",
    "\u202e".encode(), "\ud83d\ude00".encode("utf-8", "surrogatepass"), "令和99年13月99日".encode("cp932"),
    b"9" * 400, b"-1", b"1e999", b"NaN", b"<script>alert(1)</script>", b"\x80\x81\x82",
])  # fmt: skip
cut = st.tuples(st.floats(0, 1), st.integers(0, 40), st.one_of(NASTY, st.binary(max_size=20)))


def mangled(good: bytes, cuts: list[tuple[float, int, bytes]]) -> bytes:
    """``good`` with some of it replaced."""
    for where, length, instead in cuts:
        at = int(where * len(good))
        good = good[:at] + instead + good[at + length :]
    return good


def texts() -> st.SearchStrategy[str]:
    nasty = NASTY.map(lambda b: b.decode("latin-1"))
    return st.one_of(st.text(max_size=40), nasty, st.just(""))


DEFINITIONS = [
    path.read_bytes() for path in sorted((ROOT / "campaigns" / "library").glob("*.yaml"))
]


@masses
@given(st.sampled_from(DEFINITIONS), st.lists(cut, min_size=1, max_size=4))
def test_definitions(good: bytes, cuts: list[tuple[float, int, bytes]]) -> None:
    try:
        read(decode(mangled(good, cuts), "fuzz"), "fuzz")
    except DefinitionErrors as refused:
        assert refused.faults and str(refused)


FILES = {
    FileKind.CLAIMS: next(WARD.glob("滞納一覧_*.csv")).read_bytes()[:3000],
    FileKind.PAYMENTS: next(WARD.glob("*収納*.csv")).read_bytes()[:2000],
}


@masses
@given(
    st.sampled_from(sorted(FILES)),
    st.lists(cut, min_size=1, max_size=5),
    st.sampled_from(["csv", "csv", "csv", "xlsx"]),
)
def test_files(kind: FileKind, cuts: list[tuple[float, int, bytes]], suffix: str) -> None:
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"fuzz-{os.getpid()}.{suffix}"
    path.write_bytes(mangled(FILES[kind], cuts))
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
FIELDS = st.sampled_from([
    "MessageSid", "MessageStatus", "CallSid", "CallStatus", "From", "To", "Body", "Digits",
    "AnsweredBy", "ErrorCode", "CallDuration", "SequenceNumber", "Timestamp", "AccountSid", "Direction",
])  # fmt: skip
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
@given(forms, st.one_of(st.none(), st.text(max_size=30)))
def test_reports_of_a_carrier(form: dict[str, str], signature: str | None) -> None:
    url = "https://office.example/webhooks/main/receipts"
    signed = RequestValidator(SECRET).compute_signature(url, form)
    for given_signature in (signed, signature or ""):
        request = WebhookRequest(url, {"x-twilio-signature": given_signature}, form, b"")
        for reader in READERS:
            try:
                reader(request)
            except ForgedReceipt:
                continue
            assert given_signature == signed  # nothing unsigned is believed


def status(door: Door, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> int:
    address = urlsplit(door.stack.web_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    try:
        connection.request(method, path, body, dict(headers))
        return connection.getresponse().status
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

    @masses
    @given(st.sampled_from(nodes) | texts(), st.booleans(), forms)
    @example("greeting", True, {"CallSid": "CA" + "1" * 32, "Digits": "1" * 5000})
    def press(node: str, key: bool, form: dict[str, str]) -> None:
        path = f"/webhooks/simulated/voice/{called}/{quote(node, safe='')}{'/key' if key else ''}"
        signed = RequestValidator(token).compute_signature(
            f"{door.stack.settings.public_url}{path}", form
        )
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": signed,
        }
        body = urlencode({k: v.encode("utf-8", "replace") for k, v in form.items()}).encode()
        found = status(door, "POST", path, body, headers)
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

    @masses
    @given(paths, JSON | near, st.one_of(st.none(), texts()), st.booleans())
    def send(path: str, body: object, key: str | None, known: bool) -> None:
        headers = {"Content-Type": "application/json"}
        if known:
            headers["Authorization"] = f"Bearer {held}"
        if key is not None and key.isascii() and key.isprintable():
            headers["Idempotency-Key"] = key
        found = status(door, "POST", path, json.dumps(body).encode(), headers)
        assert found < 500, (path, body, found)
        assert known or found == 401

    send()
