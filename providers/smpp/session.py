"""One bound connection: a window of requests, keep-alive, and what comes in unasked."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress

from providers.http import MaybeSent, NotSent
from providers.smpp import codec
from providers.smpp.codec import BadPdu, Pdu
from providers.smpp.options import SmppOptions

QUEUE_FULL = 0x14
SYSTEM_ERROR = 0x08
INVALID_COMMAND = 0x03


class BindRefused(Exception):
    """The carrier does not accept the account; ``status`` is its word."""

    def __init__(self, status: int) -> None:
        super().__init__(f"bind refused: 0x{status:02x}")
        self.status = status


class Session:
    """Bound as transceiver. ``deliver`` takes what comes in, and says whether there was room."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        options: SmppOptions,
        deliver: Callable[[Session, Pdu], bool],
    ) -> None:
        self._reader, self._writer = reader, writer
        self._options = options
        self._deliver = deliver
        self._sequence = 0
        self._asked: dict[int, asyncio.Future[Pdu]] = {}
        self._window = asyncio.Semaphore(options.window)
        self._heard = asyncio.get_running_loop().time()
        self.closed = False
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def bind(cls, options: SmppOptions, deliver: Callable[[Session, Pdu], bool]) -> Session:
        """Connect and bind. Raises :class:`NotSent` and :class:`BindRefused`."""
        context = _tls(options)
        try:
            reader, writer = await asyncio.wait_for(
                asyncio.open_connection(options.host, options.port, ssl=context),
                options.connect_timeout,
            )
        except (OSError, TimeoutError, ssl.SSLError) as error:
            raise NotSent(f"no connection: {type(error).__name__}") from None
        session = cls(reader, writer, options, deliver)
        session._tasks.append(asyncio.create_task(session._read()))
        try:
            answer = await session.ask(
                "bind_transceiver",
                system_id=options.system_id,
                password=options.password.get_secret_value(),
                system_type=options.system_type,
            )
        except MaybeSent as error:
            await session.close()
            raise NotSent(f"no answer to the bind: {error}") from None  # no message has left
        if answer.status:
            await session.close()
            raise BindRefused(answer.status)
        session._tasks.append(asyncio.create_task(session._keep_alive()))
        return session

    async def ask(self, command: str, **fields: object) -> Pdu:
        """Send a request and wait for its answer, within the window.

        Raises :class:`NotSent` when the connection was gone before anything was written, and
        :class:`MaybeSent` when no answer came.
        """
        try:
            await asyncio.wait_for(self._window.acquire(), self._options.response_timeout / 2)
        except TimeoutError:
            raise NotSent("the window is full") from None
        try:
            if self.closed:
                raise NotSent("the connection is closed")
            self._sequence = self._sequence % 0x7FFF_FFFE + 1
            sequence = self._sequence
            future: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
            self._asked[sequence] = future
            try:
                if fields:
                    self._write(codec.encode(command, sequence, fields))
                else:
                    self._write(codec.bare(command, sequence))
                return await asyncio.wait_for(future, self._options.response_timeout)
            except TimeoutError:
                raise MaybeSent("no answer in time") from None
            finally:
                del self._asked[sequence]
        finally:
            self._window.release()

    def answer(self, sequence: int, status: int = 0) -> None:
        """Acknowledge what came in, or say why not."""
        if not self.closed:
            self._write(codec.deliver_sm_resp(sequence, status))

    async def close(self) -> None:
        """Unbind if possible, and let go."""
        if not self.closed:
            with suppress(NotSent, MaybeSent):
                await asyncio.wait_for(self.ask("unbind"), 0.5)
        self._end("closed")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(OSError, ssl.SSLError):
            await self._writer.wait_closed()

    def _write(self, data: bytes) -> None:
        self._writer.write(data)

    def _end(self, why: str) -> None:
        if self.closed:
            return
        self.closed = True
        self._writer.close()
        for future in self._asked.values():
            if not future.done():
                # it was written; whether it arrived nobody knows
                future.set_exception(MaybeSent(f"the connection ended: {why}"))

    async def _read(self) -> None:
        why = "closed by the carrier"
        try:
            while True:
                header = await self._reader.readexactly(codec.HEADER)
                body = await self._reader.readexactly(codec.length(header) - codec.HEADER)
                self._heard = asyncio.get_running_loop().time()
                self._take(header + body)
        except (asyncio.IncompleteReadError, OSError, ssl.SSLError):
            pass
        except BadPdu:
            why = "not SMPP"  # where the next one begins is unknown
        self._end(why)

    def _take(self, data: bytes) -> None:
        try:
            pdu = codec.decode(data)
        except BadPdu as error:
            command, sequence, _ = error.args
            if command == "deliver_sm":
                self.answer(sequence, SYSTEM_ERROR)  # kept there; we cannot read it
            elif sequence in self._asked and not self._asked[sequence].done():
                self._asked[sequence].set_exception(MaybeSent("an unreadable answer"))
            return
        match pdu.command:
            case "deliver_sm":
                if not self._deliver(self, pdu):
                    self.answer(pdu.sequence, QUEUE_FULL)
            case "enquire_link":
                self._write(codec.bare("enquire_link_resp", pdu.sequence))
            case "unbind":
                self._write(codec.bare("unbind_resp", pdu.sequence))
                self._end("unbound by the carrier")
            case command if command.endswith("_resp") or command == "generic_nack":
                future = self._asked.get(pdu.sequence)
                if future is not None and not future.done():
                    future.set_result(pdu)
            case _:
                self._write(codec.bare("generic_nack", pdu.sequence, INVALID_COMMAND))

    async def _keep_alive(self) -> None:
        loop, every = asyncio.get_running_loop(), self._options.enquire_link
        while not self.closed:
            quiet = loop.time() - self._heard
            if quiet < every:
                await asyncio.sleep(every - quiet)
                continue
            try:
                await self.ask("enquire_link")
            except (NotSent, MaybeSent):
                self._end("no answer to enquire_link")


def _tls(options: SmppOptions) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=options.ca_file) if options.tls else None
