"""What Asterisk and Twilio write becomes calls: whose, how long, and only once."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from contact_service.domain.numbers import classify
from contact_service.intake import reading
from contact_service.intake.call_records import Form, form_of
from contact_service.intake.calls import unmatched
from contact_service.intake.faults import FileRefused
from tests.intake.conftest import CLAIM, STAFF, Import, Query, write_csv

SAMPLES = Path(__file__).parents[2] / "samples" / "calls"
QUEUE = [
    ("inbound", "10:00:00", 12, 100, "talked", "201", True),
    ("inbound", "10:03:20", 45, 0, "abandoned", None, False),
]
TWILIO = [
    ("inbound", "12:00:00", None, 95, "talked", None, True),
    ("outbound", "13:00:00", None, 0, "absent", None, True),
]
EXPECTED = {
    "queue_log": QUEUE,
    "queue_log.csv": QUEUE,
    "Master.csv": [
        ("outbound", "11:00:00", None, 60, "talked", "201", True),
        ("inbound", "11:30:00", 25, 120, "talked", "201", True),
    ],
    "twilio-calls.json": TWILIO,
    "twilio-calls.csv": TWILIO,
    "call-records.csv": [
        ("inbound", "15:00:00", 12, 95, "talked", "201", True),
        ("outbound", "15:10:00", None, 0, "absent", "202", True),
    ],
}
CALLS = """SELECT direction, to_char(started_at, 'HH24:MI:SS'), wait_seconds, talk_seconds, result,
    extension, phone_id IS NOT NULL FROM call ORDER BY started_at"""


@pytest.mark.parametrize("name", EXPECTED)
def test_a_record_becomes_calls_once(take: Import, query: Query, tmp_path: Path, name: str) -> None:
    take("claims", write_csv(tmp_path / "claims_20260901.csv", [CLAIM]))
    first = take("calls", SAMPLES / name, rejects=tmp_path / "r.csv").counts
    assert (first.accepted, first.rejected) == (2, 0)
    assert query(CALLS) == EXPECTED[name]
    again = take("calls", SAMPLES / name, rejects=tmp_path / "r.csv").counts
    assert (again.accepted, again.unchanged) == (0, 2)
    assert query(CALLS) == EXPECTED[name]


#: Parameters as https://docs.asterisk.org/Operation/Logging/Queue-Logs/ lists them → what they mean.
ENDS = {
    "BLINDTRANSFER|300|office|21|63|4": ("talked", 21, 63),
    "TRANSFER|300|office|22|64|4": ("talked", 22, 64),
    "ATTENDEDTRANSFER|BRIDGE|b-1|23|65|4": ("talked", 23, 65),
    "ATTENDEDTRANSFER|LINK|SIP/7|SIP/8|24|66|4": ("talked", 24, 66),
    "EXITEMPTY|2|4|31": ("other", 31, 0),
    "EXITWITHTIMEOUT|2|4|32": ("other", 32, 0),
    "EXITWITHKEY|9|2|4|33": ("other", 33, 0),
    "ABANDON|2|4|34": ("abandoned", 34, 0),
}


def test_each_end_is_read_where_asterisk_documents_it(
    take: Import, query: Query, tmp_path: Path
) -> None:
    log = tmp_path / "queue_log"
    start = 1788224400  # 2026-09-01 10:00 in Tokyo
    log.write_text(
        "".join(
            f"{start + n * 600}|e.{n}|q|NONE|ENTERQUEUE||09012345678|4\n"
            f"{start + n * 600 + wait + talk}|e.{n}|q|SIP/201|{event}\n"
            for n, (event, (_, wait, talk)) in enumerate(ENDS.items())
        )
    )
    assert take("calls", log).counts.rejected == 0
    found = [(row[1], row[4], row[2], row[3]) for row in query(CALLS)]
    assert found == [
        (f"{10 + n // 6}:{n % 6}0:00", *expected) for n, expected in enumerate(ENDS.values())
    ]


def test_a_bad_line_is_rejected_and_mended(take: Import, query: Query, tmp_path: Path) -> None:
    log = tmp_path / "queue_log"
    log.write_text(
        "1788224400|a.1|q|NONE|ENTERQUEUE||09012345678|1\n1788224512|a.1\n"
        "1788224512|a.1|q|SIP/201|COMPLETEAGENT|12|many|1\n"
    )
    report = take("calls", log)
    assert [(f.line, f.column, f.reason) for f in report.first_faults] == [
        (2, "started_at", "truncated"),
        (3, "talk_seconds", "bad_seconds"),
    ]
    assert report.rejects is not None
    mended = report.rejects.read_text().replace(",many,", ",100,")
    report.rejects.write_text(mended)
    assert take("calls", report.rejects, rejects=tmp_path / "r").counts.accepted == 1
    assert query("SELECT talk_seconds FROM call") == [(100,)]


@given(
    st.sampled_from(["090", "080", "070", "060"]),
    st.text("0123456789", min_size=8, max_size=8),
    st.sampled_from(["{a}{b}{c}", "{a}-{b}-{c}", "+81{i}{b}{c}", "({a}) {b} {c}", "{a}ー{b}ー{c}"]),
    st.booleans(),
)
def test_a_number_is_one_number_in_every_spelling(
    head: str, rest: str, form: str, wide: bool
) -> None:
    written = form.format(a=head, i=head[1:], b=rest[:4], c=rest[4:])
    if wide:
        written = written.translate({ord("0") + n: ord("０") + n for n in range(10)})
    assert [n.e164 for n in classify(written)] == [n.e164 for n in classify(head + rest)]


def test_a_line_may_end_in_a_way_of_its_own() -> None:
    """Macintosh's line ends, and a stray one within the first line."""
    assert form_of(b"\x01\r\x88\xb6\x96\xbc,x\n") is Form.TABLE
    assert form_of(b"1788224400|a.1|q|NONE|ENTERQUEUE||09012345678|1\r17|") is Form.QUEUE_LOG
    assert form_of(b"") is Form.TABLE


