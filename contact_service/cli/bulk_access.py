"""``contact-service bulk-access``: what concerns many people at once takes two persons."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from contact_service.cli.common import actor, fail, print_json, service
from contact_service.domain.actors import NotAllowed, Role
from contact_service.domain.life import CannotDo
from contact_service.identity import bulk_access
from contact_service.identity.bulk_access import BULK_KIND_JA, BulkKind

app = typer.Typer(no_args_is_help=True)


@app.command("ask")
def ask(
    kind: Annotated[BulkKind, typer.Argument(help="What is asked for.")],
    reason: Annotated[str, typer.Option(help="理由 / why it is needed.")],
    subject: Annotated[str, typer.Argument(help="RUN/STEP/BATCH of letters_again.")] = "",
) -> None:
    """ほかの人に確認を頼む / ask a second person."""
    with service() as found:
        try:
            made = bulk_access.ask(found, actor(Role.STAFF), kind, subject, reason)
        except CannotDo as error:
            raise fail(str(error)) from None
    typer.echo(f"{made}: 依頼しました / asked")


@app.command("list")
def show(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """依頼と確認の一覧 / what was asked for, undecided first."""
    with service() as found:
        rows = bulk_access.asked(found, actor(Role.AUDITOR))
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    states = {None: "確認待ち / undecided", True: "許可 / granted", False: "不許可 / refused"}
    for row in rows:
        by = f" {row.decided_by}" if row.decided_by else ""
        typer.echo(
            f"{row.id:>4}  {BULK_KIND_JA[row.kind]} {row.subject}  {row.asked_by}: {row.reason}  "
            f"{states[row.granted]}{by}"
        )


@app.command("decide")
def decide(
    asked_id: Annotated[int, typer.Argument(help="Its number in the list.")],
    grant: Annotated[bool, typer.Option("--grant/--refuse", help="For a day, or not at all.")],
) -> None:
    """依頼した人とは別の人が確認する / decide; by somebody else than who asked."""
    with service() as found:
        try:
            bulk_access.decide(found, actor(Role.APPROVER), asked_id, grant=grant)
        except (CannotDo, NotAllowed) as error:
            raise fail(str(error)) from None
    typer.echo("許可しました / granted" if grant else "許可しませんでした / refused")
