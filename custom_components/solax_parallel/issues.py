"""What only a person can settle."""

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from .a1_ess.faults import GUIDE, Severity
from .a1_ess.inverter import InverterState
from .a1_ess.standing import Members, Place, count, verdicts
from .const import CONF_SERIAL_NUMBER, CONF_UNITS, DOMAIN
from .guidance import fault_in_words
from .tables import UNKNOWN, Words

_SEVERITIES = {
    Severity.FAULT: ir.IssueSeverity.ERROR,
    Severity.WARNING: ir.IssueSeverity.WARNING,
}


class Issues:
    """Raises the issues of one entry, and drops them as soon as they are settled."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, words: Words) -> None:
        """Speak with ``words``; nothing is raised before the first poll."""
        self._hass = hass
        self._entry = entry
        self._words = words
        self._polls: dict[Place, int] = {}
        self._closed = False

    @callback
    def async_update(self, members: Members) -> None:
        """Bring the issues up to what the latest poll showed."""
        # A poll that somebody asked for may end after the entry was unloaded.
        if self._closed:
            return
        # Home Assistant shows the ids in diagnostics, which keep no serial number.
        ids = {
            serial_number: f"{_prefix(self._entry)}{number}_"
            for number, serial_number in enumerate(members, start=1)
        }
        for serial_number, member in members.items():
            self._update_other_inverter(f"{ids[serial_number]}other_inverter", member)
        self._polls = count(self._polls, members)
        for (serial_number, key), calls in verdicts(self._polls, members):
            issue_id = f"{ids[serial_number]}{key}"
            if calls:
                self._raise_fault(issue_id, members[serial_number], key)
            elif calls is False:
                ir.async_delete_issue(self._hass, DOMAIN, issue_id)

    @callback
    def async_close(self) -> None:
        """Drop all issues: those that still stand are raised anew when the group is polled again."""
        self._closed = True
        async_clear_issues(self._hass, self._entry)

    def _update_other_inverter(self, issue_id: str, member: InverterState) -> None:
        """Tell that another inverter answers in the place of one, until it answers itself."""
        if member.heard:
            ir.async_delete_issue(self._hass, DOMAIN, issue_id)
            return
        if member.other_serial is None:
            return
        swapped = any(
            unit[CONF_SERIAL_NUMBER] == member.other_serial
            for entry in self._hass.config_entries.async_entries(DOMAIN)
            for unit in entry.data[CONF_UNITS]
        )
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id,
            data={
                "entry_id": self._entry.entry_id,
                "old": member.serial_number,
                "new": member.other_serial,
            },
            is_fixable=not swapped,
            severity=ir.IssueSeverity.ERROR,
            translation_key="unit_swapped" if swapped else "unit_replaced",
            translation_placeholders={
                "unit": self._name(member.serial_number),
                "old": member.serial_number,
                "new": member.other_serial,
            },
        )

    def _raise_fault(self, issue_id: str, member: InverterState, key: str) -> None:
        fault = GUIDE[key]
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id,
            data={
                "entry_id": self._entry.entry_id,
                "serial_number": member.serial_number,
                "fault": key,
            },
            is_fixable=True,
            severity=_SEVERITIES[fault.severity],
            translation_key="fault",
            translation_placeholders={
                "group": self._entry.title,
                "unit": self._name(member.serial_number),
                "role": self._words("role", member.role) if member.role else UNKNOWN,
                "serial": member.serial_number,
                **fault_in_words(fault, self._words),
            },
        )

    def _name(self, serial_number: str) -> str:
        """Return what the owner calls an inverter."""
        device = dr.async_get(self._hass).async_get_device_by_identifier(
            (DOMAIN, serial_number), self._entry.entry_id
        )
        if device is None:
            return serial_number
        return device.name_by_user or device.name or serial_number


@callback
def async_clear_issues(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Drop every issue of an entry."""
    for domain, issue_id in list(ir.async_get(hass).issues):
        if domain == DOMAIN and issue_id.startswith(_prefix(entry)):
            ir.async_delete_issue(hass, domain, issue_id)


@callback
def async_watch_entries(hass: HomeAssistant) -> None:
    """Drop the issues of an entry whose setup was still tried when it was disabled."""

    @callback
    def look(change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain == DOMAIN and entry.state is ConfigEntryState.NOT_LOADED:
            async_clear_issues(hass, entry)

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, look)


def _prefix(entry: ConfigEntry) -> str:
    return f"{entry.entry_id}_"
