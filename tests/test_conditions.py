"""Conditions as automations use them: true, false, and never true while it is not known."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
import voluptuous as vol

from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.condition import async_get_conditions
from custom_components.solax_parallel.const import DOMAIN
from custom_components.solax_parallel.simulator.group import NONE, OFFLINE
from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, entity_registry as er
from homeassistant.helpers.condition import (
    async_get_all_descriptions,
    async_validate_condition_config,
)
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .conftest import StartGroup
from .groups import (
    GroupOnTheWire,
    devices,
    entity_id,
    halved,
    poll,
    state,
    without_windows,
)

RS485 = "parallel_rs485_fault"


class Question:
    """An automation that runs when it is asked and its condition is true."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._runs = async_capture_events(hass, "answered")

    @classmethod
    async def ask(
        cls,
        hass: HomeAssistant,
        condition: str,
        target: Mapping[str, Any],
        **options: Any,
    ) -> Question:
        automation = {
            "triggers": {"trigger": "event", "event_type": "asked"},
            "conditions": {
                "condition": f"{DOMAIN}.{condition}",
                "target": target,
                "options": options,
            },
            "actions": {"event": "answered"},
        }
        assert await async_setup_component(
            hass, "automation", {"automation": automation}
        )
        await hass.async_block_till_done()
        assert len(hass.states.async_entity_ids("automation")) == 1
        return cls(hass)

    async def is_true(self) -> bool:
        """Ask, and return whether the automation ran."""
        self._runs.clear()
        self._hass.bus.async_fire("asked")
        await self._hass.async_block_till_done()
        return len(self._runs) == 1


def of_device(wire: GroupOnTheWire, key: str) -> dict[str, Any]:
    return {"device_id": devices(wire.hass, wire.entry)[key].id}


async def ail(wire: GroupOnTheWire, option: str, index: int = 1) -> None:
    wire.group.inject(wire.group.serial_numbers[index], option)
    await poll(wire.hass)


async def test_what_is_described_is_there(
    hass: HomeAssistant, wire: GroupOnTheWire
) -> None:
    await Question.ask(hass, "is_faulted", of_device(wire, wire.primary))
    described = {
        key.removeprefix(f"{DOMAIN}."): description
        for key, description in (await async_get_all_descriptions(hass)).items()
        if key.startswith(f"{DOMAIN}.")
    }
    assert described.keys() == (await async_get_conditions(hass)).keys()
    for key, description in described.items():
        assert description is not None, key
        assert description["target"], key
        assert set(description["fields"]) == {"for"}, key


@pytest.mark.parametrize("fault", [RS485, "parallel_can_warning", "fan", "grid_relay"])
async def test_an_inverter_is_faulted(
    hass: HomeAssistant, wire: GroupOnTheWire, fault: str
) -> None:
    second = wire.group.serial_numbers[1]
    question = await Question.ask(hass, "is_faulted", of_device(wire, second))
    assert not await question.is_true()
    await ail(wire, fault, index=0)
    assert not await question.is_true(), "nobody asked about that one"
    await ail(wire, fault)
    assert await question.is_true()
    await ail(wire, NONE)
    assert not await question.is_true()


async def test_a_sensor_is_faulted(hass: HomeAssistant, wire: GroupOnTheWire) -> None:
    sensor = entity_id(hass, f"{wire.group.serial_numbers[1]}_internal_fault")
    question = await Question.ask(hass, "is_faulted", {"entity_id": sensor})
    await ail(wire, RS485)
    assert not await question.is_true()
    await ail(wire, "fan")
    assert await question.is_true()


async def test_the_group_is_faulted(hass: HomeAssistant, wire: GroupOnTheWire) -> None:
    group = of_device(wire, f"{wire.primary}_group")
    question = await Question.ask(hass, "is_faulted", group)
    assert not await question.is_true()
    await ail(wire, OFFLINE)
    assert not await question.is_true(), "degraded is not faulted"
    await ail(wire, "fan", index=0)
    assert await question.is_true()


