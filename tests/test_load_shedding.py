"""The blueprint that sheds smart loads, in a Home Assistant with a group that is played."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
import shutil
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.const import DOMAIN
from custom_components.solax_parallel.simulator.group import Relay
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .conftest import Log, StartGroup
from .groups import CONTROLLED, GroupOnTheWire, entity_id, poll, state

BLUEPRINT = Path("blueprints/automation/solax_parallel/load_shedding.yaml")
OFF, ON = 0, 1

type Shed = Callable[..., Awaitable[GroupOnTheWire]]


def load(wire: GroupOnTheWire, number: int) -> str:
    return f"{wire.primary}_smart_load_{number}_state"


async def look(hass: HomeAssistant, wire: GroupOnTheWire) -> None:
    """Poll, and let automations do what they do about it.

    To wait until nothing runs any more would be to wait for the automation's own waiting.
    """
    await wire.entry.runtime_data.async_refresh()
    idle = 0
    while idle < 10:
        before = wire.server.requests
        await asyncio.sleep(0.02)
        idle = idle + 1 if wire.server.requests == before else 0


async def wait(hass: HomeAssistant, wire: GroupOnTheWire, minutes: float) -> None:
    """Let time pass in Home Assistant, and see what comes of it."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=minutes))
    await look(hass, wire)


@pytest.fixture
async def shed(
    hass: HomeAssistant, start_group: StartGroup, tmp_path: Path
) -> AsyncIterator[Shed]:
    """Return what sets up a group with two loads on, and the automation for some loads."""

    async def begin(*loads: int, **inputs: Any) -> GroupOnTheWire:
        (tmp_path / DOMAIN).mkdir()
        (tmp_path / DOMAIN / "a1_ess_g2.yaml").write_text(
            "commands:\n"
            + "".join(
                f"  {key}: {{grade: field, source: my relays}}\n"
                for key in load_profile().commands
            )
        )
        copy = tmp_path / BLUEPRINT
        copy.parent.mkdir(parents=True)
        shutil.copy(Path(__file__).parent.parent / BLUEPRINT, copy)
        wire = await start_group(
            units=2, options={**CONTROLLED, "minimum_switch_time": 0}
        )
        # A summer evening: what is stored runs out.
        wire.clock.move(hours=7)
        assert await wire.set_up()
        control = wire.entry.runtime_data.wiring.control
        for number in (3, 4):
            await control.write(f"smart_load_{number}_switch", "on")
        await poll(hass)
        wire.server.writes.clear()
        charge = float(state(hass, f"{wire.primary}_group_battery_soc").state)
        assert 60 < charge <= 100
        assert await async_setup_component(
            hass,
            "automation",
            {
                "automation": {
                    "use_blueprint": {
                        "path": "solax_parallel/load_shedding.yaml",
                        "input": {
                            "on_grid": entity_id(hass, f"{wire.primary}_group_on_grid"),
                            "battery_soc": entity_id(
                                hass, f"{wire.primary}_group_battery_soc"
                            ),
                            "loads": [entity_id(hass, load(wire, n)) for n in loads],
                            "shed_below": charge - 10,
                            "restore_above": charge - 5,
                            "pause": 0,
                            **inputs,
                        },
                    }
                }
            },
        )
        await hass.async_block_till_done()
        assert hass.states.async_entity_ids("automation")
        return wire

    yield begin
    await hass.services.async_call(
        "automation",
        "turn_off",
        {"entity_id": hass.states.async_entity_ids("automation")},
        blocking=True,
    )


async def drain(hass: HomeAssistant, wire: GroupOnTheWire) -> None:
    """Let the batteries fall by more than ten percent."""
    begun = float(state(hass, f"{wire.primary}_group_battery_soc").state)
    for _ in range(100):
        wire.clock.move(minutes=10)
        await look(hass, wire)
        if float(state(hass, f"{wire.primary}_group_battery_soc").state) < begun - 10:
            return
    pytest.fail("the batteries do not run out")


def switched(wire: GroupOnTheWire) -> list[tuple[int, int]]:
    """Return which loads were switched to what since the last look, in that order."""
    found = [(address - 0x030F, value) for _, address, value in wire.server.writes]
    wire.server.writes.clear()
    return found


async def test_loads_are_shed_in_order_and_come_back_with_the_grid(
    hass: HomeAssistant, shed: Shed, logged: Log
) -> None:
    wire = await shed(4, 3)
    wire.group.grid_closed = False
    await look(hass, wire)
    assert switched(wire) == [], "the batteries are still full enough"
    await drain(hass, wire)
    assert switched(wire) == [(4, OFF), (3, OFF)]
    await wait(hass, wire, 3)
    wire.group.grid_closed = True
    await look(hass, wire)
    assert switched(wire) == [], "the relays get their time"
    await wait(hass, wire, 6)
    assert switched(wire) == [(3, ON), (4, ON)]
    assert [state(hass, load(wire, n)).state for n in (3, 4)] == ["on", "on"]
    await wait(hass, wire, 60)
    assert switched(wire) == []
    assert logged == []


async def test_loads_come_back_with_the_sun(hass: HomeAssistant, shed: Shed) -> None:
    wire = await shed(3, 4)
    wire.group.grid_closed = False
    await drain(hass, wire)
    assert switched(wire) == [(3, OFF), (4, OFF)]
    await wait(hass, wire, 6)
    assert switched(wire) == [], "it is still dark"
    for _ in range(80):
        wire.clock.move(minutes=15)
        await look(hass, wire)
        if wire.server.writes:
            break
    assert not wire.group.grid_closed
    assert switched(wire) == [(4, ON), (3, ON)]


async def test_with_the_grid_nothing_is_shed(hass: HomeAssistant, shed: Shed) -> None:
    wire = await shed(3, 4)
    await drain(hass, wire)
    assert switched(wire) == []


async def test_what_is_not_known_sheds_nothing(hass: HomeAssistant, shed: Shed) -> None:
    wire = await shed(3, 4)
    wire.group.grid_closed = False
    wire.silence(*wire.group.serial_numbers)
    for _ in range(5):
        wire.clock.move(hours=1)
        await look(hass, wire)
    assert switched(wire) == []


async def test_only_what_was_shed_comes_back(
    hass: HomeAssistant, shed: Shed, logged: Log
) -> None:
    """One is off before, one is switched by the BI PRO, and one somebody needs after all."""
    wire = await shed(6, 5, 3, 4)
    wire.group.grid_closed = False
    await drain(hass, wire)
    assert switched(wire) == [(3, OFF), (4, OFF)]
    await wire.entry.runtime_data.wiring.control.write("smart_load_4_switch", "on")
    switched(wire)
    wire.group.grid_closed = True
    await wait(hass, wire, 6)
    assert switched(wire) == [(3, ON)]
    assert logged == []


async def test_a_load_that_refuses_does_not_keep_the_others(
    hass: HomeAssistant, shed: Shed
) -> None:
    wire = await shed(3, 4)
    wire.group.relay = Relay.REFUSING
    wire.group.grid_closed = False
    await drain(hass, wire)
    assert switched(wire) == [(3, OFF), (4, OFF)], "each is tried, once"
    wire.group.relay = Relay.SOUND
    wire.group.grid_closed = True
    await wait(hass, wire, 6)
    assert switched(wire) == [], "what was not shed does not come back"
    assert [state(hass, load(wire, n)).state for n in (3, 4)] == ["on", "on"]
