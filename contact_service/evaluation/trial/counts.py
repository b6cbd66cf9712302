"""A trial as counts: one row for each arm."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from contact_service.evaluation.trial.faults import TrialRefused, at
from contact_service.evaluation.trial.proportions import Count
from contact_service.evaluation.trial.reading import Table, number, opened, plain

HEADINGS = ("arm", "n", "events")
CLUSTERS = "clusters"
MOST_PEOPLE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Counts:
    """People and events by arm, in the file's order; ``clusters`` by arm where the file has
    them (households, telephone numbers), else ``None``."""

    arms: dict[str, Count]
    clusters: dict[str, int] | None


def read_counts(path: Path) -> Counts:
    """The file's counts. Raises :class:`TrialRefused` with file, line, field and remedy."""
    with opened(path) as table:
        if not all(heading in table.headings for heading in HEADINGS):
            needed = ", ".join(HEADINGS)
            raise TrialRefused(
                f"{path.name} の1行目: 集計表には {needed} の見出しが必要です。"
                "1人1行の表なら --arm と --outcome などで列を指定してください",
                f"{path.name}, line 1: counts have the headings {needed}; for a row each person "
                "name the columns with --arm, --outcome and so on",
            )
        name, n, events = (table.column(heading) for heading in HEADINGS)
        with_clusters = table.column(CLUSTERS) if CLUSTERS in table.headings else None
        arms: dict[str, Count] = {}
        clusters: dict[str, int] = {}
        for line, cells in table.rows:
            arm = plain(cells[name])
            if not arm or arm in arms:
                raise at(path, line, "arm",
                         "群の名前が空か、二度目です。群ごとに1行にまとめてください",
                         "no name, or one given before; give one row for each arm")  # fmt: skip
            people = _whole(table, line, cells, n)
            if people == 0:
                raise at(path, line, "n", "0人の群は比べられません。行を除いてください",
                         "an arm of nobody cannot be compared; leave the row out")  # fmt: skip
            arms[arm] = Count(people, _whole(table, line, cells, events, people))
            if with_clusters is not None:
                clusters[arm] = _whole(table, line, cells, with_clusters, people)
                if clusters[arm] == 0:
                    raise at(path, line, CLUSTERS, "1以上で記入してください", "give 1 or more")
    if not arms:
        raise TrialRefused(
            f"{path.name} に群の行がありません。arm,n,events の行を入れてください",
            f"{path.name} has no rows; give arm,n,events for each arm",
        )
    return Counts(arms, clusters if with_clusters is not None else None)


def _whole(table: Table, line: int, cells: list[str], column: int, most: int | None = None) -> int:
    heading, found = table.headings[column], number(cells[column])
    if found is None or found < 0 or not found.is_integer():
        raise at(table.path, line, heading, "0以上の整数で記入してください",
                 "give a whole number, 0 or more")  # fmt: skip
    if found > MOST_PEOPLE:
        raise at(table.path, line, heading, f"{MOST_PEOPLE:,} 以下で記入してください",
                 f"give {MOST_PEOPLE:,} or less")  # fmt: skip
    if most is not None and found > most:
        raise at(table.path, line, heading, "n より多くはできません。n と見比べてください",
                 "more than n; compare it with n")  # fmt: skip
    return int(found)
