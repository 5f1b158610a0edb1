"""What the log tells of losses: each once, and its end once."""

from collections.abc import Iterator
import logging

import pytest

from custom_components.solax_parallel import coordinator
from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.simulator.group import NONE
from homeassistant.core import HomeAssistant

from .a1_ess.wire import READ_HOLDING
from .conftest import Log, StartGroup
from .groups import GroupOnTheWire, poll, without_windows


@pytest.fixture
def told() -> Iterator[Log]:
    """Collect what the poll tells a person who asks for it, as level and message."""
    records: Log = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append((record.levelname, record.getMessage()))

    collector = Collector(logging.INFO)
    logger = logging.getLogger(coordinator.__name__)
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(collector)
    yield records
    logger.removeHandler(collector)
    logger.setLevel(level)


async def polls(hass: HomeAssistant, count: int) -> None:
    for _ in range(count):
        await poll(hass)


async def test_readings_that_fail_and_come_back(
    hass: HomeAssistant, group_on_the_wire: GroupOnTheWire, told: Log
) -> None:
    wire = group_on_the_wire
    assert await wire.set_up()
    await wire.server.restart(without_windows(load_profile(), "legs"))
    # For two polls the values from before are shown: that is no loss.
    await polls(hass, 2)
    assert told == []
    await polls(hass, 5)
    assert [(level, message.partition(" can't")[0]) for level, message in told] == [
        ("WARNING", f"{wire.entry.title}: readings legs of {role}")
        for role in ("primary", "secondary_1", "secondary_2", "secondary_3")
    ]
    told.clear()
    await wire.server.restart(load_profile())
    await polls(hass, 8)
    assert told == [
        ("INFO", f"{wire.entry.title}: readings legs of {role} are back")
        for role in ("primary", "secondary_1", "secondary_2", "secondary_3")
    ]


async def test_readings_that_were_never_served_are_no_trouble(
    hass: HomeAssistant, start_group: StartGroup, told: Log
) -> None:
    wire = await start_group(
        units=1, served=without_windows(load_profile(), "primary_extension")
    )
    assert await wire.set_up()
    await polls(hass, 10)
    ((level, message),) = told
    assert level == "INFO"
    assert message.startswith(f"{wire.entry.title}: readings primary_extension of prim")


async def test_a_setting_that_was_never_served_is_no_trouble_either(
    hass: HomeAssistant, start_group: StartGroup, told: Log
) -> None:
    wire = await start_group(
        units=1, served=without_windows(load_profile(), "battery_packs")
    )
    assert await wire.set_up()
    # It is left alone for a minute each time, so its third failure comes late.
    for _ in range(16):
        wire.pass_time(10)
        await poll(hass)
    ((level, message),) = told
    assert level == "INFO"
    start, _, reason = message.partition(" can't be had: ")
    assert start == f"{wire.entry.title}: readings battery_packs of primary"
    assert reason


async def test_the_reason_is_told_while_it_is_left_alone(
    hass: HomeAssistant, start_group: StartGroup, told: Log
) -> None:
    wire = await start_group(
        units=1, served=without_windows(load_profile(), "primary_extension")
    )
    assert await wire.set_up()
    coordinator = wire.entry.runtime_data
    first = coordinator.data.members[wire.primary].failures
    await polls(hass, 5)
    assert coordinator.data.members[wire.primary].failures == first
    ((_, message),) = told
    assert message.endswith(f"can't be had: {first['primary_extension']}")


async def test_an_inverter_that_is_lost_for_long(
    hass: HomeAssistant, group_on_the_wire: GroupOnTheWire, told: Log
) -> None:
    wire = group_on_the_wire
    assert await wire.set_up()
    wire.silence(wire.group.serial_numbers[2])
    await polls(hass, 8)
    title = wire.entry.title
    assert told == [
        (
            "WARNING",
            f"{title}: secondary_2 does not answer, its entities are unavailable",
        )
    ]
    told.clear()
    wire.group.inject(wire.group.serial_numbers[2], NONE)
    wire.entry.runtime_data.wiring.group.inverters[wire.group.serial_numbers[2]].wake()
    await polls(hass, 3)
    assert told == [("INFO", f"{title}: secondary_2 answers again")]


async def test_what_is_not_asked_for_is_not_back(
    hass: HomeAssistant, start_group: StartGroup, told: Log
) -> None:
    wire = await start_group(units=1)
    rating = load_profile().registers["rated_power"]
    wire.server.pokes[1, READ_HOLDING, rating.address] = 0
    assert await wire.set_up()
    await polls(hass, 8)
    ((level, message),) = told
    assert level == "INFO"
    assert message.startswith(f"{wire.entry.title}: readings rating of prim")
