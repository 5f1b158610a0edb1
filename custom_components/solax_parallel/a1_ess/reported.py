"""A secondary that can't be asked itself: what the primary says of it.

The primary's block holds powers, battery and state of charge of each secondary, and nothing else.
So role, run mode, faults and LED of such a secondary are unknown, never "ok".
"""

from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from .codes import Role
from .family import THIRD_STRING_POWER
from .inverter_state import InverterState, Presence
from .profile import Profile
from .register import Register
from .samples import Samples

_LEGS = ("l1_power", "l2_power")


class ReportedSecondary:
    """One secondary of a group that is read through its primary only."""

    def __init__(self, serial_number: str, role: Role, profile: Profile) -> None:
        """Stand for the secondary in ``role``; ``serial_number`` is what it is known by here."""
        self.serial_number = serial_number
        self.role = role
        self.samples = Samples()
        self._last_seen: datetime | None = None
        self._failed_polls = 0
        prefix = f"{role}_"
        self._registers = {
            register.key: replace(register, key=register.key.removeprefix(prefix))
            for register in profile.read_in("system")
            if register.key.startswith(prefix)
        }
        self.measurements: tuple[Register, ...] = (
            profile.registers["ac_power"],
            *(each for each in self._registers.values() if each.unit is not None),
        )

    def can_tell(self, key: str) -> bool:
        """Return whether ``key`` can be told: it may be once the secondary is asked itself."""
        return True

    def silent(self) -> InverterState:
        """Return what is known after a poll in which nothing was heard of it."""
        self.samples.miss()
        self._failed_polls += 1
        return self._unheard(Presence.SILENT)

    def unasked(self) -> InverterState:
        """Return what is known while the primary is not asked."""
        return self._unheard(Presence.UNASKED)

    def wake(self) -> None:
        """Begin anew after a pause: no old value is held."""
        self.samples.forget()

    def _unheard(self, presence: Presence) -> InverterState:
        return InverterState(
            serial_number=self.serial_number,
            presence=presence,
            reported=True,
            last_seen=self._last_seen,
            failed_polls=self._failed_polls,
        )

    def judge(self, primary: InverterState, now: float) -> InverterState:
        """Return what is known after a poll of the primary; ``now`` is monotonic, in seconds."""
        if primary.identity is not None:
            # All units of a group have the same rated power: the vendor demands it.
            self.samples.rated_power = primary.identity.rated_power
        values = {
            register.key: primary.system.get(key)
            for key, register in self._registers.items()
            if key in primary.system
        }
        hears = primary.extension.online if primary.extension is not None else None
        # The block of a unit that the primary does not hear holds zeros, as if it stood idle.
        if not any(values.values()) or (hears is not None and self.role not in hears):
            return self.silent()
        self._last_seen = primary.last_seen
        self._failed_polls = 0
        readings = self.samples.take(self._registers.values(), values, now)
        if self.samples.rated_power == THIRD_STRING_POWER:
            # The block has no third string, so the sum of the strings is not known.
            readings["pv3_power"] = None
        legs = [readings[leg] for leg in _LEGS]
        readings["ac_power"] = None if None in legs else sum(filter(None, legs))
        return InverterState(
            serial_number=self.serial_number,
            presence=Presence.HEARD,
            reported=True,
            readings=MappingProxyType(readings),
            last_seen=self._last_seen,
            dropped=MappingProxyType(dict(self.samples.dropped)),
        )
