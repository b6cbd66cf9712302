"""A report as data: sections of sentences, tables and pictures, whatever it is written as.

A cell holds a value with its type, not its text, so that a page can write it in words and a
spreadsheet can count with it. What must not be told was hidden before: a cell is then
:data:`~contact_service.evaluation.disclosure.HIDDEN`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from contact_service.evaluation.wording import MISSING, Lang, day, number, p_value, signed, yen

GREY = "#6b6b6b"


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    COUNT = "count"  # whole numbers
    DECIMAL = "decimal"
    SIGNED = "signed"  # a difference
    YEN = "yen"
    SHARE = "share"  # 0–1, shown as a percentage
    POINTS = "points"  # a difference of shares, −1–1, shown in percentage points
    P_VALUE = "p_value"
    DAY = "day"


class Label(NamedTuple):
    """A name with the colour that pictures give it."""

    text: str
    colour: str = ""


class Interval(NamedTuple):
    """The two ends of an interval."""

    low: float
    high: float


Cell = str | int | float | date | Label | Interval | None


class Column(NamedTuple):
    """One column. ``digits`` after the decimal point."""

    label: str
    kind: Kind = Kind.TEXT
    digits: int = 0


@dataclass(frozen=True)
class Table:
    """Rows of typed cells; ``folded`` hides them on a screen until they are asked for."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    lead: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Picture:
    """A drawing; ``alt`` says what is to be seen. It is drawn where a format shows it, once."""

    title: str
    draw: Callable[[], str]
    alt: str
    lead: str = ""

    @cached_property
    def svg(self) -> str:
        """The drawing as SVG."""
        return self.draw()


@dataclass(frozen=True)
class Words:
    """Sentences. ``manner``: ``text``, ``lead`` (small), ``note`` (set off) or ``list``."""

    lines: Sequence[str]
    manner: str = "text"


class Card(NamedTuple):
    """One large figure."""

    label: Label
    figure: str
    small: Sequence[str]


@dataclass(frozen=True)
class Cards:
    """Large figures side by side."""

    cards: Sequence[Card]


class Answer(NamedTuple):
    """A question, what can be said to it, and the section that the figures in it come from."""

    question: str
    lines: Sequence[str]
    section: str = ""


@dataclass(frozen=True)
class Answers:
    """Questions and what can be said to them."""

    answers: Sequence[Answer]


class Box(NamedTuple):
    """One box of a flow diagram: a heading and what stands under it."""

    heading: str
    lines: Sequence[str]
    colour: str = ""


@dataclass(frozen=True)
class Flow:
    """From everybody assessed to the arms, each a lane of boxes."""

    assessed: Box
    excluded: Box
    randomised: Box
    lanes: Sequence[Sequence[Box]]


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    text: str


Block = Table | Picture | Words | Cards | Answers | Flow | Heading


@dataclass(frozen=True)
class Section:
    """A part with a heading. ``counted_by`` names the questions behind its figures, ``rows`` a
    command that lists the rows they count."""

    id: str
    title: str
    blocks: Sequence[Block]
    counted_by: Sequence[str] = ()
    rows: str = ""


@dataclass(frozen=True)
class Document:
    """A whole report in one language. ``sources`` are the questions asked: see ``counts``."""

    title: str
    kicker: str
    lead: str
    meta: str
    sections: Sequence[Section]
    lang: Lang
    banners: Sequence[str] = ()
    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def shown(cell: Cell, column: Column, lang: Lang) -> str:
    """A cell in words."""
    if cell is None:
        return MISSING
    if isinstance(cell, Label):
        return cell.text
    if isinstance(cell, Interval):
        separator = "～" if lang == "ja" else " to "
        return separator.join(shown(end, column, lang) for end in cell)
    if column.kind is Kind.DAY:
        return day(cell if isinstance(cell, date) else str(cell), lang)
    if isinstance(cell, str | date):
        return str(cell)
    return _number(cell, column, lang)


def _number(value: float, column: Column, lang: Lang) -> str:
    match column.kind:
        case Kind.YEN:
            return yen(value, lang)
        case Kind.SHARE:
            return f"{number(value * 100, column.digits or 1)}%"
        case Kind.POINTS:
            return signed(value * 100, column.digits or 1)
        case Kind.SIGNED:
            return signed(value, column.digits)
        case Kind.P_VALUE:
            return p_value(value)
        case _:
            return number(value, column.digits)