def test_calls_that_are_not_one_persons_are_listed(
    take: Import, engine: Engine, tmp_path: Path
) -> None:
    """Two people share the number of the samples' calls; one call's number is withheld."""
    other = CLAIM | {"宛名番号": "10000002", "氏名": "山﨑　花", "通知書番号": "26010000002"}
    take("claims", write_csv(tmp_path / "claims_20260901.csv", [CLAIM, other]))
    log = tmp_path / "queue_log"
    log.write_text(
        "1788224400|a.1|q|NONE|ENTERQUEUE||09012345678|1\n"
        "1788224512|a.1|q|SIP/201|COMPLETEAGENT|12|100|1\n"
        "1788224600|a.2|q|NONE|ENTERQUEUE||anonymous|1\n"
        "1788224620|a.2|q|NONE|ABANDON|1|1|20\n"
    )
    assert take("calls", log).counts.accepted == 2
    with engine.connect() as connection:
        found = unmatched(connection, STAFF)
    assert [(one.file, one.line, one.result, one.why) for one in found] == [
        ("queue_log", 2, "talked", "shared"),
        ("queue_log", 4, "abandoned", "unknown"),
    ]


def test_a_log_that_was_rotated_and_packed_is_the_same_log(
    take: Import, query: Query, tmp_path: Path
) -> None:
    """Two days of one log: the end of the first stands in the second, too, which breaks off in the
    middle of a line; the older is packed, as logrotate leaves it."""
    lines = (SAMPLES / "queue_log").read_text(encoding="utf-8").splitlines(keepends=True)
    older, newer, broken = (tmp_path / name for name in ("queue_log.2.gz", "queue_log", "bad.gz"))
    older.write_bytes(gzip.compress("".join(lines[:3]).encode()))
    newer.write_text("".join(lines[1:]) + lines[0][:25], encoding="utf-8")
    assert take("calls", older).counts.accepted == 1
    found = take("calls", newer).counts
    assert (found.accepted, found.unchanged, found.rejected) == (1, 1, 1)
    assert [row[:5] for row in query(CALLS)] == [one[:5] for one in QUEUE]
    assert take("calls", older).counts.unchanged == 1
    broken.write_bytes(older.read_bytes()[:-9])
    with pytest.raises(FileRefused, match="as gzip it is broken"):
        take("calls", broken)


def test_what_unpacks_without_end_is_refused(
    take: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_UNPACKED_BYTES", 100_000)
    bomb = tmp_path / "queue_log.gz"
    bomb.write_bytes(gzip.compress(b"1788224400|a|q|NONE|ENTERQUEUE||1|1\n" * 50_000))
    with pytest.raises(FileRefused, match="too many"):
        take("calls", bomb)
