"""Memory does not grow with the file."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from contact_service.intake import importing, reading, staging, values
from tests.intake.conftest import CLAIM, Import, write_csv
from tests.system.ward import until


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


def _queue_log(path: Path, callers: int) -> Path:
    """Callers one after the other, as the exchange writes them."""
    path.write_text(
        "".join(
            f"{at}|{at}.{n}|q|NONE|ENTERQUEUE||0901{n:07}|1\n"
            f"{at + 112}|{at}.{n}|q|SIP/201|COMPLETEAGENT|12|100|1\n"
            for n, at in ((n, 1_788_224_400 + 60 * n) for n in range(callers))
        )
    )
    return path


def _peak(take: Import, path: Path, kind: str = "claims") -> int:
    tracemalloc.start()
    try:
        take(kind, path)
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


def test_peak_memory_is_flat_for_calls_of_an_exchange(
    take: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "ROWS_AT_ONCE", 400)
    monkeypatch.setattr(values, "REMEMBERED", 100)
    monkeypatch.setattr(reading, "BLOCK", 1 << 14)
    take("calls", _queue_log(tmp_path / "queue_log", 10))
    small = _peak(take, _queue_log(tmp_path / "queue_log.1", 1_000), "calls")
    large = _peak(take, _queue_log(tmp_path / "queue_log.2", 8_000), "calls")
    print(f"peak {small:,} and {large:,} bytes")
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


def test_a_file_that_was_checked_first_is_not_held_against_an_empty_ledger(
    take: Import, engine: Engine, tmp_path: Path
) -> None:
    rows = [
        {**CLAIM, "宛名番号": str(10_000_000 + n), "通知書番号": str(n), "世帯番号": str(n),
         "電話番号１": f"090{10_000_000 + n}"}
        for n in range(1_500)
    ]  # fmt: skip
    path = write_csv(tmp_path / "滞納_20260930.csv", rows)
    tables = ("household", "debtor", "phone", "debtor_phone", "claim")
    take("claims", path, dry_run=True)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in tables:  # as the server does by itself: filled and rolled back is empty
            connection.execute(text(f"VACUUM (TRUNCATE false, ANALYZE) {table}"))
        take("claims", path)
        known = connection.execute(
            text("SELECT relname, reltuples FROM pg_class WHERE relname = ANY(:tables)"),
            {"tables": list(tables)},
        )
        assert {row.relname: int(row.reltuples) for row in known} == dict.fromkeys(tables, 1_500)


def test_no_row_of_a_file_that_was_checked_first_reads_all_those_before_it(
    take: Import, engine: Engine, tmp_path: Path
) -> None:
    """The server has taken away what the check filled: tables of no page, which grow while they
    are read."""
    rows = [
        {**CLAIM, "宛名番号": str(10_000_000 + n), "通知書番号": str(n), "世帯番号": str(n),
         "電話番号１": f"090{10_000_000 + n}"}
        for n in range(1_500)
    ]  # fmt: skip
    path = write_csv(tmp_path / "滞納_20260930.csv", rows)
    tables = ["household", "debtor", "phone", "debtor_phone", "claim"]
    take("claims", path, dry_run=True)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in tables:
            connection.execute(text(f"VACUUM ANALYZE {table}"))
        connection.execute(text("SELECT pg_stat_reset()"))
    take("claims", path)
    engine.dispose()  # whoever ends tells the server what it did
    read = text("""
        SELECT relname, seq_scan FROM pg_stat_user_tables
        WHERE relname = ANY(:tables) AND n_tup_ins >= 1500""")
    found: dict[str, int] = {}

    def told() -> bool:
        with engine.connect() as connection:
            rows = connection.execute(read, {"tables": tables})
            found.update((row.relname, row.seq_scan) for row in rows)
        return len(found) == len(tables)

    until(told)
    assert max(found.values()) < 100, found
