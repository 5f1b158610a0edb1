"""Days over a hostile wire: what Home Assistant's statistics count is what was really counted.

Each day a group of two is read every five minutes by the integration in a real Home Assistant,
over a real Modbus TCP server in simulated time, and Home Assistant's recorder compiles its
long-term statistics. Each hour something goes wrong for up to 40 minutes: replies that are lost, cut
off, noise or refused, whole blocks of zeros or of ones, counters that say nonsense or stand still,
Home Assistant that is restarted or crashes; and once a day an inverter's counters may be reset. At
the end the sum of every counter's statistics, those of each inverter and those of the group, is held
against what the simulator has really counted.

How close they can be:

- A register counts in steps (0.1 kWh, the meter's 0.01), so the difference of two readings is off
  by less than one step: 0.1 kWh for a counter of an inverter, and as much for each inverter in a
  sum. A reset cuts off the part of a step that was counted last, and so adds a step.
- What was counted between the last reading and a reset was never read by anybody. It is taken off
  what is expected, to the watt-hour.

Nothing else is allowed for. A nonsense value that could be true is not among those made up here:
no reader can tell it from the truth, and a counter that shows it waits until the real one has
caught up.

The suite lives through a few days. This lives through two hundred of them:

    DAYS=200 scripts/test tests/test_days.py -v

SEED=1 and so on make other days, for several runs side by side.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
import logging
from operator import itemgetter
import os
from random import Random
import sys
from typing import Any

from hypothesis import (
    HealthCheck,
    Phase,
    given,
    note,
    seed as with_seed,
    settings,
    strategies as st,
)
import pytest
from pytest_homeassistant_custom_component.common import (
    async_test_home_assistant,
    mock_component,
    mock_storage,
)

from custom_components.solax_parallel.simulator.readings import Reading
from homeassistant import loader
from homeassistant.helpers import frame

from .days import OF_SITE, OF_UNIT, OPTIONS, POLL, Life, simulated_time
from .groups import Falsify, GroupOnTheWire
from .mangling import MANGLED

DAYS = int(os.environ.get("DAYS", "2"))
SEED = int(os.environ.get("SEED", "0"))
UNITS = 2
RATED = 7600
"""W."""
POLLS_AN_HOUR = 12

FALSIFIED: Mapping[str, Callable[[float, float], float]] = {
    "nothing": lambda counted, factor: 0.0,
    "low": lambda counted, factor: counted * factor,
    "high": lambda counted, factor: counted + 100 + 100_000 * factor,
    # The high word of a counter is from another time than the low word.
    "torn": lambda counted, factor: counted + 6553.6,
}
"""What a counter can say for one poll or two."""


@dataclass(frozen=True)
class Hour:
    """What goes wrong in an hour, with which inverter, and for how many polls.

    ``factor`` makes nonsense of different sizes. Home Assistant may be ``down`` for some polls.
    """

    unit: int
    trouble: str
    polls: int
    factor: float
    home_assistant: str
    down: int


@dataclass(frozen=True)
class Reset:
    """In which hour the counters of an inverter are reset, and when between two polls (0 to 1)."""

    hour: int
    elapsed: float


@dataclass(frozen=True)
class Plan:
    """What goes wrong on a day: some inverters' counters are reset once."""

    hours: list[Hour]
    resets: dict[int, Reset]


def plan_of(seed: int) -> Plan:
    """Return what goes wrong on a day, always the same for a seed."""
    random = Random(seed)  # noqa: S311  No secret is made.
    return Plan(
        hours=[
            Hour(
                unit=random.randrange(UNITS),
                trouble=random.choice(["still", *FALSIFIED, *MANGLED]),
                polls=random.randint(1, 8),
                factor=random.uniform(0.01, 0.99),
                home_assistant=random.choice(["runs", "runs", "restarts", "crashes"]),
                down=random.randint(0, 6),
            )
            for _ in range(24)
        ],
        resets={
            unit: Reset(random.randrange(24), random.uniform(0.01, 0.99))
            for unit in range(UNITS)
            if random.random() < 0.5
        },
    )


