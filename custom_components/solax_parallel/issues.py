"""What only a person can settle."""

from collections.abc import Mapping

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, issue_registry as ir

from .a1_ess.inverter import InverterState
from .const import CONF_SERIAL_NUMBER, CONF_UNITS, DOMAIN


@callback
def async_update_issues(
    hass: HomeAssistant, entry: ConfigEntry, members: Mapping[str, InverterState]
) -> None:
    """Raise an issue for each place in which another inverter answers; drop those settled."""
    known = {
        unit[CONF_SERIAL_NUMBER]
        for other in hass.config_entries.async_entries(DOMAIN)
        for unit in other.data[CONF_UNITS]
    }
    for place, (serial_number, member) in enumerate(members.items(), start=1):
        # Home Assistant shows the id in diagnostics, which keep no serial number.
        issue_id = f"{_prefix(entry)}{place}"
        if member.heard:
            ir.async_delete_issue(hass, DOMAIN, issue_id)
        elif member.other_serial is not None:
            swapped = member.other_serial in known
            ir.async_create_issue(
                hass,
                DOMAIN,
                issue_id,
                data={
                    "entry_id": entry.entry_id,
                    "old": serial_number,
                    "new": member.other_serial,
                },
                is_fixable=not swapped,
                severity=ir.IssueSeverity.ERROR,
                translation_key="unit_swapped" if swapped else "unit_replaced",
                translation_placeholders={
                    "unit": _name(hass, entry, serial_number),
                    "old": serial_number,
                    "new": member.other_serial,
                },
            )


@callback
def async_clear_issues(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Drop the issues of an entry that is no longer polled; the next poll raises what stands."""
    for domain, issue_id in list(ir.async_get(hass).issues):
        if domain == DOMAIN and issue_id.startswith(_prefix(entry)):
            ir.async_delete_issue(hass, domain, issue_id)


def _prefix(entry: ConfigEntry) -> str:
    return f"other_inverter_{entry.entry_id}_"


def _name(hass: HomeAssistant, entry: ConfigEntry, serial_number: str) -> str:
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, serial_number), entry.entry_id
    )
    if device is None:
        return serial_number
    return device.name_by_user or device.name or serial_number
