"""The faults an inverter can report: what each is called, how grave it is, where it belongs.

The bit that carries a fault is data of the profile; everything else about it is here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Family(StrEnum):
    """The part of the system that a fault is about; the value is its sensor's key."""

    GRID = "grid_fault"
    PV = "pv_fault"
    BATTERY = "battery_fault"
    OUTPUT = "output_fault"
    INTERNAL = "internal_fault"
    PARALLEL = "parallel_fault"


class Severity(StrEnum):
    """Whether the inverter stops for it."""

    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault: its key, its family, its severity and the vendor's own code for it.

    ``vendor_code`` is spelt exactly as the inverter and the vendor's instruction show it and is
    known for the paralleling faults only. ``off_grid_consequence`` marks a fault that is the
    expected consequence of running off-grid.
    """

    key: str
    family: Family
    severity: Severity = Severity.FAULT
    vendor_code: str | None = None
    off_grid_consequence: bool = False


def _family(family: Family, *keys: str) -> tuple[Fault, ...]:
    return tuple(Fault(key=key, family=family) for key in keys)


PARALLEL_FAULTS = (
    Fault(
        key="parallel_system_fault",
        family=Family.PARALLEL,
        vendor_code="ParallSystem Fault",
    ),
    Fault(key="eps_sync_lost", family=Family.PARALLEL, vendor_code="EPSSyncLost"),
    Fault(
        key="parallel_config_fault",
        family=Family.PARALLEL,
        vendor_code="Parallel CfgFault",
    ),
    Fault(
        key="parallel_can_warning",
        family=Family.PARALLEL,
        vendor_code="ParalCan CommsWarn",
        severity=Severity.WARNING,
    ),
    Fault(
        key="parallel_can_fault",
        family=Family.PARALLEL,
        vendor_code="ParallelCAN ComFault",
    ),
    Fault(
        key="parallel_rs485_fault",
        family=Family.PARALLEL,
        vendor_code="ParallelRS485 ComFault",
    ),
)
"""The six paralleling faults of the vendor's parallel instruction (grade vendor)."""

DOCUMENTED_FAULTS = (
    Fault(key="grid_lost", family=Family.GRID, off_grid_consequence=True),
    Fault(key="grid_voltage", family=Family.GRID, off_grid_consequence=True),
    Fault(key="grid_frequency", family=Family.GRID, off_grid_consequence=True),
    *_family(Family.GRID, "ac_10min_voltage", "grid_relay", "missed_ct", "meter"),
    *_family(Family.PV, "pv_voltage", "pv_reversed", "isolation"),
    *_family(
        Family.BATTERY,
        "battery_voltage",
        "battery_reversed",
        "battery_power_low",
        "charger_relay",
        "bms_lost",
        "battery_temperature_low",
        "battery_temperature_high",
        "battery_external",
        "battery_internal",
        "battery_overvoltage",
        "battery_undervoltage",
        "battery_charge_overcurrent",
        "battery_discharge_overcurrent",
        "battery_cell_imbalance",
        "battery_hardware_protect",
        "battery_circuit",
        "battery_isolation",
        "battery_voltage_sensor",
        "battery_temperature_sensor",
        "battery_current_sensor",
        "battery_relay",
        "battery_type_mismatch",
        "battery_version_mismatch",
        "battery_manufacturer_mismatch",
        "battery_software_mismatch",
        "battery_master_slave_mismatch",
        "battery_charge_request_no_response",
        "battery_software_protect",
        "battery_self_check",
        "battery_temperature_difference",
        "battery_break",
        "battery_flash",
        "battery_precharge",
        "battery_air_switch",
    ),
    *_family(
        Family.OUTPUT,
        "dci_overcurrent",
        "software_overcurrent",
        "rc_overcurrent",
        "rcd",
        "overload",
        "off_grid_overload",
        "off_grid_relay",
        "bypass_relay",
    ),
    Fault(key="port_overcurrent", family=Family.OUTPUT, severity=Severity.WARNING),
    *_family(
        Family.INTERNAL,
        "tz_protect",
        "bus_voltage",
        "over_temperature",
        "low_temperature",
        "internal_communication",
        "fan",
        "fan_2",
        "earth_relay",
        "inverter_eeprom",
        "manager_eeprom",
        "ntc_invalid",
        "power_type",
        "other_device",
    ),
    Fault(key="parallel_fault", family=Family.PARALLEL),
)
"""The faults of the inverter, manager and battery fault words (grade sister)."""

FAULTS = {fault.key: fault for fault in (*PARALLEL_FAULTS, *DOCUMENTED_FAULTS)}
"""Every fault by its key."""


def problems(keys: Iterable[str], *, off_grid: bool | None) -> frozenset[str]:
    """Return the faults among ``keys`` that are a problem.

    While the inverter runs off-grid (``off_grid`` true) the loss of the grid is what was asked
    for, so its bits are left out.
    """
    return frozenset(
        key for key in keys if not (off_grid and FAULTS[key].off_grid_consequence)
    )
