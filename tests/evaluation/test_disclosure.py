"""Small numbers are hidden, and nothing gives them away."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from contact_service.evaluation.disclosure import HIDDEN, WITHHELD, hide_small


def rows(*counts: int) -> list[dict[str, object]]:
    return [{"n": count, "share": 0.5} for count in counts]


def test_a_lone_small_cell_takes_the_next_with_it() -> None:
    shown = hide_small(rows(3, 90, 12), "n", ["share"])
    assert [row["n"] for row in shown] == [HIDDEN, 90, WITHHELD]
    assert [row["share"] for row in shown] == [None, 0.5, None]


def test_two_small_cells_protect_each_other() -> None:
    assert [row["n"] for row in hide_small(rows(3, 90, 1), "n")] == [HIDDEN, 90, HIDDEN]


def test_zero_and_five_are_shown() -> None:
    assert [row["n"] for row in hide_small(rows(0, 5, 6), "n")] == [0, 5, 6]


def test_what_is_hidden_stays_hidden() -> None:
    once = hide_small(rows(3, 90, 12), "n", ["share"])
    assert hide_small(once, "n") == once


@given(st.lists(st.integers(0, 30), min_size=2, max_size=12))
def test_no_small_count_can_be_subtracted_from_the_total(counts: list[int]) -> None:
    shown = [row["n"] for row in hide_small(rows(*counts), "n")]
    assert not any(isinstance(n, int) and 0 < n < 5 for n in shown)
    hidden = [n for n, value in zip(counts, shown, strict=True) if isinstance(value, str)]
    assert len(hidden) != 1 or all(n < 5 for n in counts)
