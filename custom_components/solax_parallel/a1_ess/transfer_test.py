"""The vendor's acceptance test: open and close the main breaker, and see every inverter follow.

The owner moves the breaker; nothing here switches anything (grade vendor: the parallel
instruction asks for the test after installation, and forbids it with the non-BI layout).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from .codes import FAULT_MODES, BackupInterfaceType, Role
from .faults import FAULTS, Severity
from .group import SPLIT_AFTER, GroupState
from .inverter_state import InverterState


class Phase(StrEnum):
    """How far a test has come."""

    OPEN_BREAKER = "open_breaker"
    CLOSE_BREAKER = "close_breaker"
    PASSED = "passed"
    FAILED = "failed"
    ABORTED = "aborted"

    @property
    def running(self) -> bool:
        """Whether the owner still has something to do."""
        return self in (Phase.OPEN_BREAKER, Phase.CLOSE_BREAKER)


class Failure(StrEnum):
    """Why a test was not passed."""

    FAULT = "fault"
    NOT_HEARD = "not_heard"
    NOT_KNOWN = "not_known"
    OUT_OF_STEP = "out_of_step"
    STAYED_ON_GRID = "stayed_on_grid"
    DID_NOT_RETURN = "did_not_return"


class Refusal(StrEnum):
    """Why a test can't be started; the value names the message for it."""

    NON_BI = "transfer_test_non_bi"
    LAYOUT_UNKNOWN = "transfer_test_layout_unknown"
    RUNNING = "transfer_test_running"
    INCOMPLETE = "transfer_test_incomplete"
    FAULTED = "transfer_test_faulted"
    OFF_GRID = "transfer_test_off_grid"
    GRID_UNKNOWN = "transfer_test_grid_unknown"


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """What one inverter did, in seconds since the start; None where it did not (yet).

    ``failure`` is why the test was not passed, on the inverters that are to blame.
    """

    role: Role
    off_grid_after: float | None = None
    on_grid_after: float | None = None
    failure: Failure | None = None


@dataclass(frozen=True, kw_only=True)
class TransferTest:
    """A test and how far it has come; ``units`` is what each inverter did, by serial number.

    ``together`` is whether one poll has shown all of them off-grid, ``apart_since`` after how many
    seconds they came to disagree about the grid, None while they do not. ``untold`` are those
    that did not tell in a poll in which the group may have been off-grid.
    """

    started: datetime
    limit: timedelta
    units: Mapping[str, Transfer]
    phase: Phase = Phase.OPEN_BREAKER
    ended: datetime | None = None
    together: bool = False
    apart_since: float | None = None
    untold: frozenset[str] = frozenset()

    @property
    def failure(self) -> Failure | None:
        """Why the test was not passed."""
        return next(
            (unit.failure for unit in self.units.values() if unit.failure), None
        )


def refusal(state: GroupState, *, running: bool) -> Refusal | None:
    """Return why a test can't be started now; None if it can.

    ``running`` is whether one is under way already.
    """
    members = state.members.values()
    match state.backup_interface_type:
        case None:
            return Refusal.LAYOUT_UNKNOWN
        case BackupInterfaceType.NONE:
            return Refusal.NON_BI
    if running:
        return Refusal.RUNNING
    if not state.complete:
        return Refusal.INCOMPLETE
    if any(map(_is_faulted, members)):
        return Refusal.FAULTED
    if any(member.off_grid for member in members):
        return Refusal.OFF_GRID
    if any(member.off_grid is None for member in members):
        return Refusal.GRID_UNKNOWN
    return None


def begin(state: GroupState, now: datetime, limit: timedelta) -> TransferTest:
    """Return a test that starts ``now`` and must be over within ``limit``."""
    return TransferTest(
        started=now,
        limit=limit,
        units={
            serial: Transfer(role=member.shown_role)
            for serial, member in state.members.items()
        },
    )