async def test_a_failed_check_is_no_fault(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    half = halved(load_profile(), "unit_quantity")
    wire = await start_group(units=2, served=half)
    assert await wire.set_up()
    check = state(hass, f"{wire.primary}_group_check_unit_quantity")
    assert check.state == STATE_ON
    group = of_device(wire, f"{wire.primary}_group")
    question = await Question.ask(hass, "is_faulted", group)
    assert not await question.is_true()


async def test_what_is_not_known_is_no_fault(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    silent = without_windows(load_profile(), "extension", "primary_extension")
    wire = await start_group(units=2, served=silent)
    assert await wire.set_up()
    target = {
        "device_id": [
            devices(hass, wire.entry)[key].id
            for key in (*wire.group.serial_numbers, f"{wire.primary}_group")
        ]
    }
    question = await Question.ask(hass, "is_faulted", target)
    # It does not stop the inverter, which would show.
    await ail(wire, "parallel_can_warning")
    assert not await question.is_true(), "nobody tells"
    await wire.server.vanish()
    await poll(hass)
    assert not await question.is_true(), "nobody answers"


async def test_off_grid(hass: HomeAssistant, wire: GroupOnTheWire) -> None:
    for_all = {
        "device_id": [
            devices(hass, wire.entry)[key].id
            for key in (*wire.group.serial_numbers, f"{wire.primary}_group")
        ]
    }
    question = await Question.ask(hass, "is_off_grid", for_all)
    assert not await question.is_true()
    wire.group.grid_closed = False
    await poll(hass)
    assert await question.is_true()
    await wire.server.vanish()
    await poll(hass)
    assert not await question.is_true(), "nobody knows"
    wire.group.grid_closed = True
    await wire.server.start()
    await poll(hass)
    assert not await question.is_true()


@pytest.mark.parametrize(
    "key", ["{primary}_group_on_grid", "{primary}_grid_status"], ids=["group", "unit"]
)
async def test_off_grid_of_an_entity(
    hass: HomeAssistant, wire: GroupOnTheWire, key: str
) -> None:
    target = {"entity_id": entity_id(hass, key.format(primary=wire.primary))}
    question = await Question.ask(hass, "is_off_grid", target)
    assert not await question.is_true()
    wire.group.grid_closed = False
    await poll(hass)
    assert await question.is_true()


async def test_for_at_least(
    hass: HomeAssistant, wire: GroupOnTheWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = of_device(wire, f"{wire.primary}_group")
    question = await Question.ask(hass, "is_off_grid", group, **{"for": {"minutes": 5}})
    wire.group.grid_closed = False
    await poll(hass)
    assert not await question.is_true()
    later = dt_util.utcnow() + timedelta(minutes=5)
    monkeypatch.setattr(dt_util, "utcnow", lambda: later)
    assert await question.is_true()


async def test_foreign_entities_are_left_alone(
    hass: HomeAssistant, wire: GroupOnTheWire
) -> None:
    registry = er.async_get(hass)
    area = ar.async_get(hass).async_create("Garage")
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    foreign = registry.async_get_or_create(
        "binary_sensor",
        "other",
        "x",
        config_entry=other,
        translation_key=RS485,
        original_device_class="problem",
    ).entity_id
    registry.async_update_entity(foreign, area_id=area.id)
    question = await Question.ask(
        hass, "is_faulted", {"area_id": area.id, "entity_id": [foreign]}
    )
    hass.states.async_set(foreign, STATE_OFF)
    hass.states.async_set(foreign, STATE_ON)
    assert not await question.is_true()
    sensor = entity_id(hass, f"{wire.primary}_internal_fault")
    registry.async_update_entity(sensor, area_id=area.id)
    await ail(wire, "fan", index=0)
    assert await question.is_true()


@pytest.mark.parametrize(
    "condition",
    [
        {"condition": f"{DOMAIN}.is_faulted"},
        {
            "condition": f"{DOMAIN}.is_faulted",
            "target": {"entity_id": "sensor.x"},
            # It would be true as well where nothing is known.
            "options": {"behavior": "all"},
        },
    ],
    ids=["no target", "all"],
)
async def test_refused(hass: HomeAssistant, condition: dict[str, Any]) -> None:
    with pytest.raises(vol.Invalid):
        await async_validate_condition_config(hass, condition)
