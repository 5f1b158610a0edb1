"""Switches: polling, smart loads, and the main breaker of a simulated group."""

from collections.abc import Iterator
from typing import Any, override

from homeassistant.components.switch import (
    SwitchDeviceClass,
    SwitchEntity,
    SwitchEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .a1_ess.codes import OnOff
from .a1_ess.control import Kind
from .coordinator import SolaxConfigEntry, SolaxCoordinator
from .entity import GroupEntity
from .entity_set import async_add_as_known
from .simulator.group import SimulatedGroup
from .smart_load_entity import CommandedLoadEntity, commanded_loads

# Switching polling off must not wait for a poll that another switch began.
PARALLEL_UPDATES = 0

POLLING = SwitchEntityDescription(key="polling", entity_category=EntityCategory.CONFIG)

SIMULATED_GRID = SwitchEntityDescription(
    key="simulated_grid", entity_category=EntityCategory.CONFIG
)

# The class is also what a blueprint tells them by from the other switches of a group.
SMART_LOAD_STATE = SwitchEntityDescription(
    key="state", device_class=SwitchDeviceClass.OUTLET
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SolaxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the switches of an entry."""
    coordinator = entry.runtime_data
    async_add_entities([Polling(coordinator, POLLING)])
    if (simulation := coordinator.wiring.simulation) is not None:
        async_add_entities([SimulatedGrid(coordinator, simulation)])
    async_add_as_known(entry, async_add_entities, _smart_loads)


def _smart_loads(coordinator: SolaxCoordinator) -> Iterator[Entity]:
    for number in commanded_loads(coordinator, Kind.SWITCH):
        yield SmartLoadSwitch(coordinator, SMART_LOAD_STATE, number)


class Polling(GroupEntity, SwitchEntity):
    """Whether the inverters are asked at all; off leaves module and gateway to others."""

    @property
    @override
    def available(self) -> bool:
        """Always: it is ours, and the only way back."""
        return True

    @property
    @override
    def is_on(self) -> bool:
        """Whether the inverters are asked."""
        return self.coordinator.polling

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Poll from now on, at once for the first time."""
        await self._async_set(on=True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Send nothing from now on, and close the links."""
        await self._async_set(on=False)

    async def _async_set(self, *, on: bool) -> None:
        await self.coordinator.async_set_polling(on=on)
        self.async_write_ha_state()


class SimulatedGrid(GroupEntity, SwitchEntity):
    """The main breaker of a simulated group: on is closed."""

    def __init__(
        self, coordinator: SolaxCoordinator, simulation: SimulatedGroup
    ) -> None:
        """Control the breaker of ``simulation``."""
        super().__init__(coordinator, SIMULATED_GRID)
        self._simulation = simulation

    @property
    @override
    def available(self) -> bool:
        """Whatever the inverters say: the breaker is ours."""
        return self.coordinator.polling

    @property
    @override
    def is_on(self) -> bool:
        """Whether the breaker is closed."""
        return self._simulation.grid_closed

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Close the breaker and look at once what it does."""
        await self._async_set(closed=True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Open the breaker and look at once what it does."""
        await self._async_set(closed=False)

    async def _async_set(self, *, closed: bool) -> None:
        self._simulation.grid_closed = closed
        self.async_write_ha_state()
        await self.coordinator.async_refresh()


class SmartLoadSwitch(CommandedLoadEntity, SwitchEntity):
    """A smart load channel that can be switched."""

    _kind = Kind.SWITCH

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether the channel is on, as the inverter says."""
        return None if self.smart_load is None else self.smart_load.state is OnOff.ON

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch the channel on."""
        await self._async_command(OnOff.ON)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch the channel off."""
        await self._async_command(OnOff.OFF)
