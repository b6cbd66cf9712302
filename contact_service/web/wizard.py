"""What the wizard's forms are made of, and what somebody changed in one.

A form is made from the definition's text as it is, so that it shows what stands there; what it
does not show is left alone (``campaigns.editing``). Fields are rows: where they stand in the
definition, what they are called, what they take.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from campaigns.faults import FieldPath, show_path
from contact_service.web.locale import translatable


class Input(StrEnum):
    """What a field looks like."""

    TEXT = "text"
    LONG = "long"
    NUMBER = "number"
    TIME = "time"
    ONE = "one"  # one of some words, or none
    MANY = "many"
    YES = "yes"  # a box; not ticked: not there


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of a form."""

    path: FieldPath
    label: str
    input: Input
    value: Any
    choices: Sequence[tuple[str, str]] = ()
    hint: str = ""
    unit: str = ""
    required: bool = False

    @property
    def name(self) -> str:
        """What the form calls it, and faults: ``steps[0].message``."""
        return show_path(self.path)


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that belong together."""

    title: str
    fields: Sequence[FormField]
    hint: str = ""
    remove: str = ""
    """What takes the whole group out, if that can be done: ``steps[2]``."""
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Reader:
    """Who fills in a form: their language."""

    language: str
    say: Callable[[str], str]

    def of(self, ja: str, en: str) -> str:
        return ja if self.language == "ja" else en


#: The wizard's steps, in order: name and title.
STEPS: Mapping[str, str] = {
    "whom": translatable("だれに"),
    "when": translatable("いつ、どのように"),
    "messages": translatable("文面と音声"),
    "arms": translatable("群"),
    "check": translatable("検査と提出"),
}


def changes(form: Sequence[Group], given: Mapping[str, Sequence[str]]) -> dict[FieldPath, Any]:
    """What somebody changed in a form, by place: ``given`` are the values as the browser sends
    them, by field name. What was left as it was is not there."""
    found: dict[FieldPath, Any] = {}
    for group in form:
        for each in group.fields:
            value = _given(each, given.get(each.name, ()))
            if value != _plain(each):
                found[each.path] = value
    return found


def _given(field: FormField, values: Sequence[str]) -> Any:
    if field.input is Input.MANY:
        return list(values) or None
    text = values[0].replace("\r\n", "\n").strip() if values else ""
    if field.input is Input.YES:
        return True if text else None
    if field.input is Input.NUMBER:
        plain = text.replace(",", "")
        return int(plain) if plain.isascii() and plain.isdigit() else text or None
    if field.input is Input.ONE and text in ("true", "false"):
        return text == "true"
    return text or None


def _plain(field: FormField) -> Any:
    """The field's present value in the form that :func:`_given` has."""
    value = field.value
    if field.input is Input.MANY:
        return [str(each) for each in value] if isinstance(value, list) and value else None
    if field.input is Input.YES:
        return True if value is True else None
    if value is None or isinstance(value, bool):
        return value
    if field.input is Input.NUMBER and isinstance(value, int):
        return value
    return str(value).strip() or None
