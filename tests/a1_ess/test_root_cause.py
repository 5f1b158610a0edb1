"""One cause out of everything that the members report."""

from dataclasses import replace

import pytest

from custom_components.solax_parallel.a1_ess.checks import Check, CheckResult
from custom_components.solax_parallel.a1_ess.codes import Role
from custom_components.solax_parallel.a1_ess.inverter_state import (
    InverterState,
    Presence,
)
from custom_components.solax_parallel.a1_ess.root_cause import (
    Cause,
    RootCause,
    find_root_cause,
)

ROLES = (Role.PRIMARY, Role.SECONDARY_1, Role.SECONDARY_2, Role.SECONDARY_3)
PASSED = {check: CheckResult(passed=True) for check in Check}
FAILED = CheckResult(passed=False)
RS485, CAN, SYNC = "parallel_rs485_fault", "parallel_can_fault", "eps_sync_lost"
CONFIG, WARNING = "parallel_config_fault", "parallel_can_warning"
SYSTEM, GENERIC = "parallel_system_fault", "parallel_fault"
NAMED = frozenset({RS485, CAN, SYNC, CONFIG, WARNING, SYSTEM})

type Said = set[str] | None


def member(role: Role, said: Said) -> InverterState:
    """Return a unit that reports ``said``; None for one that is lost."""
    if said is None:
        return InverterState(
            serial_number=role, role=role, presence=Presence.SILENT, failed_polls=3
        )
    return InverterState(
        serial_number=role,
        role=role,
        presence=Presence.HEARD,
        faults=frozenset(said - NAMED),
        parallel_faults=frozenset(said & NAMED),
    )


def cause(
    *said: Said,
    expected: int | None = None,
    checks: dict[Check, CheckResult] = PASSED,
    order: tuple[Role, ...] | None = None,
    well: bool = True,
) -> RootCause:
    return find_root_cause(
        [member(role, each) for role, each in zip(ROLES, said, strict=False)],
        checks,
        units_expected=len(said) if expected is None else expected,
        well=well,
        wiring_order=order,
    )


