"""Whatever a wire brings: nothing breaks, and nothing but the reply is taken for it."""

from random import Random
import struct

from modbus_connection.mock import MockModbusConnection
import pytest

from custom_components.solax_parallel.a1_ess.codes import Role
from custom_components.solax_parallel.a1_ess.framing import (
    StrictFramer,
    StrictRtuFramer,
    StrictSocketFramer,
)
from custom_components.solax_parallel.a1_ess.group import Group
from custom_components.solax_parallel.a1_ess.inverter import Inverter
from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.a1_ess.registers import RegisterSource
from tests.a1_ess.conftest import Clock
from tests.a1_ess.device import Device
from tests.a1_ess.test_framing import CONTENT, RTU, SOUND, WORDS, asked
from tests.a1_ess.wire import crc16

from .mutation import mutated_bytes

UNKNOWABLE = (0, 0xFFFF, 0x7FFF, 0x8000, 1, 0x0100)


@pytest.mark.parametrize("framer_type", [StrictSocketFramer, StrictRtuFramer])
def test_only_the_reply_is_taken_for_it(
    random: Random, inputs: int, framer_type: type[StrictFramer]
) -> None:
    framer = framer_type()
    taken = 0
    for _ in range(inputs):
        number = asked(framer)
        sound = (
            SOUND
            if isinstance(framer, StrictRtuFramer)
            else struct.pack(">HHHB", number, 0, len(CONTENT) + 1, 1) + CONTENT
        )
        data = mutated_bytes(random, sound)
        used, pdu = framer.handleFrame(data, 1, 0)
        assert 0 <= used <= len(data)
        # One that is shorter is whole in itself, and the link refuses it.
        if pdu is None or pdu.isError() or len(pdu.registers) != len(WORDS):
            continue
        taken += 1
        assert (pdu.dev_id, pdu.function_code) == (1, 4)
        if isinstance(framer, StrictRtuFramer):
            found = RTU[:3] + struct.pack(">5H", *pdu.registers)
            assert found + struct.pack("<H", crc16(found)) in data
        else:
            assert struct.pack(">5H", *pdu.registers) in data
            assert number.to_bytes(2) in data
    # Some are so little different that the reply is still in them.
    assert 0 < taken < inputs


def test_the_reply_is_found_behind_a_flood(random: Random) -> None:
    framer = StrictRtuFramer()
    asked(framer)
    _, pdu = framer.handleFrame(random.randbytes(100_000) + SOUND, 1, 0)
    assert pdu is not None
    assert pdu.registers == WORDS


async def test_no_registers_break_a_poll(random: Random, inputs: int) -> None:
    profile, clock = load_profile(), Clock()
    bus = MockModbusConnection()
    devices = [
        Device(bus.for_unit(unit_id), profile, role, quantity=2)
        for unit_id, role in enumerate((Role.PRIMARY, Role.SECONDARY_1), start=1)
    ]
    group = Group(
        [
            [
                Inverter(
                    device.member(),
                    profile,
                    RegisterSource(device.unit, profile),
                    clock=clock,
                )
                for device in devices
            ]
        ],
        clock=clock,
    )
    await group.poll()
    heard = 0
    for _ in range(max(1, inputs // 50)):
        for device in devices:
            for store in (device.unit.input, device.unit.holding):
                for address in list(store):
                    # Who it is stays: a stranger is not asked for anything.
                    if store is device.unit.holding and address < 0x15:
                        continue
                    if random.random() < 0.3:
                        store[address] = random.choice(
                            (random.randrange(1 << 16), random.choice(UNKNOWABLE))
                        )
        clock.move(random.choice((5, 10, 70, 4000)))
        state = await group.poll()
        heard += len(state.heard)
        for total in state.totals.values():
            assert total.members_included >= 0
    assert heard
