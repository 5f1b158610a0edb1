"""What every register of a simulated inverter would say, by the register's key.

Powers in W, energies in kWh, voltages in V, currents in A, temperatures in °C.
"""

from collections.abc import Mapping

from ..a1_ess.codes import (
    BackupInterfaceType,
    GridStatus,
    ModelType,
    OnOff,
    RunMode,
    SmartLoadMode,
)
from ..a1_ess.family import SMART_LOADS
from ..a1_ess.faults import PARALLEL_FAULTS
from .group import SimulatedGroup, SimulatedUnit
from .physics import (
    BATTERY_CAPACITY,
    BATTERY_PACKS,
    grid_frequency,
    leg_share,
    leg_voltage,
    string_powers,
)
from .plant import UnitEnergies

type Reading = str | int | float | frozenset[str]

_FACTORY_NAME = "SolaX"
_MODULE_NAME = "Simulated"
_DSP_FIRMWARE = (1, 9)
_ARM_FIRMWARE = (1, 12)
_SAFETY_CODE = 23
_POWER_FACTOR = 0.97
_BACKUP_VOLTAGE = 120.0
_SYSTEM_SUMS = (
    *(f"{leg}_{quantity}" for leg in ("l1", "l2") for quantity in ("power", "current")),
    *("pv1_power", "pv2_power", "battery_power", "battery_current"),
)
_PARALLEL_KEYS = frozenset(fault.key for fault in PARALLEL_FAULTS)


def readings(group: SimulatedGroup, unit: SimulatedUnit) -> Mapping[str, Reading]:
    """Return what ``unit`` reads at the time the group was last brought to."""
    return {
        **_identity(group, unit),
        **_state(group, unit),
        **_ac(group, unit),
        **_pv(group, unit),
        **_battery(group, unit),
        **_counters(group, unit),
        **_extension(group, unit),
        **({**_primary(group), **_system(group)} if unit.role.leads else {}),
    }


def module_readings(
    group: SimulatedGroup, unit: SimulatedUnit
) -> Mapping[str, Reading]:
    """Return what the module of ``unit`` says of it, by the keys of a module's array."""
    meter: dict[str, Reading] = {}
    if unit.role.leads:
        meter = {"load_power": 0.0 if group.powers.dark else group.powers.house.load}
    return {
        **readings(group, unit),
        **meter,
        "parallel_role": unit.role,
        "secondary_quantity": len(group.units) - 1 if unit.role.leads else 0,
        "units_online": sum(map(group.online, group.units)),
    }


def _identity(group: SimulatedGroup, unit: SimulatedUnit) -> dict[str, Reading]:
    return {
        "serial_number": unit.serial_number,
        "factory_name": _FACTORY_NAME,
        "module_name": _MODULE_NAME,
        "dsp_firmware_major": _DSP_FIRMWARE[0],
        "dsp_firmware_minor": _DSP_FIRMWARE[1],
        "arm_firmware_major": _ARM_FIRMWARE[0],
        "arm_firmware_minor": _ARM_FIRMWARE[1],
        "rated_power": group.site.rated_power,
        "parallel_setting": unit.role.setting,
        "battery_count": BATTERY_PACKS,
    }


def _state(group: SimulatedGroup, unit: SimulatedUnit) -> dict[str, Reading]:
    _, battery, output = group.powers.shares[unit.index]
    effort = (abs(output) + abs(battery)) / group.site.rated_power
    return {
        "run_mode": group.run_mode(unit),
        "grid_status": GridStatus.ON_GRID if group.grid_closed else GridStatus.OFF_GRID,
        "bms_connected": OnOff.ON,
        "inverter_faults": group.faults(unit) - _PARALLEL_KEYS,
        "manager_faults": frozenset(),
        "battery_faults": frozenset(),
        "inverter_temperature": 27 + unit.index + 22 * effort,
    }


def _ac(group: SimulatedGroup, unit: SimulatedUnit) -> dict[str, float]:
    """Return the AC port, which is dead without the grid, and the backup output."""
    powers = group.powers
    output = powers.shares[unit.index].output
    on_l1 = output * leg_share(powers.cell)
    legs = (on_l1, output - on_l1)
    frequency = grid_frequency(group.seconds) if group.grid_closed else 0.0
    voltages = [
        leg_voltage(group.seconds, leg) if group.grid_closed else 0.0 for leg in (1, 2)
    ]
    found: dict[str, float] = {
        "ac_voltage": sum(voltages),
        "ac_power": output if group.grid_closed else 0.0,
        "ac_current": _current(output, sum(voltages)),
        "frequency": frequency,
    }
    serves = group.run_mode(unit) is RunMode.OFF_GRID
    for leg, (power, voltage) in enumerate(zip(legs, voltages, strict=True), start=1):
        backup_power = power if serves else 0.0
        backup_voltage = _BACKUP_VOLTAGE if serves else voltage
        found |= {
            f"l{leg}_voltage": voltage,
            f"l{leg}_current": _current(power, voltage),
            f"l{leg}_power": power if group.grid_closed else 0.0,
            f"l{leg}_frequency": frequency,
            f"backup_l{leg}_voltage": backup_voltage,
            f"backup_l{leg}_current": _current(backup_power, backup_voltage),
            f"backup_l{leg}_power": backup_power,
            f"backup_l{leg}_apparent": backup_power / _POWER_FACTOR,
        }
    return found


