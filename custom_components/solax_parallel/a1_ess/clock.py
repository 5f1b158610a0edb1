"""A time that counters can be held against."""

from collections.abc import Callable
import time


class SteadyClock:
    """A time in seconds that goes on while the machine sleeps, and never runs back.

    The monotonic clock of a machine that was suspended has missed what its inverters counted
    meanwhile. The wall clock has not, but may be set back.
    """

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Start at zero."""
        self._monotonic = monotonic
        self._wall = wall
        self._shown = monotonic(), wall()
        self._now = 0.0

    def __call__(self) -> float:
        """Return the seconds since the start, as the faster of both clocks counts them."""
        before, self._shown = self._shown, (self._monotonic(), self._wall())
        self._now += max(self._shown[0] - before[0], self._shown[1] - before[1])
        return self._now
