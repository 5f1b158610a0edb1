"""The sun, the loads and how inverters share a load, as functions of the time of day.

Every day is the same day: powers depend on the minute of the day and on nothing else, so that
the energies of any number of past days are known without simulating them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import cos, exp, pi, sin
from random import Random
from typing import NamedTuple

from ..a1_ess.codes import BackupInterfaceType, OnOff, SmartLoadMode
from ..a1_ess.family import LARGEST_RATED_POWER, SMART_LOADS, THIRD_STRING_POWER

DAY = 86_400
"""Seconds of a day."""
CELL = 60
"""Seconds for which every power is held constant."""
CELLS = DAY // CELL

BATTERY_PACKS = 2
BATTERY_CAPACITY = 12_800
"""Wh of one inverter's packs together."""
BATTERY_EFFICIENCY = 0.96
"""Share of the charging energy that can be taken out again."""
EMPTY = 0.10
FULL = 1.0
"""Limits of the state of charge, 0 to 1."""
RESTART = 0.20
"""State of charge from which a battery may start a group that has run dry off-grid."""

_ARRAY = 1.1
"""W of modules for each W of rated power."""
_SUNRISE = 6.0
_SUNSET = 18.0


@dataclass(frozen=True, kw_only=True)
class Site:
    """What is installed: ``units`` inverters of ``rated_power`` W each."""

    units: int
    rated_power: int
    backup_interface: BackupInterfaceType

    @property
    def size(self) -> float:
        """How large the house is, in inverters of the largest kind."""
        return self.units * self.rated_power / LARGEST_RATED_POWER

    def battery_power(self, unit: int) -> float:
        """W that the battery of inverter ``unit`` (from 0) takes or gives at most."""
        return min(self.rated_power, 5000) * (1 - 0.02 * unit)


class Channel(NamedTuple):
    """How a smart load channel is set: who switches it, and what was commanded, if anything."""

    mode: SmartLoadMode
    commanded: OnOff | None = None


@dataclass(frozen=True, kw_only=True)
class _SmartLoad:
    """What hangs on a channel: its mode at first, its power in W and the hours it is on."""

    mode: SmartLoadMode
    power: int = 0
    hours: tuple[tuple[float, float], ...] = ()


_SMART_LOADS = (
    _SmartLoad(mode=SmartLoadMode.AUTOMATIC, power=2800, hours=((11.0, 13.5),)),
    _SmartLoad(
        mode=SmartLoadMode.AUTOMATIC, power=1500, hours=((9.5, 10.5), (13.5, 14.5))
    ),
    _SmartLoad(mode=SmartLoadMode.MANUAL, power=350, hours=((6.0, 8.0), (17.5, 22.0))),
    _SmartLoad(mode=SmartLoadMode.MANUAL),
    _SmartLoad(mode=SmartLoadMode.DISABLED),
    _SmartLoad(mode=SmartLoadMode.AUTOMATIC, power=900, hours=((1.0, 3.0),)),
)
CHANNELS = tuple(Channel(load.mode) for load in _SMART_LOADS)
"""How the channels are set before anybody commands them."""


@dataclass(frozen=True, slots=True)
class House:
    """What the house draws, in W: the channels of a BI PRO are None while switched off."""

    base: float = 0.0
    smart_loads: tuple[float | None, ...] = (None,) * len(SMART_LOADS)
    third_party: float = 0.0
    non_backup: float = 0.0

    @property
    def load(self) -> float:
        """W that the inverters and the grid have to deliver together."""
        smart = sum(power for power in self.smart_loads if power is not None)
        return self.base + smart + self.non_backup - self.third_party


class Means(NamedTuple):
    """What an inverter could do now, in W."""

    sun: float
    charge: float
    discharge: float


class Share(NamedTuple):
    """What an inverter does, in W: PV used, battery (+ = charging) and AC output."""

    pv: float
    battery: float
    output: float


IDLE = Means(0.0, 0.0, 0.0)


def string_powers(rated_power: int, unit: int, cell: int) -> list[float]:
    """Return the W that each PV string of inverter ``unit`` (from 0) could give."""
    if not _is_day(cell):
        return [0.0] * len(strings(rated_power))
    weather = _clouds()[(cell - 4 * unit) % CELLS] * (1 - 0.03 * unit)
    clear = _clear_sky()
    array = _ARRAY * rated_power * weather
    return [
        array * share * clear[(cell - later) % CELLS]
        for share, later in strings(rated_power)
    ]


def strings(rated_power: int) -> tuple[tuple[float, int], ...]:
    """Return each string's share of the array and the minutes that its peak is after noon."""
    if rated_power == THIRD_STRING_POWER:
        return (0.40, 0), (0.32, 75), (0.28, -75)
    return (0.55, 0), (0.45, 60)


