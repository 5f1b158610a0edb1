"""How the reading of an inverter goes, in numbers."""

from modbus_connection import (
    IllegalDataAddressError,
    ModbusError,
    ModbusTimeoutError,
    ServerDeviceBusyError,
)
import pytest

from custom_components.solax_parallel.a1_ess.health import Health, Reads
from custom_components.solax_parallel.a1_ess.profile import Profile
from custom_components.solax_parallel.a1_ess.registers import RegisterSource
from custom_components.solax_parallel.a1_ess.source import ReadError

from .conftest import MakeDevice, OpenLink, StartServer
from .wire import late


def test_nothing_is_known_before_the_first_reply() -> None:
    assert Reads().health == Health(failed_reads=0, reply_time=None)


@pytest.mark.parametrize(
    ("replies", "reply_time"),
    [([1], 1), ([1, 2], 2), (range(1, 21), 19), (range(1, 101), 95)],
)
def test_the_reply_time_is_kept_by_95_of_100(
    replies: list[float], reply_time: float
) -> None:
    reads = Reads()
    for seconds in replies:
        reads.replied(seconds)
    assert reads.health.reply_time == reply_time


def test_old_replies_are_forgotten() -> None:
    reads = Reads()
    for seconds in (9, *[1] * 200):
        reads.replied(seconds)
    assert max(reads._seconds) == 1


@pytest.mark.parametrize(
    ("error", "failed"),
    [
        (ModbusTimeoutError("late"), 1),
        (ServerDeviceBusyError(), 1),
        # What is not served does not fail.
        (IllegalDataAddressError(), 0),
    ],
)
async def test_failed_reads_are_counted(
    make_device: MakeDevice, profile: Profile, error: ModbusError, failed: int
) -> None:
    device = make_device()
    source = RegisterSource(device.unit, profile)
    await source.read("live")
    device.fail("live", error)
    for reads in (1, 2):
        with pytest.raises(ReadError):
            await source.read("live")
        assert source.health.failed_reads == reads * failed


async def test_a_reply_takes_no_longer_for_the_silence_before_it(
    start_server: StartServer,
    open_link: OpenLink,
    make_device: MakeDevice,
    profile: Profile,
) -> None:
    device = make_device()
    server = await start_server()
    server.content = device.words
    server.default = late(0.05)
    link = open_link(server, timeout=1, message_spacing=0.2)
    source = RegisterSource(link.for_unit(1), profile)
    other = RegisterSource(link.for_unit(2), profile)
    for _ in range(2):
        await source.read("live")
    assert source.health.reply_time is not None
    assert 0.05 <= source.health.reply_time < 0.15
    # Each unit has its own.
    assert other.health.reply_time is None
