"""``python -m tests.chaos``: everything that can go wrong does, and then we count."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter

from tests.chaos.mutants import MUTANTS, VARIABLE
from tests.chaos.run import STOPS_FIRST, Run, chaos
from tests.chaos.verdict import Verdict

MOST_SHOWN = 20


def table(run: Run) -> str:
    """What was injected, and what became of those it struck."""
    fates = ("contacted once", "skipped", "on the staff's list", "other")
    rows = [("fault", "injected", "in hand", *fates)]
    for name in sorted(run.injected):
        struck = run.struck.get(name, set())
        found = Counter(run.fates.get(attempt, "gone") for attempt in struck)
        other = found.total() - sum(found[fate] for fate in fates)
        shown = [found[fate] for fate in fates[:-1]] + [other]
        rows.append((name, str(run.injected[name]), str(len(struck)), *map(str, shown)))
    for name in sorted(run.carrier):
        rows.append((f"carrier: {name}", str(run.carrier[name]), "", "", "", "", ""))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join(lines)


def report(verdict: Verdict, run: Run) -> None:
    """Print the table, the violations, and the counts as the last line."""
    print(table(run))
    unknown = ", ".join(f"{reason} {n}" for reason, n in run.unknowns.most_common()) or "none"
    print(f"became unknown on the way: {unknown}")
    print(f"payments and restrictions that came in: {len(run.marks)}; {run.seconds:.0f} s in all")
    shown: Counter[str] = Counter()
    for said in verdict.violations:
        kind = said.partition(":")[0]
        shown[kind] += 1
        if shown[kind] <= MOST_SHOWN:  # of each kind: one must not hide another
            print(f"VIOLATION (seed {run.seed}) {said}")
    for kind, count in shown.items():
        if count > MOST_SHOWN:
            print(f"… and {count - MOST_SHOWN} more of {kind}")
    print(json.dumps(verdict.numbers))


def main(arguments: list[str] | None = None) -> int:
    """Returns 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0, help="how long things go wrong")
    parser.add_argument("--seed", type=int, default=1, help="which faults when")
    parser.add_argument("--attempts", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="break the workers on purpose")
    parser.add_argument("--settle", type=float, help="seconds in which all must come to its end")
    given = parser.parse_args(arguments)
    if given.mutant:
        os.environ[VARIABLE] = given.mutant
    verdict, run = chaos(
        given.attempts, given.minutes * 60, given.seed, given.workers,
        lambda said: print(said, flush=True), given.settle, MUTANTS[given.mutant][1] if given.mutant else STOPS_FIRST,
    )  # fmt: skip
    report(verdict, run)
    return 1 if verdict.violations else 0


if __name__ == "__main__":
    sys.exit(main())
