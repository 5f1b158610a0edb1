"""What a counter has counted, over glitches, restarts and a replaced inverter.

A counter goes on from where it was, no faster than what it counts allows. What does not is a
glitch, unless three polls in a row agree with each other: then the counter has started anew,
because its inverter was reset or replaced. Of what nothing is known yet, and after a long silence,
the first readings have to agree.
"""

from dataclasses import dataclass, replace
from math import inf

from .register import Counter, Register

CONSISTENT_POLLS = 3
"""How many polls that agree with each other outweigh what was known.

As many readings are enough, of one poll or more, where the counter can have gone on to them.
"""

BELIEVED_AT_ONCE = 300
"""For how many seconds a counter may have risen to be believed at once: two polls must not lie
further apart."""

_CLOCK_DOUBT = 86400.0
"""By how many seconds the age of a stored count may be off: a clock may have been wrong."""

_JUST_STARTED = 3600.0
"""For how many seconds a counter that started at nothing may have counted unseen."""

_FLOAT_ERROR = 1e-6


@dataclass(frozen=True, kw_only=True)
class StoredCount:
    """A counter as it outlives a restart of the program, in the unit of its register.

    ``value`` is what was counted since the counter started, ``counted_before`` what it stood at
    when it started anew where that was not nothing, ``carried`` what was counted before that.
    ``age`` is in seconds, None where it can't be told. ``place`` is where it was read from.
    """

    value: float
    counted_before: float = 0.0
    carried: float = 0.0
    age: float | None = None
    place: str = ""


@dataclass(frozen=True)
class _Course:
    """Readings that agree: the first and the last of them, when they came, and how many."""

    first: float
    since: float
    last: float
    at: float
    readings: int = 1
    polls: int = 1


