"""Why a group is in trouble: one cause out of everything that its members report.

What inverters report and what is concluded from it are never mixed: a cause says whether it is
inferred. The conclusions follow the vendor's parallel instruction (grade vendor).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from .checks import BLOCKING, Check, CheckResult, failed_checks
from .codes import Role
from .faults import FAULTS, Severity
from .installation import broken_segment, comm_chain
from .inverter_state import InverterState


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
    PARALLEL_FAULT = "parallel_fault"
    UNIT_NOT_SET_UP = "unit_not_set_up"


@dataclass(frozen=True, kw_only=True)
class RootCause:
    """A cause, with the units and faults that point to it and the checks that explain it.

    ``inferred`` is false where an inverter reports just this or is lost, and true
    where it was concluded. ``segment`` is the cable between two inverters that a line fault
    points to; None where it may be any. ``ruled_out`` is true where the checks leave no room for
    what the vendor names first for such a fault. ``untold`` are the units that were heard and do
    not tell all their faults, which leaves causes that can't be seen.
    """

    cause: Cause
    inferred: bool = False
    units: tuple[Role, ...] = ()
    faults: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    segment: tuple[Role, Role] | None = None
    ruled_out: bool = False
    untold: tuple[Role, ...] = ()


_SYSTEM = "parallel_system_fault"
_RS485 = "parallel_rs485_fault"
_CONFIGURATION = "parallel_config_fault"
_CONFIGURATION_WARNING = "parallel_can_warning"
_CAN = "parallel_can_fault"
_SYNC = "eps_sync_lost"
_GENERIC = "parallel_fault"
_VAGUE = frozenset({_GENERIC, _SYSTEM})
"""What says that something is wrong with paralleling, and leaves open what."""
_WARNINGS = frozenset(
    fault.key for fault in FAULTS.values() if fault.severity is Severity.WARNING
)
"""What an inverter does not stop for, so that it can't be what others suffer from."""

_EXPLAINED_BY: Mapping[str, Collection[Check]] = {
    _CONFIGURATION: BLOCKING,
    _CONFIGURATION_WARNING: {Check.ROLES, Check.UNIT_QUANTITY},
    # The plug ends the lines of both.
    _RS485: {Check.UNIT_QUANTITY, Check.TERMINATION},
    _CAN: {Check.TERMINATION},
}
"""What the vendor tells to check for a fault (grade vendor; the plug by its pins, inferred)."""


@dataclass(frozen=True)
class _Report:
    """What one heard unit reports; None stands for not told."""

    role: Role
    documented: frozenset[str] | None
    parallel: frozenset[str] | None

    @property
    def own(self) -> frozenset[str]:
        """The faults that are not about paralleling."""
        return (self.documented or frozenset()) - {_GENERIC}

    @property
    def faults(self) -> frozenset[str]:
        """Every fault that it tells of."""
        return (self.documented or frozenset()) | (self.parallel or frozenset())


@dataclass(frozen=True)
class _Case:
    """All that a cause is looked for in.

    ``silent`` is whether a known unit was not heard, ``complete`` whether all were heard that
    should be there; ``chain`` the order of the units, where that
    is known and all tell of paralleling faults.
    """

    reports: Sequence[_Report]
    checks: Mapping[Check, CheckResult]
    silent: bool
    complete: bool
    chain: tuple[Role, ...] | None

    def reporting(self, *faults: str) -> list[Role]:
        """Return the units that report one of these faults."""
        return [
            report.role
            for report in self.reports
            if not report.faults.isdisjoint(faults)
        ]

    def explaining(self, faults: Iterable[str]) -> tuple[Check, ...]:
        """Return the failed checks that explain one of these faults."""
        named = {check for fault in faults for check in _EXPLAINED_BY.get(fault, ())}
        return failed_checks(self.checks, named)

    def outcomes(self, checks: Iterable[Check]) -> set[bool | None]:
        """Return how these checks came out, each outcome once."""
        return {self.checks[check].passed for check in checks}

    @property
    def shared(self) -> frozenset[str]:
        """The faults of their own that all units which tell in this poll have, if there are two."""
        telling = [report for report in self.reports if report.documented is not None]
        if len(telling) < 2:
            return frozenset()
        return frozenset.intersection(*(report.own for report in telling)) - _WARNINGS


def find_root_cause(
    members: Sequence[InverterState],
    checks: Mapping[Check, CheckResult],
    *,
    units_expected: int,
    well: bool,
    wiring_order: Sequence[Role] | None = None,
) -> RootCause:
    """Return the one cause to look into first.

    ``checks`` are the pre-operation checks, ``units_expected`` is the number of units that the
    group should have, ``well`` whether all that is seen of it beside faults is as it should be,
    and ``wiring_order`` the order of the secondaries on the COMM chain.
    """
    found = _find(
        members,
        checks,
        units_expected=units_expected,
        well=well,
        wiring_order=wiring_order,
    )
    untold = (
        member.shown_role
        for member in members
        if member.heard and None in (member.faults, member.parallel_faults)
    )
    return replace(found, untold=tuple(untold))


