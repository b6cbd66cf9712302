"""An office's own file for the desk: what is wrong with it is said, where."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from contact_service.callcentre.house_rules import USUAL, BadDeskFile, house_rules
from contact_service.domain.states import DispositionKind


def changed(tmp_path: Path, **script: str) -> Path:
    rules = yaml.safe_load(USUAL.read_text(encoding="utf-8"))
    rules["script"] |= script
    path = tmp_path / "desk.yaml"
    path.write_text(yaml.safe_dump(rules, allow_unicode=True), encoding="utf-8")
    return path


def test_an_office_says_it_in_its_own_words(tmp_path: Path) -> None:
    path = changed(tmp_path, matter="{kinds}、{debtor_outstanding_yen}です。")
    assert house_rules(path).script.matter == "{kinds}、{debtor_outstanding_yen}です。"


@pytest.mark.parametrize("sentence", ["opening", "if_another", "identity", "help"])
def test_no_debt_is_spoken_of_before_the_identity_check(tmp_path: Path, sentence: str) -> None:
    path = changed(tmp_path, **{sentence: "{debtor_outstanding_yen}の件です。"})
    with pytest.raises(BadDeskFile, match=rf"(?s)script\.{sentence}.*debtor_outstanding_yen"):
        house_rules(path)


def test_a_file_that_is_none_is_told_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "desk.yaml"
    for text in ("script: [", "{}", "sub_reasons: {nothing_of_the_kind: [x]}"):
        path.write_text(text, encoding="utf-8")
        house_rules.cache_clear()
        with pytest.raises(BadDeskFile, match="desk.yaml"):
            house_rules(path)
    with pytest.raises(BadDeskFile):
        house_rules(tmp_path / "missing.yaml")


def test_a_sub_reason_is_a_word_alone_or_has_its_english(tmp_path: Path) -> None:
    path = changed(tmp_path)
    stated = yaml.safe_load(path.read_text(encoding="utf-8"))
    stated["sub_reasons"] = {
        "refused": ["応対を拒まれた", {"ja": "途中で切られた", "en": "hung up"}]
    }
    path.write_text(yaml.safe_dump(stated, allow_unicode=True), encoding="utf-8")
    house_rules.cache_clear()
    found = house_rules(path)
    shown = [one.shown("en") for one in found.sub_reasons[DispositionKind.REFUSED]]
    assert shown == ["応対を拒まれた", "hung up"]
    assert found.sub_reason("refused", "途中で切られた", "en") == "hung up"
    assert found.sub_reason("refused", "途中で切られた", "ja") == "途中で切られた"
    assert found.sub_reason("refused", "前の言い方", "en") == "前の言い方", "of an earlier file"
    stated["sub_reasons"] = {"refused": [{"en": "hung up"}]}
    path.write_text(yaml.safe_dump(stated, allow_unicode=True), encoding="utf-8")
    house_rules.cache_clear()
    with pytest.raises(BadDeskFile, match=r"sub_reasons\.refused"):
        house_rules(path)
