"""The tables of docs/security say what is so: figures are counted, and what is named is there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

FOLDER = ROOT / "docs" / "security"
#: Items of levels 1 and 2 in the chapters of version 5.0.0, as the standard has them.
ITEMS = 253
STATES = {"met", "partly", "open", "–"}


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _spread(said: str) -> int:
    """How many items a cell names; ``7.2.1 – 7.2.4`` is four, and across sections unknown: 0."""
    ends = [tuple(map(int, item.split("."))) for item in said.split(" – ")]
    if len(ends) == 1:
        return 1
    first, last = ends
    return last[2] - first[2] + 1 if first[:2] == last[:2] else 0


def _judged() -> Iterator[tuple[str, str, str]]:
    """Item or items, state, how; of the tables by chapter."""
    text = (FOLDER / "asvs.md").read_text(encoding="utf-8").partition("\n## V1 ")[2]
    for line in text.splitlines():
        cells = _cells(line)
        if re.match(r"\| \d", line):
            assert len(cells) == 4 and cells[1] in STATES, line
            yield cells[0], cells[1], cells[2]


def _open_ones() -> dict[str, str]:
    text = (FOLDER / "asvs.md").read_text(encoding="utf-8")
    part = text.partition("## Open, or met by half")[2].partition("\n## ")[0]
    return {
        cells[0]: cells[1]
        for line in part.splitlines()
        if re.match(r"\| \d", line) and (cells := _cells(line))
    }


def _expanded(said: str) -> list[str]:
    head, _, number = said.split(" – ")[0].rpartition(".")
    return [f"{head}.{int(number) + n}" for n in range(_spread(said))]


def test_how_many_are_met_is_counted() -> None:
    """Where a range goes over sections (all of them "does not apply") the rest of the standard's
    items is theirs."""
    found: Counter[str] = Counter()
    for item, state, _ in _judged():
        count = _spread(item)
        assert count or state == "–", f"{item}: name each"
        found[state] += count
    none = ITEMS - found["met"] - found["partly"] - found["open"]
    said = (
        f"{found['met']} are met, {found['partly']} partly, {found['open']} open, "
        f"{none} do not apply."
    )
    text = (FOLDER / "asvs.md").read_text(encoding="utf-8")
    assert said in text, f"the table says: {said}"


def test_what_is_not_met_is_said_first() -> None:
    halves = {
        item
        for items, state, _ in _judged()
        if state in ("partly", "open")
        for item in _expanded(items)
    }
    assert halves == {item for items in _open_ones() for item in _expanded(items)}


def _named(path: Path) -> Iterator[str]:
    """Tests and files of the program that a page names."""
    text = path.read_text(encoding="utf-8")
    yield from re.findall(r"\b(?:tests|contact_service|providers|docs)/[\w./-]*\w", text)
    yield from re.findall(r"\btest_\w+\b(?!\.py)", text)


@pytest.mark.parametrize("page", sorted(FOLDER.glob("*.md")), ids=lambda page: page.stem)
def test_what_a_page_names_is_there(page: Path) -> None:
    tests = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "tests").rglob("*.py"))
    missing = []
    for name in set(_named(page)):
        if "/" not in name:
            there = f"def {name}(" in tests
        else:
            there = (ROOT / name).exists() or any((ROOT / name).parent.glob(f"{Path(name).name}-*"))
        if not there:
            missing.append(name)
    assert missing == []


def test_every_threat_has_an_answer_and_a_test() -> None:
    text = (FOLDER / "threats.md").read_text(encoding="utf-8")
    rows = [
        _cells(line)
        for line in text.splitlines()
        if line.startswith("|") and not re.match(r"\| (---|threat )|\|-", line)
    ]
    assert len(rows) >= 20
    assert [row for row in rows if len(row) != 3 or not all(row) or "tests/" not in row[2]] == []
