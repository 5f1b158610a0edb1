"""The checks that the vendor asks for before a parallel group is switched on."""

from dataclasses import dataclass, replace

import pytest

from custom_components.solax_parallel.a1_ess.checks import (
    BLOCKING,
    Check,
    CheckResult,
    Readiness,
    Statement,
    Unit,
    failed_checks,
    readiness,
    run_checks,
)
from custom_components.solax_parallel.a1_ess.codes import (
    BackupInterfaceType,
    Led,
    ModelType,
    Role,
)
from custom_components.solax_parallel.a1_ess.extension import Extension
from custom_components.solax_parallel.a1_ess.identity import Identity
from custom_components.solax_parallel.a1_ess.installation import (
    UNANSWERED,
    Installation,
)


@dataclass(frozen=True)
class Said:
    """What an inverter says, as far as the checks look at it."""

    role: Role | None
    identity: Identity | None
    extension: Extension | None


IDENTITY = Identity(
    serial_number="H10000000000AA",
    factory_name="Solax",
    firmware="DSP 1.07 / ARM 2.13",
    rated_power=7600,
    battery_count=2,
)
EXTENSION = Extension(
    model_type=ModelType.A1_HYB_G2,
    role=Role.PRIMARY,
    faults=frozenset(),
    led=Led.GREEN,
    safety_code=31,
    unit_quantity=2,
    online=None,
    backup_interface=None,
)
PRIMARY = Said(Role.PRIMARY, IDENTITY, EXTENSION)
SECONDARY = Said(Role.SECONDARY_1, IDENTITY, EXTENSION)
OTHER = Said(Role.SECONDARY_2, IDENTITY, EXTENSION)
INSTALLED = Installation(combiner_box=True, termination=True)
BI = BackupInterfaceType.BI


def unit(answer: Said | None, place: int, role: Role | None = None) -> Unit:
    return Unit(
        serial_number=f"H{place}",
        role=role if answer is None else answer.role,
        answer=answer,
    )


def run(
    *answers: Said | None,
    quantity: int | None = 2,
    backup_interface: BackupInterfaceType | None = BI,
    installation: Installation = INSTALLED,
) -> dict[Check, CheckResult]:
    """Run the checks on inverters H0, H1, ...; those that are None were not heard."""
    return run_checks(
        [unit(answer, place) for place, answer in enumerate(answers)],
        unit_quantity=quantity,
        backup_interface=backup_interface,
        installation=installation,
    )


def outcomes(checks: dict[Check, CheckResult]) -> dict[Check, bool | None]:
    return {check: result.passed for check, result in checks.items()}


TOLD_BY_INVERTERS = [
    each for each in Check if each not in (Check.COMBINER_BOX, Check.TERMINATION)
]


def test_alike_units_pass() -> None:
    assert outcomes(run(PRIMARY, SECONDARY)) == dict.fromkeys(Check, True)


def test_nothing_is_known_of_units_that_tell_nothing() -> None:
    mute = Said(None, None, None)
    checks = run(
        mute, mute, mute, quantity=None, backup_interface=None, installation=UNANSWERED
    )
    assert outcomes(checks) == dict.fromkeys(Check)


@pytest.mark.parametrize(
    ("quantity", "passed"),
    [(2, True), (1, False), (3, False), (0, False), (None, None)],
)
def test_as_many_units_as_set(quantity: int | None, passed: bool | None) -> None:
    assert run(PRIMARY, SECONDARY, quantity=quantity)[Check.UNIT_QUANTITY] == (
        # Only the primary tells it.
        CheckResult(
            passed=passed,
            units=(Statement(unit="H0", role=Role.PRIMARY, value=quantity),),
        )
    )


