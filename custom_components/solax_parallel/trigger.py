"""Triggers: what an automation can wait for without knowing our event types."""

from types import MappingProxyType
from typing import override

import voluptuous as vol

from homeassistant.components.event import ATTR_EVENT_TYPE, DOMAIN as EVENT_DOMAIN
from homeassistant.const import CONF_OPTIONS
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.trigger import (
    ENTITY_STATE_TRIGGER_SCHEMA,
    NotTriggeredReasonReporter,
    StatelessEntityTriggerBase,
    Trigger,
    TriggerConfig,
)

from .a1_ess.faults import FAULTS
from .const import CLEARED, FAULT_EVENT, GROUP_EVENT, GroupEventType
from .targets import own_entities

CONF_FAULT = "fault"

_EVENTS = {EVENT_DOMAIN: {FAULT_EVENT, GROUP_EVENT}}


class _EventTrigger(StatelessEntityTriggerBase):
    """Waits for events of some types of our event entities."""

    _domain_specs = MappingProxyType({EVENT_DOMAIN: DomainSpec()})
    _event_types: frozenset[str]

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """Leave out what is not ours."""
        return own_entities(self._hass, entities, _EVENTS)

    @override
    def is_valid_state(
        self, state: State, report_not_triggered: NotTriggeredReasonReporter
    ) -> bool:
        """Return whether the latest event is one that is waited for."""
        return state.attributes.get(ATTR_EVENT_TYPE) in self._event_types


def _of_inverter(ending: str) -> type[Trigger]:
    """Make a trigger for the events of faults whose types have this ending."""

    class FaultTrigger(_EventTrigger):
        _schema = ENTITY_STATE_TRIGGER_SCHEMA.extend(
            {
                vol.Required(CONF_OPTIONS, default={}): {
                    vol.Optional(CONF_FAULT, default=[]): vol.All(
                        cv.ensure_list, [vol.In(FAULTS)]
                    )
                }
            }
        )

        def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
            super().__init__(hass, config)
            faults = self._options[CONF_FAULT] or FAULTS
            self._event_types = frozenset(f"{fault}{ending}" for fault in faults)

    return FaultTrigger


def _of_group(kind: GroupEventType) -> type[Trigger]:
    """Make a trigger for one type of event of the group."""

    class GroupTrigger(_EventTrigger):
        _event_types = frozenset({kind})

    return GroupTrigger


TRIGGERS = {
    "fault_raised": _of_inverter(""),
    "fault_cleared": _of_inverter(CLEARED),
    "unit_lost": _of_group(GroupEventType.UNIT_LOST),
    "unit_back": _of_group(GroupEventType.UNIT_BACK),
    "went_off_grid": _of_group(GroupEventType.OFF_GRID),
    "back_on_grid": _of_group(GroupEventType.ON_GRID),
    "group_incomplete": _of_group(GroupEventType.GROUP_INCOMPLETE),
    "group_complete": _of_group(GroupEventType.GROUP_COMPLETE),
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers by their keys."""
    return TRIGGERS
