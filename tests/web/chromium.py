"""A real browser for the tests of pages, as an office has it: Japanese words in a Japanese font."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import expect, sync_playwright

expect.set_options(timeout=60_000)  # a busy machine is slow; five seconds are the usual

#: A machine without a Japanese font shows boxes, and boxes have other widths than words: the font
#: that the reports bring comes first, the machine's own after it.
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
<dir>{own}</dir>
<include ignore_missing="yes">/etc/fonts/fonts.conf</include>
<cachedir>{cache}</cachedir>
</fontconfig>
"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """The machine's own Chromium (Debian's package)."""
    folder = tmp_path_factory.mktemp("fonts")
    found = find_spec("pylopdf_fonts_jp")
    assert found is not None and found.origin is not None
    fonts = folder / "fonts.conf"
    fonts.write_text(FONTS.format(own=Path(found.origin).parent, cache=folder / "cache"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox"],
            env={**os.environ, "FONTCONFIG_FILE": str(fonts), "LANGUAGE": "ja"},
        )
        yield browser
        browser.close()