@pytest.mark.parametrize(
    ("said", "found", "units", "inferred"),
    [
        (({}, {}, {}), Cause.NONE, (), False),
        # The number of units has passed its check.
        (({RS485}, {RS485}, {RS485}), Cause.RS485_LINE, ROLES[:3], True),
        (({RS485}, set(), {RS485}), Cause.RS485_LINE, (ROLES[0], ROLES[2]), True),
        ((set(), {RS485}, set()), Cause.RS485_LINE, (ROLES[1],), True),
        # One silent unit leaves open whether it would report it too.
        (({RS485}, {RS485}, None), Cause.RS485_LINE, ROLES[:2], True),
        ((set(), {CONFIG}, set()), Cause.CONFIGURATION, (ROLES[1],), False),
        (({WARNING}, {CONFIG}, set()), Cause.CONFIGURATION, ROLES[:2], False),
        # The warning is about communication; that roles or number are wrong is concluded.
        ((set(), {WARNING}, set()), Cause.CONFIGURATION, (ROLES[1],), True),
        ((set(), set(), {CAN}), Cause.CAN_LINE, (ROLES[2],), True),
        ((set(), set(), {SYNC}), Cause.SYNC_LINE, (ROLES[2],), True),
        # A fault of the primary is behind what its secondaries say of it.
        (({"fan"}, {SYSTEM}, {SYSTEM}), Cause.PRIMARY_FAULT, (ROLES[0],), False),
        (({"fan"}, set(), set()), Cause.PRIMARY_FAULT, (ROLES[0],), False),
        ((set(), {SYSTEM}, set()), Cause.PRIMARY_FAULT, (ROLES[0],), True),
        (({"isolation"}, {RS485}, set()), Cause.PRIMARY_FAULT, (ROLES[0],), False),
        # What an inverter runs on with is not what others suffer from.
        (({"port_overcurrent"}, {RS485}, set()), Cause.RS485_LINE, (ROLES[1],), True),
        (({"port_overcurrent"}, {SYSTEM}, set()), Cause.PRIMARY_FAULT, ROLES[:1], True),
        ((set(), {"fan"}, set()), Cause.UNIT_FAULT, (ROLES[1],), False),
        ((set(), {"fan"}, {"isolation"}), Cause.UNIT_FAULT, ROLES[1:3], False),
        ((None, None, None), Cause.UNKNOWN, (), False),
        # What all have in common hides neither paralleling nor the primary's own.
        (({"fan"}, {"fan", RS485}, {"fan"}), Cause.RS485_LINE, (ROLES[1],), True),
        (({"fan", "isolation"}, {"fan"}), Cause.PRIMARY_FAULT, ROLES[:1], False),
        (({"fan"}, {"fan", SYSTEM}), Cause.PRIMARY_FAULT, ROLES[:1], False),
        (({"fan"}, {"fan", WARNING}), Cause.COMMON_FAULT, ROLES[:2], True),
        # A warning on all is nothing that all suffer from.
        (
            ({"port_overcurrent"}, {"port_overcurrent", RS485}),
            Cause.RS485_LINE,
            (ROLES[1],),
            True,
        ),
        (
            ({"port_overcurrent", "isolation"}, {"port_overcurrent", SYSTEM}),
            Cause.PRIMARY_FAULT,
            ROLES[:1],
            False,
        ),
        # Whoever is not heard may be well.
        (({"fan"}, {"fan"}, None), Cause.UNIT_FAULT, ROLES[:2], False),
        ((None, {RS485}, {SYSTEM}), Cause.PRIMARY_UNREACHABLE, ROLES[:1], False),
        ((set(), None, set()), Cause.SECONDARY_UNREACHABLE, (ROLES[1],), False),
        # The generic bit says that something is wrong with paralleling, and not what.
        ((set(), {GENERIC}, set()), Cause.PARALLEL_FAULT, (ROLES[1],), False),
        (({GENERIC}, {GENERIC}, {GENERIC}), Cause.PARALLEL_FAULT, ROLES[:3], False),
        ((set(), {GENERIC}, None), Cause.SECONDARY_UNREACHABLE, (ROLES[2],), False),
        ((set(), {GENERIC, CAN}, set()), Cause.CAN_LINE, (ROLES[1],), True),
        # A fault says more than silence does.
        ((set(), None, {CAN}), Cause.CAN_LINE, (ROLES[2],), True),
    ],
)
def test_cause(
    said: tuple[Said, ...], found: Cause, units: tuple[Role, ...], inferred: bool
) -> None:
    result = cause(*(set(each) if each is not None else None for each in said))
    assert (result.cause, result.units, result.inferred) == (found, units, inferred)


def test_the_same_fault_everywhere_has_one_cause() -> None:
    everywhere = {"over_temperature"}
    result = cause(everywhere, everywhere | {"fan"}, everywhere)
    assert (result.cause, result.faults) == (
        Cause.COMMON_FAULT,
        ("over_temperature",),
    )
    assert result.inferred


def test_a_fault_that_all_who_tell_have_is_common() -> None:
    mute = replace(member(ROLES[2], set()), faults=None, parallel_faults=None)
    members = [
        member(ROLES[0], {"grid_voltage"}),
        member(ROLES[1], {"grid_voltage"}),
        mute,
    ]
    result = find_root_cause(members, PASSED, units_expected=3, well=False)
    assert (result.cause, result.units) == (Cause.COMMON_FAULT, ROLES[:2])
    result = find_root_cause(members[1:], PASSED, units_expected=3, well=False)
    assert (result.cause, result.units) == (Cause.UNIT_FAULT, (ROLES[1],))


def test_not_all_that_should_be_there_have_it() -> None:
    assert cause({"fan"}, {"fan"}, expected=2).cause is Cause.COMMON_FAULT
    assert cause({"fan"}, {"fan"}, expected=3).cause is Cause.UNIT_FAULT


def test_what_is_reported_while_the_primary_is_silent() -> None:
    result = cause(None, {SYSTEM}, {RS485, "fan"})
    assert (result.cause, result.units, result.faults) == (
        Cause.PRIMARY_UNREACHABLE,
        ROLES[:1],
        ("fan", RS485, SYSTEM),
    )


