"""What an office says at its desk: sub-reasons, guided questions, support desks, the script."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from campaigns.hours import Hours
from campaigns.lint import Place, lint
from campaigns.texts import PLACEHOLDER
from contact_service.domain.states import DispositionKind

USUAL = Path(__file__).parent / "desk.yaml"


class BadDeskFile(Exception):
    """The office's file for the desk cannot be used; the text says why."""


class _Stated(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SupportDesk(_Stated):
    """Where people in hardship are led."""

    name: str = Field(min_length=1, max_length=100)
    helps: str = Field(max_length=200)
    phone: str | None = Field(default=None, max_length=30)
    hours: str | None = Field(default=None, max_length=100)


class SubReason(_Stated):
    """One of the office's words for a result: kept in Japanese, and shown in English to whoever
    reads that, where the office says how. A word alone is one without English."""

    ja: str = Field(min_length=1, max_length=100)
    en: str | None = Field(default=None, min_length=1, max_length=100)

    @model_validator(mode="before")
    @classmethod
    def _a_word_alone(cls, stated: object) -> object:
        return {"ja": stated} if isinstance(stated, str) else stated

    def shown(self, language: str) -> str:
        """As whoever reads ``language`` is shown it."""
        return (language == "en" and self.en) or self.ja


#: What any sentence may be filled with, and what only the one after the identity check.
NEUTRAL = frozenset({"office", "centre_phone", "operator", "name", "today"})
OF_CLAIMS = frozenset({"kinds", "fiscal_years", "instalments", "debtor_outstanding_yen"})


class Script(_Stated):
    """What the operator says; placeholders only."""

    incoming: str = "お電話ありがとうございます。{office}の{operator}と申します。"
    """To somebody who calls. Names no debt."""
    opening: str
    """Before it is sure who is on the line. Names no debt."""
    if_another: str
    """When somebody else answers. Names no debt."""
    identity: str
    matter: str
    """Only after the identity check."""
    help: str

    @field_validator("incoming", "opening", "if_another", "identity", "help")
    @classmethod
    def _neutral(cls, words: str) -> str:
        return _filled_only_with(NEUTRAL, words)

    @field_validator("matter")
    @classmethod
    def _of_claims(cls, words: str) -> str:
        return _filled_only_with(NEUTRAL | OF_CLAIMS, words)


def _filled_only_with(known: frozenset[str], words: str) -> str:
    for name in PLACEHOLDER.findall(words):
        if name not in known:
            raise ValueError(
                f"差し込み {{{name}}} はここでは使えません。使えるもの: "
                f"{', '.join(sorted(known))} / {{{name}}} cannot stand here"
            )
    return words


def _fit_for(place: Place, words: str) -> str:
    """``words``, if they may be met at ``place``: whoever hears or sees them may be a stranger."""
    for problem in lint(words, place, ()):
        if not problem.warning:
            raise ValueError(f"{problem.ja} / {problem.en}")
    return words


#: What announcements may be filled with: whoever hears them is a stranger.
OF_THE_OFFICE = frozenset({"office", "centre_phone"})


class Announcements(_Stated):
    """What callers hear before they speak with anybody."""

    welcome: str
    waiting: str
    offer: str
    """That one may press 1 to be called back."""
    full: str
    closed: str
    call_back: str
    """After that key; ``{call_back_at}`` is the half-hour."""
    goodbye: str
    whisper: str
    """What an operator hears alone before the caller."""

    @field_validator("welcome", "waiting", "offer", "full", "closed", "goodbye", "whisper")
    @classmethod
    def _neutral(cls, words: str) -> str:
        return _fit_for(Place.UNCONFIRMED, _filled_only_with(OF_THE_OFFICE, words))

    @field_validator("call_back")
    @classmethod
    def _with_its_time(cls, words: str) -> str:
        words = _filled_only_with(OF_THE_OFFICE | {"call_back_at"}, words)
        return _fit_for(Place.UNCONFIRMED, words)


class Incoming(_Stated):
    """What becomes of incoming calls."""

    queue: bool
    """Whether callers wait with the carrier and operators take them from their desks."""
    hours: Hours
    most_waiting: int = Field(ge=1, le=1000)
    longest_wait_seconds: int = Field(ge=30, le=3600)
    call_backs_per_half_hour: int = Field(ge=1, le=1000)
    announcements: Announcements


#: Results of a call that nobody answered.
UNANSWERED = (DispositionKind.ABSENT, DispositionKind.VOICEMAIL, DispositionKind.BUSY)


class CallBacks(_Stated):
    """What becomes of a call back that nobody answers."""

    most_tries: int = Field(ge=1, le=10)
    """In all, the first included."""
    again_after_minutes: dict[DispositionKind, int]
    """By what it came to; what is not named is not tried again."""

    @field_validator("again_after_minutes")
    @classmethod
    def _unanswered(cls, stated: dict[DispositionKind, int]) -> dict[DispositionKind, int]:
        for kind, minutes in stated.items():
            if kind not in UNANSWERED or not 0 < minutes <= 7 * 24 * 60:
                raise ValueError(
                    f"{kind}: {minutes}。使えるのは {', '.join(UNANSWERED)}、1分から7日まで / only "
                    "results that nobody answered, from a minute to seven days"
                )
        return stated


class HouseRules(_Stated):
    """The whole file."""

    sub_reasons: dict[DispositionKind, list[SubReason]] = {}
    hardship_questions: list[str] = []
    support_desks: list[SupportDesk] = Field(min_length=1)
    script: Script
    incoming: Incoming
    call_backs: CallBacks
    support_text: str
    """The SMS to somebody in hardship; ``{support_desks}`` are their names and numbers."""

    @field_validator("support_text")
    @classmethod
    def _names_no_debt(cls, words: str) -> str:
        _filled_only_with(OF_THE_OFFICE | {"support_desks"}, words)
        return _fit_for(Place.SMS, words)

    def sub_reason(self, kind: str, kept: str, language: str) -> str:
        """A recorded sub-reason as it is shown; one that the file no longer has, as it was."""
        known = self.sub_reasons.get(DispositionKind(kind), []) if kind in _KINDS else []
        return next((one.shown(language) for one in known if one.ja == kept), kept)

    def desk(self, name: str) -> SupportDesk | None:
        """The support desk of that name."""
        return next((desk for desk in self.support_desks if desk.name == name), None)


_KINDS = frozenset(kind.value for kind in DispositionKind)
_AS_USUAL = ("incoming", "call_backs", "support_text")


@lru_cache(maxsize=2)
def house_rules(path: Path | None) -> HouseRules:
    """The office's rules, or the usual ones. Raises :class:`BadDeskFile`."""
    chosen = path or USUAL
    try:
        stated = yaml.safe_load(chosen.read_text(encoding="utf-8"))
        if isinstance(stated, dict):  # where nothing is said: as usual
            usual = yaml.safe_load(USUAL.read_text(encoding="utf-8"))
            stated = {name: usual[name] for name in _AS_USUAL} | stated
        return HouseRules.model_validate(stated)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise BadDeskFile(f"{chosen}: {error}") from None
