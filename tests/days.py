"""A simulated group's days, and what Home Assistant's recorder makes of them.

The group, its server, Home Assistant and its recorder are real; the time is not: it stands still
until it is moved, for the group, for Home Assistant's states, and for the integration.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
import time
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_recorder_block_till_done,
    do_adhoc_statistics,
    statistics_during_period,
)

from custom_components.solax_parallel.const import DOMAIN
from custom_components.solax_parallel.counts import SAVE_INTERVAL
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from .contract import ENERGY_TOTALS, entities_of
from .groups import GroupOnTheWire, entity_id

POLL = timedelta(minutes=5)
"""Between two polls: the longest that the options allow, and the shortest that statistics tell."""

OPTIONS = {
    "scan_interval": POLL.total_seconds(),
    "message_spacing": 0,
    # In real time: what a request costs that nobody answers.
    "timeout": 0.25,
}
OF_UNIT: Mapping[str, str] = {
    "pv_energy_total": "pv",
    "battery_charged_total": "charged",
    "battery_discharged_total": "discharged",
    "backup_energy_total": "backup",
    "output_energy_total": "output",
}
"""What each inverter counts, and what the simulator calls it."""
OF_SITE: Mapping[str, str] = {
    "grid_import_total": "imported",
    "grid_export_total": "exported",
}
"""What the primary's meter counts, and what the simulator calls it."""


@contextmanager
def simulated_time(wire: GroupOnTheWire) -> Iterator[None]:
    """Let Home Assistant and the integration live in the time of the group."""

    def now() -> float:
        return wire.clock.time.timestamp()

    def utcnow() -> datetime:
        return wire.clock.time.astimezone(UTC)

    parts = {name: getattr(time, name) for name in dir(time) if name[0] != "_"}
    with ExitStack() as patches:
        for target, replacement in {
            "homeassistant.core.time": SimpleNamespace(**parts | {"time": now}),
            "homeassistant.helpers.entity.timer": now,
            "homeassistant.util.dt.utcnow": utcnow,
            "custom_components.solax_parallel.wiring.SteadyClock": lambda: now,
            # Spare the tenth of a second that pymodbus waits after it has connected.
            "pymodbus.client.base.asyncio": SimpleNamespace(
                sleep=lambda seconds: asyncio.sleep(0)
            ),
        }.items():
            patches.enter_context(patch(target, replacement))
        yield


@dataclass
class Life:
    """A group that is polled every five minutes, with the statistics of what it counts."""

    hass: HomeAssistant
    wire: GroupOnTheWire
    storage: dict[str, Any]

    async def begin(self) -> None:
        """Set up the entry with its energies alone, since other entities cost time."""
        registry = er.async_get(self.hass)
        for entities in entities_of(self.wire.group.serial_numbers).values():
            for unique_id, entity in entities.items():
                if entity.device_class != "energy" or "smart_load" in unique_id:
                    registry.async_get_or_create(
                        entity.platform,
                        DOMAIN,
                        unique_id,
                        config_entry=self.wire.entry,
                        disabled_by=er.RegistryEntryDisabler.USER,
                    )
        await self.start()
        for _ in range(9):
            if None not in self.shown().values():
                break
            await self._fire(POLL)
        assert None not in self.shown().values()
        await self._fire(SAVE_INTERVAL)

    async def start(self) -> None:
        """Start Home Assistant; where nobody answers it tries again by itself."""
        await self.hass.config_entries.async_setup(self.wire.entry.entry_id)
        await self.hass.async_block_till_done(wait_background_tasks=True)

    async def stop(self, *, crash: bool = False) -> None:
        """End Home Assistant, as far as the integration is concerned."""
        key = f"{DOMAIN}.{self.wire.entry.entry_id}"
        saved = deepcopy(self.storage[key])
        assert await self.hass.config_entries.async_unload(self.wire.entry.entry_id)
        if crash:
            self.storage[key] = saved

    async def poll(self, duration: timedelta = POLL) -> None:
        """Let time go by, make statistics of the latest five minutes of it, and poll."""
        self.wire.clock.pass_by(duration)
        await self._compile(self.wire.clock.time - POLL)
        await self._fire(POLL)
        await self._fire(SAVE_INTERVAL)

    def shown(self, *more: str) -> dict[str, float | None]:
        """Return what Home Assistant shows of each counter for life and of others, by unique id."""
        shown: dict[str, float | None] = {}
        for unique_id in (*self.truth(), *more):
            state = self.hass.states.get(entity_id(self.hass, unique_id))
            shown[unique_id] = (
                None
                if state is None or state.state in (STATE_UNAVAILABLE, STATE_UNKNOWN)
                else float(state.state)
            )
        return shown

    async def counted(self, since: datetime, *more: str) -> dict[str, list[float]]:
        """Return what the statistics say of each counter, in kWh for each hour since."""
        # There is no statistic of an hour before its last five minutes.
        await self._compile(self.wire.clock.time.replace(minute=55))
        names = {
            entity_id(self.hass, unique_id): unique_id
            for unique_id in (*self.truth(), *more)
        }
        rows = statistics_during_period(
            self.hass, since, statistic_ids=set(names), types={"sum"}
        )
        return {
            unique_id: [
                later - earlier
                for earlier, later in pairwise([0, *(row["sum"] for row in rows[name])])
            ]
            for name, unique_id in names.items()
        }

    def truth(self) -> dict[str, float]:
        """Return what every counter for life really stands at, in kWh, by unique id."""
        group = self.wire.group
        group.advance()
        truth: dict[str, float] = {}
        for key, name in OF_UNIT.items():
            for unit in group.units:
                counted = getattr(group.energies.unit(unit.index), name) / 1000
                truth[f"{unit.serial_number}_{key}"] = counted
                if key in ENERGY_TOTALS:
                    of_group = f"{self.wire.primary}_group_{key}"
                    truth[of_group] = truth.get(of_group, 0.0) + counted
        for key, name in OF_SITE.items():
            counted = getattr(group.energies.site, name) / 1000
            truth[f"{self.wire.primary}_{key}"] = counted
            truth[f"{self.wire.primary}_group_{key}"] = counted
        return truth

    async def _compile(self, moment: datetime) -> None:
        """Make statistics of the five minutes around a time."""
        slot = POLL.total_seconds()
        start = datetime.fromtimestamp(moment.timestamp() // slot * slot, UTC)
        do_adhoc_statistics(self.hass, start=start)
        await async_recorder_block_till_done(self.hass)

    async def _fire(self, duration: timedelta) -> None:
        """Let timers go off, which run in real time."""
        async_fire_time_changed(self.hass, datetime.now(UTC) + duration)
        await self.hass.async_block_till_done(wait_background_tasks=True)