def _pv(group: SimulatedGroup, unit: SimulatedUnit) -> dict[str, float]:
    """Return each string; a string that is held back rises to its open voltage."""
    available = string_powers(group.site.rated_power, unit.index, group.powers.cell)
    sun = sum(available)
    used = group.powers.shares[unit.index].pv / sun if sun else 0.0
    found: dict[str, float] = {}
    for string, power in enumerate(available, start=1):
        voltage = 385 - 45 * used + 4 * string if power else 0.0
        found |= {
            f"pv{string}_voltage": voltage,
            f"pv{string}_current": _current(power * used, voltage),
            f"pv{string}_power": power * used,
        }
    return found


def _battery(group: SimulatedGroup, unit: SimulatedUnit) -> dict[str, float]:
    power = group.powers.shares[unit.index].battery
    charge = group.stored(unit) / BATTERY_CAPACITY
    voltage = 196 + 16 * charge + power / 1000
    return {
        "battery_voltage": voltage,
        "battery_current": _current(power, voltage),
        "battery_power": power,
        "battery_temperature": 23 + unit.index % 2 + 7 * abs(power) / 5000,
        "battery_soc": 100 * charge,
        "battery_capacity": BATTERY_CAPACITY,
    }


def _counters(group: SimulatedGroup, unit: SimulatedUnit) -> dict[str, Reading]:
    total = group.energies.unit(unit.index)
    return {
        **_energies(total, "total"),
        **_energies(group.energies_today.unit(unit.index), "today"),
        "runtime_on_grid": total.on_grid_hours,
        "runtime_off_grid": total.off_grid_hours,
    }


def _energies(counted: UnitEnergies, span: str) -> dict[str, Reading]:
    return {
        f"pv_energy_{span}": counted.pv / 1000,
        f"output_energy_{span}": counted.output / 1000,
        f"battery_charged_{span}": counted.charged / 1000,
        f"battery_discharged_{span}": counted.discharged / 1000,
        f"backup_energy_{span}": counted.backup / 1000,
    }


def _extension(group: SimulatedGroup, unit: SimulatedUnit) -> dict[str, Reading]:
    return {
        "model_type": ModelType.A1_HYB_G2,
        "role": unit.role,
        "unit_quantity": len(group.units) if unit.role.leads else 0,
        "online_mask": frozenset(
            other.role
            for other in group.units
            if unit.role.leads and group.online(other)
        ),
        "parallel_faults": group.faults(unit) & _PARALLEL_KEYS,
        "operation_led": group.led(unit),
        "safety_code": _SAFETY_CODE,
    }


def _primary(group: SimulatedGroup) -> dict[str, Reading]:
    """Return what only the primary knows: the meter and the backup interface."""
    powers = group.powers
    total, today = group.energies.site, group.energies_today.site
    installed = group.site.backup_interface
    fitted = installed is not BackupInterfaceType.NONE
    off_grid = not group.grid_closed and not powers.dark
    found: dict[str, Reading] = {
        "meter_power": powers.meter,
        "grid_export_total": total.exported / 1000,
        "grid_import_total": total.imported / 1000,
        "grid_export_today": today.exported / 1000,
        "grid_import_today": today.imported / 1000,
        "backup_interface": installed,
        "grid_relay": OnOff.ON if fitted and group.grid_closed else OnOff.OFF,
        "generator": OnOff.OFF,
        "microgrid": OnOff.ON if fitted and off_grid else OnOff.OFF,
        "third_party_power": powers.house.third_party,
        "non_backup_power": powers.house.non_backup,
    }
    modes = (
        [channel.mode for channel in group.channels]
        if installed is BackupInterfaceType.BI_PRO
        else [SmartLoadMode.DISABLED] * len(SMART_LOADS)
    )
    channels = zip(modes, powers.house.smart_loads, total.smart_loads, strict=True)
    for channel, (mode, power, energy) in enumerate(channels, start=1):
        found |= {
            f"smart_load_{channel}_state": OnOff.OFF if power is None else OnOff.ON,
            f"smart_load_{channel}_mode": mode,
            f"smart_load_{channel}_power": power or 0.0,
            f"smart_load_{channel}_energy_total": energy / 1000,
        }
    return found


def _system(group: SimulatedGroup) -> dict[str, Reading]:
    """Return the sums over all inverters, and what the primary hears of each secondary."""
    heard = {
        unit: {**_ac(group, unit), **_pv(group, unit), **_battery(group, unit)}
        for unit in group.units
        if group.online(unit)
    }
    found: dict[str, Reading] = {"system_units": len(group.units)}
    for key in _SYSTEM_SUMS:
        found[f"system_{key}"] = sum(said[key] for said in heard.values())
    for unit, said in heard.items():
        if not unit.role.leads:
            found |= {f"{unit.role}_{key}": value for key, value in said.items()}
    return found


def _current(power: float, voltage: float) -> float:
    return power / voltage if voltage else 0.0
