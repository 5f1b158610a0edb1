"""A simulated parallel group: who is in it, what ails it, and what time it is there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from ..a1_ess.codes import (
    BackupInterfaceType,
    Led,
    OnOff,
    Role,
    RunMode,
    SmartLoadMode,
)
from ..a1_ess.control import Kind
from ..a1_ess.family import MAX_UNITS, RATED_POWERS
from ..a1_ess.faults import FAULTS, PARALLEL_FAULTS, Severity, problems
from ..a1_ess.profile import Profile, load_profile
from .physics import Channel, Site
from .plant import Energies, Moment, undisturbed

NONE = "none"
"""What is injected into an inverter that is well."""
OFFLINE = "offline"
"""What is injected into an inverter that is dead: it answers nothing and delivers nothing."""

_SERIAL_NUMBER = 14
_ROLES = (Role.PRIMARY, Role.SECONDARY_1, Role.SECONDARY_2, Role.SECONDARY_3)
_GRID_LOST = "grid_lost"


class Relay(StrEnum):
    """How the relays of the smart loads take a command."""

    SOUND = "sound"
    STUCK = "stuck"
    """Takes the command and stays as it is."""
    REFUSING = "refusing"
    """Answers with an error and stays as it is."""
    MUTE = "mute"
    """Does it and says nothing."""


@dataclass(frozen=True, kw_only=True)
class SimulatedUnit:
    """One inverter of the group; ``index`` counts from 0, the primary's."""

    index: int
    serial_number: str

    @property
    def unit_id(self) -> int:
        """Its Modbus unit id."""
        return self.index + 1

    @property
    def role(self) -> Role:
        """Its role in the group."""
        return _ROLES[self.index]


