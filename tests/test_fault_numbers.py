"""How soon a fault shows, and whether every one does.

Prints the numbers with ``scripts/test tests/test_fault_numbers.py -s``. With ``WHOLE_DAY=1`` in the
environment the simulated hours are 24 with 1,000 changes, which takes some minutes; otherwise it is
half an hour with as many in proportion.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
import os
from random import Random
from statistics import median
import time
from typing import Any

import pytest

from custom_components.solax_parallel.a1_ess.faults import FAULTS, PARALLEL_FAULTS
from custom_components.solax_parallel.a1_ess.group import GroupState
from custom_components.solax_parallel.const import DOMAIN
from custom_components.solax_parallel.simulator.group import NONE, OFFLINE
from homeassistant.const import (
    CONF_SCAN_INTERVAL,
    CONF_TIMEOUT,
    EVENT_STATE_CHANGED,
    STATE_ON,
)
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.setup import async_setup_component

from .conftest import Fired, StartGroup
from .groups import QUICK, GroupOnTheWire, entity_id, poll

pytestmark = [pytest.mark.patient, pytest.mark.timed]

UNITS = 4
GROUPS = 9
"""Polled side by side, so that many injections fit into little time."""
ROUNDS = 3
INTERVAL = 5
"""Seconds from poll to poll: the least that can be set."""
ON_TIME = 0.1
"""Seconds by which a busy machine may be late."""

STEP = 10
"""Seconds between two polls of the simulated hours, as by default."""
HOURS = 24 if os.environ.get("WHOLE_DAY") else 0.5
CHANGES = round(1000 * HOURS / 24)
PROBED_AGAIN = 60 // STEP + 1
"""For how many polls an inverter that answers again may not be asked."""


@dataclass
class Injection:
    """A fault of an inverter, and after how many seconds what told of it."""

    serial_number: str
    fault: str
    at: float
    state: float | None = None
    event: float | None = None
    automation: float | None = None
    told: asyncio.Event = field(default_factory=asyncio.Event)


class Stopwatch:
    """Notes when states, events and automations tell of the injection that waits for it."""

    def __init__(self, hass: HomeAssistant) -> None:
        self.hass = hass
        self.waiting: dict[str, Injection] = {}
        self.done: list[Injection] = []
        self.missed: list[Injection] = []
        self.invented: list[str] = []
        self._units: dict[str, tuple[str, str]] = {}

    async def start(self, wires: Iterable[GroupOnTheWire]) -> None:
        """Set up an automation for every inverter, and begin to look."""
        events: list[str] = []
        for wire in wires:
            for serial in wire.group.serial_numbers:
                for fault in PARALLEL_FAULTS:
                    sensor = entity_id(self.hass, f"{serial}_{fault.key}")
                    self._units[sensor] = (serial, fault.key)
                events.append(entity_id(self.hass, f"{serial}_fault"))
        automation = {
            "mode": "queued",
            "max": 100,
            "triggers": {
                "trigger": f"{DOMAIN}.fault_raised",
                "target": {"entity_id": events},
            },
            "actions": {
                "event": "automation_ran",
                "event_data": {
                    "unit": "{{ trigger.to_state.attributes.unit }}",
                    "kind": "{{ trigger.to_state.attributes.event_type }}",
                },
            },
        }
        assert await async_setup_component(
            self.hass, "automation", {"automation": automation}
        )
        await self.hass.async_block_till_done()
        self.hass.bus.async_listen(EVENT_STATE_CHANGED, self._changed)
        self.hass.bus.async_listen("automation_ran", self._ran)

    async def inject(self, wire: GroupOnTheWire, serial: str, fault: str) -> None:
        """Set the bit of a fault, and wait until everything has told of it, or is long due."""
        injection = Injection(serial, fault, time.monotonic())
        self.waiting[serial] = injection
        wire.group.inject(serial, fault)
        try:
            async with asyncio.timeout(4 * INTERVAL):
                await injection.told.wait()
            self.done.append(injection)
        except TimeoutError:
            self.missed.append(injection)
        del self.waiting[serial]

    @callback
    def _changed(self, event: Event[EventStateChangedData]) -> None:
        new = event.data["new_state"]
        if new is None:
            return
        if new.state == STATE_ON and new.entity_id in self._units:
            self._note("state", *self._units[new.entity_id])
        elif new.attributes.get("event_type") in FAULTS:
            self._note("event", new.attributes["unit"], new.attributes["event_type"])

    @callback
    def _ran(self, event: Event[Any]) -> None:
        self._note("automation", event.data["unit"], event.data["kind"])

    def _note(self, what: str, serial: str, fault: str) -> None:
        injection = self.waiting.get(serial)
        if (
            injection is None
            or injection.fault != fault
            or getattr(injection, what) is not None
        ):
            self.invented.append(f"{what} {serial} {fault}")
            return
        setattr(injection, what, time.monotonic() - injection.at)
        if None not in (injection.state, injection.event, injection.automation):
            injection.told.set()


def time_polls(wire: GroupOnTheWire) -> list[tuple[float, float]]:
    """Note when each poll of a group begins and ends."""
    group = wire.entry.runtime_data.wiring.group
    poll_once = group.poll
    polls: list[tuple[float, float]] = []

    async def timed() -> GroupState:
        begun = time.monotonic()
        state: GroupState = await poll_once()
        polls.append((begun, time.monotonic()))
        return state

    group.poll = timed
    return polls


def spread(numbers: Sequence[float]) -> str:
    return (
        f"min {min(numbers):.2f}  median {median(numbers):.2f}  max {max(numbers):.2f}"
    )


async def test_from_the_bit_to_the_automation(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    """Nothing is sped up: Home Assistant's own timer polls, with the default message spacing."""
    wires = [
        await start_group(
            units=UNITS, prefix=f"G{number}", options={CONF_SCAN_INTERVAL: INTERVAL}
        )
        for number in range(GROUPS)
    ]
    for wire in wires:
        assert await wire.set_up()
    polls = [time_polls(wire) for wire in wires]
    watch = Stopwatch(hass)
    await watch.start(wires)
    random = Random(1)  # noqa: S311

    async def ail(number: int, serial: str) -> None:
        for turn in range(ROUNDS):
            await asyncio.sleep(random.uniform(0, INTERVAL))
            fault = PARALLEL_FAULTS[(number + turn) % len(PARALLEL_FAULTS)]
            await watch.inject(wires[number], serial, fault.key)

    async with asyncio.TaskGroup() as tasks:
        for number, wire in enumerate(wires):
            for serial in wire.group.serial_numbers:
                tasks.create_task(ail(number, serial))

    cycles = [end - begin for each in polls for begin, end in each]
    periods = [
        [later - earlier for (earlier, _), (later, _) in pairwise(each)]
        for each in polls
    ]
    told = {
        what: [getattr(injection, what) for injection in watch.done]
        for what in ("state", "event", "automation")
    }
    print(  # noqa: T201
        f"\n{len(watch.done)} injections of {len(PARALLEL_FAULTS)} faults on {UNITS} units in "
        f"{GROUPS} groups, one link each, on loopback; in real time.\n"
        f"scan interval {INTERVAL} s, message spacing 0.1 s; in seconds:\n"
        f"from poll to poll   {spread([*chain(*periods)])}\n"
        f"one poll cycle      {spread(cycles)}\n"
        + "".join(
            f"bit to {what:12} {spread(seconds)}\n" for what, seconds in told.items()
        )
        + f"missed {len(watch.missed)}, invented {len(watch.invented)}"
    )
    covered = Counter(
        (injection.fault, injection.serial_number[-1]) for injection in watch.done
    )
    assert len(watch.done) == GROUPS * UNITS * ROUNDS >= 100
    assert len(covered) == len(PARALLEL_FAULTS) * UNITS
    assert (watch.missed, watch.invented) == ([], [])
    for each in periods:
        assert median(each) == pytest.approx(INTERVAL, abs=ON_TIME)
    for what, seconds in told.items():
        assert max(seconds) <= INTERVAL + max(cycles) + ON_TIME, what


