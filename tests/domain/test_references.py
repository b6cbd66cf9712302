"""The number of a file is taken where a line stays for ever; what tells of people is not."""

from __future__ import annotations

import pytest

from contact_service.domain.references import NoReference, reference


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("", ""),
        ("  ", ""),
        ("決裁123", "決裁123"),
        ("Ｒ８－４５", "R8-45"),
        ("受付 12", "受付12"),
        ("令和8年度第123号", "令和8年度第123号"),
        ("No.45", "NO45"),
        ("開示請求第7号", "開示請求第7号"),
        ("2026/000123", "2026/000123"),
    ],
)
def test_the_number_of_a_file_is_kept(said: str, kept: str) -> None:
    assert reference(said) == kept


@pytest.mark.parametrize(
    "said",
    [
        "世田谷次郎様",
        "世田谷次郎123",
        "受付12 花子",
        "ハナコ12",
        "SATO12",
        "娘さんから",
        "受付",  # no number at all
        "090-9999-8888",
        "09099998888",
        "03(1234)5678",
        "5432-1098-1",
        "1-2-3",  # of a street
        "S35.1.2",
        "1960-01-02",
        "19600102",
        "10000001",  # a person code
        "受付" + "1" * 6 + "-" + "決裁" * 20,
        "令和8年度12345678号",
    ],
)
def test_what_may_tell_of_people_is_not_and_is_not_repeated(said: str) -> None:
    with pytest.raises(NoReference) as refused:
        reference(said)
    assert said not in str(refused.value) or said == "受付"
