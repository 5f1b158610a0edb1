"""The vendor's acceptance test: open and close the main breaker, and see every inverter follow.

The owner moves the breaker; nothing here switches anything (grade vendor: the parallel
instruction asks for the test after installation, and forbids it with the non-BI layout).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from .codes import FAULT_MODES, BackupInterfaceType, Role
from .faults import FAULTS, Severity
from .group import GroupState
from .inverter import InverterState


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
    """A test and how far it has come; ``units`` is what each inverter did, by serial number."""

    started: datetime
    limit: timedelta
    units: Mapping[str, Transfer]
    phase: Phase = Phase.OPEN_BREAKER
    ended: datetime | None = None

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
            serial: Transfer(role=member.role or Role.SECONDARY)
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
    test = replace(test, units=units)
    if faulted := [serial for serial in units if _is_faulted(members[serial])]:
        return _failed(test, faulted, Failure.FAULT, now)
    if all(unit.on_grid_after is not None for unit in units.values()):
        return replace(test, phase=Phase.PASSED, ended=now)
    if now - test.started >= test.limit:
        return _timed_out(test, members, now)
    if all(unit.off_grid_after is not None for unit in units.values()):
        return replace(test, phase=Phase.CLOSE_BREAKER)
    return test


def abort(test: TransferTest, now: datetime) -> TransferTest:
    """Return the test as broken off, if it was running."""
    return replace(test, phase=Phase.ABORTED, ended=now) if test.phase.running else test


def _watched(unit: Transfer, member: InverterState, elapsed: float) -> Transfer:
    if not member.heard or member.off_grid is None:
        return unit
    if member.off_grid:
        # Whoever drops out again has not come back.
        first = elapsed if unit.off_grid_after is None else unit.off_grid_after
        return replace(unit, off_grid_after=first, on_grid_after=None)
    if unit.off_grid_after is not None and unit.on_grid_after is None:
        return replace(unit, on_grid_after=elapsed)
    return unit


def _timed_out(
    test: TransferTest, members: Mapping[str, InverterState], now: datetime
) -> TransferTest:
    units = test.units.items()
    for failure, to_blame in (
        (
            Failure.NOT_HEARD,
            [serial for serial, _ in units if not members[serial].heard],
        ),
        (
            Failure.STAYED_ON_GRID,
            [serial for serial, unit in units if unit.off_grid_after is None],
        ),
    ):
        if to_blame:
            return _failed(test, to_blame, failure, now)
    missing = [serial for serial, unit in units if unit.on_grid_after is None]
    return _failed(test, missing, Failure.DID_NOT_RETURN, now)


def _failed(
    test: TransferTest, to_blame: Collection[str], failure: Failure, now: datetime
) -> TransferTest:
    return replace(
        test,
        phase=Phase.FAILED,
        ended=now,
        units={
            serial: replace(unit, failure=failure) if serial in to_blame else unit
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
