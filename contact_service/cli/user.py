"""``contact-service user``: who may sign in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from contact_service.cli.common import actor, fail, print_json, service
from contact_service.domain.actors import Role
from contact_service.identity import accounts
from contact_service.identity.accounts import CannotDo

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The sign-in name.")]


@app.command("add")
def add(
    name: Name,
    role: Annotated[Role, typer.Option(help="What the person is to the service.")],
    shown_name: Annotated[str, typer.Option(help="The name as pages show it.")] = "",
    office: Annotated[str, typer.Option(help="所管課; * for all.")] = "*",
) -> None:
    """Make an account and print its first password, once."""
    with service() as found:
        try:
            password = accounts.add(
                found, actor(Role.ADMINISTRATOR), name, shown_name or name, role, office
            )
        except CannotDo as error:
            raise fail(str(error)) from None
    _give(name, password)


@app.command("reset")
def reset(name: Name) -> None:
    """Print a new first password; ends lock, second factor and sessions."""
    with service() as found:
        try:
            password = accounts.reset(found, actor(Role.ADMINISTRATOR), name)
        except CannotDo as error:
            raise fail(str(error)) from None
    _give(name, password)


@app.command("assign")
def assign(
    name: Name,
    role: Annotated[Role, typer.Option(help="What the person is from now on.")],
    office: Annotated[str, typer.Option(help="所管課; * for all.")] = "*",
) -> None:
    """Give somebody another role or office, as after a transfer; ends their sessions."""
    _change(accounts.assign, name, role, office)
    typer.echo(f"{name}: {role} {office}")


@app.command("sign-out")
def sign_out(name: Name) -> None:
    """End all sessions of somebody at once."""
    _change(accounts.sign_out, name)
    typer.echo(f"{name}: サインアウトさせました / signed out")


@app.command("disable")
def disable(name: Name) -> None:
    """Let nobody sign in under this name any more."""
    _change(accounts.disable, name)
    typer.echo(f"{name}: 停止しました / disabled")


@app.command("enable")
def enable(name: Name) -> None:
    """Let somebody come back who was disabled."""
    _change(accounts.enable, name)
    typer.echo(f"{name}: 再開しました / enabled")


@app.command("list")
def show(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List everybody who has an account."""
    with service() as found, found.engine.connect() as connection:
        everybody = accounts.accounts(connection)
    if as_json:
        print_json(
            [
                {
                    "name": item.name,
                    "shown_name": item.shown_name,
                    "role": item.role,
                    "office": item.office,
                    "must_change": item.must_change,
                    "second_factor": item.second_factor,
                    "disabled": item.disabled_at is not None,
                }
                for item in everybody
            ]
        )
        return
    for item in everybody:
        state = "停止 / disabled" if item.disabled_at else ""
        typer.echo(f"{item.name:<20} {item.role:<14} {item.office:<12} {item.shown_name} {state}")


def _change(act: Callable[..., None], name: str, *more: Role | str) -> None:
    with service() as found:
        try:
            act(found, actor(Role.ADMINISTRATOR), name, *more)
        except CannotDo as error:
            raise fail(str(error)) from None


def _give(name: str, password: str) -> None:
    typer.echo(
        f"{name} の最初のパスワード（今だけ表示。本人が最初のサインインで変えます） / the first "
        f"password of {name}, shown once, to be changed at first sign-in:\n{password}"
    )
