"""``contact-service audio``: recordings for auto-calls, checked, converted, or spoken."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contact_service.cli.common import fail, print_json

if TYPE_CHECKING:
    from providers.audio.prompt import Prepared

app = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="JSON instead of words.")]
Form = Annotated[str, typer.Option("--format", help="wav, ulaw or alaw.")]
# The sound's libraries take a second to load: every command imports them when it runs.


@app.command()
def check(files: Annotated[list[Path], typer.Argument()], as_json: Json = False) -> None:
    """Say what is wrong with recordings: silence, length, clipping, loudness.

    Exit status 1 when one cannot be used.
    """
    from providers.audio.files import UnreadableSound, read
    from providers.audio.prompt import FATAL

    rows, useless = [], False
    for path in files:
        try:
            prepared = read(path)
        except UnreadableSound as error:
            useless = True
            rows.append({"file": str(path), "error": str(error)})
            continue
        useless |= bool(FATAL.intersection(prepared.faults))
        rows.append({"file": str(path), **_measured(prepared)})
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            _print(row)
    if useless:
        raise typer.Exit(1)


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(help="WAV, MP3 or M4A.")],
    target: Annotated[Path, typer.Argument(help="The prompt to write.")],
    form: Form = "wav",
    as_json: Json = False,
) -> None:
    """Make a prompt of a recording: 8 kHz mono, silence trimmed, loudness set."""
    from providers.audio.files import UnreadableSound, read

    _known(form)
    try:
        prepared = read(source)
    except UnreadableSound as error:
        raise fail(str(error), 2) from None
    _write(prepared, target, form, as_json)


@app.command()
def speak(
    text: Annotated[str, typer.Argument(help="What to say; amounts, dates, numbers as written.")],
    target: Annotated[Path, typer.Argument(help="The prompt to write.")],
    form: Form = "wav",
    speed: Annotated[float, typer.Option(min=0.5, max=2.0, help="1.0 is normal.")] = 1.0,
    as_json: Json = False,
) -> None:
    """Make a prompt by offline Japanese speech. Its voice is CC BY 3.0: name it in print."""
    from providers.audio import speech

    _known(form)
    try:
        prepared = speech.speak(text, speed)
    except speech.CannotSpeak as error:
        raise fail(str(error), 2) from None
    _write(prepared, target, form, as_json, voice=speech.VOICE)


def _known(form: str) -> None:
    from providers.audio.files import FORMATS

    if form not in FORMATS:
        known = ", ".join(FORMATS)
        raise fail(f"--format: {form} はありません。使えるもの / there is {known}", 2)


def _write(prepared: Prepared, target: Path, form: str, as_json: bool, **more: str) -> None:
    from providers.audio.files import written
    from providers.audio.prompt import FATAL, WORDS

    if fatal := FATAL.intersection(prepared.faults):
        raise fail("\n".join(WORDS[fault] for fault in sorted(fatal)), 2)
    try:
        target.write_bytes(written(prepared.samples, form))
    except OSError as error:
        raise fail(f"{target}: 書けません / cannot be written: {error.strerror}", 2) from None
    row = {"file": str(target), **_measured(prepared), **more}
    if as_json:
        print_json(row)
    else:
        _print(row)


def _measured(prepared: Prepared) -> dict[str, Any]:
    row = asdict(prepared)
    del row["samples"]
    for name in ("seconds", "recorded_seconds", "loudness", "peak_db"):
        row[name] = round(row[name], 2) if abs(row[name]) != float("inf") else None
    row["faults"] = [fault.value for fault in prepared.faults]
    return row


def _print(row: dict[str, Any]) -> None:
    from providers.audio.prompt import WORDS, Fault

    if "error" in row:
        typer.echo(f"異常 {row['error']}")
        return
    typer.echo(
        f"{'注意' if row['faults'] else 'OK  '} {row['file']}: {row['seconds']} 秒 / s（"
        f"調整前 / before levelling: {row['loudness']} LUFS, ピーク / peak {row['peak_db']} dB）"
    )
    for fault in row["faults"]:
        typer.echo(f"     {WORDS[Fault(fault)]}")
    if "voice" in row:
        typer.echo(f"     声 / voice: {row['voice']}")
