"""The acceptance test: what is watched, when it is refused, how it ends."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from custom_components.solax_parallel.a1_ess.codes import GridStatus, Role, RunMode
from custom_components.solax_parallel.a1_ess.inverter_state import (
    InverterState,
    Presence,
)
from custom_components.solax_parallel.a1_ess.transfer_test import (
    Failure,
    Phase,
    Transfer,
    TransferTest,
    abort,
    advance,
)

START = datetime(2026, 6, 21, 12, 0, tzinfo=UTC)
LIMIT = timedelta(minutes=5)
ROLES = {"A": Role.PRIMARY, "B": Role.SECONDARY_1}
GRID = frozenset({"grid_lost", "grid_voltage", "grid_frequency"})

ON, OFF, SILENT, UNTOLD = "on", "off", "silent", "untold"
"""What a unit is seen as in one poll."""


def member(
    serial: str, seen: str, faults: frozenset[str] = frozenset()
) -> InverterState:
    return InverterState(
        serial_number=serial,
        role=ROLES[serial],
        presence=Presence.SILENT if seen == SILENT else Presence.HEARD,
        run_mode={ON: RunMode.NORMAL, OFF: RunMode.OFF_GRID}.get(seen),
        grid_status={ON: GridStatus.ON_GRID, OFF: GridStatus.OFF_GRID}.get(seen),
        faults=faults,
    )


def new_test() -> TransferTest:
    return TransferTest(
        started=START,
        limit=LIMIT,
        units={serial: Transfer(role=role) for serial, role in ROLES.items()},
    )


def play(*polls: Sequence[str], every: float = 10) -> TransferTest:
    """Return the test after polls in which A and B were seen so."""
    test = new_test()
    for number, seen in enumerate(polls, start=1):
        test = advance(
            test,
            {
                serial: member(serial, each)
                for serial, each in zip(ROLES, seen, strict=True)
            },
            START + timedelta(seconds=every * number),
        )
    return test


@pytest.mark.parametrize(
    ("polls", "phase"),
    [
        ([(ON, ON)], Phase.OPEN_BREAKER),
        ([(OFF, ON)], Phase.OPEN_BREAKER),
        ([(OFF, SILENT)], Phase.OPEN_BREAKER),
        ([(OFF, UNTOLD)], Phase.OPEN_BREAKER),
        ([(OFF, OFF)], Phase.CLOSE_BREAKER),
        ([(OFF, ON), (OFF, OFF)], Phase.CLOSE_BREAKER),
        # One after the other is not together.
        ([(OFF, ON), (ON, ON)], Phase.OPEN_BREAKER),
        ([(OFF, ON), (ON, ON), (ON, OFF), (ON, ON)], Phase.OPEN_BREAKER),
        ([(OFF, SILENT), (ON, OFF)], Phase.OPEN_BREAKER),
        ([(OFF, ON), (OFF, ON), (OFF, OFF)], Phase.CLOSE_BREAKER),
        ([(OFF, ON), (OFF, ON), (OFF, ON)], Phase.FAILED),
        ([(OFF, OFF), (ON, OFF)], Phase.CLOSE_BREAKER),
        ([(OFF, OFF), (ON, SILENT)], Phase.CLOSE_BREAKER),
        ([(OFF, OFF), (ON, UNTOLD)], Phase.CLOSE_BREAKER),
        # Whoever is not heard in the end is not known to be back.
        ([(OFF, OFF), (ON, OFF), (SILENT, ON)], Phase.CLOSE_BREAKER),
        ([(OFF, OFF), (ON, OFF), (UNTOLD, ON)], Phase.CLOSE_BREAKER),
        ([(OFF, OFF), (ON, OFF), (SILENT, ON), (ON, ON)], Phase.PASSED),
        ([(OFF, OFF), (ON, ON)], Phase.PASSED),
        ([(OFF, OFF), (ON, OFF), (ON, ON)], Phase.PASSED),
        # Whoever drops out again has not come back.
        ([(OFF, OFF), (ON, OFF), (OFF, ON)], Phase.CLOSE_BREAKER),
    ],
)
def test_phases(polls: list[Sequence[str]], phase: Phase) -> None:
    assert play(*polls, every=5).phase is phase


@pytest.mark.parametrize(
    ("polls", "to_blame"),
    [
        ([(OFF, ON)] * 3, {"B"}),
        ([(OFF, OFF), *[(ON, OFF)] * 3], {"B"}),
        ([(OFF, OFF), *[(OFF, ON)] * 3], {"A"}),
    ],
)
def test_out_of_step(polls: list[Sequence[str]], to_blame: set[str]) -> None:
    test = play(*polls, every=5)
    assert test.failure is Failure.OUT_OF_STEP
    assert {serial for serial, unit in test.units.items() if unit.failure} == to_blame


def test_times_of_each_unit() -> None:
    test = play((OFF, ON), (OFF, OFF), (ON, OFF), (ON, ON))
    assert test.units == {
        "A": Transfer(role=Role.PRIMARY, off_grid_after=10, on_grid_after=30),
        "B": Transfer(role=Role.SECONDARY_1, off_grid_after=20, on_grid_after=40),
    }
    assert test.ended == START + timedelta(seconds=40)
    assert test.failure is None


def test_a_result_stays_as_it_is() -> None:
    passed = play((OFF, OFF), (ON, ON))
    later = {serial: member(serial, OFF) for serial in ROLES}
    assert advance(passed, later, START + timedelta(hours=1)) is passed
    assert abort(passed, START) is passed


@pytest.mark.parametrize(
    ("polls", "failure", "to_blame"),
    [
        ([(ON, ON)], Failure.STAYED_ON_GRID, {"A", "B"}),
        ([(OFF, ON)], Failure.STAYED_ON_GRID, {"B"}),
        ([(OFF, OFF)], Failure.DID_NOT_RETURN, {"A", "B"}),
        ([(OFF, OFF), (ON, OFF)], Failure.DID_NOT_RETURN, {"B"}),
        # What was not heard can't be told to have stayed or gone.
        ([(OFF, OFF), (ON, SILENT)], Failure.NOT_HEARD, {"B"}),
        ([(SILENT, SILENT)], Failure.NOT_HEARD, {"A", "B"}),
        ([(OFF, UNTOLD)], Failure.NOT_KNOWN, {"B"}),
        ([(OFF, SILENT), (ON, ON)], Failure.NOT_KNOWN, {"B"}),
        ([(OFF, UNTOLD), (ON, ON)], Failure.NOT_KNOWN, {"B"}),
        ([(SILENT, SILENT), (ON, ON)], Failure.NOT_KNOWN, {"A", "B"}),
        ([(OFF, OFF), (ON, UNTOLD)], Failure.NOT_KNOWN, {"B"}),
        # The breaker is not open while another inverter tells of the grid.
        ([(ON, SILENT), (ON, ON)], Failure.STAYED_ON_GRID, {"A", "B"}),
        ([(OFF, SILENT), (SILENT, OFF), (ON, ON)], Failure.OUT_OF_STEP, {"A", "B"}),
    ],
)
def test_out_of_time(
    polls: list[Sequence[str]], failure: Failure, to_blame: set[str]
) -> None:
    test = play(*polls, polls[-1], every=LIMIT.total_seconds() / (len(polls) + 1))
    assert test.phase is Phase.FAILED
    assert test.failure is failure
    assert {serial for serial, unit in test.units.items() if unit.failure} == to_blame
    assert test.ended == START + LIMIT


def test_back_in_the_last_moment() -> None:
    assert play((OFF, OFF), (ON, ON), every=150).phase is Phase.PASSED


@pytest.mark.parametrize(
    ("faults", "phase"),
    [
        (GRID, Phase.CLOSE_BREAKER),
        (frozenset({"port_overcurrent"}), Phase.CLOSE_BREAKER),
        (frozenset({"off_grid_overload"}), Phase.FAILED),
        (GRID | {"parallel_fault"}, Phase.FAILED),
    ],
)
def test_faults_while_it_runs(faults: frozenset[str], phase: Phase) -> None:
    """The loss of the grid is what is tested, and a warning stops nothing."""
    test = advance(
        new_test(),
        {"A": member("A", OFF), "B": member("B", OFF, faults)},
        START + timedelta(seconds=10),
    )
    assert test.phase is phase
    assert test.units["B"].failure is (Failure.FAULT if phase is Phase.FAILED else None)
    assert test.units["A"].failure is None


def test_broken_off() -> None:
    test = abort(play((OFF, OFF)), START + timedelta(seconds=15))
    assert (test.phase, test.ended) == (Phase.ABORTED, START + timedelta(seconds=15))
    assert test.units["A"].off_grid_after == 10
