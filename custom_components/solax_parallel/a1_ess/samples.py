"""Which readings are believed.

A sample that can't be true is dropped and counted, never clamped. The last good value stands in
for it for three polls, then there is none.
"""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf

from .counters import Count, StoredCount
from .profile import Bounds, Counter, Register
from .source import Value

HELD_POLLS = 3
"""For how many polls a good value stands in for bad ones."""

_TWICE_RATED = Bounds(rated=2)


@dataclass
class _Track:
    """What is remembered of one register."""

    value: float | None = None
    missed: int = 0

    def miss(self) -> None:
        """Note a poll that brought no good value."""
        self.missed += 1
        if self.missed > HELD_POLLS:
            self.value = None


@dataclass
class Samples:
    """The believed readings of one inverter.

    ``rated_power`` is in W; while it is None, bounds that depend on it are not checked.
    """

    rated_power: float | None = None
    dropped: Tally[str] = field(default_factory=Tally)
    counts: dict[str, Count] = field(default_factory=dict)
    """The counters by their registers' keys, as far as they were ever read."""
    _tracks: dict[str, _Track] = field(default_factory=dict)

    def restore(self, stored: Mapping[str, StoredCount], now: float) -> None:
        """Go on with counters for life from before a restart; ``now`` is monotonic, in seconds."""
        for key, count in stored.items():
            self.counts[key] = Count(Counter.TOTAL)
            self.counts[key].restore(count, now)

    def total(self, key: str) -> float | None:
        """Return the last believed value of a counter in kWh, however long ago it was read."""
        return self.counts[key].value if key in self.counts else None

    def take(
        self,
        registers: Iterable[Register],
        readings: Mapping[str, Value | None],
        now: float,
    ) -> dict[str, float | None]:
        """Return what is believed of ``registers`` after a poll that brought ``readings``.

        A register that is missing from ``readings`` was not read; one that is None had no value.
        ``now`` is a monotonic time in seconds. Registers with a unit are the ones that measure.
        """
        return {
            register.key: self._take(register, readings, now)
            for register in registers
            if register.unit is not None
        }

    def miss(self) -> None:
        """Note a poll that brought nothing at all."""
        for track in self._tracks.values():
            track.miss()

    def _take(
        self, register: Register, readings: Mapping[str, Value | None], now: float
    ) -> float | None:
        track = self._tracks.setdefault(register.key, _Track())
        sample = readings.get(register.key)
        if isinstance(sample, int | float) and self._credible(
            register, track, sample, now
        ):
            track.value = (
                sample if register.counter is None else self.counts[register.key].value
            )
            track.missed = 0
            return track.value
        if register.key in readings:
            self.dropped[register.key] += 1
        track.miss()
        return track.value

    def _credible(
        self, register: Register, track: _Track, sample: float, now: float
    ) -> bool:
        if register.counter is not None:
            _, most_watts = self._limits(register.bounds or _TWICE_RATED)
            count = self.counts.setdefault(register.key, Count(register.counter))
            return count.take(sample, most_watts, now)
        bounds = register.bounds
        if bounds is None:
            return True
        if bounds.zero_only_after is not None and sample == 0:
            return track.value is None or track.value <= bounds.zero_only_after
        if bounds.or_zero and sample == 0:
            return True
        low, high = self._limits(bounds)
        return low <= sample <= high

    def _limits(self, bounds: Bounds) -> tuple[float, float]:
        limit = (
            inf
            if bounds.rated is None or self.rated_power is None
            else bounds.rated * self.rated_power
        )
        return (
            -limit if bounds.min is None else max(bounds.min, -limit),
            limit if bounds.max is None else min(bounds.max, limit),
        )
