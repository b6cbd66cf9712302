"""The closed vocabularies in the reader's language, for templates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from fastapi import Request

from campaigns import vocabulary as said
from campaigns.claim_words import year_ja
from campaigns.vocabulary import Channel
from contact_service.callcentre import results
from contact_service.clock import TOKYO
from contact_service.domain import restrictions, states
from contact_service.domain.dates import era_text
from contact_service.domain.states import DispositionKind
from contact_service.intake.fields import PAYMENT_METHODS
from contact_service.planning.definitions import ANOTHER_OFFICE
from contact_service.web.locale import language_of, translatable

#: What cannot come of a call that came in.
NOT_REACHED = (
    translatable("話せなかった"),
    (DispositionKind.ABSENT, DispositionKind.VOICEMAIL, DispositionKind.BUSY),
)
#: Results as an operator thinks of them: who was reached, and what they said.
DISPOSITION_GROUPS: tuple[tuple[str, tuple[DispositionKind, ...]], ...] = (
    (
        translatable("本人と話せた"),
        (
            DispositionKind.PROMISED,
            DispositionKind.PAID_ALREADY,
            DispositionKind.INSTALMENTS,
            DispositionKind.HARDSHIP,
            DispositionKind.CALLBACK,
            DispositionKind.DISPUTES,
            DispositionKind.REFUSED,
            DispositionKind.COMPLAINT,
            DispositionKind.LAWYER_ENGAGED,
            DispositionKind.OPTED_OUT,
            DispositionKind.LANGUAGE_NEEDED,
        ),
    ),
    NOT_REACHED,
    (
        translatable("この番号では連絡できない"),
        (DispositionKind.WRONG_NUMBER, DispositionKind.MOVED, DispositionKind.DECEASED),
    ),
)

_WEEKDAYS = {"ja": "月火水木金土日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
METHOD_EN = {
    "direct_debit": "direct debit",
    "convenience_store": "convenience store",
    "pay_easy": "Pay-easy",
    "cashless": "cashless",
    "counter": "at the counter",
    "other": "other",
}


@dataclass(frozen=True, slots=True)
class Words:
    """``words.channel[Channel.SMS]`` and so on, and dates and sums as a reader expects them."""

    language: str
    channel: Mapping[Any, str]
    outcome: Mapping[Any, str]
    claim_kind: Mapping[Any, str]
    spoken: Mapping[Any, str]
    disposition: Mapping[Any, str]
    operator_state: Mapping[Any, str]
    proof: Mapping[Any, str]
    method: Mapping[str, str]
    reply: Mapping[Any, str]
    skip: Mapping[Any, str]
    way: Mapping[Any, str]
    quality: Mapping[Any, str]
    today: date | None = None

    def yen(self, amount: int | None) -> str:
        """A sum of money."""
        if amount is None:
            return "–"
        return f"{amount:,}円" if self.language == "ja" else f"¥{amount:,}"

    @property
    def another_office(self) -> str:
        """What another office's campaign is called: its name is not for this one."""
        return ANOTHER_OFFICE[self.language]

    def weekday(self, number: int) -> str:
        """A weekday, from 0 for Monday."""
        return _WEEKDAYS[self.language][number]

    def day(self, day: date) -> str:
        """A day, with its weekday; in Japanese with the year where it is not this one."""
        weekday = _WEEKDAYS[self.language][day.weekday()]
        if self.language == "ja":
            near = self.today is None or self.today.year == day.year
            return f"{f'{day.month}月{day.day}日' if near else era_text(day)}（{weekday}）"
        return f"{weekday} {day:%Y-%m-%d}"

    def era(self, day: date | str) -> str:
        """A day, or one kept as text, as notices write it: by era in Japanese."""
        day = date.fromisoformat(day) if isinstance(day, str) else day
        return era_text(day) if self.language == "ja" else f"{day:%Y-%m-%d}"

    def born(self, day: str) -> str:
        """A birth date as it is kept; by era in Japanese, as people say theirs."""
        try:
            return self.era(day)
        except ValueError:
            return day

    def fiscal_year(self, year: int) -> str:
        """A fiscal year: by era in Japanese."""
        return year_ja(year) if self.language == "ja" else f"FY{year}"

    def time(self, instant: datetime) -> str:
        """The time of day in Tokyo."""
        return f"{instant.astimezone(TOKYO):%H:%M}"

    def at(self, instant: datetime) -> str:
        """An instant in Tokyo, to the minute."""
        local = instant.astimezone(TOKYO)
        return f"{self.day(local.date())} {local:%H:%M}"

    def steps(self, names: Iterable[str], channels: Iterable[str]) -> dict[str, str]:
        """What people call the steps of one campaign, in their order: the channel, and which round
        of it where there are several. A definition's own names are for whoever writes it."""
        pairs = [(name, Channel(channel)) for name, channel in zip(names, channels, strict=True)]
        each, seen = Counter(channel for _, channel in pairs), Counter[Channel]()
        found: dict[str, str] = {}
        for name, channel in pairs:
            seen[channel] += 1
            said_as = self.channel[channel]
            if each[channel] > 1:
                round_ = seen[channel]
                said_as += f" {round_}回目" if self.language == "ja" else f", round {round_}"
            found[name] = said_as
        return found

    def scope(self, scope: str) -> str:
        """What a switch stops (``dispatch.switches``)."""
        kind, _, name = scope.partition(":")
        if kind == "channel":
            return self.channel[Channel(name)]
        if kind == "provider":
            return f"事業者 {name}" if self.language == "ja" else f"carrier {name}"
        return "すべての発信" if self.language == "ja" else "everything"

    def result(self, kind: DispositionKind | said.Outcome) -> str:
        """What came of a contact, said by an operator or reported by a carrier."""
        return (self.disposition if isinstance(kind, DispositionKind) else self.outcome)[kind]

    def seconds(self, seconds: int | None) -> str:
        """A length of time, as minutes and seconds."""
        return "–" if seconds is None else f"{seconds // 60}:{seconds % 60:02}"

    def length(self, length: timedelta) -> str:
        """A length of time in whole minutes; from a day on, in whole hours."""
        minutes = int(length.total_seconds()) // 60
        days, hours = divmod(minutes // 60, 24)
        japanese = self.language == "ja"
        units = ("日", "時間", "分") if japanese else (" d", " h", " min")
        told = (days, hours, 0) if days else (0, hours, minutes % 60)
        said = [f"{n}{unit}" for n, unit in zip(told, units, strict=True) if n]
        return ("" if japanese else " ").join(said or [f"0{units[2]}"])

    def restriction(self, kind: str) -> str:
        """A restriction's name."""
        known = restrictions.RestrictionKind(kind)
        if self.language == "ja":
            return restrictions.BY_KIND[known].ja
        return known.value.replace("_", " ")


def of(request: Request, today: date | None = None) -> Words:
    """The words of whoever reads, on a day."""
    if language_of(request) == "ja":
        return Words(
            "ja", said.CHANNEL_JA, said.OUTCOME_JA, said.CLAIM_KIND_JA, said.LANGUAGE_JA,
            states.DISPOSITION_JA, states.OPERATOR_STATE_JA, states.IDENTITY_PROOF_JA,
            {stored: ja for ja, stored in PAYMENT_METHODS.items()},
            states.REPLY_JA, states.SKIP_JA, results.WAY_JA, states.QUALITY_JA, today,
        )  # fmt: skip
    return Words(
        "en", said.CHANNEL_EN, said.OUTCOME_EN, said.CLAIM_KIND_EN, said.LANGUAGE_EN,
        states.DISPOSITION_EN, states.OPERATOR_STATE_EN, states.IDENTITY_PROOF_EN, METHOD_EN,
        states.REPLY_EN, states.SKIP_EN, results.WAY_EN, states.QUALITY_EN, today,
    )  # fmt: skip
