"""Whatever a carrier writes, a report of it can be kept."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.base import Channel, Receipt
from providers.words import identifier, is_text, plain

ANY = st.text(st.characters(), max_size=300)  # halves of surrogate pairs and controls too


@given(ANY, ANY, st.dictionaries(ANY, ANY, max_size=3))
def test_a_report_is_text_without_controls_and_no_longer_than_its_columns(
    ref: str, status: str, raw: dict[str, str]
) -> None:
    kept = Receipt(Channel.SMS, ref, status, None, final=False, raw=raw)
    for text, most in [
        (kept.provider_ref, 80),
        (kept.status, 60),
        *((value, 200) for value in kept.raw.values()),
        *((name, 60) for name in kept.raw),
    ]:
        text.encode()
        assert text.isprintable()
        assert len(text) <= most


def test_what_is_in_order_stays_as_it_is() -> None:
    at = datetime(2026, 10, 26, 1, 0, tzinfo=UTC)
    raw = {"status": "配信済み", "err": "000"}
    kept = Receipt(
        Channel.SMS, "SM1", "配信済み", None, final=True, occurred_at=at, talk_seconds=3, parts=2,
        raw=raw,
    )  # fmt: skip
    assert (kept.provider_ref, kept.status, kept.occurred_at) == ("SM1", "配信済み", at)
    assert (kept.talk_seconds, kept.parts, kept.raw) == (3, 2, raw)


@pytest.mark.parametrize("year", [1, 1970, 9999])
def test_instants_and_counts_that_cannot_be_meant_are_left_out(year: int) -> None:
    at = datetime(year, 6, 1, tzinfo=UTC)
    for count in (-1, 1 << 31, 10**30):
        kept = Receipt(
            Channel.SMS, "1", "x", None, final=True, occurred_at=at, talk_seconds=count, parts=count
        )
        assert (kept.occurred_at, kept.talk_seconds, kept.parts) == (None, None, None)


@pytest.mark.parametrize("ref", ["1", "SM" + "0" * 32, "配信-1", "9" * 80])
def test_identifiers(ref: str) -> None:
    assert identifier(ref) == ref


@pytest.mark.parametrize("ref", ["", "9" * 81, "a\x00", "a\nb", "\ud800", ".", "..", None, 7])
def test_no_identifiers(ref: object) -> None:
    assert identifier(ref) is None


def test_texts() -> None:
    assert is_text("𠮷 a\n")
    assert not is_text("a\ud842")
    assert plain("a\x00b\ud842" + "c" * 9, 6) == "a\ufffdb\ufffdcc"
