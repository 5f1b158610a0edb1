"""Energies over a restart of Home Assistant and over silence: the recorder never sees them fall."""

from collections import defaultdict
from collections.abc import Iterator

import pytest
from pytest_homeassistant_custom_component.common import (
    async_mock_load_restore_state_from_storage,
)

from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.simulator.group import NONE
from homeassistant.const import (
    EVENT_STATE_CHANGED,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import (
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
)
from homeassistant.helpers import restore_state

from .conftest import StartGroup
from .contract import ENERGY_TOTALS
from .groups import GroupOnTheWire, halved, poll, set_up, state

type History = dict[str, list[float]]

SUMMED = (
    "pv_energy_total",
    "battery_charged_total",
    "battery_discharged_total",
    "backup_energy_total",
)


@pytest.fixture
def history(hass: HomeAssistant, hass_storage: dict[str, object]) -> Iterator[History]:
    """Record every number that an energy counter for life shows, as the recorder would."""
    numbers: History = defaultdict(list)

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        new = event.data["new_state"]
        if (
            new is not None
            and new.state not in (STATE_UNAVAILABLE, STATE_UNKNOWN)
            and new.attributes.get("state_class") == "total_increasing"
            and "today" not in new.entity_id
        ):
            numbers[new.entity_id].append(float(new.state))

    forget = hass.bus.async_listen(EVENT_STATE_CHANGED, note)
    yield numbers
    forget()


def falls(history: History) -> dict[str, list[float]]:
    """Return what has fallen at some time."""
    return {
        entity_id: numbers
        for entity_id, numbers in history.items()
        if numbers != sorted(numbers)
    }


async def restart(hass: HomeAssistant, wire: GroupOnTheWire) -> None:
    """Let Home Assistant forget all but what it has on its disk."""
    await restore_state.async_get(hass).async_dump_states()
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    await async_mock_load_restore_state_from_storage(hass)
    assert await set_up(hass, wire.entry)


def energies(hass: HomeAssistant, wire: GroupOnTheWire) -> dict[str, str]:
    return {
        key: state(hass, f"{wire.primary}_group_{key}").state for key in ENERGY_TOTALS
    }


async def test_restart_of_a_group_that_is_all_there(
    hass: HomeAssistant, start_group: StartGroup, history: History
) -> None:
    wire = await start_group(units=3)
    assert await wire.set_up()
    before = energies(hass, wire)
    await restart(hass, wire)
    assert energies(hass, wire) == before
    wire.clock.move(hours=1)
    await restart(hass, wire)
    after = energies(hass, wire)
    assert float(after["pv_energy_total"]) > float(before["pv_energy_total"]) + 10
    assert falls(history) == {}
    # Each of 3 inverters counts 5 energies and the primary's meter 2 more, the group sums up 6,
    # and there are 6 smart loads.
    assert len(history) == 3 * 5 + 2 + 6 + 6


@pytest.mark.parametrize("index", [0, 2])
async def test_member_that_sleeps_through_restarts_stays_in_the_sums(
    hass: HomeAssistant, start_group: StartGroup, history: History, index: int
) -> None:
    wire = await start_group(units=3)
    assert await wire.set_up()
    before = energies(hass, wire)
    silent = wire.group.serial_numbers[index]
    wire.silence(silent)
    for _ in range(2):
        await restart(hass, wire)
        assert state(hass, f"{silent}_pv_energy_total").state == STATE_UNAVAILABLE
        assert energies(hass, wire) == before
        for key in SUMMED:
            found = state(hass, f"{wire.primary}_group_{key}").attributes
            assert found["members_included"] == 2
            assert found["complete"] is False

    wire.group.inject(silent, NONE)
    await poll(hass)
    units = [wire.group.energies.unit(unit.index) for unit in wire.group.units]
    assert float(energies(hass, wire)["pv_energy_total"]) == pytest.approx(
        sum(unit.pv for unit in units) / 1000, abs=0.3
    )
    assert falls(history) == {}


async def test_restart_while_nobody_answers(
    hass: HomeAssistant, start_group: StartGroup, history: History
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    before = energies(hass, wire)
    await wire.server.vanish()
    await restore_state.async_get(hass).async_dump_states()
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    await async_mock_load_restore_state_from_storage(hass)
    assert not await set_up(hass, wire.entry)

    # What was never added in this run is kept for the next one.
    await restore_state.async_get(hass).async_dump_states()
    await async_mock_load_restore_state_from_storage(hass)
    await hass.config_entries.async_unload(wire.entry.entry_id)
    await wire.server.start()
    wire.silence(wire.group.serial_numbers[1])
    assert await set_up(hass, wire.entry)
    assert energies(hass, wire) == before
    assert falls(history) == {}


async def test_sum_is_unknown_until_every_member_was_heard_once(
    hass: HomeAssistant, start_group: StartGroup, history: History
) -> None:
    wire = await start_group(units=2)
    late = wire.group.serial_numbers[1]
    wire.silence(late)
    assert await wire.set_up()
    assert {energies(hass, wire)[key] for key in SUMMED} == {STATE_UNKNOWN}
    # The meter is the primary's.
    assert energies(hass, wire)["grid_export_total"] != STATE_UNKNOWN
    wire.group.inject(late, NONE)
    await poll(hass)
    assert STATE_UNKNOWN not in energies(hass, wire).values()
    assert falls(history) == {}


@pytest.mark.parametrize(
    ("register", "unique_id"),
    [
        ("pv_energy_total", "{primary}_pv_energy_total"),
        ("grid_import_total", "{primary}_grid_import_total"),
        ("pv_energy_total", "{primary}_group_pv_energy_total"),
        ("smart_load_1_energy_total", "{primary}_smart_load_1_energy_total"),
    ],
)
async def test_glitch_right_after_a_restart_is_not_believed(
    hass: HomeAssistant,
    start_group: StartGroup,
    history: History,
    register: str,
    unique_id: str,
) -> None:
    wire = await start_group(units=1)
    unique_id = unique_id.format(primary=wire.primary)
    assert await wire.set_up()
    before = state(hass, unique_id).state
    await restore_state.async_get(hass).async_dump_states()
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    await async_mock_load_restore_state_from_storage(hass)

    await wire.server.restart(halved(load_profile(), register))
    assert await set_up(hass, wire.entry)
    await poll(hass)
    assert state(hass, unique_id).state in (
        before,
        STATE_UNKNOWN,
        STATE_UNAVAILABLE,
    )
    await wire.server.restart(load_profile())
    await poll(hass)
    assert state(hass, unique_id).state == before
    assert falls(history) == {}
