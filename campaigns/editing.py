"""Changing a definition's text in places, with all the rest of it left as its author wrote it.

Comments, order, line breaks and whatever a form cannot say stay untouched: the text is read with
its layout (ruamel.yaml), changed, and written again.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import LiteralScalarString

from campaigns.faults import FieldPath

#: Lines are never broken anew.
_WIDTH = 10_000
Changes: TypeAlias = Mapping[FieldPath, Any]
"""What stands where from now on; ``None``: nothing any more."""


class Unreadable(Exception):
    """The text has no form that could be changed in places: its syntax is wrong."""


def value_at(content: Any, path: FieldPath) -> Any:
    """What stands at ``path`` in plain values; ``None`` for nothing."""
    for part in path:
        if isinstance(content, Mapping):
            content = content.get(str(part))
        elif isinstance(content, Sequence) and not isinstance(content, str):
            inside = isinstance(part, int) and part < len(content)
            content = content[part] if inside and isinstance(part, int) else None
        else:
            return None
    return content


def changed(text: str, changes: Changes) -> str:
    """``text`` with the ``changes``. Raises :class:`Unreadable`."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = _WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    try:
        content = yaml.load(text)
    except (YAMLError, ValueError) as error:
        raise Unreadable from error
    if content is None:
        content = CommentedMap()
    if not isinstance(content, CommentedMap):
        raise Unreadable
    # from the end: taking out an item of a list moves those behind it
    for path, value in sorted(changes.items(), key=lambda each: _order(each[0]), reverse=True):
        if value is None:
            _remove(content, path)
        else:
            _put(content, path, value)
    written = io.StringIO()
    yaml.dump(content, written)
    return written.getvalue()


def _order(path: FieldPath) -> tuple[tuple[int, str], ...]:
    return tuple((part, "") if isinstance(part, int) else (-1, part) for part in path)


def _put(content: Any, path: FieldPath, value: Any) -> None:
    for depth, (part, following) in enumerate(pairwise(path)):
        inner = _inner(content, part)
        if not isinstance(inner, CommentedMap | CommentedSeq):
            inner = CommentedSeq() if isinstance(following, int) else CommentedMap()
            if depth and len(path) - depth <= 3:  # a range or a window fits into a line
                inner.fa.set_flow_style()
            if isinstance(content, CommentedSeq):
                content.append(inner)
            else:
                content[part] = inner
        content = inner
    last = path[-1]
    before = _inner(content, last)
    if isinstance(before, CommentedSeq) and isinstance(value, list | tuple):
        _replace(before, value)
    elif isinstance(content, CommentedSeq) and isinstance(last, int) and last >= len(content):
        content.append(_written(value))
    elif isinstance(content, CommentedMap | CommentedSeq):
        content[last] = _written(value)


def _replace(items: CommentedSeq, wanted: Sequence[Any]) -> None:
    """Other items in the same list; the comment behind the last one stays behind the last."""
    behind = items.ca.items.pop(len(items) - 1, None)
    kept = [each for each in items if each in wanted]
    for index in range(len(items) - 1, -1, -1):
        if items[index] not in kept:
            del items[index]
    for each in wanted:
        if each not in kept:
            items.append(_written(each))
    if behind is not None and len(items):
        items.ca.items[len(items) - 1] = behind


def _inner(content: Any, part: str | int) -> Any:
    if isinstance(content, CommentedMap):
        return content.get(part)
    inside = isinstance(part, int) and isinstance(content, CommentedSeq) and part < len(content)
    return content[part] if inside else None


def _remove(content: Any, path: FieldPath) -> None:
    way = []
    for part in path:
        if _inner(content, part) is None and not (
            isinstance(content, CommentedMap) and part in content
        ):
            return
        way.append((content, part))
        content = _inner(content, part)
    container, part = way.pop()
    del container[part]
    while way and not len(container):  # what is empty now says nothing
        container, part = way.pop()
        del container[part]


def _written(value: Any) -> Any:
    """A plain value in the form in which people write it."""
    if isinstance(value, str) and "\n" in value:
        return LiteralScalarString(value)
    if isinstance(value, list | tuple):
        found = CommentedSeq(_written(each) for each in value)
        if not any(isinstance(each, CommentedMap) for each in found):
            found.fa.set_flow_style()
        return found
    if isinstance(value, dict):
        mapping = CommentedMap((key, _written(each)) for key, each in value.items())
        if (
            all(not isinstance(each, CommentedMap | CommentedSeq) for each in mapping.values())
            and (len(mapping) <= 3 and not any("\n" in str(each) for each in mapping.values()))
            and "name" not in mapping
        ):
            mapping.fa.set_flow_style()
        return mapping
    return value
