"""Telephone numbers in every shape of the sample, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.vocabulary import NumberKind
from contact_service.domain.numbers import NumberFault, PhoneNumber, classify

MOBILE, FIXED, IP, OTHER = NumberKind.MOBILE, NumberKind.FIXED, NumberKind.IP, NumberKind.OTHER


@pytest.mark.parametrize(
    ("raw", "numbers"),
    [
        ("07090486626", [("+817090486626", MOBILE)]),
        ("060-1234-5678", [("+816012345678", MOBILE)]),
        ("090ｰ7488ｰ0476", [("+819074880476", MOBILE)]),
        ("０９０－９３４３－５６３０", [("+819093435630", MOBILE)]),
        ("090ー9343ー5630", [("+819093435630", MOBILE)]),
        ("080(1134)1497", [("+818011341497", MOBILE)]),
        ("+81 80-6848-1312", [("+818068481312", MOBILE)]),
        ("+81(0)90-1234-5678", [("+819012345678", MOBILE)]),
        ("9012345678", [("+819012345678", MOBILE)]),  # a spreadsheet took the 0 away
        ("08058065565 （携帯）", [("+818058065565", MOBILE)]),
        ("携帯：090-1234-5678（妻）", [("+819012345678", MOBILE)]),
        ("03-4120-6814 内線242", [("+81341206814", FIXED)]),
        ("03-4120-6814（内線242）", [("+81341206814", FIXED)]),
        ("０３（６６８６）５９５４", [("+81366865954", FIXED)]),
        ("050-7514-7124", [("+815075147124", IP)]),
        ("0120-444-444", [("+81120444444", OTHER)]),
        ("0570-000-000", [("+81570000000", OTHER)]),
        ("+1 650 253 0000", [("+16502530000", OTHER)]),
        ("070-6941-5683／03-3144-9099", [("+817069415683", MOBILE), ("+81331449099", FIXED)]),
        ("090-1234-5678 03-3144-9099", [("+819012345678", MOBILE), ("+81331449099", FIXED)]),
        ("自宅03-3144-9099、携帯090-1234-5678", [("+81331449099", FIXED), ("+819012345678", MOBILE)]),
    ],
)  # fmt: skip
def test_numbers(raw: str, numbers: list[tuple[str, NumberKind]]) -> None:
    assert [(n.e164, n.kind) for n in classify(raw)] == numbers


@pytest.mark.parametrize("raw", ["", " ", "－", "なし", "不明", "非通知", "公衆電話"])
def test_no_number_is_no_fault(raw: str) -> None:
    assert classify(raw) == []


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        ("０９０－ＸＸＸＸ－１２３４", NumberFault.MASKED),
        ("090-1234-****", NumberFault.MASKED),
        ("03-123-45", NumberFault.TOO_SHORT),
        ("090-1234", NumberFault.TOO_SHORT),
        ("09012345678" * 2, NumberFault.TOO_LONG),
        ("1" * 5000, NumberFault.TOO_LONG),
        ("0900-00-0000", NumberFault.NOT_ASSIGNED),
        ("11111111111", NumberFault.NOT_ASSIGNED),
        ("（携帯）", NumberFault.NOT_A_NUMBER),
        ("転居先不明", NumberFault.NOT_A_NUMBER),
    ],
)
def test_bad_numbers_say_why(raw: str, fault: NumberFault) -> None:
    assert [(n.e164, n.fault) for n in classify(raw)] == [(None, fault)]


def test_a_good_number_beside_a_bad_one_is_kept() -> None:
    good, bad = classify("090-1234-5678／090-1234")
    assert good.e164 == "+819012345678"
    assert bad.fault is NumberFault.TOO_SHORT


def test_a_number_does_not_show_in_its_representation() -> None:
    assert "9012345678" not in repr(classify("090-1234-5678"))


@given(st.sampled_from("6789"), st.integers(10_000_000, 99_999_999), st.sampled_from("-ー－ "))
def test_a_mobile_number_is_found_however_it_is_written(first: str, rest: int, dash: str) -> None:
    area, local = f"0{first}0", str(rest)
    expected = [PhoneNumber(f"+81{first}0{rest}", MOBILE)]
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    for form in (
        f"{area}{dash}{local[:4]}{dash}{local[4:]}",
        f"{area}({local[:4]}){local[4:]}",
        f"+81 {first}0{dash}{local[:4]}{dash}{local[4:]}",
        f"{area}{local}".translate(wide),
    ):
        assert classify(form) == expected


@given(st.text(max_size=60))
def test_any_text_gives_numbers_or_faults(raw: str) -> None:
    for number in classify(raw):
        assert (number.e164 is None) == (number.fault is not None) == (number.kind is None)
