"""What others rely on, written down by hand: every entity with what automations see of it.

Taken from the project's contract and register documents, not from the code.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from homeassistant.const import Platform

BINARY_SENSOR = Platform.BINARY_SENSOR
BUTTON = Platform.BUTTON
EVENT = Platform.EVENT
SELECT = Platform.SELECT
SENSOR = Platform.SENSOR
SWITCH = Platform.SWITCH


class Entity(NamedTuple):
    """What the entity registry holds of an entity."""

    platform: Platform
    device_class: str | None = None
    state_class: str | None = None
    unit: str | None = None
    options: tuple[str, ...] | None = None
    category: str | None = None
    enabled: bool = True


def _enum(*options: str, category: str | None = None) -> Entity:
    return Entity(SENSOR, "enum", options=options, category=category)


VOLTAGE = Entity(SENSOR, "voltage", "measurement", "V")
CURRENT = Entity(SENSOR, "current", "measurement", "A")
POWER = Entity(SENSOR, "power", "measurement", "W")
APPARENT = Entity(SENSOR, "apparent_power", "measurement", "VA", enabled=False)
FREQUENCY = Entity(SENSOR, "frequency", "measurement", "Hz")
TEMPERATURE = Entity(SENSOR, "temperature", "measurement", "°C")
CHARGE = Entity(SENSOR, "battery", "measurement", "%")
CAPACITY = Entity(SENSOR, "energy_storage", "measurement", "kWh", category="diagnostic")
ENERGY = Entity(SENSOR, "energy", "total_increasing", "kWh")
RUNTIME = Entity(
    SENSOR, "duration", "total_increasing", "h", category="diagnostic", enabled=False
)
PROBLEM = Entity(BINARY_SENSOR, "problem")
FAULT_FAMILY = PROBLEM._replace(category="diagnostic")

LEDS = ("off", "green", "green_flashing", "red", "red_flashing")

MEASUREMENTS: dict[str, Entity] = {
    "ac_voltage": VOLTAGE,
    "ac_current": CURRENT,
    "ac_power": POWER,
    "frequency": FREQUENCY,
    "inverter_temperature": TEMPERATURE,
    "battery_voltage": VOLTAGE,
    "battery_current": CURRENT,
    "battery_power": POWER,
    "battery_temperature": TEMPERATURE,
    "battery_soc": CHARGE,
    "battery_capacity": CAPACITY,
    "battery_charged_total": ENERGY,
    "battery_charged_today": ENERGY,
    "battery_discharged_total": ENERGY,
    "battery_discharged_today": ENERGY,
    "meter_power": POWER,
    "grid_export_total": ENERGY,
    "grid_export_today": ENERGY,
    "grid_import_total": ENERGY,
    "grid_import_today": ENERGY,
    "output_energy_total": ENERGY,
    "output_energy_today": ENERGY,
    "l1_voltage": VOLTAGE,
    "l1_current": CURRENT,
    "l1_power": POWER,
    "l1_frequency": FREQUENCY._replace(enabled=False),
    "l2_voltage": VOLTAGE,
    "l2_current": CURRENT,
    "l2_power": POWER,
    "l2_frequency": FREQUENCY._replace(enabled=False),
    "backup_l1_voltage": VOLTAGE,
    "backup_l1_current": CURRENT,
    "backup_l1_power": POWER,
    "backup_l1_apparent": APPARENT,
    "backup_l2_voltage": VOLTAGE,
    "backup_l2_current": CURRENT,
    "backup_l2_power": POWER,
    "backup_l2_apparent": APPARENT,
    "backup_energy_total": ENERGY,
    "backup_energy_today": ENERGY,
    "runtime_on_grid": RUNTIME,
    "runtime_off_grid": RUNTIME,
}
"""Of every inverter."""

METERED = (
    "load_power",
    "meter_power",
    "grid_export_total",
    "grid_export_today",
    "grid_import_total",
    "grid_import_today",
)
"""What only a primary's meter measures; on a secondary it starts disabled."""

PV_MEASUREMENTS: dict[str, Entity] = {
    "pv1_voltage": VOLTAGE,
    "pv1_current": CURRENT,
    "pv1_power": POWER,
    "pv2_voltage": VOLTAGE,
    "pv2_current": CURRENT,
    "pv2_power": POWER,
    "pv_energy_total": ENERGY,
    "pv_energy_today": ENERGY,
}
"""Of every inverter but the A1-AC-G2."""

