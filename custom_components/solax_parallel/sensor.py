"""Sensors: what inverters, group, backup interface and smart loads measure and report."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    PERCENTAGE,
    EntityCategory,
    UnitOfApparentPower,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfFrequency,
    UnitOfPower,
    UnitOfTemperature,
    UnitOfTime,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import RestoreEntity

from .a1_ess.balance import COMPARED, Compared, Spread
from .a1_ess.checks import Readiness, readiness
from .a1_ess.codes import GridStatus, Led, Role, RunMode, SmartLoadMode
from .a1_ess.control import Kind
from .a1_ess.extension import BackupInterface, SmartLoad
from .a1_ess.group import GroupState, Status
from .a1_ess.inverter_state import InverterState, Presence
from .a1_ess.register import Counter, Register
from .a1_ess.root_cause import Cause
from .a1_ess.totals import TOTALS, Total, TotalRule
from .a1_ess.transfer_test import Phase
from .acceptance import StoredTransferTest
from .const import CONF_REQUIRE_COMPLETE
from .coordinator import SolaxConfigEntry, SolaxCoordinator
from .entity import (
    BackupInterfaceEntity,
    GroupEntity,
    GroupFactDescription,
    GroupFactEntity,
    InverterEntity,
)
from .entity_set import async_add_as_known, async_remove_untold
from .explanation import explain
from .smart_load_entity import (
    SmartLoadEntity,
    WatchedLoadEntity,
    shown_loads,
    watched_loads,
)

PARALLEL_UPDATES = 0

type Native = float | str | datetime | None


@dataclass(frozen=True, kw_only=True)
class InverterSensorDescription(SensorEntityDescription):
    """A sensor of an inverter."""

    value_fn: Callable[[InverterState], Native]
    attributes_fn: Callable[[InverterState], Mapping[str, Any]] = lambda state: {}


@dataclass(frozen=True, kw_only=True)
class GroupSensorDescription(SensorEntityDescription, GroupFactDescription):
    """A sensor of the group."""

    value_fn: Callable[[GroupState], Native]
    attributes_fn: Callable[[GroupState], Mapping[str, Any]] = lambda state: {}


@dataclass(frozen=True, kw_only=True)
class BackupInterfaceSensorDescription(SensorEntityDescription):
    """A sensor of a BI PRO."""

    value_fn: Callable[[BackupInterface], Native]


@dataclass(frozen=True, kw_only=True)
class SmartLoadSensorDescription(SensorEntityDescription):
    """A sensor of a smart load channel."""

    value_fn: Callable[[SmartLoad], Native]


_MEASUREMENT = SensorStateClass.MEASUREMENT
_UNITS: Mapping[
    str, tuple[SensorDeviceClass | None, SensorStateClass | None, str | None]
] = {
    "V": (SensorDeviceClass.VOLTAGE, _MEASUREMENT, UnitOfElectricPotential.VOLT),
    "A": (SensorDeviceClass.CURRENT, _MEASUREMENT, UnitOfElectricCurrent.AMPERE),
    "W": (SensorDeviceClass.POWER, _MEASUREMENT, UnitOfPower.WATT),
    "VA": (
        SensorDeviceClass.APPARENT_POWER,
        _MEASUREMENT,
        UnitOfApparentPower.VOLT_AMPERE,
    ),
    "Hz": (SensorDeviceClass.FREQUENCY, _MEASUREMENT, UnitOfFrequency.HERTZ),
    "°C": (SensorDeviceClass.TEMPERATURE, _MEASUREMENT, UnitOfTemperature.CELSIUS),
    "%": (SensorDeviceClass.BATTERY, _MEASUREMENT, PERCENTAGE),
    "Wh": (SensorDeviceClass.ENERGY_STORAGE, _MEASUREMENT, UnitOfEnergy.WATT_HOUR),
    "kWh": (
        SensorDeviceClass.ENERGY,
        SensorStateClass.TOTAL_INCREASING,
        UnitOfEnergy.KILO_WATT_HOUR,
    ),
    "h": (
        SensorDeviceClass.DURATION,
        SensorStateClass.TOTAL_INCREASING,
        UnitOfTime.HOURS,
    ),
}
"""Device class, state class and unit by the unit of a register."""

_DETAILS = frozenset(
    {
        "l1_frequency",
        "l2_frequency",
        "backup_l1_apparent",
        "backup_l2_apparent",
        "runtime_on_grid",
        "runtime_off_grid",
    }
)
"""Measurements that few need, so they start disabled."""

_LEG_TOTALS = frozenset({"l1_power", "l2_power", "backup_l1_power", "backup_l2_power"})
"""Totals of one leg, which start disabled."""

_SPREAD_UNITS: Mapping[str, tuple[SensorDeviceClass | None, str]] = {
    # A difference of charges is no charge, and a battery icon would say so.
    "%": (None, PERCENTAGE),
    "K": (SensorDeviceClass.TEMPERATURE_DELTA, UnitOfTemperature.KELVIN),
    "V": (SensorDeviceClass.VOLTAGE, UnitOfElectricPotential.VOLT),
}

_METERED = frozenset(
    {
        "meter_power",
        "load_power",
        "grid_export_total",
        "grid_import_total",
        "grid_export_today",
        "grid_import_today",
    }
)
"""What only a primary's meter measures; on a secondary it starts disabled."""


