"""What the coded values of an inverter can be."""

from enum import StrEnum

from .family import SMART_LOADS


class ModelType(StrEnum):
    """The three inverters of the A1-ESS-G2 family."""

    A1_HYB_G2 = "a1_hyb_g2"
    A1_AC_G2 = "a1_ac_g2"
    A1_SMT_G2 = "a1_smt_g2"

    @property
    def label(self) -> str:
        """The name printed on the inverter, such as ``A1-HYB-G2``."""
        return self.value.upper().replace("_", "-")


class ParallelSetting(StrEnum):
    """What the app has set an inverter to be."""

    FREE = "free"
    MASTER = "master"
    SLAVE = "slave"


class Role(StrEnum):
    """An inverter's place in its group; ``SECONDARY`` where its number is not known."""

    STANDALONE = "standalone"
    PRIMARY = "primary"
    SECONDARY = "secondary"
    SECONDARY_1 = "secondary_1"
    SECONDARY_2 = "secondary_2"
    SECONDARY_3 = "secondary_3"

    @property
    def setting(self) -> ParallelSetting:
        """The setting in the app that this role needs."""
        match self:
            case Role.STANDALONE:
                return ParallelSetting.FREE
            case Role.PRIMARY:
                return ParallelSetting.MASTER
            case _:
                return ParallelSetting.SLAVE

    @property
    def leads(self) -> bool:
        """Whether an inverter in this role can stand for a group."""
        return self in (Role.PRIMARY, Role.STANDALONE)


ROLE_FROM_SETTING = {
    ParallelSetting.FREE: Role.STANDALONE,
    ParallelSetting.MASTER: Role.PRIMARY,
    ParallelSetting.SLAVE: Role.SECONDARY,
}


class RunMode(StrEnum):
    """What an inverter is doing."""

    WAITING = "waiting"
    CHECKING = "checking"
    NORMAL = "normal"
    FAULT = "fault"
    PERMANENT_FAULT = "permanent_fault"
    UPDATE = "update"
    OFF_GRID_WAITING = "off_grid_waiting"
    OFF_GRID = "off_grid"
    SELF_TEST = "self_test"
    IDLE = "idle"
    STANDBY = "standby"
    NORMAL_REMOTE = "normal_remote"
    NORMAL_GENERATOR = "normal_generator"


FAULT_MODES = frozenset({RunMode.FAULT, RunMode.PERMANENT_FAULT})
WORKING_MODES = frozenset(
    {
        RunMode.NORMAL,
        RunMode.OFF_GRID,
        RunMode.NORMAL_REMOTE,
        RunMode.NORMAL_GENERATOR,
    }
)
ON_GRID_MODES = frozenset({RunMode.NORMAL, RunMode.NORMAL_REMOTE})
OFF_GRID_MODES = frozenset({RunMode.OFF_GRID_WAITING, RunMode.OFF_GRID})


class GridStatus(StrEnum):
    """Whether an inverter runs with the grid or without it."""

    ON_GRID = "on_grid"
    OFF_GRID = "off_grid"


class Led(StrEnum):
    """The operation LED on the front of an inverter."""

    OFF = "off"
    GREEN = "green"
    GREEN_FLASHING = "green_flashing"
    RED = "red"
    RED_FLASHING = "red_flashing"


class LedSource(StrEnum):
    """How an LED state was learnt."""

    REGISTER = "register"
    DERIVED = "derived"


class BackupInterfaceType(StrEnum):
    """The accessory that joins the group to the grid and the loads."""

    NONE = "none"
    BI = "bi"
    BI_PRO = "bi_pro"

    @property
    def label(self) -> str:
        """The vendor's name for it."""
        return self.value.upper().replace("_", " ")


class SmartLoadMode(StrEnum):
    """Who switches a smart load channel."""

    DISABLED = "disabled"
    MANUAL = "manual"
    AUTOMATIC = "automatic"


class OnOff(StrEnum):
    """A relay, a port or a link that is on or off."""

    OFF = "off"
    ON = "on"


CODES: dict[str, type[StrEnum]] = {
    "model_type": ModelType,
    "parallel_setting": ParallelSetting,
    "role": Role,
    "parallel_role": Role,
    "run_mode": RunMode,
    "grid_status": GridStatus,
    "operation_led": Led,
    "backup_interface": BackupInterfaceType,
    "bms_connected": OnOff,
    "grid_relay": OnOff,
    "generator": OnOff,
    "microgrid": OnOff,
    **{f"smart_load_{n}_state": OnOff for n in SMART_LOADS},
    **{f"smart_load_{n}_mode": SmartLoadMode for n in SMART_LOADS},
}
"""Which enumeration a register's coded values belong to."""