class Count:
    """One counter: for life, or anew each day, as its register says."""

    def __init__(self, register: Register, *, joins: bool = False) -> None:
        """Start with nothing known.

        ``joins`` if it has counted elsewhere so far, which is not to be accumulated here.
        """
        self.register = register
        self._joins = joins
        self._starts_anew = False
        self._last: float | None = None
        self._before_last = 0.0
        self._since = 0.0
        self._at = 0.0
        self._doubt = 0.0
        self._candidate: _Course | None = None
        self._carried = 0.0
        self.counted_before = 0.0

    @classmethod
    def restored(cls, register: Register, stored: StoredCount, now: float) -> Count:
        """Go on from what was kept; at ``now``, a time in seconds that never runs back.

        A count that was read from another place was another counter.
        """
        count = cls(register)
        if stored.place == counted_at(register):
            count.counted_before = stored.counted_before
            count._carried = stored.carried
            count._last = count._before_last = stored.value + stored.counted_before
            count._since = count._at = now - (inf if stored.age is None else stored.age)
            count._doubt = _CLOCK_DOUBT
        elif register.counter is Counter.TOTAL:
            count._carried = stored.carried + stored.value
            count._starts_anew = True
        return count

    @property
    def is_known(self) -> bool:
        """Whether the counter was ever believed."""
        return self._last is not None

    @property
    def value(self) -> float | None:
        """What was counted since the counter started, however long ago it was read."""
        if self._last is None:
            return None
        return round(self._last - self.counted_before, 2)

    @property
    def accumulated(self) -> float | None:
        """What was counted here in all: it goes on where the counter started anew."""
        if (value := self.value) is None:
            return self._carried if self._starts_anew or self._joins else None
        return round(self._carried + value, 2)

    def stored(self, now: float) -> StoredCount | None:
        """Return what is to be kept over a restart of the program."""
        if (value := self.value) is None:
            return StoredCount(value=self._carried) if self._starts_anew else None
        return StoredCount(
            value=value,
            counted_before=self.counted_before,
            carried=self._carried,
            age=None if self._at == -inf else now - self._at,
            place=counted_at(self.register),
        )

    def take(self, sample: float, per_hour: float, now: float) -> bool:
        """Take a reading, and return whether it is believed.

        ``per_hour`` is the most that can be counted in an hour, ``now`` a time in seconds that
        never runs back.
        """
        last = self._last
        if last is not None:
            if self._is_dip(last, sample, per_hour, now):
                # A sum must not fall: it waits for the counter.
                sample = last
            if self._leads(
                last, sample, per_hour, min(now - self._at, BELIEVED_AT_ONCE)
            ):
                self._go_on(sample, now)
                return True
        course = self._borne_out(sample, per_hour, now)
        if last is None or self._goes_on(last, course, per_hour, now):
            if course.readings < CONSISTENT_POLLS:
                return False
            if last is None:
                self._begin(course)
        elif course.polls < CONSISTENT_POLLS:
            return False
        else:
            self._begin_anew(last, course, per_hour)
        self._go_on(course.last, now)
        return True

    def _goes_on(
        self, last: float, course: _Course, per_hour: float, now: float
    ) -> bool:
        """Whether the counter can have counted from the last reading to the latest ones."""
        # Some let a counter stand still for a while, and then leap to where it is.
        standing = max(now - self._since, BELIEVED_AT_ONCE) + self._doubt
        fell = course.first < last - _FLOAT_ERROR
        return not fell and self._leads(last, course.last, per_hour, standing)

    def _leads(
        self, value: float, later: float, per_hour: float, seconds: float
    ) -> bool:
        """Whether the counter can go from one value to another in a time."""
        # Between two readings of a counter one step more can show than was counted.
        most = per_hour * seconds / 3600 + self.register.scale + _FLOAT_ERROR
        return value - _FLOAT_ERROR <= later <= value + most

    def _is_dip(self, last: float, sample: float, per_hour: float, now: float) -> bool:
        """Whether the last step up was wrong, rather than that the counter has started anew."""
        return (
            0 < sample < last
            and sample >= self._before_last
            and not self._agrees(sample, per_hour, now)
        )

    def _agrees(self, sample: float, per_hour: float, now: float) -> bool:
        """Whether a reading goes on from the latest ones off the known course."""
        course = self._candidate
        return course is not None and self._leads(
            course.last, sample, per_hour, now - course.at
        )

    def _borne_out(self, sample: float, per_hour: float, now: float) -> _Course:
        """Return the readings off the known course that agree up to this one."""
        course = self._candidate
        if course is None or not self._agrees(sample, per_hour, now):
            self._candidate = _Course(sample, now, sample, now)
        else:
            self._candidate = replace(
                course,
                last=sample,
                at=now,
                readings=course.readings + 1,
                polls=course.polls + (now > course.at),
            )
        return self._candidate

    def _go_on(self, sample: float, now: float) -> None:
        if self._last is None or sample > self._last:
            self._before_last = sample if self._last is None else self._last
            self._since = now
        self._last, self._at = sample, now
        self._candidate = None
        self._doubt = 0.0

    def _begin(self, course: _Course) -> None:
        """Begin to count, with or without what the counter brings along."""
        if self._starts_anew:
            self.counted_before = course.first
        elif self._joins:
            self._carried = -course.first
        self._starts_anew = False

    def _begin_anew(self, last: float, course: _Course, per_hour: float) -> None:
        """Keep what was counted so far, and begin again at nothing.

        Home Assistant's statistics take all that a counter shows after a fall for newly counted.
        """
        self._last = None
        if self.register.counter is Counter.TODAY:
            return
        self._carried += last - self.counted_before
        # Some stand still for a while, and may be reset meanwhile.
        unseen = min(course.since - self._since, _JUST_STARTED)
        from_nothing = course.first < last and self._leads(
            0.0, course.first, per_hour, unseen
        )
        self.counted_before = 0.0 if from_nothing else course.first


def counted_at(register: Register) -> str:
    """Return where a register is read from, and how: a change of it makes another counter."""
    return f"{register.window} {register.place} {register.type} x{register.scale}"
