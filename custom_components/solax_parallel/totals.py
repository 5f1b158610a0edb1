"""Energy counters over a restart of Home Assistant."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self, override

from homeassistant.components.sensor import (
    DOMAIN as SENSOR_DOMAIN,
    SensorExtraStoredData,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, restore_state
from homeassistant.util import dt as dt_util

from .a1_ess.counters import StoredCount
from .a1_ess.profile import Counter, Register
from .const import DOMAIN
from .coordinator import SolaxCoordinator


@dataclass
class StoredTotal(SensorExtraStoredData):
    """A counter as the restore store keeps it, next to what it keeps of every sensor."""

    count: StoredCount | None = None

    @override
    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold, with the time at which the counter was read."""
        stored = super().as_dict()
        if self.count is None:
            return stored
        read_at = dt_util.utcnow() - timedelta(seconds=self.count.age or 0)
        return {
            **stored,
            "count": {
                "counted_before": self.count.counted_before,
                "carried": self.count.carried,
                "read_at": read_at.isoformat(),
            },
        }

    @classmethod
    @override
    def from_dict(cls, restored: dict[str, Any]) -> Self | None:
        """Return what was stored, None where it was no number."""
        sensor = SensorExtraStoredData.from_dict(restored)
        if sensor is None or not isinstance(sensor.native_value, int | float):
            return None
        count = StoredCount(value=float(sensor.native_value))
        if (kept := restored.get("count")) is not None:
            age = dt_util.utcnow() - datetime.fromisoformat(kept["read_at"])
            count = StoredCount(
                value=count.value,
                counted_before=kept["counted_before"],
                carried=kept["carried"],
                age=max(age.total_seconds(), 0.0),
            )
        return cls(sensor.native_value, sensor.native_unit_of_measurement, count)


@callback
def async_restore_totals(hass: HomeAssistant, coordinator: SolaxCoordinator) -> None:
    """Give each inverter its counters from before the restart, ahead of the first poll.

    So a counter can't fall below them, and a sum keeps the part of a member that still sleeps.
    """
    wiring = coordinator.wiring
    smart_loads = wiring.profile.read_in("primary_extension")
    for serial_number, inverter in wiring.group.inverters.items():
        stored = _stored_counts(hass, serial_number, inverter.measurements)
        if inverter.member.role.leads:
            # The primary counts for the smart loads, which carry the group's id.
            stored |= _stored_counts(hass, coordinator.group_id, smart_loads)
        inverter.restore(stored)


def _stored_counts(
    hass: HomeAssistant, owner: str, registers: Iterable[Register]
) -> dict[str, StoredCount]:
    """Return what was stored of the counters for life among ``registers``."""
    registry = er.async_get(hass)
    stored_states = restore_state.async_get(hass)
    # Before 2026.11 Home Assistant found them by entity id only.
    find = (
        getattr(stored_states, "async_get_stored_state", None)
        or stored_states.last_states.get  # type: ignore[attr-defined]
    )
    counts: dict[str, StoredCount] = {}
    for register in registers:
        entity_id = registry.async_get_entity_id(
            SENSOR_DOMAIN, DOMAIN, f"{owner}_{register.key}"
        )
        if (
            register.counter is not Counter.TOTAL
            or entity_id is None
            or (stored := find(entity_id)) is None
            or stored.extra_data is None
        ):
            continue
        total = StoredTotal.from_dict(stored.extra_data.as_dict())
        if total is not None and total.count is not None:
            counts[register.key] = total.count
    return counts
