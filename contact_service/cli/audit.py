"""``contact-service audit``: is the audit log whole, and its lines for the office's log system."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Row

from contact_service.cli.common import actor, fail, print_json, service
from contact_service.domain.actors import Role
from contact_service.store import audit, audit_chain
from contact_service.store.audit_chain import Head

app = typer.Typer(no_args_is_help=True)
PORTION = 1000


class Format(StrEnum):
    """How lines are written."""

    JSON = "json"
    SYSLOG = "syslog"


@app.command("verify")
def verify(
    kept: Annotated[
        str, typer.Option(help="An end of the chain that you noted down earlier: NUMBER:DIGEST.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find every line that was changed, removed or put in by hand; exits with 1 if there is one.

    Note the end of the chain down somewhere else: a chain that was cut off is found by it."""
    noted = _head(kept) if kept else None
    with service() as found:
        audit_chain.seal(found.engine)
        verdict = audit_chain.verify(found.engine, actor(Role.AUDITOR), noted)
    end = f"{verdict.head.sequence}:{verdict.head.digest.hex()}"
    if as_json:
        print_json(
            {
                "lines": verdict.lines,
                "open": verdict.open,
                "unproven": verdict.unproven,
                "end": end,
                "faults": verdict.faults,
            }
        )
    else:
        for fault in verdict.faults:
            typer.echo(fault, err=True)
        typer.echo(
            f"{verdict.lines:,}件を確かめました / lines looked at\n"
            f"連鎖の終わり（控えてください） / the end of the chain, to be noted down: {end}"
        )
    if verdict.faults:
        raise typer.Exit(1)


@app.command("export")
def export(
    form: Annotated[Format, typer.Option("--format", help="How lines are written.")] = Format.JSON,
    after: Annotated[int, typer.Option(help="Only lines after this number of the chain.")] = 0,
    state: Annotated[
        Path | None,
        typer.Option(
            help="A file that remembers how far the last export came; instead of --after."
        ),
    ] = None,
    to: Annotated[
        str, typer.Option(help="HOST:PORT of a syslog server (TCP); else standard output.")
    ] = "",
) -> None:
    """Hand the audit log's lines over: JSON lines, or syslog (RFC 5424) with JSON in it.

    Lines carry identifiers and counts, nobody's name or number."""
    if state is not None and state.exists():
        after = int(state.read_text())
    write = {Format.JSON: _as_json, Format.SYSLOG: _as_syslog}[form]
    with service() as found, _way_out(to, form) as give:
        audit_chain.seal(found.engine)
        with found.engine.begin() as connection:
            audit.record(
                connection, found.clock.now(), actor(Role.AUDITOR), "audit.exported", form.value,
                after=after,
            )  # fmt: skip
        while True:
            with found.engine.connect() as connection:
                rows = audit_chain.since(connection, after, PORTION)
            for row in rows:
                give(write(row))
            if rows:
                after = rows[-1].sequence
                if state is not None:
                    state.write_text(f"{after}\n")
            if len(rows) < PORTION:
                break


def _as_json(row: Row[Any]) -> str:
    line = dict(row._mapping)
    line |= {"ref": str(row.ref), "at": row.at.isoformat(), "digest": bytes(row.digest).hex()}
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"))


#: Facility 13 (log audit), severity 5 (notice): RFC 5424, 6.2.1.
PRIORITY = 13 * 8 + 5


def _as_syslog(row: Row[Any]) -> str:
    at = row.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    name = "".join(letter for letter in row.action if 33 <= ord(letter) <= 126)[:32] or "-"
    host = socket.gethostname()[:255] or "-"
    # JSON escapes what would break a line; the byte-order mark says that it is UTF-8
    return f"<{PRIORITY}>1 {at} {host} contact-service - {name} - \ufeff{_as_json(row)}"


@contextmanager
def _way_out(to: str, form: Format) -> Iterator[Callable[[str], None]]:
    if not to:
        yield lambda line: print(line, file=sys.stdout)
        return
    host, _, port = to.rpartition(":")
    if not port.isdecimal() or form is not Format.SYSLOG:
        raise fail("--to HOST:PORT は --format syslog とともに / with --format syslog only", 2)
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=10) as connection:
            yield lambda line: connection.sendall(_counted(line.encode()))
    except OSError as error:
        raise fail(f"{to}: 送れません / cannot send: {error.strerror or error}") from None


def _counted(message: bytes) -> bytes:
    """A message on a stream, by octet counting (RFC 6587, 3.4.1)."""
    return b"%d %b" % (len(message), message)


def _head(said: str) -> Head:
    number, _, digest = said.partition(":")
    try:
        return Head(int(number), bytes.fromhex(digest))
    except ValueError:
        raise fail("--kept は 番号:値 の形で / --kept takes NUMBER:DIGEST", 2) from None
