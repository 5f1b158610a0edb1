"""What comes over the wire and can't be true: it is held off for three polls, and then said so."""

from collections.abc import Mapping
from typing import Any

import pytest

from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.diagnostics import (
    async_get_config_entry_diagnostics,
)
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant

from .conftest import StartGroup
from .groups import GroupOnTheWire, poll, state
from .mangling import MANGLED

READINGS = 4
UNIT = 2
ALIAS = "INVERTER000002"


def words(key: str, *values: int) -> Mapping[tuple[int, int, int], int]:
    """Return words in the place of a register of the second inverter."""
    address = load_profile().registers[key].address
    return {
        (UNIT, READINGS, address + offset): word for offset, word in enumerate(values)
    }


async def dropped(hass: HomeAssistant, wire: GroupOnTheWire) -> dict[str, int]:
    """Return how many samples the diagnostics say were dropped of the second inverter."""
    found: dict[str, Any] = await async_get_config_entry_diagnostics(hass, wire.entry)
    counted: dict[str, int] = found["group"]["members"][ALIAS]["dropped"]
    return counted


BAD: dict[str, tuple[str, tuple[int, ...]]] = {
    "charge_of_nothing": ("battery_soc", (0,)),
    "charge_beyond_all": ("battery_soc", (101,)),
    "no_value_u16": ("pv1_voltage", (0xFFFF,)),
    "no_value_u16_as_signed": ("pv1_voltage", (0x7FFF,)),
    "no_value_s16": ("battery_power", (0x8000,)),
    "no_value_s16_other": ("inverter_temperature", (0x7FFF,)),
    "no_value_u32": ("pv_energy_total", (0xFFFF, 0xFFFF)),
    "no_value_u32_almost": ("pv_energy_total", (0xFF00, 0xFFFF)),
    "no_value_s32": ("runtime_on_grid", (0x0000, 0x8000)),
    "no_value_s32_other": ("runtime_on_grid", (0xFFFF, 0x7FFF)),
    "spike_in_power": ("ac_power", (30000,)),
    "spike_in_a_leg": ("l1_voltage", (1700,)),
    "frequency": ("frequency", (100,)),
}
BAD_COUNTS: dict[str, tuple[str, tuple[int, ...]]] = {
    "nothing": ("pv_energy_total", (0, 0)),
    "nothing_today": ("pv_energy_today", (0,)),
    "too_much": ("battery_charged_total", (0, 0x0100)),
}


@pytest.mark.parametrize(
    ("key", "bad", "polls"),
    [
        *(pytest.param(*each, 3, id=name) for name, each in BAD.items()),
        # Three readings of a counter that agree would be believed.
        *(
            pytest.param(*each, 2, id=f"count_{name}")
            for name, each in BAD_COUNTS.items()
        ),
    ],
)
async def test_what_cannot_be_true(
    hass: HomeAssistant,
    start_group: StartGroup,
    key: str,
    bad: tuple[int, ...],
    polls: int,
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up(disabled_too=True)
    unique_id = f"{wire.group.serial_numbers[1]}_{key}"
    before = state(hass, unique_id).state
    assert await dropped(hass, wire) == {}

    wire.server.pokes |= words(key, *bad)
    for number in range(1, polls + 1):
        await poll(hass)
        assert state(hass, unique_id).state == before
        assert await dropped(hass, wire) == {key: number}
    if polls == 3:
        await poll(hass)
        assert state(hass, unique_id).state == STATE_UNAVAILABLE
        assert await dropped(hass, wire) == {key: 4}

    wire.server.pokes.clear()
    await poll(hass)
    assert state(hass, unique_id).state == before


@pytest.mark.parametrize(
    ("key", "word", "shown"),
    [
        # Read as unsigned they would be 6552.6 A and 65526 W.
        ("ac_current", -10, -1.0),
        ("battery_current", -10, -1.0),
        ("battery_power", -10, -10),
        ("ac_power", -10, -10),
        ("l1_power", -10, -10),
        ("backup_l1_power", -10, -10),
        ("inverter_temperature", -10, -10),
        ("meter_power", -10, -10),
    ],
)
async def test_what_is_below_nothing(
    hass: HomeAssistant, start_group: StartGroup, key: str, word: int, shown: float
) -> None:
    wire = await start_group(units=2)
    size = load_profile().registers[key].words
    wire.server.pokes |= words(key, *(word >> 16 * n & 0xFFFF for n in range(size)))
    assert await wire.set_up(disabled_too=True)
    assert float(state(hass, f"{wire.group.serial_numbers[1]}_{key}").state) == shown


@pytest.mark.parametrize("trouble", ["zeros", "ones", "cut_off", "busy", "noise"])
async def test_a_whole_reply_that_says_nothing(
    hass: HomeAssistant, start_group: StartGroup, trouble: str
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    serial = wire.group.serial_numbers[1]
    keys = ("battery_soc", "pv_energy_total", "pv_energy_today", "ac_power")
    before = {key: state(hass, f"{serial}_{key}").state for key in keys}
    whole = state(hass, f"{wire.primary}_group_pv_energy_total").state

    wire.server.mangled[UNIT] = MANGLED[trouble]
    for _ in range(4):
        await poll(hass)
        for key in keys:
            assert state(hass, f"{serial}_{key}").state in (
                before[key],
                STATE_UNAVAILABLE,
            )
        assert state(hass, f"{wire.primary}_group_pv_energy_total").state == whole
    assert await dropped(hass, wire) == {}, "there was no sample at all"


async def test_an_inverter_without_a_battery_drops_nothing(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    for key in ("battery_soc", "battery_power", "battery_voltage"):
        wire.server.pokes |= words(key, 0xFFFF if key == "battery_soc" else 0x7FFF)
    for key in ("battery_charged_total", "battery_discharged_total"):
        wire.server.pokes |= words(key, 0xFFFF, 0xFFFF)
    assert await wire.set_up()
    for _ in range(5):
        await poll(hass)

    serial = wire.group.serial_numbers[1]
    assert state(hass, f"{serial}_battery_soc").state == STATE_UNAVAILABLE
    assert state(hass, f"{serial}_battery_charged_total").state == STATE_UNAVAILABLE
    assert await dropped(hass, wire) == {}
