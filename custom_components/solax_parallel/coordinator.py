"""Polling the group."""

from datetime import timedelta
import logging
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_SCAN_INTERVAL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from .a1_ess.group import GroupState, Status
from .acceptance import Acceptance
from .const import DEFAULT_SCAN_INTERVAL, DOMAIN
from .issues import async_update_issues
from .pace import Pace
from .poll_log import PollLog
from .tables import Words
from .wiring import Wiring

WATCHING_INTERVAL = timedelta(seconds=5)
"""Between two polls during an acceptance test: the least that the options allow."""

_LOGGER = logging.getLogger(__name__)

type SolaxConfigEntry = ConfigEntry[SolaxCoordinator]


class SolaxCoordinator(DataUpdateCoordinator[GroupState]):
    """Polls all inverters of an entry with one interval."""

    config_entry: SolaxConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: SolaxConfigEntry,
        wiring: Wiring,
        words: Words,
    ) -> None:
        """Poll the group of ``wiring`` as often as the entry's options say."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name=entry.title,
            update_interval=timedelta(
                seconds=entry.options.get(CONF_SCAN_INTERVAL, DEFAULT_SCAN_INTERVAL)
            ),
        )
        self.wiring = wiring
        self.words = words
        self.acceptance = Acceptance(hass, entry.entry_id, words)
        self._usual_interval = self.update_interval
        self.pace = Pace(hass, entry)
        self._log = PollLog(_LOGGER, entry.title)

    @property
    def group_id(self) -> str:
        """What the group's ids are made of: the primary's serial number at setup."""
        assert self.config_entry.unique_id is not None
        return self.config_entry.unique_id

    @property
    def parts(self) -> object:
        """What the group is made of, as far as is known by now, to be compared with later."""
        return (
            self.data.backup_interface_type,
            [len(unit.measurements) for unit in self.wiring.group.units.values()],
        )

    async def async_start_transfer_test(self, limit: timedelta) -> None:
        """Begin the acceptance test, and poll as often as is allowed while it runs.

        Raises ``ServiceValidationError`` when the group must not or can't be tested now.
        """
        self.acceptance.start(self.data, limit)
        self._set_interval()
        await self.async_refresh()

    @callback
    def async_abort_transfer_test(self) -> None:
        """Break off a running test."""
        self.acceptance.abort()
        self._set_interval()
        self.async_update_listeners()

    def _set_interval(self) -> None:
        self.update_interval = (
            WATCHING_INTERVAL if self.acceptance.running else self._usual_interval
        )

    @override
    async def _async_update_data(self) -> GroupState:
        begun = self.hass.loop.time()
        state = await self.wiring.group.poll()
        self.pace.observe(self.hass.loop.time() - begun)
        async_update_issues(self.hass, self.config_entry, state.members)
        self.acceptance.observe(state)
        self._set_interval()
        if state.status is Status.OFFLINE:
            # Some entities tell of silence. Home Assistant keeps the data of a failed poll from
            # them, and lets them know of the first in a row only.
            self.data = state
            if not self.last_update_success:
                self.async_update_listeners()
            raise UpdateFailed(
                translation_domain=DOMAIN, translation_key="nobody_answered"
            )
        self._log.note(state)
        return state
