"""What the entities of a group share."""

from dataclasses import dataclass
from typing import override

from homeassistant.components.sensor import SensorEntity
from homeassistant.core import callback
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .a1_ess.extension import BackupInterface
from .a1_ess.group import Status
from .a1_ess.inverter_state import InverterState
from .const import DOMAIN
from .coordinator import SolaxCoordinator
from .devices import backup_interface_identifier, device_info, group_identifier


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
