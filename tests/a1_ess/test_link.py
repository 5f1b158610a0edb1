"""The link against a peer that misbehaves."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
import logging
import os
import struct
import time
import tty
from typing import Any, override

from modbus_connection import (
    AcknowledgeError,
    ClientClosedError,
    GatewayPathUnavailableError,
    GatewayTargetError,
    IllegalDataAddressError,
    IllegalDataValueError,
    IllegalFunctionError,
    MemoryParityError,
    ModbusConnectionError,
    ModbusError,
    ModbusExceptionError,
    ModbusProtocolError,
    ModbusSerialParams,
    ModbusTcpParams,
    ModbusTimeoutError,
    ServerDeviceBusyError,
    ServerDeviceFailureError,
)
import pytest

from custom_components.solax_parallel.a1_ess.link import Link, LinkUnit

from .conftest import OpenLink, StartServer
from .wire import (
    READ_HOLDING,
    READ_INPUT,
    WRITE_MULTIPLE,
    WRITE_SINGLE,
    Behaviour,
    Framing,
    answer,
    closed_after,
    crc16,
    from_another_unit,
    in_two,
    late,
    noise,
    refused,
    registers,
    reset,
    silence,
    stalled_after,
    with_another_transaction,
    with_unknown_function,
)

both_framings = pytest.mark.parametrize("framing", ["socket", "rtu"])


def held(unit_id: int, address: int, count: int) -> list[int]:
    """Return what the server holds in its holding registers."""
    return [(unit_id << 12 | READ_HOLDING << 8) + address + n for n in range(count)]


def put_in(unit_id: int, address: int, count: int) -> list[int]:
    """Return what the server holds in its input registers."""
    return [(unit_id << 12 | READ_INPUT << 8) + address + n for n in range(count)]


async def timed(awaitable: Awaitable[Any]) -> tuple[float, BaseException | None]:
    """Return how long it took, and how it failed if it did."""
    started = time.monotonic()
    failure = None
    try:
        await awaitable
    except (ModbusError, TimeoutError, asyncio.CancelledError) as err:
        failure = err
    return time.monotonic() - started, failure


async def until_sent(unit: LinkUnit, address: int) -> asyncio.Task[list[int]]:
    """Ask for two registers and return while the request is on its way."""
    task = asyncio.ensure_future(unit.read_holding_registers(address, 2))
    await asyncio.sleep(0.02)
    assert not task.done()
    return task


# --- what is asked, and what comes back -----------------------------------------------


@both_framings
async def test_it_returns_exactly_what_was_asked_for(
    start_server: StartServer, open_link: OpenLink, framing: Framing
) -> None:
    server = await start_server(framing)
    unit = open_link(server).for_unit(3)

    assert await unit.read_holding_registers(0x20, 5) == held(3, 0x20, 5)
    assert await unit.read_input_registers(0x30, 125) == put_in(3, 0x30, 125)
    assert [
        (request.unit_id, request.function, request.address, request.count)
        for request in server.requests
    ] == [(3, READ_HOLDING, 0x20, 5), (3, READ_INPUT, 0x30, 125)]
    assert server.connections == 1


@both_framings
@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        pytest.param(registers(0), ModbusProtocolError, id="no_registers"),
        pytest.param(registers(9), ModbusProtocolError, id="one_missing"),
        pytest.param(registers(11), ModbusProtocolError, id="one_too_many"),
        pytest.param(closed_after(0), ModbusConnectionError, id="closed_before"),
        pytest.param(closed_after(15), ModbusConnectionError, id="closed_in_data"),
        pytest.param(reset, ModbusConnectionError, id="reset"),
    ],
)
async def test_a_bad_reply_fails_at_once(
    start_server: StartServer,
    open_link: OpenLink,
    framing: Framing,
    behaviour: Behaviour,
    error: type[ModbusError],
) -> None:
    server = await start_server(framing)
    unit = open_link(server, timeout=5).for_unit(1)
    await unit.read_holding_registers(0, 1)
    # Once more after a lost link, so it has to happen twice.
    lost = error is ModbusConnectionError
    server.script.extend([behaviour] * (2 if lost else 1))

    elapsed, failure = await timed(unit.read_holding_registers(0x20, 10))

    assert isinstance(failure, error)
    assert elapsed < 1
    assert await unit.read_input_registers(0x30, 10) == put_in(1, 0x30, 10)


@both_framings
@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(silence, id="silence"),
        pytest.param(stalled_after(15), id="stalled_in_data"),
        pytest.param(from_another_unit, id="another_unit"),
        pytest.param(noise(b"\x12\x34" * 12), id="noise"),
    ],
)
async def test_a_missing_reply_costs_one_timeout(
    start_server: StartServer,
    open_link: OpenLink,
    framing: Framing,
    behaviour: Behaviour,
) -> None:
    server = await start_server(framing)
    unit = open_link(server, timeout=0.2).for_unit(1)
    await unit.read_holding_registers(0, 1)
    server.script.append(behaviour)

    elapsed, failure = await timed(unit.read_holding_registers(0x20, 10))

    assert type(failure) is ModbusTimeoutError
    assert 0.15 < elapsed < 0.4
    assert await unit.read_input_registers(0x30, 10) == put_in(1, 0x30, 10)


async def test_a_reply_to_another_transaction_is_no_reply(
    start_server: StartServer, open_link: OpenLink
) -> None:
    server = await start_server()
    unit = open_link(server, timeout=0.2).for_unit(1)
    server.script.append(with_another_transaction)

    with pytest.raises(ModbusTimeoutError):
        await unit.read_holding_registers(0x20, 10)
    assert await unit.read_holding_registers(0x30, 10) == held(1, 0x30, 10)


@both_framings
async def test_a_link_lost_once_is_no_loss(
    start_server: StartServer, open_link: OpenLink, framing: Framing
) -> None:
    server = await start_server(framing)
    unit = open_link(server, timeout=5).for_unit(1)
    for _ in range(3):
        server.script.append(closed_after(0))
        assert await unit.read_holding_registers(0x20, 10) == held(1, 0x20, 10)
        await asyncio.sleep(0)


async def test_what_is_no_address_cannot_be_connected_to() -> None:
    link = Link(ModbusTcpParams(host="a\0b"), timeout=0.3, message_spacing=0)
    with pytest.raises(ModbusConnectionError):
        await link.for_unit(1).read_holding_registers(0, 1)
    await link.close()


@both_framings
async def test_a_reply_nobody_can_read_is_an_error(
    start_server: StartServer, open_link: OpenLink, framing: Framing
) -> None:
    server = await start_server(framing)
    unit = open_link(server, timeout=0.2).for_unit(1)
    server.script.extend([with_unknown_function] * (2 if framing == "socket" else 1))

    with pytest.raises(ModbusError):
        await unit.read_holding_registers(0x20, 10)
    assert await unit.read_holding_registers(0x30, 10) == held(1, 0x30, 10)


REFUSALS = {
    1: IllegalFunctionError,
    2: IllegalDataAddressError,
    3: IllegalDataValueError,
    4: ServerDeviceFailureError,
    5: AcknowledgeError,
    6: ServerDeviceBusyError,
    8: MemoryParityError,
    10: GatewayPathUnavailableError,
    11: GatewayTargetError,
    77: ModbusExceptionError,
}


@both_framings
async def test_a_refusal_says_which_and_keeps_the_link(
    start_server: StartServer, open_link: OpenLink, framing: Framing
) -> None:
    server = await start_server(framing)
    unit = open_link(server, timeout=5).for_unit(1)

    for code, error in REFUSALS.items():
        server.script.append(refused(code))
        elapsed, failure = await timed(unit.read_input_registers(0x20, 10))
        assert type(failure) is error
        assert isinstance(failure, ModbusExceptionError)
        assert failure.exception_code == code
        assert elapsed < 1
        assert await unit.read_input_registers(0x30, 10) == put_in(1, 0x30, 10)
    assert server.connections == 1


# --- late replies ---------------------------------------------------------------------


@both_framings
async def test_a_late_reply_is_not_taken_for_the_next_answer(
    start_server: StartServer, open_link: OpenLink, framing: Framing
) -> None:
    server = await start_server(framing)
    unit = open_link(server, timeout=0.2).for_unit(1)
    await unit.read_holding_registers(0, 2)
    server.script.append(late(0.35))
    # Slow enough for the late reply to come while the next request waits for its own.
    server.default = late(0.1)

    with pytest.raises(ModbusTimeoutError):
        await unit.read_holding_registers(0x10, 2)
    for address in range(0x20, 0x22):
        assert await unit.read_holding_registers(address, 2) == held(1, address, 2)


@both_framings
async def test_a_late_reply_is_not_taken_by_those_who_wait_for_the_link(
    start_server: StartServer, open_link: OpenLink, framing: Framing
) -> None:
    server = await start_server(framing)
    link = open_link(server, timeout=0.2)
    await link.for_unit(1).read_holding_registers(0, 2)
    server.script.append(late(0.35))
    server.default = late(0.1)

    first, *others = await asyncio.gather(
        *(link.for_unit(1).read_holding_registers(0x10 * n, 2) for n in range(1, 5)),
        return_exceptions=True,
    )

    assert isinstance(first, ModbusTimeoutError)
    assert others == [held(1, 0x10 * n, 2) for n in range(2, 5)]


@both_framings
async def test_the_reply_to_a_cancelled_request_is_not_taken_for_the_next_answer(
    start_server: StartServer, open_link: OpenLink, framing: Framing
) -> None:
    server = await start_server(framing)
    unit = open_link(server, timeout=1).for_unit(1)
    await unit.read_holding_registers(0, 2)
    server.script.append(late(0.2))
    server.default = late(0.1)
    task = await until_sent(unit, 0x10)

    task.cancel()

    for address in range(0x20, 0x22):
        assert await unit.read_holding_registers(address, 2) == held(1, address, 2)
    assert task.cancelled()


@both_framings
async def test_what_follows_a_short_reply_is_not_taken_for_the_next_answer(
    start_server: StartServer, open_link: OpenLink, framing: Framing
) -> None:
    server = await start_server(framing)
    unit = open_link(server, timeout=1).for_unit(1)
    server.script.append(in_two(0.15))
    server.default = late(0.1)

    with pytest.raises(ModbusProtocolError):
        await unit.read_holding_registers(0x10, 2)
    for address in range(0x20, 0x22):
        assert await unit.read_holding_registers(address, 2) == held(1, address, 2)


async def test_a_silent_peer_keeps_its_numbered_link(
    start_server: StartServer, open_link: OpenLink
) -> None:
    server = await start_server("socket")
    unit = open_link(server, timeout=0.2).for_unit(1)
    server.script.append(silence)

    with pytest.raises(ModbusTimeoutError):
        await unit.read_holding_registers(0, 1)
    await unit.read_holding_registers(0, 1)
    assert server.connections == 1


# --- cancellation ---------------------------------------------------------------------


@both_framings
async def test_a_cancelled_request_is_cancelled(
    start_server: StartServer, open_link: OpenLink, framing: Framing
) -> None:
    server = await start_server(framing)
    unit = open_link(server, timeout=5).for_unit(1)
    await unit.read_holding_registers(0, 1)
    server.script.append(silence)
    task = await until_sent(unit, 0x10)

    task.cancel()
    elapsed, _ = await timed(task)

    assert task.cancelled()
    assert elapsed < 1
    assert await unit.read_holding_registers(0x20, 2) == held(1, 0x20, 2)


@both_framings
async def test_a_request_cancelled_twice_leaves_the_link_usable(
    start_server: StartServer, open_link: OpenLink, framing: Framing
) -> None:
    server = await start_server(framing)
    unit = open_link(server, timeout=5).for_unit(1)
    await unit.read_holding_registers(0, 1)
    server.script.append(silence)
    task = await until_sent(unit, 0x10)

    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    await timed(task)

    assert task.cancelled()
    async with asyncio.timeout(2):
        assert await unit.read_holding_registers(0x20, 2) == held(1, 0x20, 2)


@both_framings
async def test_a_request_can_be_cancelled_while_it_waits_for_the_link(
    start_server: StartServer, open_link: OpenLink, framing: Framing
) -> None:
    server = await start_server(framing)
    unit = open_link(server, timeout=5).for_unit(1)
    await unit.read_holding_registers(0, 1)
    server.script.append(late(0.1))
    first = await until_sent(unit, 0x10)
    waiting = await until_sent(unit, 0x20)

    waiting.cancel()
    await timed(waiting)

    assert waiting.cancelled()
    assert not first.done()
    assert await first == held(1, 0x10, 2)
    assert [request.address for request in server.requests] == [0, 0x10]


@both_framings
async def test_a_request_can_be_cancelled_while_the_link_is_opened(
    start_server: StartServer,
    open_link: OpenLink,
    framing: Framing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Opening takes a tenth of a second again, and goes on for whoever comes next.
    monkeypatch.undo()
    server = await start_server(framing)
    link = open_link(server, timeout=5)
    unit = link.for_unit(1)
    task = await until_sent(unit, 0x10)

    task.cancel()
    await timed(task)

    assert task.cancelled()
    assert not link.connected
    assert await unit.read_holding_registers(0x20, 2) == held(1, 0x20, 2)
    assert server.connections == 1


@both_framings
async def test_a_deadline_of_the_caller_ends_a_request(
    start_server: StartServer, open_link: OpenLink, framing: Framing
) -> None:
    server = await start_server(framing)
    unit = open_link(server, timeout=5).for_unit(1)
    await unit.read_holding_registers(0, 1)
    server.script.append(silence)

    async def ask() -> None:
        async with asyncio.timeout(0.1):
            await unit.read_holding_registers(0x10, 2)

    elapsed, failure = await timed(ask())

    assert type(failure) is TimeoutError
    assert elapsed < 1
    assert await unit.read_holding_registers(0x20, 2) == held(1, 0x20, 2)


# --- one at a time --------------------------------------------------------------------


@both_framings
async def test_one_request_is_in_flight_whoever_calls(
    start_server: StartServer, open_link: OpenLink, framing: Framing
) -> None:
    server = await start_server(framing)
    link = open_link(server, timeout=1)
    server.default = late(0.01)
    calls = [(unit_id, 0x10 * unit_id + n) for n in range(4) for unit_id in (1, 2, 3)]

    replies = await asyncio.gather(
        *(link.for_unit(unit_id).read_holding_registers(a, 3) for unit_id, a in calls)
    )

    assert replies == [held(unit_id, address, 3) for unit_id, address in calls]
    assert len(server.requests) == len(calls)
    assert server.overlaps == 0
    assert server.connections == 1


@both_framings
async def test_silence_is_kept_between_requests_of_all_units(
    start_server: StartServer, open_link: OpenLink, framing: Framing
) -> None:
    server = await start_server(framing)
    link = open_link(server, timeout=1, message_spacing=0.06)
    server.default = late(0.03)

    await asyncio.gather(
        *(link.for_unit(unit_id).read_holding_registers(0, 1) for unit_id in (1, 2, 1))
    )

    first, second, third = (request.at for request in server.requests)
    # The spacing counts from the end of a request, so the answer's time is on top.
    assert second - first > 0.085
    assert third - second > 0.085


# --- losing, closing and opening ------------------------------------------------------


@both_framings
async def test_it_comes_back_after_the_peer_was_restarted(
    start_server: StartServer, open_link: OpenLink, framing: Framing
) -> None:
    server = await start_server(framing)
    unit = open_link(server, timeout=5).for_unit(1)
    await unit.read_holding_registers(0, 1)

    await server.stop()
    await asyncio.sleep(0.02)
    elapsed, failure = await timed(unit.read_holding_registers(0x10, 2))
    assert isinstance(failure, ModbusConnectionError)
    assert elapsed < 1

    await server.start()
    assert await unit.read_holding_registers(0x20, 2) == held(1, 0x20, 2)


@both_framings
async def test_a_link_dropped_while_idle_costs_no_request(
    start_server: StartServer, open_link: OpenLink, framing: Framing
) -> None:
    server = await start_server(framing)
    link = open_link(server, timeout=5)
    await link.for_unit(1).read_holding_registers(0, 1)

    await server.stop()
    await server.start()
    await asyncio.sleep(0.02)

    assert not link.connected
    assert await link.for_unit(1).read_holding_registers(0x20, 2) == held(1, 0x20, 2)


@both_framings
async def test_closing_leaves_nothing_open(
    start_server: StartServer, open_link: OpenLink, framing: Framing
) -> None:
    server = await start_server(framing)
    link = open_link(server)
    before = asyncio.all_tasks()
    unit = link.for_unit(1)
    await unit.read_holding_registers(0, 1)
    assert server.open_links == 1

    await link.close()
    await asyncio.sleep(0.02)

    assert server.open_links == 0
    assert asyncio.all_tasks() <= before
    with pytest.raises(ClientClosedError):
        await unit.read_holding_registers(0, 1)
    assert server.connections == 1


async def test_a_link_that_was_never_used_can_be_closed(
    start_server: StartServer, open_link: OpenLink
) -> None:
    server = await start_server()
    link = open_link(server)
    await link.connect()

    await link.close()
    await link.close()
    await asyncio.sleep(0.02)

    assert server.open_links == 0


@both_framings
async def test_closing_ends_those_who_wait(
    start_server: StartServer, open_link: OpenLink, framing: Framing
) -> None:
    server = await start_server(framing)
    link = open_link(server, timeout=20)
    unit = link.for_unit(1)
    await unit.read_holding_registers(0, 1)
    server.default = silence
    before = asyncio.all_tasks()
    asked = await until_sent(unit, 0x10)
    waiting = await until_sent(unit, 0x20)

    await link.close()
    elapsed, _ = await timed(asyncio.wait({asked, waiting}))

    assert elapsed < 0.5
    assert isinstance(asked.exception(), ModbusConnectionError)
    assert isinstance(waiting.exception(), ClientClosedError)
    await asyncio.sleep(0.02)
    assert server.open_links == 0
    assert asyncio.all_tasks() <= before


@pytest.mark.timed
@pytest.mark.parametrize("moment", [0.0, 0.05, 0.15])
async def test_dropping_the_link_does_not_wait_until_it_is_open(
    start_server: StartServer, moment: float
) -> None:
    server = await start_server()
    server.default = silence
    # As it is: pymodbus waits a tenth of a second once it has connected.
    params = ModbusTcpParams(host="127.0.0.1", port=server.port)
    link = Link(params, timeout=5, message_spacing=0)
    request = asyncio.create_task(link.for_unit(1).read_input_registers(0, 1))
    await asyncio.sleep(moment)
    request.cancel()
    begun = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await request
    await link.disconnect()
    assert time.monotonic() - begun < 0.1
    assert not link.connected
    await asyncio.sleep(0.05)
    assert server.open_links == 0
    server.default = answer
    assert await link.for_unit(1).read_input_registers(0, 1)
    await link.close()


async def test_who_waits_for_a_link_that_is_dropped_gets_an_error(
    start_server: StartServer,
) -> None:
    server = await start_server()
    params = ModbusTcpParams(host="127.0.0.1", port=server.port)
    link = Link(params, timeout=5, message_spacing=0)
    request = asyncio.create_task(link.for_unit(1).read_input_registers(0, 1))
    await asyncio.sleep(0.05)
    await link.disconnect()
    with pytest.raises(ModbusConnectionError, match="dropped while it was opened"):
        await request
    await link.close()


async def test_an_error_while_dropping_the_link_does_not_hide_the_first_one(
    start_server: StartServer,
) -> None:
    class StubbornLink(Link):
        @override
        async def _close_client(self, client: Any) -> None:
            await super()._close_client(client)
            raise ModbusConnectionError("the port is stuck")

    server = await start_server("rtu")
    # Not from the fixture, which would trip over this one when it closes it.
    params = ModbusTcpParams(host="127.0.0.1", port=server.port, framer="rtu")
    link = StubbornLink(params, timeout=0.2, message_spacing=0)
    server.script.append(silence)

    with pytest.raises(ModbusTimeoutError):
        await link.for_unit(1).read_holding_registers(0x10, 2)
    assert await link.for_unit(1).read_holding_registers(0x20, 2) == held(1, 0x20, 2)
    with pytest.raises(ModbusConnectionError, match="stuck"):
        await link.close()


# --- writing --------------------------------------------------------------------------


@both_framings
async def test_writes_are_sent_as_they_are(
    start_server: StartServer, open_link: OpenLink, framing: Framing
) -> None:
    server = await start_server(framing)
    unit = open_link(server).for_unit(2)

    await unit.write_register(0x0310, 1)
    assert [
        (request.unit_id, request.function, request.address, request.count)
        for request in server.requests
    ] == [(2, WRITE_SINGLE, 0x0310, 1)]


async def test_several_registers_are_written_with_one_request(
    start_server: StartServer, open_link: OpenLink
) -> None:
    server = await start_server()
    unit = open_link(server).for_unit(2)

    await unit.write_registers(0x0310, [1, 0, 1])
    assert [
        (request.unit_id, request.function, request.address, request.count)
        for request in server.requests
    ] == [(2, WRITE_MULTIPLE, 0x0310, 3)]


async def test_a_late_echo_of_a_write_is_not_taken_for_a_reading(
    start_server: StartServer, open_link: OpenLink
) -> None:
    server = await start_server("rtu")
    unit = open_link(server, timeout=0.2).for_unit(1)
    server.script.append(late(0.35))
    server.default = late(0.1)

    with pytest.raises(ModbusTimeoutError):
        await unit.write_register(0x0310, 1)
    for address in range(0x20, 0x22):
        assert await unit.read_holding_registers(address, 1) == held(1, address, 1)


@both_framings
async def test_a_write_fails_at_once_when_the_link_is_lost(
    start_server: StartServer, open_link: OpenLink, framing: Framing
) -> None:
    server = await start_server(framing)
    unit = open_link(server, timeout=5).for_unit(1)
    server.script.extend([closed_after(0), answer])

    elapsed, failure = await timed(unit.write_register(0x0310, 1))

    assert isinstance(failure, ModbusConnectionError)
    assert elapsed < 1
    await unit.write_register(0x0310, 1)


# --- a serial line --------------------------------------------------------------------


class Line:
    """The far end of a serial line, on a pseudo-terminal."""

    def __init__(self) -> None:
        self._near, self._far = os.openpty()
        tty.setraw(self._far)
        self.device = os.ttyname(self._far)
        self.muted = 0
        self.asked: list[int] = []
        asyncio.get_running_loop().add_reader(self._near, self._receive)

    def _receive(self) -> None:
        unit_id, function, address, count = struct.unpack(
            ">BBHH", os.read(self._near, 256)[:6]
        )
        self.asked.append(address)
        words = [(unit_id << 12 | function << 8) + address + n for n in range(count)]
        body = struct.pack(f">BBB{count}H", unit_id, function, 2 * count, *words)
        if self.muted:
            self.muted -= 1
            return
        os.write(self._near, body + struct.pack("<H", crc16(body)))

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._near)
        os.close(self._near)
        os.close(self._far)


@pytest.fixture
async def line() -> AsyncGenerator[Line]:
    line = Line()
    yield line
    line.close()


async def test_a_serial_line_is_dropped_after_a_silence(line: Line) -> None:
    link = Link(
        ModbusSerialParams(device=line.device, baudrate=19200),
        timeout=0.2,
        message_spacing=0,
    )
    unit = link.for_unit(1)
    assert await unit.read_holding_registers(0x10, 2) == held(1, 0x10, 2)
    line.muted = 1

    with pytest.raises(ModbusTimeoutError):
        await unit.read_holding_registers(0x20, 2)
    assert not link.connected
    assert await unit.read_holding_registers(0x30, 2) == held(1, 0x30, 2)
    assert line.asked == [0x10, 0x20, 0x30]
    await link.close()


# --- the log --------------------------------------------------------------------------


async def test_failures_are_not_logged_by_the_client_as_well(
    start_server: StartServer, open_link: OpenLink, caplog: pytest.LogCaptureFixture
) -> None:
    server = await start_server()
    server.default = from_another_unit
    link, opened = open_link(server, timeout=0.2), open_link(server, timeout=0.2)
    await opened.connect()
    caplog.clear()

    for each in (link, opened):
        with pytest.raises(ModbusTimeoutError):
            await each.for_unit(1).read_holding_registers(0x20, 10)
    assert [r for r in caplog.records if r.levelno > logging.DEBUG] == []


async def test_what_the_client_logs_for_others_is_left_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logging.getLogger("pymodbus.logging").warning("somebody else's trouble")

    assert caplog.messages == ["somebody else's trouble"]
