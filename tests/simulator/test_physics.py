"""The sun, the loads and how a load is shared."""

from itertools import pairwise, product
from random import Random

import pytest

from custom_components.solax_parallel.a1_ess.codes import (
    BackupInterfaceType,
    SmartLoadMode,
)
from custom_components.solax_parallel.a1_ess.family import RATED_POWERS
from custom_components.solax_parallel.simulator.physics import (
    CELLS,
    CHANNELS,
    Means,
    Site,
    capability,
    house,
    share_load,
    string_powers,
    strings,
)


def _situations() -> list[tuple[float, list[Means], int]]:
    """Return loads and inverters of every kind: dark, full, empty, stopped, overloaded."""
    random = Random(1)  # noqa: S311
    situations = []
    for _ in range(400):
        rated_power = random.choice(RATED_POWERS)
        means = [
            Means(
                sun=random.choice((0.0, random.uniform(0, 1.2 * rated_power))),
                charge=random.choice((0.0, random.uniform(0, 5000))),
                discharge=random.choice((0.0, random.uniform(0, 5000))),
            )
            for _ in range(random.randint(1, 4))
        ]
        situations.append((random.uniform(0, 20_000), means, rated_power))
    return situations


@pytest.mark.parametrize("grid", [True, False])
def test_a_share_keeps_every_limit(grid: bool) -> None:
    """No inverter gives more than its rating, its sun and its battery can."""
    for load, means, rated_power in _situations():
        for share, limits in zip(
            share_load(load, means, rated_power, grid=grid), means, strict=True
        ):
            assert -1e-6 <= share.output <= rated_power + 1e-6
            assert -limits.discharge - 1e-6 <= share.battery <= limits.charge + 1e-6
            assert -1e-6 <= share.pv <= limits.sun + 1e-6
            assert share.pv == pytest.approx(share.output + share.battery, abs=1e-6)


def test_off_grid_outputs_are_the_load_where_it_can_be_served() -> None:
    """Without a grid there is nowhere for a difference to go."""
    served = 0
    for load, means, rated_power in _situations():
        outputs = sum(
            s.output for s in share_load(load, means, rated_power, grid=False)
        )
        if capability(means, rated_power) >= load:
            served += 1
            assert outputs == pytest.approx(load)
        else:
            assert outputs == pytest.approx(capability(means, rated_power))
    assert 50 < served < 350


def test_on_grid_the_sun_serves_the_load_before_it_charges() -> None:
    """With a surplus a battery takes no more than the load leaves."""
    means = [Means(sun=3000, charge=5000, discharge=5000)]
    assert share_load(1000, means, 7600, grid=True)[0] == (3000, 2000, 1000)
    assert share_load(4000, means, 7600, grid=True)[0] == (3000, -1000, 4000)


def test_on_grid_what_the_battery_leaves_is_exported() -> None:
    """A full battery sends the rest out, held to the rating."""
    assert share_load(
        1000, [Means(sun=9000, charge=500, discharge=0)], 7600, grid=True
    )[0] == (8100, 500, 7600)


def test_off_grid_pv_is_held_back() -> None:
    """A full battery and a small load leave PV unused."""
    assert share_load(
        1000, [Means(sun=9000, charge=0, discharge=5000)], 7600, grid=False
    )[0] == (1000, 0, 1000)


@pytest.mark.parametrize("rated_power", RATED_POWERS)
def test_only_the_largest_inverter_has_three_strings(rated_power: int) -> None:
    """The third string is the 7.6 kW inverter's."""
    assert len(strings(rated_power)) == (3 if rated_power == 7600 else 2)
    assert sum(share for share, _ in strings(rated_power)) == pytest.approx(1)


def test_the_sun_differs_by_inverter_and_string_and_is_dark_at_night() -> None:
    """No two strings of the group give the same."""
    noon = [power for unit in range(4) for power in string_powers(7600, unit, 720)]
    assert len({round(power) for power in noon}) == 12
    assert min(noon) > 500
    assert string_powers(7600, 0, 60) == [0, 0, 0]
    east, west = (
        [string_powers(7600, 0, cell)[n] for cell in range(CELLS)] for n in (2, 1)
    )
    assert east.index(max(east)) < west.index(max(west))


def test_powers_wander_and_do_not_jump() -> None:
    """From one minute to the next, midnight included, clouds and people move little."""
    site = Site(units=1, rated_power=7600, backup_interface=BackupInterfaceType.BI)
    courses = [
        [house(site, cell, grid=True).load for cell in range(CELLS)],
        [string_powers(7600, 0, cell)[0] for cell in range(CELLS)],
    ]
    for course in courses:
        steps = [abs(now - before) for before, now in pairwise([*course, course[0]])]
        assert max(steps) < 0.1 * max(course)
        assert sum(step > 0 for step in steps) > CELLS / 3


def test_the_house_peaks_in_the_morning_and_in_the_evening() -> None:
    """Both peaks stand out of the night and of the early afternoon."""
    site = Site(units=1, rated_power=7600, backup_interface=BackupInterfaceType.NONE)

    def mean(hour: int) -> float:
        return sum(house(site, hour * 60 + m, grid=True).load for m in range(60)) / 60

    assert mean(7) > 2 * mean(3)
    assert mean(19) > 2 * mean(14)
    assert mean(19) > mean(7)


@pytest.mark.parametrize("grid", [True, False])
@pytest.mark.parametrize("backup_interface", BackupInterfaceType)
def test_the_house_always_draws(
    backup_interface: BackupInterfaceType, grid: bool
) -> None:
    """The third-party inverter never turns the house into a source."""
    for units, rated_power in product((1, 4), RATED_POWERS):
        site = Site(
            units=units, rated_power=rated_power, backup_interface=backup_interface
        )
        loads = [house(site, cell, grid=grid).load for cell in range(CELLS)]
        assert min(loads) > 0
        assert max(loads) < units * rated_power


def test_smart_loads_switch_over_the_day() -> None:
    """Some channels work, one is left off, one is disabled; all are idle without a BI PRO."""
    site = Site(units=4, rated_power=7600, backup_interface=BackupInterfaceType.BI_PRO)
    day = [house(site, cell, grid=True) for cell in range(CELLS)]
    on = [
        sum(minute.smart_loads[channel] is not None for minute in day)
        for channel in range(6)
    ]
    assert on == [150, 120, 390, 0, 0, 120]
    assert {channel.mode for channel in CHANNELS} == set(SmartLoadMode)
    assert CHANNELS[4].mode is SmartLoadMode.DISABLED
    assert any(minute.non_backup > 600 for minute in day)
    assert max(minute.third_party for minute in day) > 200


def test_off_grid_only_what_is_backed_up_draws() -> None:
    """Automatic channels, non-backup loads and the third-party inverter drop out."""
    site = Site(units=4, rated_power=7600, backup_interface=BackupInterfaceType.BI_PRO)
    day = [house(site, cell, grid=False) for cell in range(CELLS)]
    on = [
        sum(minute.smart_loads[channel] is not None for minute in day)
        for channel in range(6)
    ]
    assert on == [0, 0, 390, 0, 0, 0]
    assert {(minute.third_party, minute.non_backup) for minute in day} == {(0.0, 0.0)}
