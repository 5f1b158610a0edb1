"""One cause out of everything that the members report."""

import pytest

from custom_components.solax_parallel.a1_ess.checks import (
    BLOCKING,
    Check,
    Readiness,
    readiness,
)
from custom_components.solax_parallel.a1_ess.codes import Role
from custom_components.solax_parallel.a1_ess.inverter import InverterState, Presence
from custom_components.solax_parallel.a1_ess.root_cause import (
    Cause,
    RootCause,
    find_root_cause,
)

ROLES = (Role.PRIMARY, Role.SECONDARY_1, Role.SECONDARY_2)
PASSED: dict[Check, bool | None] = dict.fromkeys(Check, True)
RS485, CAN, SYNC = "parallel_rs485_fault", "parallel_can_fault", "eps_sync_lost"
CONFIG, WARNING = "parallel_config_fault", "parallel_can_warning"
SYSTEM = "parallel_system_fault"
NAMED = frozenset({RS485, CAN, SYNC, CONFIG, WARNING, SYSTEM})

type Said = set[str] | None


def member(role: Role, said: Said) -> InverterState:
    """Return a unit that reports ``said``; None for one that is silent."""
    if said is None:
        return InverterState(serial_number=role, role=role, presence=Presence.SILENT)
    return InverterState(
        serial_number=role,
        role=role,
        presence=Presence.HEARD,
        faults=frozenset(said - NAMED),
        parallel_faults=frozenset(said & NAMED),
    )


def cause(
    *said: Said, expected: int = 3, checks: dict[Check, bool | None] = PASSED
) -> RootCause:
    return find_root_cause(
        [member(role, each) for role, each in zip(ROLES, said, strict=False)],
        checks,
        units_expected=expected,
    )


@pytest.mark.parametrize(
    ("said", "found", "units", "inferred"),
    [
        (({}, {}, {}), Cause.NONE, (), False),
        # The vendor names the number of units first when every unit reports it.
        (({RS485}, {RS485}, {RS485}), Cause.UNIT_QUANTITY, ROLES, True),
        (({RS485}, set(), {RS485}), Cause.RS485_LINE, (ROLES[0], ROLES[2]), True),
        ((set(), {RS485}, set()), Cause.RS485_LINE, (ROLES[1],), True),
        # One silent unit leaves open whether it would report it too.
        (({RS485}, {RS485}, None), Cause.RS485_LINE, ROLES[:2], True),
        ((set(), {CONFIG}, set()), Cause.CONFIGURATION, (ROLES[1],), False),
        (({WARNING}, {CONFIG}, set()), Cause.CONFIGURATION, ROLES[:2], False),
        ((set(), set(), {CAN}), Cause.CAN_LINE, (ROLES[2],), True),
        ((set(), set(), {SYNC}), Cause.SYNC_LINE, (ROLES[2],), True),
        # A fault of the primary is behind what its secondaries say of it.
        (({"fan"}, {SYSTEM}, {SYSTEM}), Cause.PRIMARY_FAULT, (ROLES[0],), False),
        (({"fan"}, set(), set()), Cause.PRIMARY_FAULT, (ROLES[0],), False),
        ((set(), {SYSTEM}, set()), Cause.PRIMARY_FAULT, (ROLES[0],), True),
        (({"isolation"}, {RS485}, set()), Cause.PRIMARY_FAULT, (ROLES[0],), False),
        ((set(), {"fan"}, set()), Cause.UNIT_FAULT, (ROLES[1],), False),
        ((set(), {"fan"}, {"isolation"}), Cause.UNIT_FAULT, ROLES[1:], False),
        ((None, None, None), Cause.UNKNOWN, (), False),
        ((None, {RS485}, {SYSTEM}), Cause.PRIMARY_UNREACHABLE, ROLES[:1], False),
        ((set(), None, set()), Cause.SECONDARY_UNREACHABLE, (ROLES[1],), False),
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


def test_a_lone_inverter_has_its_own_faults() -> None:
    assert cause({"fan"}, expected=1).cause is Cause.UNIT_FAULT
    assert cause({RS485}, expected=1).cause is Cause.RS485_LINE


def test_failing_checks_explain_a_configuration_fault() -> None:
    checks = {**PASSED, Check.ROLES: False, Check.FIRMWARE: None}
    assert cause({CONFIG}, set(), set(), checks=checks).checks == (Check.ROLES,)


def test_what_is_not_told_is_unknown() -> None:
    silent_about_faults = InverterState(
        serial_number="X", role=Role.PRIMARY, presence=Presence.HEARD
    )
    result = find_root_cause([silent_about_faults], PASSED, units_expected=1)
    assert result.cause is Cause.UNKNOWN


def test_losing_the_grid_off_grid_is_no_fault() -> None:
    islanded = InverterState(
        serial_number="X",
        role=Role.PRIMARY,
        presence=Presence.HEARD,
        run_mode="off_grid",  # type: ignore[arg-type]
        faults=frozenset({"grid_lost"}),
        parallel_faults=frozenset(),
    )
    result = find_root_cause([islanded], PASSED, units_expected=1)
    assert result.cause is Cause.NONE


@pytest.mark.parametrize("check", Check)
def test_each_check_counts_for_readiness(check: Check) -> None:
    assert readiness(PASSED) is Readiness.READY
    assert readiness({**PASSED, check: None}) is Readiness.UNKNOWN
    failed = readiness({**PASSED, check: False})
    assert failed is (Readiness.BLOCKED if check in BLOCKING else Readiness.WARNINGS)


def test_a_failure_outweighs_what_is_unknown() -> None:
    unknown: dict[Check, bool | None] = dict.fromkeys(Check)
    assert readiness({**unknown, Check.ROLES: False}) is Readiness.BLOCKED
    assert readiness({**unknown, Check.FIRMWARE: False}) is Readiness.WARNINGS
