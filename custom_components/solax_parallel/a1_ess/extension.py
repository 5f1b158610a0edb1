"""Whether the parallel extension block can be trusted, and what it says.

The block's place is assumed (nobody has published it), so it counts only while every word of it
makes sense together with what is known from elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .codes import (
    BackupInterfaceType,
    Led,
    ModelType,
    OnOff,
    ParallelSetting,
    Role,
    SmartLoadMode,
)
from .family import MAX_UNITS, SMART_LOADS
from .profile import Profile
from .source import UnusableError, Value


def extension_window(setting: ParallelSetting | None) -> str:
    """Return the window with the extension of an inverter that is set up like this."""
    return "primary_extension" if setting is ParallelSetting.MASTER else "extension"


@dataclass(frozen=True, kw_only=True)
class SmartLoad:
    """One smart load channel of a BI PRO; power in W, energy in kWh."""

    state: OnOff
    mode: SmartLoadMode
    power: float | None
    energy_total: float | None


@dataclass(frozen=True, kw_only=True)
class BackupInterface:
    """The BI or BI PRO of a group; powers in W.

    Only a BI PRO has ``smart_loads`` (by channel number), ``third_party_power`` and
    ``non_backup_power``.
    """

    type: BackupInterfaceType
    grid_relay: OnOff
    generator: OnOff
    microgrid: OnOff
    smart_loads: Mapping[int, SmartLoad]
    third_party_power: float | None
    non_backup_power: float | None


@dataclass(frozen=True, kw_only=True)
class Extension:
    """What the parallel extension of one inverter says.

    Only the primary knows ``unit_quantity`` (as set in the app), ``online`` (the roles it hears)
    and ``backup_interface`` (None in the non-BI layout).
    """

    model_type: ModelType
    role: Role
    faults: frozenset[str]
    led: Led
    safety_code: Value | None
    unit_quantity: int | None
    online: frozenset[Role] | None
    backup_interface: BackupInterface | None

    @property
    def backup_interface_type(self) -> BackupInterfaceType | None:
        """Which backup interface the group has; None unless it is the primary that tells."""
        if self.role is not Role.PRIMARY:
            return None
        if self.backup_interface is None:
            return BackupInterfaceType.NONE
        return self.backup_interface.type


@dataclass(frozen=True)
class ExtensionReader:
    """Decodes one reply; ``measured`` holds those of its readings that passed their bounds."""

    profile: Profile
    values: Mapping[str, Value | None]
    measured: Mapping[str, float | None]

    def decode(self, setting: ParallelSetting | None) -> Extension:
        """Return what the block says; ``setting`` is the inverter's parallel setting.

        Raises ``UnusableError`` when the role disagrees with the setting, a code is in no table
        or an unused bit is set.
        """
        role = self._code("role", Role)
        if role.setting is not setting:
            raise UnusableError(f"role {role} does not fit parallel setting {setting}")
        primary = role is Role.PRIMARY
        return Extension(
            model_type=self._code("model_type", ModelType),
            role=role,
            faults=self._flags("parallel_faults"),
            led=self._code("operation_led", Led),
            safety_code=self.values.get("safety_code"),
            unit_quantity=self._unit_quantity() if primary else None,
            online=(
                frozenset(Role(name) for name in self._flags("online_mask"))
                if primary
                else None
            ),
            backup_interface=self._backup_interface() if primary else None,
        )

    def _backup_interface(self) -> BackupInterface | None:
        kind = self._code("backup_interface", BackupInterfaceType)
        if kind is BackupInterfaceType.NONE:
            return None
        pro = kind is BackupInterfaceType.BI_PRO
        return BackupInterface(
            type=kind,
            grid_relay=self._code("grid_relay", OnOff),
            generator=self._code("generator", OnOff),
            microgrid=self._code("microgrid", OnOff),
            smart_loads={n: self._smart_load(n) for n in SMART_LOADS} if pro else {},
            third_party_power=self.measured.get("third_party_power") if pro else None,
            non_backup_power=self.measured.get("non_backup_power") if pro else None,
        )

    def _smart_load(self, number: int) -> SmartLoad:
        key = f"smart_load_{number}"
        return SmartLoad(
            state=self._code(f"{key}_state", OnOff),
            mode=self._code(f"{key}_mode", SmartLoadMode),
            power=self.measured.get(f"{key}_power"),
            energy_total=self.measured.get(f"{key}_energy_total"),
        )

    def _unit_quantity(self) -> int:
        value = self.values.get("unit_quantity")
        if not isinstance(value, int) or not 0 <= value <= MAX_UNITS:
            raise UnusableError(f"unit_quantity is {value}")
        return value

    def _code[E: StrEnum](self, key: str, codes: type[E]) -> E:
        value = self.values.get(key)
        name = self.profile.registers[key].code(value)
        if name is None:
            raise UnusableError(f"{key} is {value}, which stands for nothing")
        return codes(name)

    def _flags(self, key: str) -> frozenset[str]:
        value = self.values.get(key)
        names, rest = self.profile.registers[key].flags(value)
        if value is None or rest:
            raise UnusableError(f"{key} is {value}, with bits that are not used")
        return names
