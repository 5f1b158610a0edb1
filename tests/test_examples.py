"""What owners are given to start from: each blueprint runs, each example of the pages loads."""

from collections.abc import Awaitable, Callable, Mapping
import json
from pathlib import Path
import re
import shutil
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from custom_components.solax_parallel.a1_ess.faults import FAULTS, PINS
from custom_components.solax_parallel.const import DOMAIN
from custom_components.solax_parallel.simulator.group import NONE
from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint import Blueprint
from homeassistant.components.persistent_notification import (
    Notification,
    UpdateType,
    async_register_callback,
)
from homeassistant.const import STATE_ON
from homeassistant.core import Context, HomeAssistant, ServiceCall, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.script import Script
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import load_yaml_dict, parse_yaml

from .groups import GroupOnTheWire, devices, poll
from .texts import INTEGRATION, text

REPOSITORY = INTEGRATION.parent.parent
PAGES = {
    name: (REPOSITORY / name).read_text(encoding="utf-8")
    for name in ("README.md", "docs/automations.md")
}
FOLDER = Path("blueprints", "automation", DOMAIN)
BLUEPRINTS = {path.stem: path for path in sorted((REPOSITORY / FOLDER).glob("*.yaml"))}
RS485 = "parallel_rs485_fault"
SHEDDING = "load_shedding"
"""Switches loads, which has tests of its own, and tells nothing."""

type Use = Callable[..., Awaitable[list[ServiceCall]]]


@pytest.fixture
def use(hass: HomeAssistant, wire: GroupOnTheWire, tmp_path: Path) -> Use:
    """Install the blueprints and use one, on the inverters or on the group."""
    shutil.copytree(REPOSITORY / FOLDER, tmp_path / FOLDER)

    async def use_it(name: str, **inputs: Any) -> list[ServiceCall]:
        calls: list[ServiceCall] = async_mock_service(hass, "notify", "phone")
        known = devices(hass, wire.entry)
        chosen: Mapping[str, list[str]] = {
            "inverters": [known[serial].id for serial in wire.group.serial_numbers],
            "group": [known[f"{wire.primary}_group"].id],
        }
        wanted = load_yaml_dict(str(BLUEPRINTS[name]))["blueprint"]["input"]
        targets = {
            key: {"device_id": ids} for key, ids in chosen.items() if key in wanted
        }
        automation = {
            "alias": name,
            "use_blueprint": {
                "path": f"{DOMAIN}/{name}.yaml",
                "input": {**targets, **inputs},
            },
        }
        assert await async_setup_component(
            hass, "automation", {"automation": automation}
        )
        await hass.async_block_till_done()
        assert [state.state for state in hass.states.async_all("automation")] == [
            STATE_ON
        ]
        return calls

    return use_it


def tell() -> dict[str, Any]:
    """Return the input that tells a phone what happened."""
    return {
        "actions": [
            {
                "action": "notify.phone",
                "data": {"title": "{{ title }}", "message": "{{ message }}"},
            }
        ]
    }


def told(calls: list[ServiceCall]) -> list[tuple[str, str]]:
    return [
        (call.data["title"], " ".join(call.data["message"].split())) for call in calls
    ]


async def ail(wire: GroupOnTheWire, option: str) -> None:
    wire.group.inject(wire.group.serial_numbers[1], option)
    await poll(wire.hass)
    await poll(wire.hass)


def loaded(name: str) -> Blueprint:
    return Blueprint(
        load_yaml_dict(str(BLUEPRINTS[name])),
        path=f"{DOMAIN}/{name}.yaml",
        expected_domain="automation",
        schema=AUTOMATION_BLUEPRINT_SCHEMA,
    )


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_blueprint(name: str) -> None:
    blueprint = loaded(name)
    assert blueprint.validate() is None
    assert blueprint.metadata["description"]
    oldest = json.loads((REPOSITORY / "hacs.json").read_text())["homeassistant"]
    assert blueprint.metadata["homeassistant"]["min_version"] == oldest
    manifest = json.loads((INTEGRATION / "manifest.json").read_text())
    address = f"{manifest['documentation']}/blob/main/{FOLDER.as_posix()}/{name}.yaml"
    assert blueprint.metadata["source_url"] == address
    assert f"({address})" in PAGES["docs/automations.md"], "where to import it from"
    for key, shown in blueprint.inputs.items():
        assert shown["name"], key
        assert shown["description"], key


@pytest.mark.parametrize("name", sorted({*BLUEPRINTS} - {SHEDDING}))
def test_a_blueprint_that_tells(name: str) -> None:
    target, actions = loaded(name).inputs.values()
    assert target["selector"] == {
        "target": {"entity": [{"integration": DOMAIN, "domain": ["event"]}]}
    }
    assert "action" in actions["selector"]


def test_all_blueprints_are_run() -> None:
    assert set(BLUEPRINTS) == {"any_fault", "off_grid", RS485, "unit_lost", SHEDDING}


