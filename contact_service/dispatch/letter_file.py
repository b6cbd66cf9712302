"""The file of letters (催告書) that the office's own mailing prints from.

One line a claim; lines with one 通し番号 make one letter. There are no addresses: the core system
has them, by 宛名番号.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO

from contact_service.domain.spreadsheets import FORMULA

HEADINGS = (
    "通し番号", "宛名番号", "氏名", "科目", "調定年度", "相当年度", "期別", "通知書番号", "納期限",
    "未納額", "未納額合計", "言語", "本文", "備考",
)  # fmt: skip
#: Columns that hold words or codes; the others hold numbers and dates that we write ourselves.
TEXTS = frozenset({"宛名番号", "氏名", "科目", "通知書番号", "本文", "備考"})
#: One character to readers, two to the codings: CP932 has the second.
_SAME = str.maketrans({"〜": "～", "−": "－", "‖": "∥", "—": "―", "¢": "￠", "£": "￡", "¬": "￢"})
GETA = "〓"
"""What stands for a character that the coding does not have."""


class Encoding(StrEnum):
    """How the file is coded."""

    UTF_8 = "utf-8"  # with a byte order mark, by which spreadsheets know it
    CP932 = "cp932"


@dataclass(frozen=True, slots=True)
class Replaced:
    """Characters of one cell that could not be written. ``line`` is the file's, from 1."""

    line: int
    column: str
    characters: tuple[str, ...]

    def __str__(self) -> str:
        codes = ", ".join(f"U+{ord(each):04X}" for each in self.characters)
        return f"{self.line} 行目 {self.column}: {codes} → {GETA} / line {self.line}"


def write(
    stream: IO[str], rows: Iterable[Mapping[str, str]], encoding: Encoding
) -> Iterator[Replaced]:
    """Write heading and ``rows``; gives what had to be replaced, as it goes. Memory is flat."""
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    line = 2
    for row in rows:
        cells = []
        for column in HEADINGS:
            text, lost = _cell(row[column], encoding, guarded=column in TEXTS)
            if lost:
                yield Replaced(line, column, lost)
            cells.append(text)
        writer.writerow(cells)
        line += 1 + sum(cell.count("\n") for cell in cells)


def opened(path: Path, encoding: Encoding) -> IO[str]:
    """``path``, new, to write into; nobody but its owner may read it."""
    path.touch(mode=0o600, exist_ok=False)
    coding = "utf-8-sig" if encoding is Encoding.UTF_8 else encoding.value
    return path.open("w", encoding=coding, newline="")


def _cell(text: str, encoding: Encoding, *, guarded: bool) -> tuple[str, tuple[str, ...]]:
    lost: Sequence[str] = ()
    if encoding is Encoding.CP932:
        text = unicodedata.normalize("NFC", text).translate(_SAME)
        lost = [each for each in text if not _has(each)]
        for each in lost:
            text = text.replace(each, GETA)
    if guarded and text.startswith(FORMULA):
        text = f"'{text}"
    return text, tuple(dict.fromkeys(lost))


def _has(character: str) -> bool:
    try:
        character.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True
