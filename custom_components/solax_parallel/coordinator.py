"""Polling the group, and saying once when one of its inverters is lost or back."""

from datetime import timedelta
import logging
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_SCAN_INTERVAL
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from .a1_ess.group import GroupState, Status
from .a1_ess.inverter import InverterState, Presence
from .a1_ess.module_source import ModuleSource
from .acceptance import Acceptance
from .const import DEFAULT_SCAN_INTERVAL, DENIED, DOMAIN
from .issues import Issues
from .tables import Words
from .wiring import Wiring

DEFAULT_TRANSFER_TIME = timedelta(minutes=5)
"""Within which a transfer test must be over."""

WATCHING_INTERVAL = timedelta(seconds=5)
"""Between two polls during an acceptance test: the least that the options allow."""

_SILENT = (Presence.SILENT, Presence.RESTING)
_REASONS = {
    Presence.OTHER_SERIAL: "another inverter answers in place of {}",
    Presence.DENIED: "the module of {} wants another password",
}
"""Why an inverter is not heard, where it is more than silent."""

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
        """Poll the group of ``wiring`` as often as the entry's options say.

        ``words`` are in the language of the house, for what is put together here.
        """
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
        self.issues = Issues(hass, entry, words)
        self._lost: set[str] = set()

    @property
    def group_id(self) -> str:
        """What the group's ids are made of: the primary's serial number at setup."""
        assert self.config_entry.unique_id is not None
        return self.config_entry.unique_id

    async def async_look_again(self) -> None:
        """Poll with everything that is otherwise asked only once, whoever was left alone too."""
        self.wiring.group.renew()
        await self.async_refresh()

    async def async_check_now(self) -> None:
        """Look at everything again; raises ``HomeAssistantError`` when nobody answers."""
        await self.async_look_again()
        if not self.last_update_success:
            raise HomeAssistantError(
                translation_domain=DOMAIN, translation_key="nobody_answered"
            )

    async def async_start_transfer_test(
        self, limit: timedelta = DEFAULT_TRANSFER_TIME
    ) -> None:
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
        state = await self.wiring.group.poll()
        self.issues.async_update(state.members)
        self.acceptance.observe(state)
        self._set_interval()
        self._ask_for_passwords(state)
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

    def _ask_for_passwords(self, state: GroupState) -> None:
        """Ask the owner for those of the modules that no longer take theirs."""
        denied = [
            serial_number
            for serial_number, member in state.members.items()
            if member.presence is Presence.DENIED
        ]
        if denied:
            self.config_entry.async_start_reauth(self.hass, data={DENIED: denied})

    def _log_changes(self, state: GroupState) -> None:
        for serial_number, member in state.members.items():
            # Roles, not serial numbers: a log is often shown to others.
            role = member.role or "inverter"
            if member.heard and serial_number in self._lost:
                self._lost.discard(serial_number)
                _LOGGER.info("%s: %s answers again", self.name, role)
            elif self._is_gone(member) and serial_number not in self._lost:
                self._lost.add(serial_number)
                _LOGGER.log(
                    logging.INFO
                    if member.presence in _SILENT and self._is_behind_module(member)
                    else logging.WARNING,
                    "%s: %s, its entities are unavailable",
                    self.name,
                    _REASONS.get(member.presence, "{} does not answer").format(role),
                )

    def _is_gone(self, member: InverterState) -> bool:
        """Return whether it is worth a line in the log that an inverter is not heard."""
        if self._is_behind_module(member):
            # A module leaves out an answer now and then, and many at night.
            return bool(member.lost)
        return not member.heard

    def _is_behind_module(self, member: InverterState) -> bool:
        inverter = self.wiring.group.inverters.get(member.serial_number)
        return inverter is not None and isinstance(inverter.source, ModuleSource)
