"""``contact-service retention``: let go of what need not be kept any more."""

from __future__ import annotations

from typing import Annotated

import typer

from contact_service.cli.common import actor, fail, print_json, service
from contact_service.domain.actors import Role
from contact_service.retention.anonymise import forget
from contact_service.retention.periods import DataClass, periods

app = typer.Typer(no_args_is_help=True)
WORDS = {
    DataClass.PEOPLE: "完納後の人（氏名・番号など） / people who owe nothing",
    DataClass.NOTES: "折衝のメモ / operators' notes",
    DataClass.MESSAGES: "住民からの返信 / residents' messages",
    DataClass.REJECTED_ROWS: "取り込めなかった値 / rejected values",
    DataClass.SESSIONS: "サインインの記録 / sessions",
    DataClass.IDEMPOTENCY_KEYS: "APIの答えの控え / answers of the API",
}


@app.command("run")
def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make people nameless and forget notes whose time is over. It cannot be undone: count first
    with --dry-run. Counts in reports stay as they are."""
    with service() as found:
        try:
            chosen = periods(found.settings.retention_file)
        except (OSError, ValueError) as error:
            raise fail(f"CONTACT_RETENTION_FILE: {error}", 2) from None
        forgotten = forget(found, actor(Role.ADMINISTRATOR), chosen, dry_run=dry_run)
    if as_json:
        print_json({item.kind: {"before": item.before, "count": item.count} for item in forgotten})
        return
    for item in forgotten:
        typer.echo(f"{item.count:>9,}  {item.before:%Y-%m-%d}  {WORDS[item.kind]}")
    if dry_run:
        typer.echo("数えただけです / only counted")
