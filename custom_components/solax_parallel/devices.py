"""The devices of a group: parents first, so that children can name them."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import (
    ChildDeviceInfo,
    DeviceEntryType,
    DeviceInfo,
)
from homeassistant.helpers.typing import UNDEFINED

from .a1_ess.codes import Role
from .a1_ess.family import SMART_LOADS
from .a1_ess.inverter_state import InverterState
from .const import CONF_ROLE, CONF_UNITS, DOMAIN, MANUFACTURER
from .coordinator import SolaxConfigEntry, SolaxCoordinator
from .entry_data import link_of, serial_numbers_of
from .links import ModuleLink
from .smart_loads import is_hidden, name_of


@callback
def async_register_devices(hass: HomeAssistant, entry: SolaxConfigEntry) -> None:
    """Create or update the devices that are known now, and keep them up to date."""
    coordinator = entry.runtime_data
    registry = dr.async_get(hass)
    group = registry.async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={group_identifier(coordinator)},
        manufacturer=MANUFACTURER,
        translation_key="group",
        entry_type=DeviceEntryType.SERVICE,
    )

    known: object = None

    @callback
    def async_update() -> None:
        nonlocal known
        interface = coordinator.data.backup_interface
        found = (
            None if interface is None else interface.type,
            [
                (member.role, member.model_type, member.identity)
                for member in coordinator.data.members.values()
            ],
        )
        if found == known:
            return
        known = found
        for member in coordinator.data.members.values():
            unit = coordinator.wiring.group.units[member.serial_number]
            _async_register_inverter(
                registry, entry, member, member.role or unit.role, group.id
            )
        if interface is not None:
            registry.async_get_or_create(
                config_entry_id=entry.entry_id,
                identifiers={backup_interface_identifier(coordinator)},
                manufacturer=MANUFACTURER,
                model=interface.type.label,
                name=interface.type.label,
                via_device_id=group.id,
            )

    async_update()
    # Children first: they go with their parents.
    for device in (
        *dr.async_child_entries_for_config_entry(registry, entry.entry_id),
        *dr.async_entries_for_config_entry(registry, entry.entry_id),
    ):
        if is_former_member(entry, device.identifiers):
            registry.async_remove_device(device.id)
    entry.async_on_unload(coordinator.async_add_listener(async_update))


@callback
def _async_register_inverter(
    registry: dr.DeviceRegistry,
    entry: SolaxConfigEntry,
    member: InverterState,
    role: Role,
    group_id: str,
) -> None:
    firmware = member.identity.firmware if member.identity else None
    registry.async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, member.serial_number)},
        manufacturer=MANUFACTURER,
        model=member.model_type.label if member.model_type else "A1-ESS-G2",
        serial_number=None if member.reported else member.serial_number,
        sw_version=UNDEFINED if firmware is None else firmware,
        translation_key=role,
        translation_placeholders=(
            {"serial": member.serial_number[-4:]} if role is Role.SECONDARY else None
        ),
        via_device_id=group_id,
    )


def is_former_member(
    entry: SolaxConfigEntry, identifiers: set[tuple[str, str]]
) -> bool:
    """Return whether a device is no longer part of the group, or a hidden load.

    A silent inverter still is in it: silence is not removal.
    """
    parts = ["group"]
    if not _primary_is_behind_module(entry):
        loads = (f"smart_load_{n}" for n in SMART_LOADS if not is_hidden(entry, n))
        parts += ["bi", *loads]
    present = serial_numbers_of(entry) | {f"{entry.unique_id}_{part}" for part in parts}
    return not any(name in present for domain, name in identifiers if domain == DOMAIN)


def _primary_is_behind_module(entry: SolaxConfigEntry) -> bool:
    """Return whether nobody can tell of a BI."""
    return any(
        Role(unit[CONF_ROLE]).leads and isinstance(link_of(unit), ModuleLink)
        for unit in entry.data[CONF_UNITS]
    )


def group_identifier(coordinator: SolaxCoordinator) -> tuple[str, str]:
    """Return what the group's device is known by."""
    return DOMAIN, f"{coordinator.group_id}_group"


def backup_interface_identifier(coordinator: SolaxCoordinator) -> tuple[str, str]:
    """Return what the BI's device is known by."""
    return DOMAIN, f"{coordinator.group_id}_bi"


def smart_load_info(coordinator: SolaxCoordinator, number: int) -> ChildDeviceInfo:
    """Return the device of a smart load channel; the BI PRO must be registered already."""
    parent_id = dr.async_get_device_id_by_identifier(
        coordinator.hass,
        backup_interface_identifier(coordinator),
        config_entry_id=coordinator.config_entry.entry_id,
    )
    assert parent_id is not None
    identifiers = {(DOMAIN, f"{coordinator.group_id}_smart_load_{number}")}
    if (name := name_of(coordinator.config_entry, number)) is not None:
        return ChildDeviceInfo(
            identifiers=identifiers, parent_device_id=parent_id, name=name
        )
    return ChildDeviceInfo(
        identifiers=identifiers,
        parent_device_id=parent_id,
        translation_key="smart_load",
        translation_placeholders={"number": str(number)},
    )


def device_info(identifier: tuple[str, str]) -> DeviceInfo:
    """Return the link from an entity to a device that is registered already."""
    return DeviceInfo(identifiers={identifier})
