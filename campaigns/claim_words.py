"""What may be said of claims to the person who owes them, in letters and confirmed calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from campaigns.conditions import FIELDS
from campaigns.texts import PLACEHOLDER
from campaigns.vocabulary import CLAIM_KIND_EN, CLAIM_KIND_JA, ClaimKind, Language

#: The name on the notice is Japanese; readers of kanji find it there again.
_IN_KANJI = frozenset({Language.JA, Language.JA_EASY, Language.ZH})
#: The placeholders that stand for something about the person's claims.
CLAIM_WORDS = tuple(field.name for field in FIELDS.values() if field.in_texts)
#: Spoken instead of a text with such placeholders where nothing may be told: somebody else has
#: the same number, or nothing is owed any more.
NOTHING_TO_TELL: Mapping[Language, str] = {
    Language.JA: "{office}です。くわしいことは、{centre_phone}へお電話ください。",
    Language.JA_EASY: "{office}です。くわしいことは、{centre_phone}に電話してください。",
    Language.EN: "This is {office}. For details, please call {centre_phone}.",
    Language.ZH: "这里是{office}。详情请致电{centre_phone}。",
    Language.KO: "{office}입니다. 자세한 내용은 {centre_phone}로 전화해 주십시오.",
    Language.VI: "Đây là {office}. Để biết chi tiết, xin gọi {centre_phone}.",
}
_REIWA, _HEISEI = 2019, 1989  # the fiscal years that are called the first of each era


@dataclass(frozen=True, slots=True)
class Owed:
    """One claim, as far as it is told of. ``yen`` is what is still owed."""

    kind: ClaimKind
    year: int
    """The fiscal year it was assessed for (調定年度)."""
    instalment: int
    yen: int


def told(claims: Sequence[Owed], language: Language) -> dict[str, str]:
    """The value of every claim placeholder (``FIELDS`` with ``in_texts``) for one person's own
    claims: each kind, year and instalment once, the sum of what is owed."""
    kanji = language in _IN_KANJI
    kinds = dict.fromkeys(each.kind for each in claims)
    years = sorted({each.year for each in claims})
    instalments = sorted({each.instalment for each in claims})
    total = sum(each.yen for each in claims)
    if kanji:
        return {
            "kinds": "、".join(CLAIM_KIND_JA[kind] for kind in kinds),
            "fiscal_years": "、".join(map(year_ja, years)),
            "instalments": "、".join(f"第{each}期" for each in instalments),
            "debtor_outstanding_yen": f"{total:,}円",
        }
    return {
        "kinds": ", ".join(CLAIM_KIND_EN[kind] for kind in kinds),
        "fiscal_years": ", ".join(map(str, years)),
        "instalments": ", ".join(map(str, instalments)),
        "debtor_outstanding_yen": f"¥{total:,}",
    }


def tells_of_claims(words: str) -> bool:
    """Whether something about the person's claims is put into ``words``."""
    return any(match[1] in CLAIM_WORDS for match in PLACEHOLDER.finditer(words))


def year_ja(year: int) -> str:
    """A fiscal year as offices write it: 令和8年度."""
    era, first = ("令和", _REIWA) if year >= _REIWA else ("平成", _HEISEI)
    return (
        f"{era}{year - first + 1 if year > first else '元'}年度" if year >= first else f"{year}年度"
    )
