"""A Modbus server on loopback, or at the end of a serial line, that misbehaves on demand."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
import contextlib
from dataclasses import dataclass, field
import os
from pathlib import Path
import socket
import struct
import tty
from typing import Literal, Self, override

type Framing = Literal["socket", "rtu"]

READ_HOLDING = 3
READ_INPUT = 4
WRITE_SINGLE = 6
WRITE_MULTIPLE = 16


@contextlib.contextmanager
def crowded(port: int = 0) -> Iterator[int]:
    """Hold a port, which is yielded, where whoever comes is neither let in nor sent away."""
    with contextlib.ExitStack() as held:
        full = held.enter_context(socket.create_server(("127.0.0.1", port), backlog=0))
        for _ in range(2):
            place = held.enter_context(socket.socket())
            place.setblocking(False)
            place.connect_ex(full.getsockname())
        yield full.getsockname()[1]


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as it came over the wire; ``at`` is the event loop's time."""

    unit_id: int
    function: int
    address: int
    count: int
    transaction: int
    connection: int
    at: float


type Behaviour = Callable[[Exchange], Awaitable[None]]
"""What the server does about one request."""

type Content = Callable[[Request], list[int]]
"""Which registers a request gets."""


def words_at(request: Request) -> list[int]:
    """Return the registers that a request gets: each tells which unit and address it is."""
    return [
        (request.unit_id << 12 | request.function << 8) + request.address + offset
        for offset in range(request.count)
    ]


@dataclass
class Exchange:
    """One request, and the means to answer it."""

    server: WireServer
    request: Request
    writer: asyncio.StreamWriter

    def reply(self, words: list[int] | None = None) -> bytes:
        """Return the frame that answers the request, with other registers if given."""
        return self.frame(self.pdu(self.words if words is None else words))

    @property
    def words(self) -> list[int]:
        """The registers that the request asks for."""
        return self.server.content(self.request)

    def pdu(self, words: list[int]) -> bytes:
        """Return what a frame holds that answers the request."""
        request = self.request
        content = (
            struct.pack(">HH", request.address, request.count)
            if request.function in (WRITE_SINGLE, WRITE_MULTIPLE)
            else struct.pack(f">B{len(words)}H", 2 * len(words), *words)
        )
        return bytes([request.function]) + content

    def frame(
        self,
        pdu: bytes,
        *,
        unit_id: int | None = None,
        transaction: int | None = None,
    ) -> bytes:
        """Wrap a PDU the way this link is framed."""
        unit_id = self.request.unit_id if unit_id is None else unit_id
        if self.server.framing == "rtu":
            body = bytes([unit_id]) + pdu
            return body + struct.pack("<H", crc16(body))
        if transaction is None:
            transaction = self.request.transaction
        return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit_id) + pdu

    async def send(self, data: bytes) -> None:
        """Send bytes, unless the peer has gone."""
        if self.writer.is_closing():
            return
        with contextlib.suppress(ConnectionError):
            self.writer.write(data)
            await self.writer.drain()

    def hang_up(self) -> None:
        """Close the link."""
        self.writer.close()

    def reset(self) -> None:
        """Drop the link without a goodbye."""
        self.writer.transport.abort()


def crc16(data: bytes) -> int:
    """Return the checksum of an RTU frame."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


async def answer(exchange: Exchange) -> None:
    """Answer as asked."""
    await exchange.send(exchange.reply())


async def silence(exchange: Exchange) -> None:
    """Do not answer."""


def late(seconds: float) -> Behaviour:
    """Answer as asked, but only after a while."""

    async def behave(exchange: Exchange) -> None:
        await asyncio.sleep(seconds)
        await exchange.send(exchange.reply())

    return behave


def registers(count: int) -> Behaviour:
    """Answer in a sound frame with ``count`` registers, whatever was asked for."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(exchange.reply(list(range(count))))

    return behave


def in_two(seconds: float) -> Behaviour:
    """Answer with one register, and with all of them a while later."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(exchange.reply(exchange.words[:1]))
        await asyncio.sleep(seconds)
        await exchange.send(exchange.reply())

    return behave


def closed_after(size: int) -> Behaviour:
    """Send the first ``size`` bytes of the answer, then close the link."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(exchange.reply()[:size])
        exchange.hang_up()

    return behave


async def reset(exchange: Exchange) -> None:
    """Drop the link."""
    exchange.reset()


def stalled_after(size: int) -> Behaviour:
    """Send the first ``size`` bytes of the answer and no more."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(exchange.reply()[:size])

    return behave


def refused(code: int) -> Behaviour:
    """Answer with a Modbus exception."""

    async def behave(exchange: Exchange) -> None:
        pdu = bytes([exchange.request.function | 0x80, code])
        await exchange.send(exchange.frame(pdu))

    return behave


async def from_another_unit(exchange: Exchange) -> None:
    """Answer in the name of another unit."""
    pdu = bytes([exchange.request.function, 2, 0, 1])
    await exchange.send(exchange.frame(pdu, unit_id=exchange.request.unit_id + 1))


async def with_another_transaction(exchange: Exchange) -> None:
    """Answer with the number of another request."""
    number = exchange.request.transaction + 7
    pdu = exchange.reply()[7:]
    await exchange.send(exchange.frame(pdu, transaction=number))


async def unnumbered(exchange: Exchange) -> None:
    """Answer something that was not asked for, with the number 0."""
    words = [word ^ 0x0FF0 for word in exchange.words]
    await exchange.send(exchange.frame(exchange.pdu(words), transaction=0))


async def with_another_function(exchange: Exchange) -> None:
    """Answer a question for the other kind of registers."""
    function = READ_HOLDING + READ_INPUT - exchange.request.function
    pdu = bytes([function]) + exchange.pdu(exchange.words)[1:]
    await exchange.send(exchange.frame(pdu))


def flipped(bit: int) -> Behaviour:
    """Answer with one bit of the frame's content the wrong way round, as a bad line does."""

    async def behave(exchange: Exchange) -> None:
        frame = bytearray(exchange.reply())
        at = (1 if exchange.server.framing == "rtu" else 7) + bit // 8
        frame[at] ^= 1 << bit % 8
        await exchange.send(bytes(frame))

    return behave


