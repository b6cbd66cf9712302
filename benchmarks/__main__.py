"""``make bench``: measure, write each part into ``results.json`` as it ends, then show each
figure beside its goal.

A missed goal is a finding, not a failure to run: the exit code is 0 all the same, and the table
says so. Only a measurement that could not be made ends with 1.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

from benchmarks import dispatch, million, receipts
from benchmarks.office import office
from benchmarks.result import LINES, Samples

CORES = 2
RESULTS = Path(__file__).parent / "results.json"


def main() -> int:
    """Run the lines asked for; the exit code."""
    options = _options()
    only = set(options.only or [line.name for line in LINES])
    # every part of every measurement shares the same cores: servers, workers, stub, rivals
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    load, began = os.getloadavg()[0], time.monotonic()
    if load > 1:
        print(f"この機械は他の仕事もしています（負荷 {load:.1f}）。比だけを読んでください / "
              f"this machine has other work (load {load:.1f}): read ratios only")  # fmt: skip
    figures: dict[str, float] = {}
    measured: dict[str, Samples] = {}

    def keep() -> None:
        about = {
            "rounds": options.rounds,
            "size": options.size,
            "attempts": options.attempts,
            "load_before": round(load, 2),
            "seconds": round(time.monotonic() - began),
            "python": platform.python_version(),
        }
        _write(options.output, figures, measured, about)

    if only & {"dispatch_vs_classic", "dispatch_vs_bare_client", "dispatch_at_latency"}:
        with office() as here:
            measured["dispatch"] = found = dispatch.measure(
                here, options.rounds, only, options.size
            )
        figures |= _dispatch(found)
        keep()
    if only & {"receipts_vs_bare_endpoint", "receipts_p99_ms"}:
        with office() as here:
            measured["receipts"] = found = receipts.measure(here, options.rounds, options.size)
        figures["receipts_vs_bare_endpoint"] = found.median("receipts") / found.median(
            "bare_endpoint"
        )
        figures["receipts_p99_ms"] = found.median("receipts_p99_ms")
        keep()
    if only & {"lease_growth", "memory_growth"}:
        with office() as here:
            measured["million"] = found = million.measure(here, options.attempts, only)
        figures["lease_growth"] = found.median("lease_ms_90%") / found.median("lease_ms_10%")
        if "memory_growth" in only:
            figures["memory_growth"] = found.median("peak_mb_many") / found.median("peak_mb_few")
        keep()
    _show(figures, options.output)
    return 0


def _write(
    output: Path, figures: dict[str, float], measured: dict[str, Samples], about: dict[str, object]
) -> None:
    """Into the file, beside what it says of other lines: they may be measured one by one. How
    each part was measured stands with its samples."""
    content = json.loads(output.read_text()) if output.exists() else {}
    content |= {name: round(value, 3) for name, value in figures.items()}
    parts = content.setdefault("parts", {})
    for part, each in measured.items():
        if part in parts and parts[part]["samples"] == _rounded(each):
            continue  # written already, with the time that it took
        parts[part] = about | {"samples": _rounded(each)}
    whole = output.with_suffix(".new")
    whole.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    whole.replace(output)


def _rounded(found: Samples) -> dict[str, list[float]]:
    return {name: [round(value, 2) for value in values] for name, values in found.values.items()}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    parser.add_argument("--size", type=float, default=1.0, help="of a round, as a share")
    parser.add_argument("--attempts", type=int, default=1_000_000, help="of the long run")
    parser.add_argument("--only", action="append", choices=[line.name for line in LINES])
    parser.add_argument("--output", type=Path, default=RESULTS)
    return parser.parse_args()


def _dispatch(found: Samples) -> dict[str, float]:
    figures = {}
    for rival in ("classic", "bare_client"):
        if rival in found.values:
            figures[f"dispatch_vs_{rival}"] = found.median("dispatch") / found.median(rival)
    if "dispatch_at_latency" in found.values:
        possible = dispatch.WORKERS * dispatch.SLOW_IN_FLIGHT / (dispatch.LATENCY_MS / 1000)
        figures["dispatch_at_latency"] = found.median("dispatch_at_latency") / possible
    return figures


def _show(figures: dict[str, float], output: Path) -> None:
    print(f"\n{'':28}{'':>10}  {'目標 / goal':>12}")
    for line in LINES:
        if line.name not in figures:
            continue
        value = figures[line.name]
        verdict = "" if line.met(value) else "  未達 / missed"
        print(f"{line.name:28}{value:>10.2f}  {line.shown_goal:>9}{verdict}\n    {line.meaning}")
    print(f"\n{output}")


if __name__ == "__main__":
    sys.exit(main())
