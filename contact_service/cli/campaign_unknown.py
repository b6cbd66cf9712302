"""``contact-service campaign``: attempts whose fate only a person can tell."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer

from contact_service.cli.common import actor, fail, print_json, service
from contact_service.dispatch.decide import decide, undecided
from contact_service.domain.actors import NotAllowed, Role
from contact_service.planning.runs import CannotDo

app = typer.Typer()


@app.command("unknown")
def unknown_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List attempts that wait for a person: ask the carrier, then `campaign settle`."""
    with service() as found, found.engine.connect() as connection:
        waiting = undecided(connection, actor(Role.STAFF))
    if as_json:
        print_json([asdict(item) for item in waiting])
        return
    for item in waiting:
        typer.echo(
            f"{item.attempt_id}  {item.campaign}/{item.step}  {item.provider}  "
            f"{item.leased_at:%Y-%m-%d %H:%M}  {item.reason or ''}"
        )
    typer.echo(f"判断待ち {len(waiting)} 件 / waiting for a person: {len(waiting)}")


@app.command("settle")
def settle_command(
    attempt: Annotated[UUID, typer.Argument(help="The attempt, from `campaign unknown`.")],
    taken: Annotated[
        bool,
        typer.Option("--taken/--not-taken", help="Whether the carrier has it by its own account."),
    ],
    reason: Annotated[str, typer.Option(help="理由 / why: kept in the audit log.")] = "",
) -> None:
    """Say what became of one: taken (never sent again), or provably not (due again)."""
    with service() as found:
        who = actor(Role.STAFF)
        try:
            decide(found.engine, who, attempt, taken=taken, now=found.clock.now(), reason=reason)
        except (CannotDo, NotAllowed) as error:
            raise fail(str(error), 2) from None
    typer.echo(f"{attempt}: {'受付済 / taken' if taken else '再送可 / due again'}")
