"""What there is to say about any fault."""

from dataclasses import KW_ONLY, dataclass
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


@dataclass(frozen=True)
class Fault:
    """One fault: what is known of it, and what its owner can do about it.

    What it is called, what it means and how a step is said stand in the translations, by ``key``
    and the keys of its ``steps``.

    ``own_steps`` lead to its cause. None asks to open a cover, to unplug a power cable or to
    measure: such work is an electrician's or the after-sales service's. ``vendor_code`` is spelt
    exactly as the inverter and the vendor's instruction show it and is known for the paralleling
    faults only. ``pins`` are those of the COMM chain that the fault is likely about: always this
    project's inference, never the vendor's word. ``grade`` says how the rest is known: with
    ``vendor`` meaning and steps follow the vendor's parallel instruction; with ``sister`` only the
    name comes from a document, and meaning and steps are read out of it; ``assumed`` is what this
    project concludes by itself. ``off_grid_consequence`` marks a fault that is the expected
    consequence of running off-grid.
    """

    family: Family
    key: str
    own_steps: tuple[str, ...]
    _: KW_ONLY
    severity: Severity = Severity.FAULT
    vendor_code: str | None = None
    pins: tuple[int, ...] = ()
    grade: Grade = Grade.SISTER
    off_grid_consequence: bool = False

    @property
    def steps(self) -> tuple[str, ...]:
        """What to do, in this order: where nothing else helps, after-sales service does."""
        return (*self.own_steps, "after_sales")
