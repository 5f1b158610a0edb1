"""What an inverter shows, worked out where no register tells it."""

from collections.abc import Collection

from .codes import (
    FAULT_MODES,
    OFF_GRID_MODES,
    ON_GRID_MODES,
    WORKING_MODES,
    GridStatus,
    Led,
    RunMode,
)
from .faults import FAULTS, Severity, problems


def derived_led(
    run_mode: RunMode | None,
    grid_status: GridStatus | None,
    faults: Collection[str] | None,
) -> Led | None:
    """Return the LED that an inverter should show, where no register tells.

    The order is the vendor's: a fault flashes red, a working inverter is green, one on its way
    there flashes green. None where too little is known. One that can't tell its faults at all
    is judged by its run mode alone.
    """
    standing = problems(faults or (), off_grid=off_grid(run_mode, grid_status))
    if run_mode in FAULT_MODES or any(
        FAULTS[key].severity is Severity.FAULT for key in standing
    ):
        return Led.RED_FLASHING
    if run_mode is None or faults is None:
        return None
    return Led.GREEN if run_mode in WORKING_MODES else Led.GREEN_FLASHING


def derived_grid_status(run_mode: RunMode | None) -> GridStatus | None:
    """Return whether an inverter runs with the grid, where only its run mode tells.

    There is a mode of its own for running without it (grade sister). None where too little is
    known.
    """
    if run_mode in OFF_GRID_MODES:
        return GridStatus.OFF_GRID
    return GridStatus.ON_GRID if run_mode in ON_GRID_MODES else None


def off_grid(run_mode: RunMode | None, grid_status: GridStatus | None) -> bool | None:
    """Return whether an inverter runs without the grid; None where too little is known."""
    if run_mode in OFF_GRID_MODES or grid_status is GridStatus.OFF_GRID:
        return True
    return None if grid_status is None else False
