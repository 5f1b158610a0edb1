"""Conditions: what an automation can ask about inverters and their group."""

from typing import override

import voluptuous as vol

from homeassistant.components.binary_sensor import DOMAIN as BINARY_SENSOR_DOMAIN
from homeassistant.components.sensor import DOMAIN as SENSOR_DOMAIN
from homeassistant.const import (
    CONF_FOR,
    CONF_OPTIONS,
    CONF_TARGET,
    STATE_OFF,
    STATE_ON,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.condition import (
    ATTR_BEHAVIOR,
    BEHAVIOR_ANY,
    Condition,
    EntityStateConditionBase,
)

from .a1_ess.codes import GridStatus
from .a1_ess.faults import PARALLEL_FAULTS, Family
from .a1_ess.group import Status
from .targets import Keys, own_entities

# Any of the entities decides. Home Assistant's other behavior, all of them, is true as well where
# nothing is known of any.
_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_TARGET): cv.TARGET_FIELDS,
        vol.Required(CONF_OPTIONS, default={}): {
            vol.Required(ATTR_BEHAVIOR, default=BEHAVIOR_ANY): BEHAVIOR_ANY,
            vol.Optional(CONF_FOR): cv.positive_time_period,
        },
    }
)


def _condition(keys: Keys, states: set[str | bool]) -> type[Condition]:
    """Make a condition that is true while one of our entities with ``keys`` is in ``states``."""

    class OwnCondition(EntityStateConditionBase):
        _domain_specs = dict.fromkeys(keys, DomainSpec())
        _states = states
        _schema = _SCHEMA
        # The faults of a family are diagnostic.
        _primary_entities_only = False

        @override
        def entity_filter(self, entities: set[str]) -> set[str]:
            return own_entities(self._hass, entities, keys)

    return OwnCondition


CONDITIONS = {
    "is_faulted": _condition(
        {
            BINARY_SENSOR_DOMAIN: {*(fault.key for fault in PARALLEL_FAULTS), *Family},
            SENSOR_DOMAIN: {"status"},
        },
        {STATE_ON, Status.FAULT},
    ),
    "is_off_grid": _condition(
        {BINARY_SENSOR_DOMAIN: {"on_grid"}, SENSOR_DOMAIN: {"grid_status"}},
        {STATE_OFF, GridStatus.OFF_GRID},
    ),
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions by their keys."""
    return CONDITIONS
