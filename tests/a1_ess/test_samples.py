"""Which readings are believed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from math import inf
from random import Random

import pytest

from custom_components.solax_parallel.a1_ess.profile import Bounds, Profile, Register
from custom_components.solax_parallel.a1_ess.samples import Samples

RATED = 5000
HOUR = 3600.0

# key, lowest and highest value that is believed, and the register's step
BOUNDS = [
    ("ac_voltage", 0, 320, 0.1),
    ("l1_voltage", 0, 160, 0.1),
    ("l2_voltage", 0, 160, 0.1),
    ("backup_l1_voltage", 0, 160, 0.1),
    ("backup_l2_voltage", 0, 160, 0.1),
    ("frequency", 45, 66, 0.01),
    ("l1_frequency", 45, 66, 0.01),
    ("l2_frequency", 45, 66, 0.01),
    ("ac_current", -80, 80, 0.1),
    ("l1_current", -80, 80, 0.1),
    ("l2_current", -80, 80, 0.1),
    ("backup_l1_current", -80, 80, 0.1),
    ("backup_l2_current", -80, 80, 0.1),
    ("ac_power", -2 * RATED, 2 * RATED, 1),
    ("l1_power", -2 * RATED, 2 * RATED, 1),
    ("l2_power", -2 * RATED, 2 * RATED, 1),
    ("backup_l1_power", -2 * RATED, 2 * RATED, 1),
    ("backup_l2_power", -2 * RATED, 2 * RATED, 1),
    ("backup_l1_apparent", -2 * RATED, 2 * RATED, 1),
    ("backup_l2_apparent", -2 * RATED, 2 * RATED, 1),
    ("pv1_voltage", 0, 620, 0.1),
    ("pv2_voltage", 0, 620, 0.1),
    ("pv3_voltage", 0, 620, 0.1),
    ("pv1_current", 0, 40, 0.1),
    ("pv2_current", 0, 40, 0.1),
    ("pv3_current", 0, 40, 0.1),
    ("pv1_power", 0, 12000, 1),
    ("pv2_power", 0, 12000, 1),
    ("pv3_power", 0, 12000, 1),
    ("battery_voltage", 0, 650, 0.1),
    ("battery_current", -80, 80, 0.1),
    ("battery_power", -20000, 20000, 1),
    ("battery_soc", 0, 100, 1),
    ("battery_temperature", -40, 120, 1),
    ("inverter_temperature", -40, 120, 1),
    ("meter_power", -60000, 60000, 1),
]


def believed(
    samples: Samples,
    register: Register,
    sequence: Iterable[float | None],
    *,
    start: float = 0.0,
    step: float = 10.0,
) -> list[float | None]:
    """Return what is believed after each poll of a sequence."""
    return [
        samples.take([register], {register.key: sample}, start + n * step)[register.key]
        for n, sample in enumerate(sequence)
    ]


# --- bounds ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "low", "high", "step"), BOUNDS, ids=[row[0] for row in BOUNDS]
)
def test_bounds_hold_to_the_last_step(
    profile: Profile, key: str, low: float, high: float, step: float
) -> None:
    register = profile.registers[key]
    inside = [low, low + step, (low + high) / 2, high - step, high]
    outside = [low - step, high + step, -1e6, 1e6]

    for sample in inside:
        assert believed(Samples(RATED), register, [sample]) == [sample]
    for sample in outside:
        samples = Samples(RATED)
        assert believed(samples, register, [sample]) == [None]
        assert samples.dropped == {key: 1}


def test_every_bounded_measurement_is_in_the_table(profile: Profile) -> None:
    assert {row[0] for row in BOUNDS} == {
        register.key
        for register in profile.registers.values()
        if register.bounds is not None
        and register.unit is not None
        and register.counter is None
        and not register.key.startswith("secondary_")
    }


@pytest.mark.parametrize("rated", [3800, 5000, 6000, 7600])
def test_power_is_bounded_by_the_rated_power(profile: Profile, rated: int) -> None:
    register = profile.registers["ac_power"]

    for sign in (1, -1):
        within, beyond = sign * 2 * rated, sign * (2 * rated + 1)
        assert believed(Samples(rated), register, [within]) == [within]
        assert believed(Samples(rated), register, [beyond]) == [None]


def test_power_is_not_bounded_while_the_rated_power_is_unknown(
    profile: Profile,
) -> None:
    assert believed(Samples(), profile.registers["ac_power"], [32766]) == [32766]


def test_bounds_of_both_kinds_apply_together(profile: Profile) -> None:
    register = replace(
        profile.registers["ac_power"], bounds=Bounds(min=-500, max=20000, rated=2)
    )

    for sample in (-500, 0, 10000):
        assert believed(Samples(RATED), register, [sample]) == [sample]
    for sample in (-501, 10001):
        assert believed(Samples(RATED), register, [sample]) == [None]
    register = replace(register, bounds=Bounds(min=-20000, max=500, rated=2))
    for sample in (-10000, 500):
        assert believed(Samples(RATED), register, [sample]) == [sample]
    for sample in (-10001, 501):
        assert believed(Samples(RATED), register, [sample]) == [None]


def test_an_open_bound_is_no_bound(profile: Profile) -> None:
    register = replace(profile.registers["ac_power"], bounds=Bounds(max=90))

    assert believed(Samples(), register, [-1e9]) == [-1e9]
    assert believed(Samples(), register, [91]) == [None]


def test_a_register_without_bounds_is_believed(profile: Profile) -> None:
    register = profile.registers["battery_capacity"]

    assert believed(Samples(RATED), register, [4_000_000_000]) == [4_000_000_000]


def test_the_frequency_may_be_nothing(profile: Profile) -> None:
    samples = Samples(RATED)

    assert believed(
        samples, profile.registers["frequency"], [60.0, 0, 44.99, 0, 0.01]
    ) == [60.0, 0, 0, 0, 0]
    assert samples.dropped == {"frequency": 2}


def test_what_does_not_measure_is_left_out(profile: Profile) -> None:
    registers = [profile.registers[key] for key in ("run_mode", "ac_power")]

    assert Samples(RATED).take(registers, {"run_mode": 2, "ac_power": 7}, 0) == {
        "ac_power": 7
    }


def test_text_is_no_measurement(profile: Profile) -> None:
    register = profile.registers["ac_power"]
    samples = Samples(RATED)

    assert samples.take([register], {"ac_power": "much"}, 0) == {"ac_power": None}
    assert samples.dropped == {"ac_power": 1}


# --- state of charge ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        pytest.param([0], [0], id="at_first"),
        pytest.param([5, 0], [5, 0], id="after_five"),
        pytest.param([6, 0], [6, 6], id="after_six"),
        pytest.param([50, 0, 51], [50, 50, 51], id="for_one_poll"),
        pytest.param(
            [50, 0, 0, 0, 0, 0], [50, 50, 50, 50, None, 0], id="until_it_is_sure"
        ),
        pytest.param([3, 0, 1, 0, 8, 0], [3, 0, 1, 0, 8, 8], id="to_and_fro"),
        pytest.param([50, None, 0], [50, 50, 50], id="after_a_gap"),
    ],
)
def test_the_charge_does_not_drop_to_nothing_at_once(
    profile: Profile,
    sequence: Sequence[float | None],
    expected: list[float | None],
) -> None:
    register = profile.registers["battery_soc"]

    assert believed(Samples(RATED), register, sequence) == expected


# --- held values ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad", [pytest.param(70000, id="spike"), pytest.param(None, id="no_value")]
)
def test_a_value_is_held_for_three_bad_polls(
    profile: Profile, bad: float | None
) -> None:
    samples = Samples(RATED)

    assert believed(
        samples, profile.registers["ac_power"], [100, bad, bad, bad, bad, bad, 200]
    ) == [100, 100, 100, 100, None, None, 200]
    assert samples.dropped == {"ac_power": 5}


def test_a_value_is_held_for_three_polls_without_a_reading(profile: Profile) -> None:
    samples = Samples(RATED)
    register = profile.registers["ac_power"]
    samples.take([register], {"ac_power": 100}, 0)

    assert [samples.take([register], {}, n)["ac_power"] for n in range(1, 6)] == [
        100,
        100,
        100,
        None,
        None,
    ]
    assert samples.dropped == {}


def test_polls_that_brought_nothing_at_all_count(profile: Profile) -> None:
    samples = Samples(RATED)
    register = profile.registers["ac_power"]
    samples.take([register], {"ac_power": 100}, 0)

    samples.miss()
    assert samples.take([register], {"ac_power": 70000}, 20) == {"ac_power": 100}
    samples.miss()
    assert samples.take([register], {"ac_power": 70000}, 40) == {"ac_power": None}
    assert samples.dropped == {"ac_power": 2}


def test_a_good_value_starts_the_count_again(profile: Profile) -> None:
    bad = 70000

    assert believed(
        Samples(RATED), profile.registers["ac_power"], [1, bad, bad, 2, bad, bad, bad]
    ) == [1, 1, 1, 2, 2, 2, 2]


def test_nothing_is_held_before_the_first_good_value(profile: Profile) -> None:
    assert believed(Samples(RATED), profile.registers["ac_power"], [70000, None]) == [
        None,
        None,
    ]


def test_registers_are_held_apart(profile: Profile) -> None:
    samples = Samples(RATED)
    registers = [profile.registers[key] for key in ("ac_power", "meter_power")]
    samples.take(registers, {"ac_power": 1, "meter_power": 2}, 0)

    assert samples.take(registers, {"ac_power": 70000, "meter_power": 3}, 10) == {
        "ac_power": 1,
        "meter_power": 3,
    }
    assert samples.dropped == {"ac_power": 1}


# --- counters for life ----------------------------------------------------------------


@pytest.fixture
def total(profile: Profile) -> Register:
    """A counter for life that follows twice the rated power: 10 kWh an hour."""
    return profile.registers["pv_energy_total"]


@pytest.mark.parametrize(
    ("seconds", "rise", "follows"),
    [
        (HOUR, 0, True),
        (HOUR, 10, True),
        (HOUR, 10.1, True),
        (HOUR, 10.3, False),
        (HOUR / 2, 5.1, True),
        (HOUR / 2, 5.3, False),
        (10, 0.1, True),
        (10, 0.2, True),
        (10, 0.3, False),
        (0, 0, True),
        (0, 0.1, True),
        (0, 0.3, False),
        (HOUR, -0.1, False),
        (HOUR, -1000, False),
    ],
)
def test_a_total_rises_no_faster_than_twice_the_rated_power(
    total: Register, seconds: float, rise: float, follows: bool
) -> None:
    samples = Samples(RATED)
    sequence = [1000.0, 1000.0 + rise]

    assert believed(samples, total, sequence, step=seconds) == [
        1000.0,
        1000.0 + rise if follows else 1000.0,
    ]
    assert samples.last_total(total.key) == (1000.0 + rise if follows else 1000.0)
    assert samples.dropped == ({} if follows else {total.key: 1})


def test_a_total_of_the_meter_rises_no_faster_than_the_meter_counts(
    profile: Profile,
) -> None:
    register = profile.registers["grid_import_total"]

    assert believed(Samples(RATED), register, [5, 65.2], step=HOUR) == [5, 65.2]
    assert believed(Samples(RATED), register, [5, 65.3], step=HOUR) == [5, 5]


@pytest.mark.parametrize("step", [0.0, 10.0])
def test_a_total_may_rise_as_it_likes_while_the_rated_power_is_unknown(
    total: Register, step: float
) -> None:
    assert believed(Samples(), total, [5, 5000], step=step) == [5, 5000]
    assert believed(Samples(), total, [5, 4.9], step=step) == [5, 5]


def test_a_long_silence_gives_a_total_time_to_rise(total: Register) -> None:
    samples = Samples(RATED)
    samples.take([total], {total.key: 100}, 0)
    for n in range(1, 20):
        samples.take([total], {}, n * HOUR)

    assert samples.take([total], {total.key: 290}, 20 * HOUR) == {total.key: 290}


def test_a_total_that_was_restarted_is_believed_after_three_polls(
    total: Register,
) -> None:
    samples = Samples(RATED)

    assert believed(samples, total, [1000, 1000, 3, 3.1, 3.1, 3.2]) == [
        1000,
        1000,
        1000,
        1000,
        3.1,
        3.2,
    ]
    assert samples.last_total(total.key) == 3.2
    assert samples.dropped == {total.key: 2}


@pytest.mark.parametrize(
    "sequence",
    [
        pytest.param([1000, 3, 1000], id="one_low"),
        pytest.param([1000, 3, 3, 1000], id="two_low"),
        pytest.param([1000, 3, 3, 1000, 3, 3, 1000], id="two_and_two_low"),
        pytest.param([1000, 3, 2, 1, 0, 1000], id="falling_on"),
        pytest.param([1000, 3, 700, 5, 900, 1000], id="wild"),
        pytest.param([1000, 9000, 1000], id="one_high"),
        pytest.param([1000, 9000, 9000, 1000], id="two_high"),
        pytest.param([1000, 3, 3, None, 1000], id="two_low_and_nothing"),
    ],
)
def test_a_glitch_is_no_restart(
    total: Register, sequence: Sequence[float | None]
) -> None:
    samples = Samples(RATED)

    believed(samples, total, sequence)

    assert samples.last_total(total.key) == 1000


def test_a_spike_as_the_first_reading_is_got_over(total: Register) -> None:
    assert believed(Samples(RATED), total, [90000, 500, 500, 500.1]) == [
        90000,
        90000,
        90000,
        500.1,
    ]


def test_polls_without_a_value_do_not_confirm_a_restart(total: Register) -> None:
    samples = Samples(RATED)

    believed(samples, total, [1000, 3, None, None, None, 3])
    assert samples.last_total(total.key) == 1000
    believed(samples, total, [3], start=60)
    assert samples.last_total(total.key) == 3


def test_the_last_total_outlives_the_held_value(total: Register) -> None:
    samples = Samples(RATED)

    assert believed(samples, total, [1000, None, None, None, None])[-1] is None
    assert samples.last_total(total.key) == 1000


def test_there_is_no_last_total_of_what_never_came(total: Register) -> None:
    samples = Samples(RATED)
    assert samples.last_total(total.key) is None

    believed(samples, total, [None])
    assert samples.last_total(total.key) is None


# --- restored counters ----------------------------------------------------------------


def test_a_restored_total_is_the_last_one_but_no_reading(total: Register) -> None:
    samples = Samples(RATED)

    samples.restore({total.key: 1000})

    assert samples.last_total(total.key) == 1000
    assert samples.take([total], {}, 0) == {total.key: None}


@pytest.mark.parametrize("first", [1000, 1000.1, 250000])
def test_a_restored_total_may_have_risen_any_far(total: Register, first: float) -> None:
    samples = Samples(RATED)
    samples.restore({total.key: 1000})

    assert believed(samples, total, [first]) == [first]
    assert samples.last_total(total.key) == first


def test_a_total_below_the_restored_one_is_believed_after_three_polls(
    total: Register,
) -> None:
    samples = Samples(RATED)
    samples.restore({total.key: 1000})

    assert believed(samples, total, [999.9, 999.9, 1000.0]) == [None, None, 1000.0]

    samples = Samples(RATED)
    samples.restore({total.key: 1000})
    assert believed(samples, total, [3, 3, 3.1]) == [None, None, 3.1]


# --- counters of a day ----------------------------------------------------------------


@pytest.fixture
def today(profile: Profile) -> Register:
    return profile.registers["pv_energy_today"]


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        pytest.param([12.3, 12.4, 0, 0.1], [12.3, 12.4, 0, 0.1], id="midnight"),
        pytest.param([12.3, 0.2], [12.3, 0.2], id="just_after_midnight"),
        pytest.param([12.3, 0.3], [12.3, 12.3], id="too_much_after_midnight"),
        pytest.param([12.3, 11, 12.3], [12.3, 12.3, 12.3], id="fall_not_to_nothing"),
        pytest.param([12.3, 90, 12.3], [12.3, 12.3, 12.3], id="spike"),
        pytest.param([0, 0, 0], [0, 0, 0], id="night"),
        pytest.param(
            [12.3, 4, 4, 4.1], [12.3, 12.3, 12.3, 4.1], id="three_polls_that_agree"
        ),
    ],
)
def test_a_days_counter_falls_only_to_about_nothing(
    today: Register, sequence: list[float], expected: list[float]
) -> None:
    assert believed(Samples(RATED), today, sequence) == expected


def test_a_days_counter_may_have_risen_since_midnight(today: Register) -> None:
    """After an hour without a reading it may stand at what an hour brings."""
    assert believed(Samples(RATED), today, [30, 10.1], step=HOUR) == [30, 10.1]
    assert believed(Samples(RATED), today, [30, 10.3], step=HOUR) == [30, 30]


# --- whatever comes -------------------------------------------------------------------


def some_sequence(random: Random) -> list[tuple[float, float | None]]:
    """Return times and samples of a counter with every kind of trouble."""
    now, count = 0.0, random.choice([0.0, 12.3, 50_000.0])
    polls: list[tuple[float, float | None]] = []
    for _ in range(60):
        now += random.choice([0.0, 5.0, 10.0, 10.0, 10.0, 300.0, HOUR])
        count = round(count + random.choice([0, 0, 0.1, 0.1, 0.2, 1, 40]), 1)
        if random.random() < 0.06:
            count = random.choice([0.0, 0.1, round(random.uniform(0, 60_000), 1)])
        glitch = random.choice(
            [0.0, 6553.5, count - 0.1, count / 2, random.uniform(0, 1e6), None]
        )
        polls.append((now, glitch if random.random() < 0.3 else count))
    return polls


def most(seconds: float) -> float:
    """Return what twice the rated power brings in a time, and what rounding adds."""
    return 2 * RATED * seconds / 3_600_000 + 0.2


def agree(came: Sequence[tuple[float, float]]) -> bool:
    """Whether the last three samples can be readings of one counter."""
    return len(came) >= 3 and all(
        first <= second <= first + most(later - earlier) + 1e-9
        for (earlier, first), (later, second) in pairwise(came[-3:])
    )


@pytest.mark.parametrize("restored", [False, True])
def test_a_total_leaves_its_course_only_after_three_polls_that_agree(
    total: Register, restored: bool
) -> None:
    for seed in range(100):
        samples = Samples(RATED)
        if restored:
            samples.restore({total.key: 1000.0})
        came: list[tuple[float, float]] = []
        # A restored total may have risen for as long as it likes.
        since = -inf

        for now, sample in some_sequence(Random(seed)):  # noqa: S311  No secret is made.
            before = samples.last_total(total.key)
            value = samples.take([total], {total.key: sample}, now)[total.key]
            after = samples.last_total(total.key)
            if sample is not None:
                came.append((now, sample))

            assert value is None or value in (before, after), f"{seed=}"
            if after != before:
                assert after == value == sample, f"{seed=}"
            if before is not None and after is not None:
                on_course = before <= after <= before + most(now - since)
                assert on_course or agree(came), f"{seed=}"
            if value == sample is not None:
                since = now


def test_after_a_pause_no_old_value_stands_in(profile: Profile) -> None:
    registers = [profile.registers[key] for key in ("l1_voltage", "pv_energy_total")]
    samples = Samples(RATED)
    assert samples.take(registers, {"l1_voltage": 120, "pv_energy_total": 500}, 0) == {
        "l1_voltage": 120,
        "pv_energy_total": 500,
    }
    bad = {"l1_voltage": 6000, "pv_energy_total": 3}
    assert samples.take(registers, bad, 1)["l1_voltage"] == 120
    samples.forget()
    assert samples.take(registers, bad, HOUR) == {
        "l1_voltage": None,
        "pv_energy_total": None,
    }
    # What was counted stays counted.
    assert samples.last_total("pv_energy_total") == 500
    good = {"l1_voltage": 121, "pv_energy_total": 501}
    assert samples.take(registers, good, HOUR + 1) == good
