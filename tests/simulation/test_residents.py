"""Residents: the same people whoever asks first, and shares as the parameters say."""

from __future__ import annotations

import csv
import json
import math
import random
from collections import Counter
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

import pytest

from contact_service.clock import TOKYO, FixedClock
from contact_service.domain.states import DispositionKind
from contact_service.simulation import truth
from contact_service.simulation.carrier.subscribers import AnsweredCall, Pickup
from contact_service.simulation.draws import Draws
from contact_service.simulation.residents.collections import CollectionsFiles
from contact_service.simulation.residents.parameters import Keys, Parameters, Telephone
from contact_service.simulation.residents.payments import Cause, Payment, Payments
from contact_service.simulation.residents.people import Residents
from contact_service.simulation.residents.population import (
    Claim,
    Population,
    Resident,
    UnreadableResidents,
    load,
)
from contact_service.simulation.residents.telephones import Telephones
from contact_service.simulation.timeline import Timeline
from tests.conftest import WARD
from tests.simulation.support import START

P = Parameters()
HOUSEHOLDS = 20_000
NUMBERS = 8_000


@lru_cache
def population(households: int, claims: int = 2) -> Population:
    """One person with a mobile in each household."""
    return Population(
        [
            Resident(
                debtor_code=str(10_000_000 + n),
                household=n,
                phone=f"+8190{10_000_000 + n}",
                phone_kind="mobile",
                claims=tuple(
                    Claim(
                        kind="health_insurance",
                        kind_ja="国民健康保険料",
                        notice_number=f"{26_010_000_000 + 10 * n + c}",
                        instalment=c + 1,
                        yen=1_000 * (c + 1),
                    )
                    for c in range(claims)
                ),
            )
            for n in range(households)
        ]
    )


class Ward:
    """Payments of a population, without any server."""

    def __init__(self, households: int, seed: str = "test") -> None:
        self.timeline = Timeline(FixedClock(START))
        self.population = population(households)
        self.paid: list[Payment] = []
        self.files: CollectionsFiles | None = None
        self.draws = Draws(seed)
        self.payments = Payments(
            P.payment, self.population, self.draws, self.timeline, START, self._pay
        )
        phones = Telephones(P.telephone, P.keys, self.draws, self.population.phone_kinds)
        self.residents = Residents(P, self.population, phones, self.payments, self.draws)
        self.payments.begin()

    def _pay(self, payments: list[Payment]) -> None:
        self.paid.extend(payments)
        if self.files:
            self.files.add(payments)

    def run(self, days: float) -> None:
        """Let time pass from the start."""
        while self.timeline.work_off(START + timedelta(days=days)):
            pass


@pytest.mark.parametrize("first_day", [3, 25])  # the horizon ends on the 28th
@pytest.mark.parametrize(
    ("causes", "effect"),
    [
        ((), 0.0),
        ((Cause.SMS_DELIVERED,), P.payment.sms_delivered),
        ((Cause.CALL_CONFIRMED,), P.payment.call_confirmed),
        ((Cause.SMS_DELIVERED, Cause.SMS_DELIVERED), P.payment.sms_delivered),
        (
            (Cause.SMS_DELIVERED, Cause.CALL_UNCONFIRMED, Cause.PROMISE),
            P.payment.sms_delivered + P.payment.call_unconfirmed + P.payment.promise,
        ),
    ],
)
def test_payment_share_is_the_baseline_plus_the_effects(
    causes: tuple[Cause, ...], effect: float, first_day: int
) -> None:
    ward = Ward(HOUSEHOLDS)
    for day, cause in enumerate(causes, first_day):
        for household in ward.population.by_household:
            ward.payments.contacted(household, cause, START + timedelta(days=day))
    ward.run(P.payment.horizon_days)
    expected = P.payment.baseline + effect
    tolerance = 3.5 * math.sqrt(expected * (1 - expected) / HOUSEHOLDS)
    assert abs(len(ward.payments.paid_households) / HOUSEHOLDS - expected) < tolerance


def test_whoever_pays_unasked_also_pays_when_asked_and_nobody_pays_before_the_cause() -> None:
    alone, asked = Ward(2_000), Ward(2_000)
    contact = START + timedelta(days=20)
    for household in range(2_000):
        asked.timeline.at(
            contact,
            lambda at, h=household: asked.payments.contacted(h, Cause.PROMISE, at),  # type: ignore[misc]
        )
    alone.run(28)
    asked.run(28)
    assert alone.payments.paid_households < asked.payments.paid_households
    by_cause = asked.payments.paid_households - alone.payments.paid_households
    dates = [p.paid_on for p in asked.paid if p.resident.household in by_cause]
    assert contact.date() <= min(dates) and max(dates) <= (START + timedelta(days=28)).date()


