"""``contact-service keys``: the keys that seal names and numbers."""

from __future__ import annotations

from typing import Annotated

import typer

from contact_service.cli.common import actor, fail, print_json, service
from contact_service.domain.actors import Role
from contact_service.store import audit, rotation
from contact_service.store.crypto import add_key, load_vault, remove_key

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def show(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the keys by number, and how many values each has sealed. Never a key itself."""
    with service() as found, found.engine.connect() as connection:
        vault, counts = load_vault(found.settings.keys_path), rotation.sealed_with(connection)
    if as_json:
        print_json({"current": vault.current, "sealed": {k: counts.get(k, 0) for k in vault.keys}})
        return
    for key_id in sorted({*vault.keys, *counts}):
        state = "使用中 / seals" if key_id == vault.current else ""
        missing = "" if key_id in vault.keys else "鍵がありません / the key is missing"
        typer.echo(f"{key_id:>3}  {counts.get(key_id, 0):>12,}  {state}{missing}")


@app.command("rotate")
def rotate() -> None:
    """Make a new key, and seal everything anew with it, while the service goes on working.

    The old keys stay in the file, for backups and until `keys retire`. Back the file up first."""
    with service() as found:
        path, who = found.settings.keys_path, actor(Role.ADMINISTRATOR)
        before = load_vault(path).current
        after = add_key(path)
        with found.engine.begin() as connection:
            audit.record(
                connection, found.clock.now(), who, "keys.rotated", f"key:{after}",
                before=before, after=after,
            )  # fmt: skip
        done = rotation.seal_anew(found.engine, load_vault(path), after)
    typer.echo(
        f"鍵 {after} で {done:,} 件を封じ直しました。鍵ファイルの控えをとってください / "
        f"{done:,} values are sealed with key {after} now: back up the keys file"
    )


@app.command("resume")
def resume() -> None:
    """Go on with a rotation that was interrupted."""
    with service() as found:
        vault = load_vault(found.settings.keys_path)
        done = rotation.seal_anew(found.engine, vault, vault.current)
    typer.echo(f"{done:,} 件を封じ直しました / sealed anew: {done:,}")


@app.command("retire")
def retire(key_id: Annotated[int, typer.Argument(help="Its number in the list.")]) -> None:
    """Take a key out of the file: backups that it sealed cannot be read any more."""
    with service() as found:
        with found.engine.connect() as connection:
            left = rotation.sealed_with(connection).get(key_id, 0)
        if left:
            raise fail(
                f"鍵 {key_id} で封じた値が {left:,} 件残っています。先に keys resume を / "
                f"{left:,} values are sealed with key {key_id} still: first `keys resume`"
            )
        try:
            remove_key(found.settings.keys_path, key_id)
        except (KeyError, ValueError) as error:
            raise fail(f"鍵 {key_id} は外せません / cannot be taken out: {error}") from None
        with found.engine.begin() as connection:
            audit.record(
                connection, found.clock.now(), actor(Role.ADMINISTRATOR), "keys.retired",
                f"key:{key_id}",
            )  # fmt: skip
    typer.echo(f"鍵 {key_id} を外しました / taken out")
