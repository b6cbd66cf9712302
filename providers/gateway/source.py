"""Reading a declaration: YAML with the place of every value, and every fault at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from providers.gateway.declaration import Declaration
from providers.gateway.template import PLACEHOLDERS, placeholders
from providers.vocabulary import Channel

LIBRARY = Path(__file__).parent / "library"
_MAX_SIZE = 100_000
_MAX_DEPTH = 16
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,6})?")
_WORDS = {"true": True, "false": False}
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where (line and column from 1)."""

    line: int
    column: int
    field: str
    text: str
    """In Japanese and in English."""

    def __str__(self) -> str:
        named = f"`{self.field}`: " if self.field else ""
        return f"{self.line}:{self.column}: {named}{self.text}"


class BadDeclaration(ValueError):
    """A declaration that cannot be used; the message names file, line, column and remedy."""

    def __init__(self, name: str, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("\n".join(f"{name}:{fault}" for fault in faults))


def library() -> tuple[str, ...]:
    """The names of the ready-made declarations."""
    return tuple(sorted(path.stem for path in LIBRARY.glob("*.yaml")))


def find(name: str) -> Declaration:
    """A ready-made declaration by name, or a file by its path. Raises :class:`BadDeclaration`."""
    path = LIBRARY / f"{name}.yaml" if name in library() else Path(name)
    try:
        return read(path.read_bytes(), path.name)
    except OSError:
        known = ", ".join(library())
        raise BadDeclaration(
            name,
            [
                Fault(
                    1,
                    1,
                    "",
                    f"読めません。用意のあるもの / cannot be read; ready-made are: {known}",
                )
            ],
        ) from None


def read(content: bytes, name: str) -> Declaration:
    """A declaration from a file's content. Raises :class:`BadDeclaration` with every fault."""
    reader = _Reader()
    try:
        if len(content) > _MAX_SIZE:
            raise BadDeclaration(name, [Fault(1, 1, "", "大きすぎます / too large")])
        text = content.decode("utf-8-sig")
        _bounded(text)
        node = yaml.compose(text, yaml.SafeLoader)
        value = reader.value(node, ()) if node is not None else None
    except UnicodeDecodeError:
        raise BadDeclaration(
            name, [Fault(1, 1, "", "UTF-8 で保存してください / save the file as UTF-8")]
        ) from None
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        said = getattr(error, "problem", None) or "nested too deeply"
        raise BadDeclaration(
            name, [Fault(where[0], where[1], "", f"YAML として読めません / not YAML: {said}")]
        ) from None
    faults = reader.faults
    if not faults:
        try:
            declaration = Declaration.model_validate(value)
        except ValidationError as error:
            faults = [reader.fault(*problem) for problem in _problems(error)]
        else:
            faults = [reader.fault(*problem) for problem in _unknown_words(declaration, value)]
            if not faults:
                return declaration
    raise BadDeclaration(name, sorted(set(faults), key=lambda fault: (fault.line, fault.column)))


def _bounded(text: str) -> None:
    """Raises ``yaml.YAMLError`` for what is nested so deeply that reading it takes long."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            mark: Any = event.start_mark  # typed differently from release to release
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=mark)


class _Reader:
    def __init__(self) -> None:
        self.places: dict[Place, tuple[int, int]] = {}
        self.faults: list[Fault] = []
        self._seen: set[int] = set()

    def value(self, node: yaml.Node, path: Place) -> Any:
        self.places.setdefault(path, _start(node))
        if id(node) in self._seen:
            self._fault(node, path, "別名は使えません / aliases are not used")
            return None
        self._seen.add(id(node))
        match node:
            case yaml.ScalarNode():
                return _scalar(node)
            case yaml.SequenceNode():
                return [self.value(item, (*path, number)) for number, item in enumerate(node.value)]
            case yaml.MappingNode():
                return self._mapping(node, path)
        return None

    def _mapping(self, node: yaml.MappingNode, path: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
            here = (*path, name)
            if not name or name in found:
                self._fault(key, here, "項目名がないか二度あります / a name is missing or doubled")
            self.places[here] = _start(key)
            found[name] = self.value(value, here)
        return found

    def _fault(self, node: yaml.Node, path: Place, text: str) -> None:
        self.faults.append(Fault(*_start(node), ".".join(map(str, path)), text))

    def fault(self, path: Place, text: str) -> Fault:
        """A fault at ``path``, or at the nearest place above it that is in the text."""
        known = tuple(part for part in path)
        while known not in self.places and known:
            known = known[:-1]
        line, column = self.places.get(known, (1, 1))
        return Fault(line, column, ".".join(map(str, path)), text)


def _scalar(node: yaml.ScalarNode) -> Any:
    text = str(node.value)
    if node.style is not None or node.tag == "tag:yaml.org,2002:str":
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text


def _start(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _problems(error: ValidationError) -> Iterator[tuple[Place, str]]:
    for problem in error.errors(include_url=False, include_input=False):
        path = tuple(problem["loc"])
        match problem["type"]:
            case "extra_forbidden":
                yield path, f"知らない項目です{_near(str(path[-1]))} / an unknown field"
            case "missing":
                yield path, "必要な項目がありません / a needed field is missing"
            case "tuple_type":
                yield path, "並びで書いてください / write a list: [one] or [one, two]"
            case "value_error":
                yield path, str(problem["msg"]).removeprefix("Value error, ")
            case _:
                yield path, f"値が正しくありません / {problem['msg']}"


def _near(word: str) -> str:
    names = {name for model in _models() for name in model.model_fields}
    close = get_close_matches(word, sorted(names), 1)
    return f"（`{close[0]}` ではありませんか / did you mean `{close[0]}`?）" if close else ""


def _models() -> list[Any]:
    from providers.gateway import declaration

    part = declaration.Part
    return [
        one for one in vars(declaration).values() if isinstance(one, type) and issubclass(one, part)
    ]


def _unknown_words(declaration: Declaration, value: Any) -> Iterator[tuple[Place, str]]:
    """Placeholders that nothing fills, by where they stand."""
    for path, text in _texts(value, ()):
        if path[0] not in {"submit", "look_up", "by_reference", "listing", "cancel", "headers"}:
            continue
        for word in placeholders(text):
            if word not in PLACEHOLDERS and not word.startswith("value."):
                known = ", ".join(sorted(PLACEHOLDERS))
                yield (
                    path,
                    f"`{{{word}}}` は差し込めません。使えるのは {known} と value.名前 / "
                    f"`{{{word}}}` is no placeholder; there are {known} and value.NAME",
                )
    needed = {"to"} | ({"body"} if declaration.channel is Channel.SMS else set())
    used = {word for _, text in _texts(value["submit"], ()) for word in placeholders(text)}
    for word in sorted(needed - used):
        yield (
            ("submit",),
            f"`{{{word}}}` がどこにもありません / nothing holds `{{{word}}}`",
        )
    if declaration.schedule_days and "send_at" not in used:
        yield ("schedule_days",), "`{send_at}` がありません / nothing holds `{send_at}`"


def _texts(value: Any, path: Place) -> Iterator[tuple[Place, str]]:
    match value:
        case str():
            yield path, value
        case dict():
            for key, item in value.items():
                yield from _texts(item, (*path, key))
        case list():
            for number, item in enumerate(value):
                yield from _texts(item, (*path, number))
