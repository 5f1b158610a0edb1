"""The faults of a group: what each is called, how grave it is, what it means and what to do.

The bit that carries a fault is data of the profile; everything else about it is here, and every
text and page about faults is made of it.
"""

from collections.abc import Iterable

from .battery import BATTERY_FAULTS
from .fault import Family, Fault, Scope, Severity
from .grid import GRID_FAULTS
from .internal import INTERNAL_FAULTS
from .output import OUTPUT_FAULTS
from .parallel import GENERIC_FAULT, PARALLEL_FAULTS, PINS, PRIMARY_SILENT, SYSTEM_FAULT
from .pv import PV_FAULTS
from .steps import STEPS

__all__ = [
    "DOCUMENTED_FAULTS",
    "FAULTS",
    "GENERIC_FAULT",
    "GUIDE",
    "PARALLEL_FAULTS",
    "PINS",
    "PRIMARY_SILENT",
    "STEPS",
    "SYSTEM_FAULT",
    "Family",
    "Fault",
    "Scope",
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
