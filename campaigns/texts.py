"""Texts in several languages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import (
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema

from campaigns.faults import FieldPath
from campaigns.parts import Part
from campaigns.vocabulary import Language

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
"""Where something is put in: its name stands in braces."""
_Text = Annotated[str, Field(min_length=1, max_length=2000)]


class Text(Part):
    """What is written or spoken, in one language or more. A plain text is Japanese."""

    ja: _Text | None = None
    """日本語."""
    ja_easy: _Text | None = Field(default=None, alias="ja-easy")
    """やさしい日本語."""
    en: _Text | None = None
    """English."""
    zh: _Text | None = None
    """中文."""
    ko: _Text | None = None
    """한국어."""
    vi: _Text | None = None
    """Tiếng Việt."""

    @property
    def languages(self) -> Mapping[Language, str]:
        """The text in each language that it is there in."""
        fields = {each: getattr(self, each.name.lower()) for each in Language}
        return {language: text for language, text in fields.items() if text is not None}

    def language_for(self, wanted: Language | None, default: Language) -> Language:
        """The language in which somebody gets the text who wants it in ``wanted``.

        Who wants plain Japanese gets Japanese before anything else. Raises ``KeyError`` if it is
        not there in the default language either, which ``campaigns.check`` refuses.
        """
        near = Language.JA if wanted is Language.JA_EASY else default
        for each in (wanted, near, default):
            if each is not None and each in self.languages:
                return each
        raise KeyError(default)

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"ja": value}
        if isinstance(value, dict | cls):
            return value
        raise ValueError(
            "文字か、「言語: 文字」の並びで書いてください（数字だけのときは引用符で囲みます） / "
            "write text, or `language: text` pairs (quote it if it is all digits)"
        )

    @model_validator(mode="after")
    def _something(self) -> Text:
        if self.languages:
            return self
        raise ValueError("文がありません / there is no text")

    @model_serializer(mode="wrap")
    def _short(self, handler: SerializerFunctionWrapHandler) -> Any:
        found = self.languages
        return found[Language.JA] if list(found) == [Language.JA] else dict(found)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Editors take both forms."""
        return {**handler(core_schema), "type": ["string", "object"], "minLength": 1}


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with the placeholders that have a value replaced; the others are left."""
    return PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)


def placed(text: Text, path: FieldPath) -> Iterator[tuple[FieldPath, Language, str]]:
    """A text in each of its languages; a plain one stands at ``path`` itself."""
    plain = list(text.languages) == [Language.JA]
    for language, words in text.languages.items():
        yield (path if plain else (*path, language.value)), language, words