@pytest.mark.parametrize(
    ("roles", "passed"),
    [
        ([Role.PRIMARY], True),
        ([Role.STANDALONE], True),
        ([Role.PRIMARY, Role.SECONDARY_1, Role.SECONDARY_2, Role.SECONDARY_3], True),
        ([Role.SECONDARY_2, Role.PRIMARY], True),
        ([Role.PRIMARY, Role.PRIMARY], False),
        ([Role.PRIMARY, Role.SECONDARY_1, Role.SECONDARY_1], False),
        ([Role.SECONDARY_1, Role.SECONDARY_1, None], False),
        ([Role.SECONDARY_1, Role.SECONDARY_2], False),
        ([Role.PRIMARY, Role.STANDALONE], False),
        # Two secondaries without a number may or may not be the same one.
        ([Role.PRIMARY, Role.SECONDARY, Role.SECONDARY], None),
        ([Role.PRIMARY, Role.SECONDARY], None),
        ([Role.PRIMARY, None], None),
        ([None], None),
    ],
)
def test_one_primary_and_each_secondary_once(
    roles: list[Role | None], passed: bool | None
) -> None:
    checks = run(*(Said(role, IDENTITY, EXTENSION) for role in roles))

    assert checks[Check.ROLES] == CheckResult(
        passed=passed,
        units=tuple(
            Statement(unit=f"H{place}", role=role, value=role)
            for place, role in enumerate(roles)
        ),
    )


@pytest.mark.parametrize(
    ("check", "differing", "unknown", "values"),
    [
        (
            Check.FIRMWARE,
            replace(SECONDARY, identity=replace(IDENTITY, firmware="DSP 1.08")),
            replace(SECONDARY, identity=replace(IDENTITY, firmware=None)),
            ("DSP 1.07 / ARM 2.13", "DSP 1.08"),
        ),
        (
            Check.RATED_POWER,
            replace(SECONDARY, identity=replace(IDENTITY, rated_power=5000)),
            replace(SECONDARY, identity=replace(IDENTITY, rated_power=None)),
            (7600, 5000),
        ),
        (
            Check.BATTERY_QUANTITY,
            replace(SECONDARY, identity=replace(IDENTITY, battery_count=1)),
            replace(SECONDARY, identity=replace(IDENTITY, battery_count=None)),
            (2, 1),
        ),
        (
            Check.MODEL_TYPE,
            replace(
                SECONDARY, extension=replace(EXTENSION, model_type=ModelType.A1_AC_G2)
            ),
            replace(SECONDARY, extension=None),
            (ModelType.A1_HYB_G2, ModelType.A1_AC_G2),
        ),
        (
            Check.SAFETY_CODE,
            replace(SECONDARY, extension=replace(EXTENSION, safety_code=32)),
            replace(SECONDARY, extension=replace(EXTENSION, safety_code=None)),
            (31, 32),
        ),
    ],
)
def test_what_must_be_the_same_everywhere(
    check: Check, differing: Said, unknown: Said, values: tuple[object, object]
) -> None:
    failed = run(PRIMARY, differing)
    assert failed_checks(failed) == (check,)
    assert [statement.value for statement in failed[check].units] == list(values)
    assert run(PRIMARY, unknown)[check].passed is None
    # Two that differ settle it, whatever a third one would say.
    settled = run(PRIMARY, unknown, differing, quantity=3)[check]
    assert settled.passed is False
    assert [statement.value for statement in settled.units] == [
        values[0],
        None,
        values[1],
    ]


@pytest.mark.parametrize("unseen", [1, 2, 3])
def test_units_that_nothing_is_known_of_leave_checks_open(unseen: int) -> None:
    checks = run(PRIMARY, *[None] * unseen, quantity=1 + unseen)
    assert outcomes(checks) == dict.fromkeys(TOLD_BY_INVERTERS) | {
        Check.COMBINER_BOX: True,
        Check.TERMINATION: True,
    }
    differing = replace(SECONDARY, identity=replace(IDENTITY, rated_power=5000))
    checks = run(PRIMARY, differing, *[None] * unseen, quantity=2 + unseen)
    assert checks[Check.RATED_POWER].passed is False
    assert checks[Check.FIRMWARE].passed is None


