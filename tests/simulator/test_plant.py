"""Powers held in time, and what they add up to."""

from itertools import product
from random import Random
from unittest import mock

import pytest

from custom_components.solax_parallel.a1_ess.codes import (
    BackupInterfaceType,
    OnOff,
    SmartLoadMode,
)
from custom_components.solax_parallel.a1_ess.family import RATED_POWERS
from custom_components.solax_parallel.simulator import physics, plant as plant_module
from custom_components.solax_parallel.simulator.physics import (
    BATTERY_CAPACITY,
    CELLS,
    CHANNELS,
    DAY,
    Site,
)
from custom_components.solax_parallel.simulator.plant import (
    COMMISSIONED,
    Conditions,
    undisturbed,
)

SITE = Site(units=4, rated_power=7600, backup_interface=BackupInterfaceType.BI_PRO)
START = COMMISSIONED + 1000 * DAY + 12_345.6


@pytest.mark.parametrize("backup_interface", BackupInterfaceType)
def test_every_day_ends_as_it_began(backup_interface: BackupInterfaceType) -> None:
    """The sun fills every battery in time: what makes past days countable."""
    for units, rated_power in product((1, 4), RATED_POWERS):
        site = Site(
            units=units, rated_power=rated_power, backup_interface=backup_interface
        )
        day = plant_module._day(site)
        assert day[0].stored == (BATTERY_CAPACITY,) * units
        assert max(day[CELLS // 2].stored) < 0.9 * BATTERY_CAPACITY
        assert day[-1].stored == pytest.approx((BATTERY_CAPACITY,) * units)


def test_energies_are_the_integral_of_the_powers() -> None:
    """Sampled every 10 s through an on-grid and an off-grid half day."""
    start = START // 60 * 60
    plant = undisturbed(SITE, start)
    before, stored_before = plant.energies, plant.stored
    pv = output = charged = discharged = backup = exported = imported = smart = 0.0
    off_grid_hours = 0.0
    hours = 10 / 3600
    for sample in range(DAY // 10):
        grid = sample >= DAY // 20
        if plant.conditions.grid != grid:
            plant.conditions = Conditions(running=(True,) * 4, grid=grid)
        plant.run(start + (sample + 0.5) * 10)
        share = plant.moment.shares[2]
        pv += share.pv * hours
        output += share.output * hours if grid else 0
        backup += share.output * hours if not grid else 0
        charged += max(share.battery, 0) * hours
        discharged += max(-share.battery, 0) * hours
        exported += max(plant.moment.meter, 0) * hours
        imported += max(-plant.moment.meter, 0) * hours
        off_grid_hours += hours if not grid and not plant.moment.dark else 0
        smart += (plant.moment.house.smart_loads[2] or 0) * hours
        plant.run(start + (sample + 1) * 10)
    grown = plant.energies.plus(before, -1)
    assert grown.unit(2) == pytest.approx(
        (pv, output, charged, discharged, backup, 12, off_grid_hours)
    )
    assert grown.site.exported == pytest.approx(exported)
    assert grown.site.imported == pytest.approx(imported, abs=1e-3)
    assert grown.site.smart_loads[2] == pytest.approx(smart)
    assert 8 < off_grid_hours < 12
    assert min(pv, output, charged, discharged, backup, exported, smart) > 500
    assert plant.stored[2] - stored_before[2] == pytest.approx(
        0.96 * charged - discharged, abs=1e-3
    )


def test_it_does_not_matter_how_often_the_plant_is_looked_at() -> None:
    """A thousand odd steps count what one long step counts."""
    random = Random(2)  # noqa: S311
    often, once = undisturbed(SITE, START), undisturbed(SITE, START)
    moments = sorted(START + random.uniform(0, DAY) for _ in range(1000))
    for moment in moments:
        often.run(moment)
    once.run(moments[-1])
    assert often.energies.values == pytest.approx(once.energies.values, rel=1e-12)
    assert often.stored == pytest.approx(once.stored)
    assert often.moment.shares[0] == pytest.approx(once.moment.shares[0])


@pytest.mark.parametrize("days", [1.5, 2.0, 7.25])
def test_a_long_time_counts_its_days(days: float) -> None:
    """Days that are not simulated are still counted."""
    plant = undisturbed(SITE, START)
    plant.run(START + days * DAY)
    expected = undisturbed(SITE, START + days * DAY)
    assert plant.energies.values == pytest.approx(expected.energies.values, rel=1e-9)
    assert plant.stored == pytest.approx(expected.stored)
    assert plant.seconds == START + days * DAY


def test_a_long_time_is_bounded_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A century costs no more than two days."""
    plant = undisturbed(SITE, START)
    looked = mock.Mock(wraps=physics.house)
    monkeypatch.setattr(plant_module, "house", looked)
    plant.run(START + 36_500 * DAY + 1)
    assert 0 < looked.call_count <= 2 * CELLS + 4


def test_before_its_first_day_a_plant_has_counted_nothing() -> None:
    """A clock that is years behind gives zeros, not less."""
    plant = undisturbed(SITE, COMMISSIONED - 100 * DAY - 5000)
    assert set(plant.energies.values) == {0.0}


def test_state_of_charge_stays_within_its_limits_off_grid() -> None:
    """A battery is never emptied below a tenth, however long the grid is away."""
    plant = undisturbed(SITE, START)
    plant.conditions = Conditions(running=(True,) * 4, grid=False)
    lowest: float = BATTERY_CAPACITY
    for step in range(0, DAY, 300):
        plant.run(START + step)
        lowest = min(lowest, *plant.stored)
        assert max(plant.stored) <= BATTERY_CAPACITY
    assert lowest == pytest.approx(0.1 * BATTERY_CAPACITY)


def test_commanded_loads_draw_and_count() -> None:
    """What is switched on is delivered and counted, what is switched off is not."""
    start = START // DAY * DAY + 12 * 3600
    usual, commanded = undisturbed(SITE, start), undisturbed(SITE, start)
    automatic, spare, manual, *rest = CHANNELS
    commanded.conditions = Conditions(
        running=(True,) * 4,
        channels=(
            automatic._replace(mode=SmartLoadMode.DISABLED),
            spare,
            manual._replace(commanded=OnOff.ON),
            *rest,
        ),
    )
    before, after = usual.moment, commanded.moment
    freed, drawn = before.house.smart_loads[0], after.house.smart_loads[2]
    assert freed is not None
    assert freed == pytest.approx(2800, rel=0.05)
    assert drawn is not None
    assert drawn == pytest.approx(350, rel=0.05)
    assert after.house.smart_loads[0] is None
    assert before.house.load - after.house.load == pytest.approx(freed - drawn)
    given = sum(share.output for share in after.shares) - after.meter
    assert given == pytest.approx(after.house.load)
    counted = commanded.energies.site.smart_loads
    commanded.run(start + 3600)
    grown = [
        now - then
        for now, then in zip(commanded.energies.site.smart_loads, counted, strict=True)
    ]
    assert grown[0] == 0
    assert grown[2] == pytest.approx(350, rel=0.05)


def test_off_grid_a_commanded_load_stays_on() -> None:
    """Only the automatic ones are shed by themselves."""
    plant = undisturbed(SITE, START // DAY * DAY + 12 * 3600)
    plant.conditions = Conditions(
        running=(True,) * 4,
        grid=False,
        channels=tuple(channel._replace(commanded=OnOff.ON) for channel in CHANNELS),
    )
    assert [power is not None for power in plant.moment.house.smart_loads] == [
        channel.mode is SmartLoadMode.MANUAL for channel in CHANNELS
    ]
