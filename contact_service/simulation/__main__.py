"""``python -m contact_service.simulation``: carrier, residents and centre in one process."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from pathlib import Path

from contact_service import logs
from contact_service.clock import clock_from
from contact_service.simulation.app import Situation, simulation
from contact_service.simulation.carrier.assembly import Account
from contact_service.simulation.residents.population import UnreadableResidents, load
from contact_service.simulation.server import server_for


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit status."""
    given = _parser().parse_args(arguments)
    logs.configure()
    try:
        situation = Situation(
            clock=clock_from(given.clock),
            population=load(given.residents),
            folder=given.outbox,
            seed=given.seed,
            account=Account(given.account, _secret(given.auth_token_file)),
            service_url=given.service_url.rstrip("/"),
            api_token=_secret(given.api_token_file),
            centre_number=given.centre_number,
            operators=0 if given.no_centre else given.operators,
        )
        app, _ = simulation(situation)
    except (UnreadableResidents, OSError, ValueError) as fault:
        print(f"模擬環境を起動できません / the simulation cannot start: {fault}", file=sys.stderr)
        return 2
    with suppress(KeyboardInterrupt):  # the server has ended cleanly; the shell knows why
        server_for(app, given.host, given.port).run()
    return 0


def _secret(path: Path) -> str:
    return path.read_text().strip()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="contact_service.simulation", description=__doc__)
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=8010)
    add("--clock", default="system", help="system, or file:PATH")
    add("--residents", type=Path, required=True, help="residents.jsonl")
    add("--outbox", type=Path, required=True, help="where files for the office are written")
    add("--seed", required=True)
    add("--service-url", required=True, help="the service whose operators work here")
    add("--api-token-file", type=Path, required=True, help="bearer token of the service's API")
    add("--account", required=True, help="the account's identifier at the carrier (AC…)")
    add("--auth-token-file", type=Path, required=True, help="the account's secret")
    add("--centre-number", required=True, help="the centre's number, E.164")
    add("--operators", type=int, default=6)
    add("--no-centre", action="store_true", help="no operators and no inbound calls")
    return parser


if __name__ == "__main__":
    sys.exit(main())
