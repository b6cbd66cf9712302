"""How figures are written: numbers, yen, shares, days and the vocabularies' names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml

from campaigns.vocabulary import (
    CHANNEL_EN,
    CHANNEL_JA,
    CLAIM_KIND_EN,
    CLAIM_KIND_JA,
    LEGAL_CLASS_EN,
    LEGAL_CLASS_JA,
    OUTCOME_EN,
    OUTCOME_JA,
    PERIOD_EN,
    PERIOD_JA,
)
from contact_service.domain.ages import AGE_BANDS
from contact_service.domain.dates import era_text
from contact_service.domain.states import EXCLUSION_EN, EXCLUSION_JA, SKIP_EN, SKIP_JA

Lang = Literal["ja", "en"]

#: What page one of a report answers, in this order.
QUESTIONS = ("tried", "happened", "sure", "cost", "centre", "do")

_AMOUNTS = ("a:-2万", "b:2-5万", "c:5-15万", "d:15万-")
"""The bands of the allocation by amount, as ``target.stratum`` holds them."""
_HOURS = ("morning", "early_afternoon", "late_afternoon", "evening")
_PENDING = {"ja": "結果待ち", "en": "pending"}
_NAMES: dict[str, dict[str, Mapping[Any, str]]] = {
    "ja": {
        "channel": CHANNEL_JA,
        "kind": CLAIM_KIND_JA,
        "outcome": OUTCOME_JA,
        "period": PERIOD_JA,
        "exclusion": EXCLUSION_JA,
        "skip": SKIP_JA,
        "legal_class": LEGAL_CLASS_JA,
        "amount": dict(
            zip(_AMOUNTS, ("2万円未満", "2～5万円", "5～15万円", "15万円以上"), strict=True)
        ),
        "number": {"mobile": "携帯電話", "fixed": "固定電話等"},
        "age_band": dict(
            zip(
                AGE_BANDS, ("30歳未満", "30～44歳", "45～59歳", "60～74歳", "75歳以上"), strict=True
            )
        ),
        "hour": dict(zip(_HOURS, ("午前", "12～15時", "15～17時", "17時以降"), strict=True)),
    },
    "en": {
        "channel": CHANNEL_EN,
        "kind": CLAIM_KIND_EN,
        "outcome": OUTCOME_EN,
        "period": PERIOD_EN,
        "exclusion": EXCLUSION_EN,
        "skip": SKIP_EN,
        "legal_class": LEGAL_CLASS_EN,
        "amount": dict(
            zip(
                _AMOUNTS,
                ("under ¥20,000", "¥20,000–49,999", "¥50,000–149,999", "¥150,000 or more"),
                strict=True,
            )
        ),
        "number": {"mobile": "mobile number", "fixed": "no mobile number"},
        "age_band": dict(
            zip(
                AGE_BANDS,
                ("under 30", "30 to 44", "45 to 59", "60 to 74", "75 or older"),
                strict=True,
            )
        ),
        "hour": dict(
            zip(_HOURS, ("before noon", "12 to 15 h", "15 to 17 h", "after 17 h"), strict=True)
        ),
    },
}
_MINUS = "−"
MISSING = "–"


def language(value: str) -> Lang:
    """A language that the reports are written in. Raises ``ValueError`` for another."""
    if value == "ja":
        return "ja"
    if value == "en":
        return "en"
    raise ValueError(f"言語は ja か en で / the language is ja or en, not {value!r}")


@lru_cache(maxsize=1)
def texts() -> dict[str, dict[str, str]]:
    """The table of texts: key → language → sentence."""
    table: dict[str, dict[str, str]] = {}
    for file in ("texts.yaml", "staffing/texts.yaml"):
        content = (Path(__file__).parent / file).read_text(encoding="utf-8")
        table |= yaml.safe_load(content)
    return table


def text(key: str, lang: Lang, **values: Any) -> str:
    """A sentence or label of the table of texts, filled in. Raises ``KeyError``."""
    return texts()[key][lang].format(**values)


def name(vocabulary: str, value: str, lang: Lang) -> str:
    """What people call a word of a closed vocabulary; one that has no name as it stands."""
    if value == "pending":  # no outcome yet, and so in no vocabulary
        return _PENDING[lang]
    return _NAMES[lang][vocabulary].get(value, value.replace("_", " "))


def number(value: float | str | None, digits: int = 0) -> str:
    """With thousands separators; hidden and missing values as they are shown."""
    if value is None:
        return MISSING
    if isinstance(value, str):
        return value
    return f"{value:,.{digits}f}".replace("-", _MINUS)


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign, also where so little is left that it rounds to nothing."""
    sign = "+" if value > 0 else _MINUS if value < 0 else ""
    return sign + number(abs(value), digits)


def yen(value: float | str | None, lang: Lang) -> str:
    """Whole yen."""
    if value is None or isinstance(value, str):
        return number(value)
    return f"{number(round(value))}円" if lang == "ja" else f"¥{number(round(value))}"


def percent(value: float | None, digits: int = 1) -> str:
    """A share as a percentage."""
    return MISSING if value is None else f"{number(value * 100, digits)}%"


def points(value: float) -> str:
    """A difference of shares in percentage points, signed, without a unit."""
    return signed(value * 100)


def p_value(value: float) -> str:
    """As journals print it."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def day(value: date | str | None, lang: Lang) -> str:
    """A day: by era in Japanese (令和8年10月26日), else ``26 October 2026``."""
    if value is None:
        return MISSING
    when = date.fromisoformat(value) if isinstance(value, str) else value
    if lang == "en":
        return f"{when.day} {when:%B %Y}"
    return era_text(when)
