"""Which bytes count as a reply, whatever else the wire carries."""

from random import Random
import struct

from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
)
import pytest

from custom_components.solax_parallel.a1_ess.framing import (
    StrictFramer,
    StrictRtuFramer,
    StrictSocketFramer,
)

from .wire import crc16

WORDS = [0x0102, 0x0304, 0x8403, 0xFFFF, 0x0000]
CONTENT = struct.pack(">BB5H", 4, 10, *WORDS)
RTU = struct.pack(">B", 1) + CONTENT
SOUND = RTU + struct.pack("<H", crc16(RTU))


def asked(framer: StrictFramer) -> int:
    """Let a framer wait for five input registers of unit 1; return the number of that request."""
    request = ReadInputRegistersRequest(address=0x20, count=5, dev_id=1)
    framer.buildFrame(request)
    return request.transaction_id


def received(framer: StrictFramer, data: bytes) -> list[int] | None:
    """Return the registers that a framer finds among what came in."""
    _, pdu = framer.handleFrame(data, 1, 0)
    return None if pdu is None else pdu.registers


@pytest.fixture
def rtu() -> StrictRtuFramer:
    framer = StrictRtuFramer()
    asked(framer)
    return framer


def test_a_sound_frame_is_the_reply(rtu: StrictRtuFramer) -> None:
    assert received(rtu, SOUND) == WORDS
    assert rtu.waste == 0


def test_a_checksum_catches_every_flipped_bit(rtu: StrictRtuFramer) -> None:
    for bit in range(8 * len(SOUND)):
        frame = bytearray(SOUND)
        frame[bit // 8] ^= 1 << bit % 8
        assert received(rtu, bytes(frame)) is None


def test_a_frame_is_waited_for_to_its_end(rtu: StrictRtuFramer) -> None:
    for size in range(len(SOUND)):
        assert received(rtu, SOUND[:size]) is None
        assert rtu.waste == size


def test_a_number_makes_half_a_frame_or_another_one_no_reply() -> None:
    framer = StrictSocketFramer()
    number = asked(framer)
    body = struct.pack(">HHB", 0, len(CONTENT) + 1, 1) + CONTENT
    sound = struct.pack(">H", number) + body
    for size in range(len(sound)):
        assert received(framer, sound[:size]) is None
        assert framer.waste == size
    for other in {0, 1, number - 1, number + 1, number ^ 0x0100} - {number}:
        assert received(framer, struct.pack(">H", other & 0xFFFF) + body) is None
    assert received(framer, sound) == WORDS


@pytest.mark.parametrize("kind", [StrictRtuFramer, StrictSocketFramer])
def test_noise_brings_no_registers(kind: type[StrictFramer]) -> None:
    random = Random(1)  # noqa: S311
    framer = kind()
    asked(framer)
    for _ in range(2000):
        # Bytes that frames are full of are the worst: a checksum of two bytes can fit by chance.
        worst = bytes(random.choices((0, 1, 3, 4, 10, 0x84, 0xFF), k=80))
        assert not received(framer, worst)
        assert not received(framer, random.randbytes(80))


@pytest.mark.parametrize("kind", [StrictRtuFramer, StrictSocketFramer])
def test_waste_is_forgotten_with_the_next_request(kind: type[StrictFramer]) -> None:
    framer = kind()
    asked(framer)
    assert received(framer, b"\1\2\3") is None
    assert framer.waste == 3
    framer.buildFrame(ReadHoldingRegistersRequest(address=0, count=1, dev_id=1))
    assert framer.waste == 0
