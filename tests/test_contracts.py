"""The names and properties that automations, dashboards and statistics are built on."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.solax_parallel.a1_ess.codes import ModelType
from custom_components.solax_parallel.a1_ess.profile import load_profile
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from .conftest import AddSimulated, StartGroup
from .contract import GROUP_EVENTS, Entity, entities_of
from .groups import (
    GroupOnTheWire,
    coded,
    devices,
    set_up,
    state,
    without_windows,
)

type Registered = Mapping[str, Mapping[str, Entity]]


def by_device(
    hass: HomeAssistant, entry: MockConfigEntry
) -> Iterator[tuple[str, er.RegistryEntry]]:
    """Yield every entity in the registry with the identifier of its device."""
    identifiers = {
        device.id: identifier for identifier, device in devices(hass, entry).items()
    }
    for entity in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        assert entity.device_id is not None
        yield identifiers[entity.device_id], entity


def registered(hass: HomeAssistant, entry: MockConfigEntry) -> Registered:
    """Return every entity by its device's identifier and its unique id."""
    found: dict[str, dict[str, Entity]] = defaultdict(dict)
    for device, entity in by_device(hass, entry):
        capabilities = entity.capabilities or {}
        options = capabilities.get("options")
        found[device][entity.unique_id] = Entity(
            Platform(entity.domain),
            entity.original_device_class,
            capabilities.get("state_class"),
            entity.unit_of_measurement,
            None if options is None else tuple(options),
            entity.entity_category,
            enabled=entity.disabled_by is None,
        )
    return dict(found)


@pytest.mark.parametrize("units", [1, 2, 3, 4])
@pytest.mark.parametrize("backup_interface", ["none", "bi", "bi_pro"])
async def test_simulated_group(
    hass: HomeAssistant,
    add_simulated: AddSimulated,
    units: int,
    backup_interface: str,
) -> None:
    entry = add_simulated(units=units, backup_interface=backup_interface)
    assert await set_up(hass, entry)
    serials = [f"SIMHA{number:09}" for number in range(1, units + 1)]
    assert registered(hass, entry) == entities_of(
        serials, backup_interface=backup_interface, simulated=True, controlled=True
    )


@pytest.mark.parametrize("backup_interface", ["none", "bi", "bi_pro"])
async def test_real_group_has_nothing_to_inject(
    hass: HomeAssistant, start_group: StartGroup, backup_interface: str
) -> None:
    wire = await start_group(backup_interface=backup_interface)
    assert await wire.set_up()
    assert registered(hass, wire.entry) == entities_of(
        wire.group.serial_numbers, backup_interface=backup_interface
    )


async def test_events_of_the_group(
    hass: HomeAssistant, group_on_the_wire: GroupOnTheWire
) -> None:
    assert await group_on_the_wire.set_up()
    told = state(hass, f"{group_on_the_wire.primary}_group_event").attributes
    assert told["event_types"] == list(GROUP_EVENTS)


@pytest.mark.parametrize("rated_power", [3800, 5000, 6000])
async def test_only_the_largest_have_a_third_string(
    hass: HomeAssistant, start_group: StartGroup, rated_power: int
) -> None:
    wire = await start_group(units=2, rated_power=rated_power)
    assert await wire.set_up()
    assert registered(hass, wire.entry) == entities_of(
        wire.group.serial_numbers, third_string=False
    )


async def test_ac_coupled_inverters_have_no_pv(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    # The simulator only plays hybrids, so it calls them what the shipped map reads as AC.
    wire = await start_group(
        units=2,
        served=coded(load_profile(), "model_type", {20: "a1_hyb_g2"}),
        model_type=ModelType.A1_AC_G2,
    )
    assert await wire.set_up()
    assert registered(hass, wire.entry) == entities_of(
        wire.group.serial_numbers, pv=False, third_string=False
    )


async def test_secondaries_that_only_the_primary_tells_of(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=3, reported=2)
    assert await wire.set_up()
    assert registered(hass, wire.entry) == entities_of(
        [wire.primary],
        reported=[f"{wire.primary}_secondary_1", f"{wire.primary}_secondary_2"],
    )


async def test_without_extension_there_is_no_backup_interface(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(
        units=2,
        served=without_windows(load_profile(), "extension", "primary_extension"),
    )
    assert await wire.set_up()
    assert registered(hass, wire.entry) == entities_of(
        wire.group.serial_numbers, backup_interface="none"
    )


async def test_every_entity_is_translated_by_its_key(
    hass: HomeAssistant, group_on_the_wire: GroupOnTheWire
) -> None:
    assert await group_on_the_wire.set_up()
    names = {
        entity.unique_id: (entity.translation_key, entity.has_entity_name)
        for _, entity in by_device(hass, group_on_the_wire.entry)
    }
    assert names == {
        entity.unique_id: (entity.unique_id.removeprefix(f"{device}_"), True)
        for device, entity in by_device(hass, group_on_the_wire.entry)
    }


async def test_names_tell_entities_apart(
    hass: HomeAssistant, simulated_entry: MockConfigEntry
) -> None:
    assert await set_up(hass, simulated_entry)
    names = [
        (device, entity.original_name)
        for device, entity in by_device(hass, simulated_entry)
    ]
    assert len(names) == len(set(names))
    device_names = [device.name for device in devices(hass, simulated_entry).values()]
    assert len(device_names) == len(set(device_names))


async def test_ids_survive_a_reload(
    hass: HomeAssistant, group_on_the_wire: GroupOnTheWire
) -> None:
    assert await group_on_the_wire.set_up()
    before = registered(hass, group_on_the_wire.entry)
    assert await hass.config_entries.async_reload(group_on_the_wire.entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert registered(hass, group_on_the_wire.entry) == before
