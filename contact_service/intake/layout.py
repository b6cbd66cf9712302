"""Layouts: how one core system writes one kind of file, as data.

A layout is a YAML file. Another system's export is another layout, not other code::

    name: ward-claims
    title: 滞納一覧
    kind: claims                # claims, payments, restrictions, calls
    encodings: [utf-8, cp932]   # tried in this order; a byte order mark always means UTF-8
    delimiter: ","
    preamble_lines: 0           # lines before the headings
    total_row_markers: [合計]   # a row whose first filled cell is one of these is no data
    columns:
      due_on:
        headings: [納期限, 納付期限]     # aliases; compared after NFKC, without spaces
        formats: ["%d.%m.%Y"]           # strptime forms tried before the usual Japanese ones
      outstanding_yen: {headings: [未納額（千円）], unit_yen: 1000}
      kind:
        headings: [科目]
        values: {住民税: resident_tax}  # this system's words → the service's

Fields, their types and which of them are required: ``fields.FIELDS``.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from contact_service.intake.faults import FileRefused
from contact_service.intake.fields import FIELDS, FieldType, FileKind, plain

Text = Annotated[str, Field(min_length=1, max_length=100)]
#: Our own columns before the sender's, in a file of rejected rows.
LEADING = ["行", "列", "値", "理由", "reason"]


class Column(BaseModel):
    """Where one field stands and how it is written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    headings: Annotated[list[Text], Field(min_length=1)]
    formats: list[Text] = []
    unit_yen: Annotated[int, Field(gt=0)] = 1
    values: dict[Text, str] = {}


class Layout(BaseModel):
    """One layout; see the module."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
    title: Text
    kind: FileKind
    encodings: Annotated[list[str], Field(min_length=1)]
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    preamble_lines: Annotated[int, Field(ge=0, le=1000)] = 0
    total_row_markers: list[Text] = []
    columns: dict[str, Column]

    @field_validator("encodings")
    @classmethod
    def _encodings_exist(cls, names: list[str]) -> list[str]:
        for name in names:
            try:
                codecs.lookup(name)
            except LookupError:
                raise ValueError(f"unknown encoding {name}") from None
        return names

    @model_validator(mode="after")
    def _columns_fit_the_kind(self) -> Self:
        fields = {field.name: field for field in FIELDS[self.kind]}
        for name, column in self.columns.items():
            field = fields.get(name)
            if field is None:
                known = ", ".join(fields)
                raise ValueError(f"unknown field {name}; {self.kind} has: {known}")
            if column.formats and field.type not in (FieldType.DATE, FieldType.INSTANT):
                raise ValueError(f"{name}: formats are for dates")
            if column.unit_yen != 1 and field.type is not FieldType.YEN:
                raise ValueError(f"{name}: unit_yen is for amounts")
            unknown = set(column.values.values()) - set((field.words or {}).values())
            if field.words and unknown:
                raise ValueError(f"{name}: values must map to known words, not {sorted(unknown)}")
        missing = [f.name for f in fields.values() if f.required and f.name not in self.columns]
        if missing:
            raise ValueError(f"required fields without a column: {', '.join(missing)}")
        return self

    def places(self, headings: Sequence[str]) -> dict[str, int]:
        """Which field stands in which column of a file with these headings."""
        where: dict[str, int] = {}
        for index, heading in enumerate(headings):
            where.setdefault(plain(heading), index)
        found: dict[str, int] = {}
        for name, column in self.columns.items():
            for alias in column.headings:
                if plain(alias) in where:
                    found[name] = where[plain(alias)]
                    break
        return found

    def missing(self, headings: Sequence[str]) -> list[str]:
        """The required columns that a file with these headings lacks, by their first alias."""
        found = self.places(headings)
        return [
            self.columns[field.name].headings[0]
            for field in FIELDS[self.kind]
            if field.required and field.name not in found
        ]


def load(path: Path) -> Layout:
    """Read a layout file. Raises :class:`FileRefused` naming what is wrong with it."""
    try:
        return _parse(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError):
        raise FileRefused(
            f"レイアウト {path} を読めません。UTF-8のYAMLファイルを指定してください",
            f"cannot read the layout {path}; name a YAML file in UTF-8",
        ) from None


@lru_cache
def shipped() -> tuple[Layout, ...]:
    """The layouts that come with the service."""
    folder = resources.files("contact_service.intake.layouts")
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return tuple(_parse(file.read_text(encoding="utf-8"), file.name) for file in files)


def named(name: str | Path) -> Layout:
    """The shipped layout of this name, or the one in the YAML file of this path.

    Raises :class:`FileRefused`.
    """
    for layout in shipped():
        if layout.name == str(name):
            return layout
    if Path(name).suffix in (".yaml", ".yml"):
        return load(Path(name))
    names = ", ".join(layout.name for layout in shipped())
    raise FileRefused(
        f"レイアウト「{name}」はありません。次のいずれか、または .yaml ファイルを指定: {names}",
        f"no layout {name}; name one of {names}, or a .yaml file",
    )


def _parse(text: str, source: str) -> Layout:
    try:
        return Layout.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise FileRefused(
            f"レイアウト {source} の{line}行目: YAMLとして読めません",
            f"layout {source}, line {line}: not YAML",
        ) from None
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'layout'}: {fault['msg']}"
            for fault in error.errors()
        )
        raise FileRefused(
            f"レイアウト {source} に誤りがあります: {faults}", f"layout {source} is faulty"
        ) from None
