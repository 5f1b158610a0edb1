"""Fault events: raised once, cleared once, over silence, reload and restart."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.solax_parallel.a1_ess.faults import PARALLEL_FAULTS
from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.const import DOMAIN
from custom_components.solax_parallel.simulator.group import (
    NONE,
    OFFLINE,
    SimulatedGroup,
)
from homeassistant.const import STATE_ON
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import entity_registry as er, restore_state

from .conftest import Fired, StartGroup
from .groups import (
    GroupOnTheWire,
    die,
    entity_id,
    poll,
    set_up,
    state,
    stop,
    without_windows,
)

RS485 = "parallel_rs485_fault"


async def inject(wire: GroupOnTheWire, index: int, option: str) -> None:
    """Let a fault come or go, and poll."""
    wire.group.inject(wire.group.serial_numbers[index], option)
    await poll(wire.hass)


async def test_each_named_fault_on_each_unit(
    group_on_the_wire: GroupOnTheWire, fired: Fired
) -> None:
    wire = group_on_the_wire
    assert await wire.set_up()
    expected = []
    for index, serial in enumerate(wire.group.serial_numbers):
        for fault in PARALLEL_FAULTS:
            await inject(wire, index, fault.key)
            await poll(wire.hass)
            await inject(wire, index, NONE)
            expected += [(serial, fault.key), (serial, f"{fault.key}_cleared")]
    assert fired == expected


async def test_attributes(hass: HomeAssistant, start_group: StartGroup) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await inject(wire, 1, RS485)
    serial = wire.group.serial_numbers[1]
    told = state(hass, f"{serial}_fault").attributes
    seen = {key: told[key] for key in ("vendor_code", "role", "unit")}
    assert seen == {
        "vendor_code": "ParallelRS485 ComFault",
        "role": "secondary_1",
        "unit": serial,
    }


async def test_one_fault_after_another(start_group: StartGroup, fired: Fired) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    await inject(wire, 0, "fan")
    await inject(wire, 0, "isolation")
    assert [kind for _, kind in fired] == ["fan", "fan_cleared", "isolation"]


async def test_what_stood_at_the_start_is_no_news(
    start_group: StartGroup, fired: Fired
) -> None:
    wire = await start_group(units=2)
    wire.group.inject(wire.primary, RS485)
    assert await wire.set_up()
    await poll(wire.hass)
    assert fired == []
    await inject(wire, 0, NONE)
    assert fired == [(wire.primary, f"{RS485}_cleared")]


async def test_cleared_while_silent(start_group: StartGroup, fired: Fired) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    serial = wire.group.serial_numbers[1]
    await inject(wire, 1, RS485)
    await inject(wire, 1, OFFLINE)
    assert fired == [(serial, RS485)], "silence says nothing of a fault"
    await inject(wire, 1, NONE)
    assert fired == [(serial, RS485), (serial, f"{RS485}_cleared")]


async def test_nothing_is_lost_or_repeated_over_a_reload(
    hass: HomeAssistant, start_group: StartGroup, fired: Fired
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    await inject(wire, 0, RS485)
    fired.clear()
    await hass.config_entries.async_reload(wire.entry.entry_id)
    await hass.async_block_till_done()
    await poll(hass)
    assert fired == []
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    wire.group.inject(wire.primary, "fan")
    assert await hass.config_entries.async_setup(wire.entry.entry_id)
    await hass.async_block_till_done()
    await poll(hass)
    assert fired == [(wire.primary, f"{RS485}_cleared"), (wire.primary, "fan")]


@pytest.mark.parametrize(
    ("now", "expected"),
    [(NONE, [f"{RS485}_cleared"]), (RS485, []), ("fan", [f"{RS485}_cleared"])],
)
async def test_restart(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    start_group: StartGroup,
    fired: Fired,
    now: str,
    expected: list[str],
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    await inject(wire, 0, RS485)
    await stop(hass, wire.entry)
    fired.clear()

    wire.group.inject(wire.primary, now)
    assert await set_up(hass, wire.entry)
    await poll(hass)
    assert fired == [], "nobody listens yet"
    hass.set_state(CoreState.running)
    await poll(hass)
    assert [kind for _, kind in fired] == expected


async def test_what_becomes_known_late_is_no_news(
    start_group: StartGroup, fired: Fired
) -> None:
    silent = without_windows(load_profile(), "primary_extension")
    wire = await start_group(units=1, served=silent)
    assert await wire.set_up()
    # Nobody can tell whether it was there before.
    wire.group.inject(wire.primary, RS485)
    await wire.server.restart(load_profile())
    wire.pass_time(60)
    await poll(wire.hass)
    assert state(wire.hass, f"{wire.primary}_{RS485}").state == STATE_ON
    assert fired == []
    await inject(wire, 0, NONE)
    await inject(wire, 0, RS485)
    assert [kind for _, kind in fired] == [f"{RS485}_cleared", RS485]


async def test_comes_and_goes_while_starting(
    hass: HomeAssistant, start_group: StartGroup, fired: Fired
) -> None:
    wire = await start_group(units=1)
    hass.set_state(CoreState.starting)
    assert await wire.set_up()
    await inject(wire, 0, RS485)
    assert fired == [], "nobody listens yet"
    hass.set_state(CoreState.running)
    await poll(hass)
    assert fired == [(wire.primary, RS485)], "it came after the first look"


async def test_goes_on_under_another_name(
    hass: HomeAssistant, start_group: StartGroup, fired: Fired
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    await inject(wire, 0, "fan")
    old = entity_id(hass, f"{wire.primary}_fault")
    er.async_get(hass).async_update_entity(old, new_entity_id="event.our_inverter")
    await hass.async_block_till_done()
    await inject(wire, 0, NONE)
    assert [kind for _, kind in fired] == ["fan", "fan_cleared"]
    assert hass.states.get(old) is None
    assert hass.states.get("event.our_inverter") is not None


async def test_known_clean_before_it_was_silent_at_the_start(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    start_group: StartGroup,
    fired: Fired,
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await stop(hass, wire.entry)
    serial = wire.group.serial_numbers[1]
    wire.silence(serial)
    assert await set_up(hass, wire.entry)
    hass.set_state(CoreState.running)
    await poll(hass)
    wire.group.inject(serial, RS485)
    wire.pass_time(60)
    await poll(hass)
    assert fired == [(serial, RS485)]


@pytest.mark.parametrize("now", [NONE, "fan"])
async def test_nothing_is_lost_or_repeated_when_home_assistant_dies(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    start_group: StartGroup,
    fired: Fired,
    now: str,
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    await inject(wire, 0, RS485)
    await restore_state.async_get(hass).async_dump_states()
    await inject(wire, 0, NONE)
    fired.clear()
    await die(hass, wire.entry)
    wire.group.inject(wire.primary, now)
    assert await set_up(hass, wire.entry)
    hass.set_state(CoreState.running)
    await poll(hass)
    assert fired == [], "what stands at the start is no news"


async def test_a_removed_group_that_is_added_again_starts_anew(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    start_group: StartGroup,
    fired: Fired,
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    await inject(wire, 0, RS485)
    await poll(hass)
    stored = f"{DOMAIN}.facts.{wire.entry.entry_id}"
    assert stored in hass_storage
    await hass.config_entries.async_remove(wire.entry.entry_id)
    assert stored not in hass_storage
    fired.clear()
    wire.group.inject(wire.primary, NONE)
    again = MockConfigEntry(
        domain=DOMAIN,
        unique_id=wire.primary,
        data=dict(wire.entry.data),
        options=dict(wire.entry.options),
    )
    again.add_to_hass(hass)
    assert await set_up(hass, again)
    await poll(hass)
    assert fired == []


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        # Whether the bit is set in each poll, and whether the grid is there.
        ([(1, 1), (1, 0), (1, 0), (0, 1), (0, 1), (0, 1)], []),
        ([(0, 1), (1, 0), (1, 0), (1, 1), (0, 1), (0, 1)], []),
        ([(0, 0), (0, 0), (1, 0), (0, 0), (0, 1), (0, 1)], []),
        (
            [(1, 1), (1, 1), (1, 0), (0, 0), (0, 1), (0, 1)],
            ["grid_lost", "grid_lost_cleared"],
        ),
        ([(1, 1), (1, 1), (0, 1), (0, 1)], ["grid_lost", "grid_lost_cleared"]),
    ],
    ids=["leads", "lags", "within", "stands before", "with the grid"],
)
async def test_faults_that_off_grid_brings_with_it(
    start_group: StartGroup,
    fired: Fired,
    monkeypatch: pytest.MonkeyPatch,
    told: list[tuple[int, int]],
    expected: list[str],
) -> None:
    bits: set[str] = set()
    monkeypatch.setattr(SimulatedGroup, "faults", lambda *_: frozenset(bits))
    wire = await start_group(units=1)
    assert await wire.set_up()
    await poll(wire.hass)
    for bit, grid in told:
        bits.clear()
        bits.update(["grid_lost"] * bit)
        wire.group.grid_closed = bool(grid)
        await poll(wire.hass)
    assert [kind for unit, kind in fired if unit is not None] == expected
