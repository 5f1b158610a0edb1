"""The group over the real wire."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
import logging
import socket
from typing import Any, Literal, Protocol, cast

from modbus_connection import (
    IllegalDataAddressError,
    IllegalDataValueError,
    IllegalFunctionError,
    ModbusTcpParams,
    ModbusTimeoutError,
    ModbusUnit,
    ServerDeviceFailureError,
)
from modbus_connection.pymodbus import ModbusConnection
import pytest

from custom_components.solax_parallel.a1_ess.codes import BackupInterfaceType
from custom_components.solax_parallel.a1_ess.profile import Profile
from custom_components.solax_parallel.a1_ess.register import Register, Space, Window
from custom_components.solax_parallel.simulator.group import Relay, SimulatedGroup
from custom_components.solax_parallel.simulator.loopback import HOST
from custom_components.solax_parallel.simulator.readings import Reading, readings
from custom_components.solax_parallel.simulator.server import SimulatorServer

from .conftest import Clock, GroupFactory

type Framer = Literal["socket", "rtu"]

pytestmark = pytest.mark.usefixtures("socket_enabled")


class Serve(Protocol):
    """Puts a group on the wire."""

    async def __call__(
        self, group: SimulatedGroup, framer: Framer = "socket", patience: float = 2.0
    ) -> Callable[[int], ModbusUnit]:
        """Return what gives the unit with an id."""


@pytest.fixture
async def serve(profile: Profile) -> AsyncIterator[Serve]:
    """Return what puts a group on the wire until the test ends."""
    async with AsyncExitStack() as stack:

        async def served(
            group: SimulatedGroup, framer: Framer = "socket", patience: float = 2.0
        ) -> Callable[[int], ModbusUnit]:
            server = SimulatorServer(group, profile, framer=framer)
            await server.start()
            stack.push_async_callback(server.stop)
            return await stack.enter_async_context(
                _client(server.port, framer, patience)
            )

        yield served


@asynccontextmanager
async def _client(
    port: int, framer: Framer = "socket", patience: float = 2.0
) -> AsyncIterator[Callable[[int], ModbusUnit]]:
    params = (
        ModbusTcpParams(host=HOST, port=port)
        if framer == "socket"
        else ModbusTcpParams(host=HOST, port=port, framer="rtu")
    )
    connection = ModbusConnection(params, timeout=patience)
    try:
        yield connection.for_unit
    finally:
        await connection.close()


async def read(unit: ModbusUnit, window: Window) -> list[int]:
    """Return a whole window."""
    count = window.last - window.first + 1
    if window.space == "holding":
        return await unit.read_holding_registers(window.first, count)
    return await unit.read_input_registers(window.first, count)


def decoded(register: Register, window: Window, words: list[int]) -> Any:
    """Return what the register map makes of a register's words in a window."""
    at = register.address - window.first
    raw = register.field().decode(words[at : at + register.words])
    if register.bits is not None:
        return {key for bit, key in register.bits.items() if raw >> bit & 1}
    return raw if register.values is None else register.values[raw]


def expected(register: Register, reading: Reading) -> Any:
    """Return a reading as exactly as a register can hold it."""
    if isinstance(reading, int | float):
        return pytest.approx(reading, abs=register.scale / 2 + 1e-9)
    return reading


@pytest.mark.parametrize("framer", ["socket", "rtu"])
@pytest.mark.parametrize("disturbed", [False, True])
async def test_every_register_says_what_the_group_is(
    serve: Serve, build: GroupFactory, profile: Profile, framer: Framer, disturbed: bool
) -> None:
    """On all units, through the register map and back."""
    group = build()
    if disturbed:
        group.grid_closed = False
        group.inject(group.serial_numbers[1], "eps_sync_lost")
        group.inject(group.serial_numbers[3], "other_device")
    unit_with_id = await serve(group, framer)
    silent = set(profile.registers)
    for unit in group.units:
        truth = readings(group, unit)
        silent -= truth.keys()
        for key, window in profile.windows.items():
            if key in ("system", "primary_extension") and not unit.role.leads:
                continue
            words = await read(unit_with_id(unit.unit_id), window)
            for register in profile.read_in(key):
                value = decoded(register, window, words)
                if register.key in truth:
                    assert value == expected(register, truth[register.key]), (
                        register.key
                    )
                else:
                    assert not value
    assert silent <= {f"secondary_{n}_battery_faults" for n in (1, 2, 3)}


