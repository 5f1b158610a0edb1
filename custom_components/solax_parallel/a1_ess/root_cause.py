"""Why a group is in trouble: one cause out of everything that its members report.

What inverters report and what is concluded from it are never mixed: a cause says whether it is
inferred. The conclusions follow the vendor's parallel instruction (grade vendor).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from .checks import Check
from .codes import Role
from .inverter import InverterState


class Cause(StrEnum):
    """What is at the bottom of it."""

    NONE = "none"
    UNKNOWN = "unknown"
    PRIMARY_UNREACHABLE = "primary_unreachable"
    SECONDARY_UNREACHABLE = "secondary_unreachable"
    PRIMARY_FAULT = "primary_fault"
    UNIT_QUANTITY = "unit_quantity"
    RS485_LINE = "rs485_line"
    CONFIGURATION = "configuration"
    CAN_LINE = "can_line"
    SYNC_LINE = "sync_line"
    COMMON_FAULT = "common_fault"
    UNIT_FAULT = "unit_fault"


@dataclass(frozen=True, kw_only=True)
class RootCause:
    """A cause, with the units and faults that point to it and the checks that explain it.

    ``inferred`` is false where an inverter reports just this or is seen to be silent, and true
    where it was concluded.
    """

    cause: Cause
    inferred: bool = False
    units: tuple[Role, ...] = ()
    faults: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class _Report:
    """What one heard unit reports."""

    role: Role
    faults: frozenset[str]


_SYSTEM = "parallel_system_fault"
_RS485 = "parallel_rs485_fault"
_CONFIGURATION = frozenset({"parallel_config_fault", "parallel_can_warning"})
_LINES = {
    "parallel_can_fault": Cause.CAN_LINE,
    "eps_sync_lost": Cause.SYNC_LINE,
}
# Faults about the chain of inverters; the generic bit says no more than one of the others.
_CHAIN = frozenset({_SYSTEM, _RS485, *_CONFIGURATION, *_LINES, "parallel_fault"})


def find_root_cause(
    members: Sequence[InverterState],
    checks: Mapping[Check, bool | None],
    *,
    units_expected: int,
) -> RootCause:
    """Return the one cause to look into first.

    ``checks`` are the pre-operation checks and ``units_expected`` the number of units that the
    group should have.
    """
    silent = [member for member in members if not member.heard]
    if len(silent) == len(members):
        return _cause(Cause.UNKNOWN, [])
    if any(_leads(member) for member in silent):
        return _cause(Cause.PRIMARY_UNREACHABLE, [Role.PRIMARY])
    reports = [
        _Report(
            member.role or Role.SECONDARY,
            (member.problems or frozenset()) | (member.parallel_faults or frozenset()),
        )
        for member in members
        if member.heard
    ]
    found = (
        _common_fault(reports)
        or _primary_fault(reports)
        or _rs485(reports, units_expected)
        or _configuration(reports, checks)
        or _line(reports)
        or _own_faults(reports)
    )
    if found is not None:
        return found
    if silent:
        return _cause(
            Cause.SECONDARY_UNREACHABLE,
            [member.role or Role.SECONDARY for member in silent],
        )
    told = all(
        member.faults is not None
        and member.parallel_faults is not None
        and not member.unnamed_bits
        for member in members
    )
    return _cause(Cause.NONE if told else Cause.UNKNOWN, [])


def _cause(
    cause: Cause,
    units: Sequence[Role],
    faults: frozenset[str] = frozenset(),
    *,
    inferred: bool = False,
    checks: Sequence[Check] = (),
) -> RootCause:
    return RootCause(
        cause=cause,
        inferred=inferred,
        units=tuple(units),
        faults=tuple(sorted(faults)),
        checks=tuple(checks),
    )


def _leads(member: InverterState) -> bool:
    return member.role is not None and member.role.leads


def _primary_fault(reports: Sequence[_Report]) -> RootCause | None:
    """A secondary's ParallSystem Fault is the primary's own fault seen from outside."""
    blamed = any(_SYSTEM in report.faults for report in reports)
    for report in reports:
        own = report.faults - _CHAIN
        if report.role.leads and (own or blamed) and len(reports) > 1:
            return _cause(
                Cause.PRIMARY_FAULT,
                [report.role],
                own or report.faults,
                inferred=not own,
            )
    return None


def _rs485(reports: Sequence[_Report], units_expected: int) -> RootCause | None:
    """On all units the vendor names the number of units first; on some it is the line there."""
    units = _with(reports, _RS485)
    if not units:
        return None
    everywhere = len(units) == len(reports) == units_expected > 1
    return _cause(
        Cause.UNIT_QUANTITY if everywhere else Cause.RS485_LINE,
        units,
        frozenset({_RS485}),
        inferred=True,
    )


def _configuration(
    reports: Sequence[_Report], checks: Mapping[Check, bool | None]
) -> RootCause | None:
    """The pre-operation checks that fail tell what is configured differently."""
    faults = _CONFIGURATION & _all_faults(reports)
    if not faults:
        return None
    return _cause(
        Cause.CONFIGURATION,
        [report.role for report in reports if report.faults & faults],
        faults,
        checks=[check for check, passed in checks.items() if passed is False],
    )


def _line(reports: Sequence[_Report]) -> RootCause | None:
    for fault, cause in _LINES.items():
        if units := _with(reports, fault):
            return _cause(cause, units, frozenset({fault}), inferred=True)
    return None


def _common_fault(reports: Sequence[_Report]) -> RootCause | None:
    """The same fault on every unit in one poll has one cause outside of them."""
    common = frozenset.intersection(*[report.faults for report in reports]) - _CHAIN
    if not common or len(reports) < 2:
        return None
    return _cause(
        Cause.COMMON_FAULT, [report.role for report in reports], common, inferred=True
    )


def _own_faults(reports: Sequence[_Report]) -> RootCause | None:
    faulty = [report for report in reports if report.faults]
    if not faulty:
        return None
    return _cause(
        Cause.UNIT_FAULT, [report.role for report in faulty], _all_faults(faulty)
    )


def _with(reports: Sequence[_Report], fault: str) -> list[Role]:
    return [report.role for report in reports if fault in report.faults]


def _all_faults(reports: Sequence[_Report]) -> frozenset[str]:
    return frozenset().union(*[report.faults for report in reports])
