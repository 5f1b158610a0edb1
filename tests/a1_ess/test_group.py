"""All inverters together: what adds up, what is judged, and what a silent member changes."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
import time

import pytest

from custom_components.solax_parallel.a1_ess.checks import Check, failed_checks
from custom_components.solax_parallel.a1_ess.codes import (
    BackupInterfaceType,
    GridStatus,
    Led,
    ModelType,
    Role,
    RunMode,
)
from custom_components.solax_parallel.a1_ess.group import (
    Group,
    GroupState,
    Status,
    agreed_on_grid,
    group_led,
    status,
)
from custom_components.solax_parallel.a1_ess.installation import (
    UNANSWERED,
    Installation,
)
from custom_components.solax_parallel.a1_ess.inverter import Inverter, Member
from custom_components.solax_parallel.a1_ess.inverter_state import (
    InverterState,
    Presence,
)
from custom_components.solax_parallel.a1_ess.profile import Profile
from custom_components.solax_parallel.a1_ess.registers import RegisterSource
from custom_components.solax_parallel.a1_ess.root_cause import Cause
from custom_components.solax_parallel.a1_ess.totals import Total, Weighting

from .conftest import Clock, MakeDevice, OpenLink, StartServer
from .device import SERIALS, Device
from .wire import WireServer, late, silence

ROLES = (Role.PRIMARY, Role.SECONDARY_1, Role.SECONDARY_2, Role.SECONDARY_3)
ENERGIES = {
    "pv_energy_total",
    "battery_charged_total",
    "battery_discharged_total",
    "backup_energy_total",
}
PRIMARY_ENERGIES = {"grid_import_total", "grid_export_total"}

type MakeGroup = Callable[..., Group]


@pytest.fixture
def devices(make_device: MakeDevice) -> list[Device]:
    """Four sound inverters that measure different things."""
    return [
        make_device(
            role,
            ac_power=1000 * n,
            l1_power=400 * n,
            l2_power=600 * n,
            pv1_power=100 * n,
            pv2_power=10 * n,
            pv3_power=n,
            battery_power=-200 * n,
            battery_soc=10 * n,
            battery_capacity=1000 * n,
            # Only the primary has the house's meter; the others read nonsense there.
            meter_power=-300 if n == 1 else 5555,
            backup_l1_power=20 * n,
            backup_l2_power=30 * n,
            pv_energy_total=1000.1 * n,
            battery_charged_total=200.2 * n,
            battery_discharged_total=100.3 * n,
            backup_energy_total=10.4 * n,
            grid_import_total=70.07 * n,
            grid_export_total=80.08 * n,
        )
        for n, role in enumerate(ROLES, start=1)
    ]


@pytest.fixture
def make_group(profile: Profile, clock: Clock) -> MakeGroup:
    """Make the group that polls devices, all on one link unless they come as lists."""

    def inverter(device: Device) -> Inverter:
        source = RegisterSource(device.unit, profile)
        return Inverter(device.member(), profile, source, clock=clock)

    def make(
        *links: Sequence[Device], installation: Installation = UNANSWERED
    ) -> Group:
        inverters = [list(map(inverter, link)) for link in links]
        return Group(inverters, installation=installation, clock=clock)

    return make


def values(state: GroupState) -> dict[str, float | None]:
    """Return the totals without how complete they are."""
    return {key: total.value for key, total in state.totals.items()}


# --- totals ---------------------------------------------------------------------------


async def test_a_whole_group_adds_up(
    devices: list[Device], make_group: MakeGroup
) -> None:
    state = await make_group(devices).poll()

    whole = partial(Total, members_included=4, members_expected=4)
    of_primary = partial(Total, members_included=1, members_expected=1)
    assert dict(state.totals) == {
        "ac_power": whole(value=10000),
        "l1_power": whole(value=4000),
        "l2_power": whole(value=6000),
        "backup_power": whole(value=500),
        "backup_l1_power": whole(value=200),
        "backup_l2_power": whole(value=300),
        "pv_power": whole(value=1110),
        "battery_power": whole(value=-2000),
        "grid_power": of_primary(value=300),
        "load_power": whole(value=10300),
        # Of 10, 20, 30 and 40 %, weighted with one to four parts of capacity.
        "battery_soc": whole(value=30, weighting=Weighting.CAPACITY),
        "pv_energy_total": whole(value=10001.0),
        "battery_charged_total": whole(value=2002.0),
        "battery_discharged_total": whole(value=1003.0),
        "backup_energy_total": whole(value=104.0),
        "grid_import_total": of_primary(value=70.07),
        "grid_export_total": of_primary(value=80.08),
    }
    assert all(total.complete for total in state.totals.values())
    assert state.complete
    assert state.unit_quantity == state.units_expected == 4
    assert state.status is Status.NORMAL
    assert state.led is Led.GREEN
    assert state.on_grid is True
    assert state.backup_interface is None
    assert [member.role for member in state.heard] == list(ROLES)
    assert list(state.members) == [SERIALS[role] for role in ROLES]


async def test_a_power_without_a_silent_member_says_so(
    devices: list[Device], make_group: MakeGroup
) -> None:
    devices[3].mute()

    state = await make_group(devices).poll()

    for key, value in {
        "ac_power": 6000,
        "pv_power": 666,
        "battery_power": -1200,
        # The meter sees what the silent one delivers.
        "load_power": None,
        "battery_soc": 23.3,
    }.items():
        assert state.totals[key] == Total(
            value=value,
            members_included=3,
            members_expected=4,
            weighting=Weighting.CAPACITY if key == "battery_soc" else None,
        )
        assert not state.totals[key].complete
    assert state.totals["grid_power"].complete
    assert not state.complete
    assert len(state.heard) == 3


async def test_energies_keep_what_a_silent_member_has_counted(
    devices: list[Device], make_group: MakeGroup, clock: Clock
) -> None:
    group = make_group(devices)
    whole = values(await group.poll())
    devices[0].mute()
    devices[2].mute()

    for _ in range(12):
        clock.move(10)
        state = await group.poll()
        for key in ENERGIES:
            assert state.totals[key] == Total(
                value=whole[key], members_included=2, members_expected=4
            )
        for key in PRIMARY_ENERGIES:
            assert state.totals[key] == Total(
                value=whole[key], members_included=0, members_expected=1
            )


async def test_energies_are_not_known_before_every_member_was_heard(
    devices: list[Device], make_group: MakeGroup, clock: Clock
) -> None:
    devices[0].mute()
    group = make_group(devices)

    state = await group.poll()
    for key in ENERGIES:
        assert state.totals[key] == Total(
            value=None, members_included=3, members_expected=4
        )
    for key in PRIMARY_ENERGIES:
        assert state.totals[key].value is None

    devices[0].unmute()
    clock.move(10)
    state = await group.poll()
    assert state.totals["pv_energy_total"].value == 10001.0
    assert state.totals["grid_import_total"].value == 70.07


async def test_energies_go_on_from_what_was_stored(
    devices: list[Device], make_group: MakeGroup
) -> None:
    first = make_group(devices)
    whole = await first.poll()
    devices[0].mute()
    devices[1].say(pv_energy_total=2000.3)

    group = make_group(devices)
    group.restore(first.stored())
    state = await group.poll()

    assert state.totals["pv_energy_total"] == Total(
        value=10001.1, members_included=3, members_expected=4
    )
    for key in PRIMARY_ENERGIES:
        assert state.totals[key] == Total(
            value=whole.totals[key].value, members_included=0, members_expected=1
        )


async def test_an_inverter_that_joins_brings_nothing_along(
    devices: list[Device], make_group: MakeGroup, clock: Clock
) -> None:
    first = make_group(devices[:3])
    assert values(await first.poll())["pv_energy_total"] == 6000.6

    group = make_group(devices)
    group.restore(first.stored())
    # It need not be heard at once.
    devices[3].mute()
    state = await group.poll()
    assert state.totals["pv_energy_total"] == Total(
        value=6000.6, members_included=3, members_expected=4
    )
    again = make_group(devices)
    again.restore(group.stored())
    devices[3].unmute()
    state = await again.poll()
    assert state.totals["pv_energy_total"].value == 6000.6
    assert state.members[SERIALS[Role.SECONDARY_3]].readings["pv_energy_total"] == (
        4000.4
    )

    devices[3].say(pv_energy_total=4000.5)
    clock.move(10)
    assert values(await again.poll())["pv_energy_total"] == 6000.7


async def test_an_inverter_that_leaves_takes_nothing_away(
    devices: list[Device], make_group: MakeGroup, clock: Clock
) -> None:
    first = make_group(devices)
    whole = values(await first.poll())

    group = make_group(devices[:2])
    group.restore(first.stored())
    left = values(await group.poll())
    # The meter of a secondary measured nothing that counts.
    assert {key: left[key] for key in ENERGIES | PRIMARY_ENERGIES} == {
        key: whole[key] for key in ENERGIES | PRIMARY_ENERGIES
    }

    # It comes back, and has counted elsewhere meanwhile.
    devices[2].say(pv_energy_total=3456.7)
    again = make_group(devices[:3])
    again.restore(group.stored())
    assert values(await again.poll())["pv_energy_total"] == whole["pv_energy_total"]


async def test_what_was_never_told_leaves_nothing_behind(
    devices: list[Device], make_group: MakeGroup
) -> None:
    devices[3].mute()
    first = make_group(devices)
    assert values(await first.poll())["pv_energy_total"] is None

    group = make_group(devices[:3])
    group.restore(first.stored())
    assert values(await group.poll())["pv_energy_total"] == 6000.6


@pytest.mark.parametrize("seed", range(8))
async def test_energies_never_drop_whoever_falls_silent(
    devices: list[Device], make_group: MakeGroup, clock: Clock, seed: int
) -> None:
    random = Random(seed)  # noqa: S311  No secret is made.
    group = make_group(devices[:2], devices[2:])
    before = values(await group.poll())
    counted = {device: 1000.1 * n for n, device in enumerate(devices, start=1)}

    for _ in range(40):
        clock.move(random.choice([5, 10, 70]))
        for device in devices:
            counted[device] += random.choice([0, 0.1])
            device.say(pv_energy_total=counted[device])
            if random.random() < 0.3:
                device.mute()
            else:
                device.unmute()
            device.fail("legs", None)
            if random.random() < 0.1:
                device.refuse("legs")
        after = values(await group.poll())
        for key in ENERGIES | PRIMARY_ENERGIES:
            previous, current = before[key], after[key]
            assert previous is not None
            assert current is not None
            assert current >= previous
        before = after


async def test_the_meter_is_the_primarys(
    devices: list[Device], make_group: MakeGroup, clock: Clock
) -> None:
    devices[0].say(meter_power=1200)
    group = make_group(devices)
    # Export is positive at the meter, import is positive here.
    assert values(await group.poll())["grid_power"] == -1200

    devices[0].mute()
    clock.move(10)
    state = await group.poll()
    assert state.totals["grid_power"] == Total(
        value=None, members_included=0, members_expected=1
    )
    assert state.totals["load_power"] == Total(
        value=None, members_included=0, members_expected=4
    )


async def test_a_member_without_a_value_is_left_out(
    devices: list[Device], make_group: MakeGroup
) -> None:
    devices[1].put("ac_power", 0x8000)
    devices[1].put("pv2_power", 0xFFFF)
    devices[1].put("battery_soc", 0xFFFF)
    devices[2].put("backup_energy_total", 0xFFFF, 0xFFFF)

    state = await make_group(devices).poll()

    assert state.totals["ac_power"] == Total(
        value=8000, members_included=3, members_expected=4
    )
    # Half of what its panels bring would be wrong as well.
    assert state.totals["pv_power"] == Total(
        value=888, members_included=3, members_expected=4
    )
    assert state.totals["battery_power"].complete
    assert state.totals["battery_soc"] == Total(
        value=32.5,
        members_included=3,
        members_expected=4,
        weighting=Weighting.CAPACITY,
    )
    assert state.totals["backup_energy_total"] == Total(
        value=None, members_included=3, members_expected=4
    )
    assert state.complete


async def test_charges_are_weighted_alike_where_a_capacity_is_not_known(
    devices: list[Device], make_group: MakeGroup
) -> None:
    devices[2].put("battery_capacity", 0xFFFF, 0xFFFF)

    charge = (await make_group(devices).poll()).totals["battery_soc"]
    assert (charge.value, charge.weighting) == (25.0, Weighting.EQUAL)


async def test_an_empty_battery_counts(
    devices: list[Device], make_group: MakeGroup
) -> None:
    for device in devices:
        device.say(battery_soc=0)

    assert values(await make_group(devices).poll())["battery_soc"] == 0


async def test_inverters_without_panels_have_no_panels_to_miss(
    make_device: MakeDevice, profile: Profile, clock: Clock
) -> None:
    inverters = []
    for role in ROLES[:2]:
        device = make_device(role, quantity=2, model_type="a1_ac_g2")
        member = device.member(model_type=ModelType.A1_AC_G2)
        source = RegisterSource(device.unit, profile)
        inverters.append(Inverter(member, profile, source, clock=clock))

    state = await Group([inverters], clock=clock).poll()

    assert state.totals["pv_energy_total"].value is None
    assert state.totals["battery_charged_total"].value == 2001.0
    assert state.totals["ac_power"].value == 6000


async def test_an_inverter_without_panels_does_not_spoil_those_of_others(
    devices: list[Device], profile: Profile, clock: Clock
) -> None:
    devices[1].say(model_type="a1_ac_g2")
    inverters = [
        Inverter(
            device.member(
                model_type=ModelType.A1_AC_G2 if n == 1 else ModelType.A1_HYB_G2
            ),
            profile,
            RegisterSource(device.unit, profile),
            clock=clock,
        )
        for n, device in enumerate(devices)
    ]

    state = await Group([inverters], clock=clock).poll()

    assert state.totals["pv_energy_total"] == Total(
        value=8000.8, members_included=4, members_expected=4
    )
    assert state.totals["pv_power"] == Total(
        value=888, members_included=4, members_expected=4
    )


# --- with and without the grid --------------------------------------------------------


def run(devices: Sequence[Device], **said: str) -> None:
    for device in devices:
        device.say(**said)


def mute(devices: Sequence[Device]) -> None:
    for device in devices:
        device.mute()


async def test_off_grid_the_load_is_what_the_backup_gives(
    devices: list[Device], make_group: MakeGroup
) -> None:
    run(devices, run_mode="off_grid", grid_status="off_grid")
    devices[3].mute()

    state = await make_group(devices).poll()

    assert state.on_grid is False
    assert state.totals["load_power"] == Total(
        value=300, members_included=3, members_expected=4
    )
    assert state.totals["backup_power"].value == 300


async def test_the_load_is_not_known_where_units_disagree(
    devices: list[Device], make_group: MakeGroup
) -> None:
    run(devices[:1], run_mode="off_grid", grid_status="off_grid")

    state = await make_group(devices).poll()

    assert state.on_grid is None
    assert state.totals["load_power"] == Total(
        value=None, members_included=0, members_expected=4
    )


async def test_a_group_that_disagrees_for_ten_seconds_is_split(
    devices: list[Device], make_group: MakeGroup, clock: Clock
) -> None:
    group = make_group(devices)
    told = []

    for seconds, off_grid in [
        (0, False),
        (10, True),
        (5, True),
        (4.9, True),
        (0.1, True),
        (10, True),
        (10, False),
        (10, True),
        (9.9, True),
        (0.1, True),
    ]:
        clock.move(seconds)
        if off_grid:
            run(devices[1:2], run_mode="off_grid", grid_status="off_grid")
        else:
            run(devices[1:2], run_mode="normal", grid_status="on_grid")
        state = await group.poll()
        told.append((state.status, state.on_grid))

    agreed, unsure, split = (
        (Status.NORMAL, True),
        (None, None),
        (Status.SPLIT, None),
    )
    assert told == [
        agreed,
        unsure,
        unsure,
        unsure,
        split,
        split,
        agreed,
        unsure,
        unsure,
        split,
    ]


async def test_a_group_is_not_split_by_who_does_not_know(
    devices: list[Device], make_group: MakeGroup, clock: Clock
) -> None:
    devices[1].put("grid_status", 2)
    group = make_group(devices)

    await group.poll()
    clock.move(20)
    state = await group.poll()

    assert state.on_grid is True
    assert state.status is Status.NORMAL


def told(
    run_mode: RunMode | None = RunMode.NORMAL,
    grid_status: GridStatus | None = GridStatus.ON_GRID,
    led: Led | None = Led.GREEN,
    faults: Sequence[str] | None = (),
    parallel_faults: Sequence[str] | None = (),
) -> InverterState:
    """Return the state of an inverter that was heard."""
    return InverterState(
        serial_number="H1",
        presence=Presence.HEARD,
        run_mode=run_mode,
        grid_status=grid_status,
        led=led,
        faults=None if faults is None else frozenset(faults),
        parallel_faults=None if parallel_faults is None else frozenset(parallel_faults),
    )


WELL = told()
OFF_GRID = told(RunMode.OFF_GRID, GridStatus.OFF_GRID)
UNSURE = told(grid_status=None)


@pytest.mark.parametrize(
    ("members", "on_grid"),
    [
        ([], None),
        ([WELL], True),
        ([OFF_GRID], False),
        ([UNSURE], None),
        ([WELL, WELL], True),
        ([OFF_GRID, OFF_GRID], False),
        ([WELL, OFF_GRID], None),
        ([WELL, UNSURE], True),
        ([UNSURE, OFF_GRID], False),
        ([UNSURE, OFF_GRID, WELL], None),
    ],
)
def test_on_grid_is_what_all_who_know_agree_on(
    members: list[InverterState], on_grid: bool | None
) -> None:
    assert agreed_on_grid(members) is on_grid


# --- status and LED -------------------------------------------------------------------

WARNED = told(faults=["port_overcurrent"])
WARNED_OF_CAN = told(parallel_faults=["parallel_can_warning"])
FAULTY = told(faults=["fan"])
FAULTY_CHAIN = told(parallel_faults=["eps_sync_lost"])
FAULT_MODE = told(RunMode.FAULT)
DEAD = told(RunMode.PERMANENT_FAULT, led=Led.OFF)
RED_LED = told(led=Led.RED)
RED_FLASHING_LED = told(led=Led.RED_FLASHING)
GRID_LOST = told(faults=["grid_lost"])
GRID_LOST_OFF_GRID = told(
    RunMode.OFF_GRID, GridStatus.OFF_GRID, faults=["grid_lost", "grid_voltage"]
)
UNREAD = told(None, None, None, None, None)
NO_EXTENSION = told(parallel_faults=None)


@pytest.mark.parametrize(
    ("members", "expected", "split", "result"),
    [
        pytest.param([], 2, False, Status.OFFLINE, id="nobody"),
        pytest.param([WELL, WELL], 2, False, Status.NORMAL, id="all_well"),
        pytest.param([WELL, NO_EXTENSION], 2, False, Status.NORMAL, id="no_extension"),
        pytest.param([WELL], 2, False, Status.DEGRADED, id="one_missing"),
        pytest.param([WELL, WARNED], 2, False, Status.DEGRADED, id="warning"),
        pytest.param([WARNED_OF_CAN], 1, False, Status.DEGRADED, id="can_warning"),
        pytest.param([WELL, FAULTY], 2, False, Status.FAULT, id="fault"),
        pytest.param([FAULTY_CHAIN], 1, False, Status.FAULT, id="parallel_fault"),
        pytest.param([WELL, FAULT_MODE], 2, False, Status.FAULT, id="fault_mode"),
        pytest.param([WELL, DEAD], 2, False, Status.FAULT, id="dead_with_led_off"),
        pytest.param([WELL, RED_LED], 2, False, Status.FAULT, id="red"),
        pytest.param([RED_FLASHING_LED], 1, False, Status.FAULT, id="red_flashing"),
        pytest.param([GRID_LOST], 1, False, Status.FAULT, id="grid_lost"),
        pytest.param(
            [GRID_LOST_OFF_GRID], 1, False, Status.OFF_GRID, id="grid_lost_off_grid"
        ),
        pytest.param([OFF_GRID, OFF_GRID], 2, False, Status.OFF_GRID, id="off_grid"),
        pytest.param([WELL, OFF_GRID], 2, True, Status.SPLIT, id="split"),
        pytest.param([WELL, OFF_GRID], 2, False, None, id="not_yet_split"),
        pytest.param([WELL, UNREAD], 2, False, None, id="not_known"),
        pytest.param([UNREAD], 1, False, None, id="nothing_known"),
        # The gravest wins.
        pytest.param([WELL, FAULTY], 4, True, Status.FAULT, id="fault_and_split"),
        pytest.param([WELL, OFF_GRID], 4, True, Status.SPLIT, id="split_and_missing"),
        pytest.param([OFF_GRID], 4, False, Status.DEGRADED, id="off_grid_and_missing"),
        pytest.param([UNREAD, FAULTY], 2, False, Status.FAULT, id="fault_and_unknown"),
        pytest.param([UNREAD], 2, False, Status.DEGRADED, id="missing_and_unknown"),
        pytest.param(
            [UNREAD, OFF_GRID], 2, False, Status.OFF_GRID, id="off_and_unknown"
        ),
    ],
)
def test_the_status_is_the_gravest_that_applies(
    members: list[InverterState], expected: int, split: bool, result: Status | None
) -> None:
    on_grid = agreed_on_grid(members)

    assert status(members, expected, on_grid, split=split) is result
    assert status(members[::-1], expected, on_grid, split=split) is result


@pytest.mark.parametrize(
    ("leds", "expected", "led"),
    [
        (["green", "green"], 2, "green"),
        (["green"], 2, None),
        (["green", None], 2, None),
        ([None, None], 2, None),
        ([], 2, None),
        (["green", "green_flashing"], 2, "green_flashing"),
        (["green_flashing", "green_flashing"], 2, "green_flashing"),
        (["green_flashing"], 2, None),
        (["green_flashing", None], 2, None),
        (["off", "green_flashing"], 2, "green_flashing"),
        (["off", "off"], 2, "off"),
        (["off", "green"], 2, None),
        (["red", "green"], 2, "red"),
        (["red", "red_flashing"], 2, "red_flashing"),
        (["green", "red_flashing"], 2, "red_flashing"),
        (["red_flashing"], 4, "red_flashing"),
        (["red", None], 4, "red"),
    ],
)
def test_the_led_of_the_group_is_green_only_if_all_are(
    leds: list[str | None], expected: int, led: str | None
) -> None:
    members = [told(led=None if each is None else Led(each)) for each in leds]

    assert group_led(members, expected) == led
    assert group_led(members[::-1], expected) == led


async def test_the_group_is_judged_from_the_wire(
    devices: list[Device], make_group: MakeGroup, clock: Clock
) -> None:
    group = make_group(devices)
    judged = []
    changes: list[Callable[[], None]] = [
        lambda: None,
        lambda: devices[1].say(parallel_faults=["parallel_can_warning"]),
        lambda: devices[1].say(
            parallel_faults=["parallel_rs485_fault"], operation_led="red_flashing"
        ),
        devices[1].mute,
        partial(mute, devices),
    ]

    for change in changes:
        change()
        clock.move(10)
        state = await group.poll()
        judged.append((state.status, state.led))

    assert judged == [
        (Status.NORMAL, Led.GREEN),
        (Status.DEGRADED, Led.GREEN),
        (Status.FAULT, Led.RED_FLASHING),
        (Status.DEGRADED, None),
        (Status.OFFLINE, None),
    ]


async def test_a_group_nobody_answers_for_claims_nothing(
    devices: list[Device], make_group: MakeGroup
) -> None:
    mute(devices)

    state = await make_group(devices).poll()

    assert state.status is Status.OFFLINE
    assert state.heard == ()
    assert not state.complete
    assert (state.led, state.on_grid, state.unit_quantity) == (None, None, None)
    assert state.units_expected == 4
    assert state.backup_interface is None
    assert set(values(state).values()) == {None}
    assert not any(total.complete for total in state.totals.values())
    assert {total.members_included for total in state.totals.values()} == {0}


# --- how many there should be ---------------------------------------------------------


async def test_incomplete_once_everyone_who_is_missing_is_lost(
    devices: list[Device], make_group: MakeGroup, clock: Clock
) -> None:
    group = make_group(devices)
    told = [(await group.poll()).incomplete]
    for silent in (devices[1], None, None, devices[2], None, None):
        mute([silent] if silent else [])
        clock.move(10)
        told.append((await group.poll()).incomplete)

    assert told == [False, None, None, True, None, None, True]


async def test_a_quantity_above_what_is_set_up_leaves_the_group_incomplete(
    devices: list[Device], make_group: MakeGroup
) -> None:
    state = await make_group(devices[:3]).poll()

    assert state.unit_quantity == state.units_expected == 4
    assert len(state.heard) == len(state.members) == 3
    assert not state.complete
    assert state.incomplete
    assert state.status is Status.DEGRADED
    assert state.led is None
    assert state.totals["ac_power"] == Total(
        value=6000, members_included=3, members_expected=4
    )
    assert not state.totals["pv_energy_total"].complete


async def test_a_quantity_below_what_is_set_up_expects_those(
    devices: list[Device], make_group: MakeGroup
) -> None:
    devices[0].say(unit_quantity=2)

    state = await make_group(devices).poll()

    assert state.unit_quantity == 2
    assert state.units_expected == 4
    assert state.complete
    assert state.incomplete is False


async def test_the_quantity_outlives_the_primarys_silence(
    devices: list[Device], make_group: MakeGroup, clock: Clock
) -> None:
    group = make_group(devices[:3])
    await group.poll()
    devices[0].mute()

    clock.move(10)
    state = await group.poll()

    assert state.unit_quantity == state.units_expected == 4


async def test_the_quantity_is_not_known_without_the_extension(
    devices: list[Device], make_group: MakeGroup
) -> None:
    devices[0].refuse("primary_extension")

    state = await make_group(devices[:3]).poll()

    assert state.unit_quantity is None
    assert state.units_expected == 3
    assert state.complete


async def test_a_standalone_inverter_is_a_group_of_one(
    make_device: MakeDevice, make_group: MakeGroup
) -> None:
    state = await make_group([make_device(Role.STANDALONE)]).poll()

    assert state.unit_quantity == state.units_expected == 1
    assert state.complete
    assert state.status is Status.NORMAL
    assert state.checks[Check.UNIT_QUANTITY].passed is True
    assert state.totals["grid_power"].value == 250
    assert state.totals["grid_import_total"].value == 60.75


async def test_the_backup_interface_is_the_primarys(
    devices: list[Device], make_group: MakeGroup, clock: Clock
) -> None:
    devices[0].say(backup_interface="bi", grid_relay="on")
    group = make_group(devices)

    state = await group.poll()
    assert state.backup_interface is not None
    assert state.backup_interface.type is BackupInterfaceType.BI

    devices[0].mute()
    clock.move(10)
    assert (await group.poll()).backup_interface is None


async def test_the_type_of_the_backup_interface_outlives_the_primarys_silence(
    devices: list[Device], make_group: MakeGroup, clock: Clock
) -> None:
    devices[0].say(backup_interface="bi", grid_relay="on")
    answered = Installation(backup_interface=BackupInterfaceType.BI_PRO)
    group = make_group(devices, installation=answered)
    # What the register tells wins over what the owner said.
    for silent in (False, True):
        if silent:
            devices[0].mute()
        clock.move(10)
        state = await group.poll()
        assert state.backup_interface_type is BackupInterfaceType.BI
        assert group.told_backup_interface is BackupInterfaceType.BI
    assert state.backup_interface is None
    devices[0].unmute()
    devices[0].say(backup_interface="none")
    clock.move(10)
    assert (await group.poll()).backup_interface_type is BackupInterfaceType.NONE


@pytest.mark.parametrize("answer", [None, *BackupInterfaceType])
async def test_the_owner_tells_the_type_of_the_backup_interface_where_nobody_else_does(
    devices: list[Device], make_group: MakeGroup, answer: BackupInterfaceType | None
) -> None:
    devices[0].refuse("primary_extension")
    group = make_group(devices, installation=Installation(backup_interface=answer))
    state = await group.poll()
    assert state.backup_interface_type is answer
    assert group.told_backup_interface is None
    needs_no_box = answer is BackupInterfaceType.NONE
    assert state.checks[Check.COMBINER_BOX].passed is (True if needs_no_box else None)


async def test_the_wiring_order_tells_which_cable(
    devices: list[Device], make_group: MakeGroup
) -> None:
    order = (Role.SECONDARY_3, Role.SECONDARY_1, Role.SECONDARY_2)
    for device in (devices[1], devices[2]):
        device.say(parallel_faults=["parallel_rs485_fault"])
    group = make_group(devices, installation=Installation(wiring_order=order))
    assert (await group.poll()).root_cause.segment == order[:2]
    assert (await make_group(devices).poll()).root_cause.segment is None


# --- asking anew ----------------------------------------------------------------------


async def test_what_is_asked_once_is_asked_again_on_demand(
    devices: list[Device], make_group: MakeGroup, clock: Clock
) -> None:
    group = make_group(devices)
    await group.poll()
    await group.poll()
    devices[2].say(arm_firmware_minor=14, rated_power=6000, battery_count=1)

    clock.move(10)
    state = await group.poll()
    assert not failed_checks(state.checks)

    group.renew()
    clock.move(10)
    state = await group.poll()
    assert failed_checks(state.checks) == (
        Check.FIRMWARE,
        Check.RATED_POWER,
        Check.BATTERY_QUANTITY,
    )
    assert [each.value for each in state.checks[Check.FIRMWARE].units] == [
        "DSP 1.07 / ARM 2.13",
        "DSP 1.07 / ARM 2.13",
        "DSP 1.07 / ARM 2.14",
        "DSP 1.07 / ARM 2.13",
    ]
    for device in devices:
        device.asked()
    clock.move(10)
    await group.poll()
    assert all("identity" not in device.asked() for device in devices), "once"


async def test_one_that_is_left_alone_is_asked_on_demand(
    devices: list[Device], make_group: MakeGroup, clock: Clock
) -> None:
    group = make_group(devices)
    devices[3].mute()
    for _ in range(3):
        state = await group.poll()
        clock.move(10)
    silent = SERIALS[Role.SECONDARY_3]
    assert state.members[silent].presence is Presence.RESTING

    devices[3].unmute()
    assert (await group.poll()).members[silent].presence is Presence.RESTING
    group.renew()
    assert (await group.poll()).members[silent].heard

    # In vain it costs one request, and then it is left alone as before.
    devices[3].mute()
    for _ in range(3):
        clock.move(10)
        await group.poll()
    devices[3].asked()
    group.renew()
    assert (await group.poll()).members[silent].presence is Presence.RESTING
    assert devices[3].asked() == ["identity"]


async def test_a_window_that_is_left_alone_is_asked_on_demand(
    devices: list[Device], make_group: MakeGroup, clock: Clock
) -> None:
    group = make_group(devices)
    devices[1].refuse("extension")
    assert (await group.poll()).checks[Check.SAFETY_CODE].passed is None
    devices[1].fail("extension", None)
    clock.move(10)
    assert (await group.poll()).checks[Check.SAFETY_CODE].passed is None
    group.renew()
    assert (await group.poll()).checks[Check.SAFETY_CODE].passed is True


# --- side by side ---------------------------------------------------------------------


def on_the_wire(
    profile: Profile,
    open_link: OpenLink,
    server: WireServer,
    serials: Sequence[str],
    timeout: float = 5,
) -> list[Inverter]:
    """Return inverters that are polled over one real link."""
    link = open_link(server, timeout=timeout)
    return [
        Inverter(
            Member(serial_number=serial, unit_id=unit_id, role=Role.SECONDARY_1),
            profile,
            RegisterSource(link.for_unit(unit_id), profile),
        )
        for unit_id, serial in enumerate(serials, start=1)
    ]


async def test_links_are_polled_side_by_side_and_their_units_in_turn(
    start_server: StartServer, open_link: OpenLink, profile: Profile
) -> None:
    servers = [await start_server() for _ in range(3)]
    links = []
    for n, server in enumerate(servers):
        server.default = late(0.1)
        links.append(on_the_wire(profile, open_link, server, [f"A{n}", f"B{n}"]))

    started = time.monotonic()
    state = await Group(links).poll()
    elapsed = time.monotonic() - started

    # One after the other it would take three times as long.
    assert elapsed < 0.6
    for server in servers:
        units = [request.unit_id for request in server.requests]
        assert units == sorted(units)
        assert set(units) == {1, 2}
        assert server.overlaps == 0
    first, *others = (server.requests for server in servers)
    assert all(requests[0].at < first[1].at for requests in others)
    # Whoever was done first: they stay in the order they were given in.
    assert list(state.members) == ["A0", "B0", "A1", "B1", "A2", "B2"]


async def test_a_silent_link_does_not_hold_up_the_others(
    start_server: StartServer, open_link: OpenLink, profile: Profile
) -> None:
    silent, quick = await start_server(), await start_server()
    silent.default = silence
    group = Group(
        [
            on_the_wire(profile, open_link, silent, ["A"], timeout=0.4),
            on_the_wire(profile, open_link, quick, ["B", "C"]),
        ]
    )

    await group.poll()

    assert len(silent.requests) == 1
    assert {request.unit_id for request in quick.requests} == {1, 2}
    assert quick.requests[-1].at - silent.requests[0].at < 0.3


async def test_a_poll_can_be_cancelled(
    start_server: StartServer, open_link: OpenLink, profile: Profile
) -> None:
    servers = [await start_server("socket"), await start_server("rtu")]
    links = []
    for server in servers:
        server.default = silence
        links.append(on_the_wire(profile, open_link, server, ["A", "B"]))
    group = Group(links)
    before = asyncio.all_tasks()
    task = asyncio.ensure_future(group.poll())
    await asyncio.sleep(0.2)
    assert all(len(server.requests) == 1 for server in servers)

    started = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert time.monotonic() - started < 1
    assert task.cancelled()
    await asyncio.sleep(0.02)
    assert {each for each in asyncio.all_tasks() if not each.done()} <= {
        *before,
        *(task for server in servers for task in server._tasks),
    }
    for server in servers:
        server.default = late(0)
    state = await group.poll()
    assert all(len(server.requests) > 1 for server in servers)
    assert state.status is Status.OFFLINE


async def test_a_deadline_ends_a_poll(
    start_server: StartServer, open_link: OpenLink, profile: Profile
) -> None:
    server = await start_server()
    server.default = silence
    group = Group([on_the_wire(profile, open_link, server, ["A"])])

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await group.poll()


async def test_the_clock_is_the_systems_unless_another_is_given(
    devices: list[Device], profile: Profile
) -> None:
    inverters = [
        Inverter(device.member(), profile, RegisterSource(device.unit, profile))
        for device in devices
    ]
    run(devices[:1], run_mode="off_grid")

    assert (await Group([inverters]).poll()).status is None


# --- a pause --------------------------------------------------------------------------


async def test_while_nobody_asks_nothing_is_known_of_the_present(
    devices: list[Device], make_group: MakeGroup
) -> None:
    group = make_group(devices)
    before = await group.poll()
    assert before.asked
    state = group.unasked()
    assert not state.asked
    assert state.status is None
    assert state.led is None
    assert state.on_grid is None
    assert state.backup_interface is None
    assert state.root_cause.cause is Cause.UNKNOWN
    # What is left is about the layout, which no inverter has to say again.
    passed = {check for check, result in state.checks.items() if result.passed}
    assert {result.passed for result in state.checks.values()} == {None, True}
    assert {state.checks[check].units for check in passed} == {()}
    assert state.heard == ()
    for serial, member in state.members.items():
        assert member.presence is Presence.UNASKED
        assert member.readings == {}
        assert member.run_mode is None
        assert member.problems is None
        # Who it is does not change by itself.
        assert member.identity == before.members[serial].identity
        assert member.role == before.members[serial].role
        assert member.last_seen == before.members[serial].last_seen
        assert member.failed_polls == 0
    counted = ENERGIES | PRIMARY_ENERGIES
    for key, total in state.totals.items():
        assert total.value == (before.totals[key].value if key in counted else None)
        assert total.members_included == 0


async def test_before_the_first_poll_nothing_is_known_at_all(
    devices: list[Device], make_group: MakeGroup
) -> None:
    state = make_group(devices).unasked()
    assert state.status is None
    assert {total.value for total in state.totals.values()} == {None}
    assert [device.asked() for device in devices] == [[]] * 4


async def test_after_a_pause_who_rested_is_asked_at_once(
    devices: list[Device], make_group: MakeGroup
) -> None:
    group = make_group(devices)
    devices[1].mute()
    for _ in range(4):
        await group.poll()
    devices[1].unmute()
    devices[1].asked()
    await group.poll()
    assert devices[1].asked() == []
    group.wake()
    state = await group.poll()
    # Somebody else may have taken any place meanwhile.
    assert [device.asked()[0] for device in devices] == ["identity"] * 4
    assert len(state.heard) == 4
