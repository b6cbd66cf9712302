"""What the commands of the centre share: lengths of time, shares, the service level, files."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from contact_service.cli import common
from contact_service.cli.report import Language
from contact_service.evaluation.document.model import Document
from contact_service.evaluation.forms import Format
from contact_service.evaluation.staffing.pages import save

_UNITS = {"": 1, "s": 1, "秒": 1, "m": 60, "min": 60, "分": 60, "h": 3600, "時間": 3600}
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(s|秒|m|min|分|h|時間|)")
_SHARE = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*(%?)")
_DAY = 86400.0
#: Above this nobody staffs a centre, and the sums would take long.
MOST = 100_000


def _plain(value: object) -> str:
    """As typed, with full-width characters and minus signs made plain."""
    return unicodedata.normalize("NFKC", str(value)).replace("\u2212", "-").strip()


def _seconds(value: str) -> float:
    """A length of time up to a day: ``20s``, ``30m``, ``1.5h``, ``2分``; a bare number is
    seconds."""
    match = _LENGTH.fullmatch(_plain(value))
    seconds = float(match[1]) * _UNITS[match[2]] if match else _DAY + 1
    if seconds > _DAY:
        raise typer.BadParameter(
            f"{value}: 20s、30m、1h のように、1日以内で / "
            "write a length of time up to a day, such as 20s, 30m, 1h"
        )
    return seconds


def duration(value: str) -> float:
    """A length of time that is not nothing."""
    seconds = _seconds(value)
    if seconds == 0:
        raise typer.BadParameter(f"{value}: 0より長く / longer than 0")
    return seconds


def _percentage(value: str) -> float:
    """A share or a relative change: ``0.3``, ``30%``, ``+5%``."""
    match = _SHARE.fullmatch(_plain(value))
    if not match:
        raise typer.BadParameter(f"{value}: 0.3 か 30% の形で / write 0.3 or 30%")
    return float(match[1]) / (100 if match[2] else 1)


def _level(value: str) -> float:
    level = _percentage(value)
    if not 0 < level < 1:
        raise typer.BadParameter(
            f"{value}: 0より大きく1未満（全員への応答は約束できない） / "
            "above 0 and below 1: no number of operators answers everybody in time"
        )
    return level


def _shrinkage(value: str) -> float:
    share = _percentage(value)
    if not 0 <= share < 1:
        raise typer.BadParameter(f"{value}: 0以上1未満 / from 0 to below 1")
    return share


def change(value: str) -> float:
    """A relative change, from −1 to 10."""
    found = _percentage(value)
    if not -1 <= found <= 10:
        raise typer.BadParameter(f"{value}: -100% から +1000% まで / from -100% to +1000%")
    return found


Json = Annotated[bool, typer.Option("--json", help="数値をJSONで / figures as JSON")]
Level = Annotated[
    float, typer.Option(parser=_level, metavar="SHARE", help="目標応答率 / share answered in time")
]
Within = Annotated[
    float,
    typer.Option(parser=_seconds, metavar="TIME", help="その時間内に / answered within, e.g. 20s"),
]
Patience = Annotated[
    float | None,
    typer.Option(
        parser=duration,
        metavar="TIME",
        help="平均してこの時間待つと切る（Erlang A）。なければ切らない（Erlang C） / mean time "
        "after which a caller hangs up (Erlang A); else nobody does (Erlang C)",
    ),
]
Shrinkage = Annotated[
    float,
    typer.Option(
        parser=_shrinkage,
        metavar="SHARE",
        help="休憩・研修・欠勤などの割合 / share of paid time off the telephone",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(help="書き出すファイル（.html .pdf .xlsx .json） / file to write"),
]

FirstDay = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="最初の日 / first day")
]
LastDay = Annotated[
    datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="最後の日 / last day")
]

Lang = Annotated[Language, typer.Option(help="ファイルの言語 / language of the file")]


def save_page(
    document: Document,
    kind: str,
    figures: dict[str, Any],
    at: datetime,
    form: Format,
    output: Path,
) -> None:
    """Write a page, or say in a sentence why not."""
    try:
        save(document, kind, figures, at, form, output)
    except OSError as error:
        raise common.fail(
            f"{output} に書けません: {error.strerror} / cannot write to {output}: {error.strerror}"
        ) from None


def form_of(output: Path | None) -> Format | None:
    """What a file is written as, by the end of its name."""
    if output is None:
        return None
    try:
        return Format(output.suffix.removeprefix(".").lower())
    except ValueError:
        known = " ".join(f".{form}" for form in Format)
        raise common.fail(
            f"--output {output}: 名前の終わりは {known} のどれかにしてください / "
            f"end the name in one of {known}",
            2,
        ) from None
