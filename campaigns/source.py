"""A definition's text as plain values, with the place of every key and value.

The YAML of definitions is a safe and small part of YAML: mappings, lists, text, numbers,
``true``, ``false`` and nothing. Anchors, aliases, tags, directives and doubled keys are
refused: they let a few lines grow without bound or mean something else than they show.
Keys are always text, and ``on``, ``yes``, ``09:00`` and ``2026-12-29`` are text too, unlike
in YAML 1.1, where they silently turn into other things.

The events are put together here without recursion, so that depth is bounded before
anything deep has been built.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from campaigns.complaints import character_fault, line_and_column, syntax_fault
from campaigns.faults import DefinitionErrors, Fault, FieldPath, Problem, show_path

MAX_SIZE = 200_000
MAX_DEPTH = 16

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,14})")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,12}\.[0-9]{1,6}")
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}
_UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")

_TOO_LONG = (
    f"定義が長すぎます（{MAX_SIZE // 1000} KB まで）",
    f"the definition is too long (at most {MAX_SIZE // 1000} kB)",
)
_NOT_UTF8 = (
    "UTF-8 の文字ではありません。UTF-8 で保存し直してください（Shift_JIS は読めません）",
    "this is not UTF-8; save the file as UTF-8",
)


@dataclass
class Source:
    """What was read, and where everything stands (line, column, from 1)."""

    name: str
    value: Any = None
    keys: dict[FieldPath, tuple[int, int]] = field(default_factory=dict)
    values: dict[FieldPath, tuple[int, int]] = field(default_factory=dict)

    def locate(self, problem: Problem) -> Fault:
        """The problem with its place; what is not in the text is placed at its parent."""
        path = problem.path
        place = self.keys.get(path) if problem.of_key else None
        while place is None:
            place = self.values.get(path) or ((1, 1) if not path else None)
            path = path[:-1]
        return Fault(
            *place,
            show_path(problem.path),
            problem.ja,
            problem.en,
            problem.suggestion,
            problem.warning,
        )


@dataclass
class _Open:
    """A mapping or list that is being filled."""

    path: FieldPath
    content: dict[str, Any] | list[Any]
    key: str | None = None


class _Stop(Exception):
    """Reading further makes no sense."""


def read(text: str, name: str) -> tuple[Source, list[Problem]]:
    """Read a definition's text; also returns the problems that do not hinder reading on.

    Raises :class:`DefinitionErrors` when the text cannot be read to its end.
    """
    text = text.removeprefix("\ufeff")
    reader = _Reader(name)
    fatal: list[Fault] = []
    try:
        reader.run(text)
    except yaml.MarkedYAMLError as error:
        fatal.append(syntax_fault(error))
    except yaml.reader.ReaderError as error:
        fatal.append(character_fault(text, error))
    except _Stop:
        pass
    else:
        return reader.source, reader.problems
    located = [reader.source.locate(problem) for problem in reader.problems]
    raise DefinitionErrors(name, located + fatal)


def decode(data: bytes, name: str) -> str:
    """The text of a file in UTF-8. Raises :class:`DefinitionErrors`."""
    if len(data) > MAX_SIZE:
        raise DefinitionErrors(name, [Fault(1, 1, "", *_TOO_LONG)])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DefinitionErrors(name, [Fault(line, 1, "", *_NOT_UTF8)]) from None


class _Reader:
    def __init__(self, name: str) -> None:
        self.source = Source(name)
        self.problems: list[Problem] = []
        self.open: list[_Open] = []
        self.documents = 0

    def run(self, text: str) -> None:
        if len(text) > MAX_SIZE:
            self.stop(*_TOO_LONG)
        loader = yaml.SafeLoader(text)
        try:
            while loader.check_event():
                event: yaml.Event = loader.get_event()  # type: ignore[no-untyped-call]
                self.take(event)
        finally:
            loader.dispose()
        if self.documents == 0 or not isinstance(self.source.value, dict):
            self.stop("定義は「項目: 値」の並びです", "a definition is a list of `field: value`")

    def take(self, event: yaml.Event) -> None:
        match event:
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1 or event.version or event.tags:
                    self.place((), event)
                    self.stop(
                        "一つのファイルに定義は一つです（「---」「%」は使いません）",
                        "one definition a file, without directives",
                    )
            case yaml.ScalarEvent():
                self.refuse_extras(event)
                self.scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self.refuse_extras(event)
                self.begin({} if isinstance(event, yaml.MappingStartEvent) else [], event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self.open.pop()
            case yaml.AliasEvent():
                self.note(
                    "別名（*）は使えません。内容を書いてください",
                    "aliases are not used; write the content out",
                    event,
                )
                self.put(None, event)
            case _:
                pass

    def scalar(self, event: yaml.ScalarEvent) -> None:
        text: str = event.value
        if _UNSTORABLE.search(text):
            self.note(
                "制御文字など、保存できない文字があります",
                "it contains control characters, which cannot be stored",
                event,
            )
            text = _UNSTORABLE.sub("", text)
        if self.open and isinstance(self.open[-1].content, dict) and self.open[-1].key is None:
            self.key(self.open[-1], text, event)
        else:
            self.put(_resolve(text) if event.style is None else text, event)

    def key(self, parent: _Open, key: str, event: yaml.Event) -> None:
        path = (*parent.path, key)
        self.source.keys[path] = _start(event)
        if key in parent.content:
            self.problems.append(
                Problem(
                    path,
                    f"項目 `{key[:60]}` が二度あります。一つにしてください",
                    f"the field `{key[:60]}` appears twice; keep one",
                    of_key=True,
                )
            )
        parent.key = key

    def begin(self, content: dict[str, Any] | list[Any], event: yaml.Event) -> None:
        if self.open and isinstance(self.open[-1].content, dict) and self.open[-1].key is None:
            self.place(self.next_path(), event)
            self.stop("項目名は文字で書きます", "the name of a field is plain text")
        path = self.next_path()
        self.put(content, event)
        self.open.append(_Open(path, content))
        if len(self.open) > MAX_DEPTH:
            self.stop(
                f"入れ子が深すぎます（{MAX_DEPTH}段まで）",
                f"it is nested too deeply (at most {MAX_DEPTH} levels)",
                path,
            )

    def put(self, value: Any, event: yaml.Event) -> None:
        path = self.next_path()
        self.place(path, event)
        if not self.open:
            self.source.value = value
            return
        parent = self.open[-1]
        if isinstance(parent.content, list):
            parent.content.append(value)
        elif parent.key is not None:
            parent.content[parent.key] = value
            parent.key = None
        else:
            self.stop("項目名は文字で書きます", "the name of a field is plain text", path)

    def next_path(self) -> FieldPath:
        if not self.open:
            return ()
        parent = self.open[-1]
        if isinstance(parent.content, list):
            return (*parent.path, len(parent.content))
        return parent.path if parent.key is None else (*parent.path, parent.key)

    def refuse_extras(self, event: yaml.NodeEvent) -> None:
        if event.anchor is not None:
            self.note("目印（&）は使えません", "anchors are not used", event)
        if getattr(event, "tag", None) is not None:
            self.note("型の指定（!）は使えません", "tags are not used", event)

    def note(self, ja: str, en: str, event: yaml.Event) -> None:
        path = self.next_path()
        self.place(path, event)
        self.problems.append(Problem(path, ja, en))

    def place(self, path: FieldPath, event: yaml.Event) -> None:
        self.source.values[path] = _start(event)

    def stop(self, ja: str, en: str, path: FieldPath = ()) -> None:
        self.problems.append(Problem(path or self.next_path(), ja, en))
        raise _Stop


def _resolve(text: str) -> bool | int | float | str | None:
    """What a plain (unquoted) value means."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _start(event: yaml.Event) -> tuple[int, int]:
    return line_and_column(event.start_mark)