def _find(
    members: Sequence[InverterState],
    checks: Mapping[Check, CheckResult],
    *,
    units_expected: int,
    well: bool,
    wiring_order: Sequence[Role] | None,
) -> RootCause:
    silent = [member for member in members if not member.heard]
    if len(silent) == len(members):
        return RootCause(cause=Cause.UNKNOWN)
    # Whoever missed a poll or two is not called unreachable yet.
    lost = [member for member in silent if member.lost]
    reports = [
        _Report(member.shown_role, member.problems, member.parallel_faults)
        for member in members
        if member.heard
    ]
    if any(member.role is not None and member.role.leads for member in lost):
        reported = frozenset().union(*(report.faults for report in reports))
        return _cause(Cause.PRIMARY_UNREACHABLE, [Role.PRIMARY], reported)
    all_tell = len(members) == units_expected and all(
        member.parallel_faults is not None for member in members
    )
    case = _Case(
        reports=reports,
        checks=checks,
        silent=bool(silent),
        complete=not silent and len(members) >= units_expected,
        chain=(
            comm_chain([report.role for report in reports], wiring_order)
            if all_tell
            else None
        ),
    )
    for find in _FINDERS:
        if (found := find(case)) is not None:
            return found
    if lost:
        return RootCause(
            cause=Cause.SECONDARY_UNREACHABLE,
            units=tuple(member.shown_role for member in lost),
        )
    if units := case.reporting(*_VAGUE):
        faults = frozenset().union(*(report.faults for report in reports)) & _VAGUE
        return _cause(Cause.PARALLEL_FAULT, units, faults)
    if len(members) < units_expected:
        return RootCause(cause=Cause.UNIT_NOT_SET_UP)
    told = all_tell and all(report.documented is not None for report in reports)
    return RootCause(cause=Cause.NONE if well and told else Cause.UNKNOWN)


def _cause(
    cause: Cause,
    units: Iterable[Role],
    faults: Iterable[str],
    *,
    inferred: bool = False,
    checks: tuple[Check, ...] = (),
    segment: tuple[Role, Role] | None = None,
    ruled_out: bool = False,
) -> RootCause:
    return RootCause(
        cause=cause,
        inferred=inferred,
        units=tuple(units),
        faults=tuple(sorted(faults)),
        checks=checks,
        segment=segment,
        ruled_out=ruled_out,
    )


def _common_fault(case: _Case) -> RootCause | None:
    """The same fault on every unit that tells in one poll has one cause outside of them."""
    if not case.shared or not case.complete:
        return None
    units = [report.role for report in case.reports if report.documented is not None]
    return _cause(Cause.COMMON_FAULT, units, case.shared, inferred=True)


def _primary_fault(case: _Case) -> RootCause | None:
    """A secondary's ParallSystem Fault is the primary's own fault seen from outside."""
    blamed = bool(case.reporting(_SYSTEM))
    for report in case.reports:
        own = report.own - _WARNINGS
        if not blamed:
            # What the others have as well is not what they suffer from.
            own -= case.shared
        if report.role.leads and (own or blamed) and len(case.reports) > 1:
            return _cause(
                Cause.PRIMARY_FAULT,
                [report.role],
                own or report.faults or {_SYSTEM},
                inferred=not own,
            )
    return None


def _rs485(case: _Case) -> RootCause | None:
    """On all units the vendor names the number of units first; on some it is the line there.

    A number that is known to be right leaves the line.
    """
    units = case.reporting(_RS485)
    everywhere = not case.silent and len(units) == len(case.reports) > 1
    if not everywhere:
        return _line(case, _RS485, Cause.RS485_LINE)
    if case.checks[Check.UNIT_QUANTITY].passed:
        return _line(case, _RS485, Cause.RS485_LINE, ruled_out=True)
    return _cause(
        Cause.UNIT_QUANTITY,
        units,
        [_RS485],
        inferred=True,
        checks=case.explaining([_RS485]),
    )


def _configuration(case: _Case) -> RootCause | None:
    """The pre-operation checks that fail tell what is configured differently."""
    if not (units := case.reporting(_CONFIGURATION, _CONFIGURATION_WARNING)):
        return None
    faults = [
        fault
        for fault in (_CONFIGURATION, _CONFIGURATION_WARNING)
        if case.reporting(fault)
    ]
    # What an inverter runs on with must not hide what all of them stop for.
    if _CONFIGURATION not in faults and case.shared and case.complete:
        return None
    return _cause(
        Cause.CONFIGURATION,
        units,
        faults,
        # The warning only says that communication is disturbed.
        inferred=_CONFIGURATION not in faults,
        checks=case.explaining(faults),
        ruled_out=(
            # Of the many checks some may not be comparable.
            case.outcomes(_EXPLAINED_BY[_CONFIGURATION]) - {None} == {True}
            if _CONFIGURATION in faults
            else case.outcomes(_EXPLAINED_BY[_CONFIGURATION_WARNING]) == {True}
        ),
    )


def _other_line(case: _Case) -> RootCause | None:
    return _line(case, _CAN, Cause.CAN_LINE) or _line(case, _SYNC, Cause.SYNC_LINE)


def _line(
    case: _Case, fault: str, cause: Cause, *, ruled_out: bool = False
) -> RootCause | None:
    if not (units := case.reporting(fault)):
        return None
    return _cause(
        cause,
        units,
        [fault],
        inferred=True,
        checks=case.explaining([fault]),
        segment=None if case.chain is None else broken_segment(case.chain, units),
        ruled_out=ruled_out,
    )


def _own_faults(case: _Case) -> RootCause | None:
    faulty = [report for report in case.reports if report.own]
    if not faulty:
        return None
    faults = frozenset().union(*(report.own for report in faulty))
    return _cause(Cause.UNIT_FAULT, [report.role for report in faulty], faults)


_FINDERS: Sequence[Callable[[_Case], RootCause | None]] = (
    _primary_fault,
    _rs485,
    _configuration,
    _other_line,
    _common_fault,
    _own_faults,
)