def _measurement(register: Register, role: Role) -> InverterSensorDescription:
    """Describe the sensor of a register that measures, on an inverter in ``role``."""
    assert register.unit is not None
    device_class, state_class, unit = _UNITS.get(register.unit, (None, None, None))
    return InverterSensorDescription(
        key=register.key,
        # For what an owner's register map adds: everything else has a translation.
        name=register.key.replace("_", " ").capitalize(),
        device_class=device_class,
        state_class=state_class,
        native_unit_of_measurement=unit or register.unit,
        suggested_display_precision=len(f"{register.scale:g}".partition(".")[2]),
        suggested_unit_of_measurement=(
            UnitOfEnergy.KILO_WATT_HOUR if register.unit == "Wh" else None
        ),
        entity_category=(
            EntityCategory.DIAGNOSTIC if register.unit in ("h", "Wh") else None
        ),
        entity_registry_enabled_default=(
            register.key not in _DETAILS
            and (role.leads or register.key not in _METERED)
        ),
        value_fn=lambda state: state.readings.get(register.key),
        attributes_fn=lambda state: _counted_before(state, register.key),
    )


def _counted_before(state: InverterState, key: str) -> Mapping[str, Any]:
    """Return what a counter stood at that did not start at nothing, as an attribute."""
    if key not in state.counted_before:
        return {}
    return {"counted_before": state.counted_before[key]}


INVERTER_SENSORS = (
    InverterSensorDescription(
        key="role",
        device_class=SensorDeviceClass.ENUM,
        options=list(Role),
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda state: state.role,
    ),
    InverterSensorDescription(
        key="operation_led",
        device_class=SensorDeviceClass.ENUM,
        options=list(Led),
        value_fn=lambda state: state.led,
        attributes_fn=lambda state: {"source": state.led_source},
    ),
    InverterSensorDescription(
        key="run_mode",
        device_class=SensorDeviceClass.ENUM,
        options=list(RunMode),
        value_fn=lambda state: state.run_mode,
    ),
    InverterSensorDescription(
        key="grid_status",
        device_class=SensorDeviceClass.ENUM,
        options=list(GridStatus),
        value_fn=lambda state: state.grid_status,
    ),
)

POLL_SENSORS = (
    InverterSensorDescription(
        key="last_seen",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda state: state.last_seen,
    ),
    InverterSensorDescription(
        key="failed_polls",
        state_class=_MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda state: state.failed_polls,
    ),
)
"""Sensors about the polling of an inverter, which mean most while it is not heard."""

HEALTH_SENSORS = (
    InverterSensorDescription(
        key="presence",
        device_class=SensorDeviceClass.ENUM,
        options=[each for each in Presence if each is not Presence.UNASKED],
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda state: state.presence,
    ),
    InverterSensorDescription(
        key="failed_reads",
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda state: state.health.failed_reads,
    ),
    InverterSensorDescription(
        key="reply_time",
        device_class=SensorDeviceClass.DURATION,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda state: (
            None
            if state.health.reply_time is None
            else round(1000 * state.health.reply_time, 1)
        ),
    ),
)
"""The same of inverters that are asked themselves."""


def _total(key: str, total: TotalRule) -> GroupSensorDescription:
    """Describe the sensor of a total."""
    device_class, state_class, unit = _UNITS[total.unit]
    return GroupSensorDescription(
        key=key,
        device_class=device_class,
        state_class=state_class,
        native_unit_of_measurement=unit,
        suggested_display_precision=0 if total.unit == "W" else 1,
        entity_registry_enabled_default=key not in _LEG_TOTALS,
        value_fn=lambda state: state.totals[key].value,
        attributes_fn=lambda state: _made_of(state.totals[key]),
    )