class SimulatedGroup:
    """The state of a simulated group, brought up to date whenever it is looked at."""

    def __init__(
        self,
        *,
        serial_numbers: Sequence[str],
        backup_interface: BackupInterfaceType,
        rated_power: int,
        now: Callable[[], datetime],
        profile: Profile | None = None,
    ) -> None:
        """Build a group that has been running undisturbed for a long time.

        ``serial_numbers`` has the primary's first; ``rated_power`` is each inverter's in W;
        ``now`` returns the local time, with its time zone. The faults that can be injected are
        those of ``profile``'s fault word, by default of the shipped one (which reads a file).
        Raises ``ValueError`` for a group that can't exist or a time without a time zone.
        """
        if not 1 <= len(serial_numbers) <= MAX_UNITS:
            raise ValueError(f"a group has 1 to {MAX_UNITS} inverters")
        if len(set(serial_numbers)) != len(serial_numbers):
            raise ValueError("every inverter has its own serial number")
        for serial_number in serial_numbers:
            if len(serial_number) != _SERIAL_NUMBER or not serial_number.isascii():
                raise ValueError(
                    f"{serial_number!r} is not a serial number of 14 characters"
                )
        if rated_power not in RATED_POWERS:
            raise ValueError(f"the rated power is one of {RATED_POWERS} W")
        self.units = tuple(
            SimulatedUnit(index=index, serial_number=serial_number)
            for index, serial_number in enumerate(serial_numbers)
        )
        self.site = Site(
            units=len(serial_numbers),
            rated_power=rated_power,
            backup_interface=backup_interface,
        )
        profile = profile or load_profile()
        self.injectable: tuple[str, ...] = (
            NONE,
            *(fault.key for fault in PARALLEL_FAULTS),
            *(profile.registers["inverter_faults"].bits or {}).values(),
            OFFLINE,
        )
        self._injected = dict.fromkeys(serial_numbers, NONE)
        self.relay = Relay.SOUND
        self._now = now
        moment = now()
        if (offset := moment.utcoffset()) is None:
            raise ValueError("the time needs a time zone")
        self._standard_offset = (offset - (moment.dst() or timedelta())).total_seconds()
        self._date = moment.date()
        self._plant = undisturbed(self.site, self._site_seconds(moment))
        self._at_midnight = undisturbed(
            self.site, self._site_seconds(_midnight(moment))
        ).energies

    @property
    def serial_numbers(self) -> tuple[str, ...]:
        """Every inverter's serial number, the primary's first."""
        return tuple(unit.serial_number for unit in self.units)

    @property
    def grid_closed(self) -> bool:
        """Whether the main breaker is closed."""
        return self._plant.conditions.grid

    @grid_closed.setter
    def grid_closed(self, closed: bool) -> None:
        self.advance()
        self._impose(grid=closed)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """How the smart load channels are set, from the first on."""
        return self._plant.conditions.channels

    def command(self, number: int, kind: Kind, value: str) -> bool:
        """Command smart load channel ``number``, and return whether its relay took it.

        Raises ``ValueError`` for a value that there is not.
        """
        self.advance()
        channels = list(self.channels)
        channel = channels[number - 1]
        channels[number - 1] = (
            channel._replace(commanded=OnOff(value))
            if kind is Kind.SWITCH
            else channel._replace(mode=SmartLoadMode(value))
        )
        if self.relay in (Relay.SOUND, Relay.MUTE):
            self._plant.conditions = replace(
                self._plant.conditions, channels=tuple(channels)
            )
        return self.relay is not Relay.REFUSING

    def injected(self, serial_number: str) -> str:
        """Return what ails an inverter. Raises ``ValueError`` for an unknown serial number."""
        if (option := self._injected.get(serial_number)) is None:
            raise ValueError(f"there is no inverter {serial_number!r}")
        return option

    def inject(self, serial_number: str, option: str) -> None:
        """Let ``option``, one of ``injectable``, ail an inverter instead of what did before.

        Raises ``ValueError`` for an unknown serial number or option.
        """
        self.injected(serial_number)
        if option not in self.injectable:
            raise ValueError(f"{option!r} can't be injected")
        self.advance()
        self._injected[serial_number] = option
        self._impose(grid=self.grid_closed)

    def advance(self) -> None:
        """Bring the group to the present.

        Nothing happens in a time that is gone over again because the clock was set back.
        """
        moment = self._now()
        seconds = self._site_seconds(moment)
        forward = seconds >= self._plant.seconds
        if moment.date() != self._date:
            self._date = moment.date()
            if forward:
                self._plant.run(self._site_seconds(_midnight(moment)))
            self._at_midnight = self._plant.energies
        if forward:
            self._plant.run(seconds)
        else:
            self._plant.set_clock(seconds)

    @property
    def seconds(self) -> float:
        """The site's standard time, in s since 1970."""
        return self._plant.seconds

    @property
    def powers(self) -> Moment:
        """Every power of the present minute."""
        return self._plant.moment

    @property
    def energies(self) -> Energies:
        """What every counter has counted in its life."""
        return self._plant.energies

    @property
    def energies_today(self) -> Energies:
        """What every counter has counted since local midnight."""
        return self._plant.energies.plus(self._at_midnight, -1)

    def stored(self, unit: SimulatedUnit) -> float:
        """Return the Wh in an inverter's battery."""
        return self._plant.stored[unit.index]

    def online(self, unit: SimulatedUnit) -> bool:
        """Return whether an inverter answers."""
        return self._injected[unit.serial_number] != OFFLINE

    def faults(self, unit: SimulatedUnit) -> frozenset[str]:
        """Return the faults that an inverter reports."""
        injected = {self._injected[unit.serial_number]} & FAULTS.keys()
        return frozenset(injected if self.grid_closed else {*injected, _GRID_LOST})

    def run_mode(self, unit: SimulatedUnit) -> RunMode:
        """Return what an inverter is doing."""
        if self._stopped(unit, grid=self.grid_closed):
            return RunMode.FAULT
        if self.grid_closed:
            return RunMode.NORMAL
        return RunMode.OFF_GRID_WAITING if self.powers.dark else RunMode.OFF_GRID

    def led(self, unit: SimulatedUnit) -> Led:
        """Return how an inverter's operation LED looks."""
        match self.run_mode(unit):
            case RunMode.FAULT:
                return Led.RED_FLASHING
            case RunMode.OFF_GRID_WAITING:
                return Led.GREEN_FLASHING
            case _:
                return Led.GREEN

    def _stopped(self, unit: SimulatedUnit, *, grid: bool) -> bool:
        ailments = {self._injected[unit.serial_number]} & FAULTS.keys()
        return any(
            FAULTS[key].severity is Severity.FAULT
            for key in problems(ailments, off_grid=not grid)
        )

    def _impose(self, *, grid: bool) -> None:
        self._plant.conditions = replace(
            self._plant.conditions,
            running=tuple(
                self.online(unit) and not self._stopped(unit, grid=grid)
                for unit in self.units
            ),
            grid=grid,
        )

    def _site_seconds(self, moment: datetime) -> float:
        """Return a time on the site's clock, which knows no daylight saving time."""
        return moment.timestamp() + self._standard_offset


def serial_numbers(prefix: str, units: int) -> tuple[str, ...]:
    """Return the serial numbers of ``units`` inverters, always the same for a ``prefix``.

    Raises ``ValueError`` for a prefix that is not 1 to 12 letters and digits.
    """
    if not (
        prefix.isascii() and prefix.isalnum() and len(prefix) <= _SERIAL_NUMBER - 2
    ):
        raise ValueError(
            f"{prefix!r} is not 1 to {_SERIAL_NUMBER - 2} letters and digits"
        )
    digits = _SERIAL_NUMBER - len(prefix)
    return tuple(f"{prefix}{number:0{digits}}" for number in range(1, units + 1))


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
