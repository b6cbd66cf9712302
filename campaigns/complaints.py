"""What the YAML reader complains about, as faults with places."""

from __future__ import annotations

from typing import Any

import yaml

from campaigns.faults import Fault

#: Part of the YAML reader's complaint → what to do about it.
_SYNTAX_JA = (
    (
        "mapping values are not allowed",
        "ここに「:」は書けません。字下げを確かめるか、引用符で囲みます",
    ),
    ("cannot start any token", "この文字では始められません（タブは使えません）。引用符で囲みます"),
    ("found unexpected end of stream", "引用符か括弧が閉じていません"),
    ("did not find expected", "字下げか記号が合っていません"),
    ("expected ',' or", "「,」か閉じ括弧が要ります"),
    ("could not find expected ':'", "「:」がありません"),
    ("expected <block end>", "字下げが前の行と合っていません"),
)


def line_and_column(mark: Any) -> tuple[int, int]:
    """Where a mark stands; some of the YAML reader's complaints have none."""
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def syntax_fault(error: yaml.MarkedYAMLError) -> Fault:
    """A text that is no YAML."""
    mark = error.problem_mark or error.context_mark
    problem = error.problem or "it cannot be read"
    ja = next((ja for part, ja in _SYNTAX_JA if part in problem), "YAML として読めません")
    return Fault(*line_and_column(mark), "", ja, f"not readable as YAML: {problem}")


def character_fault(text: str, error: yaml.reader.ReaderError) -> Fault:
    """A character that YAML does not allow."""
    before = text[: error.position]
    line = before.count("\n") + 1
    return Fault(
        line,
        len(before) - (before.rfind("\n") + 1) + 1,
        "",
        "読めない文字があります。消してください",
        "there is a character that cannot be read; remove it",
    )
