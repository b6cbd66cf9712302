"""The console's languages. Texts are written in Japanese; ``catalogue/en.po`` says them in English.

The catalogue is read as it is, when the application starts: nothing to compile, nothing to
forget to compile.
"""

from __future__ import annotations

import gettext
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from fastapi import Request

CATALOGUES = Path(__file__).parent / "catalogue"
LANGUAGES = {"ja": "日本語", "en": "English"}
COOKIE = "language"
#: The same by TLS: bound to this host.
HOST_COOKIE = f"__Host-{COOKIE}"


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The texts in one language; Japanese needs none."""
    path = CATALOGUES / f"{language}.po"
    if not path.is_file():
        return gettext.NullTranslations()
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def language_of(request: Request) -> str:
    """The language somebody chose; Japanese unless they did."""
    chosen = request.cookies.get(HOST_COOKIE) or request.cookies.get(COOKIE, "ja")
    return chosen if chosen in LANGUAGES else "ja"


def translatable(words: str) -> str:
    """Marks a text of a table for the catalogue; it is translated where it is shown."""
    return words


def side(request: Request, both: str) -> str:
    """The reader's half of a text that the service wrote as ``日本語 / English``.

    Several lines are several texts.
    """
    index = 0 if language_of(request) == "ja" else -1
    return "\n".join(line.split(" / ")[index].strip() for line in both.splitlines())