def advance(
    test: TransferTest, members: Mapping[str, InverterState], now: datetime
) -> TransferTest:
    """Return the test with what a poll at ``now`` has shown; one that has ended stays as it is."""
    if not test.phase.running:
        return test
    elapsed = (now - test.started).total_seconds()
    units = {
        serial: _watched(unit, members[serial], elapsed)
        for serial, unit in test.units.items()
    }
    test = _compared(replace(test, units=units), members, elapsed)
    if faulted := [serial for serial in units if _is_faulted(members[serial])]:
        return _failed(test, dict.fromkeys(faulted, Failure.FAULT), now)
    told = [_told(members[serial]) for serial in units]
    if test.together and all(off is False for off in told):
        return replace(test, phase=Phase.PASSED, ended=now)
    if now - test.started >= test.limit:
        return _failed(test, _shortcomings(test, members), now)
    if test.apart_since is not None and elapsed - test.apart_since >= SPLIT_AFTER:
        # Those who lag are on-grid at first, and off-grid at the end.
        lagging = [
            serial for serial in units if _told(members[serial]) is test.together
        ]
        return _failed(test, dict.fromkeys(lagging, Failure.OUT_OF_STEP), now)
    return replace(test, phase=Phase.CLOSE_BREAKER) if test.together else test


def abort(test: TransferTest, now: datetime) -> TransferTest:
    """Return the test as broken off, if it was running."""
    return replace(test, phase=Phase.ABORTED, ended=now) if test.phase.running else test


def _told(member: InverterState) -> bool | None:
    """Return whether an inverter tells now that it is off-grid."""
    return member.off_grid if member.heard else None


def _watched(unit: Transfer, member: InverterState, elapsed: float) -> Transfer:
    off_grid = _told(member)
    if off_grid:
        # Whoever drops out again has not come back.
        first = elapsed if unit.off_grid_after is None else unit.off_grid_after
        return replace(unit, off_grid_after=first, on_grid_after=None)
    came_back = unit.off_grid_after is not None and unit.on_grid_after is None
    if off_grid is False and came_back:
        return replace(unit, on_grid_after=elapsed)
    return unit


def _compared(
    test: TransferTest, members: Mapping[str, InverterState], elapsed: float
) -> TransferTest:
    """Return the test with what only all inverters of a poll tell together."""
    told = {serial: _told(members[serial]) for serial in test.units}
    seen = set(told.values())
    apart_since = elapsed if test.apart_since is None else test.apart_since
    # As long as somebody tells of the grid and nobody of its loss, the breaker is not open.
    may_be_off_grid = True in seen or False not in seen
    untold = {serial for serial, off_grid in told.items() if off_grid is None}
    return replace(
        test,
        together=test.together or seen == {True},
        apart_since=apart_since if {True, False} <= seen else None,
        untold=test.untold | untold if may_be_off_grid else test.untold,
    )


def _shortcomings(
    test: TransferTest, members: Mapping[str, InverterState]
) -> dict[str, Failure]:
    """Return what the inverters have not shown by the end of the time.

    Nobody is asked to come back before all have gone.
    """
    for shortcoming in (_did_not_go, _did_not_follow):
        found = {
            serial: failure
            for serial in test.units
            if (failure := shortcoming(test, serial, members[serial])) is not None
        }
        if found:
            break
    return found


def _did_not_go(
    test: TransferTest, serial: str, member: InverterState
) -> Failure | None:
    if not member.heard:
        return Failure.NOT_HEARD
    if member.off_grid is None:
        return Failure.NOT_KNOWN
    if test.units[serial].off_grid_after is not None:
        return None
    return Failure.NOT_KNOWN if serial in test.untold else Failure.STAYED_ON_GRID


def _did_not_follow(
    test: TransferTest, _serial: str, member: InverterState
) -> Failure | None:
    if not test.together:
        return Failure.OUT_OF_STEP
    return Failure.DID_NOT_RETURN if member.off_grid else None


def _failed(
    test: TransferTest, reasons: Mapping[str, Failure], now: datetime
) -> TransferTest:
    return replace(
        test,
        phase=Phase.FAILED,
        ended=now,
        units={
            serial: replace(unit, failure=reasons.get(serial))
            for serial, unit in test.units.items()
        },
    )


def _is_faulted(member: InverterState) -> bool:
    """Whether an inverter is in trouble other than the loss of the grid that is tested."""
    reported = (member.faults or frozenset()) | (member.parallel_faults or frozenset())
    return member.run_mode in FAULT_MODES or any(
        FAULTS[key].severity is Severity.FAULT and not FAULTS[key].off_grid_consequence
        for key in reported
    )
