"""The number of a file that somebody refers to, where a line stays for ever.

Free text would tell of people, and nothing could take it back: so only what can be read as a
number of a file is taken, and nothing else is kept in part.
"""

from __future__ import annotations

import re
import unicodedata

MOST = 40
#: What may stand before a number: words of the register, or up to three letters. Any other kanji
#: or kana may be a name, and so may more letters.
_WORD = (
    r"(?:受付|受理|収受|起案|決裁|文書|照会|回答|苦情|相談|申請|開示|請求|令和|番号|第"
    r"|[A-Z]{1,3}(?![A-Z]))"
)
_NUMBER = rf"(?:{_WORD}[-/]?){{0,3}}\d{{1,6}}"
#: One number, or that of a year and one within it. Three are a date, a telephone number or a
#: street address; more than six digits together may be a person code (宛名番号).
_REFERENCE = re.compile(rf"{_NUMBER}(?:(?:年度?[-/]?|[-/]|(?={_WORD})){_NUMBER})?号?")


class NoReference(Exception):
    """What was written is not the number of a file."""

    def __init__(self) -> None:
        super().__init__(
            "「受付12」「R8-45」「令和8年度第123号」のような書類の番号だけを書いてください（40字まで）。"
            "氏名・用件・電話番号・宛名番号は書けません。なければ空欄にしてください / write the "
            "number of a file alone, like R8-45 or No.45 (40 characters at most): no name, no "
            "matter, no telephone number and no person code; or leave it empty"
        )


def reference(said: str) -> str:
    """``said`` as it is kept: full-width forms and spaces made plain; empty where nothing is said.

    Raises :class:`NoReference`, which does not repeat what was written.
    """
    plain = "".join(unicodedata.normalize("NFKC", said).upper().replace("NO.", "NO").split())
    plain = re.sub("[‐-―−ー]", "-", plain)
    if plain and (len(plain) > MOST or not _REFERENCE.fullmatch(plain)):
        raise NoReference
    return plain
