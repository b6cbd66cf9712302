"""``contact-service library``: what worked, for other offices."""

from __future__ import annotations

from pathlib import Path

import typer

from contact_service.cli.common import actor, fail, print_json, service
from contact_service.cli.report import Language, named_run
from contact_service.domain.actors import Role
from contact_service.evaluation import library
from contact_service.evaluation.facts import NoSuchRun
from contact_service.evaluation.wording import language, text

app = typer.Typer(no_args_is_help=True)
_JSON = typer.Option(False, "--json", help="JSONで / as JSON")


@app.command("add")
def add(
    run_id: str = typer.Argument(
        ..., help="終わった実施、または latest / a finished run, or latest"
    ),
    lessons: str = typer.Option(..., help="学んだこと / what was learnt"),
) -> None:
    """終わった試行を事例にする / make a finished trial an entry."""
    with service() as found:
        try:
            who = actor(Role.EVALUATOR)
            made = library.add(found, who, named_run(found, who, run_id), lessons)
        except (library.NotInLibrary, NoSuchRun) as error:
            raise fail(str(error)) from None
    typer.echo(f"事例 {made} を登録しました / entry {made} added")


@app.command("list")
def list_(as_json: bool = _JSON) -> None:
    """事例の一覧 / all entries."""
    _print("", as_json)


@app.command("search")
def search(words: str, as_json: bool = _JSON) -> None:
    """語句で事例を探す / find entries by words."""
    _print(words, as_json)


@app.command("show")
def show(
    entry: int,
    lang: Language = typer.Option(Language.JA, help="言語 / language"),
    as_json: bool = _JSON,
) -> None:
    """事例を読む / read an entry."""
    with service() as found:
        try:
            row = library.show(found, actor(Role.EVALUATOR), entry)
        except library.NotInLibrary as error:
            raise fail(str(error)) from None
    if as_json:
        print_json(row)
        return
    typer.echo(f"{row['id']}  {row['title']}（{row['campaign']}）")
    spoken, said = library.told(row, language(lang.value))
    for question, lines in said.items():
        typer.echo(text(f"q_{question}", spoken))
        for line in lines:
            typer.echo(f"  {line}")
    typer.echo(f"学んだこと / lessons: {row['lessons']}")


@app.command("copy")
def copy(
    entry: int,
    name: str = typer.Argument(..., help="新しい計画の名前 / name of the new campaign"),
    output: Path | None = typer.Option(None, help="書き出すファイル / file to write"),
) -> None:
    """事例の計画を新しい計画として写す / copy an entry's definition as a new campaign."""
    file = output or Path(f"{name}.yaml")
    with service() as found:
        try:
            text = library.copied(found, actor(Role.EVALUATOR), entry, name)
        except library.NotInLibrary as error:
            raise fail(str(error)) from None
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise fail(f"{file} に書けません: {error.strerror} / cannot write to {file}") from None
    typer.echo(file)


def _print(words: str, as_json: bool) -> None:
    with service() as found:
        rows = library.search(found, actor(Role.EVALUATOR), words)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        typer.echo(f"{row['id']:>4}  {row['added_at']:%Y-%m-%d}  {row['title']}  {row['lessons']}")
    if not rows:
        typer.echo("事例はありません / no entries", err=True)
