"""SMS texts: placeholders, parts, and what must and must not be written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.carriers import USUAL
from campaigns.lint import LINTS, Place, lint
from campaigns.messages import (
    MAX_PARTS,
    PART_UNITS,
    SINGLE_UNITS,
    TYPICAL,
    UnknownPlaceholder,
    check_length,
    check_message,
    office_values,
    render,
    split,
    units,
)
from campaigns.vocabulary import CLAIM_KIND_JA, ClaimKind

GOOD = (
    "【{office}】お伝えしたいことがあります。{centre_phone}へお電話ください。"
    "お済みの場合は行き違いですのでご容赦ください。送信専用です。"
)


def said(text: str) -> list[tuple[bool, str]]:
    """Whether it is a warning, and the Japanese sentence, for each problem."""
    return [(problem.warning, problem.ja) for problem in check_message(text, ("messages", "x"))]


def test_a_good_message_has_nothing_against_it() -> None:
    assert said(GOOD) == []


@pytest.mark.parametrize(
    ("length", "parts"),
    [(1, 1), (70, 1), (71, 2), (134, 2), (135, 3), (201, 3), (202, 4), (660, 10), (670, 10)],
)
def test_japanese_messages_are_billed_at_70_then_134_and_201(length: int, parts: int) -> None:
    assert len(split("あ" * length)) == parts


def test_characters_outside_the_basic_plane_count_as_two_and_are_never_broken() -> None:
    assert units("𠮷野家") == 4
    assert len(split("𠮷" * 35)) == 1
    # 67 units hold 33 such characters; the unit that is left stays empty.
    assert [len(part) for part in split("𠮷" * 36)] == [33, 3]
    assert [len(part) for part in split("あ" + "𠮷" * 36)] == [34, 3]


@given(st.text(alphabet="あa𠮷😀\n", max_size=300))
def test_parts_hold_the_whole_text_and_no_part_is_too_long(text: str) -> None:
    parts = split(text)
    assert "".join(parts) == text
    limit = SINGLE_UNITS if len(parts) == 1 else PART_UNITS
    assert all(units(part) <= limit for part in parts)


def test_rendering_fills_placeholders_and_interprets_nothing_else() -> None:
    values = {"office": "{centre_phone}", "centre_phone": "03-1"}
    assert render("{office}: {centre_phone}\n", values) == "{centre_phone}: 03-1"
    for text in ("{office.__class__}", "{office!r}", "{office:>9}", "{}", "{0}", "{unknown}"):
        with pytest.raises(UnknownPlaceholder):
            render(text, values)


def test_the_centres_number_is_written_as_people_dial_it() -> None:
    assert office_values("区役所", "+81354321111") == {
        "office": "区役所",
        "centre_phone": "03-5432-1111",
    }
    with pytest.raises(ValueError, match="not a telephone number"):
        office_values("区役所", "none")


@pytest.mark.parametrize(
    ("addition", "words"),
    [
        ("https://example.jp", "URL"),
        ("ｈｔｔｐｓ：／／ｅ", "URL"),
        ("www.city", "URL"),
        ("くわしくは setagaya.jp へ", "URL"),
        ("世田谷.みんな", "URL"),
        ("12,800円", "金額"),
        ("１２８００円", "金額"),
        ("¥500", "金額"),
        ("三万円", "金額"),
        ("3万", "金額"),
        ("合計 1,200", "金額"),
        ("滞納", "滞納がわかる"),
        ("未納", "滞納がわかる"),
        ("滞　\n納", "滞納がわかる"),
        ("督促", "督促"),
        ("差押", "処分"),
        ("差し押さえ", "処分"),
        ("山田様", "氏名"),
        ("{name}様", "氏名は差し込めません"),
        ("{氏名}", "氏名は差し込めません"),
        ("{amount}", "未知の差し込み"),
        ("{offce}", "`office` ですか"),
        ("{", "余って"),
        ("}", "余って"),
        ("You owe 500 yen.", "滞納がわかる"),
        ("Your tax is unpaid.", "科目"),
        ("We will seize it.", "処分"),
        ("Dear Mr. Yamada", "氏名"),
        ("您的保险费", "科目"),
        ("尚有欠款", "滞納がわかる"),
        ("王小姐", "氏名"),
        ("500日元", "金額"),
        ("체납", "滞納がわかる"),
        ("체 납", "滞納がわかる"),
        ("압류합니다", "処分"),
        ("김민수님", "氏名"),
        ("bảo hiểm", "科目"),
        ("khoản nợ", "滞納がわかる"),
        ("Bà Nguyễn", "氏名"),
        ("\u200b", "U+200B"),
        ("\ue000", "U+E000"),
    ],
)
def test_what_may_not_be_in_a_message(addition: str, words: str) -> None:
    faults = [ja for warning, ja in said(GOOD + addition) if not warning]
    assert any(words in ja for ja in faults)


@pytest.mark.parametrize("kind", [kind for kind in ClaimKind if kind is not ClaimKind.OTHER])
def test_every_kind_of_claim_is_recognised_by_its_name(kind: ClaimKind) -> None:
    assert any("科目" in ja for warning, ja in said(GOOD + CLAIM_KIND_JA[kind]) if not warning)


@pytest.mark.parametrize(
    "addition",
    [
        "納税課",
        "様々なご事情",
        "同様に",
        "お客様へ",
        "皆様",
        "円滑に",
        "9時から17時",
        "午後5時。OK",
        "…OK",
        "No.5",
        "Thank you. Call us",
        "고객님께 알려드립니다",
        "各位市民",
        "Quý vị vui lòng gọi",
        "call us, please",
    ],
)
def test_ordinary_words_are_no_faults(addition: str) -> None:
    assert [ja for warning, ja in said(GOOD + addition) if not warning] == []


@pytest.mark.parametrize(
    ("missing", "words", "warning"),
    [
        ("{office}", "役所の名前", False),
        ("{centre_phone}", "電話番号", False),
        ("行き違い", "行き違い", False),
        ("送信専用", "送信専用", True),
    ],
)
def test_what_must_be_in_a_message(missing: str, words: str, warning: bool) -> None:
    ((is_warning, ja),) = said(GOOD.replace(missing, ""))
    assert (is_warning, words in ja) == (warning, True)


@pytest.mark.parametrize("addition", ["😀", "ｱｲｳ", "03-1234-5678", "0312345678", "納付"])
def test_what_deserves_a_second_look(addition: str) -> None:
    assert [warning for warning, _ in said(GOOD + addition)] == [True]


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("www.city.setagaya.lg.jp", False),
        ("city.setagaya.lg.jp/x", False),
        ("setagaya-lg.jp", True),
        ("lg.jp.example.com", True),
        ("bit.ly/abc", True),
        ("滞納がございます。12,800円", False),
    ],
)
def test_a_letter_names_no_domain_but_the_office_s(text: str, refused: bool) -> None:
    assert bool(list(lint(text, Place.LETTER, ()))) == refused


def test_length_is_judged_with_the_placeholders_filled_in() -> None:
    room = MAX_PARTS * PART_UNITS - units(render(GOOD, TYPICAL))
    assert list(check_length(GOOD + "あ" * room, ("messages", "x"), USUAL)) == []
    (problem,) = check_length(GOOD + "あ" * (room + 1), ("messages", "x"), USUAL)
    assert (problem.warning, "11通分" in problem.ja) == (False, True)


def test_every_row_of_the_table_can_strike_where_it_applies() -> None:
    struck = {
        (problem.en.rpartition(": ")[2], place)
        for place in Place
        for text in (
            "a.jp",
            "1円",
            "国保",
            "督促",
            "差押",
            "滞納",
            "納付",
            "山田様",
            "03-1234-5678",
            "{x_yen}円",
        )
        for problem in lint(text, place, ())
    }
    assert {(row.en.rpartition(": ")[2], place) for row in LINTS for place in row.places} == struck
