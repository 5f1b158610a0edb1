"""The checks that the vendor asks for before a parallel group is switched on."""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from .codes import BackupInterfaceType, Role
from .extension import Extension
from .identity import Identity
from .installation import Installation, needs_combiner_box, needs_termination
from .source import Value


class Check(StrEnum):
    """A pre-operation check; the value is the key that others know it by."""

    UNIT_QUANTITY = "check_unit_quantity"
    ROLES = "check_roles"
    FIRMWARE = "check_firmware"
    RATED_POWER = "check_rated_power"
    BATTERY_QUANTITY = "check_battery_quantity"
    MODEL_TYPE = "check_model_type"
    SAFETY_CODE = "check_safety_code"
    COMBINER_BOX = "check_combiner_box"
    TERMINATION = "check_termination"


class Readiness(StrEnum):
    """Whether a group may be switched on, as far as the checks tell."""

    READY = "ready"
    WARNINGS = "warnings"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


BLOCKING = frozenset(
    {
        Check.UNIT_QUANTITY,
        Check.ROLES,
        Check.RATED_POWER,
        Check.MODEL_TYPE,
        Check.SAFETY_CODE,
    }
)
"""What the inverters themselves refuse to run with: it raises a paralleling fault (grade vendor)."""


class Answer(Protocol):
    """What an inverter that was heard says of itself; None stands for not known."""

    @property
    def identity(self) -> Identity | None:
        """Who the inverter is."""

    @property
    def role(self) -> Role | None:
        """Its place in the group."""

    @property
    def extension(self) -> Extension | None:
        """What its parallel extension says."""


@dataclass(frozen=True, kw_only=True)
class Unit:
    """An inverter of the group.

    Serial number and ``role`` are what it is known by, None where that is not known. ``answer``
    is None where it was not heard, so that nothing is known of it by now.
    """

    serial_number: str | None
    role: Role | None
    answer: Answer | None


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What one inverter says to a check; a ``value`` of None is not known.

    ``unit`` is its serial number; powers are in W, batteries in packs.
    """

    unit: str | None
    role: Role | None
    value: Value | None


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """How a check came out, None where too little is known, and what led to it.

    ``units`` holds the inverters that are asked: for the number of units the primary alone, for
    what the owner tells nobody.
    """

    passed: bool | None
    units: tuple[Statement, ...] = ()


type _Read = Callable[[Answer], Value | None]


def _identity(read: Callable[[Identity], Value | None]) -> _Read:
    return lambda answer: None if answer.identity is None else read(answer.identity)


def _extension(read: Callable[[Extension], Value | None]) -> _Read:
    return lambda answer: None if answer.extension is None else read(answer.extension)


def _model_type(answer: Answer) -> Value | None:
    """Return the model, which either the extension tells or the module."""
    if answer.extension is not None:
        return answer.extension.model_type
    return None if answer.identity is None else answer.identity.model_type


_SAME_ON_ALL: Mapping[Check, _Read] = {
    Check.FIRMWARE: _identity(lambda identity: identity.firmware),
    Check.RATED_POWER: _identity(lambda identity: identity.rated_power),
    Check.BATTERY_QUANTITY: _identity(lambda identity: identity.battery_count),
    Check.MODEL_TYPE: _model_type,
    Check.SAFETY_CODE: _extension(lambda extension: extension.safety_code),
}


def run_checks(
    units: Sequence[Unit],
    *,
    unit_quantity: int | None,
    backup_interface: BackupInterfaceType | None,
    installation: Installation,
) -> dict[Check, CheckResult]:
    """Return how each check comes out for ``units``.

    ``unit_quantity`` is the number of units that is set on the primary. None stands for not
    known.
    """
    count = max(unit_quantity or 0, len(units))
    return {
        Check.UNIT_QUANTITY: _unit_quantity(units, unit_quantity),
        Check.ROLES: _roles(units),
        **{
            check: _same(_statements(units, read))
            for check, read in _SAME_ON_ALL.items()
        },
        Check.COMBINER_BOX: CheckResult(
            passed=_installed(
                installation.combiner_box,
                needed=needs_combiner_box(count, backup_interface),
            )
        ),
        Check.TERMINATION: CheckResult(
            passed=_installed(installation.termination, needed=needs_termination(count))
        ),
    }


def readiness(checks: Mapping[Check, CheckResult]) -> Readiness:
    """Return what the checks come to: the gravest failure, else whether all is known."""
    if not (failed := failed_checks(checks)):
        return (
            Readiness.READY
            if all(result.passed for result in checks.values())
            else Readiness.UNKNOWN
        )
    return Readiness.WARNINGS if BLOCKING.isdisjoint(failed) else Readiness.BLOCKED


def failed_checks(
    checks: Mapping[Check, CheckResult], among: Collection[Check] = tuple(Check)
) -> tuple[Check, ...]:
    """Return the checks that are known to fail."""
    return tuple(
        check
        for check, result in checks.items()
        if result.passed is False and check in among
    )


def _statements(units: Sequence[Unit], read: _Read) -> tuple[Statement, ...]:
    return tuple(
        Statement(
            unit=unit.serial_number,
            role=unit.role,
            value=None if unit.answer is None else read(unit.answer),
        )
        for unit in units
    )


def _same(statements: tuple[Statement, ...]) -> CheckResult:
    """Whether all say the same; two that differ settle it even where others are unknown."""
    values: set[Hashable | None] = {statement.value for statement in statements}
    passed = None if None in values else True
    return CheckResult(
        passed=False if len(values - {None}) > 1 else passed, units=statements
    )


def _unit_quantity(units: Sequence[Unit], quantity: int | None) -> CheckResult:
    """Whether there are as many inverters as set; one that was not heard leaves it open."""
    heard = all(unit.answer is not None for unit in units)
    leaders = [unit for unit in units if unit.role is not None and unit.role.leads]
    return CheckResult(
        passed=len(units) == quantity if heard and quantity is not None else None,
        units=_statements(leaders, lambda answer: quantity),
    )


def _roles(units: Sequence[Unit]) -> CheckResult:
    """Whether there is one primary and no secondary role is given twice."""
    statements = _statements(units, lambda answer: answer.role)
    roles = [None if unit.answer is None else unit.answer.role for unit in units]
    told = [role for role in roles if role not in (None, Role.SECONDARY)]
    passed: bool | None
    if len(set(told)) < len(told):
        passed = False
    elif len(told) < len(roles):
        passed = None
    else:
        passed = sum(role is not None and role.leads for role in roles) == 1
    return CheckResult(passed=passed, units=statements)


def _installed(there: bool | None, *, needed: bool | None) -> bool | None:
    """Whether something is there if it is needed."""
    if needed is False or there:
        return True
    return there if needed else None
