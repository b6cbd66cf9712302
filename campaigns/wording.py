"""What the schema complains about, in sentences for the person who wrote the definition."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from campaigns.faults import FieldPath, Problem
from campaigns.schema import fields_at

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_QUOTED = re.compile(r"'([^']*)'")

#: Type of the schema's complaint → Japanese and English; fields are the complaint's own.
_SENTENCES: dict[str, tuple[str, str]] = {
    "missing": ("項目 `{name}` がありません", "the field `{name}` is missing"),
    "extra_forbidden": ("未知の項目 `{name}`", "unknown field `{name}`"),
    "enum": (
        "`{input}` は選べません。次のどれかです: {expected}",
        "`{input}` is not one of {expected}",
    ),
    "literal_error": (
        "`{input}` は選べません。次のどれかです: {expected}",
        "`{input}` is not one of {expected}",
    ),
    "string_type": (
        "文字で書いてください（数字だけのときは引用符で囲みます）",
        "this must be text (quote it if it is all digits)",
    ),
    "string_empty": ("空にはできません", "this must not be empty"),
    "string_too_short": ("{min_length}文字以上要ります", "at least {min_length} characters"),
    "string_too_long": ("{max_length}文字までです", "at most {max_length} characters"),
    "int_type": (
        "整数を、コンマや単位を付けずに書いてください",
        "this must be a whole number without commas or units",
    ),
    "float_type": (
        "数を、コンマや単位を付けずに書いてください",
        "this must be a number without commas or units",
    ),
    "bool_type": ("true か false で書いてください", "this must be true or false"),
    "greater_than_equal": ("{ge} 以上にしてください", "this must be at least {ge}"),
    "less_than_equal": ("{le:,} 以下にしてください", "this must be at most {le:,}"),
    "too_short": ("{min_length} 件以上要ります", "at least {min_length} needed"),
    "tuple_type": (
        "一覧で書いてください（「- 」か [ ] ）",
        "this must be a list (`- ` or `[ ]`)",
    ),
    "dict_type": ("「名前: 内容」の並びで書いてください", "this must be `name: content` pairs"),
    "model_type": ("「項目: 値」の並びで書いてください", "this must be `field: value` pairs"),
    "time": ("時刻は 09:00 の形で書いてください", "write a time of day as 09:00"),
    "date": ("日付は 2026-12-29 の形で書いてください", "write a date as 2026-12-29"),
    "empty": ("値がありません", "there is no value"),
    "name": (
        "名前は半角の英小文字で始め、英小文字・数字・「-」「_」で40字までです",
        "a name begins with a small letter a–z, then letters, digits, - and _, at most 40",
    ),
    "key": ("押せるのは 0〜9、*、# です", "a key is one of 0–9, * and #"),
}
_KEY_PATTERN = "^[0-9*#]$"


def problem_of(error: ErrorDetails) -> Problem:
    """The problem that one of pydantic's errors speaks of."""
    of_key = error["type"] == "extra_forbidden" or "[key]" in error["loc"]
    path: FieldPath = tuple(part for part in error["loc"] if part != "[key]")
    name = str(path[-1])[:60] if path else ""
    context = error.get("ctx", {})
    if error["type"] == "value_error":
        ja, _, en = str(context["error"]).partition(" / ")
        return Problem(path, ja, en or ja, of_key=of_key)
    expected = _QUOTED.findall(str(context.get("expected", "")))
    whole = {k: int(v) for k, v in context.items() if isinstance(v, float) and v.is_integer()}
    values = {
        **context,
        **whole,
        "name": name,
        "input": str(error["input"])[:60],
        "expected": ", ".join(expected),
    }
    ja, en = _SENTENCES.get(_sort(error, context), ("値が正しくありません", error["msg"]))
    known = fields_at(path[:-1]) if error["type"] == "extra_forbidden" else expected
    word = name if error["type"] == "extra_forbidden" else values["input"]
    return with_suggestion(
        Problem(path, ja.format(**values), en.format(**values), of_key=of_key), nearest(word, known)
    )


def with_suggestion(problem: Problem, suggestion: str) -> Problem:
    """The problem with "did you mean …" added, if there is a suggestion."""
    if not suggestion:
        return problem
    return Problem(
        problem.path,
        f"{problem.ja}; `{suggestion}` ですか",
        f"{problem.en}; did you mean `{suggestion}`?",
        suggestion,
        problem.warning,
        problem.of_key,
    )


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word most like ``word``, letter by letter or by the parts they share
    (``due_dat``: ``days_since_due``); empty if none is near."""
    word, known = word[:60].lower(), list(known)
    if close := difflib.get_close_matches(word, known, 1, 0.6):
        return close[0]
    parts = _parts(word)
    shared = {each: len(parts & _parts(each)) for each in known}
    best = max(known, key=lambda each: (shared[each], _likeness(word, each)), default="")
    return best if best and parts and 2 * shared[best] >= len(parts) else ""


def _parts(word: str) -> set[str]:
    """The parts of a compound that mean something by themselves."""
    return {part for part in re.split(r"[^a-z]+", word) if len(part) > 2}


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def _sort(error: ErrorDetails, context: dict[str, Any]) -> str:
    """Which sentence an error takes: pydantic has several types for one matter."""
    kind = error["type"]
    if error["input"] is None and kind != "missing":
        return "empty"
    if kind == "string_pattern_mismatch":
        return "key" if context.get("pattern") == _KEY_PATTERN else "name"
    if kind == "string_too_short" and context.get("min_length") == 1:
        return "string_empty"
    for beginning in ("time", "date", "int", "float", "bool", "model"):
        if kind.startswith(beginning + "_"):
            return beginning if beginning in ("time", "date") else f"{beginning}_type"
    return kind
