"""The energy dashboard: which sensor of a group goes where."""

from collections.abc import Sequence
from typing import Any

from .api import Api, ApiError
from .group import GroupView


async def set_up_energy_dashboard(api: Api, groups: Sequence[GroupView]) -> None:
    """Give the energy dashboard all groups, unless it was ever set up: that stays as it is."""
    there = [group for group in groups if group.group_id is not None]
    if there and not await _is_set_up(api):
        await api.command("energy/save_prefs", **energy_preferences(there))


async def _is_set_up(api: Api) -> bool:
    try:
        await api.command("energy/get_prefs")
    except ApiError as err:
        if err.code != "not_found":
            raise
        return False
    return True


def energy_preferences(groups: Sequence[GroupView]) -> dict[str, list[dict[str, Any]]]:
    """Return what the energy dashboard is to show of groups."""
    return {
        "energy_sources": [source for group in groups for source in _sources(group)],
        "device_consumption": [
            device for group in groups for device in _smart_loads(group)
        ],
    }


def _sources(group: GroupView) -> list[dict[str, Any]]:
    """Return the sources whose energy some inverter tells: a module tells the grid import alone."""

    def total(key: str) -> str:
        return group.entity_ids["sensor", f"{group.group_id}_group_{key}"]

    def told(key: str) -> str | None:
        inverters = (("sensor", f"{serial}_{key}") for serial in group.serial_numbers)
        return (
            total(key) if any(map(group.entity_ids.__contains__, inverters)) else None
        )

    sources: list[dict[str, Any]] = [
        {
            "type": "grid",
            "stat_energy_from": told("grid_import_total"),
            "stat_energy_to": told("grid_export_total"),
            "power_config": {"stat_rate": total("grid_power")},
            "cost_adjustment_day": 0,
        },
        {
            "type": "solar",
            "stat_energy_from": told("pv_energy_total"),
            "stat_rate": total("pv_power"),
        },
        {
            "type": "battery",
            "stat_energy_from": told("battery_discharged_total"),
            "stat_energy_to": told("battery_charged_total"),
            # The dashboard wants + for discharging.
            "power_config": {"stat_rate_inverted": total("battery_power")},
            "stat_soc": total("battery_soc"),
        },
    ]
    return [source for source in sources if source["stat_energy_from"] is not None]


def _smart_loads(group: GroupView) -> list[dict[str, str]]:
    """Return the channels that have something connected."""
    channels = [
        unique_id.removesuffix("_mode")
        for (domain, unique_id), reading in group.readings.items()
        # Where the loads can be controlled, the mode is a selection.
        if domain in ("sensor", "select")
        and unique_id.startswith(f"{group.group_id}_smart_load_")
        and unique_id.endswith("_mode")
        and reading.state != "disabled"
    ]
    return [
        {
            "stat_consumption": group.entity_ids["sensor", f"{channel}_energy_total"],
            "stat_rate": group.entity_ids["sensor", f"{channel}_power"],
        }
        for channel in channels
    ]
