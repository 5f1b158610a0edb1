"""What an energy counter has counted, over glitches, restarts and a replaced inverter.

A counter goes on from where it was, no faster than its power allows. What does not is a glitch,
unless three polls in a row agree with each other: then the counter has started anew, because its
inverter was reset or replaced.
"""

from dataclasses import dataclass
from math import inf

from .profile import Counter

CONSISTENT_POLLS = 3
"""After how many polls that agree with each other a counter is taken to have started anew."""

_ROUNDING = 0.2
"""What a counter may be off by, in kWh, on top of what its power explains."""

_JUST_STARTED = 3600.0
"""For how many seconds a counter that started at nothing may have counted unseen."""

_STORED_SLACK = 86400.0
"""By how many seconds the time of a stored count may be off: the clock may have been wrong."""

_WATT_SECONDS = 3_600_000
"""In a kWh."""


@dataclass(frozen=True, kw_only=True)
class StoredCount:
    """A counter as it outlives a restart of the program, in kWh; ``age`` in s since it was read.

    ``counted_before`` is what the counter stood at when it started anew, where that was not
    nothing: an inverter that had counted elsewhere. ``carried`` is what was counted here before
    it started anew.
    """

    value: float
    counted_before: float = 0.0
    carried: float = 0.0
    age: float | None = None


@dataclass(frozen=True)
class _Point:
    """What a counter read in kWh, when in seconds, and how many polls have borne it out."""

    value: float
    at: float
    polls: int = 1
    slack: float = 0.0

    def reach(self, watts: float, now: float) -> float:
        """Return by how many kWh the counter can have risen since."""
        if watts == inf:
            return inf
        return watts * (now - self.at + self.slack) / _WATT_SECONDS + _ROUNDING

    def leads_to(self, value: float, watts: float, now: float) -> bool:
        """Whether the counter can read ``value`` by now, at no more than ``watts``."""
        return self.value <= value <= self.value + self.reach(watts, now)


class Count:
    """One counter, as ``kind`` says: for life, or anew each day."""

    def __init__(self, kind: Counter) -> None:
        """Start with nothing known."""
        self._kind = kind
        self._last: _Point | None = None
        self._start: _Point | None = None
        self._candidate: _Point | None = None
        self._carried = 0.0
        self.counted_before = 0.0

    @property
    def value(self) -> float | None:
        """What was counted since the counter started, in kWh, however long ago it was read."""
        if self._last is None:
            return None
        return round(self._last.value - self.counted_before, 2)

    @property
    def accumulated(self) -> float | None:
        """What was counted here in all, in kWh: it goes on where the counter started anew."""
        return None if self.value is None else round(self._carried + self.value, 2)

    def stored(self, now: float) -> StoredCount | None:
        """Return what is to be kept over a restart of the program."""
        if self._last is None or self.value is None:
            return None
        return StoredCount(
            value=self.value,
            counted_before=self.counted_before,
            carried=self._carried,
            age=now - self._last.at,
        )

    def restore(self, stored: StoredCount, now: float) -> None:
        """Go on from what was kept, so that the counter can't fall below it."""
        self.counted_before = stored.counted_before
        self._carried = stored.carried
        self._last = _Point(
            stored.value + stored.counted_before,
            now - (stored.age or 0.0),
            CONSISTENT_POLLS,
            inf if stored.age is None else _STORED_SLACK,
        )

    def take(self, sample: float, watts: float, now: float) -> bool:
        """Take a reading in kWh, and return whether it is believed.

        ``watts`` is the most that the counter's power can be, ``now`` a monotonic time in seconds.
        """
        last = self._last
        if last is None:
            self._last = _Point(sample, now)
            return True
        if last.leads_to(sample, watts, now):
            self._last = _Point(sample, now, last.polls + 1)
            self._candidate = None
            return True
        return self._starts_anew(last, sample, watts, now)

    def _starts_anew(
        self, last: _Point, sample: float, watts: float, now: float
    ) -> bool:
        candidate = self._candidate
        if candidate is None or not candidate.leads_to(sample, watts, now):
            self._candidate = self._start = _Point(sample, now)
            return False
        self._candidate = _Point(sample, now, candidate.polls + 1)
        if self._candidate.polls < CONSISTENT_POLLS:
            return False
        if self._kind is Counter.TOTAL:
            self._carry_over(last, watts, now)
        self._last, self._candidate = self._candidate, None
        return True

    def _carry_over(self, last: _Point, watts: float, now: float) -> None:
        """Keep what was counted so far, and begin again at nothing.

        Home Assistant's statistics take all that a counter shows after a fall for newly counted.
        """
        assert self._start is not None
        # A single reading that nothing ever bore out was a glitch itself.
        if last.polls >= CONSISTENT_POLLS:
            self._carried += last.value - self.counted_before
        unseen = _Point(0.0, max(last.at, now - _JUST_STARTED))
        from_nothing = unseen.leads_to(self._start.value, watts, now)
        self.counted_before = 0.0 if from_nothing else self._start.value
