"""The service's processes on one machine: simulated carrier, web, trunks, workers, beat.

``make up``, the demo and the crash tests run this; a real deployment describes the same
processes to its own supervisor (``docker-compose.yml``).
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr
from pydantic_core import to_json

from contact_service.embedded.home import write_privately
from contact_service.embedded.process import CannotStart, free_port
from contact_service.generated import generated_secret
from contact_service.settings import Settings
from contact_service.supervision import LONGEST_WAIT, Part, Supervisor

QUEUES = "urgent,dispatch,housekeeping"
#: The arguments of one worker: one process, one message at a time. More load takes more
#: workers; a worker that dies takes one batch with it.
APP = "contact_service.worker"
WORKER = (
    "-A", APP, "worker", "--queues", QUEUES, "--pool", "solo",
    "--concurrency", "1", "--without-gossip", "--without-mingle", "--without-heartbeat",
)  # fmt: skip
#: A trunk lets residents hear the end for 25 seconds; then it takes leave of the line.
TRUNK_STOP_SECONDS = 35.0
ACCOUNT = "AC" + "0" * 32
"""The simulated carrier's account, as ``dispatch.providers.simulated`` names it."""


class Stack(Supervisor):
    """All processes for one office, on the servers that ``settings`` name.

    A port of 0, in ``web_port`` or ``carrier_url``, becomes a free one: ``settings`` of the
    stack has what was chosen. ``residents`` and ``seed`` are the simulated carrier's; without
    ``carrier`` none is started. ``trunks`` are the SIP trunks of the providers file, by name: each
    gets its media process. The crash tests run workers of an ``app`` that dies on command,
    several ``beats``, and do not wait as long for a part that keeps dying. Raises
    :class:`CannotStart` when a port is taken.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        workers: int = 2,
        carrier: bool = True,
        trunks: Sequence[str] = (),
        residents: Path | None = None,
        seed: int = 1,
        report: Callable[[str], None] = print,
        app: str = APP,
        beats: int = 1,
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        self.settings = _with_ports(settings)
        parts = [_worker(number, app) for number in range(1, workers + 1)]
        parts.append(_web(self.settings))
        parts += [_beat(self.settings, number) for number in range(1, beats + 1)]
        parts += [_trunk(name) for name in trunks]
        if carrier:
            parts.append(_carrier(self.settings, residents, seed))
        for url in [self.web_url] + ([self.settings.carrier_url] if carrier else []):
            _must_be_free(url)
        self.settings.state_dir.mkdir(parents=True, exist_ok=True)
        _make_tokens(self.settings)
        logs = self.settings.state_dir / "logs"
        super().__init__(parts, logs, environment(self.settings), report, longest_wait)

    @property
    def web_url(self) -> str:
        """Where the console is."""
        return f"http://{self.settings.web_host}:{self.settings.web_port}"


def environment(settings: Settings) -> dict[str, str]:
    """Our environment with ``settings`` in it, for a child process."""
    values = {name: getattr(settings, name) for name in Settings.model_fields}
    ours = {
        f"CONTACT_{name.upper()}": _written(value)
        for name, value in values.items()
        if value is not None
    }
    return {**os.environ, **ours}


def _written(value: object) -> str:
    """As the settings read it: tables and lists as JSON, everything else as it is."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Mapping | frozenset):
        return to_json(value).decode()
    return str(value)


def _with_ports(settings: Settings) -> Settings:
    changes: dict[str, object] = {"state_dir": settings.state_dir.resolve()}
    if settings.web_port == 0:
        changes["web_port"] = port = free_port()
        changes["public_url"] = f"http://{settings.web_host}:{port}"
    if urlsplit(settings.carrier_url).port == 0:
        changes["carrier_url"] = f"http://127.0.0.1:{free_port()}"
    return settings.model_copy(update=changes)


def _web(settings: Settings) -> Part:
    host, port = settings.web_host, str(settings.web_port)
    return Part(
        "web",
        (sys.executable, "-m", "uvicorn", "contact_service.web.app:app", "--host", host,
         "--port", port, "--no-access-log", "--timeout-graceful-shutdown", "5"),
        stage=1,
        address=f"http://{host}:{port}/healthz",
    )  # fmt: skip


def _trunk(name: str) -> Part:
    """It asks web what to say, and workers hand calls to it: after the one, before the others."""
    return Part(
        f"trunk-{name}",
        (sys.executable, "-m", "contact_service.cli", "trunk", name),
        stage=2,
        phrase="trunk.ready",
        stop_seconds=TRUNK_STOP_SECONDS,
    )


def _worker(number: int, app: str) -> Part:
    arguments = [app if argument == APP else argument for argument in WORKER]
    return Part(
        f"worker-{number}",
        (sys.executable, "-m", "celery", *arguments, "--hostname", f"worker-{number}@%h"),
        stage=3,
        phrase="worker.ready",
        stop_seconds=30.0,
    )


def _beat(settings: Settings, number: int) -> Part:
    name = "beat" if number == 1 else f"beat-{number}"
    command = ("-A", APP, "beat", "--schedule", str(settings.state_dir / name))
    return Part(name, (sys.executable, "-m", "celery", *command), stage=4)


def _carrier(settings: Settings, residents: Path | None, seed: int) -> Part:
    address = urlsplit(settings.carrier_url)
    state = settings.state_dir
    if residents is None:
        residents = state / "residents.jsonl"
        residents.touch(mode=0o600)  # nobody lives there yet
    options = {
        "host": address.hostname or "127.0.0.1",
        "port": address.port or 80,
        "clock": settings.clock,
        "residents": residents.resolve(),
        "outbox": state / "outbox",
        "seed": seed,
        "service-url": settings.public_url,
        "api-token-file": state / "api-token",
        "account": ACCOUNT,
        "auth-token-file": state / "carrier-token",
        "centre-number": settings.office_phone,
    }
    arguments = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
    return Part(
        "carrier",
        (sys.executable, "-m", "contact_service.simulation", *arguments),
        stage=0,
        address=f"{settings.carrier_url}/simulation/state",
    )


def _make_tokens(settings: Settings) -> None:
    """See that the shared secrets lie where the carrier reads them."""
    folder = settings.state_dir
    generated_secret(folder, "carrier-token")
    if settings.api_token is None:
        generated_secret(folder, "api-token")
    else:
        write_privately(folder / "api-token", settings.api_token.get_secret_value())


def _must_be_free(url: str) -> None:
    address = urlsplit(url)
    host, port = address.hostname or "127.0.0.1", address.port or 80
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(
                f"{host}:{port} を使えません。ほかのプログラムが使用中なら止めるか、"
                "CONTACT_WEB_PORT・CONTACT_CARRIER_URL を変えてください / cannot be used "
                f"({error.strerror}): stop the program that uses it, or set CONTACT_WEB_PORT "
                "or CONTACT_CARRIER_URL"
            ) from error