async def test_gaps_read_zero_and_words_are_low_word_first(
    serve: Serve, build: GroupFactory
) -> None:
    """As the vendor's sister map has it."""
    group = build()
    unit = (await serve(group))(1)
    high_word_alone = await unit.read_input_registers(0x0022, 1)
    live = await unit.read_input_registers(0x0000, 0x55)
    mapped_gap = [
        *live[0x0C:0x14],
        live[0x19],
        live[0x1B],
        live[0x1F],
        *live[0x28:0x40],
    ]
    assert mapped_gap == [0] * len(mapped_gap)
    charged = group.energies.unit(0).charged / 100
    assert live[0x21] + (live[0x22] << 16) == pytest.approx(charged, abs=1)
    assert [live[0x22]] == high_word_alone == [1]
    assert await unit.read_holding_registers(0x0000, 2) == [0x5349, 0x4D41]


async def test_readings_are_those_of_the_moment_of_the_read(
    serve: Serve, build: GroupFactory, clock: Clock
) -> None:
    """Nothing has to be told that time has passed."""
    unit = (await serve(build()))(1)
    assert (await unit.read_input_registers(0x000A, 1))[0] > 1000
    clock.pass_time(hours=10)
    assert await unit.read_input_registers(0x000A, 1) == [0]


OUTSIDE: list[tuple[Space, int, int]] = [
    ("holding", 0x0000, 0x0016),
    ("holding", 0x0015, 1),
    ("holding", 0x0130, 2),
    ("holding", 0x0310, 1),
    ("input", 0x0055, 1),
    ("input", 0x0050, 0x17),
    ("input", 0x009C, 1),
    ("input", 0x0121, 2),
    ("input", 0x0124, 2),
    ("input", 0x01DC, 1),
    ("input", 0x0252, 1),
    ("input", 0x0336, 1),
    ("input", 0xFFFF, 1),
]


@pytest.mark.parametrize("unit_id", [1, 2])
async def test_addresses_outside_the_windows_are_illegal(
    serve: Serve, build: GroupFactory, unit_id: int
) -> None:
    """A read that touches one such address fails as a whole."""
    unit = (await serve(build(2)))(unit_id)
    for space, first, count in OUTSIDE:
        with pytest.raises(IllegalDataAddressError):
            await read(unit, Window(space=space, first=first, last=first + count - 1))


async def test_only_the_primary_speaks_for_the_group(
    serve: Serve, build: GroupFactory
) -> None:
    """A secondary has no system block, and its extension ends after its safety code."""
    unit_with_id = await serve(build(2))
    assert len(await unit_with_id(1).read_input_registers(0x0300, 0x36)) == 0x36
    assert len(await unit_with_id(2).read_input_registers(0x0300, 7)) == 7
    assert await unit_with_id(1).read_input_registers(0x01DD, 1) == [2]
    for first, count in ((0x01DD, 117), (0x0300, 0x36), (0x0300, 8), (0x0335, 1)):
        with pytest.raises(IllegalDataAddressError):
            await unit_with_id(2).read_input_registers(first, count)


async def test_only_the_largest_inverter_has_a_third_string(
    serve: Serve, build: GroupFactory
) -> None:
    """On the others its addresses are illegal."""
    unit = (await serve(build(1)))(1)
    assert (await unit.read_input_registers(0x0122, 3))[2] > 500
    unit = (await serve(build(1, rated_power=6000)))(1)
    with pytest.raises(IllegalDataAddressError):
        await unit.read_input_registers(0x0122, 3)
    assert (await unit.read_holding_registers(0x00BA, 1)) == [6000]


COMMANDED = {
    *(0x0310 + channel for channel in range(6)),
    *(0x0318 + channel for channel in range(6)),
}
"""Where the smart loads are commanded."""


