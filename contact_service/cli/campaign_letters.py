"""``contact-service campaign letters``: a file of letters for the office's own mailing."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from contact_service.cli.campaign_life import AsJson, Run, run_id_of
from contact_service.cli.common import actor, fail, print_json, service
from contact_service.clock import TOKYO
from contact_service.dispatch import letters
from contact_service.dispatch.letter_file import Encoding
from contact_service.domain.actors import NotAllowed, Role
from contact_service.domain.life import CannotDo
from contact_service.domain.states import SKIP_JA, SkipReason
from contact_service.store.crypto import CannotOpen

app = typer.Typer()

#: So many replaced characters are told of one by one.
_MOST_TOLD = 20


@app.command("letters")
def letters_command(
    run: Run,
    step: Annotated[str, typer.Option("--step", help="The step that writes letters.")],
    output: Annotated[
        Path | None, typer.Option("--output", help="The CSV to write; without it: list batches.")
    ] = None,
    batch: Annotated[
        int | None, typer.Option("--batch", help="Write this batch again; hand over nothing new.")
    ] = None,
    encoding: Annotated[
        Encoding, typer.Option("--encoding", help="UTF-8 (with a mark) or CP932.")
    ] = Encoding.UTF_8,
    as_json: AsJson = False,
) -> None:
    """Hand the letters that are due today to the mailing, once, as a CSV file.

    Addresses are the core system's, by 宛名番号. A batch can be written again with --batch."""
    with service() as found:
        who, now = actor(Role.STAFF), found.clock.now()
        with found.engine.connect() as connection:
            run_id = run_id_of(connection, who, run)
            try:
                letters.definition_of_letters(connection, run_id, step)
            except CannotDo as error:
                raise fail(str(error)) from None
            known = letters.batches(connection, run_id, step)
        if output is None:
            _list(known, as_json)
            return
        try:
            if batch is None:
                done = letters.hand_over(found, who, run_id, step, output, now, encoding)
            else:
                done = letters.write_again(found, who, run_id, step, batch, output, now, encoding)
        except (CannotDo, NotAllowed) as error:
            raise fail(str(error)) from None
        except CannotOpen as error:
            raise fail(
                f"氏名を復号できません。何も引き渡していません / a name cannot be opened, nothing "
                f"was handed over: {error}"
            ) from None
        except OSError as error:
            raise fail(
                f"{output}: 書けません（{error.strerror}）。campaign letters {run} --step {step} で"
                "引渡しの有無を確かめてください / cannot be written: list the batches to see what "
                "was handed over",
                2,
            ) from None
    if as_json:
        print_json({"run": run_id, "step": step, "output": output} | asdict(done))
    else:
        _tell(done, output, known)


def _list(known: list[letters.Batch], as_json: bool) -> None:
    if as_json:
        print_json([asdict(each) for each in known])
        return
    for each in known:
        typer.echo(_title(each))
    if not known:
        typer.echo("まだ引き渡していません / nothing has been handed over yet")


def _title(batch: letters.Batch) -> str:
    at = f"{batch.handed_over_at.astimezone(TOKYO):%Y-%m-%d %H:%M}"
    return (
        f"{batch.number} 回目: {batch.letters} 通、{batch.lines} 行（{at}、{batch.handed_over_by}）"
        f" / batch {batch.number}: {batch.letters} letters"
    )


def _tell(done: letters.Written, output: Path, known: list[letters.Batch]) -> None:
    for reason, count in done.put_aside.items():
        typer.echo(f"除外: {SKIP_JA[SkipReason(reason)]} {count} 件 / left out: {reason} {count}")
    if done.left_out:
        typer.echo(
            f"引渡し後に納付または交渉制限となった {done.left_out} 行を除きました / "
            f"{done.left_out} lines left out: paid or to be left alone since"
        )
    if done.batch is None:
        again = f"。再出力は --batch {known[-1].number} / again: --batch" if known else ""
        typer.echo(f"今日までに引き渡すものはありません / nothing new is due{again}")
        return
    typer.echo(f"{output}: {_title(done.batch)}")
    for each in done.replaced[:_MOST_TOLD]:
        typer.echo(f"  {each}", err=True)
    if (more := len(done.replaced) - _MOST_TOLD) > 0:
        typer.echo(f"  ほか {more} 件 / {more} more", err=True)
