"""Events: what came and what went, once each, of an inverter and of the group."""

from abc import abstractmethod
from collections.abc import Mapping
from operator import itemgetter
from typing import Any, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import CoreState, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .a1_ess.faults import FAULTS
from .a1_ess.inverter_state import InverterState
from .const import CLEARED, FAULT_EVENT, FAULT_WORD, GROUP_EVENT, GroupEventType
from .coordinator import SolaxConfigEntry
from .entity import GroupEntity, InverterEntity, SolaxEntity
from .entity_set import async_remove_untold
from .facts import KNOWN_FACTS, KnownFacts, async_known_facts, lost_unit

PARALLEL_UPDATES = 0

FAULTS_OF_INVERTER = EventEntityDescription(
    key=FAULT_EVENT,
    event_types=[kind for key in FAULTS for kind in (key, f"{key}{CLEARED}")],
)

EVENTS_OF_GROUP = EventEntityDescription(
    key=GROUP_EVENT, event_types=list(GroupEventType)
)


_OFF_GRID_CONSEQUENCES = [
    key for key, fault in FAULTS.items() if fault.off_grid_consequence
]

_OVER = {
    GroupEventType.OFF_GRID: GroupEventType.ON_GRID,
    GroupEventType.GROUP_INCOMPLETE: GroupEventType.GROUP_COMPLETE,
    GroupEventType.SPLIT: GroupEventType.SPLIT_OVER,
}
"""What is fired when a fact of the group holds no longer; of others there is more to say."""


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SolaxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the events of an entry."""
    coordinator = entry.runtime_data
    async_remove_untold(entry, {FAULT_EVENT: FAULT_WORD})
    await async_known_facts(hass, entry)
    async_add_entities(
        [
            GroupEvent(coordinator, EVENTS_OF_GROUP),
            *(
                FaultEvent(coordinator, FAULTS_OF_INVERTER, serial_number)
                for serial_number, unit in coordinator.wiring.group.units.items()
                if unit.can_tell(FAULT_WORD)
            ),
        ]
    )


class FactsEvent(SolaxEntity, EventEntity):
    """Fires when a fact comes to hold, and when it holds no longer."""

    _attr_unique_id: str
    _has_looked = False

    @property
    @abstractmethod
    def facts(self) -> Mapping[str, bool | None]:
        """Whether each fact that the event is about holds; None where that is not known."""

    @abstractmethod
    def _news(self, key: str, *, holds: bool) -> tuple[str, Mapping[str, Any]]:
        """Return what to fire for a fact that came or went: the type of event and its data."""

    @property
    def _known(self) -> KnownFacts:
        return self.hass.data[KNOWN_FACTS][self.coordinator.config_entry.entry_id]

    @override
    async def add_to_platform_finish(self) -> None:
        """Fire what came or went while the entry was not loaded."""
        # An automation ignores a change from unavailable, so the first state has to be written.
        await super().add_to_platform_finish()
        self._compare()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Fire what changed with the latest poll."""
        # An automation ignores a change from unavailable, so that has to be over first.
        super()._handle_coordinator_update()
        self._compare()

    @callback
    def _compare(self) -> None:
        """Fire an event for each fact that came or went since it was last known.

        What is known for the first time is no news: it may have been there all along.
        """
        if not self.available:
            return
        seen, facts = self._known.of_event(self._attr_unique_id), self.facts
        before = dict(seen)
        for gone in seen.keys() - facts.keys():
            del seen[gone]
        changed = [
            (key, holds)
            for key, holds in facts.items()
            if holds is not None and seen.setdefault(key, holds) is not holds
        ]
        # What went is told before what came.
        for key, holds in sorted(changed, key=itemgetter(1)):
            # Automations arm their triggers only once Home Assistant runs.
            if self.hass.state is CoreState.running:
                seen[key] = holds
                self._fire(*self._news(key, holds=holds))
            elif holds and not self._has_looked:
                # What stands when Home Assistant starts was there before: nobody saw it come.
                seen[key] = True
        self._has_looked = True
        if seen != before:
            self._known.async_save()

    def _fire(self, kind: str, attributes: Mapping[str, Any]) -> None:
        self._trigger_event(kind, dict(attributes))
        # Each event is a state of its own, so that none hides behind the next.
        self.async_write_ha_state()


class FaultEvent(InverterEntity, FactsEvent):
    """Fires when a fault of an inverter is raised, and when it is cleared.

    What being off-grid brings with it is no fault. The inverters tell of both in different
    registers and one after the other, so such a fault counts only in the second poll with the grid.
    """

    _latest: InverterState | None = None
    _before: InverterState | None = None

    @override
    def _compare(self) -> None:
        if self._latest is not self.state_of_inverter:
            self._before, self._latest = self._latest, self.state_of_inverter
        super()._compare()

    @property
    @override
    def facts(self) -> Mapping[str, bool | None]:
        """Whether each fault stands; not known of those that the inverter does not tell."""
        return {
            **self.state_of_inverter.stands,
            **{key: self._stands_with_grid(key) for key in _OFF_GRID_CONSEQUENCES},
        }

    @override
    def _news(self, key: str, *, holds: bool) -> tuple[str, Mapping[str, Any]]:
        return key if holds else f"{key}{CLEARED}", {
            "vendor_code": FAULTS[key].vendor_code,
            "role": self.state_of_inverter.role,
            "unit": self._serial_number,
        }

    def _stands_with_grid(self, key: str) -> bool | None:
        """Whether two polls say the same of a fault that being off-grid brings with it."""
        if self.coordinator.data.off_grid or self.state_of_inverter.off_grid:
            return None
        told = {
            state.reports(key) if state is not None and not state.off_grid else None
            for state in (self._before, self._latest)
        }
        return told.pop() if len(told) == 1 else None


class GroupEvent(GroupEntity, FactsEvent):
    """Fires when the group goes off-grid or splits, loses a unit, is incomplete or tested."""

    @property
    @override
    def available(self) -> bool:
        """Always while polls are made: it tells of silence too."""
        return super().available or self.is_silent

    @property
    @override
    def facts(self) -> Mapping[str, bool | None]:
        """Whether the group is off-grid, split, incomplete or being tested, and which units are lost."""
        state = self.coordinator.data
        return {
            GroupEventType.OFF_GRID: state.off_grid,
            **{
                lost_unit(serial_number): member.lost
                for serial_number, member in state.members.items()
            },
            GroupEventType.GROUP_INCOMPLETE: state.incomplete,
            GroupEventType.SPLIT: state.split,
            GroupEventType.TRANSFER_TEST_STARTED: self.coordinator.acceptance.running,
        }

    @override
    def _news(self, key: str, *, holds: bool) -> tuple[str, Mapping[str, Any]]:
        for serial_number, member in self.coordinator.data.members.items():
            if key == lost_unit(serial_number):
                unit = self.coordinator.wiring.group.units[serial_number]
                return (
                    GroupEventType.UNIT_LOST if holds else GroupEventType.UNIT_BACK,
                    {"role": member.role or unit.role, "unit": serial_number},
                )
        kind = GroupEventType(key)
        if holds:
            return kind, {}
        if kind is GroupEventType.TRANSFER_TEST_STARTED:
            return self._end_of_transfer_test, {}
        return _OVER[kind], {}

    @property
    def _end_of_transfer_test(self) -> GroupEventType:
        """How the latest test ended; one that nobody knows of any more was broken off."""
        test = self.coordinator.acceptance.test
        if test is None or test.phase.running:
            return GroupEventType.TRANSFER_TEST_ABORTED
        return GroupEventType(f"transfer_test_{test.phase}")
