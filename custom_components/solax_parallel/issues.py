"""What only a person can settle."""

from collections.abc import Mapping
from datetime import datetime

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util import dt as dt_util

from .a1_ess.faults import GUIDE, Severity
from .a1_ess.group import GroupState
from .a1_ess.inverter_state import InverterState
from .a1_ess.standing import POLLS, Place, count, verdicts
from .const import DOMAIN
from .entry_data import known_serial_numbers
from .guidance import fault_in_words
from .words import UNKNOWN, Words

_SEVERITIES = {
    Severity.FAULT: ir.IssueSeverity.ERROR,
    Severity.WARNING: ir.IssueSeverity.WARNING,
}


class Issues:
    """Raises the issues of one entry, and drops them as soon as they are settled.

    They outlive a reload: what the owner ignores stays ignored, and what stands keeps its time.
    """

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, words: Words) -> None:
        """Speak with ``words``; nothing is raised before the first poll."""
        self._hass = hass
        self._entry = entry
        self._words = words
        self._polls: dict[Place, int] = {}
        self._came: dict[Place, datetime] = {}
        self._polls_uncounted = 0
        self._closed = False

    @callback
    def async_update(self, state: GroupState) -> None:
        """Bring the issues up to what the latest poll showed."""
        # A poll that somebody asked for may end after the entry was unloaded.
        if self._closed:
            return
        members = state.members
        # Home Assistant shows the ids in diagnostics, which keep no serial number.
        ids = {
            serial_number: f"{_prefix(self._entry)}{number}_"
            for number, serial_number in enumerate(members, start=1)
        }
        self._drop_former_members(ids)
        self._update_not_set_up(state)
        for serial_number, member in members.items():
            self._update_other_inverter(f"{ids[serial_number]}other_inverter", member)
        self._polls = count(self._polls, members)
        now = dt_util.utcnow()
        self._came = {place: self._came.get(place, now) for place in self._polls}
        raised = {issue_id for issue_id, _ in _issues(self._hass, self._entry)}
        for place, calls in verdicts(self._polls, members):
            serial_number, key = place
            issue_id = f"{ids[serial_number]}{key}"
            if calls:
                came = self._came.get(place, now)
                self._raise_fault(issue_id, members[serial_number], key, came)
            elif calls is False and issue_id in raised:
                ir.async_delete_issue(self._hass, DOMAIN, issue_id)

    @callback
    def async_close(self) -> None:
        """Leave what stands as it is, until the group is polled again."""
        self._closed = True

    def _drop_former_members(self, ids: Mapping[str, str]) -> None:
        """Drop the issues of inverters that no longer have their place; ``ids`` are those places."""
        for issue_id, issue in _issues(self._hass, self._entry):
            about = (issue.data or {}).get("serial_number")
            if issue_id != self._not_set_up_id and not any(
                issue_id.startswith(place) and about in (None, serial_number)
                for serial_number, place in ids.items()
            ):
                ir.async_delete_issue(self._hass, DOMAIN, issue_id)

    @property
    def _not_set_up_id(self) -> str:
        return f"{_prefix(self._entry)}unit_not_set_up"

    def _update_not_set_up(self, state: GroupState) -> None:
        """Tell that the primary counts an inverter that the group does not have here."""
        if not state.unit_not_set_up:
            self._polls_uncounted = 0
            if state.unit_not_set_up is False:
                ir.async_delete_issue(self._hass, DOMAIN, self._not_set_up_id)
            return
        self._polls_uncounted += 1
        if self._polls_uncounted < POLLS:
            return
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._not_set_up_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key="unit_not_set_up",
            translation_placeholders={
                "group": self._entry.title,
                "counted": str(state.units_expected),
                "known": str(len(state.members)),
            },
        )

    def _update_other_inverter(self, issue_id: str, member: InverterState) -> None:
        """Tell that another inverter answers in the place of one, until it answers itself."""
        if member.heard:
            ir.async_delete_issue(self._hass, DOMAIN, issue_id)
            return
        if member.other_serial is None:
            return
        swapped = member.other_serial in known_serial_numbers(self._hass)
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id,
            data={
                "entry_id": self._entry.entry_id,
                "serial_number": member.serial_number,
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

    def _raise_fault(
        self, issue_id: str, member: InverterState, key: str, came: datetime
    ) -> None:
        fault = GUIDE[key]
        known = ir.async_get(self._hass).async_get_issue(DOMAIN, issue_id)
        if known is not None:
            # Over a restart Home Assistant keeps no more than when it was raised.
            came = datetime.fromisoformat(
                str((known.data or {}).get("since", known.created.isoformat()))
            )
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id,
            data={
                "entry_id": self._entry.entry_id,
                "serial_number": member.serial_number,
                "fault": key,
                "since": came.isoformat(),
            },
            is_fixable=True,
            severity=_SEVERITIES[fault.severity],
            translation_key="fault",
            translation_placeholders={
                "group": self._entry.title,
                "unit": self._name(member.serial_number),
                "role": self._words("role", member.role) if member.role else UNKNOWN,
                "serial": member.serial_number,
                "since": f"{dt_util.as_local(came):%Y-%m-%d %H:%M}",
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
    for issue_id, _ in _issues(hass, entry):
        ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def async_watch_entries(hass: HomeAssistant) -> None:
    """Drop the issues of an entry that nobody is going to poll again by itself."""

    @callback
    def look(change: ConfigEntryChange, entry: ConfigEntry) -> None:
        is_given_up = entry.disabled_by or entry.state is ConfigEntryState.SETUP_ERROR
        if entry.domain == DOMAIN and is_given_up:
            async_clear_issues(hass, entry)

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, look)


def _issues(hass: HomeAssistant, entry: ConfigEntry) -> list[tuple[str, ir.IssueEntry]]:
    """Return the issues of an entry with their ids."""
    return [
        (issue_id, issue)
        for (domain, issue_id), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN and issue_id.startswith(_prefix(entry))
    ]


def _prefix(entry: ConfigEntry) -> str:
    return f"{entry.entry_id}_"
