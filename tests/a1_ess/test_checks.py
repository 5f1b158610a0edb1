"""The checks that the vendor asks for before a parallel group is switched on."""

from dataclasses import dataclass, replace

import pytest

from custom_components.solax_parallel.a1_ess.checks import Check, run_checks
from custom_components.solax_parallel.a1_ess.codes import Led, ModelType, Role
from custom_components.solax_parallel.a1_ess.extension import Extension
from custom_components.solax_parallel.a1_ess.identity import Identity


@dataclass(frozen=True)
class Unit:
    """An inverter as far as the checks look at it."""

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
PRIMARY = Unit(Role.PRIMARY, IDENTITY, EXTENSION)
SECONDARY = Unit(Role.SECONDARY_1, IDENTITY, EXTENSION)
OTHER = Unit(Role.SECONDARY_2, IDENTITY, EXTENSION)


def test_alike_units_pass() -> None:
    assert run_checks([PRIMARY, SECONDARY], 2) == dict.fromkeys(Check, True)


def test_nothing_is_known_of_units_that_tell_nothing() -> None:
    silent = Unit(None, None, None)

    assert run_checks([silent, silent], None) == dict.fromkeys(Check)


@pytest.mark.parametrize(
    ("quantity", "passed"),
    [(2, True), (1, False), (3, False), (0, False), (None, None)],
)
def test_as_many_units_as_set(quantity: int | None, passed: bool | None) -> None:
    checks = run_checks([PRIMARY, SECONDARY], quantity)

    assert checks[Check.UNIT_QUANTITY] is passed


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
    units = [Unit(role, IDENTITY, EXTENSION) for role in roles]

    assert run_checks(units, None)[Check.ROLES] is passed


@pytest.mark.parametrize(
    ("check", "differing", "unknown"),
    [
        (
            Check.FIRMWARE,
            replace(SECONDARY, identity=replace(IDENTITY, firmware="DSP 1.08")),
            replace(SECONDARY, identity=replace(IDENTITY, firmware=None)),
        ),
        (
            Check.RATED_POWER,
            replace(SECONDARY, identity=replace(IDENTITY, rated_power=5000)),
            replace(SECONDARY, identity=replace(IDENTITY, rated_power=None)),
        ),
        (
            Check.BATTERY_QUANTITY,
            replace(SECONDARY, identity=replace(IDENTITY, battery_count=1)),
            replace(SECONDARY, identity=replace(IDENTITY, battery_count=None)),
        ),
        (
            Check.MODEL_TYPE,
            replace(
                SECONDARY, extension=replace(EXTENSION, model_type=ModelType.A1_AC_G2)
            ),
            replace(SECONDARY, extension=None),
        ),
        (
            Check.SAFETY_CODE,
            replace(SECONDARY, extension=replace(EXTENSION, safety_code=32)),
            replace(SECONDARY, extension=replace(EXTENSION, safety_code=None)),
        ),
    ],
)
def test_what_must_be_the_same_everywhere(
    check: Check, differing: Unit, unknown: Unit
) -> None:
    others = [each for each in Check if each is not check]

    failed = run_checks([PRIMARY, differing], 2)
    assert failed[check] is False
    assert {failed[each] for each in others} == {True}
    assert run_checks([PRIMARY, unknown], 2)[check] is None
    # Two that differ settle it, whatever a third one would say.
    assert run_checks([PRIMARY, unknown, differing], 3)[check] is False


@pytest.mark.parametrize("unseen", [1, 2, 3])
def test_units_that_nothing_is_known_of_leave_checks_open(unseen: int) -> None:
    assert run_checks([PRIMARY], 1 + unseen, unseen=unseen) == dict.fromkeys(Check)

    differing = replace(SECONDARY, identity=replace(IDENTITY, rated_power=5000))
    checks = run_checks([PRIMARY, differing], 2 + unseen, unseen=unseen)
    assert checks[Check.RATED_POWER] is False
    assert checks[Check.FIRMWARE] is None


def test_no_battery_is_a_quantity() -> None:
    none = replace(IDENTITY, battery_count=0)
    units = [replace(PRIMARY, identity=none), replace(OTHER, identity=none)]

    assert run_checks(units, 2)[Check.BATTERY_QUANTITY] is True
    assert run_checks([units[0], SECONDARY], 2)[Check.BATTERY_QUANTITY] is False
