"""The checks that the vendor asks for before a parallel group is switched on."""

from collections.abc import Collection, Hashable, Iterable, Mapping
from enum import StrEnum
from typing import Protocol

from .codes import Role
from .extension import Extension
from .identity import Identity


class Check(StrEnum):
    """A pre-operation check; the value is the key that others know it by."""

    UNIT_QUANTITY = "check_unit_quantity"
    ROLES = "check_roles"
    FIRMWARE = "check_firmware"
    RATED_POWER = "check_rated_power"
    BATTERY_QUANTITY = "check_battery_quantity"
    MODEL_TYPE = "check_model_type"
    SAFETY_CODE = "check_safety_code"


class Readiness(StrEnum):
    """Whether a group may be switched on, as far as the checks tell."""

    READY = "ready"
    WARNINGS = "warnings"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


BLOCKING = frozenset(
    {
        Check.UNIT_QUANTITY,
        Check.ROLES,
        Check.RATED_POWER,
        Check.MODEL_TYPE,
        Check.SAFETY_CODE,
    }
)
"""What the inverters themselves refuse to run with: it raises a paralleling fault (grade vendor)."""


class Unit(Protocol):
    """What the checks look at; None stands for not known."""

    @property
    def identity(self) -> Identity | None:
        """Who the inverter is."""

    @property
    def role(self) -> Role | None:
        """Its place in the group."""

    @property
    def extension(self) -> Extension | None:
        """What its parallel extension says."""


def run_checks(
    units: Collection[Unit], unit_quantity: int | None, *, unseen: int = 0
) -> dict[Check, bool | None]:
    """Return for each check whether ``units`` pass it; None where too little is known.

    ``unit_quantity`` is the number of units that is set on the primary, ``unseen`` how many
    units there are besides that nothing is known of.
    """
    nothing = [None] * unseen
    identities = [*(unit.identity for unit in units), *nothing]
    extensions = [*(unit.extension for unit in units), *nothing]
    return {
        Check.UNIT_QUANTITY: (
            None if unit_quantity is None or unseen else len(units) == unit_quantity
        ),
        Check.ROLES: _roles([*(unit.role for unit in units), *nothing]),
        Check.FIRMWARE: _same(
            identity and identity.firmware for identity in identities
        ),
        Check.RATED_POWER: _same(
            identity and identity.rated_power for identity in identities
        ),
        Check.BATTERY_QUANTITY: _same(
            identity and identity.battery_count for identity in identities
        ),
        Check.MODEL_TYPE: _same(
            extension and extension.model_type for extension in extensions
        ),
        Check.SAFETY_CODE: _same(
            extension and extension.safety_code for extension in extensions
        ),
    }


def readiness(checks: Mapping[Check, bool | None]) -> Readiness:
    """Return what the checks come to: the gravest failure, else whether all is known."""
    failed = {check for check, passed in checks.items() if passed is False}
    if failed & BLOCKING:
        return Readiness.BLOCKED
    if failed:
        return Readiness.WARNINGS
    return Readiness.READY if all(checks.values()) else Readiness.UNKNOWN


def _same(values: Iterable[Hashable | None]) -> bool | None:
    """Whether all are the same; two that differ settle it even where others are unknown."""
    seen = set(values)
    if len(seen - {None}) > 1:
        return False
    return None if None in seen else True


def _roles(roles: Collection[Role | None]) -> bool | None:
    """Whether there is one primary and no secondary role is given twice."""
    told = [role for role in roles if role not in (None, Role.SECONDARY)]
    if len(set(told)) < len(told):
        return False
    if len(told) < len(roles):
        return None
    return sum(role is not None and role.leads for role in roles) == 1
