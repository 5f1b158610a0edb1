"""What is known of one inverter after a poll."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from .codes import FAULT_MODES, GridStatus, Led, LedSource, ModelType, Role, RunMode
from .derived import off_grid
from .extension import Extension
from .faults import FAULTS, Severity, problems
from .health import Health
from .identity import Identity
from .source import Value

SILENT_POLLS = 3
"""After how many silent polls an inverter is left alone for a while."""


class Presence(StrEnum):
    """How an inverter stands with the poll."""

    HEARD = "heard"
    UNUSABLE = "unusable"
    SILENT = "silent"
    RESTING = "resting"
    OTHER_SERIAL = "other_serial"
    DENIED = "denied"
    UNASKED = "unasked"


@dataclass(frozen=True, kw_only=True)
class InverterState:
    """What is known of one inverter after a poll. None always means: not known.

    ``readings`` are in the units of the profile, ``counted_before`` what a counter stood at that
    did not start at nothing. ``faults`` and ``parallel_faults`` hold the keys of the faults
    reported, ``unnamed_bits`` what else the fault words say; ``tells_faults`` is whether they can
    be read of it at all. ``served`` are the windows that were read and could be used, and
    ``failures`` tells of others why not; what was not due is in neither.
    """

    serial_number: str
    presence: Presence
    identity: Identity | None = None
    role: Role | None = None
    model_type: ModelType | None = None
    run_mode: RunMode | None = None
    grid_status: GridStatus | None = None
    bms_connected: bool | None = None
    led: Led | None = None
    led_source: LedSource | None = None
    tells_faults: bool = True
    faults: frozenset[str] | None = None
    parallel_faults: frozenset[str] | None = None
    unnamed_bits: Mapping[str, int] = field(default_factory=dict)
    readings: Mapping[str, float | None] = field(default_factory=dict)
    counted_before: Mapping[str, float] = field(default_factory=dict)
    extension: Extension | None = None
    unit_quantity: int | None = None
    system: Mapping[str, Value | None] = field(default_factory=dict)
    reported: bool = False
    other_serial: str | None = None
    last_seen: datetime | None = None
    failed_polls: int = 0
    served: frozenset[str] = frozenset()
    failures: Mapping[str, str] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    health: Health = field(default_factory=Health)

    @property
    def heard(self) -> bool:
        """Whether the inverter answered in this poll."""
        return self.presence is Presence.HEARD

    @property
    def shown_role(self) -> Role:
        """Its role in words for people: whose role is not known is a secondary."""
        return self.role or Role.SECONDARY

    @property
    def lost(self) -> bool | None:
        """Whether the inverter is gone; None while it may only have missed a poll or two."""
        if self.heard:
            return False
        gone = self.presence in (Presence.OTHER_SERIAL, Presence.DENIED) or (
            self.failed_polls >= SILENT_POLLS
        )
        return gone or None

    @cached_property
    def off_grid(self) -> bool | None:
        """Whether it runs without the grid."""
        return off_grid(self.run_mode, self.grid_status)

    @cached_property
    def problems(self) -> frozenset[str] | None:
        """The documented faults that stand and are not what being off-grid brings with it."""
        if self.faults is None:
            return None
        return problems(self.faults, off_grid=self.off_grid)

    @cached_property
    def faulted(self) -> bool | None:
        """Whether a fault, and not only a warning, stands; None where it does not tell."""
        reported = (self.problems, self.parallel_faults)
        if (
            self.led in (Led.RED, Led.RED_FLASHING)
            or self.run_mode in FAULT_MODES
            or any(
                FAULTS[key].severity is Severity.FAULT
                for keys in reported
                for key in keys or ()
            )
        ):
            return True
        # A bit that nobody has a name for may be a fault.
        return None if None in reported or self.unnamed_bits else False

    @cached_property
    def stands(self) -> Mapping[str, bool | None]:
        """Whether each fault is a problem of this inverter; None where it does not tell."""
        return {
            key: _is_in(
                self.problems if fault.vendor_code is None else self.parallel_faults,
                key,
            )
            for key, fault in FAULTS.items()
        }

    def reports(self, key: str) -> bool | None:
        """Whether a fault is a problem of this inverter; None where it does not tell."""
        return self.stands[key]


def _is_in(told: frozenset[str] | None, key: str) -> bool | None:
    return None if told is None else key in told
