"""``contact-service token``: what other systems use the JSON API with."""

from __future__ import annotations

from typing import Annotated

import typer

from contact_service.cli.common import actor, fail, print_json, service
from contact_service.domain.actors import Role
from contact_service.identity import tokens
from contact_service.identity.accounts import CannotDo
from contact_service.identity.tokens import Scope

app = typer.Typer(no_args_is_help=True)


@app.command("issue")
def issue(
    label: Annotated[str, typer.Argument(help="Who holds it: a system or a person.")],
    role: Annotated[Role, typer.Option(help="What its holder is to the service.")],
    scope: Annotated[list[Scope], typer.Option(help="What it opens; may be given again.")],
    days: Annotated[int, typer.Option(help="After so many days it ends.")] = 90,
    office: Annotated[str, typer.Option(help="所管課; * for all.")] = "*",
) -> None:
    """Make a token and print it, once."""
    with service() as found:
        try:
            made = tokens.issue(
                found, actor(Role.ADMINISTRATOR), label, role, frozenset(scope), days, office
            )
        except CannotDo as error:
            raise fail(str(error)) from None
    typer.echo("今だけ表示します。安全に渡してください / shown once: hand it over safely", err=True)
    typer.echo(made)


@app.command("list")
def show(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List all tokens: who holds them, what they open, when they end."""
    with service() as found, found.engine.connect() as connection:
        everything = tokens.tokens(connection)
    if as_json:
        print_json(
            [
                {
                    "id": item.id,
                    "label": item.label,
                    "role": item.role,
                    "office": item.office,
                    "scopes": sorted(item.scopes),
                    "created_by": item.created_by,
                    "expires_at": item.expires_at,
                    "used_at": item.used_at,
                    "revoked_at": item.revoked_at,
                }
                for item in everything
            ]
        )
        return
    for item in everything:
        state = "取消し / revoked" if item.revoked_at else f"～{item.expires_at:%Y-%m-%d}"
        scopes = ",".join(sorted(item.scopes))
        typer.echo(f"{item.id:>5}  {item.label:<20} {item.role:<12} {scopes:<24} {state}")


@app.command("revoke")
def revoke(token_id: Annotated[int, typer.Argument(help="Its number in the list.")]) -> None:
    """End a token from this moment."""
    with service() as found:
        try:
            tokens.revoke(found, actor(Role.ADMINISTRATOR), token_id)
        except CannotDo as error:
            raise fail(str(error)) from None
    typer.echo(f"{token_id}: 取り消しました / revoked")