def test_a_silent_unit_is_named_and_says_nothing() -> None:
    checks = run_checks(
        [unit(PRIMARY, 0), unit(None, 1, Role.SECONDARY_1)],
        unit_quantity=2,
        backup_interface=BI,
        installation=INSTALLED,
    )
    assert checks[Check.ROLES].units == (
        Statement(unit="H0", role=Role.PRIMARY, value=Role.PRIMARY),
        Statement(unit="H1", role=Role.SECONDARY_1, value=None),
    )


def test_a_silent_primary_does_not_say_how_many_there_are() -> None:
    checks = run_checks(
        [unit(None, 0, Role.PRIMARY), unit(SECONDARY, 1)],
        unit_quantity=2,
        backup_interface=BI,
        installation=INSTALLED,
    )
    assert checks[Check.UNIT_QUANTITY] == CheckResult(
        passed=None, units=(Statement(unit="H0", role=Role.PRIMARY, value=None),)
    )


def test_no_battery_is_a_quantity() -> None:
    none = replace(IDENTITY, battery_count=0)
    units = [replace(PRIMARY, identity=none), replace(OTHER, identity=none)]

    assert run(*units)[Check.BATTERY_QUANTITY].passed is True
    assert run(units[0], SECONDARY)[Check.BATTERY_QUANTITY].passed is False


@pytest.mark.parametrize(
    ("units", "backup_interface", "answer", "passed"),
    [
        # Not needed, whatever is answered.
        *((n, kind, answer, True) for n in (1, 2) for kind in (None, *BackupInterfaceType) for answer in (None, True, False)),
        *((n, BackupInterfaceType.NONE, answer, True) for n in (3, 4) for answer in (None, True, False)),
        # Needed.
        *((n, kind, answer, answer) for n in (3, 4) for kind in (BI, BackupInterfaceType.BI_PRO) for answer in (None, True, False)),
        # Who knows whether it is needed; with one all is well either way.
        *((n, None, answer, answer or None) for n in (3, 4) for answer in (None, True, False)),
    ],
)  # fmt: skip
def test_a_combiner_box_where_more_than_two_hang_on_a_bi(
    units: int,
    backup_interface: BackupInterfaceType | None,
    answer: bool | None,
    passed: bool | None,
) -> None:
    installation = Installation(combiner_box=answer, termination=True)
    for found in range(1, units + 1):
        # Those that the primary counts hang there too.
        checks = run(
            *[PRIMARY] * found,
            quantity=units,
            backup_interface=backup_interface,
            installation=installation,
        )
        assert checks[Check.COMBINER_BOX] == CheckResult(passed=passed)


@pytest.mark.parametrize("answer", [None, True, False])
def test_a_plug_at_the_end_of_the_chain(answer: bool | None) -> None:
    installation = Installation(termination=answer)
    alone = run(PRIMARY, quantity=1, installation=installation)
    assert alone[Check.TERMINATION] == CheckResult(passed=True)
    two = run(PRIMARY, SECONDARY, installation=installation)
    assert two[Check.TERMINATION] == CheckResult(passed=answer)


PASSED = {check: CheckResult(passed=True) for check in Check}


@pytest.mark.parametrize("check", Check)
def test_each_check_counts_for_readiness(check: Check) -> None:
    assert readiness(PASSED) is Readiness.READY
    unknown = {**PASSED, check: CheckResult(passed=None)}
    assert readiness(unknown) is Readiness.UNKNOWN
    failed = readiness({**PASSED, check: CheckResult(passed=False)})
    assert failed is (Readiness.BLOCKED if check in BLOCKING else Readiness.WARNINGS)


def test_what_no_inverter_refuses_is_a_warning() -> None:
    assert {
        Check.UNIT_QUANTITY,
        Check.ROLES,
        Check.RATED_POWER,
        Check.MODEL_TYPE,
        Check.SAFETY_CODE,
    } == BLOCKING


def test_a_failure_outweighs_what_is_unknown() -> None:
    unknown = {check: CheckResult(passed=None) for check in Check}
    failed = CheckResult(passed=False)
    assert readiness({**unknown, Check.ROLES: failed}) is Readiness.BLOCKED
    assert readiness({**unknown, Check.TERMINATION: failed}) is Readiness.WARNINGS