def _made_of(total: Total) -> Mapping[str, Any]:
    """Return what a total is made of, as attributes."""
    weighting = {} if total.weighting is None else {"weighting": total.weighting}
    return {
        **_completeness(total),
        "members_through_primary": total.members_through_primary,
        **weighting,
    }


def _completeness(number: Total | Spread) -> Mapping[str, Any]:
    """Return how much of the group a number is made of, as attributes."""
    return {
        "members_included": number.members_included,
        "members_expected": number.members_expected,
        "complete": number.complete,
    }


def _spread(key: str, compared: Compared) -> GroupSensorDescription:
    """Describe the sensor of how far the units lie apart."""
    device_class, unit = _SPREAD_UNITS[compared.unit]
    return GroupSensorDescription(
        key=key,
        device_class=device_class,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=unit,
        suggested_display_precision=0 if compared.unit == "%" else 1,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda state: state.spreads[key].value,
        attributes_fn=lambda state: {
            "highest": state.spreads[key].highest,
            "lowest": state.spreads[key].lowest,
            **_completeness(state.spreads[key]),
        },
    )


GROUP_SENSORS = (
    GroupSensorDescription(
        key="status",
        device_class=SensorDeviceClass.ENUM,
        options=list(Status),
        value_fn=lambda state: state.status,
        tells_of_silence=True,
    ),
    GroupSensorDescription(
        key="operation_led",
        device_class=SensorDeviceClass.ENUM,
        options=list(Led),
        value_fn=lambda state: state.led,
    ),
    GroupSensorDescription(
        key="units_online",
        state_class=_MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda state: len(state.heard) if state.asked else None,
        tells_of_silence=True,
    ),
    GroupSensorDescription(
        key="unit_quantity",
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda state: state.unit_quantity,
    ),
    GroupSensorDescription(
        key="readiness",
        device_class=SensorDeviceClass.ENUM,
        options=list(Readiness),
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda state: readiness(state.checks),
    ),
)

TOTAL_SENSORS = tuple(_total(key, total) for key, total in TOTALS.items())

SPREAD_SENSORS = tuple(_spread(key, compared) for key, compared in COMPARED.items())
"""Of groups of more than one."""
ROOT_CAUSE = GroupSensorDescription(
    key="root_cause",
    device_class=SensorDeviceClass.ENUM,
    options=list(Cause),
    value_fn=lambda state: state.root_cause.cause,
    attributes_fn=lambda state: {
        "inferred": state.root_cause.inferred,
        "units": list(state.root_cause.units),
        "faults": list(state.root_cause.faults),
        "checks": list(state.root_cause.checks),
        "untold": list(state.root_cause.untold),
        "segment": (
            None if state.root_cause.segment is None else list(state.root_cause.segment)
        ),
    },
)

TRANSFER_TEST = SensorEntityDescription(
    key="transfer_test",
    device_class=SensorDeviceClass.ENUM,
    options=list(Phase),
    entity_category=EntityCategory.DIAGNOSTIC,
)

POLL_SHARE = SensorEntityDescription(
    key="poll_share",
    state_class=_MEASUREMENT,
    native_unit_of_measurement=PERCENTAGE,
    suggested_display_precision=0,
    entity_category=EntityCategory.DIAGNOSTIC,
    entity_registry_enabled_default=False,
)

BACKUP_INTERFACE_SENSORS = (
    BackupInterfaceSensorDescription(
        key="third_party_power",
        device_class=SensorDeviceClass.POWER,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        value_fn=lambda interface: interface.third_party_power,
    ),
    BackupInterfaceSensorDescription(
        key="non_backup_power",
        device_class=SensorDeviceClass.POWER,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        value_fn=lambda interface: interface.non_backup_power,
    ),
)

SMART_LOAD_MODE = SmartLoadSensorDescription(
    key="mode",
    device_class=SensorDeviceClass.ENUM,
    options=list(SmartLoadMode),
    value_fn=lambda load: load.mode,
)

