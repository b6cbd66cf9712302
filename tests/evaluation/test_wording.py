"""How figures are written, and that both languages say all there is to say."""

from __future__ import annotations

import re
from datetime import date
from string import Formatter

import pytest

from campaigns.trial import SecondaryOutcome, Subgroup
from campaigns.vocabulary import Outcome
from contact_service.evaluation import wording
from contact_service.evaluation.charts import OUTCOME_GROUPS
from contact_service.evaluation.facts import Completeness
from contact_service.evaluation.load import MEASURES, Origin
from contact_service.evaluation.staffing.broken_down import By
from contact_service.evaluation.wording import texts


@pytest.mark.parametrize("key", texts())
def test_both_languages_say_the_same_things(key: str) -> None:
    said = texts()[key]
    assert set(said) == {"ja", "en"}
    fields = [
        {field for _, field, _, _ in Formatter().parse(line) if field} for line in said.values()
    ]
    assert fields[0] == fields[1]


def test_every_text_is_used_and_every_used_text_is_there() -> None:
    used: set[str] = set()
    for path in [*wording.Path(wording.__file__).parent.rglob("*.py"),
                 *wording.Path(wording.__file__).parent.rglob("*.html")]:  # fmt: skip
        used |= set(re.findall(r"['\"](\w+)['\"]", path.read_text(encoding="utf-8")))
    built = (
        {f"note_{c}" for c in Completeness}
        | {f"effect_{v}" for v in ("clear", "unsure", "chance", "interim", "withheld")}
        | {
            f"do_{v}"
            for v in ("worth", "unpriced", "not_worth", "harm", "unsure", "chance", "withheld")
        }
        | {f"levels_{o}" for o in ("paid_something", "paid_in_full")}
        | {f"q_{q}" for q in ("tried", "happened", "sure", "cost", "centre", "do")}
        | {o.value for o in Origin}
        | set(MEASURES)
        | {f"factor_{name}" for name in (*Subgroup, "outstanding_yen", "claims", "paid_earlier")}
        | {
            f"per_1000_{name}"
            for name in (
                "inbound_calls",
                "outbound_calls",
                "inbound_seconds",
                "operator_seconds",
                "agent_seconds",
            )
        }
        | {o.value for o in SecondaryOutcome} - {"paid_yen", "days_to_payment"}
        | set(OUTCOME_GROUPS)
        | {f"centre_by_{by}" for by in By}
        | {"calls_n", "hours_n"}  # the units of the measures
        | {"sms_parts", "call_minutes", "operator_hours", "letters"}  # of what is paid for
    )
    assert set(texts()) - used - built == set()
    assert built - set(texts()) == set()


def test_every_outcome_is_in_one_group_of_the_picture() -> None:
    grouped = [outcome for _, members in OUTCOME_GROUPS.values() for outcome in members]
    assert sorted(grouped) == sorted([*(o.value for o in Outcome), "pending"])


@pytest.mark.parametrize(
    ("when", "ja"),
    [
        (date(2026, 10, 26), "令和8年10月26日"),
        (date(2019, 5, 1), "令和元年5月1日"),
        (date(2019, 4, 30), "平成31年4月30日"),
    ],
)
def test_days_by_era(when: date, ja: str) -> None:
    assert wording.day(when, "ja") == wording.day(when.isoformat(), "ja") == ja


def test_figures() -> None:
    assert wording.day("2026-10-26", "en") == "26 October 2026"
    assert wording.number(1234567) == "1,234,567"
    assert wording.number(None) == "–"
    assert wording.number("x") == wording.yen("x", "ja") == "x"
    assert wording.signed(-3.24) == "−3.2"
    assert [wording.signed(v) for v in (-0.01, 0.0, 0.01)] == ["−0.0", "0.0", "+0.0"]
    assert wording.points(0.0524) == "+5.2"
    assert wording.yen(1234.5, "ja") == "1,234円"
    assert wording.yen(-1234, "en") == "¥−1,234"
    assert wording.percent(0.8) == "80.0%"
    assert wording.p_value(0.0004) == "p < 0.001"
    with pytest.raises(ValueError, match="言語"):
        wording.language("fr")
