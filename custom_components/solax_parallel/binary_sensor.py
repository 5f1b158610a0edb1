"""Binary sensors: faults, completeness, relays and ports."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .a1_ess.checks import Check
from .a1_ess.codes import OnOff
from .a1_ess.control import Kind
from .a1_ess.extension import BackupInterface
from .a1_ess.faults import FAULTS, PARALLEL_FAULTS, Family, Fault
from .a1_ess.group import GroupState
from .a1_ess.inverter_state import InverterState
from .const import FAULT_WORD
from .coordinator import SolaxConfigEntry, SolaxCoordinator
from .entity import (
    BackupInterfaceEntity,
    GroupFactDescription,
    GroupFactEntity,
    InverterEntity,
)
from .entity_set import async_add_as_known, async_remove_untold
from .smart_load_entity import WatchedLoadEntity, watched_loads

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class InverterBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor of an inverter; ``needs`` is the register that it is made of."""

    needs: str
    is_on_fn: Callable[[InverterState], bool | None]
    attributes_fn: Callable[[InverterState], Mapping[str, Any]] = lambda state: {}


@dataclass(frozen=True, kw_only=True)
class GroupBinarySensorDescription(BinarySensorEntityDescription, GroupFactDescription):
    """A binary sensor of the group."""

    is_on_fn: Callable[[GroupState], bool | None]
    attributes_fn: Callable[[GroupState], Mapping[str, Any]] = lambda state: {}


@dataclass(frozen=True, kw_only=True)
class BackupInterfaceBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor of a BI or BI PRO."""

    relay_fn: Callable[[BackupInterface], OnOff]


def _parallel_fault(fault: Fault) -> InverterBinarySensorDescription:
    """Describe the sensor of one of the six paralleling faults."""
    return InverterBinarySensorDescription(
        key=fault.key,
        needs="parallel_faults",
        device_class=BinarySensorDeviceClass.PROBLEM,
        is_on_fn=lambda state: (
            None
            if state.parallel_faults is None
            else fault.key in state.parallel_faults
        ),
        attributes_fn=lambda state: {"vendor_code": fault.vendor_code},
    )


def _in_family(state: InverterState, family: Family) -> list[str] | None:
    if state.problems is None:
        return None
    return sorted(key for key in state.problems if FAULTS[key].family is family)


def _fault_family(family: Family) -> InverterBinarySensorDescription:
    """Describe the sensor of all documented faults of one family."""

    def is_on(state: InverterState) -> bool | None:
        if faults := _in_family(state, family):
            return True
        # A bit that nobody has a name for may belong to any family.
        return None if faults is None or state.unnamed_bits else False

    return InverterBinarySensorDescription(
        key=family,
        needs=FAULT_WORD,
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
        is_on_fn=is_on,
        attributes_fn=lambda state: {"faults": _in_family(state, family)},
    )


def _failed_check(check: Check) -> GroupBinarySensorDescription:
    """Describe the sensor of a pre-operation check."""

    def is_on(state: GroupState) -> bool | None:
        passed = state.checks[check].passed
        return None if passed is None else not passed

    return GroupBinarySensorDescription(
        key=check,
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
        is_on_fn=is_on,
        attributes_fn=lambda state: {
            "units": [asdict(unit) for unit in state.checks[check].units]
        },
    )


INVERTER_BINARY_SENSORS = (
    *(_parallel_fault(fault) for fault in PARALLEL_FAULTS),
    *(_fault_family(family) for family in Family),
    InverterBinarySensorDescription(
        key="bms_connected",
        needs="bms_connected",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        is_on_fn=lambda state: state.bms_connected,
    ),
)

GROUP_BINARY_SENSORS = (
    GroupBinarySensorDescription(
        key="complete",
        is_on_fn=lambda state: state.complete if state.asked else None,
        tells_of_silence=True,
    ),
    GroupBinarySensorDescription(
        key="on_grid",
        is_on_fn=lambda state: state.on_grid,
    ),
    *map(_failed_check, Check),
)

UNBALANCED = GroupBinarySensorDescription(
    key="unbalanced",
    device_class=BinarySensorDeviceClass.PROBLEM,
    entity_category=EntityCategory.DIAGNOSTIC,
    is_on_fn=lambda state: state.unbalanced,
)

TOTALS_DISAGREE = GroupBinarySensorDescription(
    key="totals_disagree",
    device_class=BinarySensorDeviceClass.PROBLEM,
    entity_category=EntityCategory.DIAGNOSTIC,
    is_on_fn=lambda state: state.totals_disagree,
    attributes_fn=lambda state: {
        key: {"units": each.units, "primary": each.primary}
        for key, each in state.comparison.items()
    },
)

BACKUP_INTERFACE_BINARY_SENSORS = (
    BackupInterfaceBinarySensorDescription(
        key="grid_relay",
        relay_fn=lambda interface: interface.grid_relay,
    ),
    BackupInterfaceBinarySensorDescription(
        key="generator",
        relay_fn=lambda interface: interface.generator,
    ),
    BackupInterfaceBinarySensorDescription(
        key="microgrid",
        relay_fn=lambda interface: interface.microgrid,
    ),
)

SMART_LOAD_STATE = BinarySensorEntityDescription(
    key="state", device_class=BinarySensorDeviceClass.POWER
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SolaxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the binary sensors of an entry."""
    async_remove_untold(
        entry, {each.key: each.needs for each in INVERTER_BINARY_SENSORS}
    )
    async_add_as_known(entry, async_add_entities, _binary_sensors)


