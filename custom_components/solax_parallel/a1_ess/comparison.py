"""The sums over the units, held against what the primary says of the whole system."""

from dataclasses import dataclass

from .totals import Members, sum_over_units

_BOTH_SIDES = {
    "ac_power": (("ac_power",), ("system_l1_power", "system_l2_power")),
    # The primary's block has no third string.
    "pv_power": (("pv1_power", "pv2_power"), ("system_pv1_power", "system_pv2_power")),
    "battery_power": (("battery_power",), ("system_battery_power",)),
}
"""What each unit reads, and what of the primary's block (grade sister) is the same in one."""

_TOLERATED_SHARE = 0.05
_TOLERATED_POWER = 100.0

LASTING_COMPARISONS = 10
"""After how many comparisons in a row a mismatch counts as lasting."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The same power in W from two sides."""

    units: float
    primary: float

    @property
    def agrees(self) -> bool:
        """Whether the two differ by 5 % or less, or by 100 W or less: one of them is enough."""
        difference = abs(self.units - self.primary)
        return difference <= _TOLERATED_POWER or difference <= _TOLERATED_SHARE * abs(
            self.primary
        )


def compare(members: Members) -> dict[str, Comparison]:
    """Return the powers that are known from both sides in this poll.

    A sum that lacks a member, or that was taken from the primary's block itself, proves nothing.
    """
    if (primary := members.primary) is None:
        return {}
    compared: dict[str, Comparison] = {}
    for key, (of_units, parts) in _BOTH_SIDES.items():
        total = sum_over_units(members, of_units)
        said = [primary.system.get(part) for part in parts]
        known = [value for value in said if isinstance(value, int | float)]
        if (
            total.value is not None
            and total.complete
            and not total.members_through_primary
            and len(known) == len(parts)
        ):
            compared[key] = Comparison(units=total.value, primary=sum(known))
    return compared


class Mismatch:
    """Tells when the two sides disagree for long."""

    def __init__(self) -> None:
        """Start with nothing compared."""
        self.latest: dict[str, Comparison] = {}
        self._disagreed = 0

    def observe(self, members: Members) -> None:
        """Take note of a poll, in which the primary need not have been asked."""
        primary = members.primary
        if primary is None or not (primary.system or "system" in primary.failures):
            return
        self.latest = compare(members)
        if self.latest:
            agrees = all(each.agrees for each in self.latest.values())
            self._disagreed = 0 if agrees else self._disagreed + 1

    @property
    def is_lasting(self) -> bool | None:
        """Whether the sides disagree for long; None while they can't be compared."""
        return self._disagreed >= LASTING_COMPARISONS if self.latest else None
