"""Which readings are believed.

A sample that can't be true is dropped and counted, never clamped. The last good value stands in
for it for three polls, then there is none.
"""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf

from .profile import Bounds, Counter, Register
from .source import Value

HELD_POLLS = 3
"""For how many polls a good value stands in for bad ones."""

CONSISTENT_POLLS = 3
"""After how many polls that agree with each other a counter is taken to have restarted."""

_TWICE_RATED = Bounds(rated=2)
# What a counter may be off by through rounding, in kWh, on top of what its power explains.
_ROUNDING = 0.2


@dataclass
class _Point:
    """A value of a counter in kWh, when it was read in seconds, and how often it was confirmed."""

    value: float
    at: float | None
    polls: int = 1


@dataclass
class _Track:
    """What is remembered of one register."""

    value: float | None = None
    missed: int = 0
    counted: _Point | None = None
    restart: _Point | None = None

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
    _tracks: dict[str, _Track] = field(default_factory=dict)

    def restore(self, totals: Mapping[str, float]) -> None:
        """Remember counters in kWh from before a restart, so that they can't fall below."""
        for key, value in totals.items():
            self._tracks[key] = _Track(counted=_Point(value, None))

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

    def forget(self) -> None:
        """Let no value from before stand in for one to come; counters stay what they are."""
        for track in self._tracks.values():
            track.value = None

    def last_total(self, key: str) -> float | None:
        """Return the last believed value of a counter in kWh, however long ago it was read."""
        track = self._tracks.get(key)
        return track.counted.value if track and track.counted else None

    def _take(
        self, register: Register, readings: Mapping[str, Value | None], now: float
    ) -> float | None:
        track = self._tracks.setdefault(register.key, _Track())
        sample = readings.get(register.key)
        if isinstance(sample, int | float) and self._credible(
            register, track, sample, now
        ):
            track.value = sample
            track.missed = 0
            return sample
        if register.key in readings:
            self.dropped[register.key] += 1
        track.miss()
        return track.value

    def _credible(
        self, register: Register, track: _Track, sample: float, now: float
    ) -> bool:
        if register.counter is not None:
            return self._counts(register, track, sample, now)
        bounds = register.bounds
        if bounds is None:
            return True
        if bounds.zero_only_after is not None and sample == 0:
            return track.value is None or track.value <= bounds.zero_only_after
        return bounds.admit(sample, self.rated_power)

    def _counts(
        self, register: Register, track: _Track, sample: float, now: float
    ) -> bool:
        """Whether a counter can have come to ``sample`` by now."""
        last = track.counted
        if last is None or self._follows(register, last, sample, now):
            track.counted = _Point(sample, now)
            track.restart = None
            return True
        # Not a continuation: a glitch, unless the counter goes on from here.
        restart = track.restart
        if restart is None or not self._follows(register, restart, sample, now):
            track.restart = _Point(sample, now)
            return False
        track.restart = _Point(sample, now, restart.polls + 1)
        if track.restart.polls < CONSISTENT_POLLS:
            return False
        track.counted = track.restart
        track.restart = None
        return True

    def _follows(
        self, register: Register, earlier: _Point, sample: float, now: float
    ) -> bool:
        _, most_watts = (register.bounds or _TWICE_RATED).limits(self.rated_power)
        most = (
            inf
            if earlier.at is None or most_watts == inf
            else most_watts * (now - earlier.at) / 3_600_000 + _ROUNDING
        )
        if earlier.value <= sample <= earlier.value + most:
            return True
        # A day's counter starts again at midnight, with what came since then.
        return (
            register.counter is Counter.TODAY
            and earlier.at is not None
            and 0 <= sample <= most
        )
