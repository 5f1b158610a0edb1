"""Secondaries that only their primary can tell of."""

from collections.abc import Callable

import pytest

from custom_components.solax_parallel.a1_ess.codes import Role
from custom_components.solax_parallel.a1_ess.group import Group, Status
from custom_components.solax_parallel.a1_ess.inverter import Inverter
from custom_components.solax_parallel.a1_ess.inverter_state import (
    InverterState,
    Presence,
)
from custom_components.solax_parallel.a1_ess.profile import Profile
from custom_components.solax_parallel.a1_ess.registers import RegisterSource
from custom_components.solax_parallel.a1_ess.reported import ReportedSecondary
from custom_components.solax_parallel.a1_ess.totals import Total, Weighting

from .conftest import Clock, MakeDevice
from .device import Device

# What a secondary is known by here: it has told no serial number.
FIRST, SECOND = "first", "second"


@pytest.fixture
def device(make_device: MakeDevice) -> Device:
    """A primary that hears two secondaries."""
    return make_device(
        quantity=3,
        system_units=3,
        secondary_1_l1_power=700,
        secondary_1_l2_power=800,
        secondary_1_l1_current=-5.5,
        secondary_1_pv1_power=900,
        secondary_1_pv2_power=100,
        secondary_1_battery_power=-400,
        secondary_1_battery_voltage=350.5,
        secondary_1_battery_soc=60,
        secondary_2_l1_power=-10,
        secondary_2_l2_power=-20,
        secondary_2_battery_soc=70,
    )


@pytest.fixture
def group(device: Device, profile: Profile, clock: Clock) -> Group:
    primary = Inverter(
        device.member(),
        profile,
        RegisterSource(device.unit, profile),
        system_interval=0,
        clock=clock,
    )
    reported = [
        ReportedSecondary(FIRST, Role.SECONDARY_1, profile),
        ReportedSecondary(SECOND, Role.SECONDARY_2, profile),
    ]
    return Group([[primary]], reported, clock=clock)


def knows_no_more_than_powers(state: InverterState) -> bool:
    """Whether a state claims nothing that the primary's block does not hold."""
    return {
        state.identity,
        state.role,
        state.model_type,
        state.run_mode,
        state.grid_status,
        state.bms_connected,
        state.led,
        state.led_source,
        state.faults,
        state.parallel_faults,
        state.extension,
    } == {None}


async def test_the_primary_tells_powers_battery_and_charge(group: Group) -> None:
    state = await group.poll()
    first, second = state.members[FIRST], state.members[SECOND]

    for member in (first, second):
        assert member.heard
        assert member.reported
        assert knows_no_more_than_powers(member)
        assert member.last_seen is not None
    assert first.readings == {
        "l1_power": 700,
        "l2_power": 800,
        "l1_current": -5.5,
        "l2_current": 0,
        "pv1_power": 900,
        "pv2_power": 100,
        "pv1_voltage": 0,
        "pv2_voltage": 0,
        "pv1_current": 0,
        "pv2_current": 0,
        "battery_power": -400,
        "battery_voltage": 350.5,
        "battery_current": 0,
        "battery_soc": 60,
        "ac_power": 1500,
        # The block has no third string, which inverters of 7.6 kW have.
        "pv3_power": None,
    }
    assert second.readings["ac_power"] == -30
    measured = {register.key for register in group.units[FIRST].measurements}
    assert measured == set(first.readings) - {"pv3_power"}
    assert not next(iter(state.members.values())).reported


async def test_they_count_in_powers_but_not_in_energies(group: Group) -> None:
    totals = (await group.poll()).totals

    assert totals["ac_power"] == Total(
        value=4470, members_included=3, members_expected=3, members_through_primary=2
    )
    assert totals["pv_power"] == Total(
        value=3500, members_included=1, members_expected=3
    )
    assert totals["battery_power"] == Total(
        value=100, members_included=3, members_expected=3, members_through_primary=2
    )
    # Their capacity is not known, so each counts alike.
    assert totals["battery_soc"] == Total(
        value=61.7,
        members_included=3,
        members_expected=3,
        members_through_primary=2,
        weighting=Weighting.EQUAL,
    )
    for key in ("pv_energy_total", "battery_charged_total", "backup_energy_total"):
        assert totals[key] == Total(value=None, members_included=1, members_expected=3)
    assert totals["grid_import_total"].complete


