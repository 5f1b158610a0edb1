"""Polling the group, and saying once when one of its inverters is lost or back."""

from datetime import timedelta
import logging
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_SCAN_INTERVAL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from .a1_ess.group import GroupState, Status
from .a1_ess.inverter import Presence
from .const import DEFAULT_SCAN_INTERVAL, DOMAIN
from .issues import async_update_issues
from .wiring import Wiring

LEAST_REST = timedelta(seconds=1)
"""Between two polls, however long they take."""
LISTENERS = 0.1
"""Seconds that everybody who waits for a poll may take to show what it brought."""

_LOGGER = logging.getLogger(__name__)

type SolaxConfigEntry = ConfigEntry[SolaxCoordinator]


class SolaxCoordinator(DataUpdateCoordinator[GroupState]):
    """Polls all inverters of an entry with one interval."""

    config_entry: SolaxConfigEntry

    def __init__(
        self, hass: HomeAssistant, entry: SolaxConfigEntry, wiring: Wiring
    ) -> None:
        """Poll the group of ``wiring`` as often as the entry's options say."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name=entry.title,
        )
        self._interval = timedelta(
            seconds=entry.options.get(CONF_SCAN_INTERVAL, DEFAULT_SCAN_INTERVAL)
        )
        self.wiring = wiring
        self._lost: set[str] = set()

    @property
    def group_id(self) -> str:
        """What the group's ids are made of: the primary's serial number at setup."""
        assert self.config_entry.unique_id is not None
        return self.config_entry.unique_id

    @override
    async def _async_update_data(self) -> GroupState:
        begun = self.hass.loop.time()
        state = await self.wiring.group.poll()
        self._keep_pace(begun)
        async_update_issues(self.hass, self.config_entry, state.members)
        if state.status is Status.OFFLINE:
            # Some entities tell of silence. Home Assistant keeps the data of a failed poll from
            # them, and lets them know of the first in a row only.
            self.data = state
            if not self.last_update_success:
                self.async_update_listeners()
            raise UpdateFailed(
                translation_domain=DOMAIN, translation_key="nobody_answered"
            )
        self._log_changes(state)
        return state

    def _keep_pace(self, begun: float) -> None:
        """Let the next poll begin one interval after the one that began at ``begun``, in seconds.

        Home Assistant counts from the second in which a poll has been shown.
        """
        shown = self.hass.loop.time() + LISTENERS
        spent = timedelta(seconds=int(shown) - int(begun))
        self.update_interval = max(self._interval - spent, LEAST_REST)

    def _log_changes(self, state: GroupState) -> None:
        for serial_number, member in state.members.items():
            # Roles, not serial numbers: a log is often shown to others.
            role = member.role or "inverter"
            if member.heard and serial_number in self._lost:
                self._lost.discard(serial_number)
                _LOGGER.info("%s: %s answers again", self.name, role)
            elif not member.heard and serial_number not in self._lost:
                self._lost.add(serial_number)
                _LOGGER.warning(
                    "%s: %s, its entities are unavailable",
                    self.name,
                    f"another inverter answers in place of {role}"
                    if member.presence is Presence.OTHER_SERIAL
                    else f"{role} does not answer",
                )
