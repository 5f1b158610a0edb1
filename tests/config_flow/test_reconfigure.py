"""Changing the links and the members of a group that is set up."""

import asyncio

import pytest

from custom_components.solax_parallel import async_remove_config_entry_device
from custom_components.solax_parallel.const import CONF_POLLING, CONF_UNITS, DOMAIN
from custom_components.solax_parallel.simulator.group import NONE, OFFLINE
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
from tests.config_flow.conftest import (
    LaySerialLine,
    Serve,
    make_group,
)
from tests.config_flow.walk import Walk
from tests.groups import PokedServer, devices, is_loaded, poll, state
from tests.test_polling import switch


async def add(hass: HomeAssistant, port: int, **members: str) -> Walk:
    """Add the group behind a port."""
    walk = await Walk.begin(hass, "tcp")
    await walk.submit(host="127.0.0.1", port=port)
    if walk.step == "members":
        await walk.submit(**members)
    await walk.submit()
    assert walk.entry
    await hass.async_block_till_done()
    return walk


async def test_new_address(hass: HomeAssistant, serve: Serve) -> None:
    group = make_group(2)
    old, new = await serve(group), await serve(group)
    entry = (await add(hass, old.port)).entry
    before = set(er.async_get(hass).entities)

    walk = await Walk.reconfigure(hass, entry.entry_id, "tcp")
    await walk.submit(host="127.0.0.1", port=new.port)
    assert walk.step == "confirm"
    await walk.submit()
    assert walk.result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert {unit["link"]["port"] for unit in entry.data[CONF_UNITS]} == {new.port}
    assert entry.state is ConfigEntryState.LOADED
    assert set(er.async_get(hass).entities) == before
    assert state(hass, f"{group.serial_numbers[0]}_group_units_online").state == "2"


async def has_clients(server: PokedServer, number: int) -> bool:
    """Return whether this many are connected to a server, as soon as it has noticed."""
    for _ in range(50):
        assert server._server is not None
        if len(server._server.active_connections) == number:
            return True
        await asyncio.sleep(0.01)
    return False


async def test_polling_that_is_off_stays_off(hass: HomeAssistant, serve: Serve) -> None:
    group = make_group(2)
    old, new = await serve(group), await serve(group)
    entry = (await add(hass, old.port)).entry
    polling = f"{group.serial_numbers[0]}_group_polling"
    await switch(hass, group.serial_numbers[0], on=False)

    walk = await Walk.reconfigure(hass, entry.entry_id, "tcp")
    await walk.submit(host="127.0.0.1", port=new.port)
    assert walk.step == "confirm", "whoever searches wants them to be asked"
    await hass.async_block_till_done()
    assert await has_clients(old, 0)
    assert await has_clients(new, 0)
    await walk.submit()
    await hass.async_block_till_done()
    assert {unit["link"]["port"] for unit in entry.data[CONF_UNITS]} == {new.port}
    assert entry.data[CONF_POLLING] is False
    assert state(hass, polling).state == "off"
    await poll(hass)
    assert await has_clients(new, 0)

    await switch(hass, group.serial_numbers[0], on=True)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await has_clients(old, 0)
    assert await has_clients(new, 1)


@pytest.mark.parametrize("moment", ["beginning", "middle"])
async def test_polling_switched_off_when_a_scan_runs(
    hass: HomeAssistant, serve: Serve, moment: str
) -> None:
    group = make_group(2)
    server = await serve(group)
    entry = (await add(hass, server.port)).entry
    for serial in group.serial_numbers:
        group.inject(serial, OFFLINE)
    walk = await Walk.reconfigure(hass, entry.entry_id, "tcp")
    flow_id = walk.result["flow_id"]
    beginning = hass.async_create_task(
        hass.config_entries.flow.async_configure(
            flow_id, {"host": "127.0.0.1", "port": server.port, "advanced": {}}
        )
    )
    if moment == "beginning":
        await switch(hass, group.serial_numbers[0], on=False)
    await beginning
    await asyncio.sleep(0.3)
    assert not is_loaded(entry)
    if moment == "middle":
        # There is nothing to switch: the scan has taken the links over.
        await switch(hass, group.serial_numbers[0], on=False)
    for serial in group.serial_numbers:
        group.inject(serial, NONE)
    await hass.async_block_till_done()
    walk.result = await hass.config_entries.flow.async_configure(flow_id)
    await hass.async_block_till_done()
    assert is_loaded(entry)
    stays_on = moment == "middle"
    polling = state(hass, f"{group.serial_numbers[0]}_group_polling")
    assert polling.state == ("on" if stays_on else "off")
    assert await has_clients(server, int(stays_on))


