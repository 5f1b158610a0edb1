"""The inverters, their batteries and the meter in time: powers in, energies out.

Times are seconds of the site's standard time since 1970: days of 86400 s that no clock change
disturbs.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple, Self

from ..a1_ess.family import SMART_LOADS
from .physics import (
    BATTERY_CAPACITY,
    BATTERY_EFFICIENCY,
    CELL,
    CELLS,
    CHANNELS,
    DAY,
    EMPTY,
    FULL,
    IDLE,
    RESTART,
    Channel,
    House,
    Means,
    Share,
    Site,
    capability,
    house,
    share_load,
    string_powers,
)

_CELL_HOURS = CELL / 3600
_FULL_BY = 15.5 * 3600
"""Time of day by which the sun has filled every battery, s."""
COMMISSIONED = (date(2024, 1, 1) - date(1970, 1, 1)).days * DAY + _FULL_BY
"""When every counter stood at zero; at that time of day, because the batteries were full."""


class UnitEnergies(NamedTuple):
    """What one inverter counts: Wh, and hours of operation."""

    pv: float
    output: float
    charged: float
    discharged: float
    backup: float
    on_grid_hours: float
    off_grid_hours: float


class SiteEnergies(NamedTuple):
    """What the primary counts for the whole group, in Wh."""

    exported: float
    imported: float
    smart_loads: tuple[float, ...]


_UNIT_COUNTERS = len(UnitEnergies._fields)


@dataclass(frozen=True, slots=True)
class Energies:
    """Every counter of the group; as a rate, what each grows by in an hour."""

    values: tuple[float, ...]

    def plus(self, rates: Self, times: float) -> Self:
        """Return these counters after ``times`` times ``rates``."""
        return type(self)(
            tuple(
                [
                    value + rate * times
                    for value, rate in zip(self.values, rates.values, strict=True)
                ]
            )
        )

    def unit(self, index: int) -> UnitEnergies:
        """Return the counters of one inverter."""
        first = index * _UNIT_COUNTERS
        return UnitEnergies(*self.values[first : first + _UNIT_COUNTERS])

    @property
    def site(self) -> SiteEnergies:
        """Return the counters of the whole group."""
        exported, imported, *smart_loads = self.values[-2 - len(SMART_LOADS) :]
        return SiteEnergies(exported, imported, tuple(smart_loads))


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What the outside imposes: which inverters run, the main breaker, and the smart loads."""

    running: tuple[bool, ...]
    grid: bool = True
    channels: tuple[Channel, ...] = CHANNELS


class Moment(NamedTuple):
    """Every power of one cell, in W; ``meter`` is + for export.

    ``dark`` says that the group runs off-grid and cannot serve its load, which is then off.
    """

    cell: int
    house: House
    shares: tuple[Share, ...]
    meter: float
    dark: bool


class Checkpoint(NamedTuple):
    """All that a plant remembers."""

    stored: tuple[float, ...]
    energies: Energies


