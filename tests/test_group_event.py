"""The event of the group: off-grid, units lost and back, complete or not, once each."""

from functools import partial
from typing import Any

import pytest

from custom_components.solax_parallel.a1_ess.codes import RunMode
from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.const import CONF_UNITS
from custom_components.solax_parallel.facts import KNOWN_FACTS, lost_unit
from custom_components.solax_parallel.simulator.group import NONE, SimulatedGroup
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import (
    CoreState,
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
)
from homeassistant.helpers.event import async_track_state_change_event

from .conftest import Fired, StartGroup
from .groups import IMPATIENT, GroupOnTheWire, halved, poll, set_up, state, stop

INCOMPLETE = (None, "group_incomplete")
COMPLETE = (None, "group_complete")
SPLIT = (None, "split")
SPLIT_OVER = (None, "split_over")
OFF_GRID = (None, "off_grid")
ON_GRID = (None, "on_grid")


@pytest.fixture
def start_group(start_group: StartGroup) -> StartGroup:
    """Start groups whose silence is soon noticed."""
    return partial(start_group, options=IMPATIENT)


def lost(serial: str) -> tuple[str, str]:
    return serial, "unit_lost"


def back(serial: str) -> tuple[str, str]:
    return serial, "unit_back"


async def polls(wire: GroupOnTheWire, times: int) -> None:
    for _ in range(times):
        await poll(wire.hass)


async def return_of(wire: GroupOnTheWire, *serials: str) -> None:
    """Let inverters answer again, and wait until they are asked."""
    for serial in serials:
        wire.group.inject(serial, NONE)
    wire.pass_time(60)
    await poll(wire.hass)


async def test_off_grid_and_back(start_group: StartGroup, fired: Fired) -> None:
    wire = await start_group(units=3)
    assert await wire.set_up()
    wire.group.grid_closed = False
    await polls(wire, 2)
    assert fired == [OFF_GRID]
    wire.group.grid_closed = True
    await polls(wire, 2)
    assert fired == [OFF_GRID, ON_GRID]
    told = state(wire.hass, f"{wire.primary}_group_event").attributes
    assert told.keys().isdisjoint({"unit", "role"}), "it is about no unit"


