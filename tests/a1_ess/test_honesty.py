"""Cases in which a value could be shown that nobody can know."""

import pytest

from custom_components.solax_parallel.a1_ess.checks import Check
from custom_components.solax_parallel.a1_ess.codes import Role
from custom_components.solax_parallel.a1_ess.group import Group, Status
from custom_components.solax_parallel.a1_ess.identity import Identity
from custom_components.solax_parallel.a1_ess.inverter import Inverter
from custom_components.solax_parallel.a1_ess.inverter_state import Presence
from custom_components.solax_parallel.a1_ess.profile import Profile
from custom_components.solax_parallel.a1_ess.registers import RegisterSource
from custom_components.solax_parallel.a1_ess.root_cause import Cause
from custom_components.solax_parallel.a1_ess.roster import Roster
from custom_components.solax_parallel.a1_ess.scan import FoundInverter

from .conftest import Clock, MakeDevice
from .device import SERIALS, Device


@pytest.fixture
def pair(make_device: MakeDevice) -> list[Device]:
    """Return a primary and its one secondary."""
    return [make_device(role, 2) for role in (Role.PRIMARY, Role.SECONDARY_1)]


@pytest.fixture
def group(pair: list[Device], profile: Profile, clock: Clock) -> Group:
    return Group(
        [
            [
                Inverter(
                    device.member(),
                    profile,
                    RegisterSource(device.unit, profile),
                    clock=clock,
                )
            ]
            for device in pair
        ],
        clock=clock,
    )


async def test_all_is_well(group: Group) -> None:
    state = await group.poll()
    assert (state.status, state.root_cause.cause) == (Status.NORMAL, Cause.NONE)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"run_mode": "standby"}, Status.DEGRADED),
        ({"run_mode": "update"}, Status.DEGRADED),
        ({"grid_status": "off_grid"}, None),
    ],
)
async def test_normal_needs_everybody_at_work(
    pair: list[Device], group: Group, said: dict[str, str], status: Status | None
) -> None:
    pair[1].say(**said)
    assert (await group.poll()).status is status


async def test_an_unknown_run_mode_is_not_normal(
    pair: list[Device], group: Group
) -> None:
    pair[1].put("run_mode", 99)
    assert (await group.poll()).status is None


async def test_a_bit_without_a_name_is_not_nothing(
    pair: list[Device], group: Group
) -> None:
    pair[1].put("manager_faults", 0x8000)
    state = await group.poll()
    assert state.status is Status.DEGRADED
    assert state.root_cause.cause is Cause.UNKNOWN


async def test_a_unit_that_the_primary_does_not_hear(
    pair: list[Device], group: Group
) -> None:
    pair[0].say(online_mask=["primary"])
    assert (await group.poll()).status is Status.DEGRADED


async def test_the_meter_is_the_primarys_alone(
    pair: list[Device], group: Group
) -> None:
    pair[0].say(meter_power=-250)
    assert (await group.poll()).totals["grid_power"].value == 250
    # A secondary that was set free leads itself, but no house hangs on its meter.
    pair[1].say(role="standalone", parallel_setting="free", meter_power=5555)
    pair[0].mute()
    total = (await group.poll()).totals["grid_power"]
    assert total.value is None
    assert not total.complete


async def test_nothing_but_ones_is_no_reply(pair: list[Device], group: Group) -> None:
    for window in ("live", "legs", "third_string", "extension"):
        limits = group.inverters[SERIALS[pair[1].role]]._profile.windows[window]
        for address in range(limits.first, limits.last + 1):
            pair[1].unit.input[address] = 0xFFFF
    state = (await group.poll()).members[SERIALS[pair[1].role]]
    assert state.presence is Presence.UNUSABLE
    assert set(state.readings.values()) <= {None}


@pytest.mark.parametrize("polls", [1, 40])
async def test_nothing_but_zeros_is_no_reply_however_long(
    pair: list[Device], group: Group, clock: Clock, polls: int
) -> None:
    serial = SERIALS[Role.SECONDARY_1]
    await group.poll()
    before = (await group.poll()).members[serial]
    for window in ("parallel_setting", "live", "legs", "third_string", "extension"):
        pair[1].clear(window)

    for _ in range(polls):
        # Long enough for the parallel setting, of which zero is a code, to be read anew.
        clock.move(10)
        state = (await group.poll()).members[serial]
        assert state.presence is Presence.UNUSABLE
        assert state.readings == {}
        assert (state.role, state.identity) == (before.role, before.identity)


async def test_checks_forget_a_unit_that_is_silent(
    pair: list[Device], group: Group
) -> None:
    await group.poll()
    told = [check for check in Check if check is not Check.TERMINATION]
    checks = (await group.poll()).checks
    assert all(checks[check].passed for check in told)
    pair[1].mute()
    told.remove(Check.COMBINER_BOX)
    checks = (await group.poll()).checks
    assert {checks[check].passed for check in told} == {None}
    silent = SERIALS[Role.SECONDARY_1]
    assert {
        check: statement.value
        for check, result in checks.items()
        for statement in result.units
        if statement.unit == silent
    } == dict.fromkeys(each for each in told if each is not Check.UNIT_QUANTITY)


async def test_a_link_lost_on_the_way_mixes_nothing(
    pair: list[Device], group: Group
) -> None:
    await group.poll()
    device = pair[1]
    answer = device.unit.read_input_registers

    async def swapped(address: int, count: int) -> list[int]:
        words = await answer(address, count)
        if address == 0:
            # Between two windows another inverter takes over the address.
            device.unit._conn.simulate_connection_lost()
            device.say(serial_number="STRANGER000001", l1_voltage=99.9)
        return words

    device.unit.read_input_registers = swapped  # type: ignore[method-assign]
    state = (await group.poll()).members[SERIALS[device.role]]
    assert state.presence is Presence.OTHER_SERIAL
    assert state.readings == {}


def test_an_unnumbered_secondary_leaves_open_whom_the_primary_tells_of() -> None:
    def found(serial: str, role: Role, units: int | None = None) -> FoundInverter:
        return FoundInverter(
            unit_id=1,
            identity=Identity(serial_number=serial, factory_name="SolaX"),
            role=role,
            system_units=units,
        )

    roster: Roster[str] = Roster()
    roster.add([found("P", Role.PRIMARY, 3)], "gateway")
    assert list(roster.reported) == [Role.SECONDARY_1, Role.SECONDARY_2]
    roster.add([found("S", Role.SECONDARY)], "module")
    assert [len(roster.missing), len(roster.reported)] == [1, 0]
