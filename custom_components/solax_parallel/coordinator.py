"""Polling the group."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from enum import StrEnum
import logging
from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_SCAN_INTERVAL
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from .a1_ess.group import GroupState, Status
from .a1_ess.inverter_state import Presence
from .a1_ess.module_source import ModuleSource
from .acceptance import Acceptance
from .const import (
    CONF_POLLING,
    DEFAULT_SCAN_INTERVAL,
    DENIED,
    DOMAIN,
    SHORTEST_SCAN_INTERVAL,
)
from .issues import Issues, async_clear_issues
from .pace import Pace
from .poll_log import PollLog
from .remote_mode import RemoteModeIssue
from .wiring import Wiring
from .words import Words

DEFAULT_TRANSFER_TIME = timedelta(minutes=5)
"""Within which a transfer test must be over."""

WATCHING_INTERVAL = timedelta(seconds=SHORTEST_SCAN_INTERVAL)
"""Between two polls during an acceptance test."""

LEAST_REST = timedelta(seconds=1)
"""Between two polls, however long they take."""

_LOGGER = logging.getLogger(__name__)


class Obstacle(StrEnum):
    """Why inverters are left alone, as the key of a text."""

    POLLING_IS_OFF = "polling_is_off"
    GROUP_UNLOADED = "group_unloaded"


type SolaxConfigEntry = ConfigEntry[SolaxCoordinator]


class SolaxCoordinator(DataUpdateCoordinator[GroupState]):
    """Polls all inverters of an entry with one interval, while ``polling`` is on.

    Whatever else asks the inverters does so through ``async_ask``.
    """

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
        )
        self._interval = timedelta(
            seconds=entry.options.get(CONF_SCAN_INTERVAL, DEFAULT_SCAN_INTERVAL)
        )
        self.wiring = wiring
        self.words = words
        self.acceptance = Acceptance(hass, entry.entry_id, words)
        self.pace = Pace(hass, entry)
        self._log = PollLog(_LOGGER, entry.title, self._may_be_silent)
        self.polling: bool = entry.data.get(CONF_POLLING, True)
        self._remote_mode = RemoteModeIssue(hass, entry, words)
        self.issues = Issues(hass, entry, words)
        self._begun = 0.0
        self._asking: set[asyncio.Task[Any]] = set()
        self._commanding: set[asyncio.Task[Any]] = set()
        self._switching = asyncio.Lock()

    @property
    def group_id(self) -> str:
        """What the group's ids are made of: the primary's serial number at setup."""
        assert self.config_entry.unique_id is not None
        return self.config_entry.unique_id

    @property
    def parts(self) -> object:
        """What the group is made of, as far as is known by now, to be compared with later."""
        interface = self.data.backup_interface
        return (
            None if interface is None else (interface.type, *interface.smart_loads),
            [len(unit.measurements) for unit in self.wiring.group.units.values()],
        )

    async def async_begin(self) -> None:
        """Poll for the first time, unless polling is off; counters must be restored by now.

        Raises ``ConfigEntryNotReady`` when nobody answers.
        """
        if self.polling:
            self.wiring.begin_asking()
            await self.async_config_entry_first_refresh()
        else:
            self._fall_quiet()

    async def async_set_polling(self, *, on: bool) -> None:
        """Ask the inverters or leave them alone from now on, over restarts too.

        Switched off, nothing is sent any more, and on return the links are closed. Switched on,
        a poll begins at once.
        """
        async with self._switching:
            if on is self.polling:
                return
            self.polling = on
            self.hass.config_entries.async_update_entry(
                self.config_entry, data={**self.config_entry.data, CONF_POLLING: on}
            )
            if on:
                self._begin_anew()
            else:
                await self._async_give_up()

    def _begin_anew(self) -> None:
        self.wiring.group.wake()
        self.wiring.begin_asking()
        self._remote_mode.begin()
        self.last_update_success = True
        self.config_entry.async_create_background_task(
            self.hass, self.async_refresh(), f"{self.name} first poll"
        )

    async def _async_give_up(self) -> None:
        self.acceptance.abort()
        async_clear_issues(self.hass, self.config_entry)
        self.pace.forget()
        self._fall_quiet()
        for task in self._asking:
            task.cancel()
        self.async_update_listeners()
        if self._asking:
            await asyncio.wait(self._asking)
        await self.wiring.async_stop_asking()

    @override
    async def async_shutdown(self) -> None:
        """Ask nobody any more; what is on its way is given up, and no failure to tell of."""
        await super().async_shutdown()
        self.last_update_success = False
        # A command ends by itself then, and knows how far it came.
        self.wiring.control.close()
        for task in self._asking - self._commanding:
            task.cancel()
        if self._asking:
            await asyncio.wait(self._asking)

    def _fall_quiet(self) -> None:
        self.update_interval = None
        self.data = self.wiring.group.unasked()
        self.wiring.control.observe(self.data)
        # So that a poll which is given up is no new failure, and nobody is told of it.
        self.last_update_success = False

    async def async_ask[T](
        self, work: Coroutine[Any, Any, T], *, commands: bool = False
    ) -> T:
        """Do ``work`` that sends requests to the inverters, and return what it returns.

        ``commands`` is whether it is a command, which ends by itself when the entry is unloaded.
        Raises ``UpdateFailed`` while polling is off, and after the entry was unloaded; work that
        goes on then is given up wherever it stands.
        """
        if (obstacle := self._obstacle) is not None:
            work.close()
            raise _unasked(obstacle)
        task = asyncio.create_task(work)
        self._asking.add(task)
        if commands:
            self._commanding.add(task)
        try:
            result = await task
        except asyncio.CancelledError:
            if (waiting := asyncio.current_task()) and waiting.cancelling():
                raise
            # Polling may be on again since it was switched off.
            raise _unasked(self._obstacle or Obstacle.POLLING_IS_OFF) from None
        finally:
            self._asking.discard(task)
            self._commanding.discard(task)
        if not self.polling:
            raise _unasked(Obstacle.POLLING_IS_OFF)
        return result

    @property
    def _obstacle(self) -> Obstacle | None:
        """Why the inverters are left alone; None while they are asked."""
        if self._shutdown_requested:
            return Obstacle.GROUP_UNLOADED
        return None if self.polling else Obstacle.POLLING_IS_OFF

    @callback
    def async_stop(self, _: Event) -> None:
        """Write nothing any more: nobody would be there to see what it does."""
        self.wiring.control.close()

    @callback
    def async_require_polling(self) -> None:
        """Raise ``ServiceValidationError`` while polling is off."""
        if not self.polling:
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key=Obstacle.POLLING_IS_OFF
            )

    async def async_look_again(self) -> None:
        """Poll with everything that is otherwise asked only once, whoever was left alone too."""
        self.wiring.group.renew()
        await self.async_refresh()

    async def async_check_now(self) -> None:
        """Look at everything again; raises ``HomeAssistantError`` when nobody answers or is asked."""
        await self.async_look_again()
        if not self.last_update_success:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key=self._obstacle or "nobody_answered",
            )

    async def async_start_transfer_test(
        self, limit: timedelta = DEFAULT_TRANSFER_TIME
    ) -> None:
        """Begin the acceptance test, and poll as often as is allowed while it runs.

        Raises ``ServiceValidationError`` when the group must not or can't be tested now.
        """
        self.async_require_polling()
        # The latest poll may be minutes old, and the breaker open since.
        await self.async_refresh()
        self.acceptance.start(self.data, limit)
        await self.async_refresh()

    @callback
    def async_abort_transfer_test(self) -> None:
        """Break off a running test."""
        self.acceptance.abort()
        self.async_update_listeners()

    @override
    async def _async_update_data(self) -> GroupState:
        self._begun = self.hass.loop.time()
        if self.acceptance.running:
            # Whoever falls silent while it changes over must not be missed when it is back.
            self.wiring.group.end_rests()
        state = await self.async_ask(self._async_poll())
        self.pace.observe(self.hass.loop.time() - self._begun)
        self.issues.async_update(state)
        self._remote_mode.observe(state.members)
        self.acceptance.observe(state)
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
        self._log.note(state)
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

    async def _async_poll(self) -> GroupState:
        state = await self.wiring.group.poll()
        # At once: a command that waited for the poll looks at what it has shown.
        self.wiring.control.observe(state)
        return state

    @callback
    @override
    def _schedule_refresh(self) -> None:
        """Let the next poll begin one interval after the latest one began.

        Home Assistant counts from the second in which everybody has been shown a poll.
        """
        if self.polling:
            interval = WATCHING_INTERVAL if self.acceptance.running else self._interval
            spent = timedelta(seconds=int(self.hass.loop.time()) - int(self._begun))
            self.update_interval = max(interval - spent, LEAST_REST)
        super()._schedule_refresh()

    def _may_be_silent(self, serial_number: str) -> bool:
        """Whether nobody need be told: a module leaves out answers, and many do at night."""
        inverter = self.wiring.group.inverters.get(serial_number)
        return inverter is not None and isinstance(inverter.source, ModuleSource)


def _unasked(obstacle: Obstacle) -> UpdateFailed:
    return UpdateFailed(translation_domain=DOMAIN, translation_key=obstacle)
