"""What a counter has counted, whatever is read of it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.solax_parallel.a1_ess.counters import (
    Count,
    StoredCount,
    counted_at,
)
from custom_components.solax_parallel.a1_ess.profile import Profile, load_profile
from custom_components.solax_parallel.a1_ess.register import Register

HOUR = 3600.0
PER_HOUR = 10.0
"""Of an inverter of 5 kW: kWh at twice its rated power."""


@pytest.fixture
def total(profile: Profile) -> Register:
    """A counter for life, in steps of 0.1 kWh."""
    return profile.registers["pv_energy_total"]


@pytest.fixture
def today(profile: Profile) -> Register:
    """A counter of the day, in steps of 0.1 kWh."""
    return profile.registers["pv_energy_today"]


def known(register: Register, value: float) -> Count:
    """Return a counter that was believed at the time 0."""
    count = Count(register)
    for _ in range(3):
        count.take(value, PER_HOUR, 0)
    assert count.value == value
    return count


def taken(
    count: Count,
    samples: Iterable[float | None],
    *,
    start: float = 10.0,
    step: float = 10.0,
) -> list[float | None]:
    """Return what the counter shows after each poll; None where the poll is not believed."""
    return [
        count.value
        if sample is not None and count.take(sample, PER_HOUR, start + n * step)
        else None
        for n, sample in enumerate(samples)
    ]


# --- the first readings ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("samples", "shown"),
    [
        pytest.param([500, 500, 500.1], [None, None, 500.1], id="three_that_agree"),
        pytest.param(
            [90000, 500, 500, 500], [None, None, None, 500], id="spike_at_first"
        ),
        pytest.param([500, 0, 500, 0, 500], [None] * 5, id="to_and_fro"),
        pytest.param([500, 500, 499, 499, 499], [None] * 4 + [499], id="falling"),
    ],
)
def test_a_first_reading_needs_others(
    total: Register, samples: Sequence[float], shown: list[float | None]
) -> None:
    count = Count(total)
    assert (count.value, count.accumulated, count.stored(0)) == (None, None, None)

    assert taken(count, samples) == shown
    assert count.is_known == (shown[-1] is not None)
    assert count.counted_before == 0


# --- going on -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "rise", "follows"),
    [
        (300, 0, True),
        (300, 0.8, True),
        (300, 0.9, True),
        (300, 1.0, False),
        (36, 0.1, True),
        (36, 0.2, True),
        (36, 0.3, False),
        (0, 0, True),
        (0, 0.1, True),
        (0, 0.2, False),
        # What takes longer than an interval between polls needs three polls.
        (HOUR, 0.9, True),
        (HOUR, 1.0, False),
        (300, -0.1, False),
        (300, -1000, False),
    ],
)
def test_a_counter_rises_no_faster_than_it_can(
    total: Register, seconds: float, rise: float, follows: bool
) -> None:
    count = known(total, 1000)

    assert taken(count, [1000 + rise], start=seconds) == [
        1000 + rise if follows else None
    ]
    assert count.value == (1000 + rise if follows else 1000)


@pytest.mark.parametrize(("rise", "goes_on"), [(9.9, True), (10.2, False)])
def test_after_a_silence_three_polls_tell(
    total: Register, rise: float, goes_on: bool
) -> None:
    count = known(total, 1000)

    samples = [1000 + rise] * 3
    assert taken(count, samples, start=HOUR)[:2] == [None, None]
    if goes_on:
        assert (count.value, count.accumulated) == (1000 + rise, 1000 + rise)
        assert count.counted_before == 0
    else:
        assert (count.value, count.accumulated) == (0, 1000)
        assert count.counted_before == 1000 + rise


@pytest.mark.parametrize(("rise", "goes_on"), [(5, True), (5.5, False)])
def test_a_counter_may_stand_still_and_leap(
    total: Register, rise: float, goes_on: bool
) -> None:
    count = known(total, 1000)
    taken(count, [1000] * 180)

    leapt = 1000 + rise
    assert taken(count, [leapt] * 3, start=1810) == [
        None,
        None,
        leapt if goes_on else 0,
    ]


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param([3, 1000], id="one_low"),
        pytest.param([3, 3, 1000], id="two_low"),
        pytest.param([3, 3, 1000, 3, 3, 1000], id="two_and_two_low"),
        pytest.param([3, 2, 1, 0, 1000], id="falling_on"),
        pytest.param([3, 700, 5, 900, 1000], id="wild"),
        pytest.param([9000, 1000], id="one_high"),
        pytest.param([9000, 9000, 1000], id="two_high"),
        pytest.param([3, 3, None, 1000], id="two_low_and_nothing"),
        pytest.param([0, 0, 1000], id="nothing"),
    ],
)
@pytest.mark.parametrize("key", ["pv_energy_total", "pv_energy_today"])
def test_a_glitch_changes_nothing(
    profile: Profile, key: str, samples: Sequence[float | None]
) -> None:
    count = known(profile.registers[key], 1000)

    shown = taken(count, samples)

    assert shown[-1] == 1000
    assert set(shown) == {None, 1000}
    assert count.accumulated == 1000


def test_a_glitch_that_could_be_true_is_waited_for(total: Register) -> None:
    count = known(total, 1000)

    # The third reading was wrong by one step. Nothing shown ever falls.
    assert taken(count, [1000, 1000.1, 1000.2, 1000.1, 1000.1, 1000.2, 1000.3]) == [
        1000,
        1000.1,
        1000.2,
        1000.2,
        1000.2,
        1000.2,
        1000.3,
    ]
    assert count.counted_before == 0


def test_polls_without_a_value_do_not_bear_anything_out(total: Register) -> None:
    count = known(total, 1000)

    assert taken(count, [3, None, None, None, 3]) == [None] * 5
    assert count.value == 1000
    assert taken(count, [3], start=60) == [0]


def test_readings_of_one_poll_tell_that_it_went_on(total: Register) -> None:
    count = known(total, 1000)

    assert taken(count, [1009] * 3, start=HOUR, step=0) == [None, None, 1009]
    assert count.counted_before == 0


# --- starting anew --------------------------------------------------------------------


@pytest.mark.parametrize("reading", [0.0, 700.0, 5000.0])
def test_readings_of_one_poll_do_not_make_it_start_anew(
    total: Register, reading: float
) -> None:
    count = known(total, 1000)

    assert taken(count, [reading] * 5, step=0) == [None] * 5
    assert taken(count, [reading], start=20) == [None]
    assert count.value == 1000
    assert taken(count, [reading], start=30) == [0]


def test_a_counter_that_was_reset_starts_at_nothing(total: Register) -> None:
    count = known(total, 1000)

    assert taken(count, [0.0, 0.0, 0.1, 0.1, 0.2]) == [None, None, 0.1, 0.1, 0.2]
    assert (count.accumulated, count.counted_before) == (1000.2, 0)


def test_what_it_counted_since_it_was_reset_counts(total: Register) -> None:
    count = known(total, 1000)

    assert taken(count, [4.0, 4.0, 4.1], start=HOUR / 2) == [None, None, 4.1]
    assert (count.accumulated, count.counted_before) == (1004.1, 0)


def test_what_it_counted_since_it_was_reset_behind_a_stale_reading_counts(
    total: Register,
) -> None:
    """Some say for a while what they stood at before, and are reset meanwhile."""
    count = known(total, 1000)
    assert taken(count, [1000.0] * 3, start=HOUR / 6) == [1000.0] * 3

    assert taken(count, [4.0, 4.0, 4.1], start=HOUR / 2) == [None, None, 4.1]
    assert (count.accumulated, count.counted_before) == (1004.1, 0)


@pytest.mark.parametrize(
    ("first", "start"),
    [
        pytest.param(700.0, 10, id="lower"),
        pytest.param(3.0, 10, id="more_than_it_can_have_counted"),
        pytest.param(10.2, HOUR, id="more_than_it_can_have_counted_in_an_hour"),
        pytest.param(30.0, 5 * HOUR, id="after_a_long_silence"),
        pytest.param(5000.0, 10, id="higher"),
    ],
)
def test_what_it_stood_at_does_not_count(
    total: Register, first: float, start: float
) -> None:
    count = known(total, 1000)

    shown = taken(count, [first, first, first + 0.1, first + 0.2], start=start)

    assert shown == [None, None, 0.1, 0.2]
    assert (count.accumulated, count.counted_before) == (1000.2, first)


def test_a_counter_can_start_anew_again_and_again(total: Register) -> None:
    count = known(total, 1000)
    shown = taken(count, [700, 700, 700, 700.1, 0, 0, 0.1, 50, 50, 50.1])
    assert shown == [None, None, 0, 0.1, None, None, 0.1, None, None, 0.1]
    assert (count.accumulated, count.counted_before) == (1000.3, 50)


def test_a_long_glitch_counts_nothing_twice(total: Register) -> None:
    """A counter that read nothing for a while is back, as if another one had come."""
    count = known(total, 200)

    shown = taken(count, [0, 0, 0, 0, 200, 200, 200.1])

    assert shown == [None, None, 0, 0, None, None, 0.1]
    assert (count.accumulated, count.counted_before) == (200.1, 200)


@pytest.mark.parametrize(
    ("samples", "shown"),
    [
        pytest.param([12.4, 0, 0, 0.1], [12.4, None, None, 0.1], id="midnight"),
        pytest.param([12.3, 0.2, 0.2, 0.2], [12.3, None, None, 0.2], id="a_bit_later"),
        pytest.param([4, 4, 4.1], [None, None, 4.1], id="clock_was_set"),
        pytest.param([0, 12.3, 0, 12.4], [None, 12.3, None, 12.4], id="glitch_at_noon"),
    ],
)
def test_a_days_counter_falls_after_three_polls(
    today: Register, samples: list[float], shown: list[float | None]
) -> None:
    count = known(today, 12.3)

    assert taken(count, samples) == shown
    assert count.counted_before == 0


# --- over a restart of the program ----------------------------------------------------


def stored(
    register: Register, value: float, **changes: float | str | None
) -> StoredCount:
    kept = StoredCount(value=value, age=10, place=counted_at(register))
    return replace(kept, **changes)  # type: ignore[arg-type]


def test_a_counter_goes_on_from_what_was_stored(total: Register) -> None:
    count = known(total, 1000)
    taken(count, [700, 700, 700.1])
    kept = count.stored(40)
    assert kept == StoredCount(
        value=0.1, counted_before=700, carried=1000, age=10, place=counted_at(total)
    )

    restored = Count.restored(total, kept, 0)

    assert restored.stored(5) == replace(kept, age=15)
    assert (restored.value, restored.accumulated) == (0.1, 1000.1)
    assert taken(restored, [700.2, 700.1, 700.2]) == [0.2, 0.2, 0.2]
    assert (restored.accumulated, restored.counted_before) == (1000.2, 700)


@pytest.mark.parametrize(
    ("age", "rise", "goes_on"),
    [
        pytest.param(HOUR, 9, True, id="an_hour"),
        pytest.param(HOUR, 240, True, id="a_day_that_the_clock_missed"),
        pytest.param(HOUR, 260, False, id="more_than_a_day_too_much"),
        pytest.param(7 * 24 * HOUR, 1600, True, id="a_week"),
        pytest.param(None, 250000, True, id="nobody_knows_how_long"),
    ],
)
def test_a_restored_counter_may_have_risen_meanwhile(
    total: Register, age: float | None, rise: float, goes_on: bool
) -> None:
    count = Count.restored(total, stored(total, 1000, age=age), 0)

    shown = taken(count, [1000 + rise] * 3)

    assert shown == [None, None, 1000 + rise if goes_on else 0]
    assert count.accumulated == (1000 + rise if goes_on else 1000)


def test_the_clock_is_doubted_only_once(total: Register) -> None:
    count = Count.restored(total, stored(total, 1000), 0)
    taken(count, [1000])

    assert taken(count, [1200] * 3, start=20) == [None, None, 0]


@pytest.mark.parametrize("glitch", [0.0, 999.9, 1001.0, 1100.0, 250000.0])
def test_a_glitch_right_after_a_restart_changes_nothing(
    total: Register, glitch: float
) -> None:
    count = Count.restored(total, stored(total, 1000, age=HOUR), 0)

    assert taken(count, [glitch, 1000, 1000.1]) == [None, 1000, 1000.1]


def test_a_counter_in_another_place_is_another_one(total: Register) -> None:
    moved = replace(total, address=total.address + 2)
    count = Count.restored(moved, stored(total, 30, carried=970.0), 0)

    assert (count.value, count.accumulated) == (None, 1000)
    # It may be a while before it is read.
    count = Count.restored(moved, count.stored(0) or stored(total, 0), 0)
    assert (count.value, count.accumulated) == (None, 1000)
    assert taken(count, [30.2, 30.2, 30.3]) == [None, None, 0.1]
    assert (count.accumulated, count.counted_before) == (1000.1, 30.2)


def test_a_days_counter_in_another_place_is_read_as_it_is(today: Register) -> None:
    moved = replace(today, scale=1)
    count = Count.restored(moved, stored(today, 12.3), 0)

    assert taken(count, [7, 7, 7]) == [None, None, 7]


def test_what_a_joining_counter_brings_along_is_not_accumulated(
    total: Register,
) -> None:
    count = Count(total, joins=True)
    assert (count.value, count.accumulated) == (None, 0)

    assert taken(count, [5000, 5000, 5000.1, 5000.2]) == [None, None, 5000.1, 5000.2]
    assert count.accumulated == 0.2
    kept = count.stored(40)
    assert kept is not None
    assert Count.restored(total, kept, 0).accumulated == 0.2


# --- whatever comes -------------------------------------------------------------------


class Stretch(NamedTuple):
    """Some polls in a row: how long they lie apart, and what they bring."""

    polls: int
    seconds: float
    load: float
    trouble: str = ""
    factor: float = 0.0


READABLE = st.builds(
    Stretch,
    polls=st.integers(3, 12),
    seconds=st.sampled_from([5.0, 10.0, 60.0, 300.0]),
    load=st.sampled_from([0.0, 0.02, 0.5, 1.0]),
)
TROUBLED = st.builds(
    Stretch,
    polls=st.integers(1, 2),
    seconds=st.sampled_from([10.0, 300.0]),
    load=st.sampled_from([0.0, 1.0]),
    trouble=st.sampled_from(
        ["glitch", "silence", "reset", "restart", "restart_without_clock"]
    ),
    factor=st.one_of(
        st.sampled_from([0.0, 0.5, 0.999, 1.5]), st.floats(0, 0.99), st.floats(1.2, 1e4)
    ),
)
DAYS = st.lists(st.tuples(READABLE, TROUBLED), min_size=1, max_size=12)


@settings(derandomize=True, deadline=None, database=None, max_examples=300)
@given(began=st.sampled_from([0.0, 200.0, 54321.0]), day=DAYS)
def test_nothing_is_counted_twice_or_lost(
    began: float, day: list[tuple[Stretch, Stretch]]
) -> None:
    """A counter that is read at least three times between two troubles.

    What Home Assistant's statistics make of the values shown, and what was accumulated, is what
    was really counted: within a step of the counter for each time it started, and without what
    was counted between the last reading and a reset, which nobody can know.
    """
    meter = Meter(began)
    for readable, troubled in day:
        meter.read(readable)
        meter.suffer(troubled)
    meter.read(Stretch(3, 10.0, 0.0))

    assert meter.accumulated == sorted(meter.accumulated)
    bound = meter.count.register.scale * (1 + meter.resets) + meter.unknowable + 1e-6
    really = meter.energy - meter.known_from
    assert meter.accumulated[-1] - meter.accumulated[0] == pytest.approx(
        really, abs=bound
    )
    assert counted(meter.shown) == pytest.approx(really, abs=bound + meter.unseen)


class Meter:
    """A counter's register, what is counted by it, and what is made of its readings."""

    def __init__(self, began: float) -> None:
        self.count = Count(load_profile().registers["pv_energy_total"])
        self.energy = began
        self.known_from = began
        self.shown: list[float] = []
        self.accumulated: list[float] = []
        self.resets = 0
        self.unknowable = 0.0
        self.unseen = 0.0
        """Lost to Home Assistant, which sees no fall from a value that is next to nothing."""
        self._now = 0.0
        self._standing = 0.0
        self._energy_read = began
        self._reset_at: float | None = None

    def read(self, stretch: Stretch) -> None:
        """Let the counter be read."""
        for _ in range(stretch.polls):
            self._pass(stretch)
            self._take(self._register)
            self._energy_read = self.energy

    def suffer(self, stretch: Stretch) -> None:
        """Let something else happen."""
        for _ in range(stretch.polls):
            self._pass(stretch)
            match stretch.trouble:
                case "glitch":
                    glitch = round(self._register * stretch.factor, 1)
                    # One that could be true can't be told from the truth.
                    if not 0 <= glitch - self._register <= 1.5:
                        self._take(glitch)
                case "reset":
                    self.unknowable += self.energy - self._energy_read
                    if self.shown[-1] < 1.5:
                        # A fall that small could be a last step that was wrong.
                        self.unknowable += self.shown[-1]
                    self._energy_read = self._standing = self.energy
                    self.resets += 1
                    self._reset_at = self.shown[-1]
                case "restart" | "restart_without_clock":
                    kept = self.count.stored(self._now)
                    assert kept is not None
                    if stretch.trouble == "restart_without_clock":
                        kept = replace(kept, age=None)
                    self._now = 0.0
                    self.count = Count.restored(self.count.register, kept, 0.0)

    @property
    def _register(self) -> float:
        steps = int((self.energy - self._standing) / self.count.register.scale + 1e-6)
        return round(steps * self.count.register.scale, 1)

    def _pass(self, stretch: Stretch) -> None:
        self._now += stretch.seconds
        self.energy += stretch.load * PER_HOUR / 2 * stretch.seconds / HOUR

    def _take(self, sample: float) -> None:
        if self.count.take(sample, PER_HOUR, self._now):
            assert self.count.value is not None
            if not self.shown:
                self.known_from = self.energy
            if self._reset_at is not None:
                if self.count.value >= 0.9 * self._reset_at:
                    self.unseen += self._reset_at
                self._reset_at = None
            self.shown.append(self.count.value)
        if self.count.accumulated is not None:
            self.accumulated.append(self.count.accumulated)


def counted(values: Sequence[float]) -> float:
    """Return what Home Assistant's statistics count: all that is shown after a fall is new."""
    total = 0.0
    for earlier, later in pairwise(values):
        total += later if later < 0.9 * earlier else later - earlier
    return total