@pytest.mark.parametrize("silent", ROLES[:3])
@pytest.mark.parametrize("polls", [1, 2, 3])
def test_a_missed_poll_or_two_makes_nobody_unreachable(
    silent: Role, polls: int
) -> None:
    members = [
        replace(member(role, None), failed_polls=polls)
        if role is silent
        else member(role, set())
        for role in ROLES[:3]
    ]
    result = find_root_cause(members, PASSED, units_expected=3, well=False)
    if polls < 3:
        assert result == RootCause(cause=Cause.UNKNOWN)
    else:
        assert result.units == (silent,)
        assert result.cause is (
            Cause.PRIMARY_UNREACHABLE
            if silent is Role.PRIMARY
            else Cause.SECONDARY_UNREACHABLE
        )


def test_a_lone_inverter_has_its_own_faults() -> None:
    assert cause({"fan"}).cause is Cause.UNIT_FAULT
    assert cause({RS485}).cause is Cause.RS485_LINE


def test_a_wrong_number_is_no_reason_to_doubt_that_all_report_it() -> None:
    # Four are set on the primary of a group of three: that is what is wrong.
    checks = {**PASSED, Check.UNIT_QUANTITY: FAILED}
    result = cause({RS485}, {RS485}, {RS485}, expected=4, checks=checks)
    assert (result.cause, result.checks) == (
        Cause.UNIT_QUANTITY,
        (Check.UNIT_QUANTITY,),
    )


@pytest.mark.parametrize(
    ("quantity", "found", "ruled_out"),
    [
        # The vendor names the number of units first when every unit reports it.
        (False, Cause.UNIT_QUANTITY, False),
        (None, Cause.UNIT_QUANTITY, False),
        (True, Cause.RS485_LINE, True),
    ],
)
def test_the_number_of_units_or_the_line(
    quantity: bool | None, found: Cause, ruled_out: bool
) -> None:
    checks = {**PASSED, Check.UNIT_QUANTITY: CheckResult(passed=quantity)}
    result = cause({RS485}, {RS485}, {RS485}, checks=checks)
    assert (result.cause, result.units, result.ruled_out) == (
        found,
        ROLES[:3],
        ruled_out,
    )
    assert cause({RS485}, {RS485}, set(), checks=checks).ruled_out is False


@pytest.mark.parametrize(
    ("faults", "outcomes", "ruled_out"),
    [
        ({CONFIG}, {}, True),
        ({CONFIG, WARNING}, {}, True),
        ({WARNING}, {}, True),
        ({CONFIG}, {Check.SAFETY_CODE: None}, True),
        ({CONFIG}, {Check.SAFETY_CODE: False}, False),
        ({CONFIG}, dict.fromkeys(Check), False),
        # Firmware and batteries may differ.
        ({CONFIG}, {Check.FIRMWARE: False}, True),
        ({WARNING}, {Check.SAFETY_CODE: False}, True),
        ({WARNING}, {Check.ROLES: None}, False),
        ({WARNING}, {Check.UNIT_QUANTITY: False}, False),
    ],
)
def test_no_difference_is_found(
    faults: set[str], outcomes: dict[Check, bool | None], ruled_out: bool
) -> None:
    checks = PASSED | {
        check: CheckResult(passed=passed) for check, passed in outcomes.items()
    }
    result = cause(set(), faults, checks=checks)
    assert (result.cause, result.ruled_out) == (Cause.CONFIGURATION, ruled_out)


