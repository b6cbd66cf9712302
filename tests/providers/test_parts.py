"""Parts of a text, agreed with published figures.

3GPP TS 23.038 and 23.040: 160 septets or 70 UTF-16 units in one message, 153 or 67 in each of
several; 155 and 149 with one national table, 152 and 146 with two (23.038, 6.2.1.2). Domestic
carriers publish steps of 70, 134, 201 … 670 or of 70, 132, 198 … 660 characters.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.gsm7 import Language, tables
from providers.parts import RULES, PartRule, divide, fits, parts, utf16_units

SPANISH = PartRule(languages=(Language.SPANISH,))
TURKISH = PartRule(languages=(Language.TURKISH,))
PORTUGUESE = PartRule(languages=(Language.PORTUGUESE,))


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        # 153 septets hold 76 escaped characters, the 77th does not divide: 2 × 76 < 153.
        ("€" * 152, 2),
        ("€" * 153, 3),
        ("\n\r@Ω", 1),
        ("`" + "a" * 69, 1),  # the grave accent is not in the alphabet
        ("`" + "a" * 70, 2),
        ("あ" * 70, 1),
        ("あ" * 71, 2),
        ("あ" * 134, 2),
        ("あ" * 135, 3),
        ("あ" * 670, 10),
        ("𠮷" * 35, 1),
        ("𠮷" * 36, 2),
        ("𠮷" * 66, 2),  # 67 units hold 33 surrogate pairs, undivided
        ("𠮷" * 67, 3),
        # Twilio's published example: one curly quotation mark turns 160 characters into UCS-2
        ("’" + "a" * 159, 3),
    ],
)
def test_the_international_route(body: str, count: int) -> None:
    assert parts("gsm", body) == count


@pytest.mark.parametrize(
    ("rule", "steps"),
    [
        ("domestic", [70, 134, 201, 268, 335, 402, 469, 536, 603, 670]),
        ("domestic-660", [70, 132, 198, 264, 330, 396, 462, 528, 594, 660]),
    ],
)
@pytest.mark.parametrize("character", ["あ", "a", "ｱ"])
def test_the_steps_of_domestic_long_messages(rule: str, steps: list[int], character: str) -> None:
    for count, longest in enumerate(steps, 1):
        assert parts(rule, character * longest) == count
        assert parts(rule, character * (longest + 1)) == count + 1
    assert fits(RULES[rule], character * steps[-1])
    assert not fits(RULES[rule], character * (steps[-1] + 1))


@pytest.mark.parametrize(
    ("rule", "body", "count"),
    [
        (SPANISH, "ó" + "a" * 153, 1),  # 155 septets: the accent takes two
        (SPANISH, "ó" + "a" * 154, 2),
        (SPANISH, ("ó" + "a" * 147) * 2, 2),  # 149 in each
        (SPANISH, ("ó" + "a" * 147) * 2 + "a", 3),
        (TURKISH, "ş" * 155, 1),  # the locking table alone
        (TURKISH, "ş" * 156, 2),
        (TURKISH, "ş" * 298, 2),
        (TURKISH, "ş" * 299, 3),
        (PORTUGUESE, "ã" * 155, 1),
        (PORTUGUESE, "ªΦ" + "a" * 149, 1),  # both tables: 152 septets
        (PORTUGUESE, "ªΦ" + "a" * 150, 2),
        (PORTUGUESE, ("ªΦ" + "a" * 143) * 2, 2),  # 146 in each
        (PORTUGUESE, ("ªΦ" + "a" * 143) * 2 + "a", 3),
        (SPANISH, "a" * 160, 1),  # no table needed, no header spent
        (SPANISH, "ş" * 70, 1),
        (SPANISH, "ş" * 71, 2),  # not a Spanish letter: UCS-2
    ],
)
def test_national_tables(rule: PartRule, body: str, count: int) -> None:
    assert parts(rule, body) == count


def test_two_octets_of_reference_leave_a_little_less() -> None:
    rule = PartRule(reference_octets=2)
    assert [parts(rule, "a" * count) for count in (160, 161, 304, 305)] == [1, 2, 2, 3]
    assert [parts(rule, "あ" * count) for count in (70, 71, 132, 133)] == [1, 2, 2, 3]


def test_septets_of_the_standard() -> None:
    default, spanish = tables((Language.SPANISH,))
    assert default.encode("@Δ ¡?à") == bytes((0x00, 0x10, 0x20, 0x40, 0x3F, 0x7F))
    assert default.encode("[€]") == bytes.fromhex("1b3c 1b65 1b3e")
    assert default.encode("hellohello") == b"hellohello"
    assert spanish.encode("ó") == bytes.fromhex("1b6f")
    assert spanish.header == bytes.fromhex("240102")
    _, _, turkish, both = tables((Language.TURKISH,))
    assert turkish.encode("ığ") == bytes((0x07, 0x0C))
    assert not turkish.takes("Ø"), "what a locking table replaces is gone"
    assert both.header == bytes.fromhex("240101 250101")
    _, _, portuguese, _ = tables((Language.PORTUGUESE,))
    assert portuguese.encode("ãõ`") == bytes((0x7B, 0x7C, 0x7D))


def test_every_table_names_every_code_once() -> None:
    for table in tables(tuple(Language)):
        assert sorted(table.codes.values()) == [code for code in range(128) if code != 0x1B]
        assert len(set(table.escaped.values())) == len(table.escaped)


@given(
    st.text(st.sampled_from("aé[€ó ştãΦあ漢𠮷😀`\n")),
    st.sampled_from([*RULES.values(), SPANISH, TURKISH, PORTUGUESE]),
)
def test_parts_join_to_the_text_and_none_is_too_long(text: str, rule: PartRule) -> None:
    divided = divide(rule, text)
    assert "".join(divided.texts) == text
    assert len(divided.texts) == parts(rule, text) >= 1
    for part in divided.texts:
        part.encode("utf-16")  # no half of a surrogate pair
        if divided.table is None:
            octets = 2 * utf16_units(part)
            header = 0
        else:
            octets = -(-len(divided.table.encode(part)) * 7 // 8)
            header = len(divided.table.header)
        if len(divided.texts) > 1:
            header += 4 + rule.reference_octets
        assert octets + (header + 1 if header else 0) <= 140


@given(st.text(st.sampled_from("aéあ𠮷[")), st.sampled_from("aあ𠮷"))
def test_a_longer_text_never_takes_fewer_parts(text: str, more: str) -> None:
    for rule in (RULES["domestic"], RULES["domestic-660"]):
        assert parts(rule, text) <= parts(rule, text + more)


def test_an_unknown_rule() -> None:
    with pytest.raises(KeyError):
        parts("domestik", "x")
