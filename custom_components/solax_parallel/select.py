"""Selects: who switches a smart load, and the fault that a simulated inverter plays."""

from collections.abc import Iterator
from typing import override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .a1_ess.codes import SmartLoadMode
from .a1_ess.control import Kind
from .coordinator import SolaxConfigEntry, SolaxCoordinator
from .entity import InverterEntity
from .entity_set import async_add_as_known
from .simulator.group import SimulatedGroup
from .smart_load_entity import CommandedLoadEntity, commanded_loads

PARALLEL_UPDATES = 1

INJECTED_FAULT = SelectEntityDescription(
    key="injected_fault", entity_category=EntityCategory.CONFIG
)

SMART_LOAD_MODE = SelectEntityDescription(key="mode", options=list(SmartLoadMode))


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SolaxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the selects of an entry."""
    coordinator = entry.runtime_data
    if (simulation := coordinator.wiring.simulation) is not None:
        async_add_entities(
            InjectedFault(coordinator, simulation, serial_number)
            for serial_number in simulation.serial_numbers
        )
    async_add_as_known(entry, async_add_entities, _smart_loads)


def _smart_loads(coordinator: SolaxCoordinator) -> Iterator[Entity]:
    for number in commanded_loads(coordinator, Kind.MODE):
        yield SmartLoadModeSelect(coordinator, SMART_LOAD_MODE, number)


class InjectedFault(InverterEntity, SelectEntity):
    """What ails a simulated inverter."""

    def __init__(
        self,
        coordinator: SolaxCoordinator,
        simulation: SimulatedGroup,
        serial_number: str,
    ) -> None:
        """Control the simulated inverter with ``serial_number``."""
        super().__init__(coordinator, INJECTED_FAULT, serial_number)
        self._simulation = simulation
        self._attr_options = list(simulation.injectable)

    @property
    @override
    def available(self) -> bool:
        """Whatever it says: an inverter that was made silent must be able to come back."""
        return self.coordinator.polling

    @property
    @override
    def current_option(self) -> str:
        """What was injected last."""
        return self._simulation.injected(self._serial_number)

    @override
    async def async_select_option(self, option: str) -> None:
        """Inject ``option`` and look at once what it does."""
        self._simulation.inject(self._serial_number, option)
        self.async_write_ha_state()
        await self.coordinator.async_refresh()


class SmartLoadModeSelect(CommandedLoadEntity, SelectEntity):
    """Who switches a smart load channel, where that can be set."""

    _kind = Kind.MODE

    @property
    @override
    def current_option(self) -> str | None:
        """The mode that the inverter tells."""
        return None if self.smart_load is None else self.smart_load.mode

    @override
    async def async_select_option(self, option: str) -> None:
        """Set the mode."""
        await self._async_command(option)
