"""How evenly the inverters of a group share the work."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .inverter_state import InverterState

UNEVEN_CHARGE = 15.0
"""By how many points the states of charge may differ before it is worth a warning."""

UNEVEN_AFTER = 3600.0
"""For how many seconds they must differ by more."""


def _reading(key: str) -> Callable[[InverterState], float | None]:
    return lambda member: member.readings.get(key)


def _load(member: InverterState) -> float | None:
    """Return what the inverter delivers in % of what it is made for.

    Off-grid its AC port is dead, and the backup output does the work.
    """
    keys = ("backup_l1_power", "backup_l2_power") if member.off_grid else ("ac_power",)
    powers = [member.readings.get(key) for key in keys]
    known = [power for power in powers if power is not None]
    rated = None if member.identity is None else member.identity.rated_power
    if len(known) < len(powers) or not rated:
        return None
    return 100 * sum(known) / rated


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A value in which inverters that work side by side should not differ much."""

    unit: str
    of: Callable[[InverterState], float | None]


COMPARED: Mapping[str, Compared] = {
    "soc_spread": Compared(unit="%", of=_reading("battery_soc")),
    "power_share_spread": Compared(unit="%", of=_load),
    "temperature_spread": Compared(unit="K", of=_reading("inverter_temperature")),
    "voltage_spread": Compared(unit="V", of=_reading("ac_voltage")),
}
"""What is compared over the units, by the key of the difference."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The difference between the highest and the lowest unit; None where fewer than two tell.

    ``highest`` and ``lowest`` are serial numbers. Who does not tell may be higher or lower still.
    """

    members_included: int
    members_expected: int
    value: float | None = None
    highest: str | None = None
    lowest: str | None = None

    @property
    def complete(self) -> bool:
        """Whether every member is compared."""
        return self.members_included >= self.members_expected


def spreads(heard: Sequence[InverterState], expected: int) -> dict[str, Spread]:
    """Return how far the inverters that answered lie apart, by the keys of ``COMPARED``.

    ``expected`` is how many members the group should have.
    """
    return {
        key: _spread(heard, expected, compared.of) for key, compared in COMPARED.items()
    }


def _spread(
    heard: Sequence[InverterState],
    expected: int,
    of: Callable[[InverterState], float | None],
) -> Spread:
    values = {
        member.serial_number: value
        for member in heard
        if (value := of(member)) is not None
    }
    if len(values) < 2:
        return Spread(members_included=len(values), members_expected=expected)
    highest = max(values, key=values.__getitem__)
    lowest = min(values, key=values.__getitem__)
    return Spread(
        members_included=len(values),
        members_expected=expected,
        value=round(values[highest] - values[lowest], 1),
        highest=highest,
        lowest=lowest,
    )


class BalanceWatch:
    """Tells when the states of charge stay apart."""

    def __init__(self) -> None:
        """Start with no difference seen."""
        self._since: float | None = None

    def unbalanced(self, spread: Spread, now: float) -> bool | None:
        """Return whether the charges have differed too much for too long; None if not known.

        ``now`` is a monotonic time in seconds.
        """
        if spread.value is None:
            return None
        if spread.value > UNEVEN_CHARGE:
            if self._since is None:
                self._since = now
            if now - self._since >= UNEVEN_AFTER:
                return True
        elif spread.complete:
            self._since = None
        # Who is not heard has not come closer: the hour goes on, or is over for long.
        return False if spread.complete else None
