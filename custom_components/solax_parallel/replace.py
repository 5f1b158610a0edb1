"""Putting a new inverter in the place of an old one, with its devices, entities and history."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .const import CONF_SERIAL_NUMBER, CONF_UNITS, DOMAIN
from .counts import async_rename_counts
from .facts import async_known_facts


async def async_replace_unit(
    hass: HomeAssistant, entry: ConfigEntry, old: str, new: str
) -> None:
    """Give the inverter with serial number ``old`` the serial number ``new``.

    The entry is unloaded for it and set up again. The group's own ids stay as they are.
    """
    await hass.config_entries.async_unload(entry.entry_id)
    try:
        await _async_rename_all(hass, entry, old, new)
    finally:
        await hass.config_entries.async_setup(entry.entry_id)


async def _async_rename_all(
    hass: HomeAssistant, entry: ConfigEntry, old: str, new: str
) -> None:
    renamed = {
        unit[CONF_SERIAL_NUMBER]: unit[CONF_SERIAL_NUMBER].replace(old, new, 1)
        for unit in entry.data[CONF_UNITS]
        # A secondary that only the primary tells of is known by the primary's serial number.
        if unit[CONF_SERIAL_NUMBER] == old
        or unit[CONF_SERIAL_NUMBER].startswith(f"{old}_")
    }
    await async_rename_counts(hass, entry.entry_id, renamed)
    known = await async_known_facts(hass, entry)
    for before, after in renamed.items():
        _rename(hass, entry, before, after)
        known.async_hand_over(before, after)
    hass.config_entries.async_update_entry(
        entry,
        data={
            **entry.data,
            CONF_UNITS: [
                {
                    **unit,
                    CONF_SERIAL_NUMBER: renamed.get(
                        unit[CONF_SERIAL_NUMBER], unit[CONF_SERIAL_NUMBER]
                    ),
                }
                for unit in entry.data[CONF_UNITS]
            ],
        },
    )


def _rename(hass: HomeAssistant, entry: ConfigEntry, before: str, after: str) -> None:
    devices = dr.async_get(hass)
    entities = er.async_get(hass)
    device = devices.async_get_device_by_identifier((DOMAIN, before), entry.entry_id)
    if device is None:
        return
    for entity in er.async_entries_for_device(
        entities, device.id, include_disabled_entities=True
    ):
        entities.async_update_entity(
            entity.entity_id,
            new_unique_id=entity.unique_id.replace(before, after, 1),
        )
    devices.async_update_device(
        device.id, new_identifiers={(DOMAIN, after)}, serial_number=after
    )
