"""What an inverter's settings tell of its place in the group."""

from collections.abc import Mapping
from dataclasses import dataclass

from .codes import ROLE_FROM_SETTING, ParallelSetting, Role
from .family import MAX_UNITS
from .profile import Profile
from .register import Register, Value

_ALL_ONLINE = (1 << MAX_UNITS) - 1
"""A bit for each inverter."""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """How the app has set an inverter; None stands for not told.

    Only a module tells the role and, of a primary, the number of inverters of its group.
    """

    parallel_setting: ParallelSetting | None = None
    role: Role | None = None
    unit_quantity: int | None = None

    def role_after(self, role: Role) -> Role:
        """Return the role of an inverter that was in ``role`` until now."""
        if self.role is not None:
            return self.role
        if self.parallel_setting in (None, role.setting):
            return role
        return ROLE_FROM_SETTING[self.parallel_setting]


def decode_placement(profile: Profile, values: Mapping[str, Value | None]) -> Placement:
    """Return what ``values`` tell, as far as it makes sense."""
    if "parallel_role" in values:
        return _from_module(profile.module["parallel_role"], values)
    code = profile.registers["parallel_setting"].code(values.get("parallel_setting"))
    return Placement(parallel_setting=None if code is None else ParallelSetting(code))


def _from_module(register: Register, values: Mapping[str, Value | None]) -> Placement:
    """Return what a module tells, whose three words count only together (grade assumed)."""
    code = register.code(values.get("parallel_role"))
    secondaries, online = values.get("secondary_quantity"), values.get("units_online")
    if (
        code is None
        or not isinstance(secondaries, int)
        or not isinstance(online, int)
        # Where nobody has put anything there are zeros, which would be a standalone inverter.
        or not 0 < online <= _ALL_ONLINE
        or secondaries >= MAX_UNITS
    ):
        return Placement()
    role = Role(code)
    if (role is Role.PRIMARY) is not (secondaries > 0) and role.leads:
        return Placement()
    return Placement(
        parallel_setting=role.setting,
        role=role,
        unit_quantity=secondaries + 1 if role.leads else None,
    )
