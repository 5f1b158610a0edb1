"""Which readings are believed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest

from custom_components.solax_parallel.a1_ess.profile import Profile
from custom_components.solax_parallel.a1_ess.register import Bounds, Register
from custom_components.solax_parallel.a1_ess.samples import Samples

RATED = 5000

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
    ("battery_capacity", 0, 200000, 1),
    ("third_party_power", 0, 60000, 1),
    ("non_backup_power", 0, 60000, 1),
    *((f"smart_load_{n}_power", 0, 60000, 1) for n in range(1, 7)),
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


def test_power_is_bounded_by_the_largest_while_the_rated_power_is_unknown(
    profile: Profile,
) -> None:
    register = profile.registers["ac_power"]

    assert believed(Samples(), register, [15200]) == [15200]
    assert believed(Samples(), register, [15201]) == [None]


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
    register = replace(profile.registers["battery_capacity"], bounds=None)

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
    ("bad", "dropped"),
    [
        pytest.param(70000, 5, id="spike"),
        # With the fourth poll what was there is given up, and the fifth takes nothing away.
        pytest.param(None, 4, id="no_value"),
    ],
)
def test_a_value_is_held_for_three_bad_polls(
    profile: Profile, bad: float | None, dropped: int
) -> None:
    samples = Samples(RATED)

    assert believed(
        samples, profile.registers["ac_power"], [100, bad, bad, bad, bad, bad, 200]
    ) == [100, 100, 100, 100, None, None, 200]
    assert samples.dropped == {"ac_power": dropped}


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


# --- counters -------------------------------------------------------------------------


def test_counters_are_held_and_counted_like_any_other(profile: Profile) -> None:
    register = profile.registers["pv_energy_total"]
    samples = Samples(RATED)

    assert believed(
        samples, register, [500.0, 500.0, 500.1, 0, 9000, 0, None, None, 500.2]
    ) == [None, None, 500.1, 500.1, 500.1, 500.1, None, None, 500.2]
    # The fourth of the bad polls said "no value", the fifth said nothing new.
    assert samples.dropped == {register.key: 4}
    assert samples.accumulated(register.key) == 500.2


def test_what_a_counter_has_accumulated_outlives_the_held_value(
    profile: Profile,
) -> None:
    register = profile.registers["pv_energy_total"]
    samples = Samples(RATED)
    assert samples.accumulated(register.key) is None

    assert believed(samples, register, [None]) == [None]
    assert samples.accumulated(register.key) is None
    believed(samples, register, [1000.0] * 3)
    assert believed(samples, register, [None] * 4, start=30)[-1] is None
    assert samples.accumulated(register.key) == 1000


@pytest.mark.parametrize(
    ("key", "rated", "most"),
    [
        ("pv_energy_total", 3800, 0.7),
        ("pv_energy_today", 7600, 1.3),
        # No inverter of the family is larger.
        ("battery_charged_total", None, 1.3),
        ("grid_import_total", 3800, 5.01),
        ("runtime_on_grid", 3800, 0.1),
    ],
)
def test_a_counter_follows_what_it_counts(
    profile: Profile, key: str, rated: float | None, most: float
) -> None:
    """In five minutes, with one step of the register on top."""
    register = profile.registers[key]
    for rise, follows in ((most, True), (most + register.scale, False)):
        samples = Samples(rated)
        believed(samples, register, [100.0] * 3, step=0)
        later = round(100 + rise, 2)
        assert believed(samples, register, [later], start=300) == [
            later if follows else 100
        ]


def test_counters_are_stored_and_restored(profile: Profile) -> None:
    registers = [
        profile.registers[key] for key in ("pv_energy_total", "pv_energy_today")
    ]
    power = profile.registers["ac_power"]
    samples = Samples(RATED)
    for now in range(3):
        samples.take(
            [*registers, power],
            {"pv_energy_total": 500, "pv_energy_today": 5, "ac_power": 1},
            now,
        )
    stored = samples.stored(12)
    assert {key: (count.value, count.age) for key, count in stored.items()} == {
        "pv_energy_total": (500, 10),
        "pv_energy_today": (5, 10),
    }

    samples = Samples(RATED)
    samples.restore([*registers, power], stored, 0)
    # What they stood at stands in for three bad polls.
    bad: dict[str, float | str | None] = {"pv_energy_total": 400}
    for now in (10, 20):
        assert samples.take(registers, bad, now) == {
            "pv_energy_total": 500,
            "pv_energy_today": 5,
        }
    assert samples.take(
        registers, {"pv_energy_total": 500, "pv_energy_today": 5.1}, 30
    ) == {"pv_energy_total": 500, "pv_energy_today": 5.1}
    assert samples.dropped == {"pv_energy_total": 2}
    for now in (40, 50, 60):
        assert samples.take(registers, {}, now)["pv_energy_total"] == 500
    assert samples.take(registers, {}, 70) == dict.fromkeys(stored)
    assert samples.accumulated("pv_energy_total") == 500


def test_what_was_never_there_is_not_dropped(profile: Profile) -> None:
    """An inverter without a battery says "no value" in every poll."""
    registers = [
        profile.registers[key] for key in ("battery_soc", "battery_charged_total")
    ]
    samples = Samples(RATED)
    for now in range(10):
        samples.take(registers, dict.fromkeys(r.key for r in registers), now)

    assert samples.dropped == {}


def test_after_a_pause_no_old_value_stands_in(profile: Profile) -> None:
    registers = [profile.registers[key] for key in ("l1_voltage", "pv_energy_total")]
    samples = Samples(RATED)
    before = {"l1_voltage": 120, "pv_energy_total": 500}
    for now in range(3):
        found = samples.take(registers, before, now)
    assert found == before
    bad = {"l1_voltage": 6000, "pv_energy_total": 3}
    assert samples.take(registers, bad, 3) == before
    samples.forget()
    assert samples.take(registers, bad, 3600) == {
        "l1_voltage": None,
        "pv_energy_total": None,
    }
    # What was counted stays counted.
    assert samples.accumulated("pv_energy_total") == 500
    good = {"l1_voltage": 121, "pv_energy_total": 500.5}
    assert samples.take(registers, good, 3600 + 1) == good


def test_a_counter_is_doubtful_until_a_reading_of_it_is_believed(
    profile: Profile,
) -> None:
    register = profile.registers["pv_energy_total"]
    other = profile.registers["battery_charged_total"]
    readings = {register.key: 500.0, other.key: None}
    samples = Samples(RATED)
    for now in range(3):
        assert samples.doubtful([register, other], readings) == [register]
        samples.take([register, other], readings, now)
    assert samples.doubtful([register, other], readings) == []

    samples.forget()
    assert samples.doubtful([register, other], readings) == [register]