@pytest.mark.parametrize(
    ("faults", "explained_by"),
    [
        (
            {CONFIG},
            (
                Check.UNIT_QUANTITY,
                Check.ROLES,
                Check.RATED_POWER,
                Check.MODEL_TYPE,
                Check.SAFETY_CODE,
            ),
        ),
        ({WARNING}, (Check.UNIT_QUANTITY, Check.ROLES)),
        ({RS485}, (Check.UNIT_QUANTITY, Check.TERMINATION)),
        ({CAN}, (Check.TERMINATION,)),
        ({SYNC}, ()),
        ({SYSTEM}, ()),
        ({"fan"}, ()),
    ],
)
def test_failing_checks_explain_a_fault(
    faults: set[str], explained_by: tuple[Check, ...]
) -> None:
    all_fail = dict.fromkeys(Check, FAILED)
    assert cause(set(), faults, set(), checks=all_fail).checks == explained_by
    unknown = {check: CheckResult(passed=None) for check in Check}
    assert cause(set(), faults, set(), checks=unknown).checks == ()
    assert cause(set(), faults, set()).checks == ()


@pytest.mark.parametrize("fault", [RS485, CAN, SYNC])
def test_a_line_fault_behind_one_point_names_the_cable(fault: str) -> None:
    order = (ROLES[2], ROLES[1], ROLES[3])
    faulty, well = {fault}, set[str]()
    behind = (well, faulty, well, faulty)
    assert cause(*behind, order=order).segment == (ROLES[2], ROLES[1])
    assert cause(faulty, *behind[1:], order=order).segment == (ROLES[2], ROLES[1])
    assert cause(*behind).segment is None, "the order is not known"
    assert cause(*behind, order=order[:2]).segment is None, "of another group"
    assert cause(*behind, order=order, expected=5).segment is None, "one is missing"
    assert cause(well, faulty, faulty, well, order=order).segment is None
    assert cause(faulty, faulty, faulty, faulty, order=order).segment is None
    assert cause(faulty, well, well, well, order=order).segment is None
    # Of two there is only one cable.
    assert cause(well, faulty).segment == ROLES[:2]
    # One that is silent, or does not tell, may have it too.
    assert cause(well, faulty, None, faulty, order=order).segment is None
    mute = replace(member(ROLES[2], set()), parallel_faults=None)
    members = [member(role, said) for role, said in zip(ROLES, behind, strict=True)]
    members[2] = mute
    result = find_root_cause(
        members, PASSED, units_expected=4, well=False, wiring_order=order
    )
    assert (result.units, result.segment) == ((ROLES[1], ROLES[3]), None)


def test_only_a_line_fault_has_a_cable() -> None:
    for faults in ({CONFIG}, {WARNING}, {SYSTEM}, {"fan"}, {GENERIC}):
        assert cause(set(), faults).segment is None
    checks = {**PASSED, Check.UNIT_QUANTITY: FAILED}
    result = cause({RS485}, {RS485}, checks=checks)
    assert (result.cause, result.segment) == (Cause.UNIT_QUANTITY, None)


def test_what_is_not_told_is_unknown() -> None:
    silent_about_faults = InverterState(
        serial_number="X", role=Role.PRIMARY, presence=Presence.HEARD
    )
    result = find_root_cause([silent_about_faults], PASSED, units_expected=1, well=True)
    assert result == RootCause(cause=Cause.UNKNOWN, untold=(Role.PRIMARY,))


def test_a_group_that_is_not_well_has_a_cause() -> None:
    assert cause(set(), set()).cause is Cause.NONE
    assert cause(set(), set(), well=False) == RootCause(cause=Cause.UNKNOWN)
    assert cause(set(), set(), expected=3) == RootCause(cause=Cause.UNIT_NOT_SET_UP)
    # There are more here than the primary counts, so none is missing.
    counted = {**PASSED, Check.UNIT_QUANTITY: FAILED}
    assert cause(set(), set(), checks=counted).cause is Cause.NONE
    assert cause(set(), {"fan"}, expected=3, checks=counted).cause is Cause.UNIT_FAULT


def test_losing_the_grid_off_grid_is_no_fault() -> None:
    islanded = InverterState(
        serial_number="X",
        role=Role.PRIMARY,
        presence=Presence.HEARD,
        run_mode="off_grid",  # type: ignore[arg-type]
        faults=frozenset({"grid_lost"}),
        parallel_faults=frozenset(),
    )
    result = find_root_cause([islanded], PASSED, units_expected=1, well=True)
    assert result.cause is Cause.NONE
