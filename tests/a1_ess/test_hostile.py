"""A peer that means harm: it gets no memory, no time, and nothing of what comes after."""

import asyncio
import struct
import time
import tracemalloc

from modbus_connection import ModbusError
import pytest

from custom_components.solax_parallel.a1_ess.profile import Profile
from custom_components.solax_parallel.a1_ess.scan import NoInverter, scan

from .conftest import OpenLink, StartServer
from .wire import (
    Behaviour,
    Exchange,
    Framing,
    answer,
    silence,
    words_at,
)

TIMEOUT = 0.3
MEMORY = 30_000_000
"""Bytes at most, however long it lasts: pymodbus keeps the last 20 deliveries to log them."""
WORK = 1.5
"""Seconds of work that an attack may cause, the attacker's own included."""


def flood(piece: bytes) -> Behaviour:
    """Send without end and without a pause."""

    async def behave(exchange: Exchange) -> None:
        while not exchange.writer.is_closing():
            await exchange.send(piece)
            await asyncio.sleep(0)

    return behave


async def flood_of_frames(exchange: Exchange) -> None:
    """Send sound frames without end that answer somebody else."""
    other = exchange.frame(exchange.pdu(exchange.words), unit_id=77)
    await flood(other * 500)(exchange)


async def huge_length(exchange: Exchange) -> None:
    """Announce the longest frame that can be announced, and go on and on with it."""
    number = exchange.request.transaction
    await exchange.send(struct.pack(">HHHBBB", number, 0, 0xFFFF, 1, 4, 0xFF))
    await flood(bytes(8192))(exchange)


async def drop_by_drop(exchange: Exchange) -> None:
    """Answer a byte at a time, each just before patience is over."""
    for byte in exchange.reply():
        await exchange.send(bytes([byte]))
        await asyncio.sleep(TIMEOUT / 3)


ATTACKS = {
    "zeros": flood(bytes(65536)),
    # Every byte could be the beginning of a frame.
    "unit ids": flood(b"\x01\x04\xff" * 20_000),
    "ones": flood(b"\x01" * 65536),
    "frames": flood_of_frames,
    "huge length": huge_length,
    "drop by drop": drop_by_drop,
}

attacks = pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
framings = pytest.mark.parametrize("framing", ["socket", "rtu"])


@framings
@attacks
async def test_an_attack_costs_a_timeout_and_nothing_else(
    start_server: StartServer, open_link: OpenLink, framing: Framing, attack: Behaviour
) -> None:
    server = await start_server(framing)
    link = open_link(server, timeout=TIMEOUT)
    unit = link.for_unit(1)
    assert await unit.read_input_registers(0x20, 5)

    async def suffer() -> None:
        server.script.append(attack)
        with pytest.raises(ModbusError):
            await unit.read_input_registers(0x20, 5)

    begun = time.process_time()
    await suffer()
    worked = time.process_time() - begun
    # It makes the work several times as much.
    tracemalloc.start()
    try:
        await suffer()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert worked < WORK
    assert peak < MEMORY
    # Some attacks go on until the link is dropped.
    if link.connected:
        await link.disconnect()
    server.default = answer
    assert await unit.read_input_registers(0x20, 5) == words_at(server.requests[-1])


@framings
@pytest.mark.parametrize(
    "piece", [bytes(65536), b"\x01\x04\xff" * 20_000], ids=["zeros", "unit ids"]
)
async def test_whoever_floods_an_idle_link_loses_it(
    start_server: StartServer, open_link: OpenLink, framing: Framing, piece: bytes
) -> None:
    async def answer_and_flood(exchange: Exchange) -> None:
        await answer(exchange)
        await asyncio.sleep(0.05)
        await flood(piece)(exchange)

    server = await start_server(framing)
    link = open_link(server, timeout=TIMEOUT)
    lost = asyncio.Event()
    link.on_connection_lost(lost.set)
    unit = link.for_unit(1)
    server.script.append(answer_and_flood)
    assert await unit.read_input_registers(0x20, 5)
    async with asyncio.timeout(5):
        await lost.wait()
    assert await unit.read_input_registers(0x20, 5) == words_at(server.requests[-1])


@framings
@attacks
async def test_a_setup_gets_over_an_attack(
    start_server: StartServer,
    open_link: OpenLink,
    profile: Profile,
    framing: Framing,
    attack: Behaviour,
) -> None:
    server = await start_server(framing)
    server.default = attack
    async with asyncio.timeout(20):
        found = await scan(
            [open_link(server, timeout=TIMEOUT)], profile, unit_ids=range(1, 4)
        )
    assert set(found.answers.values()) <= {NoInverter.SILENT, NoInverter.OTHER_DEVICE}


async def test_a_listener_that_never_answers_is_no_different(
    start_server: StartServer, open_link: OpenLink, profile: Profile
) -> None:
    server = await start_server()
    server.default = silence
    found = await scan(
        [open_link(server, timeout=TIMEOUT)], profile, unit_ids=range(1, 4)
    )
    assert set(found.answers.values()) == {NoInverter.SILENT}
