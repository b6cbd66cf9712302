"""The forecast of incoming calls, against calls drawn from known rates."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import numpy as np
import pytest
from sqlalchemy import Engine

from contact_service.clock import TOKYO
from contact_service.evaluation.document.model import Picture, Table, Words
from contact_service.evaluation.staffing.forecast import NothingToForecast, forecast, is_worked
from contact_service.evaluation.staffing.small_pages import forecast_document
from contact_service.store.crypto import Vault
from tests.dispatch.conftest import Floor, floor
from tests.ledger import Ledger, definition, mobile

__all__ = ["floor"]

FIRST = date(2026, 10, 26)
#: Calls a half-hour, by the half-hour of the day.
RATES = {18: 2.0, 20: 9.0, 27: 5.0, 33: 1.0}


def record(ledger: Ledger, first: date, days: int, seed: int, phone: int | None = None) -> None:
    """Calls of working days, drawn from :data:`RATES`."""
    drawn = np.random.default_rng(seed)
    starts = [
        datetime.combine(day, datetime.min.time(), TOKYO) + timedelta(minutes=30 * slot, seconds=n)
        for day in (first + timedelta(days=n) for n in range(days))
        if is_worked(day)
        for slot, rate in RATES.items()
        for n in range(drawn.poisson(rate))
    ]
    ledger.run(
        "INSERT INTO call (origin, direction, started_at, talk_seconds, wrap_seconds, result, "
        "phone_id, deduplication_key) SELECT 'resident', 'inbound', at, 60, 0, 'talked', :phone, "
        "'k' || :seed || '-' || n FROM unnest(CAST(:starts AS timestamptz[])) "
        "WITH ORDINALITY AS v(at, n)",
        starts=starts, seed=str(seed), phone=phone,
    )  # fmt: skip


@pytest.fixture
def ledger(engine: Engine, vault: Vault) -> Ledger:
    return Ledger(engine, vault)


def test_the_mean_is_that_of_the_weekday_and_the_interval_holds_what_comes(ledger: Ledger) -> None:
    record(ledger, FIRST - timedelta(weeks=8), 56, seed=1)
    record(ledger, FIRST, 56, seed=2)
    with ledger.engine.connect() as connection:
        found = forecast(connection, FIRST, 56, 8, datetime(2027, 1, 1, tzinfo=TOKYO))
    assert {one.at.weekday() for one in found.half_hours} == set(range(5))
    assert date(2026, 11, 3) not in {one.at.date() for one in found.half_hours}  # 文化の日
    assert len(found.half_hours) == len(RATES) * sum(
        is_worked(FIRST + timedelta(days=n)) for n in range(56)
    )
    for slot, rate in RATES.items():
        means = [one.expected for one in found.half_hours if one.at.hour * 2 + one.at.minute // 30 == slot]  # fmt: skip
        assert np.mean(means) == pytest.approx(rate, rel=0.25)
    assert found.covered is not None and 0.92 <= found.covered <= 1.0
    assert found.error is not None and 0.2 < found.error < 0.6


def total(floor: Floor, weeks: int = 4) -> tuple[float, float]:
    """Calls of one week from Monday on that come anyway, and those that campaigns cause."""
    with floor.service.engine.connect() as connection:
        found = forecast(connection, FIRST, 5, weeks, datetime(2026, 10, 26, tzinfo=TOKYO))
    assert all(one.actual is None for one in found.half_hours)
    return (
        sum(one.anyway for one in found.half_hours),
        sum(one.caused for one in found.half_hours),
    )


def test_a_call_that_a_contact_caused_is_not_said_to_come_anyway(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    record(floor.ledger, FIRST - timedelta(weeks=4), 28, seed=1)
    before, _ = total(floor)
    floor.start()
    phone = int(str(floor.ledger.one("SELECT id FROM phone")))
    monday = FIRST - timedelta(weeks=2)
    floor.ledger.run(
        "UPDATE attempt SET state = 'finished', submitted_at = :at WHERE channel = 'sms'",
        at=datetime.combine(monday, time(9), TOKYO),
    )
    record(floor.ledger, monday, 3, seed=3, phone=phone)
    assert total(floor) == (before, 0.0)
    record(floor.ledger, monday + timedelta(days=3), 1, seed=4, phone=phone)  # too long after
    late = floor.ledger.one("SELECT count(*) FROM call WHERE deduplication_key LIKE 'k4-%'")
    assert total(floor)[0] == pytest.approx(before + int(str(late)) / 4)


def test_what_is_planned_is_expected_to_cause_calls(floor: Floor) -> None:
    record(floor.ledger, FIRST - timedelta(weeks=1), 7, seed=1)
    for n in range(40):
        floor.ledger.person([mobile(n)])
    floor.start(definition(
        arms=[{"name": "contact"}], call_backs={"expected_rate": {"sms": 0.25}},
        steps=[{"name": "sms-1", "channel": "sms", "message": "m"}],
    ))  # fmt: skip

    def caused() -> dict[int, float]:
        with floor.service.engine.connect() as connection:
            found = forecast(connection, FIRST, 1, 1, datetime(2026, 10, 26, tzinfo=TOKYO))
        return {one.at.hour * 2 + one.at.minute // 30: one.caused for one in found.half_hours}

    told = caused()
    assert 0 < sum(told.values()) <= 10  # of the hours in which anybody ever called
    assert told[18] == pytest.approx(0.25 * 40 * 0.2253, rel=0.01)  # 1 - exp(-1/4), in its share
    floor.ledger.run("UPDATE run SET state = 'scheduled'")
    assert caused() == told, "what waits for its day is to come as well"
    floor.ledger.run("UPDATE run SET state = 'running'")
    floor.drain()
    assert floor.states() == {"accepted": 40} and 0 < sum(caused().values()) <= 10


def test_without_a_record_nothing_is_forecast(ledger: Ledger) -> None:
    with (
        ledger.engine.connect() as connection,
        pytest.raises(NothingToForecast, match="受電の記録がありません"),
    ):
        forecast(connection, FIRST, 5, 4, datetime(2026, 10, 26, tzinfo=TOKYO))


def test_the_forecast_is_a_page_too(ledger: Ledger) -> None:
    record(ledger, FIRST - timedelta(weeks=2), 14, seed=1)
    record(ledger, FIRST, 1, seed=2)
    with ledger.engine.connect() as connection:
        found = forecast(connection, FIRST, 2, 2, datetime(2026, 10, 27, tzinfo=TOKYO))
    document = forecast_document(found, "en")
    (section,) = document.sections
    words, picture, table = section.blocks
    assert isinstance(words, Words) and "Weighted absolute error" in words.lines[0]
    assert isinstance(picture, Picture) and "<svg" in picture.svg
    assert isinstance(table, Table) and len(table.rows) == len(found.half_hours)
