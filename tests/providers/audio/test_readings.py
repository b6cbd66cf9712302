"""How amounts, dates, times and numbers are said: the table, and what the engine makes of it."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

import pytest

from providers.audio.readings import dictated, spoken

TABLE = [
    ("12,800円", "12800円", "イチマンニセンハッピャクエン"),
    ("¥1,000,001", "1000001円", "ヒャクマンイチエン"),
    ("300円", "300円", "サンビャクエン"),
    ("￥8,600-", "8600円", "ハッセンロッピャクエン"),
    ("令和8年11月30日", "令和8年11月30日", "レーワハチネンジューイチガツサンジューニチ"),
    ("R8.11.30", "令和8年11月30日", "レーワハチネンジューイチガツサンジューニチ"),
    ("令和1年5月1日", "令和元年5月1日", "レーワガンネンゴガツツイタチ"),
    ("2026/11/30", "2026年11月30日", "ニセンニジューロクネンジューイチガツサンジューニチ"),
    ("4/1", "4月1日", "シガツツイタチ"),
    ("10月20日", "10月20日", "ジューガツハツカ"),
    ("17:15", "17時15分", "ジューシチジジューゴフン"),
    ("03-5432-1111", "ゼロサンノ、ゴーヨンサンニーノ、イチイチイチイチ", None),
    ("０３（５４３２）１１１１", "ゼロサンノ、ゴーヨンサンニーノ、イチイチイチイチ", None),
    ("0120-123-456", "ゼロイチニーゼロノ、イチニーサンノ、ヨンゴーロク", None),
    ("09012345678", "ゼロキューゼロノ、イチニーサンヨンノ、ゴーロクナナハチ", None),
    ("+81354321111", "ゼロサンノ、ゴーヨンサンニーノ、イチイチイチイチ", None),
    ("〒154-8504", "郵便番号、イチゴーヨンノ、ハチゴーゼロヨン", None),
]


@pytest.mark.parametrize(("text", "words", "_"), TABLE)
def test_written_out(text: str, words: str, _: str | None) -> None:
    assert spoken(text) == words
    assert spoken(words) == words, "saying it twice changes nothing"


@pytest.mark.parametrize(
    "text", ["13/45", "2026/13/01", "25:99", "第3期", "3か月", "1を押してください"]
)
def test_what_is_no_date_is_left_alone(text: str) -> None:
    assert spoken(text) == text


def test_the_engine_reads_the_table_right() -> None:
    with redirect_stdout(io.StringIO()):
        import pyopenjtalk
    for text, words, read in TABLE:
        said = pyopenjtalk.g2p(spoken(text), kana=True)
        assert said == (read if read is not None else said)
        if read is None and words.isascii() is False and "郵" not in words:
            assert said == words, "dictated digits are read as they stand"


def test_every_digit_has_two_beats_or_is_long() -> None:
    assert dictated("0123456789") == "ゼロイチニーサンヨンゴーロクナナハチキュー"
