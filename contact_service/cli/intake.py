"""``contact-service intake``: files from core systems and the telephone centre."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from contact_service.cli import common
from contact_service.clock import TOKYO
from contact_service.domain.actors import Role
from contact_service.intake import calls as calls_of_files
from contact_service.intake.faults import FileRefused
from contact_service.intake.importing import Report, import_file

REFUSED = 2

app = typer.Typer(no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="CSV (UTF-8, Shift_JIS) or .xlsx / 取り込むファイル")]
LayoutName = Annotated[
    str | None,
    typer.Option("--layout", help="A layout's name or .yaml file; found by headings if not given."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, change nothing.")]
Json = Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")]
Training = Annotated[
    bool, typer.Option("--training/--no-training", help="Sample data: never contacted live.")
]
RejectsPath = Annotated[
    Path | None, typer.Option("--rejects", help="Where rejected rows go; default: beside FILE.")
]
AsOf = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=["%Y-%m-%d"], help="The day that FILE describes."),
]

_COUNTS = (
    ("rows", "行"),
    ("accepted", "新規"),
    ("updated", "更新"),
    ("unchanged", "変更なし"),
    ("rejected", "エラー"),
    ("skipped", "合計行・重複行"),
)
_REMARKS = {
    "people_with_bad_number": "読めない電話番号のある人 / people with a number that cannot be read",
    "older_than_ledger": "台帳の方が新しい行 / rows older than the ledger",
    "without_claim": "債権が未着の収納 / payments whose claim has not arrived",
    "without_debtor": "台帳にない人の制限 / restrictions of people not in the ledger",
    "without_phone": "番号が台帳にない通話 / calls with a number not in the ledger",
}


@app.command()
def claims(
    file: File,
    layout: LayoutName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    training: Training = False,
    rejects: RejectsPath = None,
    as_of: AsOf = None,
) -> None:
    """滞納一覧: claims, and the people who owe them."""
    _run("claims", file, layout, dry_run, as_json, training, rejects, as_of)


@app.command()
def payments(
    file: File,
    layout: LayoutName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    training: Training = False,
    rejects: RejectsPath = None,
) -> None:
    """収納データ: payments."""
    _run("payments", file, layout, dry_run, as_json, training, rejects)


@app.command()
def restrictions(
    file: File,
    layout: LayoutName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    training: Training = False,
    rejects: RejectsPath = None,
) -> None:
    """交渉制限: reasons not to contact."""
    _run("restrictions", file, layout, dry_run, as_json, training, rejects)


@app.command()
def calls(
    file: File,
    layout: LayoutName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    training: Training = False,
    rejects: RejectsPath = None,
) -> None:
    """通話記録: the telephone centre's record of calls."""
    _run("calls", file, layout, dry_run, as_json, training, rejects)


@app.command()
def unmatched(as_json: Json = False) -> None:
    """番号から一人に結び付かない通話: calls of imported files that are nobody's (unknown), or of a
    number that several people share (shared)."""
    with common.service() as service, service.engine.connect() as connection:
        found = calls_of_files.unmatched(connection, common.actor(Role.STAFF))
    if as_json:
        common.print_json([asdict(call) for call in found])
        return
    for call in found:
        at = f"{call.started_at.astimezone(TOKYO):%Y/%m/%d %H:%M:%S}"
        typer.echo(f"{call.file}:{call.line}\t{at}\t{call.direction}\t{call.result}\t{call.why}")


def _run(
    kind: str,
    file: Path,
    layout: str | None,
    dry_run: bool,
    as_json: bool,
    training: bool,
    rejects: Path | None,
    as_of: datetime | None = None,
) -> None:
    try:
        with common.service() as service, _progress(file) as on_progress:
            report = import_file(
                service,
                common.actor(Role.STAFF),
                kind,
                file,
                layout=layout,
                dry_run=dry_run,
                training=training,
                as_of=as_of.date() if as_of else None,
                rejects=rejects,
                on_progress=on_progress,
            )
    except FileRefused as refusal:
        raise common.fail(str(refusal), REFUSED) from None
    if as_json:
        path = str(report.rejects) if report.rejects else None
        common.print_json({**asdict(report.counts), "rejects": path})
    else:
        _show(file, report)


@contextmanager
def _progress(file: Path) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal; nothing where standard error is a file or a pipe."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True,
        disable=not console.is_terminal,
    ) as bar:  # fmt: skip
        size = file.stat().st_size if file.is_file() else None
        task = bar.add_task(escape(file.name), total=size)
        yield lambda done: bar.update(task, completed=done)


def _show(file: Path, report: Report) -> None:
    console = Console()
    undone = "（試行: 何も変更していません / dry run, nothing changed）" if report.dry_run else ""
    table = Table(title=escape(f"{file.name}{undone}"), title_justify="left")
    for name, ja in _COUNTS:
        table.add_column(f"{ja}\n{name}", justify="right")
    table.add_row(*(f"{count:,}" for count in asdict(report.counts).values()))
    console.print(table)
    described = f"    基準日 / as of: {report.as_of}" if report.as_of else ""
    console.print(f"レイアウト / layout: {report.layout}{described}")
    for name, count in report.remarks.items():
        console.print(f"{_REMARKS[name]}: {count:,}")
    if not report.first_faults:
        return
    faults = Table(title="エラー行（先頭10件） / rejected rows (first ten)", title_justify="left")
    for heading in ("行 line", "列 column", "値 value", "理由 reason"):
        faults.add_column(heading, overflow="fold")
    for fault in report.first_faults:
        cells = (str(fault.line), fault.column, fault.value, f"{fault.ja}\n{fault.en}")
        faults.add_row(*(escape(cell) for cell in cells))
    console.print(faults)
    if report.rejects:
        console.print(
            escape(f"直してそのまま取り込めます / mend and import it again: {report.rejects}"),
            soft_wrap=True,
        )
