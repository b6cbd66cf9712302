"""``contact-service keys``: the keys that seal names and numbers."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from contact_service.cli.common import actor, fail, print_json, service
from contact_service.domain.actors import Role
from contact_service.store import audit, crypto, indexing, retiring, rotation
from contact_service.store.crypto import add_index_key, add_key, load_vault

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def show(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the keys by number, and how many values each has sealed. Never a key itself."""
    with service() as found, found.engine.connect() as connection:
        vault, counts = load_vault(found.settings.keys_path), rotation.sealed_with(connection)
        index, left = indexing.in_force(connection), indexing.left(connection)
    if as_json:
        sealed = {k: counts.get(k, 0) for k in vault.keys}
        index_keys = {"made": len(vault.index_layers), "in_force": index, "left": left}
        print_json({"current": vault.current, "sealed": sealed, "index": index_keys})
        return
    for key_id in sorted({*vault.keys, *counts}):
        state = "使用中 / seals" if key_id == vault.current else ""
        missing = "" if key_id in vault.keys else "鍵がありません / the key is missing"
        typer.echo(f"{key_id:>3}  {counts.get(key_id, 0):>12,}  {state}{missing}")
    typer.echo(
        f"索引の鍵 第{index}世代、前の世代のもの {left:,} 件 / index key {index} in force; made "
        f"with the one before it: {left:,}"
    )
    if len(vault.index_layers) != index:
        typer.echo(
            f"鍵ファイルには第{len(vault.index_layers)}世代まであります。keys rotate-index で続けま"
            f"す / the file has index keys up to {len(vault.index_layers)}: go on by `keys "
            "rotate-index`"
        )


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
        f"鍵 {after} で {done.anew:,} 件を封じ直しました。鍵ファイルの控えをとってください / "
        f"{done.anew:,} values are sealed with key {after} now: back up the keys file"
    )
    _say_unopened(done)


@app.command("resume")
def resume() -> None:
    """Go on with a rotation that was interrupted."""
    with service() as found:
        vault = load_vault(found.settings.keys_path)
        done = rotation.seal_anew(found.engine, vault, vault.current)
    typer.echo(f"{done.anew:,} 件を封じ直しました / sealed anew: {done.anew:,}")
    _say_unopened(done)


def _say_unopened(done: rotation.Done) -> None:
    for place, count in done.unopened.items():
        typer.echo(
            f"{place}: {count:,} 件はどの鍵でも開けず、そのままにしました。鍵ファイルの控えに鍵があ"
            f"れば戻してください / {place}: {count:,} values that no key opens are left as they "
            "are: put the key back if a copy of the keys file has it",
            err=True,
        )


@app.command("retire")
def retire(key_id: Annotated[int, typer.Argument(help="Its number in the list.")]) -> None:
    """Take a key out of the file: backups that it sealed cannot be read any more. Refuses in the
    minute after the file was changed, and while anything is, or may yet be, sealed with the key."""
    with service() as found:
        try:
            retiring.retire(found.engine, found.settings.keys_path, key_id)
        except retiring.NotYet as waits:
            raise fail(str(waits)) from None
        except (KeyError, ValueError) as error:
            raise fail(f"鍵 {key_id} は外せません / cannot be taken out: {error}") from None
        with found.engine.begin() as connection:
            audit.record(
                connection, found.clock.now(), actor(Role.ADMINISTRATOR), "keys.retired",
                f"key:{key_id}",
            )  # fmt: skip
    typer.echo(f"鍵 {key_id} を外しました / taken out")


@app.command("rotate-index")
def rotate_index(
    prepare: Annotated[
        bool,
        typer.Option(
            "--prepare",
            help="Only put the key into the file, so that it can be copied to other hosts first.",
        ),
    ] = False,
) -> None:
    """Lay another key over the blind indexes, while the service goes on working; or go on with
    that after an interruption. All index keys stay in the file: back it up."""
    with service() as found:
        path, who = found.settings.keys_path, actor(Role.ADMINISTRATOR)
        with found.engine.connect() as connection:
            before, left = indexing.in_force(connection), indexing.left(connection)
        made = len(load_vault(path).index_layers)
        if made < before:
            raise fail(
                f"鍵ファイルに第{before}世代の索引の鍵がありません。最新の鍵ファイルを戻してくださ"
                f"い / the keys file lacks the index key {before}: put the newest file back"
            )
        if made == before and not left:
            made = add_index_key(path)
        if prepare:
            typer.echo(
                "鍵ファイルを全ホストに写してから、--prepare なしで続けてください / copy the keys "
                "file to every host, then go on without --prepare"
            )
            return
        if made > before:
            time.sleep(2 * crypto.LOOK_SECONDS)  # every process looks for both from here on
            try:
                indexing.put_in_force(found.engine, made, who, found.clock.now())
            except indexing.StillWritten:
                raise fail(
                    "台帳の取り込みが続いています。終わってからもう一度 / a file is being "
                    "imported: try again when it is through"
                ) from None
        done = indexing.make_anew(found.engine, load_vault(path))
    typer.echo(
        f"索引 {done:,} 件を作り直しました。鍵ファイルの控えをとってください / {done:,} indexes "
        "made anew: back up the keys file"
    )
