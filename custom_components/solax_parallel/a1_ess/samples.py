"""Which readings are believed.

A sample that can't be true is dropped and counted, never clamped. The last good value stands in
for it for three polls, then there is none.
"""

from collections import Counter as Tally
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field

from .counters import Count, StoredCount
from .family import LARGEST_RATED_POWER
from .register import Bounds, Register
from .source import Value

HELD_POLLS = 3
"""For how many polls a good value stands in for bad ones."""

_TWICE_RATED = Bounds(rated=2)
_HOURS = "h"


@dataclass
class _Track:
    """What is remembered of one register."""

    value: float | None = None
    missed: int = 0

    def hold(self, value: float | None) -> None:
        """Note a poll that brought a good value."""
        self.value = value
        self.missed = 0

    def miss(self) -> None:
        """Note a poll that brought no good value."""
        self.missed += 1
        if self.missed > HELD_POLLS:
            self.value = None


@dataclass
class Samples:
    """The believed readings of one inverter.

    ``rated_power`` is in W; while it is None, bounds that depend on it are those of the largest
    inverter. A counter that is first read when its key is in ``joins`` counted elsewhere so far.
    """

    rated_power: float | None = None
    joins: Container[str] = ()
    dropped: Tally[str] = field(default_factory=Tally)
    counts: dict[str, Count] = field(default_factory=dict)
    """The counters by their registers' keys, as far as they were ever read."""
    _tracks: dict[str, _Track] = field(default_factory=dict)

    def restore(
        self,
        registers: Iterable[Register],
        stored: Mapping[str, StoredCount],
        now: float,
    ) -> None:
        """Go on with the counters of before a restart; ``now`` is as for ``take``.

        What they stood at last stands in for bad polls, as it would have done then.
        """
        for register in registers:
            if register.counter is None or register.key not in stored:
                continue
            count = Count.restored(register, stored[register.key], now)
            self.counts[register.key] = count
            self._tracks[register.key] = _Track(count.value)

    def stored(self, now: float) -> dict[str, StoredCount]:
        """Return what is to be kept of the counters over a restart."""
        kept = {key: count.stored(now) for key, count in self.counts.items()}
        return {key: count for key, count in kept.items() if count is not None}

    @property
    def counted_before(self) -> dict[str, float]:
        """What counters stood at that did not start at nothing, by their registers' keys."""
        return {
            key: count.counted_before
            for key, count in self.counts.items()
            if count.counted_before
        }

    def doubtful(
        self, counters: Iterable[Register], readings: Mapping[str, Value | None]
    ) -> list[Register]:
        """Return those counters that have a reading, but no good value until it is believed."""
        return [
            register
            for register in counters
            if readings.get(register.key) is not None
            and (
                register.key not in self._tracks
                or self._tracks[register.key].value is None
            )
        ]

    def accumulated(self, key: str) -> float | None:
        """Return what a counter has counted here in all, however long ago it was read."""
        if key in self.counts:
            return self.counts[key].accumulated
        return 0.0 if key in self.joins else None

    def take(
        self,
        registers: Iterable[Register],
        readings: Mapping[str, Value | None],
        now: float,
    ) -> dict[str, float | None]:
        """Return what is believed of ``registers`` after a poll that brought ``readings``.

        A register that is missing from ``readings`` was not read; one that is None had no value.
        ``now`` is a time in seconds that never runs back. Registers with a unit are the ones that
        measure.
        """
        return {
            register.key: self._take(register, readings, now)
            for register in registers
            if register.unit is not None
        }

    def held(self, registers: Iterable[Register]) -> dict[str, float | None]:
        """Return what is believed of ``registers`` without a new reading."""
        return {
            register.key: self._tracks[register.key].value
            if register.key in self._tracks
            else None
            for register in registers
        }

    def can_be(self, value: float, bounds: Bounds) -> bool:
        """Return whether ``value`` alone can be true of this inverter, whatever came before it."""
        return bounds.admit(value, self._rated_power)

    def miss(self) -> None:
        """Note a poll that brought nothing at all."""
        for track in self._tracks.values():
            track.miss()

    def forget(self) -> None:
        """Let no value from before stand in for one to come; counters stay what they are."""
        for track in self._tracks.values():
            track.value = None

    def _take(
        self, register: Register, readings: Mapping[str, Value | None], now: float
    ) -> float | None:
        track = self._tracks.setdefault(register.key, _Track())
        sample = readings.get(register.key)
        if sample is None:
            # "No value" says that something is not there, which is news only for a while.
            if register.key in readings and track.value is not None:
                self.dropped[register.key] += 1
            track.miss()
        elif isinstance(sample, str):
            self._drop(register, track)
        elif register.counter is not None:
            self._count(register, track, sample, now)
        elif self._credible(register, track, sample):
            track.hold(sample)
        else:
            self._drop(register, track)
        return track.value

    def _drop(self, register: Register, track: _Track) -> None:
        self.dropped[register.key] += 1
        track.miss()

    def _count(
        self, register: Register, track: _Track, sample: float, now: float
    ) -> None:
        count = self.counts.get(register.key)
        if count is None:
            count = Count(register, joins=register.key in self.joins)
            self.counts[register.key] = count
        if count.take(sample, self._per_hour(register), now):
            track.hold(count.value)
        elif count.is_known:
            self._drop(register, track)

    def _credible(self, register: Register, track: _Track, sample: float) -> bool:
        bounds = register.bounds
        if bounds is None:
            return True
        if bounds.zero_only_after is not None and sample == 0:
            return track.value is None or track.value <= bounds.zero_only_after
        return self.can_be(sample, bounds)

    def _per_hour(self, register: Register) -> float:
        """Return the most that a counter can count in an hour, in its unit."""
        if register.unit == _HOURS:
            return 1.0
        _, most_watts = (register.bounds or _TWICE_RATED).limits(self._rated_power)
        return most_watts / 1000

    @property
    def _rated_power(self) -> float:
        return self.rated_power or LARGEST_RATED_POWER
