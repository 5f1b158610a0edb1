"""How evenly the inverters of a group share the work."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from custom_components.solax_parallel.a1_ess.balance import (
    BalanceWatch,
    Spread,
    spreads,
)
from custom_components.solax_parallel.a1_ess.codes import GridStatus
from custom_components.solax_parallel.a1_ess.identity import Identity
from custom_components.solax_parallel.a1_ess.inverter_state import (
    InverterState,
    Presence,
)

HOUR = 3600.0


def inverter(
    name: str, rated: int | None = 5000, **readings: float | None
) -> InverterState:
    return InverterState(
        serial_number=name,
        presence=Presence.HEARD,
        identity=Identity(serial_number=name, factory_name="", rated_power=rated),
        grid_status=GridStatus.ON_GRID,
        readings=readings,
    )


def apart(value: float, highest: str, lowest: str) -> Spread:
    """Return a difference within three of four inverters."""
    return Spread(
        members_included=3,
        members_expected=4,
        value=value,
        highest=highest,
        lowest=lowest,
    )


def test_the_highest_and_the_lowest_are_named() -> None:
    heard = [
        inverter(
            name,
            battery_soc=soc,
            ac_power=power,
            inverter_temperature=temperature,
            ac_voltage=voltage,
        )
        for name, soc, power, temperature, voltage in (
            ("A", 50, 2500, 40, 240.1),
            ("B", 20, 5000, 35, 240.3),
            ("C", 30, -500, 41, 239.8),
        )
    ]

    assert spreads(heard, 4) == {
        "soc_spread": apart(30, "A", "B"),
        "power_share_spread": apart(110, "B", "C"),
        "temperature_spread": apart(6, "C", "B"),
        "voltage_spread": apart(0.5, "B", "C"),
    }


def test_power_counts_by_what_an_inverter_is_made_for() -> None:
    heard = [inverter("A", 3800, ac_power=1900), inverter("B", 7600, ac_power=3800)]
    assert spreads(heard, 2)["power_share_spread"].value == 0


def test_off_grid_the_backup_output_does_the_work() -> None:
    heard = [
        replace(
            inverter(name, ac_power=0, backup_l1_power=power, backup_l2_power=power),
            grid_status=GridStatus.OFF_GRID,
        )
        for name, power in (("A", 1000), ("B", 500))
    ]
    spread = spreads(heard, 2)["power_share_spread"]
    assert (spread.value, spread.highest, spread.lowest) == (20, "A", "B")
    assert spread.complete


@pytest.mark.parametrize(
    "heard",
    [
        pytest.param([], id="nobody"),
        pytest.param([inverter("A", battery_soc=50, ac_power=1)], id="one"),
        pytest.param(
            [
                inverter("A", battery_soc=50, ac_power=1),
                inverter("B", None, battery_soc=None, ac_power=1),
            ],
            id="one_that_tells",
        ),
    ],
)
def test_one_alone_differs_from_nobody(heard: Sequence[InverterState]) -> None:
    for spread in spreads(heard, 2).values():
        assert (spread.value, spread.highest, spread.lowest) == (None, None, None)
        assert not spread.complete


def test_charges_that_stay_apart_for_an_hour() -> None:
    watch = BalanceWatch()
    told = [
        watch.unbalanced(
            Spread(members_included=included, members_expected=3, value=spread), now
        )
        for spread, included, now in (
            (15.0, 3, 0),
            (15.1, 3, 10),
            (40.0, 2, HOUR),
            (15.1, 3, HOUR + 9),
            (15.1, 3, HOUR + 10),
            # Who is not heard has not come closer.
            (None, 1, HOUR + 20),
            (2.0, 2, HOUR + 25),
            (16.0, 2, HOUR + 30),
            (15.0, 3, HOUR + 40),
            (16.0, 3, HOUR + 50),
            (16.0, 3, 2 * HOUR + 49),
            (16.0, 3, 2 * HOUR + 50),
        )
    ]
    assert told == [
        False,
        False,
        None,
        False,
        True,
        None,
        None,
        True,
        False,
        False,
        False,
        True,
    ]
