"""Events: what came and what went, once each, of an inverter and of the group."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, override

from homeassistant.components.event import (
    EventEntity,
    EventEntityDescription,
    EventExtraStoredData,
)
from homeassistant.core import CoreState, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util.hass_dict import HassKey

from .a1_ess.faults import FAULTS
from .const import CLEARED, DOMAIN, FAULT_EVENT, GroupEventType
from .coordinator import SolaxConfigEntry
from .entity import GroupEntity, InverterEntity, SolaxEntity

PARALLEL_UPDATES = 0

FAULTS_OF_INVERTER = EventEntityDescription(
    key=FAULT_EVENT,
    event_types=[kind for key in FAULTS for kind in (key, f"{key}{CLEARED}")],
)

GROUP_EVENT = EventEntityDescription(key="event", event_types=list(GroupEventType))


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Something that comes and goes: whether it holds now, and what is fired for it.

    ``holds`` is None where that is not known.
    """

    holds: bool | None
    raised: str
    cleared: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class FactsEventStoredData(EventExtraStoredData):
    """What is stored of the event, with the facts that held then."""

    standing: list[str]


SEEN_IN_THIS_RUN: HassKey[dict[str, dict[str, bool]]] = HassKey(f"{DOMAIN}_seen")
"""Whether each fact held when it was last known, by the unique id of its event.

Kept over a reload. A restart keeps only what held: whatever else holds at the first look after it
was there before, and nobody saw it come.
"""


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SolaxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the events of an entry."""
    coordinator = entry.runtime_data
    async_add_entities(
        [
            GroupEvent(coordinator, GROUP_EVENT),
            *(
                FaultEvent(coordinator, FAULTS_OF_INVERTER, serial_number)
                for serial_number, unit in coordinator.wiring.group.units.items()
                if unit.can_tell("inverter_faults")
            ),
        ]
    )


class FactsEvent(SolaxEntity, EventEntity):
    """Fires when a fact comes to hold, and when it holds no longer."""

    _attr_unique_id: str

    @property
    @abstractmethod
    def facts(self) -> Mapping[str, Fact]:
        """Everything that the event is about, as the latest poll tells of it."""

    @property
    @override
    def extra_restore_state_data(self) -> FactsEventStoredData:
        """Return what a restart must not lose: the facts that may be cleared meanwhile."""
        event = super().extra_restore_state_data
        return FactsEventStoredData(
            event.last_event_type,
            event.last_event_attributes,
            sorted(key for key, held in self._seen.items() if held),
        )

    @property
    def _seen(self) -> dict[str, bool]:
        seen = self.hass.data.setdefault(SEEN_IN_THIS_RUN, {})
        return seen.setdefault(self._attr_unique_id, {})

    @override
    async def async_added_to_hass(self) -> None:
        """Take up where the last run of Home Assistant ended."""
        await super().async_added_to_hass()
        if (stored := await self.async_get_last_extra_data()) is not None:
            for key in stored.as_dict().get("standing", ()):
                self._seen.setdefault(key, True)
        self._compare()

    @callback
    @override
    def async_entity_id_changed(self, old_entity_id: str) -> None:
        """Go on as before under the new name."""
        super().async_entity_id_changed(old_entity_id)

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Fire what changed with the latest poll."""
        # An automation ignores a change from unavailable, so that has to be over first.
        super()._handle_coordinator_update()
        self._compare()

    @callback
    def _compare(self) -> None:
        """Fire an event for each fact that came or went since it was last known."""
        if not self.available:
            return
        seen, facts = self._seen, self.facts
        for gone in seen.keys() - facts.keys():
            del seen[gone]
        # What went is told before what came.
        for holds in (False, True):
            for key, fact in facts.items():
                if fact.holds is not holds or seen.setdefault(key, holds) is holds:
                    continue
                # Automations arm their triggers only once Home Assistant runs.
                if self.hass.state is CoreState.running:
                    seen[key] = holds
                    self._fire(fact.raised if holds else fact.cleared, fact.attributes)

    def _fire(self, kind: str, attributes: Mapping[str, Any]) -> None:
        self._trigger_event(kind, dict(attributes))
        # Each event is a state of its own, so that none hides behind the next.
        self.async_write_ha_state()


class FaultEvent(InverterEntity, FactsEvent):
    """Fires when a fault of an inverter is raised, and when it is cleared."""

    @property
    @override
    def facts(self) -> Mapping[str, Fact]:
        """Whether each fault stands; not known of those that the inverter does not tell."""
        state = self.state_of_inverter
        return {
            key: Fact(
                holds=state.reports(fault.key),
                raised=key,
                cleared=f"{key}{CLEARED}",
                attributes={
                    "vendor_code": fault.vendor_code,
                    "role": state.role,
                    "unit": self._serial_number,
                },
            )
            for key, fault in FAULTS.items()
        }


class GroupEvent(GroupEntity, FactsEvent):
    """Fires when the group goes off-grid, loses a unit, is incomplete or tested, and at the end."""

    @property
    @override
    def available(self) -> bool:
        """Always while polls are made: it tells of silence too."""
        return super().available or self.is_silent

    @property
    @override
    def facts(self) -> Mapping[str, Fact]:
        """Whether the group is off-grid, incomplete or being tested, and which units are lost."""
        state = self.coordinator.data
        units = self.coordinator.wiring.group.units
        return {
            GroupEventType.OFF_GRID: Fact(
                holds=None if state.on_grid is None else not state.on_grid,
                raised=GroupEventType.OFF_GRID,
                cleared=GroupEventType.ON_GRID,
            ),
            **{
                f"{GroupEventType.UNIT_LOST}_{serial_number}": Fact(
                    holds=member.lost,
                    raised=GroupEventType.UNIT_LOST,
                    cleared=GroupEventType.UNIT_BACK,
                    attributes={
                        "role": member.role or units[serial_number].role,
                        "unit": serial_number,
                    },
                )
                for serial_number, member in state.members.items()
            },
            GroupEventType.GROUP_INCOMPLETE: Fact(
                holds=state.incomplete,
                raised=GroupEventType.GROUP_INCOMPLETE,
                cleared=GroupEventType.GROUP_COMPLETE,
            ),
            GroupEventType.TRANSFER_TEST_STARTED: Fact(
                holds=self.coordinator.acceptance.running,
                raised=GroupEventType.TRANSFER_TEST_STARTED,
                cleared=self._end_of_transfer_test,
            ),
        }

    @property
    def _end_of_transfer_test(self) -> GroupEventType:
        """How the latest test ended; one that nobody knows of any more was broken off."""
        test = self.coordinator.acceptance.test
        if test is None or test.phase.running:
            return GroupEventType.TRANSFER_TEST_ABORTED
        return GroupEventType(f"transfer_test_{test.phase}")
