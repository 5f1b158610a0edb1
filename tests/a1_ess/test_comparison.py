"""The sums over the units, held against what the primary says of the whole system."""

import pytest

from custom_components.solax_parallel.a1_ess.codes import Role
from custom_components.solax_parallel.a1_ess.comparison import Comparison
from custom_components.solax_parallel.a1_ess.group import Group, GroupState
from custom_components.solax_parallel.a1_ess.inverter import Inverter
from custom_components.solax_parallel.a1_ess.profile import Profile
from custom_components.solax_parallel.a1_ess.registers import RegisterSource

from .conftest import Clock, MakeDevice
from .device import Device

MINUTE = 60.0


@pytest.mark.parametrize(
    ("units", "primary", "agrees"),
    [
        # 5 % of 10 kW are 500 W, of 1 kW 50 W: both bounds have to be exceeded.
        (10500, 10000, True),
        (10501, 10000, False),
        (9500, 10000, True),
        (9499, 10000, False),
        (1100, 1000, True),
        (1101, 1000, False),
        (-10501, -10000, False),
        (100, 0, True),
        (101, 0, False),
        (0, 101, False),
        (5000, -5000, False),
    ],
)
def test_both_bounds_have_to_be_exceeded(
    units: float, primary: float, agrees: bool
) -> None:
    assert Comparison(units=units, primary=primary).agrees is agrees


@pytest.fixture
def pair(make_device: MakeDevice) -> list[Device]:
    """A primary and a secondary, and what the primary says of both."""
    primary, secondary = (
        make_device(role, 2) for role in (Role.PRIMARY, Role.SECONDARY_1)
    )
    primary.say(
        system_units=2,
        system_l1_power=3000,
        system_l2_power=3000,
        system_pv1_power=3200,
        system_pv2_power=3000,
        system_battery_power=1000,
    )
    return [primary, secondary]


@pytest.fixture
def group(pair: list[Device], profile: Profile, clock: Clock) -> Group:
    return Group(
        [
            [
                Inverter(
                    device.member(),
                    profile,
                    RegisterSource(device.unit, profile),
                    system_interval=MINUTE if device.role.leads else None,
                    clock=clock,
                )
            ]
            for device in pair
        ],
        clock=clock,
    )


async def minutes(group: Group, clock: Clock, number: int = 1) -> GroupState:
    """Let minutes go by, and return what is known after them."""
    for _ in range(number):
        clock.move(MINUTE)
        state = await group.poll()
    return state


async def test_the_primary_is_asked_once_a_minute(
    pair: list[Device], group: Group, clock: Clock
) -> None:
    asked = []
    for _ in range(20):
        state = await group.poll()
        asked.append("system" in pair[0].asked())
        assert "system" not in pair[1].asked()
        # What was compared stays to be looked at.
        assert bool(state.comparison) is any(asked)
        assert state.totals_disagree is (False if any(asked) else None)
        clock.move(10)
    assert [n for n, was_asked in enumerate(asked) if was_asked] == [6, 12, 18]


async def test_what_is_compared(group: Group, clock: Clock) -> None:
    state = await minutes(group, clock)

    assert state.comparison == {
        "ac_power": Comparison(units=6000, primary=6000),
        # The primary's block has no third string.
        "pv_power": Comparison(units=6200, primary=6200),
        "battery_power": Comparison(units=1000, primary=1000),
    }


async def test_a_mismatch_counts_after_ten_comparisons_in_a_row(
    pair: list[Device], group: Group, clock: Clock
) -> None:
    pair[0].say(system_pv1_power=4000)
    assert (await minutes(group, clock, 9)).totals_disagree is False
    pair[0].say(system_pv1_power=3200)
    assert (await minutes(group, clock)).totals_disagree is False

    pair[0].say(system_battery_power=1101)
    assert (await minutes(group, clock, 9)).totals_disagree is False
    assert (await minutes(group, clock)).totals_disagree is True
    pair[0].say(system_battery_power=1100)
    assert (await minutes(group, clock)).totals_disagree is False


async def test_a_sum_that_lacks_a_member_proves_nothing(
    pair: list[Device], group: Group, clock: Clock
) -> None:
    pair[1].mute()
    state = await minutes(group, clock, 15)

    assert state.totals_disagree is None
    assert state.comparison == {}


async def test_without_the_primary_nobody_knows(
    pair: list[Device], group: Group, clock: Clock
) -> None:
    pair[0].say(system_battery_power=3000)
    assert (await minutes(group, clock, 10)).totals_disagree is True
    pair[0].mute()
    assert (await minutes(group, clock)).totals_disagree is None
    pair[0].unmute()
    assert (await minutes(group, clock)).totals_disagree is True


async def test_a_primary_that_does_not_tell_is_not_compared(
    pair: list[Device], group: Group, clock: Clock
) -> None:
    pair[0].refuse("system")
    state = await minutes(group, clock, 15)

    assert state.totals_disagree is None
    assert state.heard


async def test_what_was_compared_once_does_not_hold_for_ever(
    pair: list[Device], group: Group, clock: Clock
) -> None:
    assert (await minutes(group, clock)).totals_disagree is False
    pair[0].refuse("system")
    state = await minutes(group, clock)

    assert state.totals_disagree is None
    assert state.comparison == {}