async def test_old_links_stay_until_the_new_ones_are_proven(
    hass: HomeAssistant, serve: Serve
) -> None:
    group = make_group(1)
    server = await serve(group)
    entry = (await add(hass, server.port)).entry
    data = dict(entry.data)
    stranger = await serve(make_group(1, "STRANGER"))

    walk = await Walk.reconfigure(hass, entry.entry_id, "tcp")
    await walk.submit(host="127.0.0.1", port=1)
    assert walk.errors == {"base": "cannot_connect"}
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED

    await walk.submit(host="127.0.0.1", port=stranger.port)
    assert walk.result["type"] is FlowResultType.ABORT
    assert walk.result["reason"] == "unique_id_mismatch"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert entry.data == data


async def test_a_secondary_installed_later(hass: HomeAssistant, serve: Serve) -> None:
    group = make_group(2)
    primary = await serve(group, {1: 0})
    secondary = await serve(group, {1: 1})
    entry = (await add(hass, primary.port)).entry
    reported = f"{group.serial_numbers[0]}_secondary_1"
    assert reported in devices(hass, entry)

    walk = await Walk.reconfigure(hass, entry.entry_id, "tcp")
    await walk.submit(host="127.0.0.1", port=primary.port)
    assert walk.step == "members"
    await walk.submit(secondary_1=f"127.0.0.1:{secondary.port}")
    await walk.submit()
    await hass.async_block_till_done()
    present = devices(hass, entry)
    assert group.serial_numbers[1] in present
    assert reported not in present


async def test_a_second_try_comes_while_the_first_is_being_undone(
    hass: HomeAssistant, serve: Serve
) -> None:
    group = make_group(1)
    old, new = await serve(group), await serve(group)
    entry = (await add(hass, old.port)).entry
    walk = await Walk.reconfigure(hass, entry.entry_id, "tcp")
    assert walk.suggested == {"host": "127.0.0.1", "port": old.port}
    await walk.submit(host="127.0.0.1", port=1)
    assert walk.errors == {"base": "cannot_connect"}
    # At once, while the entry is set up again.
    await walk.submit(host="127.0.0.1", port=new.port)
    assert walk.step == "confirm"


async def test_from_serial_to_network(
    hass: HomeAssistant, serve: Serve, serial_line: LaySerialLine
) -> None:
    group = make_group(1)
    walk = await Walk.begin(hass, "serial")
    await walk.submit(device=await serial_line(group))
    await walk.submit()
    entry = walk.entry
    await hass.async_block_till_done()
    walk = await Walk.reconfigure(hass, entry.entry_id, "tcp")
    assert walk.suggested == {}
    await walk.submit(host="127.0.0.1", port=(await serve(group)).port)
    await walk.submit()
    assert walk.result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.data[CONF_UNITS][0]["link"]["type"] == "tcp"


async def test_members_are_asked_again_when_the_dialog_is_reopened(
    hass: HomeAssistant, serve: Serve
) -> None:
    group = make_group(3)
    primary = await serve(group, {1: 0})
    secondary = await serve(group, {1: 1})
    entry = (await add(hass, primary.port)).entry
    walk = await Walk.reconfigure(hass, entry.entry_id, "tcp")
    await walk.submit(host="127.0.0.1", port=primary.port)
    assert walk.step == "members"
    flows = hass.config_entries.flow
    walk.result = await flows.async_configure(walk.result["flow_id"])
    assert walk.step == "members"
    await walk.submit(secondary_1=f"127.0.0.1:{secondary.port}")
    assert walk.step == "confirm"


