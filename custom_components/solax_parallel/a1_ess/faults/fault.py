"""What there is to say about any fault."""

from dataclasses import dataclass
from enum import StrEnum

from ..grade import Grade


class Family(StrEnum):
    """The part of the system that a fault is about; the value is its sensor's key."""

    GRID = "grid_fault"
    PV = "pv_fault"
    BATTERY = "battery_fault"
    OUTPUT = "output_fault"
    INTERNAL = "internal_fault"
    PARALLEL = "parallel_fault"


class Severity(StrEnum):
    """Whether the inverter stops for it."""

    WARNING = "warning"
    FAULT = "fault"


class Scope(StrEnum):
    """Whether it is about one inverter, or about how the group is joined and configured."""

    UNIT = "unit"
    GROUP = "group"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault, with what its owner needs to know and can do about it.

    ``name`` and ``meaning`` are plain English; ``steps`` are keys of ``STEPS``, in the order in
    which to take them. ``vendor_code`` is spelt exactly as the inverter and the vendor's
    instruction show it and is known for the paralleling faults only. ``pins`` are those of the
    COMM chain that the fault is likely about: always this project's inference, never the vendor's
    word. ``grade`` says how the rest is known: with ``vendor`` meaning and steps follow the
    vendor's parallel instruction; with ``sister`` only the name comes from a document, and meaning
    and steps are read out of it; ``assumed`` is what this project concludes by itself.
    ``off_grid_consequence`` marks a fault that is the expected consequence of running off-grid.
    """

    key: str
    name: str
    family: Family
    meaning: str
    steps: tuple[str, ...]
    severity: Severity = Severity.FAULT
    scope: Scope = Scope.UNIT
    vendor_code: str | None = None
    pins: tuple[int, ...] = ()
    grade: Grade = Grade.SISTER
    off_grid_consequence: bool = False
