"""What an office says at its desk: sub-reasons, guided questions, support desks, the script."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

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


#: What any sentence may be filled with, and what only the one after the identity check.
NEUTRAL = frozenset({"office", "centre_phone", "operator", "name", "today"})
OF_CLAIMS = frozenset({"kinds", "fiscal_years", "instalments", "debtor_outstanding_yen"})


class Script(_Stated):
    """What the operator says; placeholders only."""

    opening: str
    """Before it is sure who is on the line. Names no debt."""
    if_another: str
    """When somebody else answers. Names no debt."""
    identity: str
    matter: str
    """Only after the identity check."""
    help: str

    @field_validator("opening", "if_another", "identity", "help")
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


class HouseRules(_Stated):
    """The whole file."""

    sub_reasons: dict[DispositionKind, list[str]] = {}
    hardship_questions: list[str] = []
    support_desks: list[SupportDesk] = Field(min_length=1)
    script: Script

    def desk(self, name: str) -> SupportDesk | None:
        """The support desk of that name."""
        return next((desk for desk in self.support_desks if desk.name == name), None)


@lru_cache(maxsize=2)
def house_rules(path: Path | None) -> HouseRules:
    """The office's rules, or the usual ones. Raises :class:`BadDeskFile`."""
    chosen = path or USUAL
    try:
        return HouseRules.model_validate(yaml.safe_load(chosen.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise BadDeskFile(f"{chosen}: {error}") from None
