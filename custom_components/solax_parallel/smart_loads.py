"""What the owner says of the smart loads: their names, and which of them are not used."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr

from .a1_ess.codes import BackupInterfaceType
from .const import CONF_HIDDEN, CONF_SMART_LOADS, DOMAIN


def name_field(number: int) -> str:
    """Return what the options call the name of smart load ``number``."""
    return f"name_{number}"


def name_of(entry: ConfigEntry, number: int) -> str | None:
    """Return the name that the owner gave to a smart load."""
    name: str = entry.options.get(CONF_SMART_LOADS, {}).get(name_field(number), "")
    return name.strip() or None


def is_hidden(entry: ConfigEntry, number: int) -> bool:
    """Return whether the owner wants to see nothing of a smart load."""
    return str(number) in entry.options.get(CONF_SMART_LOADS, {}).get(CONF_HIDDEN, ())


def has_smart_loads(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Return whether a BI PRO was ever seen in a group, even if it is not heard now."""
    interface = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, f"{entry.unique_id}_bi"), entry.entry_id
    )
    return interface is not None and interface.model == BackupInterfaceType.BI_PRO.label
