"""How a group is installed, as far as no register tells it: only the owner can."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .codes import BackupInterfaceType, Role

UNITS_WITHOUT_COMBINER_BOX = 2
"""How many inverters a BI or BI PRO takes without a combiner box (grade vendor)."""


@dataclass(frozen=True, kw_only=True)
class Installation:
    """What the owner says of the installation; None where the owner did not say.

    ``combiner_box`` is whether there is one, ``termination`` whether the 120 ohm plug is in the
    last secondary. ``wiring_order`` are the secondaries in the order of the COMM chain, the one
    next to the primary first.
    """

    combiner_box: bool | None = None
    termination: bool | None = None
    backup_interface: BackupInterfaceType | None = None
    wiring_order: tuple[Role, ...] | None = None


UNANSWERED = Installation()
"""What is known of the installation while the owner has said nothing."""


def needs_combiner_box(
    units: int, backup_interface: BackupInterfaceType | None
) -> bool | None:
    """Return whether ``units`` inverters need a combiner box (grade vendor).

    None where that depends on the backup interface, which is not known.
    """
    if units <= UNITS_WITHOUT_COMBINER_BOX:
        return False
    if backup_interface is None:
        return None
    return backup_interface is not BackupInterfaceType.NONE


def needs_termination(units: int) -> bool:
    """Return whether ``units`` inverters have a COMM chain that ends in a plug (grade vendor)."""
    return units > 1


def is_wiring_order(order: Sequence[Role], secondaries: Collection[Role]) -> bool:
    """Return whether ``order`` names each of the secondaries once and nobody else."""
    return len(set(order)) == len(order) and sorted(order) == sorted(secondaries)


def comm_chain(
    roles: Collection[Role], wiring_order: Sequence[Role] | None
) -> tuple[Role, ...] | None:
    """Return the inverters in the order of the COMM chain, the primary first.

    None where the order is not known, or is one of other inverters.
    """
    secondaries = [role for role in roles if role is not Role.PRIMARY]
    if len(roles) - len(secondaries) != 1 or not secondaries:
        return None
    if len(secondaries) == 1:
        return (Role.PRIMARY, *secondaries)
    if wiring_order is None or not is_wiring_order(wiring_order, secondaries):
        return None
    return (Role.PRIMARY, *wiring_order)


def broken_segment(
    chain: Sequence[Role], faulty: Collection[Role]
) -> tuple[Role, Role] | None:
    """Return the cable behind which all of ``chain`` is ``faulty`` and before which nobody is.

    The primary may be faulty as well: it loses contact with those behind. None where the faulty
    ones lie otherwise, and where all of more than two are faulty: that may be any cable.
    """
    point = next(
        (place for place, role in enumerate(chain) if place and role in faulty), None
    )
    if point is None or not set(chain[point:]) <= set(faulty):
        return None
    if point == 1 and chain[0] in faulty and len(chain) > 2:
        return None
    return chain[point - 1], chain[point]
