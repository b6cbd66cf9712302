"""Which claims a campaign is about: conditions that can be joined, nested and named.

The fields of :class:`Condition` and :class:`Selection` are the one table of what can be asked.
The reference page, the JSON Schema, the checker, the explanation and the compiler (which adds
the SQL, by the same names) all read it through :data:`FIELDS`.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from campaigns.faults import FieldPath
from campaigns.parts import Name, Part, Range
from campaigns.vocabulary import (
    ClaimKind,
    InstalmentPlan,
    Language,
    LegalClass,
    Outcome,
    Period,
    PromiseState,
)


@dataclass(frozen=True, slots=True)
class Unit:
    """What a range counts, in the singular."""

    ja: str
    en: str
    ordinal: bool = False  # a place in an order (2026, the 3rd), not a quantity


YEN = Unit("円", "yen")
DAYS = Unit("日", "day")
MONTHS = Unit("か月", "month")
TIMES = Unit("回", "time")
PEOPLE = Unit("人", "person")
YEARS = Unit("年度", "year", ordinal=True)
INSTALMENTS = Unit("期", "instalment", ordinal=True)


@dataclass(frozen=True, slots=True)
class About:
    """What staff call a field."""

    ja: str
    en: str
    unit: Unit | None = None
    bands: tuple[int, ...] = ()
    """Where the bands begin by which reports break a quantity down."""
    in_texts: bool = False
    """Whether letters, and calls after the person is confirmed, may say it: ``{name}``."""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Editors show the title."""
        return {**handler(core_schema), "title": f"{self.ja} / {self.en}"}


_AGES = (1, 21, 61, 181, 366)
_SUMS = (1, 20_000, 50_000, 150_000)
_TALLY = (0, 1, 2, 4)
_DaysSinceDue = Annotated[Range, About("納期限からの日数", "Days since the due date", DAYS, _AGES)]
_ClaimYen = Annotated[Range, About("一件の未納額", "Outstanding per claim", YEN, _SUMS)]


class Condition(Part):
    """What must be true of a claim or of its debtor. All fields that are given must hold.

    Earlier contacts, outcomes, payments and promises are those before the day the run starts.
    What a claim or a person does not have (no 督促, no contact, no promise) fits no range and
    no word; a number of contacts is then 0.
    """

    kinds: Annotated[tuple[ClaimKind, ...], About("科目", "Claims", in_texts=True)] = ()
    """科目. Empty: every kind."""
    legal_classes: Annotated[tuple[LegalClass, ...], About("債権区分", "Legal class")] = ()
    """債権区分. Empty: every class."""
    period: Annotated[Period | None, About("年度の区分", "Period")] = None
    """現年分 or 滞納繰越分. Absent: both."""
    fiscal_years: Annotated[Range, About("調定年度", "Fiscal years", YEARS, in_texts=True)] = (
        Range()
    )
    """調定年度, as Western years: 2026 is 令和8年度."""
    instalments: Annotated[Range, About("期別", "Instalments", INSTALMENTS, in_texts=True)] = (
        Range()
    )
    """期別, as counted within the year."""
    days_since_due: _DaysSinceDue = Range()
    """Calendar days since the due date (納期限); 1 is the day after it."""
    days_since_demand: Annotated[
        Range, About("督促発送からの日数", "Days since the statutory reminder", DAYS, _AGES)
    ] = Range()
    """Calendar days since the statutory reminder (督促) was sent."""
    claim_outstanding_yen: _ClaimYen = Range()
    """収入未済額 of one claim."""
    sms_contacts: Annotated[Range, About("これまでの SMS", "Earlier SMS", TIMES, _TALLY)] = Range()
    """How many SMS went out that concerned the person, over all campaigns."""
    auto_call_contacts: Annotated[
        Range, About("これまでのオートコール", "Earlier auto-calls", TIMES, _TALLY)
    ] = Range()
    """How many auto-calls were made that concerned the person, over all campaigns."""
    operator_contacts: Annotated[
        Range, About("これまでのオペレーター架電", "Earlier calls by operators", TIMES, _TALLY)
    ] = Range()
    """How many calls operators made that concerned the person, over all campaigns."""
    letter_contacts: Annotated[
        Range, About("これまでの催告書", "Earlier letters", TIMES, _TALLY)
    ] = Range()
    """How many letters were handed to the mailing that concerned the person, over all campaigns."""
    last_outcomes: Annotated[
        tuple[Outcome, ...], About("直近の連絡の結果", "Outcome of the latest contact")
    ] = ()
    """What became of the latest contact that concerned the person, by any channel."""
    promises: Annotated[tuple[PromiseState, ...], About("納付約束", "Promise to pay")] = ()
    """What became of the person's latest promise: kept when the promised sum was paid by the
    promised day; broken only 14 days after it, because payments are reported late."""
    instalment_plans: Annotated[
        tuple[InstalmentPlan, ...], About("分納誓約の履行", "Agreed instalments")
    ] = ()
    """What became of the latest agreement on the claim to pay by instalments: kept while it is in
    force; broken when it is over or lifted and something of the claim is still owed."""
    limitation_age_months: Annotated[
        Range,
        About("時効期間の経過", "Age of the limitation period", MONTHS, (0, 12, 36, 48, 60)),
    ] = Range()
    """Whole months since the claim's limitation period began, or began anew."""
    limitation_months_left: Annotated[
        Range,
        About("時効完成までの期間", "Left of the limitation period", MONTHS, (0, 3, 6, 12, 24)),
    ] = Range()
    """Whole months until the claim's limitation period ends; 0 when it has ended."""
    has_mobile: Annotated[bool | None, About("携帯電話の番号", "Has a mobile number")] = None
    """Whether the ledger has a mobile number of the person's."""
    languages: Annotated[tuple[Language, ...], About("言語", "Language")] = ()
    """The language that the ledger has for the person; one without has the default language."""
    household_size: Annotated[
        Range, About("世帯の人数", "People of the household", PEOPLE, (1, 2, 3, 5))
    ] = Range()
    """How many people of the household are in the ledger; 1 for a person without one."""
    use: tuple[Name, ...] = ()
    """Names of ``selections``; each must hold too."""
    all: tuple[Condition, ...] = ()
    """Each of these must hold too."""
    any: tuple[Condition, ...] = ()
    """At least one of these must hold too."""
    not_: tuple[Condition, ...] = Field(default=(), alias="not")
    """None of these may hold."""


