"""Small numbers are hidden, and nothing gives them away."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from contact_service.evaluation.disclosure import HIDDEN, hide_small, is_telling


def rows(*counts: int) -> list[dict[str, object]]:
    return [{"n": count, "share": 0.5} for count in counts]


def test_a_lone_small_cell_takes_the_next_with_it() -> None:
    shown = hide_small(rows(3, 90, 12), "n", ["share"])
    assert [row["n"] for row in shown] == [HIDDEN, 90, HIDDEN]
    assert [row["share"] for row in shown] == [None, 0.5, None]


def test_two_small_cells_hide_behind_a_third() -> None:
    """That two cells hold 2 together would tell both: 1 and 1."""
    assert [row["n"] for row in hide_small(rows(1, 90, 1, 8), "n")] == [HIDDEN, 90, HIDDEN, HIDDEN]


def test_zero_and_five_are_shown() -> None:
    assert [row["n"] for row in hide_small(rows(0, 5, 6), "n")] == [0, 5, 6]


def test_what_is_hidden_stays_hidden() -> None:
    once = hide_small(rows(3, 90, 12), "n", ["share"])
    assert hide_small(once, "n") == once


def test_few_who_did_not_are_few_as_well() -> None:
    assert is_telling(3, 80)
    assert is_telling(77, 80)
    assert not is_telling(0, 80)
    assert not is_telling(80, 80)
    assert not is_telling(40, 80)


@given(st.lists(st.integers(0, 30), min_size=2, max_size=12), st.integers(2, 10))
def test_no_small_count_can_be_worked_out_from_the_total(counts: list[int], least: int) -> None:
    shown = [row["n"] for row in hide_small(rows(*counts), "n", (), least)]
    assert not any(isinstance(n, int) and 0 < n < least for n in shown)
    hidden = [n for n, value in zip(counts, shown, strict=True) if value == HIDDEN]
    enough = sum(hidden) >= 2 * least and len(hidden) >= 2
    everything = all(value in (HIDDEN, 0) for value in shown)
    assert not hidden or enough or everything
