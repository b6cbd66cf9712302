"""Memory does not grow with the file."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from contact_service.intake import importing, reading, staging, values
from tests.intake.conftest import CLAIM, Import, write_csv


def _file(path: Path, rows: int, bad_every: int) -> Path:
    return write_csv(
        path,
        [
            {
                **CLAIM,
                "宛名番号": str(10_000_000 + n // 3),
                "氏名": f"試験　{n // 3}",
                "電話番号１": f"090-{1000 + n // 3 % 9000}-{n // 3 // 9000:04}",
                "通知書番号": str(n),
                "未納額": "未定" if n % bad_every == 0 else "5,000",
            }
            for n in range(rows)
        ],
    )


def _peak(take: Import, path: Path) -> int:
    tracemalloc.start()
    try:
        take("claims", path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_peak_memory_is_flat(take: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Small batches, small blocks and little memory of earlier cells, so that small files show what grows.
    monkeypatch.setattr(importing, "ROWS_AT_ONCE", 400)
    monkeypatch.setattr(values, "REMEMBERED", 100)
    monkeypatch.setattr(reading, "BLOCK", 1 << 14)
    take("claims", _file(tmp_path / "warm_20260901.csv", 10, 5))
    small = _peak(take, _file(tmp_path / "small_20260902.csv", 1_000, 50))
    large = _peak(take, _file(tmp_path / "large_20260903.csv", 8_000, 50))
    assert large < 1.5 * small


def test_rows_are_staged_in_small_batches(
    take: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    original = staging.copy_in

    def watched(connection, table, columns, rows) -> None:  # type: ignore[no-untyped-def]
        if table == "staged":
            batches.append(len(rows))
        original(connection, table, columns, rows)

    monkeypatch.setattr(staging, "copy_in", watched)
    seen: list[int] = []
    path = _file(tmp_path / "a.csv", 4_500, 10**9)
    take("claims", path, on_progress=seen.append)
    assert batches == [2000 - 1, 2000, 500]  # one of the first is bad
    assert seen == sorted(seen)
    assert seen[-1] == path.stat().st_size