async def test_nothing_but_commands_can_be_written(
    serve: Serve, build: GroupFactory, profile: Profile
) -> None:
    """An exception, and the register keeps its value."""
    group = build(2)
    unit_with_id = await serve(group)
    before = dict(readings(group, group.units[0]))
    known = {
        address
        for window in profile.windows.values()
        for address in range(window.first, window.last + 1)
    }
    refused = {*known, 0x030F, 0x0316, 0x0317, 0x031E} - COMMANDED
    for address in sorted(refused):
        with pytest.raises(IllegalDataAddressError):
            await unit_with_id(1).write_register(address, 1)
    for address in (0x0000, 0x0130, *sorted(COMMANDED)):
        with pytest.raises(IllegalDataAddressError):
            await unit_with_id(2).write_register(address, 1)
        with pytest.raises(IllegalDataAddressError):
            await unit_with_id(1).write_registers(address, [1])
        with pytest.raises(IllegalDataAddressError):
            await unit_with_id(1).mask_write_register(address, 0, 1)
    for address in sorted(COMMANDED):
        with pytest.raises(IllegalDataAddressError):
            await unit_with_id(1).read_holding_registers(address, 1)
        with pytest.raises(IllegalDataValueError):
            await unit_with_id(1).write_register(address, 3)
    assert dict(readings(group, group.units[0])) == before


@pytest.mark.parametrize(
    "backup_interface", [BackupInterfaceType.NONE, BackupInterfaceType.BI]
)
async def test_without_a_bi_pro_there_are_no_commands(
    serve: Serve, build: GroupFactory, backup_interface: BackupInterfaceType
) -> None:
    """Not even for what would change nothing."""
    unit = (await serve(build(1, backup_interface=backup_interface)))(1)
    for address in sorted(COMMANDED):
        with pytest.raises(IllegalDataAddressError):
            await unit.write_register(address, 0)


@pytest.mark.parametrize("framer", ["socket", "rtu"])
async def test_commands_do_what_they_say(
    serve: Serve, build: GroupFactory, framer: Framer
) -> None:
    """State and mode of the channel change, and those of no other."""
    unit = (await serve(build(2), framer))(1)

    async def channels() -> list[list[int]]:
        words = await unit.read_input_registers(0x0310, 36)
        return [words[6 * n : 6 * n + 2] for n in range(6)]

    # At noon the first channel works by itself; 0 is disabled, 1 manual, 2 automatic.
    expected = [[1, 2], [0, 2], [0, 1], [0, 1], [0, 0], [0, 2]]
    assert await channels() == expected
    for address, value, channel, after in (
        (0x0312, 1, 2, [1, 1]),
        (0x0318, 0, 0, [0, 0]),
        (0x0310, 1, 0, [0, 0]),
        (0x0318, 1, 0, [1, 1]),
        (0x0310, 0, 0, [0, 1]),
        (0x0318, 2, 0, [1, 2]),
        (0x031C, 1, 4, [0, 1]),
        (0x0314, 1, 4, [1, 1]),
    ):
        await unit.write_register(address, value)
        expected[channel] = after
        assert await channels() == expected


@pytest.mark.parametrize("framer", ["socket", "rtu"])
async def test_relays_that_do_not_obey(
    serve: Serve, build: GroupFactory, framer: Framer
) -> None:
    """Taken and not done, refused, and done without a word."""
    group = build(1)
    unit = (await serve(group, framer, patience=0.3))(1)
    group.relay = Relay.STUCK
    await unit.write_register(0x0312, 1)
    assert await unit.read_input_registers(0x031C, 1) == [0]
    group.relay = Relay.REFUSING
    with pytest.raises(ServerDeviceFailureError):
        await unit.write_register(0x0312, 1)
    assert await unit.read_input_registers(0x031C, 1) == [0]
    group.relay = Relay.MUTE
    with pytest.raises(ModbusTimeoutError):
        await unit.write_register(0x0312, 1)
    assert await unit.read_input_registers(0x031C, 1) == [1]


