"""Setting up, unloading and reloading a group, and what happens when that fails."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
import time
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.const import DOMAIN
from custom_components.solax_parallel.simulator.group import NONE
from custom_components.solax_parallel.simulator.module import SimulatedModule
from custom_components.solax_parallel.simulator.server import SimulatorServer
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED, STATE_UNAVAILABLE
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.util import dt as dt_util

from .conftest import AddSimulated, Log, StartGroup
from .groups import (
    GroupOnTheWire,
    begin_poll,
    devices,
    is_loaded,
    poll,
    set_up,
    state,
    without_windows,
)

FIRMWARE = "DSP 1.09 / ARM 1.12"


class Device(NamedTuple):
    """What people see of a device."""

    name: str | None
    model: str | None = None
    serial_number: str | None = None
    firmware: str | None = None
    manufacturer: str | None = "SolaX Power"
    via: str | None = None
    parent: str | None = None


def shown_devices(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Device]:
    found = devices(hass, entry)
    identifiers = {device.id: identifier for identifier, device in found.items()}
    shown = {}
    for identifier, device in found.items():
        if isinstance(device, dr.DeviceEntry):
            shown[identifier] = Device(
                device.name,
                device.model,
                device.serial_number,
                device.sw_version,
                device.manufacturer,
                via=identifiers.get(device.via_device_id or ""),
            )
        else:
            shown[identifier] = Device(
                device.name,
                manufacturer=None,
                parent=identifiers[device.parent_device_id],
            )
    return shown


def expected_devices(
    serials: tuple[str, ...], backup_interface: str
) -> dict[str, Device]:
    group = f"{serials[0]}_group"
    names = [
        "Primary inverter",
        "Secondary inverter 1",
        "Secondary inverter 2",
        "Secondary inverter 3",
    ]
    expected = {group: Device("Parallel group")} | {
        serial: Device(name, "A1-HYB-G2", serial, FIRMWARE, via=group)
        for serial, name in zip(serials, names, strict=False)
    }
    if backup_interface != "none":
        label = {"bi": "BI", "bi_pro": "BI PRO"}[backup_interface]
        expected[f"{serials[0]}_bi"] = Device(label, label, via=group)
    if backup_interface == "bi_pro":
        expected |= {
            f"{serials[0]}_smart_load_{number}": Device(
                f"Smart load {number}", manufacturer=None, parent=f"{serials[0]}_bi"
            )
            for number in range(1, 7)
        }
    return expected


@pytest.mark.parametrize("units", [1, 4])
@pytest.mark.parametrize("backup_interface", ["none", "bi", "bi_pro"])
async def test_devices(
    hass: HomeAssistant, start_group: StartGroup, units: int, backup_interface: str
) -> None:
    wire = await start_group(units=units, backup_interface=backup_interface)
    assert await wire.set_up()
    assert shown_devices(hass, wire.entry) == expected_devices(
        wire.group.serial_numbers, backup_interface
    )


async def test_secondary_without_a_number_is_named_after_its_serial_number(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(
        units=3,
        numbered=False,
        served=without_windows(load_profile(), "extension", "primary_extension"),
    )
    assert await wire.set_up()
    shown = shown_devices(hass, wire.entry)
    assert [shown[serial].name for serial in wire.group.serial_numbers] == [
        "Primary inverter",
        "Secondary inverter 0002",
        "Secondary inverter 0003",
    ]


async def test_secondary_that_only_the_primary_tells_of(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2, reported=1)
    assert await wire.set_up()
    group = f"{wire.primary}_group"
    # Neither its serial number nor its model or firmware is known.
    assert shown_devices(hass, wire.entry)[f"{wire.primary}_secondary_1"] == Device(
        "Secondary inverter 1", "A1-ESS-G2", via=group
    )


async def test_silent_inverter_has_a_device_that_is_completed_later(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    secondary = wire.group.serial_numbers[1]
    wire.silence(secondary)
    assert await wire.set_up()
    group = f"{wire.primary}_group"
    device = Device("Secondary inverter 1", "A1-HYB-G2", secondary, via=group)
    assert shown_devices(hass, wire.entry)[secondary] == device
    wire.group.inject(secondary, NONE)
    await poll(hass)
    await poll(hass)
    assert shown_devices(hass, wire.entry)[secondary] == device._replace(
        firmware=FIRMWARE
    )


async def test_unload_leaves_nothing(
    hass: HomeAssistant,
    group_on_the_wire: GroupOnTheWire,
    logged: Log,
) -> None:
    wire = group_on_the_wire
    tasks = asyncio.all_tasks()
    assert await wire.set_up()
    assert wire.server.clients == 1
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert wire.entry.state is ConfigEntryState.NOT_LOADED
    assert await wire.server.left_alone()
    assert asyncio.all_tasks() == tasks
    assert {state.state for state in hass.states.async_all()} == {STATE_UNAVAILABLE}
    asked = wire.server.requests
    await poll(hass)
    assert wire.server.requests == asked
    assert logged == []


async def test_unload_in_the_middle_of_a_poll(
    hass: HomeAssistant,
    group_on_the_wire: GroupOnTheWire,
    logged: Log,
) -> None:
    wire = group_on_the_wire
    assert await wire.set_up()
    tasks = asyncio.all_tasks()
    wire.silence(wire.group.serial_numbers[1])
    begun = time.monotonic()
    begin_poll(hass)
    assert await wire.server.asks(wire.group.units[1].unit_id)
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert time.monotonic() - begun < 0.7
    assert await wire.server.left_alone()
    assert asyncio.all_tasks() <= tasks
    assert logged == []


async def test_unload_while_somebody_looks_again(
    hass: HomeAssistant, group_on_the_wire: GroupOnTheWire, logged: Log
) -> None:
    wire = group_on_the_wire
    assert await wire.set_up()
    wire.silence(*wire.group.serial_numbers)
    wire.server.asked_last = 0
    looking = hass.async_create_task(wire.entry.runtime_data.async_look_again())
    assert await wire.server.asks(1)
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    await looking
    assert await wire.server.left_alone()
    assert logged == []


async def test_unload_of_a_simulated_group_frees_its_port(
    hass: HomeAssistant, simulated_entry: MockConfigEntry
) -> None:
    tasks = asyncio.all_tasks()
    assert await set_up(hass, simulated_entry)
    (params,) = simulated_entry.runtime_data.wiring.links
    _, writer = await asyncio.open_connection(params.host, params.port)
    writer.close()
    assert await hass.config_entries.async_unload(simulated_entry.entry_id)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(params.host, params.port)
    assert asyncio.all_tasks() == tasks


async def test_reload(hass: HomeAssistant, group_on_the_wire: GroupOnTheWire) -> None:
    wire = group_on_the_wire
    assert await wire.set_up()
    before = {state.entity_id: state.state for state in hass.states.async_all()}
    assert await hass.config_entries.async_reload(wire.entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    after = {state.entity_id: state.state for state in hass.states.async_all()}
    assert after == before
    assert wire.server.clients == 1


async def test_removal_takes_devices_and_entities_along(
    hass: HomeAssistant, group_on_the_wire: GroupOnTheWire
) -> None:
    wire = group_on_the_wire
    assert await wire.set_up()
    await hass.config_entries.async_remove(wire.entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert devices(hass, wire.entry) == {}
    assert (
        er.async_entries_for_config_entry(er.async_get(hass), wire.entry.entry_id) == []
    )


async def come_back(hass: HomeAssistant) -> None:
    """Let the time come at which a failed setup is tried again."""
    async_fire_time_changed(hass, dt_util.utcnow(), fire_all=True)
    await hass.async_block_till_done(wait_background_tasks=True)


@pytest.mark.parametrize("reason", ["refused", "silent"])
async def test_setup_recovers_by_itself_once_somebody_answers(
    hass: HomeAssistant, start_group: StartGroup, reason: str
) -> None:
    wire = await start_group(units=2)
    if reason == "refused":
        await wire.server.vanish()
    wire.silence(*wire.group.serial_numbers)
    tasks = asyncio.all_tasks()
    assert not await wire.set_up()
    assert wire.entry.state is ConfigEntryState.SETUP_RETRY
    assert wire.entry.error_reason_translation_key == "nobody_answered"
    assert wire.entry.reason is not None
    assert wire.entry.reason.startswith("No inverter of the group answered.")
    assert await wire.server.left_alone()
    assert asyncio.all_tasks() == tasks
    assert hass.states.async_all() == []

    for serial in wire.group.serial_numbers:
        wire.group.inject(serial, NONE)
    if reason == "refused":
        await wire.server.start()
    await come_back(hass)
    assert is_loaded(wire.entry)
    assert state(hass, f"{wire.primary}_group_status").state == "normal"


async def test_a_start_does_not_wait_for_what_hardly_ever_changes(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=1)
    hass.set_state(CoreState.not_running)
    assert await wire.set_up()
    serial = wire.primary
    assert shown_devices(hass, wire.entry)[serial].firmware is None
    hass.set_state(CoreState.running)
    await poll(hass)
    assert shown_devices(hass, wire.entry)[serial].firmware == FIRMWARE


async def test_start_does_not_wait_for_a_dead_group(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(options={})
    wire.silence(*wire.group.serial_numbers)
    hass.set_state(CoreState.not_running)
    begun = time.monotonic()
    assert not await wire.set_up()
    assert time.monotonic() - begun < 5
    assert wire.entry.state is ConfigEntryState.SETUP_RETRY
    assert wire.entry.error_reason_translation_key == "slow_at_startup"
    assert await wire.server.left_alone()

    for serial in wire.group.serial_numbers:
        wire.group.inject(serial, NONE)
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert is_loaded(wire.entry)


async def test_setup_with_the_primary_silent(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    wire.silence(wire.primary)
    assert await wire.set_up()
    assert state(hass, f"{wire.primary}_group_status").state == "degraded"
    assert state(hass, f"{wire.primary}_ac_power").state == STATE_UNAVAILABLE
    assert (
        state(hass, f"{wire.group.serial_numbers[1]}_ac_power").state
        != STATE_UNAVAILABLE
    )


async def test_simulated_group_that_cannot_listen(
    hass: HomeAssistant, simulated_entry: MockConfigEntry
) -> None:
    # Any free port will do, so nothing less than a broken system can bring this about.
    with patch.object(SimulatorServer, "start", side_effect=OSError("no port is left")):
        assert not await set_up(hass, simulated_entry)
    assert simulated_entry.state is ConfigEntryState.SETUP_RETRY
    assert (
        simulated_entry.error_reason_translation_key,
        simulated_entry.error_reason_translation_placeholders,
    ) == ("simulator_cannot_listen", {"error": "no port is left"})
    await come_back(hass)
    assert is_loaded(simulated_entry)


async def test_none_goes_on_listening_where_one_can_not(
    hass: HomeAssistant, add_simulated: AddSimulated
) -> None:
    entry = add_simulated(interface="module")
    listen = SimulatedModule.start
    ports: list[int] = []

    async def listen_twice(module: SimulatedModule) -> None:
        if len(ports) == 2:
            raise OSError("no port is left")
        await listen(module)
        ports.append(module.port)

    with patch.object(SimulatedModule, "start", listen_twice):
        assert not await set_up(hass, entry)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert len(ports) == 2
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("registers: [", ", line 1: this can't be read (expected the node content"),
        ("- run_mode", ", line 1: this holds no sections"),
        (
            "registers:\n  run_mode: {adress: 9}",
            ", line 2, registers.run_mode.adress: adress is not one of",
        ),
        (
            "registers:\n  run_mode: {address: 0x0060}",
            ", line 2, registers.run_mode.address: run_mode at 0x0060 lies outside",
        ),
        (
            "registers:\n  run_mode: {values: {2: fine}}",
            ", line 2, registers.run_mode.values.2: fine is not one of waiting",
        ),
        (
            "windows:\n  live: {last: 0x0100}",
            ", line 2, windows.live: a window holds 1 to 125 registers",
        ),
    ],
)
async def test_broken_profile_of_the_owner(
    hass: HomeAssistant,
    group_on_the_wire: GroupOnTheWire,
    owners_file: Path,
    content: str,
    error: str,
) -> None:
    wire = group_on_the_wire
    owners_file.write_text(content)
    assert not await wire.set_up()
    assert wire.entry.state is ConfigEntryState.SETUP_ERROR
    assert wire.entry.error_reason_translation_key == "invalid_profile"
    assert wire.entry.reason is not None
    assert f"used: a1_ess_g2.yaml{error}" in wire.entry.reason
    assert wire.server.requests == 0
    issue = ir.async_get(hass).async_get_issue(DOMAIN, "invalid_profile")
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["error"].startswith(f"a1_ess_g2.yaml{error}")
    assert issue.translation_placeholders["file"] == str(owners_file)

    owners_file.unlink()
    assert await hass.config_entries.async_reload(wire.entry.entry_id)
    assert is_loaded(wire.entry)
    assert ir.async_get(hass).async_get_issue(DOMAIN, "invalid_profile") is None


async def test_broken_profile_is_no_issue_without_a_group(
    hass: HomeAssistant, start_group: StartGroup, owners_file: Path
) -> None:
    groups = [await start_group(units=1, prefix=prefix) for prefix in ("ONE", "TWO")]
    owners_file.write_text("registers: [")
    for wire in groups:
        assert not await wire.set_up()
    registry = ir.async_get(hass)
    for wire in groups:
        assert registry.async_get_issue(DOMAIN, "invalid_profile") is not None
        await hass.config_entries.async_remove(wire.entry.entry_id)
    assert registry.async_get_issue(DOMAIN, "invalid_profile") is None


async def test_owners_profile_is_used(
    hass: HomeAssistant, start_group: StartGroup, owners_file: Path
) -> None:
    owners_file.write_text(
        "registers:\n"
        "  battery_soc: {address: 0x001B, grade: field, source: my own dump}\n"
        "  operation_led: {values: {1: red, 3: green}}\n"
    )
    wire = await start_group(units=1, served=load_profile(owners_file))
    assert await wire.set_up()
    assert state(hass, f"{wire.primary}_battery_soc").state == "100"
    assert state(hass, f"{wire.primary}_operation_led").state == "green"

    # The shipped map would have read something else there.
    owners_file.unlink()
    assert await hass.config_entries.async_reload(wire.entry.entry_id)
    assert state(hass, f"{wire.primary}_battery_soc").state == "0"
    assert state(hass, f"{wire.primary}_operation_led").state == "red"


async def test_a_register_that_the_owner_adds_is_a_sensor_with_a_name(
    hass: HomeAssistant, start_group: StartGroup, owners_file: Path
) -> None:
    owners_file.write_text(
        "registers:\n"
        "  radiator_temperature: {window: live, address: 0x0008, type: s16, unit: °C,\n"
        "    grade: field, source: my own dump}\n",
        encoding="utf-8",
    )
    wire = await start_group(units=1)
    assert await wire.set_up()
    added = state(hass, f"{wire.primary}_radiator_temperature")
    known = state(hass, f"{wire.primary}_inverter_temperature")
    assert added.state == known.state
    assert added.name == "Primary inverter Radiator temperature"
    assert known.name != added.name


async def test_simulated_group_lives_by_the_owners_profile(
    hass: HomeAssistant, add_simulated: AddSimulated, owners_file: Path
) -> None:
    owners_file.write_text("registers:\n  run_mode: {address: 0x000C}\n")
    entry = add_simulated(units=1)
    assert await set_up(hass, entry)
    assert state(hass, f"{entry.unique_id}_run_mode").state == "normal"


async def test_two_groups_at_once(hass: HomeAssistant, start_group: StartGroup) -> None:
    first = await start_group(units=2, prefix="FIRST")
    second = await start_group(units=2, prefix="SECOND", backup_interface="bi")
    assert await first.set_up()
    assert await second.set_up()
    for wire, backup_interface in ((first, "bi_pro"), (second, "bi")):
        assert shown_devices(hass, wire.entry) == expected_devices(
            wire.group.serial_numbers, backup_interface
        )

    assert await hass.config_entries.async_unload(first.entry.entry_id)
    second.group.inject(second.primary, "fan")
    await poll(hass)
    assert state(hass, f"{second.primary}_group_status").state == "fault"
    assert state(hass, f"{first.primary}_group_status").state == STATE_UNAVAILABLE


async def test_options_set_the_pace(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    options: Mapping[str, Any] = {
        "scan_interval": 300,
        "message_spacing": 200,
        "timeout": 2,
    }
    wire = await start_group(units=1, options=options)
    begun = time.monotonic()
    assert await wire.set_up()
    assert time.monotonic() - begun > 0.2 * (wire.server.requests - 1)

    asked = wire.server.requests
    await poll(hass)
    assert wire.server.requests == asked

    wire.silence(wire.primary)
    begun = time.monotonic()
    await poll(hass, 300)
    assert 2 < time.monotonic() - begun < 6
    await poll(hass, 300)
    assert 2 < time.monotonic() - begun < 6


async def test_a_rest_between_polls_that_take_longer_than_their_interval(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    options = {"scan_interval": 2, "message_spacing": 0, "timeout": 1}
    wire = await start_group(units=3, options=options)
    assert await wire.set_up()
    assert wire.entry.runtime_data.update_interval >= timedelta(seconds=1)
    wire.silence(*wire.group.serial_numbers)
    begun = time.monotonic()
    await poll(hass)
    assert time.monotonic() - begun > 3
    assert wire.entry.runtime_data.update_interval == timedelta(seconds=1)