THIRD_STRING_MEASUREMENTS: dict[str, Entity] = {
    "pv3_voltage": VOLTAGE,
    "pv3_current": CURRENT,
    "pv3_power": POWER,
}
"""Of those with PV and 7.6 kW."""

MODULE_MEASUREMENTS: dict[str, Entity] = {
    "ac_voltage": VOLTAGE,
    "ac_current": CURRENT,
    "ac_power": POWER,
    "frequency": FREQUENCY,
    "battery_voltage": VOLTAGE,
    "battery_power": POWER,
    "battery_temperature": TEMPERATURE,
    "battery_soc": CHARGE,
    "meter_power": POWER,
    "load_power": POWER,
    "grid_import_total": ENERGY,
    "grid_import_today": ENERGY,
    "output_energy_total": ENERGY,
    "output_energy_today": ENERGY,
    **{
        f"pv{string}_{quantity}": entity
        for string in range(1, 5)
        for quantity, entity in (
            ("voltage", VOLTAGE),
            ("current", CURRENT),
            ("power", POWER),
        )
    },
}
"""All that is measured of an inverter that is read through its module."""

NAMED_FAULTS: Mapping[str, str] = {
    "parallel_system_fault": "ParallSystem Fault",
    "eps_sync_lost": "EPSSyncLost",
    "parallel_config_fault": "Parallel CfgFault",
    "parallel_can_warning": "ParalCan CommsWarn",
    "parallel_can_fault": "ParallelCAN ComFault",
    "parallel_rs485_fault": "ParallelRS485 ComFault",
}
"""The six paralleling faults and the vendor's codes for them."""

INVERTER_FAULTS = (
    "tz_protect",
    "grid_lost",
    "grid_voltage",
    "grid_frequency",
    "pv_voltage",
    "bus_voltage",
    "battery_voltage",
    "ac_10min_voltage",
    "dci_overcurrent",
    "software_overcurrent",
    "rc_overcurrent",
    "isolation",
    "over_temperature",
    "battery_reversed",
    "missed_ct",
    "off_grid_overload",
    "overload",
    "pv_reversed",
    "battery_power_low",
    "low_temperature",
    "parallel_fault",
    "charger_relay",
    "bms_lost",
    "internal_communication",
    "fan",
    "earth_relay",
    "inverter_eeprom",
    "rcd",
    "off_grid_relay",
    "grid_relay",
    "other_device",
)
"""The bits of the inverter's fault word, in their order."""

INVERTER: dict[str, Entity] = {
    "role": _enum(
        "standalone",
        "primary",
        "secondary",
        "secondary_1",
        "secondary_2",
        "secondary_3",
        category="diagnostic",
    ),
    "operation_led": _enum(*LEDS),
    "run_mode": _enum(
        "waiting",
        "checking",
        "normal",
        "fault",
        "permanent_fault",
        "update",
        "off_grid_waiting",
        "off_grid",
        "self_test",
        "idle",
        "standby",
        "normal_remote",
        "normal_generator",
    ),
    "grid_status": _enum("on_grid", "off_grid"),
    **dict.fromkeys(NAMED_FAULTS, PROBLEM),
    "grid_fault": FAULT_FAMILY,
    "pv_fault": FAULT_FAMILY,
    "battery_fault": FAULT_FAMILY,
    "output_fault": FAULT_FAMILY,
    "internal_fault": FAULT_FAMILY,
    "parallel_fault": FAULT_FAMILY,
    "fault": Entity(EVENT),
    "bms_connected": Entity(BINARY_SENSOR, "connectivity", category="diagnostic"),
    "last_seen": Entity(SENSOR, "timestamp", category="diagnostic", enabled=False),
    "failed_polls": Entity(
        SENSOR, state_class="measurement", category="diagnostic", enabled=False
    ),
}
"""What every inverter has beside what it measures."""

HEALTH: dict[str, Entity] = {
    "presence": _enum(
        "heard",
        "unusable",
        "silent",
        "resting",
        "other_serial",
        "denied",
        category="diagnostic",
    )._replace(enabled=False),
    "failed_reads": Entity(
        SENSOR, state_class="total_increasing", category="diagnostic", enabled=False
    ),
    "reply_time": Entity(
        SENSOR,
        "duration",
        "measurement",
        "ms",
        category="diagnostic",
        enabled=False,
    ),
}
"""What is known of asking an inverter, of those that are asked themselves."""