@dataclass
class Findings:
    """How far off all days were: kWh by which kind of counter."""

    days: int = 0
    off: dict[str, float] = field(default_factory=dict)

    def note(self, name: str, error: float) -> None:
        """Remember the largest error."""
        self.off[name] = max(abs(error), self.off.get(name, 0.0))

    def __str__(self) -> str:
        """Return them as text."""
        largest = (f"  {name}: {error:.4f}" for name, error in sorted(self.off.items()))
        return "\n".join([f"{self.days} days; largest errors in kWh:", *largest])


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Keep nothing of what thousands of polls and statistics say."""
    for talkative in ("sqlalchemy.engine", "homeassistant", "custom_components"):
        caplog.set_level(logging.WARNING, logger=talkative)


@pytest.fixture(scope="module")
def findings(pytestconfig: pytest.Config) -> Iterator[Findings]:
    """Collect how far off the days were, and tell at the end."""
    found = Findings()
    yield found
    if pytestconfig.get_verbosity() > 0:
        capturing = pytestconfig.pluginmanager.getplugin("capturemanager")
        with capturing.global_and_fixture_disabled():
            sys.stdout.write(f"\n{found}\n")


@pytest.mark.long
@with_seed(SEED)
@settings(
    max_examples=DAYS,
    database=None,
    deadline=None,
    # A day that fails is told as it was: looking for a simpler one would take hours.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(seed=st.integers(0, 1_000_000))
async def test_the_statistics_of_a_day_are_true(
    async_test_recorder: Any, findings: Findings, seed: int
) -> None:
    plan = plan_of(seed)
    note(str(plan))
    with mock_storage() as storage:
        async with async_test_home_assistant() as hass, async_test_recorder(hass):
            hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
            frame.async_setup(hass)
            mock_component(hass, "usb")
            wire = await GroupOnTheWire.start(
                hass, units=UNITS, rated_power=RATED, options=OPTIONS
            )
            with simulated_time(wire):
                try:
                    await Day(Life(hass, wire, storage)).live(plan, findings)
                finally:
                    await hass.config_entries.async_unload(wire.entry.entry_id)
                    await wire.server.stop()
                    await hass.async_stop(force=True)


class Day:
    """A day, what goes wrong in it, and what can be known of it."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._wire = life.wire
        self._trouble: dict[
            int, Callable[[Mapping[str, float]], Mapping[str, float]]
        ] = {}
        self._reset: dict[tuple[int, str], float] = {}
        """What a counter stood at when it was reset, by index of the unit and key."""
        self._resets: dict[str, int] = {}
        self._unread: dict[str, float] = {}
        """What was counted and never read, by unique id."""

    async def live(self, plan: Plan, findings: Findings) -> None:
        """Live through a day from midnight to midnight, and look at what was counted."""
        # The first poll is the one before midnight: statistics begin with what it brings.
        clock = self._wire.clock
        clock.time = clock.time.replace(hour=23, minute=55, second=1)
        for unit in self._wire.group.units:
            self._wire.server.falsified[unit.unit_id] = self._said_by(unit.index)
        await self._life.begin()
        began, first = clock.time, self._life.truth()
        for number, hour in enumerate(plan.hours):
            resets = {
                unit: reset.elapsed
                for unit, reset in plan.resets.items()
                if reset.hour == number
            }
            await self._hour(hour, resets)
        truth = self._life.truth()
        findings.days += 1
        counted = await self._life.counted(began - timedelta(hours=1))
        for unique_id, hours in counted.items():
            really = truth[unique_id] - first[unique_id]
            expected = really - self._unread.get(unique_id, 0.0)
            error = sum(hours) - expected
            assert abs(error) < self._bound(unique_id), (
                f"{unique_id}: {sum(hours):.3f} kWh instead of {expected:.3f}"
            )
            assert len(hours) == 25, f"{unique_id}: {hours}"
            assert min(hours) >= -1e-6, f"{unique_id}: {hours}"
            assert max(hours) <= 2 * RATED / 1000 * UNITS, f"{unique_id}: {hours}"
            findings.note(
                f"{self._kind(unique_id)}, {self._resets.get(unique_id, 0)} resets",
                error,
            )
        shown = self._life.shown()
        assert None not in shown.values(), f"not known in the end: {shown}"

    async def _hour(self, hour: Hour, resets: Mapping[int, float]) -> None:
        """Live through an hour; whatever goes wrong is over after two thirds of it."""
        polls = min(hour.polls, 2) if hour.trouble in FALSIFIED else hour.polls
        is_down = hour.home_assistant != "runs"
        self._begin(hour)
        if is_down:
            await self._life.stop(crash=hour.home_assistant == "crashes")
        rest = POLL - self._reset_counters(resets)
        for poll in range(POLLS_AN_HOUR):
            if poll == polls:
                self._end(hour)
            await self._life.poll(POLL if poll else rest)
            if is_down and poll == hour.down:
                await self._life.start()

    def _begin(self, hour: Hour) -> None:
        unit_id = self._wire.group.units[hour.unit].unit_id
        if hour.trouble in MANGLED:
            self._wire.server.mangled[unit_id] = MANGLED[hour.trouble]
        elif hour.trouble == "still":
            standing = self._counted_by(hour.unit)
            self._trouble[hour.unit] = lambda counted: standing
        else:
            falsify = FALSIFIED[hour.trouble]
            self._trouble[hour.unit] = lambda counted: {
                key: falsify(value, hour.factor) for key, value in counted.items()
            }

    def _end(self, hour: Hour) -> None:
        unit_id = self._wire.group.units[hour.unit].unit_id
        self._wire.server.mangled.pop(unit_id, None)
        self._trouble.pop(hour.unit, None)

    def _reset_counters(self, resets: Mapping[int, float]) -> timedelta:
        """Let counters start at nothing between two polls, and return how much time that took."""
        read = self._life.truth()
        passed = timedelta()
        for unit, elapsed in sorted(resets.items(), key=itemgetter(1)):
            self._wire.clock.pass_by(POLL * elapsed - passed)
            passed = POLL * elapsed
            now = self._life.truth()
            serial = self._wire.group.serial_numbers[unit]
            for key in self._counted_by(unit):
                own, of_group = f"{serial}_{key}", f"{self._wire.primary}_group_{key}"
                self._reset[unit, key] = now[own]
                for unique_id in {own, of_group} & now.keys():
                    self._resets[unique_id] = self._resets.get(unique_id, 0) + 1
                    self._unread[unique_id] = (
                        self._unread.get(unique_id, 0.0) + now[own] - read[own]
                    )
        return passed

    def _counted_by(self, index: int) -> dict[str, float]:
        """Return what an inverter's counters stand at."""
        truth = self._life.truth()
        serial = self._wire.group.serial_numbers[index]
        return {
            key: truth[f"{serial}_{key}"] - self._reset.get((index, key), 0.0)
            for key in (*OF_UNIT, *OF_SITE)
            if f"{serial}_{key}" in truth
        }

    def _said_by(self, index: int) -> Falsify:
        """Return how an inverter tells what it has counted."""

        def say(reads: dict[str, Reading]) -> Mapping[str, Reading]:
            counted: Mapping[str, float] = self._counted_by(index)
            if (trouble := self._trouble.get(index)) is not None:
                counted = trouble(counted)
            return {**reads, **counted}

        return say

    def _bound(self, unique_id: str) -> float:
        """Return by how many kWh a counter's statistics may be off."""
        step = 0.01 if "_grid_" in unique_id else 0.1
        counters = UNITS if self._kind(unique_id).startswith("group, 0.1") else 1
        return step * (counters + self._resets.get(unique_id, 0)) + 1e-6

    @staticmethod
    def _kind(unique_id: str) -> str:
        step = "0.01" if "_grid_" in unique_id else "0.1"
        return f"{'group' if '_group_' in unique_id else 'inverter'}, {step} kWh steps"
