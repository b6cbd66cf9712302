"""The forms of a page as a browser without scripts has them: where each goes and what it would
send when nothing is touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser

#: What somebody types into.
TYPED = frozenset({"text", "search", "tel", "number", "date", "time", "password", "email"})


@dataclass
class Form:
    """One form. ``buttons`` are what each button adds to it."""

    method: str
    action: str
    id: str = ""
    multipart: bool = False
    kept: list[tuple[str, str]] = field(default_factory=list)
    """Hidden fields, and what is chosen in lists, boxes and circles."""
    typed: dict[str, dict[str, str]] = field(default_factory=dict)
    """Fields that are typed into, each with its attributes."""
    must: dict[str, str] = field(default_factory=dict)
    """The first of circles of which one must be chosen."""
    files: list[str] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    impossible: bool = False
    """Something must be chosen of nothing: a browser does not send it."""

    def filled(self, words: Callable[[dict[str, str]], str]) -> list[tuple[str, str]]:
        """What is sent with ``words(attributes)`` in every field that is typed into, cut to what
        the field takes, and with the first of what must be chosen."""
        chosen = {name for name, _ in self.kept}
        given = [one for one in self.must.items() if one[0] not in chosen]
        typed = [(name, _typed(at, words(at))) for name, at in self.typed.items()]
        return [*self.kept, *given, *typed, *(one for one in self.buttons[:1] if one[0])]


def _typed(attributes: dict[str, str], words: str) -> str:
    """What a field takes of some words."""
    if attributes.get("type") == "number":  # takes nothing else, and not nothing
        return attributes.get("value", "")
    return words[: int(attributes.get("maxlength", 100_000))]


class Forms(HTMLParser):
    """Reads the forms of a page; ``astray`` are buttons that belong to none, ``scripts`` what only
    a script would do."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.astray: list[str] = []
        self.scripts: list[str] = []
        self._open: Form | None = None
        self._select: tuple[Form | None, str, list[tuple[bool, str]], bool] | None = None
        self._says = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.scripts += [name for name in given if name.startswith("on")]
        self.scripts += [v for v in given.values() if v.startswith("javascript:")]
        if tag == "form":
            multipart = given.get("enctype") == "multipart/form-data"
            method = given.get("method", "get")
            self._open = Form(method, given.get("action", ""), given.get("id", ""), multipart)
            self.forms.append(self._open)
        elif tag in ("input", "button", "textarea", "select"):
            owner = self._open
            if "form" in given:
                owner = next((form for form in self.forms if form.id == given["form"]), None)
            if owner is None:
                self.astray.append(f"{tag}: {given}")
            else:
                self._part(owner, tag, given)
        elif tag == "option" and self._select is not None:
            self._select[2].append(("selected" in given, given.get("value", "")))
            self._says = "value" not in given

    def handle_data(self, data: str) -> None:
        if self._says and self._select is not None:  # an option's words are its value
            self._select[2][-1] = (self._select[2][-1][0], data.strip())
        self._says = False

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select" and self._select is not None:
            form, name, options, must = self._select
            self._select = None
            chosen = [value for selected, value in options if selected] or [v for _, v in options]
            if form is not None and name and chosen:
                form.kept.append((name, chosen[0]))
            elif form is not None:
                form.impossible |= must

    def _part(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name, kind = given.get("name", ""), given.get("type", "text")
        if tag == "button":
            if kind != "button":
                form.buttons.append((name, given.get("value", "")))
        elif tag == "select":
            self._select = (form, name, [], "required" in given)
        elif tag == "textarea" or kind in TYPED:
            form.typed[name] = given
        elif kind == "file":
            form.files.append(name)
        elif kind == "hidden" or "checked" in given:
            form.kept.append((name, given.get("value", "on")))
        elif kind == "radio" and "required" in given:
            form.must[name] = given.get("value", "on")
