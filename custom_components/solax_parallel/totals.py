"""Energy counters over a restart of Home Assistant."""

from homeassistant.components.sensor import (
    DOMAIN as SENSOR_DOMAIN,
    SensorExtraStoredData,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, restore_state

from .a1_ess.group import Group
from .a1_ess.profile import Counter
from .const import DOMAIN


@callback
def async_restore_totals(hass: HomeAssistant, group: Group) -> None:
    """Give each inverter its counters from before the restart, ahead of the first poll.

    So a counter can't fall below them, and a sum keeps the part of a member that still sleeps.
    """
    registry = er.async_get(hass)
    stored_states = restore_state.async_get(hass)
    for serial_number, unit in group.units.items():
        totals: dict[str, float] = {}
        for register in unit.measurements:
            entity_id = registry.async_get_entity_id(
                SENSOR_DOMAIN, DOMAIN, f"{serial_number}_{register.key}"
            )
            if (
                register.counter is not Counter.TOTAL
                or entity_id is None
                or (stored := stored_states.async_get_stored_state(entity_id)) is None
                or stored.extra_data is None
            ):
                continue
            data = SensorExtraStoredData.from_dict(stored.extra_data.as_dict())
            if data is not None and isinstance(data.native_value, int | float):
                totals[register.key] = float(data.native_value)
        unit.samples.restore(totals)
