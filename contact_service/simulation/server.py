"""How the application is served: uvicorn, with the connection within reach of the faults."""

from __future__ import annotations

import asyncio
import socket
import struct

import uvicorn
from starlette.types import ASGIApp, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_TRANSPORT = "simulation.transport"
#: Linger for no time: closing sends a reset instead of an orderly end.
_RESET = struct.pack("ii", 1, 0)


class ReachableConnection(HttpToolsProtocol):
    """Lets the application break its own connection, as a failing carrier does."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {_TRANSPORT: {"transport": self.transport}}


def break_connection(scope: Scope, *, reset: bool) -> None:
    """Close the request's connection without a word, or with a TCP reset."""
    transport: asyncio.Transport = scope["extensions"][_TRANSPORT]["transport"]
    if reset:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()


def server_for(app: ASGIApp, host: str, port: int) -> uvicorn.Server:
    """A server for the simulation; it ends cleanly on SIGTERM and SIGINT."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http=ReachableConnection,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            backlog=4096,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=2,
        )
    )
