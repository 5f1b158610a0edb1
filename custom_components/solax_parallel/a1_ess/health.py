"""How the reading of an inverter goes."""

from collections import deque
from dataclasses import dataclass, field
import math

_REPLIES = 200
"""How many replies count: those of some minutes."""


@dataclass(frozen=True, kw_only=True)
class Health:
    """How many reads have failed so far, and what 95 of 100 replies take at most, in s."""

    failed_reads: int = 0
    reply_time: float | None = None


@dataclass
class Reads:
    """Takes note of every read."""

    failed: int = 0
    _seconds: deque[float] = field(default_factory=lambda: deque(maxlen=_REPLIES))

    def replied(self, seconds: float) -> None:
        """Note a reply that took some seconds."""
        self._seconds.append(seconds)

    @property
    def health(self) -> Health:
        """What came of it so far."""
        ordered = sorted(self._seconds)
        return Health(
            failed_reads=self.failed,
            reply_time=(
                ordered[math.ceil(0.95 * len(ordered)) - 1] if ordered else None
            ),
        )
