"""A trial's CSV as rows of text, in UTF-8 or CP932, read as a stream."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from contact_service.evaluation.trial.faults import TrialRefused, at

_ENCODINGS = ("utf-8-sig", "cp932")
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Table:
    """An open file: its headings, and its rows to come as (physical line from 1, cells)."""

    path: Path
    headings: list[str]
    rows: Iterator[tuple[int, list[str]]]

    def column(self, heading: str) -> int:
        """Where the column is. Raises :class:`TrialRefused` when there is none of that name,
        or more than one."""
        if self.headings.count(heading) == 1:
            return self.headings.index(heading)
        known = ", ".join(self.headings)
        if heading in self.headings:
            raise at(self.path, 1, heading, "同じ見出しが二つあります。一方の名前を変えてください",
                     "two columns have this heading; rename one of them")  # fmt: skip
        raise at(self.path, 1, heading,
                 f"この見出しの列がありません。列名を確かめてください（ある列: {known}）",
                 f"no column has this heading; check its name (columns: {known})")  # fmt: skip


@contextmanager
def opened(path: Path) -> Iterator[Table]:
    """The file as a table; empty lines are left out. Raises :class:`TrialRefused` for a file
    that cannot be read, and so may the reading of its rows."""
    with _lines(path) as lines:
        rows = _rows(path, lines)
        first = next(rows, None)
        if first is None:
            raise TrialRefused(
                f"{path.name} は空です。見出しの行と、群ごと又は人ごとの行を入れてください",
                f"{path.name} is empty; give a row of headings and a row for each arm or person",
            )
        yield Table(path, [plain(cell) for cell in first[1]], rows)


@contextmanager
def _lines(path: Path) -> Iterator[Iterator[str]]:
    """The file's lines in the first encoding that reads all of it."""
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        yield file


def _encoding(path: Path) -> str:
    for encoding in _ENCODINGS:
        try:
            with path.open(encoding=encoding) as file:
                while file.read(_BLOCK):
                    pass
        except UnicodeDecodeError:
            continue
        except OSError as error:
            raise TrialRefused(
                f"{path} を開けません（{error.strerror}）。場所と名前を確かめてください",
                f"cannot open {path} ({error.strerror}); check its place and name",
            ) from None
        return encoding
    raise TrialRefused(
        f"{path.name} の文字コードが違います。CSV（UTF-8 か Shift_JIS）で保存し直してください",
        f"{path.name} has another encoding; save it as CSV in UTF-8 or Shift_JIS",
    )


def _rows(path: Path, lines: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines, strict=True)
    width = 0
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise TrialRefused(
                f"{path.name} の{line}行目: CSVとして読めません。"
                "引用符の閉じ忘れを確かめてください",
                f"{path.name}, line {line}: not CSV; look for a quotation mark left open",
            ) from None
        if not any(cell.strip() for cell in cells):
            continue
        width = width or len(cells)
        if len(cells) != width:
            raise TrialRefused(
                f"{path.name} の{line}行目: 列の数が見出しと違います（{len(cells)}列、見出しは"
                f"{width}列）。行を直してください",
                f"{path.name}, line {line}: {len(cells)} cells under {width} headings; "
                "mend the row",
            )
        yield line, cells


def plain(cell: str) -> str:
    """The cell's text, full-width forms made ordinary."""
    return unicodedata.normalize("NFKC", cell).strip()


def number(cell: str) -> float | None:
    """A plain number, thousands separated or not; ``None`` for anything else."""
    try:
        found = float(plain(cell).replace(",", ""))
    except ValueError:
        return None
    return found if abs(found) < float("inf") else None


def choose_control(path: Path, arms: Sequence[str], wanted: str | None) -> str:
    """The arm to compare with: as asked, else one that is called so, else the file's first.

    Raises :class:`TrialRefused` for an arm that is not in the file and for fewer than two arms.
    """
    known = ", ".join(arms)
    if len(arms) < 2:
        raise TrialRefused(
            f"{path.name} には群が{len(arms)}つしかありません。対照群と比べる群を入れてください",
            f"{path.name} has {len(arms)} arm; give a control and at least one arm beside it",
        )
    if wanted is not None and plain(wanted) not in arms:
        raise TrialRefused(
            f"--control: 「{wanted}」という群は {path.name} にありません（ある群: {known}）",
            f'--control: {path.name} has no arm "{wanted}" (arms: {known})',
        )
    named = (arm for arm in arms if arm.lower() in CONTROL_NAMES)
    asked = (plain(wanted),) if wanted is not None else ()
    return next(chain(asked, named, arms))


CONTROL_NAMES = frozenset(
    ("control", "holdout", "placebo", "対照", "対照群", "コントロール", "プラセボ")
)
"""What a control arm is called when nobody says which it is."""
