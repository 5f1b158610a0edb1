"""Statistics of simulated groups for the hours in which no Home Assistant was there to record them.

A part of Home Assistant, which ``scripts/develop`` alone loads: the API imports hourly statistics
only, and what Home Assistant records itself does not go on from these.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select
import voluptuous as vol

from custom_components.solax_parallel.const import DOMAIN as SOLAX_DOMAIN
from custom_components.solax_parallel.coordinator import SolaxConfigEntry
from homeassistant.components import websocket_api
from homeassistant.components.energy.const import DOMAIN as ENERGY_DOMAIN
from homeassistant.components.energy.helpers import generate_power_sensor_unique_id
from homeassistant.components.recorder import (
    DOMAIN as RECORDER_DOMAIN,
    Recorder,
    get_instance,
)
from homeassistant.components.recorder.db_schema import (
    RecorderRuns,
    Statistics,
    StatisticsShortTerm,
)
from homeassistant.components.recorder.models import (
    StatisticMeanType,
    StatisticMetaData,
    process_timestamp,
)
from homeassistant.components.recorder.statistics import (
    STATISTIC_UNIT_TO_UNIT_CONVERTER,
    statistics_during_period,
)
from homeassistant.components.sensor import DOMAIN as SENSOR_DOMAIN, SensorStateClass
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.recorder import session_scope
from homeassistant.helpers.typing import ConfigType
from homeassistant.util import dt as dt_util

from .rows import PERIOD, counter_rows, hourly_rows, measurement_rows
from .shown import shown

DOMAIN = "simulated_past"
HOURS = 48
"""How far back statistics are filled in."""

_LONGEST_PAUSE = timedelta(days=1)
"""Between two rows of a sensor while Home Assistant runs."""


class _Recorded(NamedTuple):
    """Where the rows of earlier starts end."""

    until: datetime
    counted: float


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Offer the command."""
    websocket_api.async_register_command(hass, _fill)
    return True


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/fill"})
@websocket_api.async_response
async def _fill(
    hass: HomeAssistant,
    connection: websocket_api.ActiveConnection,
    msg: dict[str, Any],
) -> None:
    """Fill in what the statistics of every simulated group lack up to now."""
    recorder = get_instance(hass)
    # From then on its queue holds what it makes of the time since it ran last: rows in which
    # nothing changes, which ours have to come after.
    await recorder.async_recorder_ready.wait()
    now = dt_util.utcnow()
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS)
    moments = [first + number * PERIOD for number in range((now - first) // PERIOD + 1)]
    for entry in hass.config_entries.async_loaded_entries(SOLAX_DOMAIN):
        if (simulation := entry.runtime_data.wiring.simulation) is None:
            continue
        profile = entry.runtime_data.wiring.profile
        by_key = await hass.async_add_executor_job(
            shown, simulation, profile, [dt_util.as_local(moment) for moment in moments]
        )
        sensors = _sensors(hass, entry, by_key)
        recorded = await recorder.async_add_executor_job(_recorded, hass, set(sensors))
        for entity_id, values in sensors.items():
            if (state := hass.states.get(entity_id)) is not None:
                _import(recorder, state, moments, values, recorded.get(entity_id))
    connection.send_result(msg["id"])


@callback
def _sensors(
    hass: HomeAssistant, entry: SolaxConfigEntry, by_key: Mapping[str, list[float]]
) -> dict[str, list[float]]:
    """Return the values of the sensors of a group by entity id, and those of the dashboard's own."""
    registry = er.async_get(hass)
    sensors = {
        entity_id: values
        for key, values in by_key.items()
        if (
            entity_id := registry.async_get_entity_id(
                SENSOR_DOMAIN, SOLAX_DOMAIN, f"{entry.unique_id}_{key}"
            )
        )
    }
    # The energy dashboard makes one from a power that counts the other way.
    for entity_id, values in list(sensors.items()):
        unique_id = generate_power_sensor_unique_id(
            "battery", {"stat_rate_inverted": entity_id}
        )
        if inverted := registry.async_get_entity_id(
            SENSOR_DOMAIN, ENERGY_DOMAIN, unique_id
        ):
            sensors[inverted] = [-value for value in values]
    return sensors


def _recorded(hass: HomeAssistant, entity_ids: set[str]) -> dict[str, _Recorded]:
    """Return what was recorded of ``entity_ids`` when Home Assistant ran before, if it was."""
    with session_scope(hass=hass, read_only=True) as session:
        ended = process_timestamp(session.scalar(select(func.max(RecorderRuns.end))))
    if ended is None:
        return {}
    rows = statistics_during_period(
        hass, ended - _LONGEST_PAUSE, ended, entity_ids, "5minute", None, {"sum"}
    )
    return {
        entity_id: _Recorded(
            dt_util.utc_from_timestamp(found[-1]["end"]), found[-1].get("sum") or 0
        )
        for entity_id, found in rows.items()
    }


@callback
def _import(
    recorder: Recorder,
    state: State,
    moments: Sequence[datetime],
    values: Sequence[float],
    recorded: _Recorded | None,
) -> None:
    """Have the recorder take over the values of a sensor from where ``recorded`` ends."""
    gap = 0 if recorded is None else bisect_left(moments, recorded.until)
    metadata = _metadata(state)
    short_term = (
        counter_rows(moments[gap:], values[gap:], recorded.counted if recorded else 0)
        if metadata["has_sum"]
        else measurement_rows(moments[gap:], values[gap:])
    )
    recorder.async_import_statistics(metadata, short_term, StatisticsShortTerm)
    recorder.async_import_statistics(metadata, hourly_rows(short_term), Statistics)


def _metadata(state: State) -> StatisticMetaData:
    unit = state.attributes["unit_of_measurement"]
    counts = state.attributes["state_class"] == SensorStateClass.TOTAL_INCREASING
    return StatisticMetaData(
        mean_type=StatisticMeanType.NONE if counts else StatisticMeanType.ARITHMETIC,
        has_sum=counts,
        name=None,
        source=RECORDER_DOMAIN,
        statistic_id=state.entity_id,
        unit_class=STATISTIC_UNIT_TO_UNIT_CONVERTER[unit].UNIT_CLASS,
        unit_of_measurement=unit,
    )
