"""One guarded Modbus connection per endpoint."""

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar
import logging
from typing import Any, override

from modbus_connection import (
    ModbusConnectionError,
    ModbusProtocolError,
    ModbusSerialParams,
    ModbusTcpParams,
    ModbusTimeoutError,
)
from modbus_connection.pymodbus import ModbusConnection, PymodbusUnit

type LinkParams = ModbusTcpParams | ModbusSerialParams

_our_exchange = ContextVar("our_exchange", default=False)


def _raised_anyway(record: logging.LogRecord) -> bool:
    """Drop what pymodbus logs on our behalf: it raises the same, and we report it once."""
    return not _our_exchange.get() or record.levelno < logging.WARNING


logging.getLogger("pymodbus.logging").addFilter(_raised_anyway)


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
        # RTU frames carry no transaction number, so a reply can't be matched to its request.
        self._unnumbered = (
            isinstance(params, ModbusSerialParams) or params.framer != "socket"
        )

    @override
    def for_unit(self, unit_id: int) -> LinkUnit:
        """Return the unit with this Modbus id."""
        return LinkUnit(self, unit_id)

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
        lost = asyncio.get_running_loop().create_future()
        unsubscribe = self.on_connection_lost(
            lambda: None if lost.done() else lost.set_result(None)
        )
        token = _our_exchange.set(True)
        answer = asyncio.ensure_future(request)
        _our_exchange.reset(token)
        try:
            await asyncio.wait({answer, lost}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise ModbusConnectionError(
                    "the link was lost while waiting for a reply"
                )
            return answer.result()
        finally:
            unsubscribe()
            await self._clear(answer)
            self._turn.release()

    async def _clear(self, answer: asyncio.Future[Any]) -> None:
        """Leave nothing behind that the next request could take for its own answer."""
        abandoned = not answer.done()
        if abandoned:
            answer.cancel()
            await asyncio.wait({answer})
        timed_out = not answer.cancelled() and isinstance(
            answer.exception(), ModbusTimeoutError
        )
        if self._unnumbered and (abandoned or timed_out):
            await self.disconnect()


class LinkUnit(PymodbusUnit):
    """One Modbus id on a link."""

    _conn: Link

    @override
    async def read_holding_registers(self, address: int, count: int) -> list[int]:
        """Return exactly ``count`` holding registers from ``address`` on."""
        return _whole(
            await self._conn.exchange(super().read_holding_registers(address, count)),
            count,
        )

    @override
    async def read_input_registers(self, address: int, count: int) -> list[int]:
        """Return exactly ``count`` input registers from ``address`` on."""
        return _whole(
            await self._conn.exchange(super().read_input_registers(address, count)),
            count,
        )


def _whole(registers: list[int], count: int) -> list[int]:
    """Return ``registers``; raises ``ModbusProtocolError`` unless there are ``count``."""
    if len(registers) != count:
        raise ModbusProtocolError(f"asked for {count} registers, got {len(registers)}")
    return registers
