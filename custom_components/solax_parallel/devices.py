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
from .a1_ess.inverter import InverterState
from .const import DOMAIN, MANUFACTURER
from .coordinator import SolaxConfigEntry, SolaxCoordinator


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

    @callback
    def async_update() -> None:
        for member in coordinator.data.members.values():
            _async_register_inverter(registry, entry, member, group.id)
        if (interface := coordinator.data.backup_interface) is not None:
            registry.async_get_or_create(
                config_entry_id=entry.entry_id,
                identifiers={backup_interface_identifier(coordinator)},
                manufacturer=MANUFACTURER,
                model=interface.type.label,
                name=interface.type.label,
                via_device_id=group.id,
            )

    async_update()
    entry.async_on_unload(coordinator.async_add_listener(async_update))


@callback
def _async_register_inverter(
    registry: dr.DeviceRegistry,
    entry: SolaxConfigEntry,
    member: InverterState,
    group_id: str,
) -> None:
    identity = member.identity
    role = member.role or Role.SECONDARY
    registry.async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, member.serial_number)},
        manufacturer=MANUFACTURER,
        model=member.model_type.label if member.model_type else "A1-ESS-G2",
        serial_number=member.serial_number,
        translation_key="secondary" if role is Role.SECONDARY else role,
        translation_placeholders=(
            {"serial": member.serial_number[-4:]} if role is Role.SECONDARY else None
        ),
        via_device_id=group_id,
        sw_version=(
            UNDEFINED
            if identity is None or identity.firmware is None
            else identity.firmware
        ),
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
    return ChildDeviceInfo(
        identifiers={(DOMAIN, f"{coordinator.group_id}_smart_load_{number}")},
        parent_device_id=parent_id,
        translation_key="smart_load",
        translation_placeholders={"number": str(number)},
    )


def device_info(identifier: tuple[str, str]) -> DeviceInfo:
    """Return the link from an entity to a device that is registered already."""
    return DeviceInfo(identifiers={identifier})