@dataclass
class Expectation:
    """What has to be fired for an inverter, from what could be seen of it in each poll."""

    fired: list[str] = field(default_factory=list)
    _standing: str = NONE
    _missed: int = 0

    def heard(self, option: str) -> None:
        """Take in what ails an inverter that was heard."""
        if self._missed >= 3:
            self.fired.append("unit_back")
        self._missed = 0
        if option != self._standing:
            if self._standing != NONE:
                self.fired.append(f"{self._standing}_cleared")
            if option != NONE:
                self.fired.append(option)
            self._standing = option

    def missed(self) -> None:
        """Take in that it was not heard."""
        self._missed += 1
        if self._missed == 3:
            self.fired.append("unit_lost")


async def test_every_change_of_a_day(
    hass: HomeAssistant, start_group: StartGroup, fired: Fired
) -> None:
    """A fault that comes and goes within one silence, or between two polls, can't be seen."""
    wire = await start_group(units=UNITS, options={**QUICK, CONF_TIMEOUT: 0.1})
    assert await wire.set_up()
    serials = wire.group.serial_numbers
    random = Random(2026)  # noqa: S311
    faults = [key for key in wire.group.injectable if key in FAULTS]
    changes = sorted(
        (
            random.uniform(0, HOURS * 3600),
            random.choice(serials),
            random.choices([random.choice(faults), NONE, OFFLINE], [6, 2, 2])[0],
        )
        for _ in range(CHANGES)
    )
    injected = Counter(
        option if option in (NONE, OFFLINE) else "fault" for *_, option in changes
    )
    expected = {serial: Expectation() for serial in serials}
    unasked: dict[str, int] = defaultdict(int)
    begun = time.monotonic()
    for seconds in range(0, round(HOURS * 3600), STEP):
        while changes and changes[0][0] <= seconds:
            _, serial, option = changes.pop(0)
            wire.group.inject(serial, option)
        wire.pass_time(STEP)
        await poll(hass)
        for serial, member in wire.entry.runtime_data.data.members.items():
            option = wire.group.injected(serial)
            if member.heard:
                assert option != OFFLINE, "nobody hears the dead"
                expected[serial].heard(option)
            else:
                expected[serial].missed()
            answers = option != OFFLINE and not member.heard
            unasked[serial] = unasked[serial] + 1 if answers else 0
            assert unasked[serial] <= PROBED_AGAIN, "it answers and nobody asks it"
    took = time.monotonic() - begun

    found: dict[str, list[str]] = {serial: [] for serial in serials}
    for unit, kind in fired:
        if unit is None:
            assert kind in ("group_incomplete", "group_complete"), "it stays on-grid"
        else:
            found[unit].append(kind)
    demanded = {serial: each.fired for serial, each in expected.items()}
    all_found, all_demanded = (
        Counter((unit, kind) for unit, kinds in told.items() for kind in kinds)
        for told in (found, demanded)
    )
    raised = sum(kind in FAULTS for _, kind in all_found.elements())
    cleared = sum(kind.endswith("_cleared") for _, kind in all_found.elements())
    print(  # noqa: T201
        f"\n{HOURS} h simulated, a poll every {STEP} s, in {took:.0f} s of real time.\n"
        f"injected at random: {injected['fault']} faults, {injected[NONE]} clears, "
        f"{injected[OFFLINE]} silences\n"
        f"fired: {raised} raised, {cleared} cleared, "
        f"{all_found.total() - raised - cleared} units lost or back\n"
        f"of what could be seen: missed {(all_demanded - all_found).total()}, "
        f"invented {(all_found - all_demanded).total()}"
    )
    assert found == demanded
    assert raised > CHANGES / 4
