"""Readings taken from Modbus registers: what is asked for, and what comes of the answer."""

from dataclasses import replace

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
    ModbusTimeoutError,
    ServerDeviceBusyError,
    ServerDeviceFailureError,
)
from modbus_connection.mock import MockModbusConnection, WriteEvent
import pytest

from custom_components.solax_parallel.a1_ess.profile import Profile
from custom_components.solax_parallel.a1_ess.registers import RegisterSource
from custom_components.solax_parallel.a1_ess.source import (
    NotDoneError,
    NotNowError,
    ReadError,
    RefusedError,
    SilentError,
    UnansweredError,
    UnreachableError,
    UnusableError,
    WriteError,
)

from .conftest import MakeDevice, OpenLink, StartServer
from .device import Device, place
from .wire import Framing, registers as reply_with

# One read a window, from its first register that is known to its last.
READS = {
    "identity": ("holding", 0x0000, 21),
    "firmware": ("holding", 0x007D, 7),
    "rating": ("holding", 0x00BA, 1),
    "parallel_setting": ("holding", 0x0130, 1),
    "battery_packs": ("holding", 0x0200, 1),
    "live": ("input", 0x0000, 84),
    "legs": ("input", 0x006A, 50),
    "third_string": ("input", 0x0122, 3),
    "system": ("input", 0x01DD, 113),
    "extension": ("input", 0x0300, 7),
    "primary_extension": ("input", 0x0300, 54),
}


@pytest.fixture
def device(make_device: MakeDevice) -> Device:
    return make_device()


@pytest.fixture
def source(device: Device, profile: Profile) -> RegisterSource:
    return RegisterSource(device.unit, profile)


def test_every_window_has_its_read(profile: Profile) -> None:
    assert set(READS) == set(profile.windows)


@pytest.mark.parametrize("window", READS)
async def test_a_window_is_read_with_one_request(
    device: Device, source: RegisterSource, profile: Profile, window: str
) -> None:
    device.say(system_units=4)

    for _ in range(2):
        values = await source.read(window)
        assert set(values) == {register.key for register in profile.read_in(window)}
    assert [place(event) for event in device.unit.read_events] == [READS[window]] * 2


async def test_nothing_is_asked_before_the_first_read(
    device: Device, source: RegisterSource
) -> None:
    assert device.unit.read_events == []
    assert source.raw == {"holding": {}, "input": {}}


async def test_readings_come_decoded(device: Device, source: RegisterSource) -> None:
    device.put("pv2_voltage", 0xFFFF)
    device.put("battery_current", 0xFF9C)

    live = await source.read("live")

    assert live["ac_voltage"] == 240.1
    assert live["meter_power"] == -250
    assert live["battery_charged_total"] == 1000.5
    assert live["battery_current"] == -10.0
    assert live["pv2_voltage"] is None
    # A code stays a number here: what it stands for is the profile's to say.
    assert live["run_mode"] == 2
    assert live["inverter_faults"] == 0
    assert (await source.read("identity"))["serial_number"] == "H10000000000AA"


def test_what_cannot_be_reached_is_silent() -> None:
    assert issubclass(UnreachableError, SilentError)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ModbusTimeoutError("late"), SilentError),
        (ModbusConnectionError("gone"), UnreachableError),
        (ClientClosedError("closed"), UnreachableError),
        (GatewayPathUnavailableError(), UnreachableError),
        (GatewayTargetError(), UnreachableError),
        (IllegalFunctionError(), RefusedError),
        (IllegalDataAddressError(), RefusedError),
        (IllegalDataValueError(), NotNowError),
        (ServerDeviceFailureError(), NotNowError),
        (AcknowledgeError(), NotNowError),
        (ServerDeviceBusyError(), NotNowError),
        (MemoryParityError(), NotNowError),
        (ModbusExceptionError(77), NotNowError),
        (ModbusProtocolError("short"), UnusableError),
        (ModbusError("odd"), UnusableError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, ModbusError) else None,
)
async def test_an_error_tells_silence_refusal_and_nonsense_apart(
    device: Device,
    source: RegisterSource,
    error: ModbusError,
    expected: type[ReadError],
) -> None:
    device.fail("live", error)

    with pytest.raises(ReadError) as caught:
        await source.read("live")
    assert type(caught.value) is expected
    assert str(caught.value)
    assert isinstance(caught.value.__cause__, type(error))

    device.fail("live", None)
    assert (await source.read("live"))["ac_power"] == 3000


async def test_one_window_fails_without_the_others(
    device: Device, source: RegisterSource
) -> None:
    device.refuse("legs")

    with pytest.raises(RefusedError):
        await source.read("legs")
    assert (await source.read("live"))["ac_power"] == 3000


@pytest.mark.parametrize(
    "window",
    [
        "identity",
        "firmware",
        "rating",
        "live",
        "legs",
        "system",
        "extension",
        "primary_extension",
    ],
)
async def test_nothing_but_zeros_is_no_answer_of_a_running_inverter(
    device: Device, source: RegisterSource, window: str
) -> None:
    device.clear(window)

    with pytest.raises(UnusableError, match="zeros"):
        await source.read(window)


@pytest.mark.parametrize(
    "window", ["parallel_setting", "battery_packs", "third_string"]
)
async def test_zeros_are_an_answer_elsewhere(
    device: Device, source: RegisterSource, window: str
) -> None:
    device.clear(window)

    assert set((await source.read(window)).values()) == {0}