def test_the_order_of_contacts_changes_nobodys_fate() -> None:
    orders = list(range(3_000)), random.Random(5).sample(range(3_000), 3_000)
    outcomes = []
    for order in orders:
        ward = Ward(3_000)
        for household in order:
            ward.payments.contacted(household, Cause.SMS_DELIVERED, START)
        ward.run(28)
        outcomes.append(sorted((p.claim.notice_number, p.paid_on, p.method) for p in ward.paid))
    assert outcomes[0] == outcomes[1]
    other = Ward(3_000, seed="another")
    other.run(28)
    assert sorted((p.claim.notice_number, p.paid_on, p.method) for p in other.paid) != outcomes[0]


def test_four_in_five_pay_everything() -> None:
    ward = Ward(HOUSEHOLDS)
    ward.run(28)
    claims = Counter(p.resident.household for p in ward.paid)
    share = sum(n == 2 for n in claims.values()) / len(claims)
    assert abs(share - P.payment.in_full) < 0.03
    assert set(claims.values()) == {1, 2}


def test_collections_files_look_like_the_core_systems_and_lose_nothing(tmp_path: Path) -> None:
    ward = Ward(2_000)
    ward.files = CollectionsFiles(tmp_path, ward.timeline)
    ward.files.begin(START)
    ward.run(45)
    with (WARD / "収納データ.csv").open(encoding="utf-8-sig", newline="") as file:
        headings = next(csv.reader(file))
    rows, days = [], []
    for path in sorted(tmp_path.glob("収納データ_*.csv")):
        assert path.read_bytes().startswith(b"\xef\xbb\xbf")
        day = datetime.strptime(path.stem.removeprefix("収納データ_"), "%Y%m%d").replace(
            tzinfo=TOKYO, hour=7
        )
        days.append(day)
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            assert reader.fieldnames == headings
            for row in reader:
                rows.append(row["通知書番号"])
                lag = day - datetime.strptime(row["収納日"], "%Y/%m/%d").replace(tzinfo=TOKYO)
                # Weekends and holidays put the file off by up to three days.
                longest = 10 if row["収納方法"] == "コンビニ" else 3
                assert timedelta(days=1) <= lag <= timedelta(days=longest + 5)
    assert sorted(rows) == sorted(p.claim.notice_number for p in ward.paid)
    every_day = [START.replace(hour=7) + timedelta(days=n) for n in range(1, 46)]
    holidays = {"2026-11-03", "2026-11-23"}  # 文化の日, 勤労感謝の日
    assert days == [
        day for day in every_day if day.weekday() < 5 and str(day.date()) not in holidays
    ]
    assert not list(tmp_path.glob("*.new"))


def test_a_name_is_never_used_twice(tmp_path: Path) -> None:
    (tmp_path / "収納データ_20261102.csv").write_text("an earlier process's")
    ward = Ward(2_000)
    ward.files = CollectionsFiles(tmp_path, ward.timeline)
    ward.files.begin(START)
    ward.run(8)
    assert (tmp_path / "収納データ_20261102.csv").read_text() == "an earlier process's"
    assert (tmp_path / "収納データ_20261102_2.csv").exists()


