"""What the entities of a smart load channel share, and which channels have them."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.helpers.entity import EntityDescription

from .a1_ess.control import Kind, command_key
from .a1_ess.extension import SmartLoad
from .commands import async_command
from .coordinator import SolaxCoordinator
from .devices import smart_load_info
from .entity import SolaxEntity
from .smart_loads import is_hidden


class SmartLoadEntity(SolaxEntity):
    """An entity of a smart load channel, unavailable while the primary does not tell of it."""

    def __init__(
        self, coordinator: SolaxCoordinator, description: EntityDescription, number: int
    ) -> None:
        """Belong to channel ``number`` of the BI PRO."""
        super().__init__(coordinator, description)
        self._number = number
        self._attr_unique_id = (
            f"{coordinator.group_id}_smart_load_{number}_{description.key}"
        )
        self._attr_device_info = smart_load_info(coordinator, number)

    @property
    def smart_load(self) -> SmartLoad | None:
        """What the latest poll says of the channel."""
        interface = self.coordinator.data.backup_interface
        return None if interface is None else interface.smart_loads.get(self._number)

    @property
    @override
    def available(self) -> bool:
        """Whether the latest poll told of the channel."""
        return super().available and self.smart_load is not None


def shown_loads(coordinator: SolaxCoordinator) -> list[int]:
    """Return the numbers of the smart load channels that are known and not hidden."""
    interface = coordinator.data.backup_interface
    return [
        number
        for number in (() if interface is None else interface.smart_loads)
        if not is_hidden(coordinator.config_entry, number)
    ]


def watched_loads(coordinator: SolaxCoordinator, kind: Kind) -> list[int]:
    """Return those of the shown channels that can't be told anything of this kind."""
    commanded = commanded_loads(coordinator, kind)
    return [number for number in shown_loads(coordinator) if number not in commanded]


def commanded_loads(coordinator: SolaxCoordinator, kind: Kind) -> list[int]:
    """Return those of the shown channels that can be told something of this kind."""
    control = coordinator.wiring.control
    return [
        number
        for number in shown_loads(coordinator)
        if control.read_only(command_key(number, kind)) is None
    ]


class WatchedLoadEntity(SmartLoadEntity):
    """Something that could be told to a smart load channel, and can only be looked at."""

    _kind: Kind

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """Why it can only be looked at."""
        key = command_key(self._number, self._kind)
        return {"read_only": self.coordinator.wiring.control.read_only(key)}


class CommandedLoadEntity(SmartLoadEntity):
    """Something that can be told to a smart load channel."""

    _kind: Kind

    @property
    @override
    def available(self) -> bool:
        """Whether nothing in the latest poll speaks against a command."""
        return super().available and self.coordinator.wiring.control.obstacle is None

    async def _async_command(self, value: str) -> None:
        """Tell it ``value``; raises ``HomeAssistantError`` with what came of it."""
        device = self.device_entry
        assert device is not None
        await async_command(
            self.coordinator,
            device.name_by_user or device.name or "",
            command_key(self._number, self._kind),
            value,
        )
