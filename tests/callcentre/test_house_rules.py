"""An office's own file for the desk: what is wrong with it is said, where."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from contact_service.callcentre.house_rules import USUAL, BadDeskFile, house_rules


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