class Selection(Condition):
    """Which claims, and whose. An absent field selects all.

    Restrictions always exclude; that cannot be said or unsaid here.
    """

    days_since_due: _DaysSinceDue = Range(min=1)
    """Calendar days since the due date (納期限); 1 is the day after it."""
    claim_outstanding_yen: _ClaimYen = Range(min=1)
    """収入未済額 of one claim."""
    debtor_outstanding_yen: Annotated[
        Range,
        About(
            "一つの電話番号の未納額の合計",
            "Outstanding behind one telephone number",
            YEN,
            _SUMS,
            in_texts=True,
        ),
    ] = Range()
    """Sum of the selected claims of everybody behind one telephone number."""


class Shape(StrEnum):
    """What a field takes."""

    WORDS = "words"  # any number of words of a vocabulary; one must fit
    WORD = "word"
    RANGE = "range"
    FLAG = "flag"


#: What can be said of a field of each shape.
OPERATORS: Mapping[Shape, tuple[str, ...]] = {
    Shape.WORDS: ("one of",),
    Shape.WORD: ("is",),
    Shape.RANGE: ("min", "max"),
    Shape.FLAG: ("is",),
}
#: Ways to join conditions: what definitions call them → the attribute.
GROUPS: Mapping[str, str] = {"all": "all", "any": "any", "not": "not_"}


@dataclass(frozen=True, slots=True)
class SelectionField:
    """One row of the table of what can be asked."""

    name: str
    ja: str
    en: str
    shape: Shape
    unit: Unit | None
    words: type[StrEnum] | None
    """The vocabulary of a field of words."""
    nested: bool
    """Whether it may stand in any condition, or only at the top of ``select``."""
    meaning: str
    bands: tuple[int, ...]
    """Where the bands begin by which reports break a quantity down; ``()``: by value."""
    in_texts: bool
    """Whether letters, and calls after the person is confirmed, may say it: ``{name}``. It is
    then told of the addressee's own selected claims."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON output."""
        return {
            "name": self.name,
            "ja": self.ja,
            "en": self.en,
            "type": self.shape.value,
            "operators": list(OPERATORS[self.shape]),
            "unit": {"ja": self.unit.ja, "en": self.unit.en} if self.unit else None,
            "words": [word.value for word in self.words] if self.words else None,
            "nested": self.nested,
            "meaning": self.meaning,
            "bands": list(self.bands),
            "in_texts": self.in_texts,
        }


def _table() -> Iterator[SelectionField]:
    for name, field in Selection.model_fields.items():
        about = next((each for each in field.metadata if isinstance(each, About)), None)
        if about is None:
            continue
        shape, words = _shape(field.annotation)
        meaning = " ".join((field.description or "").split())
        nested = name in Condition.model_fields
        yield SelectionField(
            name, about.ja, about.en, shape, about.unit, words, nested, meaning,
            about.bands, about.in_texts,
        )  # fmt: skip


def _shape(annotation: Any) -> tuple[Shape, type[StrEnum] | None]:
    if annotation is Range:
        return Shape.RANGE, None
    first = typing.get_args(annotation)[0]
    if first is bool:
        return Shape.FLAG, None
    is_word = isinstance(annotation, types.UnionType)
    return (Shape.WORD if is_word else Shape.WORDS), first


#: Every field that can be asked for, by name, in the order in which it is explained.
FIELDS: Mapping[str, SelectionField] = {field.name: field for field in _table()}


def asked(condition: Condition) -> Iterator[tuple[SelectionField, Any]]:
    """The fields that a condition says something about itself, with what it says."""
    for field in FIELDS.values():
        wanted = getattr(condition, field.name, None)
        if wanted not in (None, (), Range()):
            yield field, wanted


def walk(condition: Condition, path: FieldPath) -> Iterator[tuple[FieldPath, Condition]]:
    """``condition``, which stands at ``path``, and all that are nested in it."""
    yield path, condition
    for name, attribute in GROUPS.items():
        for index, inner in enumerate(getattr(condition, attribute)):
            yield from walk(inner, (*path, name, index))


_Condition = TypeVar("_Condition", bound=Condition)


def put_in(condition: _Condition, named: Mapping[str, Condition]) -> _Condition:
    """The same condition with the ``named`` ones in the place of their names.

    Raises ``KeyError`` for an unknown name. Names that lead back to themselves and conditions
    that grow too large are refused by ``campaigns.check`` before.
    """
    groups = {
        attribute: tuple(put_in(inner, named) for inner in getattr(condition, attribute))
        for attribute in GROUPS.values()
    }
    groups["all"] += tuple(put_in(named[name], named) for name in condition.use)
    return condition.model_copy(update={**groups, "use": ()})
