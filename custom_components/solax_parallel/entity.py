"""What the entities of a group share."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.sensor import SensorEntity
from homeassistant.core import callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import (
    AddConfigEntryEntitiesCallback,
    async_get_current_platform,
)
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .a1_ess.control import Kind, command_key
from .a1_ess.extension import BackupInterface, SmartLoad
from .a1_ess.group import Status
from .a1_ess.inverter_state import InverterState
from .commands import async_command
from .const import DOMAIN
from .coordinator import SolaxConfigEntry, SolaxCoordinator
from .devices import (
    backup_interface_identifier,
    device_info,
    group_identifier,
    smart_load_info,
)
from .smart_loads import is_hidden


@callback
def async_add_as_known(
    entry: SolaxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    create: Callable[[SolaxCoordinator], Iterable[Entity]],
) -> None:
    """Add the entities of what is known now, and later those of what becomes known.

    A BI PRO whose primary sleeps at start-up is only known once the primary answers. ``create``
    returns all entities for the present state; which there are depends on nothing but the parts
    of the group.
    """
    coordinator = entry.runtime_data
    domain = async_get_current_platform().domain
    added: set[str] = set()
    parts: object = None

    @callback
    def async_update() -> None:
        nonlocal parts
        if coordinator.parts == parts:
            return
        parts = coordinator.parts
        new = [
            entity
            for entity in create(coordinator)
            if entity.unique_id is not None and entity.unique_id not in added
        ]
        if not new:
            return
        unique_ids = {entity.unique_id for entity in new if entity.unique_id}
        added.update(unique_ids)
        _async_remove_from_other_platforms(entry, domain, unique_ids)
        async_add_entities(new)

    async_update()
    entry.async_on_unload(coordinator.async_add_listener(async_update))


@callback
def _async_remove_from_other_platforms(
    entry: SolaxConfigEntry, domain: str, unique_ids: set[str]
) -> None:
    """Remove what the registry still has of entities that are on platform ``domain`` now.

    What was a switch is a binary sensor when it may only be looked at, and the other way round.
    """
    registry = er.async_get(entry.runtime_data.hass)
    for former in er.async_entries_for_config_entry(registry, entry.entry_id):
        if former.unique_id in unique_ids and former.domain != domain:
            registry.async_remove(former.entity_id)


@callback
def async_remove_untold(entry: SolaxConfigEntry, needs: Mapping[str, str]) -> None:
    """Remove what the registry still has of entities that an inverter can no longer feed.

    It is read in another way now. ``needs`` is the register that each key is made of.
    """
    coordinator = entry.runtime_data
    registry = er.async_get(coordinator.hass)
    domain = async_get_current_platform().domain
    for serial_number, inverter in coordinator.wiring.group.inverters.items():
        for key, register in needs.items():
            former = registry.async_get_entity_id(
                domain, DOMAIN, f"{serial_number}_{key}"
            )
            if former is not None and not inverter.can_tell(register):
                registry.async_remove(former)


class SolaxEntity(CoordinatorEntity[SolaxCoordinator]):
    """An entity fed by the group's poll."""

    _attr_has_entity_name = True

    def __init__(
        self, coordinator: SolaxCoordinator, description: EntityDescription
    ) -> None:
        """Take key and name from ``description``."""
        super().__init__(coordinator)
        self.entity_description = description
        self._attr_translation_key = description.key
        self._shown: object = None

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write what the poll has brought, if that is news: most is as it was."""
        # Home Assistant takes many steps from a sensor's value to its state.
        value = self.native_value if isinstance(self, SensorEntity) else self.state
        shown = self.available and (value, self.extra_state_attributes)
        if shown != self._shown:
            self._shown = shown
            self.async_write_ha_state()


class InverterEntity(SolaxEntity):
    """An entity of one inverter, unavailable while that inverter is not heard."""

    def __init__(
        self,
        coordinator: SolaxCoordinator,
        description: EntityDescription,
        serial_number: str,
    ) -> None:
        """Belong to the inverter with ``serial_number``."""
        super().__init__(coordinator, description)
        self._serial_number = serial_number
        self._attr_unique_id = f"{serial_number}_{description.key}"
        self._attr_device_info = device_info((DOMAIN, serial_number))

    @property
    def state_of_inverter(self) -> InverterState:
        """What the latest poll says of the inverter."""
        return self.coordinator.data.members[self._serial_number]

    @property
    @override
    def available(self) -> bool:
        """Whether the inverter answered in the latest poll."""
        return super().available and self.state_of_inverter.heard


class GroupEntity(SolaxEntity):
    """An entity of the group as a whole."""

    def __init__(
        self, coordinator: SolaxCoordinator, description: EntityDescription
    ) -> None:
        """Belong to the group of the entry."""
        super().__init__(coordinator, description)
        self._attr_unique_id = f"{coordinator.group_id}_group_{description.key}"
        self._attr_device_info = device_info(group_identifier(coordinator))

    @property
    def is_silent(self) -> bool:
        """Whether nobody answered in the latest poll."""
        return self.coordinator.data.status is Status.OFFLINE


@dataclass(frozen=True, kw_only=True)
class GroupFactDescription(EntityDescription):
    """What is known of the group; ``tells_of_silence`` if it is known while nobody answers."""

    tells_of_silence: bool = False


class GroupFactEntity(GroupEntity):
    """What is known of the group, unavailable where that takes somebody who answers."""

    entity_description: GroupFactDescription

    @property
    @override
    def available(self) -> bool:
        """Whether anybody answered, or nobody's answer is needed."""
        return super().available or (
            self.entity_description.tells_of_silence
            and (self.is_silent or not self.coordinator.polling)
        )


class BackupInterfaceEntity(SolaxEntity):
    """An entity of the BI or BI PRO, unavailable while the primary does not tell of it."""

    def __init__(
        self, coordinator: SolaxCoordinator, description: EntityDescription
    ) -> None:
        """Belong to the backup interface of the group."""
        super().__init__(coordinator, description)
        self._attr_unique_id = f"{coordinator.group_id}_bi_{description.key}"
        self._attr_device_info = device_info(backup_interface_identifier(coordinator))

    @property
    def backup_interface(self) -> BackupInterface | None:
        """What the latest poll says of the backup interface."""
        return self.coordinator.data.backup_interface

    @property
    @override
    def available(self) -> bool:
        """Whether the latest poll told of the backup interface."""
        return super().available and self.backup_interface is not None


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