async def test_what_leaves_is_named(hass: HomeAssistant, serve: Serve) -> None:
    group = make_group(2)
    entry = (await add(hass, (await serve(group)).port)).entry
    smaller = await serve(make_group(1))
    walk = await Walk.reconfigure(hass, entry.entry_id, "tcp")
    await walk.submit(host="127.0.0.1", port=smaller.port)
    assert walk.texts["leaving"].endswith("entities: Secondary 1")


async def test_members_with_other_framing_are_understood_again(
    hass: HomeAssistant, serve: Serve
) -> None:
    group = make_group(2)
    primary = await serve(group, {1: 0})
    secondary = await serve(group, {1: 1}, framer="rtu")
    address = f"127.0.0.1:{secondary.port}"
    entry = (await add(hass, primary.port, secondary_1=address)).entry
    walk = await Walk.reconfigure(hass, entry.entry_id, "tcp")
    await walk.submit(host="127.0.0.1", port=primary.port)
    assert walk.suggested == {"secondary_1": f"{address} (RTU)"}
    await walk.submit(**walk.suggested)
    assert walk.step == "confirm"


async def test_a_secondary_taken_out(hass: HomeAssistant, serve: Serve) -> None:
    before = make_group(3)
    server = await serve(before)
    entry = (await add(hass, server.port)).entry
    assert before.serial_numbers[2] in devices(hass, entry)
    await hass.config_entries.async_unload(entry.entry_id)
    await server.stop()

    after = make_group(2)
    assert after.serial_numbers == before.serial_numbers[:2]
    smaller = await serve(after)
    walk = await Walk.reconfigure(hass, entry.entry_id, "tcp")
    await walk.submit(host="127.0.0.1", port=smaller.port)
    await walk.submit()
    await hass.async_block_till_done()
    assert before.serial_numbers[2] not in devices(hass, entry)
    assert after.serial_numbers[1] in devices(hass, entry)


async def test_members_are_suggested_as_they_are(
    hass: HomeAssistant, serve: Serve
) -> None:
    group = make_group(2)
    primary = await serve(group, {1: 0})
    secondary = await serve(group, {1: 1})
    address = f"127.0.0.1:{secondary.port}"
    entry = (await add(hass, primary.port, secondary_1=address)).entry
    walk = await Walk.reconfigure(hass, entry.entry_id, "tcp")
    await walk.submit(host="127.0.0.1", port=primary.port)
    assert (walk.step, walk.suggested) == ("members", {"secondary_1": address})


async def test_simulated_group_has_no_links(hass: HomeAssistant) -> None:
    walk = await Walk.begin(hass, "simulated")
    await walk.submit(units=1)
    await hass.async_block_till_done()
    result = await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": "reconfigure", "entry_id": walk.entry.entry_id},
    )
    assert result["reason"] == "simulated_has_no_links"


async def test_options_are_used_at_once(hass: HomeAssistant, serve: Serve) -> None:
    server = await serve(make_group(1))
    entry = (await add(hass, server.port)).entry
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["step_id"] == "init"
    await hass.config_entries.options.async_configure(
        result["flow_id"], {"scan_interval": 42, "message_spacing": 7, "timeout": 2}
    )
    await hass.async_block_till_done()
    assert entry.options == {
        "scan_interval": 42,
        "message_spacing": 7,
        "timeout": 2,
        "require_complete": False,
        "allow_control": False,
        "minimum_switch_time": 60,
    }
    # Less the seconds of the poll that has just been made.
    rest = entry.runtime_data.update_interval.total_seconds()
    assert rest == pytest.approx(42, abs=1)


async def test_only_former_members_can_be_removed_by_hand(
    hass: HomeAssistant, serve: Serve
) -> None:
    group = make_group(2)
    server = await serve(group)
    entry = (await add(hass, server.port)).entry
    registry = dr.async_get(hass)
    former = registry.async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={(DOMAIN, "FORMER00000001")}
    )
    assert await async_remove_config_entry_device(hass, entry, former)
    for name, device in devices(hass, entry).items():
        if name != "FORMER00000001":
            assert not await async_remove_config_entry_device(hass, entry, device)
