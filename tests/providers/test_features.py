"""The documented feature table is the declared one."""

from __future__ import annotations

from pathlib import Path

from providers.features import DECLARED, table
from providers.registry import adapters

PAGE = Path(__file__).parent.parent.parent / "docs" / "reference" / "providers.md"


def test_every_adapter_has_its_column() -> None:
    assert {name.partition(" ")[0] for name in DECLARED} == set(adapters())


def test_the_page_shows_what_is_declared() -> None:
    assert table() in PAGE.read_text(encoding="utf-8"), (
        f"{PAGE.name} is out of date; replace its table by the output of "
        "python -m providers.features"
    )