MODULE_INVERTER = {
    key: INVERTER[key]
    for key in (
        "role",
        "operation_led",
        "run_mode",
        "grid_status",
        "last_seen",
        "failed_polls",
    )
}
"""What an inverter has beside what it measures where it is read through its module: no faults."""

SIMULATED_INVERTER: dict[str, Entity] = {
    "injected_fault": Entity(
        SELECT,
        options=("none", *NAMED_FAULTS, *INVERTER_FAULTS, "offline"),
        category="config",
    )
}

POWER_TOTALS = (
    "ac_power",
    "backup_power",
    "pv_power",
    "battery_power",
    "grid_power",
    "load_power",
)
LEG_TOTALS = ("l1_power", "l2_power", "backup_l1_power", "backup_l2_power")
ENERGY_TOTALS = (
    "pv_energy_total",
    "grid_import_total",
    "grid_export_total",
    "battery_charged_total",
    "battery_discharged_total",
    "backup_energy_total",
)
TOTALS = (*POWER_TOTALS, *LEG_TOTALS, "battery_soc", *ENERGY_TOTALS)

CHECKS = (
    "check_unit_quantity",
    "check_roles",
    "check_firmware",
    "check_rated_power",
    "check_battery_quantity",
    "check_model_type",
    "check_safety_code",
    "check_combiner_box",
    "check_termination",
)
"""The vendor's pre-operation checks."""

GROUP_EVENTS = (
    "off_grid",
    "on_grid",
    "unit_lost",
    "unit_back",
    "group_incomplete",
    "group_complete",
    "split",
    "split_over",
    "transfer_test_started",
    "transfer_test_passed",
    "transfer_test_failed",
    "transfer_test_aborted",
)
"""What the event of the group can tell."""

GROUP: dict[str, Entity] = {
    "status": _enum("normal", "degraded", "fault", "off_grid", "split", "offline"),
    "operation_led": _enum(*LEDS),
    "units_online": Entity(SENSOR, state_class="measurement", category="diagnostic"),
    "unit_quantity": Entity(SENSOR, category="diagnostic"),
    **dict.fromkeys(POWER_TOTALS, POWER),
    **dict.fromkeys(LEG_TOTALS, POWER._replace(enabled=False)),
    "battery_soc": CHARGE,
    **dict.fromkeys(ENERGY_TOTALS, ENERGY),
    "root_cause": _enum(
        "none",
        "unknown",
        "primary_unreachable",
        "secondary_unreachable",
        "primary_fault",
        "unit_quantity",
        "rs485_line",
        "configuration",
        "can_line",
        "sync_line",
        "common_fault",
        "unit_fault",
        "parallel_fault",
        "unit_not_set_up",
    ),
    "readiness": _enum(
        "ready", "warnings", "blocked", "unknown", category="diagnostic"
    ),
    "poll_share": Entity(
        SENSOR,
        state_class="measurement",
        unit="%",
        category="diagnostic",
        enabled=False,
    ),
    "transfer_test": _enum(
        "open_breaker",
        "close_breaker",
        "passed",
        "failed",
        "aborted",
        category="diagnostic",
    ),
    "polling": Entity(SWITCH, category="config"),
    "complete": Entity(BINARY_SENSOR),
    "on_grid": Entity(BINARY_SENSOR),
    "event": Entity(EVENT),
    **dict.fromkeys(CHECKS, FAULT_FAMILY),
    "check_now": Entity(BUTTON, category="diagnostic"),
}

SPREAD = Entity(SENSOR, state_class="measurement", category="diagnostic")
COMPARING: dict[str, Entity] = {
    "soc_spread": SPREAD._replace(unit="%"),
    "power_share_spread": SPREAD._replace(unit="%"),
    "temperature_spread": SPREAD._replace(device_class="temperature_delta", unit="K"),
    "voltage_spread": SPREAD._replace(device_class="voltage", unit="V"),
    "unbalanced": FAULT_FAMILY,
}
"""Of groups of more than one inverter."""

CROSS_CHECK: dict[str, Entity] = {"totals_disagree": FAULT_FAMILY}
"""Of groups of more than one inverter that all answer for themselves."""

