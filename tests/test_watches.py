"""What is watched over the whole group: balance, and whether the sums are what the primary says."""

from collections.abc import Mapping
from unittest.mock import patch

import pytest

from custom_components.solax_parallel.a1_ess.clock import SteadyClock
from custom_components.solax_parallel.a1_ess.codes import GridStatus
from custom_components.solax_parallel.a1_ess.group import Group
from custom_components.solax_parallel.simulator.group import NONE
from custom_components.solax_parallel.simulator.readings import Reading
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNKNOWN
from homeassistant.core import HomeAssistant

from .conftest import StartGroup
from .groups import Falsify, GroupOnTheWire, entity_id, poll, state

WIRING = "custom_components.solax_parallel.wiring"


def saying(**instead: Reading) -> Falsify:
    """Let an inverter say something else than it reads."""

    def say(reads: dict[str, Reading]) -> Mapping[str, Reading]:
        return {**reads, **instead}

    return say


def watched(wire: GroupOnTheWire) -> Group:
    """Return the group as those see it who poll it."""
    group: Group = wire.entry.runtime_data.wiring.group
    return group


async def pause(hass: HomeAssistant, wire: GroupOnTheWire) -> None:
    """Switch polling off and on again, and wait for the first poll."""
    for action in ("turn_off", "turn_on"):
        await hass.services.async_call(
            "switch",
            action,
            {"entity_id": entity_id(hass, f"{wire.primary}_group_polling")},
            blocking=True,
        )
        await hass.async_block_till_done(wait_background_tasks=True)


async def test_how_far_inverters_lie_apart(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=3)
    for unit_id, charge, power, temperature, voltage in (
        (1, 50, 7600, 40, 240.1),
        (2, 70, 3800, 45, 240.3),
        (3, 60, 5700, 30, 239.5),
    ):
        wire.server.falsified[unit_id] = saying(
            battery_soc=charge,
            ac_power=power,
            inverter_temperature=temperature,
            ac_voltage=voltage,
        )
    assert await wire.set_up()

    one, two, three = wire.group.serial_numbers
    for key, value, highest, lowest in (
        ("soc_spread", 20, two, one),
        ("power_share_spread", 50, one, two),
        ("temperature_spread", 15, two, three),
        ("voltage_spread", 0.8, two, three),
    ):
        found = state(hass, f"{wire.primary}_group_{key}")
        assert float(found.state) == pytest.approx(value)
        assert found.attributes["highest"] == highest
        assert found.attributes["lowest"] == lowest
        assert found.attributes["complete"] is True

    # Who is missing may be lower still: what is left tells of no balance.
    wire.silence(three)
    await poll(hass)
    for key in ("soc_spread", "temperature_spread"):
        attributes = state(hass, f"{wire.primary}_group_{key}").attributes
        assert attributes["members_included"] == 2
        assert attributes["members_expected"] == 3
        assert attributes["complete"] is False


async def test_batteries_that_are_unbalanced_for_an_hour(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    seconds = [0.0]
    assert await wire.set_up()
    watched(wire)._clock = lambda: seconds[-1]
    watch = f"{wire.primary}_group_unbalanced"
    assert state(hass, watch).state == STATE_OFF
    told = []
    for now, charge in ((10.0, 84), (3600.0, 84), (3610.0, 84), (3620.0, 85)):
        seconds.append(now)
        wire.server.falsified[1] = saying(battery_soc=100)
        wire.server.falsified[2] = saying(battery_soc=charge)
        await poll(hass)
        told.append(state(hass, watch).state)
    assert told == [STATE_OFF, STATE_OFF, STATE_ON, STATE_OFF]

    wire.silence(wire.group.serial_numbers[1])
    await poll(hass)
    assert state(hass, watch).state == STATE_UNKNOWN
    assert state(hass, f"{wire.primary}_group_soc_spread").state == STATE_UNKNOWN


async def test_sums_that_the_primary_does_not_agree_with(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    with patch(f"{WIRING}.COMPARISON_INTERVAL", 0):
        assert await wire.set_up()
    watch = f"{wire.primary}_group_totals_disagree"
    found = state(hass, watch)
    assert found.state == STATE_OFF
    battery = found.attributes["battery_power"]
    assert battery["units"] == pytest.approx(battery["primary"], abs=2)

    wire.server.falsified[1] = saying(system_battery_power=battery["primary"] + 2000)
    for _ in range(9):
        await poll(hass)
        assert state(hass, watch).state == STATE_OFF
    await poll(hass)
    found = state(hass, watch)
    assert found.state == STATE_ON
    assert found.attributes["battery_power"] == {
        "units": battery["units"],
        "primary": battery["primary"] + 2000,
    }

    # What was true of all says nothing of those that are left.
    wire.silence(wire.group.serial_numbers[1])
    await poll(hass)
    found = state(hass, watch)
    assert found.state == STATE_UNKNOWN
    assert "battery_power" not in found.attributes
    wire.group.inject(wire.group.serial_numbers[1], NONE)
    await poll(hass)
    assert state(hass, watch).state == STATE_ON


async def test_those_that_are_heard_say_nothing_of_who_is_missing(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=3)
    for unit_id, charge in ((1, 50), (2, 66), (3, 90)):
        wire.server.falsified[unit_id] = saying(battery_soc=charge)
    wire.silence(wire.group.serial_numbers[2])
    assert await wire.set_up()
    watch = f"{wire.primary}_group_unbalanced"
    assert state(hass, watch).state == STATE_UNKNOWN
    wire.pass_time(3601)
    await poll(hass)
    assert state(hass, watch).state == STATE_ON


async def test_clock_that_is_put_forward_is_no_time_that_was_watched(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    wall = 1_800_000_000.0
    with patch(f"{WIRING}.SteadyClock", lambda: SteadyClock(wall=lambda: wall)):
        assert await wire.set_up()
    wire.server.falsified[1] = saying(battery_soc=100)
    wire.server.falsified[2] = saying(battery_soc=50, grid_status=GridStatus.OFF_GRID)
    for _ in range(2):
        await poll(hass)
        assert state(hass, f"{wire.primary}_group_unbalanced").state == STATE_OFF
        assert state(hass, f"{wire.primary}_group_status").state != "split"
        wall += 86400


async def test_a_pause_bears_nothing_out(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    seconds = [0.0]
    wire.server.falsified[1] = saying(battery_soc=100, system_battery_power=9999)
    wire.server.falsified[2] = saying(battery_soc=50)
    with patch(f"{WIRING}.COMPARISON_INTERVAL", 0):
        assert await wire.set_up()
    watched(wire)._clock = lambda: seconds[-1]

    async def told(now: float) -> list[str]:
        seconds.append(now)
        await poll(hass)
        return [
            state(hass, f"{wire.primary}_group_{key}").state
            for key in ("unbalanced", "totals_disagree")
        ]

    # The poll of the setup was the first of nine.
    for number in range(1, 9):
        assert await told(10.0 * number) == [STATE_OFF, STATE_OFF]
    seconds.append(3700.0)
    await pause(hass, wire)
    for number in range(1, 9):
        assert await told(3700.0 + 10 * number) == [STATE_OFF, STATE_OFF]
    # The poll that ended the pause was the first of ten.
    assert await told(7290.0) == [STATE_OFF, STATE_ON]
    assert await told(7300.0) == [STATE_ON, STATE_ON]
