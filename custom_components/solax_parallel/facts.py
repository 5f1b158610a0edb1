"""What was last known of each fact that events tell of, over silence, reload and restart."""

from typing import Any

import voluptuous as vol

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, FAULT_EVENT, GroupEventType
from .stored import sound

_VERSION = 1


class KnownFacts:
    """Whether each fact of an entry held when it was last known, by its event and key."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Know nothing, until it is loaded."""
        self._store: Store[dict[str, dict[str, bool]]] = Store(
            hass, _VERSION, f"{DOMAIN}.facts.{entry_id}"
        )
        self._events: dict[str, dict[str, bool]] = {}

    async def async_load(self) -> None:
        """Take up what the last run of Home Assistant knew."""
        self._events = sound(
            vol.Schema(_sound_facts), await self._store.async_load() or {}, "events"
        )

    def of_event(self, unique_id: str) -> dict[str, bool]:
        """Return the facts of the event with ``unique_id``; save after a change to them."""
        return self._events.setdefault(unique_id, {})

    @callback
    def async_save(self) -> None:
        """Store what is known as soon as the present poll is told: a run may end without a stop."""
        self._store.async_delay_save(lambda: self._events)

    @callback
    def async_hand_over(self, old: str, new: str) -> None:
        """Let the inverter ``new`` be as lost as ``old`` was; the faults of ``old`` go with it."""
        self._events.pop(f"{old}_{FAULT_EVENT}", None)
        for facts in self._events.values():
            if (lost := facts.pop(lost_unit(old), None)) is not None:
                facts[lost_unit(new)] = lost
        self.async_save()

    async def async_remove(self) -> None:
        """Forget everything, in storage too."""
        await self._store.async_remove()


def _sound_facts(stored: Any) -> dict[str, Any]:
    return sound(vol.Schema(bool), stored, "facts of an event")


KNOWN_FACTS: HassKey[dict[str, KnownFacts]] = HassKey(f"{DOMAIN}_known_facts")
"""What is known of each entry that was set up in this run, by its id."""


async def async_known_facts(hass: HomeAssistant, entry: ConfigEntry) -> KnownFacts:
    """Return what is known of an entry, from storage if it is needed for the first time."""
    known = hass.data.setdefault(KNOWN_FACTS, {})
    if entry.entry_id not in known:
        facts = KnownFacts(hass, entry.entry_id)
        await facts.async_load()
        known[entry.entry_id] = facts
    return known[entry.entry_id]


async def async_forget_facts(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Forget what is known of an entry that was removed."""
    facts = await async_known_facts(hass, entry)
    del hass.data[KNOWN_FACTS][entry.entry_id]
    await facts.async_remove()


def lost_unit(serial_number: str) -> str:
    """Return the key of the fact that an inverter is lost."""
    return f"{GroupEventType.UNIT_LOST}_{serial_number}"
