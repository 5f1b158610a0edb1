"""Energy counters over a restart of Home Assistant."""

from collections.abc import Iterable

from homeassistant.components.sensor import (
    DOMAIN as SENSOR_DOMAIN,
    SensorExtraStoredData,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, restore_state

from .a1_ess.profile import Counter, Register
from .const import DOMAIN
from .coordinator import SolaxCoordinator


@callback
def async_restore_totals(hass: HomeAssistant, coordinator: SolaxCoordinator) -> None:
    """Give each inverter its counters from before the restart, ahead of the first poll.

    So a counter can't fall below them, and a sum keeps the part of a member that still sleeps.
    """
    wiring = coordinator.wiring
    for serial_number, unit in wiring.group.units.items():
        unit.samples.restore(_stored_totals(hass, serial_number, unit.measurements))
    # The primary counts for the smart loads, which carry the group's id.
    smart_loads = wiring.profile.read_in("primary_extension")
    for inverter in wiring.group.inverters.values():
        if inverter.member.role.leads:
            inverter.samples.restore(
                _stored_totals(hass, coordinator.group_id, smart_loads)
            )


def _stored_totals(
    hass: HomeAssistant, owner: str, registers: Iterable[Register]
) -> dict[str, float]:
    """Return what was stored of the counters among ``registers``, in kWh."""
    registry = er.async_get(hass)
    stored_states = restore_state.async_get(hass)
    # Before 2026.11 Home Assistant found them by entity id only.
    find = (
        getattr(stored_states, "async_get_stored_state", None)
        or stored_states.last_states.get  # type: ignore[attr-defined]
    )
    totals: dict[str, float] = {}
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
        data = SensorExtraStoredData.from_dict(stored.extra_data.as_dict())
        if data is not None and isinstance(data.native_value, int | float):
            totals[register.key] = float(data.native_value)
    return totals