SMART_LOAD_SENSORS = (
    SmartLoadSensorDescription(
        key="power",
        device_class=SensorDeviceClass.POWER,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        value_fn=lambda load: load.power,
    ),
    SmartLoadSensorDescription(
        key="energy_total",
        device_class=SensorDeviceClass.ENERGY,
        state_class=SensorStateClass.TOTAL_INCREASING,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=1,
        value_fn=lambda load: load.energy_total,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SolaxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the sensors of an entry."""
    profile = entry.runtime_data.wiring.profile
    async_remove_untold(
        entry,
        {
            register.key: register.key
            for register in (*profile.registers.values(), *profile.module.values())
            if register.unit is not None
        },
    )
    async_add_as_known(entry, async_add_entities, _sensors)


def _sensors(coordinator: SolaxCoordinator) -> Iterator[Entity]:
    for serial_number, unit in coordinator.wiring.group.units.items():
        for register in unit.measurements:
            yield (
                InverterTotal
                if register.counter is Counter.TOTAL
                else InverterMeasurement
            )(coordinator, _measurement(register, unit.role), serial_number)
        for description in INVERTER_SENSORS:
            yield InverterSensor(coordinator, description, serial_number)
        for description in POLL_SENSORS:
            yield InverterPollSensor(coordinator, description, serial_number)
    for serial_number in coordinator.wiring.group.inverters:
        for description in HEALTH_SENSORS:
            yield HealthSensor(coordinator, description, serial_number)
    yield from _group_sensors(coordinator)
    interface = coordinator.data.backup_interface
    if interface is None or not interface.smart_loads:
        return
    for interface_description in BACKUP_INTERFACE_SENSORS:
        yield BackupInterfaceSensor(coordinator, interface_description)
    for number in watched_loads(coordinator, Kind.MODE):
        yield SmartLoadModeSensor(coordinator, SMART_LOAD_MODE, number)
    for number in shown_loads(coordinator):
        for load_description in SMART_LOAD_SENSORS:
            yield SmartLoadSensor(coordinator, load_description, number)


def _group_sensors(coordinator: SolaxCoordinator) -> Iterator[Entity]:
    for description in GROUP_SENSORS:
        yield GroupSensor(coordinator, description)
    yield RootCauseSensor(coordinator, ROOT_CAUSE)
    for total_description in TOTAL_SENSORS:
        yield TotalSensor(coordinator, total_description)
    if len(coordinator.wiring.group.units) > 1:
        for spread_description in SPREAD_SENSORS:
            yield GroupSensor(coordinator, spread_description)
    yield TransferTestSensor(coordinator, TRANSFER_TEST)
    yield PollShareSensor(coordinator, POLL_SHARE)


class InverterSensor(InverterEntity, SensorEntity):
    """What an inverter says of itself."""

    entity_description: InverterSensorDescription

    @property
    @override
    def native_value(self) -> Native:
        """What the latest poll brought."""
        return self.entity_description.value_fn(self.state_of_inverter)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """What belongs to the value."""
        return self.entity_description.attributes_fn(self.state_of_inverter)


class InverterMeasurement(InverterSensor):
    """What an inverter measures, unavailable when no sample can be believed."""

    @property
    @override
    def available(self) -> bool:
        """Whether there is a sample that can be believed."""
        readings = self.state_of_inverter.readings
        return (
            super().available and readings.get(self.entity_description.key) is not None
        )


class InverterTotal(InverterMeasurement):
    """What an inverter has counted; an energy holds while nobody asks."""

    @property
    @override
    def available(self) -> bool:
        """Whether there is a sample that can be believed, or needed by the energy dashboard."""
        return super().available or (
            self.device_class is SensorDeviceClass.ENERGY
            and not self.coordinator.polling
        )

    @property
    @override
    def native_value(self) -> float | None:
        """What it stood at when it was last believed."""
        unit = self.coordinator.wiring.group.units[self._serial_number]
        count = unit.samples.counts.get(self.entity_description.key)
        return None if count is None else count.value


class InverterPollSensor(InverterSensor):
    """What is known of polling an inverter, whether it answers or not."""

    @property
    @override
    def available(self) -> bool:
        """Always: it tells of silence too."""
        return True


class HealthSensor(InverterSensor):
    """How asking an inverter goes, whether it answers or not."""

    @property
    @override
    def available(self) -> bool:
        """Whether it was asked: silence is told of, too."""
        return self.state_of_inverter.presence is not Presence.UNASKED


class GroupSensor(GroupFactEntity, SensorEntity):
    """What is known of the group."""

    entity_description: GroupSensorDescription

    @property
    @override
    def available(self) -> bool:
        """Also while nobody asks, if it is a sum of counters: they stand as they are."""
        return super().available or (
            not self.coordinator.polling
            and self.state_class is SensorStateClass.TOTAL_INCREASING
        )

    @property
    @override
    def native_value(self) -> Native:
        """What the latest poll brought."""
        return self.entity_description.value_fn(self.coordinator.data)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """What belongs to the value."""
        return self.entity_description.attributes_fn(self.coordinator.data)


class RootCauseSensor(GroupSensor):
    """Why the group is in trouble, in one word and in one sentence."""

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """What points to the cause, and the sentence."""
        state = self.coordinator.data
        return {
            **super().extra_state_attributes,
            "explanation": explain(
                state.root_cause, state.members.values(), self.coordinator.words
            ),
        }


class TotalSensor(GroupSensor):
    """A number of the whole group."""

    @property
    @override
    def available(self) -> bool:
        """Whether anybody answered, and everybody if the owner wants no less.

        An energy holds what a missing member had counted, so it misses nothing for long.
        """
        needs_all = self.coordinator.config_entry.options.get(
            CONF_REQUIRE_COMPLETE, False
        )
        return super().available and (
            not needs_all
            or self.device_class is SensorDeviceClass.ENERGY
            or self.coordinator.data.totals[self.entity_description.key].complete
        )


class TransferTestSensor(GroupEntity, RestoreEntity, SensorEntity):
    """How far the running acceptance test is, or what came of the latest."""

    @property
    @override
    def available(self) -> bool:
        """Whether anybody answers or not: a result stays what it is."""
        return self.coordinator.polling

    @property
    @override
    def native_value(self) -> str | None:
        """The phase; None where no test is known of."""
        test = self.coordinator.acceptance.test
        return None if test is None else test.phase

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """When it was, and what each inverter did, in seconds since the start."""
        test = self.coordinator.acceptance.test
        return {
            "started": None if test is None else test.started,
            "ended": None if test is None else test.ended,
            "failure": None if test is None else test.failure,
            "units": (
                []
                if test is None
                else [
                    {"unit": serial, **asdict(unit)}
                    for serial, unit in test.units.items()
                ]
            ),
        }

    @property
    @override
    def extra_restore_state_data(self) -> StoredTransferTest:
        """Return what a restart must not lose."""
        return StoredTransferTest(self.coordinator.acceptance.test)

    @override
    async def async_added_to_hass(self) -> None:
        """Take up the result from before a restart."""
        await super().async_added_to_hass()
        if (stored := await self.async_get_last_extra_data()) is not None:
            test = StoredTransferTest.from_dict(stored.as_dict()).test
            if test is not None:
                self.coordinator.acceptance.restore(test)


class PollShareSensor(GroupEntity, SensorEntity):
    """How much of the interval a poll takes."""

    @property
    @override
    def available(self) -> bool:
        """Whether anybody is asked: silence takes time, too."""
        return self.coordinator.polling

    @property
    @override
    def native_value(self) -> float | None:
        """The share of the latest poll, in %."""
        share = self.coordinator.pace.share
        return None if share is None else round(100 * share, 1)


class BackupInterfaceSensor(BackupInterfaceEntity, SensorEntity):
    """What a BI PRO measures."""

    entity_description: BackupInterfaceSensorDescription

    @property
    @override
    def native_value(self) -> Native:
        """What the latest poll brought."""
        if (interface := self.backup_interface) is None:
            return None
        return self.entity_description.value_fn(interface)


class SmartLoadSensor(SmartLoadEntity, SensorEntity):
    """What a smart load channel reports."""

    entity_description: SmartLoadSensorDescription

    @property
    @override
    def native_value(self) -> Native:
        """What the latest poll brought."""
        if (load := self.smart_load) is None:
            return None
        return self.entity_description.value_fn(load)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """What belongs to the value."""
        leader = self.coordinator.wiring.group.leader
        if leader is None:
            return {}
        return _counted_before(
            self.coordinator.data.members[leader.member.serial_number],
            f"smart_load_{self._number}_{self.entity_description.key}",
        )


class SmartLoadModeSensor(WatchedLoadEntity, SmartLoadSensor):
    """Who switches a smart load channel, where that can't be set."""

    _kind = Kind.MODE
