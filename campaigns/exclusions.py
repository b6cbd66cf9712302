"""Who is never contacted, whatever a definition says. The ledger's restrictions decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Exclusion(StrEnum):
    """A reason to leave somebody alone: the kinds of restriction that the ledger knows."""

    EXECUTION_SUSPENDED = "execution_suspended"
    WRITTEN_OFF = "written_off"
    COLLECTION_DEFERRED = "collection_deferred"
    SEIZURE_DEFERRED = "seizure_deferred"
    INSTALMENT_PLEDGE = "instalment_pledge"
    LAWYER_ENGAGED = "lawyer_engaged"
    BANKRUPTCY = "bankruptcy"
    DECEASED = "deceased"
    PROTECTION_MEASURE = "protection_measure"
    NO_CALLS = "no_calls"
    PUBLIC_ASSISTANCE = "public_assistance"
    HARDSHIP = "hardship"
    REFERRED = "referred"
    OPTED_OUT = "opted_out"
    WRONG_PERSON = "wrong_person"
    INVALID_NUMBER = "invalid_number"


@dataclass(frozen=True, slots=True)
class About:
    """What staff call an exclusion, and whether an office may lift it in a campaign."""

    ja: str
    en: str
    why_ja: str = ""
    """Why it is never lifted; empty: it may be."""
    why_en: str = ""

    @property
    def may_be_lifted(self) -> bool:
        """Whether a definition may lift it."""
        return not self.why_ja


_LAW = ("法令により催告しない期間です", "the law forbids reminders meanwhile")
_TO_THEM = ("本人に直接連絡できません", "the person must not be contacted directly")
_DANGER = (
    "連絡が本人の所在を加害者に知らせるおそれがあります",
    "a contact may betray where they are",
)
_HELP = ("催告より支援が先です", "help comes before reminders")
_WISH = ("本人の申出です", "they said so themselves")
_STRANGER = ("その番号は本人のものではありません", "the number is not theirs")

#: The closed list.
EXCLUSIONS: Mapping[Exclusion, About] = {
    Exclusion.EXECUTION_SUSPENDED: About("執行停止", "execution suspended", *_LAW),
    Exclusion.WRITTEN_OFF: About(
        "不納欠損", "written off", "債権がなくなっています", "nothing is owed any more"
    ),
    Exclusion.COLLECTION_DEFERRED: About("徴収猶予", "collection deferred", *_LAW),
    Exclusion.SEIZURE_DEFERRED: About("換価猶予", "seizure deferred", *_LAW),
    Exclusion.INSTALMENT_PLEDGE: About(
        "分納誓約",
        "paying by agreed instalments",
        "約束どおり分納している人です",
        "they are paying as agreed",
    ),
    Exclusion.LAWYER_ENGAGED: About("弁護士委任", "represented by a lawyer", *_TO_THEM),
    Exclusion.BANKRUPTCY: About("破産", "bankrupt", *_TO_THEM),
    Exclusion.DECEASED: About("死亡", "deceased", "亡くなった人です", "they have died"),
    Exclusion.PROTECTION_MEASURE: About(
        "支援措置", "under protection (domestic violence)", *_DANGER
    ),
    Exclusion.NO_CALLS: About("架電停止", "not to be called"),
    Exclusion.PUBLIC_ASSISTANCE: About("生活保護受給", "on public assistance"),
    Exclusion.HARDSHIP: About("生活困窮", "in hardship", *_HELP),
    Exclusion.REFERRED: About("支援連携", "referred to a support desk", *_HELP),
    Exclusion.OPTED_OUT: About("連絡停止の申出", "asked not to be contacted", *_WISH),
    Exclusion.WRONG_PERSON: About("本人でない番号", "number of somebody else", *_STRANGER),
    Exclusion.INVALID_NUMBER: About(
        "番号無効", "number not in use", "使われていない番号です", "the number is not in use"
    ),
}
LIFTABLE = frozenset(each for each, about in EXCLUSIONS.items() if about.may_be_lifted)

#: Restriction → what staff call it, in Japanese and English.
ALWAYS_EXCLUDED: Mapping[str, tuple[str, str]] = {
    each.value: (about.ja, about.en) for each, about in EXCLUSIONS.items()
}