def house(
    site: Site, cell: int, *, grid: bool, channels: Sequence[Channel] = CHANNELS
) -> House:
    """Return what the house draws, on the grid or from the backup output.

    Without the grid the non-backup loads and the third-party inverter are cut off and the
    automatic smart loads are shed.
    """
    hour = cell * CELL / 3600
    flicker = _chatter()[cell]
    base = site.size * (_habits()[cell] + 90 * flicker)
    if site.backup_interface is not BackupInterfaceType.BI_PRO:
        return House(base)
    size = min(1.0, site.size)
    smart_loads = tuple(
        load.power * size * (1 + 0.04 * flicker)
        if _is_on(load, channel, hour, grid=grid)
        else None
        for load, channel in zip(_SMART_LOADS, channels, strict=True)
    )
    if not grid:
        return House(base, smart_loads)
    return House(
        base,
        smart_loads,
        third_party=300 * size * _clear_sky()[cell] * _clouds()[(cell + 15) % CELLS],
        non_backup=size * (60 + (700 + 60 * flicker if 16.5 <= hour < 18.5 else 0)),
    )


def _is_on(load: _SmartLoad, channel: Channel, hour: float, *, grid: bool) -> bool:
    wanted = any(first <= hour < last for first, last in load.hours)
    match channel.mode:
        case SmartLoadMode.DISABLED:
            return False
        case SmartLoadMode.AUTOMATIC:
            return wanted and grid
        case SmartLoadMode.MANUAL:
            if channel.commanded is None:
                return wanted
            return channel.commanded is OnOff.ON


def capability(means: Sequence[Means], rated_power: int) -> float:
    """Return the W that the inverters could put out together without the grid."""
    return sum(min(rated_power, sun + discharge) for sun, _, discharge in means)


def share_load(
    load: float, means: Sequence[Means], rated_power: int, *, grid: bool
) -> list[Share]:
    """Split ``load`` W over the inverters: the sun first, then the batteries.

    What the sun gives beyond the load charges the batteries; with the grid the rest goes out as
    well, without it the PV is held back. What is missing with the grid is left to the grid.
    """
    direct = [min(rated_power, sun) for sun, _, _ in means]
    sunlit = sum(direct)
    if sunlit >= load:
        used = max(0.0, load) / sunlit if sunlit else 0.0
        outputs = [power * used for power in direct]
    else:
        reserves = [
            min(discharge, rated_power - power)
            for power, (_, _, discharge) in zip(direct, means, strict=True)
        ]
        reserve = sum(reserves)
        drawn = min(1.0, (load - sunlit) / reserve) if reserve else 0.0
        outputs = [
            power + extra * drawn for power, extra in zip(direct, reserves, strict=True)
        ]
    shares = []
    for output, (sun, charge, _) in zip(outputs, means, strict=True):
        battery = min(charge, sun - output)
        exports = grid and battery >= 0
        sent = min(rated_power, sun - battery) if exports else output
        shares.append(Share(sent + battery, battery, sent))
    return shares


def leg_voltage(seconds: float, leg: int) -> float:
    """Return the grid's V between ``leg`` (1 or 2) and neutral."""
    return (
        120.6
        + 0.9 * sin(2 * pi * seconds / 1733 + leg)
        + 0.4 * sin(2 * pi * seconds / 97 + 3 * leg)
    )


def grid_frequency(seconds: float) -> float:
    """Return the grid's Hz."""
    return 60 + 0.02 * sin(2 * pi * seconds / 311) + 0.01 * sin(2 * pi * seconds / 37)


def leg_share(cell: int) -> float:
    """Return the share of an inverter's power that goes out on L1."""
    return 0.5 + 0.04 * _chatter()[(cell + 720) % CELLS]


@cache
def _clear_sky() -> tuple[float, ...]:
    """Return the sun of a cloudless day for each cell, 0 to 1."""
    length = _SUNSET - _SUNRISE
    return tuple(
        sin(pi * (cell * CELL / 3600 - _SUNRISE) / length) ** 1.3
        if _is_day(cell)
        else 0.0
        for cell in range(CELLS)
    )


@cache
def _habits() -> tuple[float, ...]:
    """Return what a house of size 1 usually draws for each cell, in W."""
    hours = [cell * CELL / 3600 for cell in range(CELLS)]
    return tuple(
        420
        + 1000 * exp(-(((hour - 7.25) / 1.2) ** 2))
        + 1800 * exp(-(((hour - 19.0) / 2.6) ** 2))
        for hour in hours
    )


def _is_day(cell: int) -> bool:
    return _SUNRISE < cell * CELL / 3600 < _SUNSET


@cache
def _clouds() -> tuple[float, ...]:
    """Return what the clouds let through for each cell, 0 to 1."""
    return tuple(1 - 0.45 * value**2 for value in _wander(seed=20, spacing=18))


@cache
def _chatter() -> tuple[float, ...]:
    """Return how a house flickers around its usual load for each cell, -1 to 1."""
    return tuple(2 * value - 1 for value in _wander(seed=24, spacing=3))


def _wander(*, seed: int, spacing: int) -> tuple[float, ...]:
    """Return smooth noise from 0 to 1 for each cell, that ends the day where it began."""
    random = Random(seed)  # noqa: S311  Weather keeps no secrets.
    knots = [random.random() for _ in range(CELLS // spacing)]
    values = []
    for cell in range(CELLS):
        knot, step = divmod(cell, spacing)
        blend = (1 - cos(pi * step / spacing)) / 2
        values.append(
            knots[knot] * (1 - blend) + knots[(knot + 1) % len(knots)] * blend
        )
    return tuple(values)