async def test_a_dead_primary_does_nothing(serve: Serve, build: GroupFactory) -> None:
    """It did not hear the command, even though its server did."""
    group = build(1)
    unit = (await serve(group, patience=0.3))(1)
    group.inject(group.serial_numbers[0], "offline")
    with pytest.raises(ModbusTimeoutError):
        await unit.write_register(0x0312, 1)
    group.inject(group.serial_numbers[0], "none")
    assert await unit.read_input_registers(0x031C, 1) == [0]


async def test_there_are_no_coils(serve: Serve, build: GroupFactory) -> None:
    """The functions for them are not supported."""
    unit = (await serve(build(1)))(1)
    with pytest.raises(IllegalFunctionError):
        await unit.read_coils(0, 1)
    with pytest.raises(IllegalFunctionError):
        await unit.read_discrete_inputs(0, 1)
    with pytest.raises(IllegalFunctionError):
        await unit.write_coil(0, True)


@pytest.mark.parametrize("framer", ["socket", "rtu"])
async def test_silence(
    serve: Serve, build: GroupFactory, framer: Framer, caplog: pytest.LogCaptureFixture
) -> None:
    """Dead and unknown inverters say nothing at all; the others are not held up."""
    group = build(2)
    unit_with_id = await serve(group, framer, patience=0.3)
    assert await unit_with_id(2).read_input_registers(0x0301, 1) == [2]
    group.inject(group.serial_numbers[1], "offline")
    with caplog.at_level(logging.WARNING, logger="pymodbus.logging"):
        for unit_id in (2, 3):
            caplog.clear()
            with pytest.raises(ModbusTimeoutError):
                await unit_with_id(unit_id).read_input_registers(0x0000, 1)
            # the client's own complaint is the only one
            assert "Datastore" not in caplog.text
            assert "Traceback" not in caplog.text
            assert await unit_with_id(1).read_input_registers(0x0303, 1) == [0b01]
    group.inject(group.serial_numbers[1], "none")
    assert await unit_with_id(2).read_input_registers(0x0301, 1) == [2]
    assert await unit_with_id(1).read_input_registers(0x0303, 1) == [0b11]


async def test_an_unknown_unit_gets_no_answer_to_anything(
    serve: Serve, build: GroupFactory
) -> None:
    """Not even an exception for an address or a function it would not have."""
    unit = (await serve(build(1), patience=0.3))(247)
    with pytest.raises(ModbusTimeoutError):
        await unit.read_holding_registers(0x7000, 10)
    with pytest.raises(ModbusTimeoutError):
        await unit.write_register(0x0000, 1)


async def test_faults_and_breaker_on_the_wire(
    serve: Serve, build: GroupFactory
) -> None:
    """The bits, the LED, the run mode and the relay at their addresses."""
    group = build(2)
    unit_with_id = await serve(group)
    group.inject(group.serial_numbers[1], "parallel_rs485_fault")
    assert await unit_with_id(2).read_input_registers(0x0304, 2) == [0b100000, 4]
    assert await unit_with_id(1).read_input_registers(0x0304, 2) == [0, 1]
    assert await unit_with_id(2).read_input_registers(0x0009, 1) == [3]
    group.inject(group.serial_numbers[1], "grid_relay")
    assert await unit_with_id(2).read_input_registers(0x0040, 2) == [0, 1 << 14]
    group.inject(group.serial_numbers[1], "none")
    group.grid_closed = False
    for unit_id in (1, 2):
        assert await unit_with_id(unit_id).read_input_registers(0x0009, 1) == [7]
        assert await unit_with_id(unit_id).read_input_registers(0x001A, 1) == [1]
        assert await unit_with_id(unit_id).read_input_registers(0x0040, 2) == [0b10, 0]
        assert await unit_with_id(unit_id).read_input_registers(0x0305, 1) == [1]
    assert await unit_with_id(1).read_input_registers(0x0307, 2) == [2, 0]


@pytest.mark.parametrize(
    ("backup_interface", "code"),
    [
        (BackupInterfaceType.NONE, 0),
        (BackupInterfaceType.BI, 1),
        (BackupInterfaceType.BI_PRO, 2),
    ],
)
async def test_backup_interface_on_the_wire(
    serve: Serve, build: GroupFactory, backup_interface: BackupInterfaceType, code: int
) -> None:
    """Without a BI PRO its block reads zero."""
    unit = (await serve(build(1, backup_interface=backup_interface)))(1)
    assert await unit.read_input_registers(0x0307, 2) == [code, min(code, 1)]
    block = await unit.read_input_registers(0x0310, 0x26)
    assert any(block) is (backup_interface is BackupInterfaceType.BI_PRO)


