"""What the sensors of a simulated group would have shown in the past."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from statistics import fmean

from custom_components.solax_parallel.a1_ess.family import SMART_LOADS
from custom_components.solax_parallel.a1_ess.profile import Profile
from custom_components.solax_parallel.simulator.group import SimulatedGroup
from custom_components.solax_parallel.simulator.readings import readings

type _Units = Sequence[Mapping[str, float]]


def _added(*keys: str, sign: int = 1) -> Callable[[_Units], float]:
    return lambda units: (
        sign * sum(unit[key] for unit in units for key in keys if key in unit)
    )


_SENSORS: Mapping[str, Callable[[_Units], float]] = {
    "group_pv_power": _added("pv1_power", "pv2_power", "pv3_power"),
    "group_battery_power": _added("battery_power"),
    "group_grid_power": _added("meter_power", sign=-1),
    "group_battery_soc": lambda units: fmean(unit["battery_soc"] for unit in units),
    "group_pv_energy_total": _added("pv_energy_total"),
    "group_grid_import_total": _added("grid_import_total"),
    "group_grid_export_total": _added("grid_export_total"),
    "group_battery_charged_total": _added("battery_charged_total"),
    "group_battery_discharged_total": _added("battery_discharged_total"),
    **{
        key: _added(key)
        for channel in SMART_LOADS
        for key in (
            f"smart_load_{channel}_power",
            f"smart_load_{channel}_energy_total",
        )
    },
}
"""What the energy dashboard shows, by unique id without the group's."""


def shown(
    group: SimulatedGroup, profile: Profile, moments: Iterable[datetime]
) -> dict[str, list[float]]:
    """Return what the sensors of ``group`` show at each of ``moments``, had nothing ever ailed it.

    Sensors are named by unique id without the group's.
    """
    values: dict[str, list[float]] = {key: [] for key in _SENSORS}
    for moment in moments:
        units = _registers(group, profile, moment)
        for key, value in _SENSORS.items():
            values[key].append(round(value(units), 2))
    return values


def _registers(group: SimulatedGroup, profile: Profile, moment: datetime) -> _Units:
    """Return what the registers of every unit hold at ``moment``."""
    then = SimulatedGroup(
        serial_numbers=group.serial_numbers,
        backup_interface=group.site.backup_interface,
        rated_power=group.site.rated_power,
        now=lambda: moment,
        profile=profile,
    )
    return [
        {
            key: round(reading / register.scale) * register.scale
            for key, reading in readings(then, unit).items()
            if (register := profile.registers.get(key)) is not None
            and register.unit is not None
            and isinstance(reading, int | float)
        }
        for unit in then.units
    ]
