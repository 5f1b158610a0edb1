"""Triggers as automations use them: each fires once for what it is for, and for nothing else."""

from collections.abc import Mapping
import sys
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
import voluptuous as vol

from custom_components.solax_parallel.a1_ess.faults import FAULTS
from custom_components.solax_parallel.const import DOMAIN
from custom_components.solax_parallel.simulator.group import NONE
from custom_components.solax_parallel.trigger import async_get_triggers
from homeassistant.core import CoreState, Event, HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.trigger import (
    async_get_all_descriptions,
    async_validate_trigger_config,
)
from homeassistant.setup import async_setup_component

from .conftest import Log, StartGroup
from .groups import (
    GroupOnTheWire,
    devices,
    entity_id,
    is_loaded,
    poll,
    set_up,
    state,
    stop,
)

RS485 = "parallel_rs485_fault"
TRIGGERED = "triggered"
EXPECTED = {
    "fault_raised": RS485,
    "fault_cleared": f"{RS485}_cleared",
    "unit_lost": "unit_lost",
    "unit_back": "unit_back",
    "went_off_grid": "off_grid",
    "back_on_grid": "on_grid",
    "group_incomplete": "group_incomplete",
    "group_complete": "group_complete",
}
"""What each trigger has to tell of all that can happen."""


async def automate(
    hass: HomeAssistant, trigger: str, target: Mapping[str, Any], **options: Any
) -> list[Event[Any]]:
    """Set up an automation with a trigger, and return its runs as they come."""
    runs: list[Event[Any]] = async_capture_events(hass, TRIGGERED)
    automation = {
        "alias": trigger,
        "mode": "queued",
        "triggers": {
            "trigger": f"{DOMAIN}.{trigger}",
            "target": target,
            "options": options,
        },
        "actions": {
            "event": TRIGGERED,
            "event_data": {
                "kind": "{{ trigger.to_state.attributes.event_type }}",
                "unit": "{{ trigger.to_state.attributes.unit | default('') }}",
            },
        },
    }
    assert await async_setup_component(hass, "automation", {"automation": automation})
    await hass.async_block_till_done()
    assert len(hass.states.async_entity_ids("automation")) == 1
    return runs


def told(runs: list[Event[Any]]) -> list[tuple[str, str]]:
    return [(run.data["kind"], run.data["unit"]) for run in runs]


def every_event(wire: GroupOnTheWire) -> dict[str, Any]:
    """Return a target with the event entities of the group and of its inverters."""
    keys = (*(f"{serial}_fault" for serial in wire.group.serial_numbers),)
    keys += (f"{wire.primary}_group_event",)
    return {"entity_id": [entity_id(wire.hass, key) for key in keys]}


async def lose(wire: GroupOnTheWire) -> None:
    wire.silence(wire.group.serial_numbers[1])
    for _ in range(4):
        await poll(wire.hass)


async def find(wire: GroupOnTheWire) -> None:
    wire.group.inject(wire.group.serial_numbers[1], NONE)
    wire.pass_time(60)
    await poll(wire.hass)


async def switch_grid(wire: GroupOnTheWire, *, closed: bool) -> None:
    wire.group.grid_closed = closed
    await poll(wire.hass)
    await poll(wire.hass)


async def ail(wire: GroupOnTheWire, option: str, index: int = 1) -> None:
    wire.group.inject(wire.group.serial_numbers[index], option)
    await poll(wire.hass)
    await poll(wire.hass)


async def all_that_can_happen(wire: GroupOnTheWire) -> None:
    """Let everything happen once that a trigger can wait for."""
    await ail(wire, RS485)
    await ail(wire, NONE)
    await switch_grid(wire, closed=False)
    await switch_grid(wire, closed=True)
    await lose(wire)
    await find(wire)


