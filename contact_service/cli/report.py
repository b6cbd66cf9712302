"""``contact-service report``: the outcome of a run, and the centre's load."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import typer

from contact_service.bootstrap import Service
from contact_service.cli.common import actor, fail, print_json, service
from contact_service.domain.actors import Actor, Role
from contact_service.evaluation.by_field import NoSuchField, by_field, lines
from contact_service.evaluation.chapters.summary import centre
from contact_service.evaluation.chapters.voice import Voice
from contact_service.evaluation.collection import collection
from contact_service.evaluation.facts import NoSuchRun
from contact_service.evaluation.forms import Format
from contact_service.evaluation.report import (
    NoCalls,
    latest_run,
    write_load_report,
    write_run_report,
    write_trial_report,
)
from contact_service.evaluation.rows_counted import Figure, rows_counted
from contact_service.evaluation.wording import name, percent, yen

app = typer.Typer(no_args_is_help=True)

_DAY = "%Y-%m-%d"
_RATE = {"ja": "収納率", "en": "rate"}
_COLLECTION = {
    "assessed_yen": {"ja": "調定額", "en": "assessed"},
    "collected_yen": {"ja": "収入済額", "en": "collected"},
    "written_off_yen": {"ja": "不納欠損額", "en": "written off"},
    "reduced_yen": {"ja": "減額", "en": "reduced"},
    "outstanding_yen": {"ja": "収入未済額", "en": "outstanding"},
}


class Language(StrEnum):
    """What a report is written in."""

    JA = "ja"
    EN = "en"


def _day(value: datetime | None) -> date | None:
    return value.date() if value else None


@app.command("trial")
def trial(
    run_id: str = typer.Argument("latest", help="実施番号、または latest / a run, or latest"),
    form: Format = typer.Option(Format.HTML, "--format", help="書式 / what it is written as"),
    lang: Language = typer.Option(Language.JA, help="言語 / language"),
    output: Path | None = typer.Option(
        None, help="書き出すファイル（既定: report.書式）/ file to write (default: report.FORMAT)"
    ),
) -> None:
    """試行の報告書を書く（HTML・PDF・Excel・JSON） / write a trial's report."""
    file = output or Path(f"report.{form}")
    with _faults(run_id, file), service() as found:
        who = actor(Role.EVALUATOR)
        write_trial_report(found, who, named_run(found, who, run_id), form, file, lang.value)
    typer.echo(file)


@app.command("run")
def run(
    run_id: str = typer.Argument("latest", help="実施番号、または latest / a run, or latest"),
    output: Path = typer.Option(Path("report"), help="書き出すフォルダ / folder to write into"),
    lang: Language = typer.Option(Language.JA, help="言語 / language"),
) -> None:
    """同じ報告書を、HTMLとJSONでフォルダに / the same report as HTML and JSON in a folder."""
    with _faults(run_id, output), service() as found:
        who = actor(Role.EVALUATOR)
        write_run_report(found, who, named_run(found, who, run_id), output, lang.value)
    typer.echo(output / "report.html")