async def test_the_powers_of_one_read_balance(
    serve: Serve, build: GroupFactory, clock: Clock
) -> None:
    """What the registers say adds up to the house, within a watt an inverter."""
    group = build()
    unit_with_id = await serve(group)
    for _ in range(12):
        clock.pass_time(hours=2)
        words = [
            await unit_with_id(unit_id).read_input_registers(0, 0x55)
            for unit_id in (1, 2, 3, 4)
        ]
        ac_power = sum(_signed(live[0x02], 16) for live in words)
        meter = _signed(words[0][0x46] + (words[0][0x47] << 16), 32)
        assert ac_power - meter == pytest.approx(group.powers.house.load, abs=3)
        assert [live[0x46:0x4C] for live in words[1:]] == [[0] * 6] * 3


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


async def test_several_clients_at_once(build: GroupFactory, profile: Profile) -> None:
    """Each gets its own answers."""
    server = SimulatorServer(build(), profile)
    await server.start()
    async with _client(server.port) as one, _client(server.port) as other:
        async with asyncio.timeout(5):
            roles = await asyncio.gather(
                *(
                    client(unit_id).read_input_registers(0x0301, 1)
                    for unit_id in (1, 2, 3, 4)
                    for client in (one, other)
                )
            )
    assert roles == [[1], [1], [2], [2], [3], [3], [4], [4]]
    await server.stop()


async def test_port(build: GroupFactory, profile: Profile) -> None:
    """The real port while it listens; the wish before and after."""
    group = build(1)
    server = SimulatorServer(group, profile)
    assert server.port == 0
    await server.start()
    port = server.port
    assert port > 1023
    other = SimulatorServer(group, profile, port=port)
    with pytest.raises(
        OSError, match=rf"can't listen on 127\.0\.0\.1:{port}: Address already in use"
    ):
        await other.start()
    await other.stop()
    await server.stop()
    assert server.port == 0
    await other.start()
    assert other.port == port
    await other.stop()


async def test_it_listens_on_this_machine_only(
    build: GroupFactory, profile: Profile
) -> None:
    """A simulated group is nobody else's business."""
    with pytest.raises(ValueError, match="is not a loopback address"):
        SimulatorServer(build(1), profile, host="0.0.0.0")  # noqa: S104
    for host in ("127.0.0.1", "127.0.0.2"):
        server = SimulatorServer(build(1), profile, host=host)
        await server.start()
        assert server._server is not None
        listener = cast("asyncio.Server", server._server.transport)
        assert [s.getsockname()[0] for s in listener.sockets] == [host]
        await server.stop()


async def test_inverters_on_links_of_their_own(
    build: GroupFactory, profile: Profile
) -> None:
    """One group, one server a gateway, and unit id 1 on each."""
    group = build(2)
    servers = [SimulatorServer(group, profile, units={1: unit}) for unit in group.units]
    for role, server in enumerate(servers, start=1):
        await server.start()
        async with _client(server.port) as unit_with_id:
            assert await unit_with_id(1).read_input_registers(0x0301, 1) == [role]
    for server in servers:
        await server.stop()


async def test_stopping_drops_clients(build: GroupFactory, profile: Profile) -> None:
    """When it has stopped, every client has been cut off; stopping twice is harmless."""
    server = SimulatorServer(build(1), profile)
    await server.start()
    loop = asyncio.get_running_loop()
    with socket.create_connection((HOST, server.port)) as client:
        client.setblocking(False)
        await loop.sock_sendall(client, bytes.fromhex("0001 0000 0006 01 04 0301 0001"))
        reply = await loop.sock_recv(client, 100)
        assert reply == bytes.fromhex("0001 0000 0005 01 04 02 0001")
        await server.stop()
        with suppress(ConnectionResetError):
            assert client.recv(100) == b""
    await server.stop()
