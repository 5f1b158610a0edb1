"""The hint that polling itself may have taken inverters out of local operation."""

from collections.abc import Mapping
import time

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .a1_ess.inverter_state import InverterState
from .a1_ess.remote_mode import RemoteModeWatch
from .const import DOMAIN
from .words import Words

_UNITS = "units"


class RemoteModeIssue:
    """Raises an issue about parked inverters, and drops it once all of them are seen back.

    It outlives a reload and a pause of polling: looking whether they come back then is its advice.
    """

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, words: Words) -> None:
        """Take up what was found before a reload of ``entry``."""
        self._hass = hass
        self._entry = entry
        self._words = words
        issue = ir.async_get(hass).async_get_issue(DOMAIN, _issue_id(entry))
        data = (issue.data if issue is not None else None) or {}
        self._watch = RemoteModeWatch(str(data.get(_UNITS, "")).split())

    def begin(self) -> None:
        """Polling starts."""
        self._watch.begin()

    @callback
    def observe(self, members: Mapping[str, InverterState]) -> None:
        """Take in what a poll has shown."""
        self._watch.observe(members, time.monotonic())
        if not (parked := sorted(self._watch.parked)):
            async_clear_remote_mode(self._hass, self._entry)
            return
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            _issue_id(self._entry),
            data={_UNITS: " ".join(parked)},
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key="remote_mode",
            translation_placeholders={
                "group": self._entry.title,
                "units": ", ".join(
                    self._words("role", members[serial].shown_role)
                    for serial in members
                    if serial in parked
                ),
            },
        )


@callback
def async_clear_remote_mode(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Drop the issue of a group."""
    ir.async_delete_issue(hass, DOMAIN, _issue_id(entry))


def _issue_id(entry: ConfigEntry) -> str:
    return f"remote_mode_{entry.entry_id}"