def _binary_sensors(coordinator: SolaxCoordinator) -> Iterator[Entity]:
    for serial_number, unit in coordinator.wiring.group.units.items():
        for description in INVERTER_BINARY_SENSORS:
            if unit.can_tell(description.needs):
                yield InverterBinarySensor(coordinator, description, serial_number)
    for group_description in GROUP_BINARY_SENSORS:
        yield GroupBinarySensor(coordinator, group_description)
    group = coordinator.wiring.group
    if len(group.units) > 1:
        yield GroupBinarySensor(coordinator, UNBALANCED)
        # A sum of what the primary says can't be held against what the primary says.
        if len(group.units) == len(group.inverters):
            yield GroupBinarySensor(coordinator, TOTALS_DISAGREE)
    if coordinator.data.backup_interface is None:
        return
    for interface_description in BACKUP_INTERFACE_BINARY_SENSORS:
        yield BackupInterfaceBinarySensor(coordinator, interface_description)
    for number in watched_loads(coordinator, Kind.SWITCH):
        yield SmartLoadState(coordinator, SMART_LOAD_STATE, number)


class InverterBinarySensor(InverterEntity, BinarySensorEntity):
    """What an inverter reports."""

    entity_description: InverterBinarySensorDescription

    @property
    @override
    def is_on(self) -> bool | None:
        """What the latest poll brought; None where the inverter does not tell."""
        return self.entity_description.is_on_fn(self.state_of_inverter)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """What belongs to the state."""
        return self.entity_description.attributes_fn(self.state_of_inverter)


class GroupBinarySensor(GroupFactEntity, BinarySensorEntity):
    """What is known of the group."""

    entity_description: GroupBinarySensorDescription

    @property
    @override
    def is_on(self) -> bool | None:
        """What the latest poll brought; None where units disagree or do not tell."""
        return self.entity_description.is_on_fn(self.coordinator.data)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """What belongs to the state."""
        return self.entity_description.attributes_fn(self.coordinator.data)


class BackupInterfaceBinarySensor(BackupInterfaceEntity, BinarySensorEntity):
    """A relay or port of the BI or BI PRO."""

    entity_description: BackupInterfaceBinarySensorDescription

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether the relay is closed, or the port is on."""
        if (interface := self.backup_interface) is None:
            return None
        return self.entity_description.relay_fn(interface) is OnOff.ON


class SmartLoadState(WatchedLoadEntity, BinarySensorEntity):
    """Whether a smart load channel is on, where it can't be switched."""

    _kind = Kind.SWITCH

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether the channel is on."""
        if (load := self.smart_load) is None:
            return None
        return load.state is OnOff.ON
