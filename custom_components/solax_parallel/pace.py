"""Whether polls fit their interval, and saying so where they don't for long."""

from collections.abc import Callable
import math
import time

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_SCAN_INTERVAL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DEFAULT_SCAN_INTERVAL, DOMAIN, LONGEST_SCAN_INTERVAL

PATIENCE = 600.0
"""For how many seconds no poll must fit before that is told, or every poll before it is over."""

_STEP = 5
_MARGIN = 1.2


class Pace:
    """What the polls of an entry take of their interval."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start without a poll; ``clock`` is a monotonic time in seconds."""
        self.share: float | None = None
        """Which part of the interval the latest poll took."""
        self._hass = hass
        self._entry = entry
        self._clock = clock
        self._interval: float = entry.options.get(
            CONF_SCAN_INTERVAL, DEFAULT_SCAN_INTERVAL
        )
        self._issue_id = f"slow_polls_{entry.entry_id}"
        self._closed = False
        self._is_told = False
        self._since: float | None = None
        self._slowest = 0.0

    @callback
    def observe(self, seconds: float) -> None:
        """Take in a poll that took some seconds."""
        # A poll that somebody asked for may end after the entry was unloaded.
        if self._closed:
            return
        self.share = seconds / self._interval
        if (self.share <= 1) is not self._is_told:
            # As it was told, or as nobody needs to be told.
            self._since = None
            return
        now = self._clock()
        if self._since is None:
            self._since, self._slowest = now, 0.0
        self._slowest = max(self._slowest, seconds)
        if now - self._since < PATIENCE:
            return
        self._since = None
        self._is_told = not self._is_told
        if self._is_told:
            self._tell()
        else:
            self._drop()

    @callback
    def forget(self) -> None:
        """Begin anew, without a poll and with nothing told."""
        self.share = self._since = None
        self._is_told = False
        self._drop()

    @callback
    def async_close(self) -> None:
        """Drop the issue: it is raised anew when polls don't fit again."""
        self._closed = True
        self._drop()

    def _drop(self) -> None:
        ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)

    def _tell(self) -> None:
        fitting = math.ceil(self._slowest * _MARGIN / _STEP) * _STEP
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key="slow_polls",
            translation_placeholders={
                "group": self._entry.title,
                "seconds": f"{self._slowest:.0f}",
                "interval": f"{self._interval:g}",
                "fitting": str(min(fitting, LONGEST_SCAN_INTERVAL)),
            },
        )
