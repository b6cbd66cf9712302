"""``contact-service certificate``: a server's own certificate for inside the deployment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from contact_service import certificates
from contact_service.cli.common import fail
from contact_service.clock import SystemClock


def command(
    names: Annotated[
        list[str], typer.Argument(help="Host names or addresses by which the server is asked.")
    ],
    folder: Annotated[Path, typer.Option(help="Where its certificate and key are kept.")],
) -> None:
    """Make a server's certificate, unless it has one that holds for half a year yet.

    In the folder: `server.pem` for the server, key and certificate; `trusted.crt` for those who ask
    it and believe nobody else.
    """
    try:
        made = certificates.renew(folder, names, SystemClock().now())
        until = certificates.ends(folder)
    except (OSError, ValueError) as error:
        raise fail(
            f"{folder}: 証明書を作れません。書込み権限と中身を確かめてください / "
            f"cannot make a certificate: check who may write there, and what is there ({error})"
        ) from error
    assert until is not None
    said = "証明書を作りました / made" if made else "証明書は有効です / it holds"
    typer.echo(f"{names[0]}: {said} – {until:%Y-%m-%d}")