@pytest.mark.parametrize("trigger", EXPECTED)
async def test_fires_once_for_what_it_is_for(
    hass: HomeAssistant, wire: GroupOnTheWire, trigger: str
) -> None:
    runs = await automate(hass, trigger, every_event(wire))
    await all_that_can_happen(wire)
    (kind, unit), expected = *told(runs), EXPECTED[trigger]
    assert kind == expected
    of_a_unit = not expected.endswith(("grid", "complete"))
    assert unit == (wire.group.serial_numbers[1] if of_a_unit else "")


async def test_what_is_described_is_there(
    hass: HomeAssistant, wire: GroupOnTheWire
) -> None:
    await automate(hass, "unit_lost", every_event(wire))
    described = {
        key.removeprefix(f"{DOMAIN}."): description
        for key, description in (await async_get_all_descriptions(hass)).items()
        if key.startswith(f"{DOMAIN}.")
    }
    assert (
        described.keys() == EXPECTED.keys() == (await async_get_triggers(hass)).keys()
    )
    for key, description in described.items():
        assert description is not None, key
        assert description["target"], key
        for field in description["fields"].values():
            assert field["selector"]["select"]["options"] == list(FAULTS)


@pytest.mark.parametrize(
    ("trigger", "fault", "expected"),
    [
        ("fault_raised", ["isolation", "fan"], ["fan", "isolation"]),
        ("fault_raised", "fan", ["fan"]),
        ("fault_raised", [], [RS485, "fan", "isolation"]),
        ("fault_cleared", ["fan"], ["fan_cleared"]),
    ],
)
async def test_only_the_faults_that_were_chosen(
    hass: HomeAssistant,
    wire: GroupOnTheWire,
    trigger: str,
    fault: Any,
    expected: list[str],
) -> None:
    runs = await automate(hass, trigger, every_event(wire), fault=fault)
    for option in (RS485, "fan", "isolation", NONE):
        await ail(wire, option)
    assert [kind for kind, _ in told(runs)] == expected


@pytest.mark.parametrize("of", ["entity", "device", "area"])
async def test_target(hass: HomeAssistant, wire: GroupOnTheWire, of: str) -> None:
    second = wire.group.serial_numbers[1]
    if of == "entity":
        target = {"entity_id": entity_id(hass, f"{second}_fault")}
    else:
        device = devices(hass, wire.entry)[second]
        target = {"device_id": device.id}
    if of == "area":
        area = ar.async_get(hass).async_create("Garage")
        dr.async_get(hass).async_update_device(device.id, area_id=area.id)
        target = {"area_id": area.id}
    runs = await automate(hass, "fault_raised", target)
    await ail(wire, RS485, index=0)
    assert told(runs) == [], "nobody asked about that one"
    await ail(wire, RS485, index=1)
    assert told(runs) == [(RS485, second)]


async def test_all_units_at_once(
    hass: HomeAssistant, group_on_the_wire: GroupOnTheWire
) -> None:
    wire = group_on_the_wire
    assert await wire.set_up()
    runs = await automate(hass, "fault_raised", every_event(wire))
    for serial in wire.group.serial_numbers:
        wire.group.inject(serial, RS485)
    await poll(hass)
    assert told(runs) == [(RS485, serial) for serial in wire.group.serial_numbers]


async def test_units_lost_at_once(hass: HomeAssistant, wire: GroupOnTheWire) -> None:
    group = devices(hass, wire.entry)[f"{wire.primary}_group"]
    runs = await automate(hass, "unit_lost", {"device_id": group.id})
    await wire.server.vanish()
    for _ in range(4):
        await poll(hass)
    assert told(runs) == [("unit_lost", serial) for serial in wire.group.serial_numbers]


async def test_nothing_at_start(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    wire: GroupOnTheWire,
) -> None:
    await ail(wire, "fan")
    target = every_event(wire)
    await stop(hass, wire.entry)
    wire.group.inject(wire.primary, RS485)
    runs = await automate(hass, "fault_raised", target)
    assert await set_up(hass, wire.entry)
    await poll(hass)
    hass.set_state(CoreState.running)
    await poll(hass)
    assert told(runs) == []
    await ail(wire, "isolation")
    assert told(runs) == [("isolation", wire.group.serial_numbers[1])]