async def test_off_grid_while_nobody_is_heard(
    start_group: StartGroup, fired: Fired
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await wire.server.vanish()
    await poll(wire.hass)
    wire.group.grid_closed = False
    assert fired == [], "silence says nothing of the grid"
    await wire.server.start()
    await polls(wire, 2)
    assert fired == [OFF_GRID]


def let_go_off_grid(monkeypatch: pytest.MonkeyPatch, alone: str) -> None:
    """Let one inverter run off-grid while the others stay with the grid."""
    mode = SimulatedGroup.run_mode
    monkeypatch.setattr(
        SimulatedGroup,
        "run_mode",
        lambda group, unit: (
            RunMode.OFF_GRID if unit.serial_number == alone else mode(group, unit)
        ),
    )


@pytest.mark.parametrize("also", [NONE, "fan"])
async def test_split_and_together_again(
    start_group: StartGroup, fired: Fired, monkeypatch: pytest.MonkeyPatch, also: str
) -> None:
    wire = await start_group(units=3)
    assert await wire.set_up()
    _, other, alone = wire.group.serial_numbers
    with monkeypatch.context() as patched:
        let_go_off_grid(patched, alone)
        await polls(wire, 2)
        assert fired == [], "one may change over a moment later than the others"
        wire.pass_time(10)
        # A fault is the graver status, and hides nothing here.
        wire.group.inject(other, also)
        await polls(wire, 2)
        assert SPLIT in fired
        wire.group.inject(other, NONE)
        await poll(wire.hass)
        fired.clear()
        wire.silence(alone)
        await poll(wire.hass)
        assert fired == [], "it may still be off-grid"
        wire.group.inject(alone, NONE)
        await poll(wire.hass)
        assert fired == []
    await polls(wire, 2)
    assert fired == [SPLIT_OVER]


async def test_one_does_not_speak_for_those_that_missed_a_poll(
    start_group: StartGroup, fired: Fired, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = await start_group(units=3)
    assert await wire.set_up()
    *others, alone = wire.group.serial_numbers
    let_go_off_grid(monkeypatch, alone)
    await poll(wire.hass)
    wire.silence(*others)
    await poll(wire.hass)
    for serial in others:
        wire.group.inject(serial, NONE)
    await poll(wire.hass)
    assert fired == []


async def test_unit_lost_and_back(
    hass: HomeAssistant, start_group: StartGroup, fired: Fired
) -> None:
    wire = await start_group(units=3)
    assert await wire.set_up()
    silent = wire.group.serial_numbers[1]
    wire.silence(silent)
    await polls(wire, 2)
    assert fired == [], "it may only have missed a poll or two"
    await polls(wire, 2)
    assert fired == [lost(silent), INCOMPLETE]
    await return_of(wire, silent)
    await poll(hass)
    assert fired == [lost(silent), INCOMPLETE, back(silent), COMPLETE]


@pytest.mark.parametrize(("index", "role"), [(0, "primary"), (2, "secondary_2")])
async def test_who_was_lost(
    hass: HomeAssistant, start_group: StartGroup, index: int, role: str
) -> None:
    wire = await start_group(units=3)
    assert await wire.set_up()
    roles: list[str] = []
    event = state(hass, f"{wire.primary}_group_event").entity_id

    @callback
    def look(change: Event[EventStateChangedData]) -> None:
        new = change.data["new_state"]
        if new is not None and new.attributes["event_type"] == "unit_lost":
            roles.append(new.attributes["role"])

    stop_looking = async_track_state_change_event(hass, event, look)
    wire.silence(wire.group.serial_numbers[index])
    await polls(wire, 3)
    stop_looking()
    assert roles == [role]


async def test_a_poll_or_two_missed_is_nothing(
    start_group: StartGroup, fired: Fired
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    for missed in (1, 2):
        wire.silence(wire.primary)
        await polls(wire, missed)
        wire.group.inject(wire.primary, NONE)
        await poll(wire.hass)
    assert fired == []


async def test_all_lost(
    hass: HomeAssistant, start_group: StartGroup, fired: Fired
) -> None:
    wire = await start_group(units=3)
    assert await wire.set_up()
    serials = wire.group.serial_numbers
    await wire.server.vanish()
    for _ in range(5):
        await poll(hass)
        shown = state(hass, f"{wire.primary}_group_event").state
        assert shown != STATE_UNAVAILABLE, "it tells of silence"
    assert fired == [*map(lost, serials), INCOMPLETE]
    fired.clear()
    await wire.server.start()
    await return_of(wire)
    assert fired == [*map(back, serials), COMPLETE]


async def test_incomplete_until_the_last_one_is_back(
    start_group: StartGroup, fired: Fired
) -> None:
    wire = await start_group(units=3)
    assert await wire.set_up()
    first, second = wire.group.serial_numbers[1:]
    wire.silence(first)
    await polls(wire, 3)
    wire.silence(second)
    await polls(wire, 3)
    await return_of(wire, first)
    assert fired == [lost(first), INCOMPLETE, lost(second), back(first)]
    fired.clear()
    await return_of(wire, second)
    assert fired == [back(second), COMPLETE]


async def test_another_answers_in_its_place(
    start_group: StartGroup, fired: Fired
) -> None:
    wire = await start_group(units=3)
    assert await wire.set_up()
    straight = wire.server._units
    first, second = wire.group.units[1:]
    wire.server._units = {**straight, 2: second, 3: first}
    await wire.server.restart(load_profile())
    await polls(wire, 2)
    swapped = (first.serial_number, second.serial_number)
    assert fired == [*map(lost, swapped), INCOMPLETE]
    fired.clear()
    wire.server._units = straight
    await wire.server.restart(load_profile())
    await return_of(wire)
    assert fired == [*map(back, swapped), COMPLETE]


async def test_more_units_than_are_known(start_group: StartGroup, fired: Fired) -> None:
    # At first the primary counts half as many.
    half = halved(load_profile(), "unit_quantity")
    wire = await start_group(units=2, served=half)
    known, unknown = wire.entry.data[CONF_UNITS]
    wire.hass.config_entries.async_update_entry(wire.entry, data={CONF_UNITS: [known]})
    assert await wire.set_up()
    await poll(wire.hass)
    assert fired == []
    await wire.server.restart(load_profile())
    await polls(wire, 2)
    assert fired == [INCOMPLETE]

    await wire.hass.config_entries.async_unload(wire.entry.entry_id)
    wire.hass.config_entries.async_update_entry(
        wire.entry, data={CONF_UNITS: [known, unknown]}
    )
    assert await wire.set_up()
    assert (
        state(wire.hass, f"{wire.primary}_group_event").attributes["event_type"]
        == "group_complete"
    )


async def test_nothing_is_repeated_over_a_reload(
    hass: HomeAssistant, start_group: StartGroup, fired: Fired
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    silent = wire.group.serial_numbers[1]
    wire.silence(silent)
    wire.group.grid_closed = False
    await polls(wire, 3)
    assert sorted(fired, key=str) == sorted(
        [OFF_GRID, lost(silent), INCOMPLETE], key=str
    )
    fired.clear()
    await hass.config_entries.async_reload(wire.entry.entry_id)
    await polls(wire, 4)
    assert fired == []
    wire.group.grid_closed = True
    await return_of(wire, silent)
    assert fired == [ON_GRID, back(silent), COMPLETE]


async def test_a_unit_that_was_let_go_is_neither_lost_nor_back(
    hass: HomeAssistant, start_group: StartGroup, fired: Fired
) -> None:
    wire = await start_group(units=3)
    assert await wire.set_up()
    silent = wire.group.serial_numbers[2]
    wire.silence(silent)
    await polls(wire, 3)
    assert lost(silent) in fired
    fired.clear()
    await hass.config_entries.async_unload(wire.entry.entry_id)
    hass.config_entries.async_update_entry(
        wire.entry, data={CONF_UNITS: wire.entry.data[CONF_UNITS][:2]}
    )
    assert await wire.set_up()
    wire.group.inject(silent, NONE)
    await polls(wire, 2)
    assert fired == []
    known = hass.data[KNOWN_FACTS][wire.entry.entry_id]
    facts = known.of_event(f"{wire.primary}_group_event")
    # The primary still counts it.
    assert [key for key, holds in facts.items() if holds] == ["group_incomplete"]
    assert lost_unit(silent) not in facts


@pytest.mark.parametrize("still", [True, False])
async def test_restart(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    start_group: StartGroup,
    fired: Fired,
    *,
    still: bool,
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    silent = wire.group.serial_numbers[1]
    wire.silence(silent)
    wire.group.grid_closed = False
    await polls(wire, 3)
    await stop(hass, wire.entry)
    fired.clear()

    if not still:
        wire.group.inject(silent, NONE)
        wire.group.grid_closed = True
    assert await set_up(hass, wire.entry)
    await polls(wire, 3)
    assert fired == [], "nobody listens yet"
    hass.set_state(CoreState.running)
    await polls(wire, 2)
    assert fired == ([] if still else [ON_GRID, back(silent), COMPLETE])


async def test_what_was_there_at_the_start_is_no_news(
    start_group: StartGroup, fired: Fired
) -> None:
    wire = await start_group(units=2)
    silent = wire.group.serial_numbers[1]
    wire.silence(silent)
    wire.group.grid_closed = False
    assert await wire.set_up()
    await polls(wire, 4)
    assert fired == []
    wire.group.grid_closed = True
    await return_of(wire, silent)
    assert fired == [ON_GRID, back(silent), COMPLETE]


async def test_secondaries_that_only_the_primary_tells_of(
    start_group: StartGroup, fired: Fired
) -> None:
    wire = await start_group(units=3, reported=2)
    assert await wire.set_up()
    first, second = (
        f"{wire.primary}_{role}" for role in ("secondary_1", "secondary_2")
    )
    wire.silence(wire.group.serial_numbers[1])
    await polls(wire, 2)
    assert fired == []
    await poll(wire.hass)
    assert fired == [lost(first), INCOMPLETE]
    wire.silence(wire.primary)
    await polls(wire, 3)
    assert fired == [lost(first), INCOMPLETE, lost(wire.primary), lost(second)]
