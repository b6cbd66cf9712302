"""``contact-service demo``: the main job on the sample ward, in a few minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from contact_service import logs
from contact_service.cli.common import fail
from contact_service.demo.drive import Stuck
from contact_service.demo.run import NotEmpty, NothingKept, run_demo
from contact_service.demo.summary import summary
from contact_service.embedded.process import CannotStart
from contact_service.settings import settings

WARD = Path(__file__).parents[2] / "samples" / "ward"


def command(
    output: Annotated[Path, typer.Option(help="Where the report goes.")] = Path("demo-output"),
    ward: Annotated[Path, typer.Option(help="The ward's files.")] = WARD,
    lang: Annotated[str, typer.Option(help="ja or en.")] = "ja",
    keep: Annotated[bool, typer.Option(help="Keep its office, for up --demo.")] = False,
) -> None:
    """Import the sample ward, run the trial campaign with real workers against the simulated
    carrier, and write the report."""
    if lang not in ("ja", "en"):
        raise fail(f"--lang {lang}: ja か en を指定してください / use ja or en", 2)
    logs.configure("console", level=40)
    console = Console()
    try:
        finished = run_demo(settings(), ward, output, console, lang, keep=keep)
    except (CannotStart, NotEmpty, NothingKept, Stuck) as error:
        raise fail(str(error)) from None
    except KeyboardInterrupt:
        raise fail(
            "\n中断しました。もう一度 make demo で始めからできます / interrupted", 130
        ) from None
    for line in summary(finished):
        console.print(line, highlight=False, soft_wrap=True)