@app.command("rows")
def rows(
    run_id: str = typer.Argument("latest", help="実施番号、または latest / a run, or latest"),
    figure: Figure = typer.Argument(Figure.HOUSEHOLDS, help="何の行か / which rows"),
) -> None:
    """数字が数えた行の識別子をCSVで出す / identifiers of the rows that a figure counts, as CSV."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    with _faults(run_id, Path("-")), service() as found:
        who = actor(Role.EVALUATOR)
        out.writerows(rows_counted(found, who, named_run(found, who, run_id), figure))


@app.command("collection")
def collected(
    lang: Language = typer.Option(Language.JA, help="言語 / language"),
    as_json: bool = typer.Option(False, "--json", help="数値をJSONで / figures as JSON"),
) -> None:
    """収納率と収入未済額（所管課・科目・現年分と滞納繰越分） / collection rate and outstanding."""
    with service() as found:
        figures = collection(found, actor(Role.EVALUATOR))
    if as_json:
        print_json(figures)
        return
    for row in figures["rows"]:
        of = (row["office"][lang.value], name("kind", row["kind"], lang.value),
              name("legal_class", row["legal_class"], lang.value))  # fmt: skip
        typer.echo("  ".join((name("period", row["period"], lang.value), *of)))
        sums = [f"{_RATE[lang.value]} {percent(row['rate'])}"]
        sums += [
            f"{words[lang.value]} {yen(row[key], lang.value)}" for key, words in _COLLECTION.items()
        ]
        typer.echo(f"    {'  '.join(sums)}")
    for definition in figures["definitions"].values():
        typer.echo(definition[lang.value])


@app.command("by")
def broken_down(
    field: str = typer.Argument(help="選択条件の項目（campaign fields） / a field of selections"),
    run_id: str = typer.Argument("latest", help="実施番号、または latest / a run, or latest"),
    lang: Language = typer.Option(Language.JA, help="言語 / language"),
    as_json: bool = typer.Option(False, "--json", help="数値をJSONで / figures as JSON"),
) -> None:
    """群ごとの納付を、選択条件の項目で分けて / payment by arm, broken down by any field."""
    with service() as found:
        who = actor(Role.EVALUATOR)
        try:
            figures = by_field(found, who, named_run(found, who, run_id), field)
        except NoSuchField as error:
            raise fail(str(error), 2) from None
        except NoSuchRun as error:
            raise fail(str(error)) from None
    if as_json:
        print_json(figures)
        return
    for line in lines(figures, lang.value):
        typer.echo(line)


@app.command("load")
def load(
    start: datetime | None = typer.Option(
        None, "--from", formats=[_DAY], metavar="YYYY-MM-DD", help="最初の日 / first"
    ),
    change: datetime | None = typer.Option(
        None,
        formats=[_DAY],
        metavar="YYYY-MM-DD",
        help="「開始後」の最初の日 / first day after the change",
    ),
    end: datetime | None = typer.Option(
        None, "--to", formats=[_DAY], metavar="YYYY-MM-DD", help="最後の日 / last day"
    ),
    lang: Language = typer.Option(Language.JA, help="言語 / language"),
    as_json: bool = typer.Option(False, "--json", help="数値をJSONで / figures as JSON"),
    output: Path | None = typer.Option(None, help="書き出すHTMLファイル / HTML file to write"),
) -> None:
    """受電・架電の負荷を前後で比べる / compare inbound and outbound load."""
    days = [day for day in (_day(start), _day(change), _day(end)) if day]
    if days != sorted(days):
        raise fail("--from ≦ --change ≦ --to の順に / give days with from ≤ change ≤ to", 2)
    with service() as found:
        try:
            figures = write_load_report(
                found,
                actor(Role.EVALUATOR),
                _day(start),
                _day(change),
                _day(end),
                output,
                lang.value,
            )
        except NoCalls as error:
            raise fail(str(error)) from None
        except OSError as error:
            raise fail(_unwritable(output, error)) from None
    if as_json:
        print_json(figures)
        return
    for line in centre(figures["load"], Voice(lang.value, {}, {}, ())):
        typer.echo(line)
    if output:
        typer.echo(output)


@contextmanager
def _faults(run_id: str, output: Path) -> Iterator[None]:
    """What can go wrong with a run's report, said in a sentence."""
    try:
        yield
    except NoSuchRun as error:
        raise fail(str(error)) from None
    except BrokenPipeError:  # who reads (head, less) has seen enough: the command ends quietly
        raise
    except OSError as error:
        raise fail(_unwritable(output, error)) from None


def named_run(found: Service, who: Actor, run_id: str) -> UUID:
    """The run that an argument names: an identifier, or ``latest``."""
    if run_id == "latest":
        return latest_run(found, who)
    try:
        return UUID(run_id)
    except ValueError:
        raise fail(
            f"{run_id} は実施番号の形ではありません（UUID か latest）/ "
            f"{run_id} is no run identifier: give a UUID or latest",
            2,
        ) from None


def _unwritable(path: Path | None, error: OSError) -> str:
    return f"{path} に書けません: {error.strerror} / cannot write to {path}: {error.strerror}"