@pytest.mark.parametrize(
    "window", ["parallel_setting", "battery_packs", "third_string"]
)
async def test_zeros_out_of_nowhere_have_to_be_seen_twice(
    device: Device, source: RegisterSource, window: str
) -> None:
    before = await source.read(window)
    assert any(before.values())
    device.clear(window)

    for _ in range(2):
        with pytest.raises(UnusableError, match="zeros"):
            await source.read(window)
        assert set((await source.read(window)).values()) == {0}
        device.say(parallel_setting="master", battery_count=2, pv3_power=400)
        assert any((await source.read(window)).values())
        device.clear(window)


async def test_one_word_that_is_set_is_enough(
    device: Device, source: RegisterSource
) -> None:
    device.clear("live")
    device.say(run_mode="normal")

    assert (await source.read("live"))["run_mode"] == 2


async def test_the_words_are_kept_as_they_came(
    device: Device, source: RegisterSource
) -> None:
    await source.read("rating")
    await source.read("third_string")
    assert source.raw == {
        "holding": {0x00BA: 7600},
        "input": {0x0122: 0, 0x0123: 0, 0x0124: 400},
    }

    # The same address of the other table stays apart.
    await source.read("live")
    await source.read("identity")
    assert source.raw["input"][0x0000] == 2401
    assert source.raw["holding"][0x0000] == 0x4831
    assert len(source.raw["input"]) == 3 + 84
    # Words between the known registers belong to it: they may hold what is looked for.
    assert 0x000C in source.raw["input"]


async def test_the_words_of_a_failed_read_stay_and_zeros_show(
    device: Device, source: RegisterSource
) -> None:
    await source.read("live")
    device.ignore("live")
    with pytest.raises(SilentError):
        await source.read("live")
    assert source.raw["input"][0x0002] == 3000

    device.fail("live", None)
    device.clear("live")
    with pytest.raises(UnusableError):
        await source.read("live")
    assert set(source.raw["input"].values()) == {0}


async def test_a_window_that_holds_nothing_any_more_is_not_read(
    device: Device, profile: Profile
) -> None:
    moved = replace(profile.registers["rated_power"], window="firmware", address=0x007E)
    changed = replace(profile, registers={**profile.registers, "rated_power": moved})
    source = RegisterSource(device.unit, changed)

    assert await source.read("rating") == {}
    assert device.unit.read_events == []
    assert "rated_power" in await source.read("firmware")


async def test_what_was_not_asked_for_is_no_bad_zeros(
    device: Device, profile: Profile
) -> None:
    source = RegisterSource(device.unit, replace(profile, registers={}))

    assert await source.read("live") == {}
    assert device.unit.read_events == []


async def test_a_lost_link_is_new_until_it_says_who_it_is(
    make_device: MakeDevice, profile: Profile
) -> None:
    connection = MockModbusConnection()
    device = Device(connection.for_unit(1), profile)
    source = RegisterSource(device.unit, profile)
    renewed = [source.renewed]

    await source.read("identity")
    connection.simulate_connection_lost()
    renewed.append(source.renewed)
    await source.read("live")
    renewed.append(source.renewed)
    device.clear("identity")
    with pytest.raises(UnusableError):
        await source.read("identity")
    renewed.append(source.renewed)
    device.say(serial_number="H10000000000AA")
    await source.read("identity")
    renewed.append(source.renewed)

    assert renewed == [False, True, True, True, False]


# --- writing --------------------------------------------------------------------------


async def test_a_write_is_sent_as_it_is(device: Device, source: RegisterSource) -> None:
    written: list[WriteEvent] = []
    device.unit.on_write(written.append)

    await source.write(0x0310, 1)

    assert written == [WriteEvent("holding", 0x0310, [1], function_code=6)]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ModbusTimeoutError("late"), UnansweredError),
        (ModbusConnectionError("gone"), UnansweredError),
        (ClientClosedError("closed"), UnansweredError),
        (ModbusProtocolError("garbled"), UnansweredError),
        # A gateway that waited in vain does not know either.
        (GatewayPathUnavailableError(), UnansweredError),
        (GatewayTargetError(), UnansweredError),
        (IllegalFunctionError(), NotDoneError),
        (IllegalDataAddressError(), NotDoneError),
        (IllegalDataValueError(), NotDoneError),
        (ServerDeviceFailureError(), NotDoneError),
        (ServerDeviceBusyError(), NotDoneError),
        (MemoryParityError(), NotDoneError),
        (ModbusExceptionError(77), NotDoneError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_a_write_that_fails_tells_whether_it_arrived(
    device: Device,
    source: RegisterSource,
    error: ModbusError,
    expected: type[WriteError],
) -> None:
    device.unit.fail_write(0x0310, error)

    with pytest.raises(expected):
        await source.write(0x0310, 1)


async def test_an_acknowledgement_is_an_answer(
    device: Device, source: RegisterSource
) -> None:
    device.unit.fail_write(0x0310, AcknowledgeError())

    await source.write(0x0310, 1)


# --- on the wire ----------------------------------------------------------------------


@pytest.mark.parametrize("framing", ["socket", "rtu"])
async def test_short_replies_and_silence_come_through_the_link(
    start_server: StartServer,
    open_link: OpenLink,
    profile: Profile,
    framing: Framing,
) -> None:
    server = await start_server(framing)
    source = RegisterSource(open_link(server, timeout=5).for_unit(1), profile)

    server.script.append(reply_with(83))
    with pytest.raises(UnusableError, match="84"):
        await source.read("live")

    assert set(await source.read("live")) == {
        register.key for register in profile.read_in("live")
    }
    assert source.raw["input"][0x0002] == 0x1402
    await server.stop()
    with pytest.raises(SilentError):
        await source.read("live")
