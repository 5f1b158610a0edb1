"""Who an inverter is."""

from dataclasses import replace
from typing import Any

import pytest

from custom_components.solax_parallel.a1_ess.codes import ParallelSetting
from custom_components.solax_parallel.a1_ess.identity import (
    Identity,
    OtherSerialError,
    check_serial,
    read_identity,
)
from custom_components.solax_parallel.a1_ess.profile import Profile
from custom_components.solax_parallel.a1_ess.registers import RegisterSource
from custom_components.solax_parallel.a1_ess.source import (
    RefusedError,
    SilentError,
    UnusableError,
)

from .conftest import MakeDevice, OpenLink, StartServer
from .device import Device
from .wire import flipped

WHOLE = Identity(
    serial_number="H10000000000AA",
    factory_name="Solax",
    firmware="DSP 1.07 / ARM 2.13",
    rated_power=7600,
    battery_count=2,
    parallel_setting=ParallelSetting.MASTER,
)


@pytest.fixture
def device(make_device: MakeDevice) -> Device:
    return make_device()


@pytest.fixture
def source(device: Device, profile: Profile) -> RegisterSource:
    return RegisterSource(device.unit, profile)


async def test_it_tells_everything(
    device: Device, source: RegisterSource, profile: Profile
) -> None:
    assert await read_identity(source, profile) == WHOLE
    assert device.asked() == [
        "identity",
        "rating",
        "firmware",
        "parallel_setting",
        "battery_packs",
    ]


@pytest.mark.parametrize(
    ("window", "unknown"),
    [
        ("firmware", "firmware"),
        ("rating", "rated_power"),
        ("parallel_setting", "parallel_setting"),
        ("battery_packs", "battery_count"),
    ],
)
async def test_what_is_refused_is_not_known(
    device: Device,
    source: RegisterSource,
    profile: Profile,
    window: str,
    unknown: str,
) -> None:
    device.refuse(window)
    changes: dict[str, Any] = {unknown: None}

    assert await read_identity(source, profile) == replace(WHOLE, **changes)


async def test_one_silence_is_enough(
    device: Device, source: RegisterSource, profile: Profile
) -> None:
    device.ignore("firmware")

    assert await read_identity(source, profile) == Identity(
        serial_number="H10000000000AA", factory_name="Solax", rated_power=7600
    )
    assert device.asked() == ["identity", "rating", "firmware"]


@pytest.mark.parametrize("bit", range(13))
async def test_a_rated_power_that_does_not_exist_is_not_known(
    device: Device, source: RegisterSource, profile: Profile, bit: int
) -> None:
    device.put("rated_power", 7600 ^ 1 << bit)

    assert (await read_identity(source, profile)).rated_power is None


@pytest.mark.parametrize(
    "key",
    [
        "dsp_firmware_major",
        "dsp_firmware_minor",
        "arm_firmware_major",
        "arm_firmware_minor",
    ],
)
async def test_half_a_firmware_version_is_none(
    device: Device, source: RegisterSource, profile: Profile, key: str
) -> None:
    device.put(key, 0xFFFF)

    assert (await read_identity(source, profile)).firmware is None


@pytest.mark.parametrize("window", ["firmware", "rating"])
async def test_zeros_for_what_is_not_served_are_not_known(
    device: Device, source: RegisterSource, profile: Profile, window: str
) -> None:
    device.clear(window)

    identity = await read_identity(source, profile)

    assert (identity.firmware is None) is (window == "firmware")
    assert (identity.rated_power is None) is (window == "rating")


async def test_no_battery_is_a_number_of_batteries(
    device: Device, source: RegisterSource, profile: Profile
) -> None:
    device.say(battery_count=0)

    assert (await read_identity(source, profile)).battery_count == 0


@pytest.mark.parametrize(
    ("words", "setting"),
    [
        ([0], ParallelSetting.FREE),
        ([1], ParallelSetting.MASTER),
        ([2], ParallelSetting.SLAVE),
        ([3], None),
        ([0xFFFF], None),
    ],
)
async def test_the_parallel_setting_is_in_the_table_or_not_known(
    device: Device,
    source: RegisterSource,
    profile: Profile,
    words: list[int],
    setting: ParallelSetting | None,
) -> None:
    device.put("parallel_setting", *words)

    assert (await read_identity(source, profile)).parallel_setting is setting


async def test_the_serial_number_alone_can_be_checked(
    device: Device, source: RegisterSource
) -> None:
    said = await check_serial(source, "H10000000000AA")
    assert said["factory_name"] == "Solax"

    with pytest.raises(OtherSerialError) as caught:
        await check_serial(source, "H10000000000BB")
    assert caught.value.serial_number == "H10000000000AA"
    assert "H1" not in str(caught.value)
    device.put("serial_number", *[0x2020] * 7)
    with pytest.raises(UnusableError, match="no serial number"):
        await check_serial(source, "H10000000000BB")
    device.mute()
    with pytest.raises(SilentError):
        await check_serial(source, "H10000000000AA")
    assert device.asked() == ["identity"] * 5


SERIAL_BITS = range(2, 16)
"""In which bytes of a reply the serial number stands: behind function code and length."""


@pytest.mark.parametrize("byte", SERIAL_BITS)
async def test_one_flipped_bit_makes_no_stranger(
    device: Device,
    profile: Profile,
    start_server: StartServer,
    open_link: OpenLink,
    byte: int,
) -> None:
    server = await start_server()
    server.content = device.words
    source = RegisterSource(open_link(server).for_unit(1), profile)
    server.script.append(flipped(8 * byte + 1))

    await check_serial(source, "H10000000000AA")
    assert len(server.requests) == 2
    server.script.extend([flipped(8 * byte + 1), flipped(8 * byte + 2)])
    with pytest.raises(UnusableError, match="changes"):
        await check_serial(source, "H10000000000AA")


@pytest.mark.parametrize("words", [[0x2020] * 7, [0] * 7])
async def test_an_empty_serial_number_is_nobodys(
    device: Device, source: RegisterSource, profile: Profile, words: list[int]
) -> None:
    device.put("serial_number", *words)

    with pytest.raises(UnusableError, match="no serial number"):
        await read_identity(source, profile)
    with pytest.raises(UnusableError, match="no serial number"):
        await check_serial(source, "H10000000000AA")


async def test_a_serial_number_filled_up_with_spaces_is_the_same(
    device: Device, source: RegisterSource, profile: Profile
) -> None:
    device.put("serial_number", 0x4831, 0x4141, 0x4242, 0x4343, 0x4444, 0x2020, 0x2020)

    assert (await check_serial(source, "H1AABBCCDD"))["serial_number"] == "H1AABBCCDD"


async def test_without_a_serial_number_there_is_no_identity(
    device: Device, source: RegisterSource, profile: Profile
) -> None:
    device.refuse("identity")
    with pytest.raises(RefusedError):
        await read_identity(source, profile)

    device.mute()
    with pytest.raises(SilentError):
        await read_identity(source, profile)
    assert device.asked() == ["identity", "identity"]