async def test_rs485_fault(wire: GroupOnTheWire, use: Use) -> None:
    calls = await use(RS485, **tell())
    await ail(wire, "fan")
    assert told(calls) == [], "that is another fault"
    await ail(wire, RS485)
    ((title, message),) = told(calls)
    assert title == "Secondary inverter 1: ParallelRS485 ComFault"
    fault = FAULTS[RS485]
    steps = [
        f"{number}. {text('selector', 'fault_step', 'options', step)}"
        for number, step in enumerate(fault.steps, start=1)
    ]
    meaning = text("selector", "fault_meaning", "options", RS485)
    pins = ", ".join(f"{pin} {PINS[pin]}" for pin in fault.pins)
    assert message == " ".join(
        [
            f"Secondary inverter 1 reports {fault.vendor_code}. {meaning}",
            *steps,
            f"Pins of the COMM chain (our inference, not the vendor's word): {pins}.",
        ]
    )
    await ail(wire, NONE)
    assert len(calls) == 1


async def test_rs485_fault_on_all(wire: GroupOnTheWire, use: Use) -> None:
    calls = await use(RS485, **tell())
    for serial in wire.group.serial_numbers:
        wire.group.inject(serial, RS485)
    await poll(wire.hass)
    assert {title for title, _ in told(calls)} == {
        "Primary inverter: ParallelRS485 ComFault",
        "Secondary inverter 1: ParallelRS485 ComFault",
    }


async def test_any_fault(wire: GroupOnTheWire, use: Use) -> None:
    calls = await use("any_fault", **tell())
    for option in (RS485, "ac_10min_voltage", NONE):
        await ail(wire, option)
    unit = "Secondary inverter 1"
    vendor, sister = "ParallelRS485 ComFault", "Ac 10min voltage"
    assert told(calls) == [
        (f"{unit}: {vendor}", f"{unit} reports the fault {vendor}."),
        (f"{unit}: {vendor}", f"{unit} no longer reports the fault {vendor}."),
        (f"{unit}: {sister}", f"{unit} reports the fault {sister}."),
        (f"{unit}: {sister}", f"{unit} no longer reports the fault {sister}."),
    ]


async def test_unit_lost_and_back(wire: GroupOnTheWire, use: Use) -> None:
    calls = await use("unit_lost", **tell())
    silent = wire.group.serial_numbers[1]
    wire.silence(silent)
    for _ in range(3):
        await poll(wire.hass)
    wire.pass_time(60)
    await ail(wire, NONE)
    unit = f"Secondary 1 ({silent})"
    lost, back = told(calls)
    assert lost[0] == f"{unit} is lost"
    assert lost[1].startswith(f"{unit} is no longer heard. Nothing is known of it")
    assert back == (f"{unit} is back", f"{unit} is heard again.")


async def test_off_grid_and_back(wire: GroupOnTheWire, use: Use) -> None:
    calls = await use("off_grid", **tell())
    for closed in (False, True):
        wire.group.grid_closed = closed
        await poll(wire.hass)
        await poll(wire.hass)
    off, on = told(calls)
    assert off[0] == "Parallel group: off-grid"
    assert off[1].startswith("Parallel group runs without the grid.")
    assert on == (
        "Parallel group: back on-grid",
        "Parallel group runs with the grid again.",
    )


async def test_without_a_choice_home_assistant_shows_it(
    hass: HomeAssistant, wire: GroupOnTheWire, use: Use
) -> None:
    assert await async_setup_component(hass, "persistent_notification", {})
    shown: list[tuple[str | None, str]] = []

    @callback
    def look(_: UpdateType, notifications: dict[str, Notification]) -> None:
        shown.extend(
            (each["title"], each["message"]) for each in notifications.values()
        )

    async_register_callback(hass, look)
    await use("any_fault")
    await ail(wire, "fan")
    unit = "Secondary inverter 1"
    assert shown == [(f"{unit}: Fan", f"{unit} reports the fault Fan.")]


def blocks() -> list[str]:
    """Return all YAML that the pages show."""
    return [
        block
        for page in PAGES.values()
        for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    ]


def examples() -> list[str]:
    """Return every automation that the pages show."""
    return [block for block in blocks() if "triggers:" in block]


@pytest.mark.parametrize("example", examples())
async def test_example(hass: HomeAssistant, wire: GroupOnTheWire, example: str) -> None:
    automation = parse_yaml(example)
    assert await async_setup_component(hass, "automation", {"automation": automation})
    await hass.async_block_till_done()
    (shown,) = hass.states.async_all("automation")
    assert shown.state == STATE_ON
    named = set(re.findall(r"\b(?:event|sensor|binary_sensor|switch)\.\w+", example))
    named -= {f"switch.{action}" for action in ("turn_on", "turn_off")}
    assert named, "it is about entities"
    assert named <= set(hass.states.async_entity_ids())


@pytest.mark.parametrize(
    "example", [block for block in blocks() if block.startswith("action:")]
)
async def test_example_of_an_action(
    hass: HomeAssistant, wire: GroupOnTheWire, example: str
) -> None:
    steps = cv.SCRIPT_SCHEMA([parse_yaml(example)])
    script = Script(hass, steps, "example", "test")
    result = await script.async_run(context=Context())
    assert result is not None
    assert result.variables["handover"]["report"].startswith("#")


def test_examples_are_there() -> None:
    shown = "".join(examples())
    assert {"solax_parallel.fault_raised", "solax_parallel.is_off_grid"} <= set(
        re.findall(r"solax_parallel\.\w+", shown)
    )
