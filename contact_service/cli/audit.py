"""``contact-service audit``: is the audit log whole, and its lines for the office's log system."""

from __future__ import annotations

import json
import re
import socket
import ssl
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
from contact_service.cli.log_system import Transport, address, way
from contact_service.domain.actors import Actor, Role
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
    end = _written(verdict.head)
    if as_json:
        print_json(
            {
                "lines": verdict.lines,
                "open": verdict.open,
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
        str, typer.Option(help="HOST[:PORT] of a syslog server; else standard output.")
    ] = "",
    transport: Annotated[Transport, typer.Option(help="How it gets there.")] = Transport.TCP,
    trusted: Annotated[
        Path | None,
        typer.Option(help="Certificates that the log system is believed by (tls), a PEM file."),
    ] = None,
) -> None:
    """Hand the audit log's lines over: JSON lines, or syslog (RFC 5424) with JSON in it.

    Lines carry identifiers and counts, nobody's name or number; to an auditor of one office, other
    offices' remarks are null. With --state the command also
    finds a chain that was cut off or replaced since the last export, and exits with 1."""
    write = {Format.JSON: _as_json, Format.SYSLOG: _as_syslog}[form]
    exported = _remembered(state)
    with service() as found:
        reader = actor(Role.AUDITOR)
        if exported is not None:
            with found.engine.connect() as connection:
                if exported.digest and not audit_chain.holds(connection, exported):
                    raise fail(_CUT.format(number=exported.sequence))
            after = exported.sequence
        end = exported or Head(after, b"")
        audit_chain.seal(found.engine)
        with found.engine.begin() as connection:
            audit.record(
                connection, found.clock.now(), reader, "audit.exported", form.value, after=after
            )
        with _way_out(to, form, transport, trusted) as give:
            while True:
                with found.engine.connect() as connection:
                    rows = audit_chain.since(connection, end.sequence, PORTION)
                for row in rows:
                    give(write(reader, row))
                if rows:
                    end = Head(rows[-1].sequence, bytes(rows[-1].digest))
                if len(rows) < PORTION:
                    break
        # what did not arrive for sure is sent again: numbers tell what is there twice
        if state is not None and end.digest:
            draft = state.with_name(f".{state.name}.new")
            draft.write_text(f"{_written(end)}\n")
            draft.replace(state)


def _remembered(state: Path | None) -> Head | None:
    """How far the last export came."""
    if state is None or not state.exists():
        return None
    said = state.read_text().strip()
    # files of earlier versions have the number alone
    return Head(int(said), b"") if said.isdecimal() else _head(said, str(state))


_CUT = (
    "前に書き出した{number}番が連鎖にありません。記録が消されたか、入れ替えられています。書き出した控え"
    "と比べ、audit verify --kept で確かめてください / the chain no longer has line {number} as it "
    "was exported: it was cut off or replaced. Compare with what was exported; `audit verify "
    "--kept`"
)


#: What JSON leaves as it is, and some programs take for the end of a line or for a command.
_ENDS_LINES = re.compile("[\x7f-\x9f\u2028\u2029]")


def _as_json(reader: Actor, row: Row[Any]) -> str:
    line = dict(row._mapping) | {"details": audit.told(reader, row)}
    line |= {"ref": str(row.ref), "at": row.at.isoformat(), "digest": bytes(row.digest).hex()}
    told = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
    return _ENDS_LINES.sub(lambda found: f"\\u{ord(found[0]):04x}", told)


#: Facility 13 (log audit), severity 5 (notice): RFC 5424, 6.2.1.
PRIORITY = 13 * 8 + 5


def _as_syslog(reader: Actor, row: Row[Any]) -> str:
    at = row.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    name = "".join(letter for letter in row.action if 33 <= ord(letter) <= 126)[:32] or "-"
    host = socket.gethostname()[:255] or "-"
    # JSON escapes what would break a line; the byte-order mark says that it is UTF-8
    return f"<{PRIORITY}>1 {at} {host} contact-service - {name} - \ufeff{_as_json(reader, row)}"


@contextmanager
def _way_out(
    to: str, form: Format, transport: Transport, trusted: Path | None
) -> Iterator[Callable[[str], object]]:
    if not to:
        yield lambda line: print(line, file=sys.stdout)
        return
    try:
        host, port = address(to, transport)
    except ValueError:
        raise fail(f"{to}: HOST:PORT の形で / must be HOST:PORT", 2) from None
    if form is not Format.SYSLOG:
        raise fail("--to は --format syslog とともに / --to with --format syslog only", 2)
    try:
        with way(host, port, transport, trusted) as give:
            yield give
    except ssl.SSLCertVerificationError as error:
        raise fail(
            f"{to}: 証明書を信用できません。--trusted で認証局の証明書を示してください / its "
            f"certificate is not trusted, name its authority by --trusted: {error.verify_message}"
        ) from None
    except OSError as error:
        raise fail(f"{to}: 送れません / cannot send: {error.strerror or error}") from None


def _written(head: Head) -> str:
    return f"{head.sequence}:{head.digest.hex()}"


def _head(said: str, where: str = "--kept") -> Head:
    number, _, digest = said.partition(":")
    try:
        return Head(int(number), bytes.fromhex(digest))
    except ValueError:
        raise fail(f"{where} は 番号:値 の形で / {where} takes NUMBER:DIGEST", 2) from None