SIMULATED_GROUP: dict[str, Entity] = {
    "simulated_grid": Entity(SWITCH, category="config"),
}

GROUP_WITH_BACKUP_INTERFACE: dict[str, Entity] = {
    "start_transfer_test": Entity(BUTTON, category="diagnostic"),
}
"""With the non-BI layout the vendor forbids the test."""

BACKUP_INTERFACE: dict[str, Entity] = {
    "grid_relay": Entity(BINARY_SENSOR),
    "generator": Entity(BINARY_SENSOR),
    "microgrid": Entity(BINARY_SENSOR),
}

BI_PRO: dict[str, Entity] = {
    "third_party_power": POWER,
    "non_backup_power": POWER,
}
"""What a BI PRO has beyond a BI."""

SMART_LOAD: dict[str, Entity] = {
    "state": Entity(BINARY_SENSOR, "power"),
    "mode": _enum("disabled", "manual", "automatic"),
    "power": POWER,
    "energy_total": ENERGY,
}

CONTROLLED_SMART_LOAD: dict[str, Entity] = {
    **SMART_LOAD,
    "state": Entity(SWITCH, "outlet"),
    "mode": Entity(SELECT, options=("disabled", "manual", "automatic")),
}
"""Where control is allowed, and proven or only simulated."""


REPORTED_MEASUREMENTS: dict[str, Entity] = {
    "ac_power": POWER,
    "battery_voltage": VOLTAGE,
    "battery_current": CURRENT,
    "battery_power": POWER,
    "battery_soc": CHARGE,
    "l1_current": CURRENT,
    "l1_power": POWER,
    "l2_current": CURRENT,
    "l2_power": POWER,
    "pv1_voltage": VOLTAGE,
    "pv1_current": CURRENT,
    "pv1_power": POWER,
    "pv2_voltage": VOLTAGE,
    "pv2_current": CURRENT,
    "pv2_power": POWER,
}
"""All that is measured of a secondary that only its primary can tell of."""


def entities_of(
    serials: Iterable[str],
    *,
    backup_interface: str = "bi_pro",
    pv: bool = True,
    third_string: bool = True,
    simulated: bool = False,
    controlled: bool = False,
    reported: Iterable[str] = (),
    through_modules: bool = False,
) -> dict[str, dict[str, Entity]]:
    """Return every entity of a group by unique id, for each device's identifier.

    ``reported`` are the secondaries that only the primary can tell of; ``through_modules`` is
    whether all inverters are read through their modules.
    """
    serials, reported = tuple(serials), tuple(reported)
    group = serials[0]
    per_inverter = INVERTER | HEALTH | MEASUREMENTS
    if pv:
        per_inverter |= PV_MEASUREMENTS
    if third_string:
        per_inverter |= THIRD_STRING_MEASUREMENTS
    if through_modules:
        per_inverter = MODULE_INVERTER | HEALTH | MODULE_MEASUREMENTS
    if simulated:
        per_inverter |= SIMULATED_INVERTER
    unmetered = {
        key: per_inverter[key]._replace(enabled=False)
        for key in METERED
        if key in per_inverter
    }
    devices: dict[str, Mapping[str, Entity]] = dict.fromkeys(
        serials, per_inverter | unmetered
    )
    devices[group] = per_inverter
    devices |= dict.fromkeys(reported, INVERTER | REPORTED_MEASUREMENTS)
    several = len(serials) + len(reported) > 1
    devices[f"{group}_group"] = {
        **GROUP,
        **(COMPARING if several else {}),
        **(CROSS_CHECK if several and not reported else {}),
        **(SIMULATED_GROUP if simulated else {}),
    }
    if backup_interface in ("bi", "bi_pro"):
        devices[f"{group}_group"] = {
            **devices[f"{group}_group"],
            **GROUP_WITH_BACKUP_INTERFACE,
        }
    if backup_interface == "bi":
        devices[f"{group}_bi"] = BACKUP_INTERFACE
    if backup_interface == "bi_pro":
        devices[f"{group}_bi"] = {**BACKUP_INTERFACE, **BI_PRO}
        for number in range(1, 7):
            devices[f"{group}_smart_load_{number}"] = (
                CONTROLLED_SMART_LOAD if controlled else SMART_LOAD
            )
    return {
        device: {f"{device}_{key}": entity for key, entity in entities.items()}
        for device, entities in devices.items()
    }
