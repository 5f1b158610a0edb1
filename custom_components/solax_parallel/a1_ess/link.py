"""One guarded Modbus connection per endpoint."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
import contextlib
from contextvars import ContextVar
import logging
from typing import Any, override

from modbus_connection import (
    ClientClosedError,
    ModbusConnectionError,
    ModbusError,
    ModbusProtocolError,
    ModbusSerialParams,
    ModbusTcpParams,
    ModbusTimeoutError,
)
from modbus_connection.pymodbus import ModbusConnection, PymodbusUnit
from pymodbus.client.base import ModbusBaseClient

from .framing import StrictRtuFramer, StrictSocketFramer

type LinkParams = ModbusTcpParams | ModbusSerialParams

_MOST_UNASKED = 0x100000
"""How many bytes may come in while nobody waits for any: in minutes, a busy line carries less."""

_our_exchange = ContextVar("our_exchange", default=False)


def _raised_anyway(record: logging.LogRecord) -> bool:
    """Drop what pymodbus logs on our behalf: it raises the same, and we report it once."""
    return not _our_exchange.get() or record.levelno < logging.WARNING


logging.getLogger("pymodbus.logging").addFilter(_raised_anyway)


class LinkLostError(ModbusConnectionError):
    """The link went down under a request."""


class Link(ModbusConnection):
    """A connection that carries one request at a time and never hands on a doubtful reply.

    pymodbus, as measured on 3.13.1, takes a short reply for a good one, waits out the whole
    timeout when the peer has closed the link, hides a cancellation behind a timeout, and with
    RTU framing takes a late reply for the answer to the next request. Each is put right here.
    """

    def __init__(
        self, params: LinkParams, *, timeout: float, message_spacing: float
    ) -> None:
        """Prepare the link to ``params``; nothing is sent before the first request.

        ``timeout`` is what one request may take and ``message_spacing`` the silence kept
        between two requests, both in seconds.
        """
        super().__init__(params, timeout=timeout, message_spacing=message_spacing)
        self._turn = asyncio.Lock()
        self._lost: asyncio.Future[None] | None = None
        self._opening: ModbusBaseClient | None = None
        self._unasked = 0
        self.on_connection_lost(self._fail_waiting)
        # RTU frames carry no transaction number, so a reply can't be matched to its request.
        self._unnumbered = (
            isinstance(params, ModbusSerialParams) or params.framer != "socket"
        )
        self._framer = StrictRtuFramer() if self._unnumbered else StrictSocketFramer()

    @override
    async def connect(self) -> None:
        """Open the link unless it is open; raises ``ModbusConnectionError`` when it can't be."""
        if self._closed:
            raise ClientClosedError("the link is closed")
        if self._client is not None:
            return
        if (task := self._connect_task) is None:
            # What the link receives is handled in the context that opened it.
            token = _our_exchange.set(True)
            task = self._connect_task = asyncio.create_task(self._do_connect())
            _our_exchange.reset(token)
            task.add_done_callback(self._connect_done)
        # Others may wait for the same attempt, so a cancellation here leaves it alone.
        await asyncio.wait({task})
        if task.cancelled():
            raise ModbusConnectionError("the link was dropped while it was opened")
        try:
            task.result()
        except ModbusError, ValueError:
            # The cause names the address, and this ends up in logs that are shown to others.
            raise ModbusConnectionError("the link can't be opened") from None

    @override
    async def _create_client(self) -> ModbusBaseClient:
        client = await super()._create_client()
        client.ctx.framer = self._framer
        client.ctx.trace_packet = self._watch
        self._opening = client
        return client

    def _watch(self, sending: bool, packet: bytes) -> bytes:
        """Drop the link to a peer that sends and sends while nobody waits for anything."""
        if sending:
            self._unasked = 0
        elif not self._turn.locked():
            self._unasked += len(packet)
            if self._unasked > _MOST_UNASKED and self._client is not None:
                self._client.ctx.transport.abort()
        return packet

    @override
    async def _do_connect(self) -> None:
        try:
            await super()._do_connect()
        except asyncio.CancelledError:
            # It may be open already: pymodbus waits a little once it is.
            if self._opening is not None:
                self._opening.close()
            raise
        finally:
            self._opening = None

    @override
    async def disconnect(self) -> None:
        """Drop the link, or give up opening it; whoever listens for its loss is told of it too."""
        if (task := self._connect_task) is not None:
            task.cancel()
            await asyncio.wait({task})
        was_open = self.connected
        await super().disconnect()
        if was_open:
            self._lost_callbacks.fire()

    @override
    def for_unit(self, unit_id: int) -> LinkUnit:
        """Return the unit with this Modbus id."""
        return LinkUnit(self, unit_id)

    @property
    def reply_time(self) -> float:
        """What the latest reply has taken, in s."""
        return self._framer.seconds

    async def exchange[T](self, request: Coroutine[Any, Any, T]) -> T:
        """Run one request alone on the link and return its result.

        Raises ``ModbusConnectionError`` as soon as the link is lost, ``ModbusTimeoutError``
        when nothing came in time, and whatever else ``request`` raises.
        """
        try:
            await self._turn.acquire()
        except asyncio.CancelledError:
            request.close()
            raise
        self._lost = lost = asyncio.get_running_loop().create_future()
        token = _our_exchange.set(True)
        answer = asyncio.ensure_future(request)
        _our_exchange.reset(token)
        try:
            await asyncio.wait({answer, lost}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise LinkLostError("the link was lost while waiting for a reply")
            return answer.result()
        finally:
            if _is_doubtful(answer):
                clearing = asyncio.ensure_future(self._clear(answer))
                clearing.add_done_callback(lambda _: self._turn.release())
                # A second cancellation must not cut it short.
                await asyncio.shield(clearing)
            else:
                self._turn.release()

    async def _clear(self, answer: asyncio.Future[Any]) -> None:
        """Leave nothing behind that the next request could take for its own answer."""
        if not answer.done():
            answer.cancel()
            # Whatever it raises is taken note of: nobody asks for it any more.
            await asyncio.gather(answer, return_exceptions=True)
        # Half a frame throws every later one out of step, numbered or not.
        untidy = self._unnumbered or self._framer.waste > 0
        if untidy and self.connected:
            # An error here would hide how the request ended, and the link is gone anyway.
            with contextlib.suppress(ModbusConnectionError):
                await self.disconnect()

    @override
    async def _close_client(self, client: Any) -> None:
        # pymodbus would let a request that still waits run into its timeout.
        self._fail_waiting()
        await super()._close_client(client)

    def _fail_waiting(self) -> None:
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(None)


class LinkUnit(PymodbusUnit):
    """One Modbus id on a link."""

    _conn: Link
    reply_time: float | None = None
    """What this unit's latest reply has taken, in s."""

    @override
    async def read_holding_registers(self, address: int, count: int) -> list[int]:
        """Return exactly ``count`` holding registers from ``address`` on."""
        return await self._read(super().read_holding_registers, address, count)

    @override
    async def read_input_registers(self, address: int, count: int) -> list[int]:
        """Return exactly ``count`` input registers from ``address`` on."""
        return await self._read(super().read_input_registers, address, count)

    async def _read(
        self, read: Callable[[int, int], Awaitable[list[int]]], address: int, count: int
    ) -> list[int]:
        try:
            registers = await self._conn.exchange(_whole(read, address, count))
        except LinkLostError:
            # Some gateways close the link after each reply, just as the next request goes out.
            registers = await self._conn.exchange(_whole(read, address, count))
        self.reply_time = self._conn.reply_time
        return registers

    @override
    async def write_register(self, address: int, value: int) -> None:
        """Write one holding register."""
        await self._conn.exchange(super().write_register(address, value))

    @override
    async def write_registers(self, address: int, values: list[int]) -> None:
        """Write holding registers from ``address`` on."""
        await self._conn.exchange(super().write_registers(address, values))


def _is_doubtful(answer: asyncio.Future[Any]) -> bool:
    """Whether a reply may still come, or what came can't be trusted."""
    return not answer.done() or (
        not answer.cancelled()
        and isinstance(answer.exception(), ModbusTimeoutError | ModbusProtocolError)
    )


async def _whole(
    read: Callable[[int, int], Awaitable[list[int]]], address: int, count: int
) -> list[int]:
    """Return what ``read`` brings; raises ``ModbusProtocolError`` unless it is all there."""
    registers = await read(address, count)
    if len(registers) != count:
        raise ModbusProtocolError(f"asked for {count} registers, got {len(registers)}")
    return registers