async def test_off_grid_their_share_of_the_load_is_not_known(
    device: Device, group: Group
) -> None:
    device.say(run_mode="off_grid", grid_status="off_grid")

    state = await group.poll()

    assert state.on_grid is False
    assert state.totals["load_power"] == Total(
        value=1500, members_included=1, members_expected=3
    )


async def test_a_group_of_which_no_faults_are_known_is_not_called_normal(
    group: Group,
) -> None:
    state = await group.poll()

    assert state.complete
    assert state.status is None
    assert state.led is None
    assert state.on_grid is True


def unheard_by_mask(device: Device) -> None:
    device.say(online_mask=["primary", "secondary_1"])


def zeros_in_its_block(device: Device) -> None:
    for key in ("l1_power", "l2_power", "battery_soc"):
        device.say(**{f"secondary_2_{key}": 0})


@pytest.mark.parametrize("lose", [unheard_by_mask, zeros_in_its_block])
async def test_one_that_the_primary_does_not_hear_is_silent(
    device: Device, group: Group, clock: Clock, lose: Callable[[Device], None]
) -> None:
    seen = (await group.poll()).members[SECOND].last_seen
    lose(device)

    clock.move(10)
    state = await group.poll()

    assert state.members[FIRST].heard
    second = state.members[SECOND]
    assert second.presence is Presence.SILENT
    assert second.reported
    assert second.readings == {}
    assert second.last_seen == seen
    assert knows_no_more_than_powers(second)
    assert state.status is Status.DEGRADED
    assert state.totals["ac_power"] == Total(
        value=4500, members_included=2, members_expected=3, members_through_primary=1
    )


@pytest.mark.parametrize("silent", ["primary", "block"])
async def test_all_are_silent_with_the_primary_or_its_block(
    device: Device, group: Group, clock: Clock, silent: str
) -> None:
    seen = (await group.poll()).members[FIRST].last_seen
    if silent == "primary":
        device.mute()
    else:
        device.refuse("system")

    clock.move(10)
    state = await group.poll()

    for serial in (FIRST, SECOND):
        assert state.members[serial].presence is Presence.SILENT
        assert state.members[serial].readings == {}
        assert state.members[serial].last_seen == seen
    assert state.status is (Status.OFFLINE if silent == "primary" else Status.DEGRADED)


async def test_one_that_stays_silent_is_lost(
    device: Device, group: Group, clock: Clock
) -> None:
    told = []
    for online in ("heard", "silent", "silent", "silent", "heard"):
        there = ["secondary_2"] if online == "heard" else []
        device.say(online_mask=["primary", "secondary_1", *there])
        clock.move(10)
        second = (await group.poll()).members[SECOND]
        told.append((second.failed_polls, second.lost))

    assert told == [(0, False), (1, None), (2, None), (3, True), (0, False)]


async def test_what_cannot_be_true_is_held_and_then_dropped(
    device: Device, group: Group, clock: Clock
) -> None:
    told = []

    await group.poll()
    # Beyond twice the rated power, which is the primary's.
    device.put("secondary_1_l1_power", 15300)
    for _ in range(4):
        clock.move(10)
        first = (await group.poll()).members[FIRST]
        told.append((first.readings["l1_power"], first.readings["ac_power"]))

    assert told == [(700, 1500), (700, 1500), (700, 1500), (None, None)]
    assert first.dropped == {"l1_power": 4}


async def test_a_value_from_before_a_long_silence_is_not_held(
    device: Device, group: Group, clock: Clock
) -> None:
    await group.poll()
    device.mute()
    for _ in range(3):
        clock.move(10)
        await group.poll()
    device.unmute()
    device.put("secondary_1_l1_power", 0x8000)

    clock.move(60)
    first = (await group.poll()).members[FIRST]

    assert first.heard
    assert first.readings["l1_power"] is None


async def test_without_the_extension_the_block_alone_tells_who_is_heard(
    device: Device, group: Group
) -> None:
    device.refuse("primary_extension")

    state = await group.poll()

    assert state.members[FIRST].heard
    assert state.members[SECOND].heard


@pytest.mark.parametrize(("power", "believed"), [(15200, 15200), (15201, None)])
def test_without_the_rated_power_it_may_be_the_largest(
    profile: Profile, power: int, believed: int | None
) -> None:
    secondary = ReportedSecondary(FIRST, Role.SECONDARY_1, profile)
    primary = InverterState(
        serial_number="H1",
        presence=Presence.HEARD,
        system={"secondary_1_l1_power": power, "secondary_1_l2_power": 0},
    )

    state = secondary.judge(primary, 0)

    assert state.heard
    assert state.readings["ac_power"] == believed