def twice(seconds: float) -> Behaviour:
    """Answer as asked, and again a while later."""

    async def behave(exchange: Exchange) -> None:
        reply = exchange.reply()
        await exchange.send(reply)
        await asyncio.sleep(seconds)
        await exchange.send(reply)

    return behave


def after_noise(data: bytes) -> Behaviour:
    """Answer as asked, behind bytes that mean nothing."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(data + exchange.reply())

    return behave


async def with_unknown_function(exchange: Exchange) -> None:
    """Answer in a sound frame that no Modbus client can read."""
    await exchange.send(exchange.frame(b"\x55\x00"))


def noise(data: bytes) -> Behaviour:
    """Answer with bytes that mean nothing."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(data)

    return behave


@dataclass
class WireServer:
    """Answers every request as asked, unless ``script`` holds what to do about the next one."""

    framing: Framing = "socket"
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    script: deque[Behaviour] = field(default_factory=deque)
    default: Behaviour = answer
    content: Content = words_at
    connections: int = 0
    overlaps: int = 0
    _pending: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self) -> Self:
        """Listen, on the same port as before if it was stopped."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Stop listening and drop every link."""
        assert self._server is not None
        self._server.close()
        await self._end()
        await self._server.wait_closed()

    async def _end(self) -> None:
        for writer in set(self._writers):
            writer.transport.abort()
        for task in set(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def open_links(self) -> int:
        """How many links are open now."""
        return len(self._writers)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        connection = self.connections
        self._writers.add(writer)
        self._keep(asyncio.current_task())
        try:
            while True:
                request = await self._receive(reader, connection)
                self.requests.append(request)
                self._behave(Exchange(self, request, writer))
        except asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _receive(self, reader: asyncio.StreamReader, connection: int) -> Request:
        if self.framing == "rtu":
            frame = await reader.readexactly(8)
            transaction = 0
        else:
            transaction, _, length = struct.unpack(">HHH", await reader.readexactly(6))
            frame = await reader.readexactly(length)
        unit_id, function, address, count = struct.unpack(">BBHH", frame[:6])
        return Request(
            unit_id=unit_id,
            function=function,
            address=address,
            count=count,
            transaction=transaction,
            connection=connection,
            at=asyncio.get_running_loop().time(),
        )

    def _behave(self, exchange: Exchange) -> None:
        """Run the behaviour aside, so that the next request is seen meanwhile."""
        behaviour = self.script.popleft() if self.script else self.default
        self.overlaps += self._pending > 0
        self._pending += 1

        async def run() -> None:
            try:
                await behaviour(exchange)
            finally:
                self._pending -= 1

        self._keep(asyncio.create_task(run()))

    def _keep(self, task: asyncio.Task[None] | None) -> None:
        """Have a task ended with the server."""
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


@dataclass
class SerialServer(WireServer):
    """The same behind a serial port: who hangs up is unplugged, and plugged in again."""

    framing: Framing = "rtu"
    device: Path = field(kw_only=True)
    """Where the port is found, whatever its name is at the moment."""
    _far: int = -1

    @override
    async def start(self) -> Self:
        """Plug in."""
        near, self._far = os.openpty()
        tty.setraw(near)
        tty.setraw(self._far)
        self.device.unlink(missing_ok=True)
        self.device.symlink_to(os.ttyname(self._far))
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        reading, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(near, "rb", 0)
        )
        writing, protocol = await loop.connect_write_pipe(
            lambda: _EndOfLine(reader), os.fdopen(os.dup(near), "wb", 0)
        )
        writer = asyncio.StreamWriter(writing, protocol, reader, loop)
        self._keep(asyncio.create_task(self._attend(reader, reading, writer)))
        return self

    @override
    async def stop(self) -> None:
        """Pull the plug for good."""
        self.device.unlink(missing_ok=True)
        await self._end()

    @property
    @override
    def open_links(self) -> int:
        """How many others than this server have the port open now."""
        opened = [file.resolve() for file in Path("/proc/self/fd").iterdir()]
        return opened.count(self.device.resolve()) - 1

    async def _attend(
        self,
        reader: asyncio.StreamReader,
        reading: asyncio.ReadTransport,
        writer: asyncio.StreamWriter,
    ) -> None:
        await self._serve(reader, writer)
        reading.close()
        os.close(self._far)
        if self.device.is_symlink():
            await self.start()


class _EndOfLine(asyncio.streams.FlowControlMixin):
    """Lets the reader of a line know that its writer was closed."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        super().__init__()
        self._reader = reader

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._reader.feed_eof()
