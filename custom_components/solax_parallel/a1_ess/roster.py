"""From inverters that answered, wherever they did, to the members of one group."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from enum import StrEnum

from .checks import Check, CheckResult, Unit, run_checks
from .codes import BackupInterfaceType, Role
from .family import MAX_UNITS
from .installation import Installation
from .scan import FoundInverter

SECONDARIES = (Role.SECONDARY_1, Role.SECONDARY_2, Role.SECONDARY_3)


class Refusal(StrEnum):
    """Why inverters can't be one group."""

    NO_PRIMARY = "no_primary"
    OTHER_GROUP = "other_group"
    QUANTITY_ZERO = "quantity_zero"
    SAME_SERIAL = "same_serial"
    TOO_MANY_UNITS = "too_many_units"
    TWO_PRIMARIES = "two_primaries"


class RosterError(Exception):
    """Inverters that can't be one group."""

    def __init__(self, refusal: Refusal) -> None:
        """Remember why."""
        self.refusal = refusal
        super().__init__(refusal)


@dataclass(frozen=True)
class Placed[L]:
    """An inverter and the link that leads to it."""

    found: FoundInverter
    link: L

    @property
    def serial_number(self) -> str:
        """The serial number of the inverter."""
        return self.found.identity.serial_number


@dataclass
class Roster[L]:
    """The inverters found for one group so far."""

    units: list[Placed[L]] = field(default_factory=list)

    def add(self, found: Iterable[FoundInverter], link: L) -> None:
        """Take in what was found on ``link``; raises ``RosterError`` as ``join`` does."""
        self.join(Placed(inverter, link) for inverter in found)

    def join(self, others: Iterable[Placed[L]]) -> None:
        """Take in what was found in several places; all of it or, when that is refused, nothing.

        Raises ``RosterError`` for a serial number that is there already in another place, a
        second primary, or more units than a group can have.
        """
        units = list(self.units)
        for placed in others:
            twin = next(
                (unit for unit in units if unit.serial_number == placed.serial_number),
                None,
            )
            if twin is None:
                units.append(placed)
            elif (twin.link, twin.found.unit_id) == (
                placed.link,
                placed.found.unit_id,
            ):
                units[units.index(twin)] = placed
            else:
                raise RosterError(Refusal.SAME_SERIAL)
        if sum(unit.found.role.leads for unit in units) > 1:
            raise RosterError(Refusal.TWO_PRIMARIES)
        if len(units) > MAX_UNITS:
            raise RosterError(Refusal.TOO_MANY_UNITS)
        self.units = sorted(units, key=lambda unit: list(Role).index(unit.found.role))

    def keep(self, earlier: Iterable[Placed[L]]) -> None:
        """Take in what was found earlier and not anew, unless that would be too many.

        Which of too many belong here nobody knows.
        """
        known = self.serial_numbers
        kept = [placed for placed in earlier if placed.serial_number not in known]
        counted = (
            unit.found.unit_quantity for unit in self.units if unit.found.role.leads
        )
        most = next(counted, None) or MAX_UNITS
        if len(self.units) + len(kept) <= most:
            self.join(kept)

    def check(self, taken: Set[str]) -> None:
        """Raise ``RosterError`` for what can't become a group of its own.

        That is when there is no primary, or no number of units is set on it, or when a serial
        number is one of ``taken``, which belong to other groups.
        """
        if self.serial_numbers & taken:
            raise RosterError(Refusal.OTHER_GROUP)
        # Raises where it can't be told.
        self.primary  # noqa: B018

    @property
    def serial_numbers(self) -> set[str]:
        """The serial numbers of the inverters found so far."""
        return {unit.serial_number for unit in self.units}

    @property
    def primary(self) -> Placed[L]:
        """The inverter that stands for the group.

        Raises ``RosterError`` when there is none, or when no number of units is set on it.
        """
        for unit in self.units:
            if unit.found.role.leads:
                if unit.found.unit_quantity == 0:
                    raise RosterError(Refusal.QUANTITY_ZERO)
                return unit
        raise RosterError(Refusal.NO_PRIMARY)

    @property
    def unit_quantity(self) -> int | None:
        """How many inverters the primary says there are; None where it does not tell."""
        return self.primary.found.unit_quantity

    @property
    def size(self) -> int:
        """How many inverters the group has, found or counted by the primary."""
        return max(self.unit_quantity or 0, len(self.units))

    @property
    def backup_interface(self) -> BackupInterfaceType | None:
        """Which backup interface the group has; None where the primary does not tell it."""
        extension = self.primary.found.extension
        return None if extension is None else extension.backup_interface_type

    @property
    def reported(self) -> tuple[Role, ...]:
        """The missing secondaries that the primary can tell of.

        None through a module, which tells nothing of others, and none while a secondary whose
        number is not known was found: what the primary tells of each number could be about that
        one.
        """
        if self.primary.found.unit_id is None:
            return ()
        numbered = all(unit.found.role is not Role.SECONDARY for unit in self.units)
        return self.missing if numbered else ()

    @property
    def wanted(self) -> tuple[Role, ...]:
        """The secondaries to ask for: the missing ones, or all that may be where nobody counts.

        Only a primary that was found through a module may have secondaries without counting them.
        """
        found = self.primary.found
        if found.unit_id is not None or found.unit_quantity is not None:
            return self.missing
        present = {unit.found.role for unit in self.units}
        return tuple(role for role in SECONDARIES if role not in present)

    @property
    def missing(self) -> tuple[Role, ...]:
        """The secondaries that the primary counts and that were not found."""
        count = (self.unit_quantity or 0) - len(self.units)
        present = {unit.found.role for unit in self.units}
        return tuple(role for role in SECONDARIES if role not in present)[
            : max(count, 0)
        ]


def leading[L](found: Iterable[Placed[L]]) -> list[Placed[L]]:
    """Return those of the inverters found that stand for a group."""
    return [placed for placed in found if placed.found.role.leads]


def group_of[L](primary: Placed[L], found: Sequence[Placed[L]]) -> Roster[L]:
    """Return a primary with those of the inverters found that can only be its secondaries.

    Raises ``RosterError`` when they can't be one group.
    """
    only_group = len(leading(found)) == 1
    roster = Roster([primary])
    roster.join(
        placed
        for placed in found
        if not placed.found.role.leads and (only_group or placed.link == primary.link)
    )
    return roster


def checks_of[L](
    roster: Roster[L], installation: Installation
) -> dict[Check, CheckResult]:
    """Return how the pre-operation checks of what was found came out.

    Raises ``RosterError`` where the roster has no primary.
    """
    return run_checks(
        [
            *(
                Unit(
                    serial_number=unit.serial_number,
                    role=unit.found.role,
                    answer=unit.found,
                )
                for unit in roster.units
            ),
            *(
                Unit(serial_number=None, role=role, answer=None)
                for role in roster.missing
            ),
        ],
        unit_quantity=roster.unit_quantity,
        backup_interface=roster.backup_interface or installation.backup_interface,
        installation=installation,
    )
