"""``contact-service up``: everything on this machine, until Ctrl-C."""

from __future__ import annotations

import fcntl
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import typer

from contact_service import logs
from contact_service.bootstrap import Service, running
from contact_service.cli.common import fail
from contact_service.clock import TOKYO
from contact_service.demo.people import people
from contact_service.demo.residents import write_residents
from contact_service.demo.run import NothingKept, kept
from contact_service.dispatch import providers
from contact_service.domain.actors import SYSTEM, Role
from contact_service.embedded.process import CannotStart
from contact_service.identity import accounts
from contact_service.planning.runs import CannotDo
from contact_service.settings import settings
from contact_service.stack import Stack

READY_SECONDS = 90.0
#: The account that is made where there is none.
FIRST = "admin"


def command(
    workers: int = typer.Option(2, min=1, help="How many worker processes."),
    carrier: bool = typer.Option(True, help="Start the simulated carrier too."),
    demo: bool = typer.Option(False, "--demo", help="The office that demo --keep left."),
) -> None:
    """Start servers, web, workers, beat and the simulated carrier; Ctrl-C stops them cleanly.

    Where the providers file names SIP trunks, their media processes run too.

    With ``--demo`` it is the sample ward as the demo left it, on the day on which its report was
    written: nothing is due there any more, and there is an account for each role.

    A second Ctrl-C ends everything at once.
    """
    try:
        chosen = kept(settings()) if demo else settings()
    except NothingKept as error:
        raise fail(str(error)) from None
    logs.configure("console", level=30)
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        with _only_one(chosen.state_dir), running(chosen) as service:
            if carrier:
                _settle_residents(service)
            trunks = [item.name for item in providers.configured(chosen) if item.adapter == "sip"]
            stack = Stack(
                service.settings, workers=workers, carrier=carrier, trunks=trunks, report=_say
            )
            try:
                _say("起動しています / starting …")
                stack.start()
                stack.wait_ready(READY_SECONDS)
                if demo:
                    _say_people(service)
                else:
                    _first_account(service)
                _say(f"起動しました（Ctrl-C で終了） / ready, Ctrl-C stops it: {stack.web_url}")
                stack.wait()
            except KeyboardInterrupt:
                _say("\n終了しています / stopping …")
            finally:
                stack.stop()
    except CannotStart as error:
        raise fail(str(error)) from error
    except KeyboardInterrupt:  # before the stack ran, or a second time
        pass
    _say("終了しました / stopped")


def _first_account(service: Service) -> None:
    """On a machine where nobody can sign in yet: an administrator, with a password of its own
    that stands here only and must be changed at first sign-in."""
    with service.engine.connect() as connection:
        if accounts.accounts(connection):
            return
    password = accounts.add(service, SYSTEM, FIRST, "管理者", Role.ADMINISTRATOR)
    _say(
        f"最初の利用者 {FIRST} のパスワード（今だけ表示。最初のサインインで変えます） / the first "
        f"user is {FIRST}; the password, shown once, to be changed at first sign-in: {password}"
    )


def _say_people(service: Service) -> None:
    day = service.clock.now().astimezone(TOKYO).date()
    _say(
        f"見本の区は {day} のままです（訓練用データ。だれにも連絡しません） / the sample ward, "
        "where it stays that day: training data, nobody is contacted"
    )
    _say("利用者とパスワード（最初のサインインで変えます） / users, passwords to be changed:")
    for name, password in people(service).items():
        _say(f"  {name:<14}{password}")


def _settle_residents(service: Service) -> None:
    """Let the people of the ledger live in the simulation, where they are training data."""
    path = service.settings.state_dir / "residents.jsonl"
    try:
        people = write_residents(service, SYSTEM, path)
    except CannotDo as error:
        _say(str(error))
        path.unlink(missing_ok=True)
    else:
        _say(
            f"模擬の住民 {people:,} 人（この後に取り込んだ人は、次の起動から住みます） / simulated "
            f"residents: {people:,}; whoever is imported from now on lives there after a restart"
        )


@contextmanager
def _only_one(state: Path) -> Iterator[None]:
    """Raise :class:`CannotStart` while another ``up`` runs on the same state folder."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        lock = (state / "up.lock").open("w")
    except OSError as error:
        raise CannotStart(
            f"{state} を使えません。CONTACT_STATE_DIR を変えてください / cannot be used "
            f"({error.strerror}): set CONTACT_STATE_DIR"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotStart(
                f"すでに起動しています（{state.resolve()}） / already running: open "
                f"{settings().public_url}, or stop the other one with Ctrl-C"
            ) from error
        yield


def _as_interrupt(_: int, __: FrameType | None) -> None:
    """A polite end from outside is what Ctrl-C is."""
    raise KeyboardInterrupt


def _say(text: str) -> None:
    typer.echo(text)
