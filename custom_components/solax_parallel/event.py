"""Events: a fault of an inverter raised or cleared, once each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import override

from homeassistant.components.event import (
    EventEntity,
    EventEntityDescription,
    EventExtraStoredData,
)
from homeassistant.core import CoreState, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util.hass_dict import HassKey

from .a1_ess.faults import FAULTS
from .a1_ess.inverter import InverterState
from .const import CLEARED, DOMAIN, FAULT_EVENT
from .coordinator import SolaxConfigEntry, SolaxCoordinator
from .entity import InverterEntity

PARALLEL_UPDATES = 0

FAULTS_OF_INVERTER = EventEntityDescription(
    key=FAULT_EVENT,
    event_types=[kind for key in FAULTS for kind in (key, f"{key}{CLEARED}")],
)


@dataclass
class FaultEventStoredData(EventExtraStoredData):
    """What is stored of the event, with the faults that stood then."""

    standing: list[str]


SEEN_IN_THIS_RUN: HassKey[dict[str, frozenset[str]]] = HassKey(f"{DOMAIN}_faults")
"""The standing faults by serial number, kept over a reload but not over a restart."""


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SolaxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the events of an entry."""
    coordinator = entry.runtime_data
    async_add_entities(
        FaultEvent(coordinator, serial_number)
        for serial_number in coordinator.wiring.group.units
    )


class FaultEvent(InverterEntity, EventEntity):
    """Fires when a fault of an inverter is raised, and when it is cleared."""

    def __init__(self, coordinator: SolaxCoordinator, serial_number: str) -> None:
        """Watch the inverter with ``serial_number``."""
        super().__init__(coordinator, FAULTS_OF_INVERTER, serial_number)
        self._before_restart: frozenset[str] = frozenset()
        self._before_running: frozenset[str] | None = None

    @property
    @override
    def extra_restore_state_data(self) -> FaultEventStoredData:
        """Return what a restart must not lose: the faults that may be cleared meanwhile."""
        event = super().extra_restore_state_data
        standing = self._seen.get(self._serial_number, self._before_restart)
        return FaultEventStoredData(
            event.last_event_type, event.last_event_attributes, sorted(standing)
        )

    @property
    def _seen(self) -> dict[str, frozenset[str]]:
        return self.hass.data.setdefault(SEEN_IN_THIS_RUN, {})

    @override
    async def async_added_to_hass(self) -> None:
        """Take up where the last run of Home Assistant ended."""
        await super().async_added_to_hass()
        if (stored := await self.async_get_last_extra_data()) is not None:
            standing = stored.as_dict().get("standing", ())
            self._before_restart = frozenset(FAULTS) & frozenset(standing)
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
        """Fire an event for each fault that came or went since the last look."""
        if not self.available:
            return
        state = self.state_of_inverter
        known = self._seen.get(self._serial_number, self._before_running)
        before = self._before_restart if known is None else known
        now = _standing(state, before)
        # Automations arm their triggers only once Home Assistant runs.
        if self.hass.state is not CoreState.running:
            if known is None:
                self._before_running = now
            return
        for key in sorted((before | self._before_restart) - now):
            self._fire(state, key, f"{key}{CLEARED}")
        self._before_restart = frozenset()
        # What stands at the first look after a start was there before: nobody saw it come.
        if known is not None:
            for key in sorted(now - before):
                self._fire(state, key, key)
        self._seen[self._serial_number] = now

    def _fire(self, state: InverterState, key: str, kind: str) -> None:
        self._trigger_event(
            kind,
            {
                "vendor_code": FAULTS[key].vendor_code,
                "role": state.role,
                "unit": self._serial_number,
            },
        )
        # Each event is a state of its own, so that none hides behind the next.
        self.async_write_ha_state()


def _standing(state: InverterState, before: frozenset[str]) -> frozenset[str]:
    """Return the faults that stand; of those that the inverter does not tell, what stood before."""

    def told() -> Iterator[str]:
        for key, fault in FAULTS.items():
            reported = (
                state.problems if fault.vendor_code is None else state.parallel_faults
            )
            if key in (before if reported is None else reported):
                yield key

    return frozenset(told())