def test_telephones_behave_in_the_shares_assumed() -> None:
    numbers = [f"+8190{10_000_000 + n}" for n in range(NUMBERS)]
    t = Telephone()
    telephones = Telephones(t, Keys(), Draws("test"), {})
    fates = Counter(telephones.message_fate(number, 1).error_code for number in numbers)
    assert _near(fates[30005] / NUMBERS, t.not_in_use)
    assert _near(fates[30003] / NUMBERS, t.switched_off)
    noon, evening = START.replace(hour=14), START.replace(hour=19)
    at_noon = [telephones.pick_up(number, 1, noon, "carrier") for number in numbers]
    kinds = Counter(reaction.pickup for reaction in at_noon)
    reachable = (1 - t.not_in_use) * (1 - t.switched_off) * (1 - t.busy_mobile)
    assert _near(kinds[Pickup.PERSON] / NUMBERS, reachable * t.answers_by_hour[14])
    assert _near(kinds[Pickup.NOT_IN_USE] / NUMBERS, t.not_in_use)
    later = [telephones.pick_up(number, 1, evening, "carrier") for number in numbers]
    assert sum(r.pickup is Pickup.PERSON for r in later) > 1.4 * kinds[Pickup.PERSON]
    people = [reaction for reaction in at_noon if reaction.pickup is Pickup.PERSON]
    first = Counter(reaction.keys[:1] for reaction in people)
    assert _near(first["3",] / len(people), t.wrong_person, 0.01)
    assert _near(first["1",] / len(people), (1 - t.wrong_person) * Keys().confirms, 0.03)
    assert _near(first["9",] / len(people), (1 - t.wrong_person) * Keys().stops, 0.01)
    confirmed = [reaction for reaction in people if reaction.keys[:1] == ("1",)]
    connected = sum(len(reaction.keys) == 2 for reaction in confirmed)
    assert _near(connected / len(confirmed), Keys().connects, 0.03)


def test_a_landline_takes_no_message_and_a_strangers_number_moves_nobody() -> None:
    telephones = Telephones(Telephone(not_in_use=0, filtered=0), Keys(), Draws("x"), {})
    assert telephones.message_fate("+81354320001", 1).error_code == 30006
    ward = Ward(200)
    strangers = Telephones(Telephone(wrong_person=1.0), Keys(), ward.draws, {})
    residents = Residents(P, ward.population, strangers, ward.payments, ward.draws)
    for number in ward.population.phones:
        residents.message_delivered(number, 1, START)
        assert residents.talk(number, 1, START).kind is DispositionKind.WRONG_NUMBER
    ward.run(28)
    alone = Ward(200)
    alone.run(28)
    assert ward.payments.paid_households == alone.payments.paid_households


def test_contacts_are_followed_by_call_backs_in_their_share_and_time() -> None:
    ward = Ward(NUMBERS)
    calls: list[datetime] = []
    ward.residents.call_back = lambda _, at: calls.append(at)
    for number in ward.population.phones:
        ward.residents.message_delivered(number, 1, START)
    assert _near(len(calls) / NUMBERS, P.call_back.after_sms)
    within_a_day = sum(at < START + timedelta(days=1) for at in calls)
    assert _near(within_a_day / len(calls), 0.7, 0.04)
    calls.clear()
    for number in ward.population.phones:
        answered = AnsweredCall(number, START, Pickup.PERSON, ("1", "1"), transferred=True)
        ward.residents.call_ended(answered, 1)
    assert calls == []  # they have just talked to the centre


def test_talks_end_in_promises_of_what_is_owed() -> None:
    ward = Ward(4_000)
    talks = [ward.residents.talk(number, 1, START) for number in ward.population.phones]
    promises = [talk for talk in talks if talk.kind is DispositionKind.PROMISED]
    assert _near(len(promises) / 4_000, 0.5 * (1 - P.telephone.wrong_person), 0.03)
    assert {promise.amount_yen for promise in promises} == {3_000}
    days = {(promise.promised_on - START.date()).days for promise in promises}  # type: ignore[operator]
    assert days == set(range(3, 15))
    assert all(talk.promised_on is None for talk in talks if talk not in promises)


def test_the_truth_is_written_down(tmp_path: Path) -> None:
    truth.write(tmp_path, "seed", P, START, START + timedelta(days=28), 7)
    document = json.loads((tmp_path / "truth.json").read_text("utf-8"))
    assert document["parameters"]["payment"]["sms_delivered"] == P.payment.sms_delivered
    assert document["horizon"]["start"] == START.isoformat()


def test_residents_files(tmp_path: Path) -> None:
    path = tmp_path / "residents.jsonl"
    good = population(3).by_household[1][0].model_dump_json()
    path.write_text(good + "\n")
    assert load(path).phones == ["+819010000001"]
    path.write_text(good + "\n" + good.replace('"household":1', '"household":"家"') + "\n")
    with pytest.raises(UnreadableResidents, match=r"residents.jsonl:2: .*household") as caught:
        load(path)
    assert "家" not in str(caught.value)
    with pytest.raises(UnreadableResidents, match="missing.jsonl"):
        load(tmp_path / "missing.jsonl")


def _near(found: float, expected: float, tolerance: float = 0.015) -> bool:
    return abs(found - expected) < tolerance
