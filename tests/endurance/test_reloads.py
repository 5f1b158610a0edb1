"""Reloads, unloads, removals and changed options, in the middle of whatever goes on."""

import asyncio

import pytest

from custom_components.solax_parallel.const import CONF_MESSAGE_SPACING, DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_SCAN_INTERVAL, CONF_TIMEOUT, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from tests.conftest import Log, StartGroup
from tests.groups import begin_poll, is_loaded, poll, state

from .conftest import Kept

RELOADS, FEW_RELOADS = 100, 8
GROWTH = 100
"""Objects of ours that all reloads together may leave behind."""


async def test_reload_under_load(
    hass: HomeAssistant,
    start_group: StartGroup,
    to_the_end: bool,
    warnings: Log,
    report: list[str],
) -> None:
    wire = await start_group()
    assert await wire.set_up()
    shown = {each.entity_id for each in hass.states.async_all()}
    before = Kept.now()
    times = RELOADS if to_the_end else FEW_RELOADS
    for number in range(times):
        # Some in the middle of a poll, at another request each time.
        begin_poll(hass)
        await asyncio.sleep(0.004 * (number % 8))
        assert await hass.config_entries.async_reload(wire.entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert is_loaded(wire.entry)
    assert {each.entity_id for each in hass.states.async_all()} == shown
    assert state(hass, f"{wire.primary}_group_status").state == "normal"
    assert wire.server.clients == 1
    assert wire.server.most_waiting == 1
    after = Kept.now()
    report.append(f"{times} reloads: {before} -> {after}")
    assert after.tasks <= before.tasks
    assert after.ours - before.ours < GROWTH
    assert not warnings, "\n".join(map(str, warnings))


async def test_options_changed_again_and_again(
    hass: HomeAssistant, start_group: StartGroup, warnings: Log
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    tasks = len(asyncio.all_tasks())
    for interval in (5, 300, 7, 10, 20):
        flow = await hass.config_entries.options.async_init(wire.entry.entry_id)
        begin_poll(hass)
        await asyncio.sleep(0.003)
        done = await hass.config_entries.options.async_configure(
            flow["flow_id"],
            {
                CONF_SCAN_INTERVAL: interval,
                CONF_MESSAGE_SPACING: interval % 3,
                CONF_TIMEOUT: 1,
            },
        )
        assert done["type"] == "create_entry"
        await hass.async_block_till_done()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert is_loaded(wire.entry)
    assert wire.entry.options[CONF_SCAN_INTERVAL] == interval
    assert wire.server.clients == 1
    assert len(asyncio.all_tasks()) <= tasks
    await poll(hass, interval)
    assert state(hass, f"{wire.primary}_group_status").state == "normal"
    assert not warnings, "\n".join(map(str, warnings))


@pytest.mark.parametrize("unit", [1, 2])
async def test_entry_removed_while_it_is_polled(
    hass: HomeAssistant, start_group: StartGroup, unit: int, warnings: Log
) -> None:
    tasks = asyncio.all_tasks()
    wire = await start_group(units=2)
    tasks |= asyncio.all_tasks()
    assert await wire.set_up()
    wire.silence(wire.group.serial_numbers[unit - 1])
    begin_poll(hass)
    assert await wire.server.asks(unit)
    await hass.config_entries.async_remove(wire.entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await wire.server.left_alone()
    assert asyncio.all_tasks() <= tasks
    assert hass.states.async_all() == []
    entry_id = wire.entry.entry_id
    assert not er.async_entries_for_config_entry(er.async_get(hass), entry_id)
    assert not dr.async_entries_for_config_entry(dr.async_get(hass), entry_id)
    assert not warnings, "\n".join(map(str, warnings))


async def test_two_groups_do_not_touch_each_other(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    well = await start_group(units=2, prefix="WELL")
    ill = await start_group(units=2, prefix="ILL")
    assert await well.set_up()
    assert await ill.set_up()
    before = state(hass, f"{well.primary}_ac_power")
    ill.silence(*ill.group.serial_numbers)
    for _ in range(3):
        await poll(hass)
    assert state(hass, f"{ill.primary}_ac_power").state == STATE_UNAVAILABLE
    assert state(hass, f"{ill.primary}_group_status").state == "offline"
    assert state(hass, f"{well.primary}_ac_power").state == before.state
    assert state(hass, f"{well.primary}_group_status").state == "normal"

    assert await hass.config_entries.async_unload(ill.entry.entry_id)
    asked = well.server.requests
    await poll(hass)
    assert well.server.requests > asked
    assert {each.state for each in hass.config_entries.async_entries(DOMAIN)} == {
        ConfigEntryState.LOADED,
        ConfigEntryState.NOT_LOADED,
    }