class Plant:
    """The group's powers, held for a cell at a time, and what they add up to."""

    def __init__(
        self, site: Site, seconds: float, checkpoint: Checkpoint, conditions: Conditions
    ) -> None:
        """Continue from ``checkpoint`` at ``seconds``."""
        self._site = site
        self._conditions = conditions
        self._dark = False
        self.seconds = seconds
        self.stored, self.energies = checkpoint
        self._hold()

    @property
    def checkpoint(self) -> Checkpoint:
        """What the plant remembers now."""
        return Checkpoint(self.stored, self.energies)

    @property
    def conditions(self) -> Conditions:
        """What the outside imposes."""
        return self._conditions

    @conditions.setter
    def conditions(self, conditions: Conditions) -> None:
        self._conditions = conditions
        self._hold()

    def run(self, until: float) -> None:
        """Let time pass until ``until``; whole days beyond the first repeat that day's energies."""
        if until - self.seconds > DAY:
            before = self.energies
            self._step_through(self.seconds + DAY)
            repeated = (until - self.seconds) // DAY
            self.energies = self.energies.plus(self.energies, repeated).plus(
                before, -repeated
            )
            self.seconds += repeated * DAY
            self._hold()
        self._step_through(until)

    def set_clock(self, seconds: float) -> None:
        """Take another time for the present one: nothing happens in between."""
        self.seconds = seconds
        self._hold()

    def _step_through(self, until: float) -> None:
        while self.seconds < until:
            end = min(until, self._cell_end)
            hours = (end - self.seconds) / 3600
            self.energies = self.energies.plus(self._rates, hours)
            self.stored = tuple(
                min(
                    max(
                        stored + _stored_by(share.battery) * hours,
                        EMPTY * BATTERY_CAPACITY,
                    ),
                    FULL * BATTERY_CAPACITY,
                )
                for stored, share in zip(self.stored, self.moment.shares, strict=True)
            )
            self.seconds = end
            if end == self._cell_end:
                self._hold()

    def _hold(self) -> None:
        """Decide the powers for the rest of this cell."""
        self._cell_end = (self.seconds // CELL + 1) * CELL
        cell = int(self.seconds % DAY // CELL)
        grid = self._conditions.grid
        drawn = house(self._site, cell, grid=grid, channels=self._conditions.channels)
        means = [self._means(unit, cell) for unit in range(self._site.units)]
        if self._dark:
            means = [
                limits
                if stored >= RESTART * BATTERY_CAPACITY
                else limits._replace(discharge=0)
                for limits, stored in zip(means, self.stored, strict=True)
            ]
        rated_power = self._site.rated_power
        self._dark = not grid and capability(means, rated_power) < drawn.load
        if self._dark:
            drawn = House()
        shares = tuple(share_load(drawn.load, means, rated_power, grid=grid))
        meter = sum(share.output for share in shares) - drawn.load if grid else 0.0
        self.moment = Moment(cell, drawn, shares, meter, self._dark)
        self._rates = self._rates_of(self.moment)

    def _means(self, unit: int, cell: int) -> Means:
        """Return what an inverter could do for a whole cell."""
        if not self._conditions.running[unit]:
            return IDLE
        stored = self.stored[unit]
        room = (FULL * BATTERY_CAPACITY - stored) / BATTERY_EFFICIENCY
        power = self._site.battery_power(unit)
        return Means(
            sun=sum(string_powers(self._site.rated_power, unit, cell)),
            charge=min(power, room / _CELL_HOURS),
            discharge=min(power, (stored - EMPTY * BATTERY_CAPACITY) / _CELL_HOURS),
        )

    def _rates_of(self, moment: Moment) -> Energies:
        """Return what every counter grows by in an hour."""
        rates: list[float] = []
        grid = self._conditions.grid
        for (pv, battery, output), running in zip(
            moment.shares, self._conditions.running, strict=True
        ):
            rates += (
                pv,
                output if grid else 0.0,
                max(battery, 0.0),
                max(-battery, 0.0),
                0.0 if grid else output,
                1.0 if running and grid else 0.0,
                1.0 if running and not grid and not moment.dark else 0.0,
            )
        rates += (max(moment.meter, 0.0), max(-moment.meter, 0.0))
        rates += (power or 0.0 for power in moment.house.smart_loads)
        return Energies(tuple(rates))


def undisturbed(site: Site, seconds: float) -> Plant:
    """Return the plant as it stands at ``seconds`` when nothing ever went wrong.

    It is the same for every call: a group that is started again counts on where it was.
    """
    days, since = divmod(seconds - COMMISSIONED, DAY)
    cells, _ = divmod(since, CELL)
    day = _day(site)
    stored, energies = day[int(cells)]
    plant = Plant(
        site,
        COMMISSIONED + days * DAY + cells * CELL,
        Checkpoint(stored, energies.plus(day[-1].energies, days)),
        _normal(site),
    )
    plant.run(seconds)
    # a clock that is years behind would have the plant count before it stood there
    plant.energies = Energies(tuple(max(0.0, value) for value in plant.energies.values))
    return plant


def _normal(site: Site) -> Conditions:
    return Conditions(running=(True,) * site.units)


@lru_cache(maxsize=4)
def _day(site: Site) -> tuple[Checkpoint, ...]:
    """Return a plant's checkpoints at the start of every cell of a day, and at its end."""
    plant = Plant(
        site,
        COMMISSIONED,
        Checkpoint(
            (FULL * BATTERY_CAPACITY,) * site.units,
            Energies((0.0,) * (site.units * _UNIT_COUNTERS + 2 + len(SMART_LOADS))),
        ),
        _normal(site),
    )
    checkpoints = [plant.checkpoint]
    for _ in range(CELLS):
        plant.run(plant.seconds + CELL)
        checkpoints.append(plant.checkpoint)
    return tuple(checkpoints)


def _stored_by(battery: float) -> float:
    """Return the W that go into (+) or out of (-) the cells of a battery."""
    return battery * BATTERY_EFFICIENCY if battery > 0 else battery
