"""Fault events: raised once, cleared once, over silence, reload and restart."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    async_mock_load_restore_state_from_storage,
)

from custom_components.solax_parallel.a1_ess.faults import PARALLEL_FAULTS
from custom_components.solax_parallel.event import SEEN_IN_THIS_RUN
from custom_components.solax_parallel.simulator.group import NONE, OFFLINE
from homeassistant.const import EVENT_STATE_CHANGED, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import CoreState, Event, HomeAssistant, callback
from homeassistant.helpers import restore_state

from .conftest import StartGroup
from .groups import GroupOnTheWire, entity_id, poll, set_up

RS485 = "parallel_rs485_fault"


@pytest.fixture
def fired(hass: HomeAssistant) -> Iterator[list[tuple[str, str]]]:
    """Collect the events as automations see them: unit and event type."""
    collected: list[tuple[str, str]] = []

    @callback
    def listen(event: Event[Any]) -> None:
        old, new = event.data["old_state"], event.data["new_state"]
        if (
            event.data["entity_id"].startswith("event.")
            and new is not None
            and old is not None
            and new.state not in (STATE_UNAVAILABLE, STATE_UNKNOWN)
            # An automation ignores what comes out of nowhere.
            and old.state not in (STATE_UNAVAILABLE, new.state)
        ):
            collected.append((new.attributes["unit"], new.attributes["event_type"]))

    stop = hass.bus.async_listen(EVENT_STATE_CHANGED, listen)
    yield collected
    stop()


async def inject(wire: GroupOnTheWire, index: int, option: str) -> None:
    """Let a fault come or go, and poll."""
    wire.group.inject(wire.group.serial_numbers[index], option)
    await poll(wire.hass)


async def test_each_named_fault_on_each_unit(
    group_on_the_wire: GroupOnTheWire, fired: list[tuple[str, str]]
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
    state = hass.states.get(entity_id(hass, f"{serial}_fault"))
    assert state is not None
    seen = {key: state.attributes[key] for key in ("vendor_code", "role", "unit")}
    assert seen == {
        "vendor_code": "ParallelRS485 ComFault",
        "role": "secondary_1",
        "unit": serial,
    }


async def test_one_fault_after_another(
    start_group: StartGroup, fired: list[tuple[str, str]]
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    await inject(wire, 0, "fan")
    await inject(wire, 0, "isolation")
    assert [kind for _, kind in fired] == ["fan", "fan_cleared", "isolation"]


async def test_what_stood_at_the_start_is_no_news(
    start_group: StartGroup, fired: list[tuple[str, str]]
) -> None:
    wire = await start_group(units=2)
    wire.group.inject(wire.primary, RS485)
    assert await wire.set_up()
    await poll(wire.hass)
    assert fired == []
    await inject(wire, 0, NONE)
    assert fired == [(wire.primary, f"{RS485}_cleared")]


async def test_cleared_while_silent(
    start_group: StartGroup, fired: list[tuple[str, str]]
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    serial = wire.group.serial_numbers[1]
    await inject(wire, 1, RS485)
    await inject(wire, 1, OFFLINE)
    assert fired == [(serial, RS485)], "silence says nothing of a fault"
    await inject(wire, 1, NONE)
    assert fired == [(serial, RS485), (serial, f"{RS485}_cleared")]


async def test_nothing_is_lost_or_repeated_over_a_reload(
    hass: HomeAssistant, start_group: StartGroup, fired: list[tuple[str, str]]
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
    state = hass.states.get(entity_id(hass, f"{wire.primary}_fault"))
    assert state is not None
    assert state.attributes["event_type"] == "fan"


@pytest.mark.parametrize(
    ("now", "expected"),
    [(NONE, [f"{RS485}_cleared"]), (RS485, []), ("fan", [f"{RS485}_cleared"])],
)
async def test_restart(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    start_group: StartGroup,
    fired: list[tuple[str, str]],
    now: str,
    expected: list[str],
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    await inject(wire, 0, RS485)
    await restore_state.async_get(hass).async_dump_states()
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    await async_mock_load_restore_state_from_storage(hass)
    del hass.data[SEEN_IN_THIS_RUN]
    fired.clear()

    wire.group.inject(wire.primary, now)
    hass.set_state(CoreState.starting)
    assert await set_up(hass, wire.entry)
    await poll(hass)
    assert fired == [], "nobody listens yet"
    hass.set_state(CoreState.running)
    await poll(hass)
    assert [kind for _, kind in fired] == expected


async def test_standing_faults_are_stored(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    await inject(wire, 0, RS485)
    component = hass.data["event"]
    entity = component.get_entity(entity_id(hass, f"{wire.primary}_fault"))
    stored = entity.extra_restore_state_data.as_dict()
    assert stored["standing"] == [RS485]
    assert stored["last_event_type"] == RS485
    assert hass.data[SEEN_IN_THIS_RUN] == {wire.primary: {RS485}}
