"""Energy counters over a restart of Home Assistant."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import voluptuous as vol

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .a1_ess.counters import StoredCount
from .a1_ess.group import Group, StoredGroup
from .const import DOMAIN
from .stored import number, sound

SAVE_INTERVAL = timedelta(minutes=1)
"""How much a crash of Home Assistant may lose."""

_VERSION = 1

_COUNT = vol.Schema(
    {
        vol.Required("value"): number,
        vol.Required("counted_before"): number,
        vol.Required("carried"): number,
        vol.Required("read_at"): vol.Any(None, number),
        vol.Required("place"): str,
    },
    extra=vol.REMOVE_EXTRA,
)


class CountStore:
    """Keeps what a group has counted on the disk.

    Home Assistant's store of entities' states would forget a counter whose entity is disabled,
    and one that was not heard of for a week.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str, group: Group) -> None:
        """Keep the counters of ``group``; nothing is read yet."""
        self._store = _store(hass, entry_id)
        self._group = group
        self._is_due = False

    async def async_restore(self) -> None:
        """Give the group its counters from before the restart, ahead of its first poll."""
        if (data := await self._store.async_load()) is not None:
            self._group.restore(_from_json(data))

    @callback
    def async_save_soon(self) -> None:
        """Save within ``SAVE_INTERVAL``, and in any case before Home Assistant ends."""
        if not self._is_due:
            self._is_due = True
            self._store.async_delay_save(self._as_json, SAVE_INTERVAL.total_seconds())

    async def async_save(self) -> None:
        """Save now."""
        await self._store.async_save(self._as_json())

    def _as_json(self) -> dict[str, Any]:
        self._is_due = False
        return _to_json(self._group.stored())


async def async_rename_counts(
    hass: HomeAssistant, entry_id: str, renamed: Mapping[str, str]
) -> None:
    """Let inverters go on where others stopped, by old and new serial number.

    The new ones' counters are others, wherever they stand.
    """
    store = _store(hass, entry_id)
    if (stored := await store.async_load()) is None:
        return
    data = _sound(stored)
    counts = data["counts"]
    for before in renamed.keys() & counts.keys():
        counts[renamed[before]] = {
            key: {**count, "place": ""} for key, count in counts.pop(before).items()
        }
    await store.async_save(data)


async def async_forget_counts(hass: HomeAssistant, entry_id: str) -> None:
    """Remove what was kept for an entry that is removed."""
    await _store(hass, entry_id).async_remove()


def _store(hass: HomeAssistant, entry_id: str) -> Store[dict[str, Any]]:
    return Store(hass, _VERSION, f"{DOMAIN}.{entry_id}", atomic_writes=True)


def _to_json(stored: StoredGroup) -> dict[str, Any]:
    now = dt_util.utcnow().timestamp()
    return {
        "left_behind": stored.left_behind,
        "counts": {
            serial: {
                key: {
                    "value": count.value,
                    "counted_before": count.counted_before,
                    "carried": count.carried,
                    "read_at": None if count.age is None else now - count.age,
                    "place": count.place,
                }
                for key, count in counts.items()
            }
            for serial, counts in stored.counts.items()
        },
    }


def _sound(data: Any) -> dict[str, dict[str, Any]]:
    """Return what was stored, without what is damaged."""
    stored = data if isinstance(data, dict) else {}
    left_behind = sound(
        vol.Schema(number), stored.get("left_behind"), "sums of the group"
    )
    written = stored.get("counts")
    counts = sound(vol.Schema(_sound_counts), written, "counters")
    # An inverter without its counter would count as one that joins, and the sum fall by it.
    for key in _lost(written, counts, left_behind):
        left_behind.pop(key, None)
    return {"left_behind": left_behind, "counts": counts}


def _lost(
    written: Any, counts: Mapping[str, Mapping[str, Any]], sums: Iterable[str]
) -> set[str]:
    """Return which counters are damaged in what was written; all of ``sums`` where it is torn."""
    if not isinstance(written, dict):
        return {*sums}
    return {
        key
        for serial, kept in counts.items()
        for key in (written[serial] if isinstance(written[serial], dict) else sums)
        if key not in kept
    }


def _sound_counts(stored: Any) -> dict[str, Any]:
    return sound(_COUNT, stored, "counters of an inverter")


def _from_json(data: Any) -> StoredGroup:
    now = dt_util.utcnow().timestamp()
    stored = _sound(data)
    return StoredGroup(
        left_behind=stored["left_behind"],
        counts={
            serial: {key: _count(kept, now) for key, kept in counts.items()}
            for serial, counts in stored["counts"].items()
        },
    )


def _count(kept: Mapping[str, Any], now: float) -> StoredCount:
    read_at = kept["read_at"]
    return StoredCount(
        value=kept["value"],
        counted_before=kept["counted_before"],
        carried=kept["carried"],
        # A count from the future comes from a clock that was wrong, then or now.
        age=None if read_at is None or read_at > now else now - read_at,
        place=kept["place"],
    )
