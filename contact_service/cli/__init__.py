"""The service from a shell: ``contact-service GROUP COMMAND``."""

from __future__ import annotations

import importlib
import sys
from functools import cache
from typing import NoReturn

import typer
from alembic.util import CommandError
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError

from contact_service import __version__
from contact_service.cli import rules
from contact_service.dispatch.providers import BadProvidersFile
from contact_service.domain.actors import NotAllowed
from contact_service.embedded.process import CannotStart
from contact_service.intake.faults import FileRefused

#: Command groups: the modules of this package whose Typer application ``app`` they join.
GROUPS = {
    "intake": (("intake",), "files in / ファイル取込"),
    "campaign": (
        (
            "campaign",
            "campaign_life",
            "campaign_preview",
            "campaign_calendar",
            "campaign_runs",
            "campaign_unknown",
            "campaign_letters",
        ),
        "definitions and runs / 催告計画",
    ),
    "report": (("report",), "load and outcome reports / 報告書"),
    "library": (("library",), "what worked / 効果のあった取組み事例"),
    "trial": (("trial",), "design and estimates / 試行の設計と推定"),
    "user": (("user",), "accounts / 利用者"),
    "person": (("person",), "what is kept of one person / 保有個人情報の開示・保存"),
    "bulk-access": (("bulk_access",), "what takes a second person / まとめての閲覧・出力"),
    "retention": (("retention",), "how long what is kept / 保存期間"),
    "keys": (("keys",), "keys that seal personal data / 個人情報を封じる鍵"),
    "audit": (("audit",), "the audit log / 監査記録"),
    "token": (("token",), "tokens of the JSON API / APIのトークン"),
    "centre": (("centre",), "load, staffing, shift / 電話催告センター"),
    "audio": (("audio",), "recordings and speech / 録音と音声"),
}
#: Single commands, each a module with a function called ``command``.
COMMANDS = ("doctor", "up", "trunk", "demo", "migrate", "certificate", "stop_all", "resume_all")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def version(
    show: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    """Outbound contact automation for a public office's arrears."""
    if show:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Entry point of the ``contact-service`` command: what goes wrong is said in a sentence."""
    try:
        _assemble(*sys.argv[1:2])()
    except CannotStart as error:
        _end(str(error), 1)
    except FileRefused as error:
        _end(str(error), 2)
    except BadProvidersFile as error:
        _end(str(error), 2)
    except NotAllowed as error:
        _end(str(error), 3)
    except ValidationError as error:
        faults = "\n".join(
            f"CONTACT_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}"
            for fault in error.errors()
        )
        _end(f"設定に誤りがあります / the configuration is faulty:\n{faults}", 2)
    except OperationalError as error:
        said = str(error.orig).strip().splitlines()[0] if error.orig else ""
        _end(
            "データベースに接続できません。CONTACT_DATABASE_URL とサーバーを確かめてください / "
            f"cannot reach the database: check CONTACT_DATABASE_URL and the server ({said})",
            1,
        )
    except CommandError as error:
        _end(
            "データベースの版がこのプログラムの知らないものです。新しい版のプログラムを使って"
            f"ください / the database is of a version that this program does not know: {error}",
            1,
        )
    except KeyboardInterrupt:
        _end("\n中断しました / interrupted", 130)


@cache
def _assemble(asked: str = "") -> typer.Typer:
    """All commands, put together once: each time wraps every command in its rule again. Of a group
    or command that is ``asked`` for it alone, so that stopping everything does not wait for the
    statistics."""
    alone = asked in GROUPS or asked.replace("-", "_") in COMMANDS
    for name, (modules, text) in GROUPS.items():
        if alone and name != asked:
            continue
        group = typer.Typer(no_args_is_help=True, help=text)
        for part in modules:
            group.add_typer(importlib.import_module(f"contact_service.cli.{part}").app)
        app.add_typer(group, name=name)
    for name in COMMANDS:
        if alone and name.replace("_", "-") != asked:
            continue
        module = importlib.import_module(f"contact_service.cli.{name}")
        app.command(name.replace("_", "-"))(module.command)
    rules.rule(app)
    return app


def _end(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    sys.exit(code)