async def test_nothing_on_reload(hass: HomeAssistant, wire: GroupOnTheWire) -> None:
    runs = await automate(hass, "fault_raised", every_event(wire))
    await ail(wire, RS485)
    assert len(runs) == 1
    await hass.config_entries.async_reload(wire.entry.entry_id)
    await hass.async_block_till_done()
    await poll(hass)
    assert len(runs) == 1
    await ail(wire, "fan")
    assert [kind for kind, _ in told(runs)] == [RS485, "fan"], "it still works"


@pytest.mark.parametrize("trigger", ["fault_raised", "fault_cleared", "went_off_grid"])
async def test_what_changed_during_a_reload(
    hass: HomeAssistant, wire: GroupOnTheWire, trigger: str
) -> None:
    second = wire.group.serial_numbers[1]
    if trigger == "fault_cleared":
        await ail(wire, RS485)
    runs = await automate(hass, trigger, every_event(wire))
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    if trigger == "went_off_grid":
        wire.group.grid_closed = False
    else:
        wire.group.inject(second, RS485 if trigger == "fault_raised" else NONE)
    assert await set_up(hass, wire.entry)
    await poll(hass)
    unit = "" if trigger == "went_off_grid" else second
    assert told(runs) == [(EXPECTED[trigger], unit)]


async def test_foreign_entities_are_left_alone(
    hass: HomeAssistant, wire: GroupOnTheWire
) -> None:
    registry = er.async_get(hass)
    area = ar.async_get(hass).async_create("Garage")
    group = devices(hass, wire.entry)[f"{wire.primary}_group"]
    dr.async_get(hass).async_update_device(group.id, area_id=area.id)
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    foreign = registry.async_get_or_create(
        "event", "other", "x", config_entry=other, translation_key="event"
    ).entity_id
    registry.async_update_entity(foreign, area_id=area.id)
    runs = await automate(
        hass, "unit_lost", {"area_id": area.id, "entity_id": [foreign]}
    )
    for moment in ("2026-06-21T12:00:00.000", "2026-06-21T12:00:01.000"):
        hass.states.async_set(foreign, moment, {"event_type": "unit_lost"})
        await hass.async_block_till_done()
    assert told(runs) == []
    await lose(wire)
    assert told(runs) == [("unit_lost", wire.group.serial_numbers[1])]


@pytest.mark.parametrize(
    "trigger",
    [
        {"trigger": f"{DOMAIN}.fault_raised"},
        {
            "trigger": f"{DOMAIN}.fault_raised",
            "target": {"entity_id": "event.x"},
            "options": {"fault": ["on_fire"]},
        },
        {
            "trigger": f"{DOMAIN}.unit_lost",
            "target": {"entity_id": "event.x"},
            "options": {"fault": ["fan"]},
        },
    ],
    ids=["no target", "no such fault", "no such option"],
)
async def test_refused(hass: HomeAssistant, trigger: dict[str, Any]) -> None:
    with pytest.raises(vol.Invalid):
        await async_validate_trigger_config(
            hass, [{"platform": trigger.pop("trigger"), **trigger}]
        )


@pytest.mark.parametrize("file", ["trigger", "condition"])
async def test_setup_does_not_need_them(
    hass: HomeAssistant,
    start_group: StartGroup,
    monkeypatch: pytest.MonkeyPatch,
    logged: Log,
    file: str,
) -> None:
    # As if Home Assistant had moved what they import.
    monkeypatch.setitem(sys.modules, f"custom_components.{DOMAIN}.{file}", None)
    assert await async_setup_component(hass, "automation", {})
    wire = await start_group(units=1)
    assert await wire.set_up()
    await ail(wire, RS485, index=0)
    assert is_loaded(wire.entry)
    shown = state(hass, f"{wire.primary}_fault")
    assert shown.attributes["event_type"] == RS485
    assert logged == []
