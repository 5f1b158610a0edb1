"""Midnight, clocks that are changed, a week without Home Assistant: the counters go on."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest

from custom_components.solax_parallel.a1_ess.clock import SteadyClock
from custom_components.solax_parallel.simulator.group import NONE
from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant

from .conftest import StartGroup
from .days import OPTIONS, Life, simulated_time
from .groups import poll, state

NEW_YORK = ZoneInfo("America/New_York")
TODAY = (
    "pv_energy_today",
    "battery_charged_today",
    "battery_discharged_today",
    "output_energy_today",
)
"""What each inverter counts anew each day."""


@pytest.fixture
async def life(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    start_group: StartGroup,
) -> AsyncIterator[Life]:
    """Return the life of a group of two, not begun yet."""
    wire = await start_group(units=2, options=OPTIONS)
    with simulated_time(wire):
        yield Life(hass, wire, hass_storage)
        await hass.config_entries.async_unload(wire.entry.entry_id)


def today(life: Life) -> dict[str, float]:
    """Return what every counter of the day really stands at, by unique id."""
    life.wire.group.advance()
    return {
        f"{serial}_{key}": life.wire.readings(serial)[key]
        for serial in life.wire.group.serial_numbers
        for key in TODAY
    }


def right(life: Life) -> bool:
    """Whether every counter shows what it really stands at, to a step of its register."""
    truth = life.truth() | today(life)
    shown = life.shown(*today(life))
    return all(
        shown[unique_id] == pytest.approx(value, abs=0.201)
        for unique_id, value in truth.items()
    )


@pytest.mark.parametrize(
    "evening",
    [
        pytest.param(datetime(2026, 7, 1, 21, 0, 1, tzinfo=NEW_YORK), id="midnight"),
        pytest.param(datetime(2027, 3, 13, 21, 0, 1, tzinfo=NEW_YORK), id="to_summer"),
        pytest.param(datetime(2026, 10, 31, 21, 0, 1, tzinfo=NEW_YORK), id="to_winter"),
    ],
)
async def test_the_night(life: Life, evening: datetime) -> None:
    life.wire.clock.time = evening
    await life.begin()
    first, before = life.truth(), today(life)
    assert before[f"{life.wire.primary}_pv_energy_today"] > 50
    fallen = 0
    for _ in range(8 * 12):
        shown = life.shown(*before)
        await life.poll()
        now = life.shown(*before)
        assert None not in now.values()
        fallen += any((now[key] or 0) < (shown[key] or 0) for key in now)
    # All of them at once, and only once: at midnight.
    assert fallen == 1
    assert right(life)

    counted = await life.counted(evening - timedelta(hours=1), *before)
    truth = life.truth()
    for unique_id in truth:
        really = truth[unique_id] - first[unique_id]
        assert sum(counted[unique_id]) == pytest.approx(really, abs=0.201)
    for unique_id, stood in before.items():
        total = unique_id.replace("today", "total")
        # Of what it stood at when it was read last, and of what it started at, a step each.
        really = truth[total] - first[total]
        assert sum(counted[unique_id]) == pytest.approx(really, abs=0.201), stood


@pytest.mark.parametrize("is_all_there", [True, False])
async def test_a_week_without_home_assistant(life: Life, is_all_there: bool) -> None:
    wire = life.wire
    wire.clock.time = wire.clock.time.replace(second=1)
    began = wire.clock.time
    await life.begin()
    first = life.truth()
    late = wire.group.serial_numbers[1]
    await life.poll()
    await life.stop()
    wire.clock.pass_by(timedelta(days=7))
    if not is_all_there:
        wire.silence(late)
    await life.start()
    for _ in range(3):
        await life.poll()
    if not is_all_there:
        # What the other one has counted this week is still to come.
        whole = life.shown()[f"{wire.primary}_group_pv_energy_total"]
        assert whole is not None
        assert whole > first[f"{wire.primary}_group_pv_energy_total"] + 300
        wire.group.inject(late, NONE)
        for _ in range(3):
            await life.poll()
    assert right(life)

    counted = await life.counted(began - timedelta(hours=1))
    truth = life.truth()
    for unique_id, hours in counted.items():
        really = truth[unique_id] - first[unique_id]
        assert sum(hours) == pytest.approx(really, abs=0.201), unique_id
        assert min(hours) >= -1e-6


async def test_a_computer_that_slept(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    """Its monotonic clock has stood still, and its other clock is set back afterwards."""
    wire = await start_group(units=1)
    monotonic, wall = 0.0, 1_800_000_000.0
    with patch(
        "custom_components.solax_parallel.wiring.SteadyClock",
        lambda: SteadyClock(lambda: monotonic, lambda: wall),
    ):
        assert await wire.set_up()
    total = f"{wire.primary}_pv_energy_total"
    before = float(state(hass, total).state)
    for slept, set_back in ((3 * 3600, 0), (0, 7200), (0, 0)):
        wire.clock.move(seconds=slept + 10)
        monotonic += 10
        wall += slept + 10 - set_back
        await poll(hass)
    for _ in range(2):
        await poll(hass)

    found = state(hass, total)
    assert float(found.state) == pytest.approx(
        wire.readings(wire.primary)["pv_energy_total"], abs=0.101
    )
    assert float(found.state) > before + 10
    assert "counted_before" not in found.attributes
