"""The faults of a group: how grave each is, how well that is known, and which steps help.

The bit that carries a fault is data of the profile, and what is said about it stands in the
translations; everything else about it is here.
"""

from collections.abc import Iterable

from .battery import BATTERY_FAULTS
from .fault import Family, Fault, Severity
from .grid import GRID_FAULTS
from .internal import INTERNAL_FAULTS
from .output import OUTPUT_FAULTS
from .parallel import GENERIC_FAULT, PARALLEL_FAULTS, PINS, PRIMARY_SILENT, SYSTEM_FAULT
from .pv import PV_FAULTS

__all__ = [
    "DOCUMENTED_FAULTS",
    "FAULTS",
    "GENERIC_FAULT",
    "GUIDE",
    "PARALLEL_FAULTS",
    "PINS",
    "PRIMARY_SILENT",
    "SYSTEM_FAULT",
    "Family",
    "Fault",
    "Severity",
    "problems",
]

DOCUMENTED_FAULTS = (
    *GRID_FAULTS,
    *PV_FAULTS,
    *BATTERY_FAULTS,
    *OUTPUT_FAULTS,
    *INTERNAL_FAULTS,
    GENERIC_FAULT,
)
"""The faults of the inverter, manager and battery fault words (grade sister)."""

FAULTS = {fault.key: fault for fault in (*PARALLEL_FAULTS, *DOCUMENTED_FAULTS)}
"""Every fault that an inverter can report, by its key."""

GUIDE = {**FAULTS, PRIMARY_SILENT.key: PRIMARY_SILENT}
"""Everything that a person is told what to do about, by its key."""


def problems(keys: Iterable[str], *, off_grid: bool | None) -> frozenset[str]:
    """Return the faults among ``keys`` that are a problem.

    While the inverter runs off-grid (``off_grid`` true) the loss of the grid is what was asked
    for, so its bits are left out.
    """
    return frozenset(
        key for key in keys if not (off_grid and FAULTS[key].off_grid_consequence)
    )
