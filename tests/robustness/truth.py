"""What may be shown of a group of which everything is known."""

from itertools import combinations

from custom_components.solax_parallel.coordinator import SolaxCoordinator
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

NOT_KNOWN = (STATE_UNKNOWN, STATE_UNAVAILABLE)

COMPARED = "_group_totals_disagree"
"""The end of the unique id of what is compared once a minute, and only in a whole group."""

_OF_SILENCE = {
    "status": {"normal", "degraded", "offline"},
    "complete": {"on", "off"},
    "units_online": {"0", "1", "2", "3", "4"},
    "root_cause": {
        "none",
        "unknown",
        "primary_unreachable",
        "secondary_unreachable",
    },
    "readiness": {"ready", "unknown"},
}
"""What may be shown of the group while some of it is not heard."""

_SUMS = ("ac_power", "pv_power", "battery_power")
"""Totals that go on without the members that are not heard, and say so."""

_SPREADS = {
    "soc_spread": ("battery_soc", 1.0),
    "power_share_spread": ("ac_power", 100 / 7600),
    "temperature_spread": ("inverter_temperature", 1.0),
    "voltage_spread": ("ac_voltage", 1.0),
}
"""Differences over the members that are heard: of what, and times what."""

type Shown = dict[str, str]
"""States by unique id."""


def shown(hass: HomeAssistant, coordinator: SolaxCoordinator) -> Shown:
    """Return what is shown of a group now; what it lost and has back stays in its event."""
    entries = er.async_entries_for_config_entry(
        er.async_get(hass), coordinator.config_entry.entry_id
    )
    states = ((entry, hass.states.get(entry.entity_id)) for entry in entries)
    return {
        entry.unique_id: state.state
        for entry, state in states
        if state is not None
        and entry.unique_id != f"{coordinator.group_id}_group_event"
    }


def is_recovered(truth: Shown, now: Shown) -> bool:
    """Return whether all is shown as before, but for what the next comparison tells, in a minute."""
    return all(
        now.get(unique_id) == state
        for unique_id, state in truth.items()
        if not unique_id.endswith(COMPARED) or now.get(unique_id) not in NOT_KNOWN
    )


def lies(truth: Shown, now: Shown, coordinator: SolaxCoordinator) -> list[str]:
    """Return what is shown now and can't be so."""
    group = f"{coordinator.group_id}_group_"
    found = []
    for unique_id, state in now.items():
        if state in NOT_KNOWN or state == truth[unique_id]:
            continue
        key = unique_id.removeprefix(group)
        if (
            state in _OF_SILENCE.get(key, ())
            or (key in _SUMS and _is_part(float(state), key, truth, coordinator))
            or (key in _SPREADS and _is_spread(float(state), key, truth, coordinator))
        ):
            continue
        found.append(f"{unique_id} shows {state} instead of {truth[unique_id]}")
    return found


def _is_part(
    value: float, key: str, truth: Shown, coordinator: SolaxCoordinator
) -> bool:
    """Return whether a total is what as many members have as it says."""
    total = coordinator.data.totals[key]
    if total.complete:
        return False
    parts = [
        _of_member(key, serial, truth, coordinator)
        for serial in coordinator.wiring.group.units
    ]
    sums = {round(sum(some)) for some in combinations(parts, total.members_included)}
    return round(value) in sums


def _is_spread(
    value: float, key: str, truth: Shown, coordinator: SolaxCoordinator
) -> bool:
    """Return whether members that are heard lie apart so far."""
    reading, factor = _SPREADS[key]
    values = [
        factor * float(truth[f"{member.serial_number}_{reading}"])
        for member in coordinator.data.heard
    ]
    return len(values) > 1 and abs(max(values) - min(values) - value) < 0.06


def _of_member(
    key: str, serial: str, truth: Shown, coordinator: SolaxCoordinator
) -> float:
    if key == "pv_power":
        return sum(float(truth[f"{serial}_pv{string}_power"]) for string in (1, 2, 3))
    return float(truth[f"{serial}_{key}"])
